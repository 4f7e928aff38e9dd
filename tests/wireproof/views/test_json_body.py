"""Bodies that are JSON are laid out beneath their rows."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.handmade import Wire

from parsers.records import DataRecord, Record
from wireproof.dialects.reader import DialectReader, RawReader, Readers
from wireproof.views.connection import ConnectionTable
from wireproof.views.json_body import MAX_COLLECTED, MAX_LINES
from wireproof.views.lines import measure

PROMPT = {
    "model": "small-1",
    "stream": True,
    "messages": [{"role": "user", "content": "What is the weather in Chur?"}, {"role": "system"}],
}
DETAIL = {"detail": [{"loc": ["body", "messages"], "msg": "Field required", "type": "missing"}]}


def answered(
    content: bytes, *fields: tuple[str, str], kind: str = "application/json"
) -> list[Record]:
    """Return a response that has this content, in runs of 1,000 bytes."""
    wire = Wire()
    head = wire.response(("Content-Type", kind), *fields, status=422, framing="content-length")
    records: list[Record] = [wire.request(), head]
    for start in range(0, len(content), 1_000):
        records.append(run(wire, content[start : start + 1_000]))
    return [*records, wire.body(chunks=None, ended_by="content-length")]


def run(wire: Wire, data: bytes, sender: str = "server") -> DataRecord:
    try:
        text, encoding = data.decode(), "utf-8"
    except UnicodeDecodeError:
        text, encoding = b64encode(data).decode(), "base64"
    return DataRecord(**wire.at(sender), size=len(data), data=text, encoding=encoding)  # type: ignore[arg-type]


def beneath(records: list[Record], width: int = 60, readers: Readers = DialectReader) -> list[str]:
    """Return what stands beneath the body's line."""
    table = ConnectionTable(0, width, readers)
    lines = [line for record in records for line in table.add(record)] + table.release()
    assert all(measure(line) <= width for line in lines)
    texts = ["".join(text for text, _ in line).rstrip() for line in lines]
    first = next(n for n, text in enumerate(texts) if "body complete" in text)
    return [text for text in texts[first + 1 :] if text.startswith("    ")]


def test_what_an_error_says_is_laid_out() -> None:
    assert beneath(answered(json.dumps(DETAIL).encode())) == [
        "    {",
        '      "detail": [',
        "        {",
        '          "loc": ["body", "messages"],',
        '          "msg": "Field required",',
        '          "type": "missing"',
        "        }",
        "      ]",
        "    }",
    ]


def test_a_prompt_is_laid_out_to_the_width() -> None:
    wire = Wire()
    request = wire.request("/v1/chat", ("Content-Type", "application/json"))
    records = [request, run(wire, json.dumps(PROMPT).encode(), "client")]
    shown = beneath([*records, wire.body(sender="client", ended_by="content-length")], 90)
    assert shown == [
        "    {",
        '      "model": "small-1",',
        '      "stream": true,',
        '      "messages": [',
        '        {"role": "user", "content": "What is the weather in Chur?"},',
        '        {"role": "system"}',
        "      ]",
        "    }",
    ]


def test_codings_are_undone() -> None:
    coded = gzip.compress(json.dumps(DETAIL).encode())
    shown = beneath(answered(coded, ("Content-Encoding", "gzip")))
    assert '          "msg": "Field required",' in shown


def test_a_body_that_its_row_shows_whole_is_not_shown_again() -> None:
    assert beneath(answered(b'{"detail":"Not Found"}')) == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"detail": [' + b" " * 100, "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'"' + b"x" * 100 + b'"', "application/json"),
        (json.dumps(DETAIL).encode(), "text/plain"),
        (b"\xff" * 100, "application/json"),
    ],
)
def test_what_is_no_object_or_list_is_left_as_it_is(content: bytes, kind: str) -> None:
    assert beneath(answered(content, kind=kind)) == []


def test_raw_rows_have_nothing_beneath() -> None:
    assert beneath(answered(json.dumps(DETAIL).encode()), readers=RawReader) == []


def test_a_long_text_is_broken() -> None:
    text = "".join(chr(ord("a") + n % 26) for n in range(400))
    shown = beneath(answered(json.dumps({"prompt": text}).encode()))
    assert len(shown) > 5
    assert "".join(line.strip() for line in shown[1:-1]) == f'"prompt": "{text}"'


def test_a_long_body_is_cut_where_that_is_said() -> None:
    shown = beneath(answered(json.dumps(list(range(1_000))).encode()))
    assert len(shown) == MAX_LINES + 1
    assert shown[-1] == "    … more lines: --format json has all of it"


def test_a_huge_body_is_not_laid_out() -> None:
    [shown] = beneath(answered(b"[" + b" " * MAX_COLLECTED + b"]"))
    assert shown == "    JSON of 262,146 bytes: more than is laid out here"


@given(
    value=st.recursive(
        st.none() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ),
    width=st.integers(40, 100),
)
def test_lines_fit_whatever_the_value(value: Any, width: int) -> None:
    beneath(answered(json.dumps([value, "x" * 60]).encode()), width)
