"""JSON without what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wireproof.redact.structure.values import JsonText, is_json, masked_json

CASES = [
    (b'{"content": "hi \\"x\\": 1", "a": null}', b'{"content": "***********", "*": null}'),
    (b'{"type": "message_stop", "text": "stop"}', b'{"type": "message_stop", "text": "****"}'),
    (b'{"type": "secret"}', b'{"type": "******"}'),
    (b'{"finish_reason":"stop","index":0,"x":17}', b'{"finish_reason":"stop","index":0,"*":99}'),
    (b'{"completion_tokens": 12345678}', b'{"completion_tokens": 99999999}'),
    (b"[1.25, -3e-7, true, false]", b"[9.99, -9e-9, true, false]"),
    (b'{"a": tru, "b": 1}', b'{"*"*******"*": 9}'),
    (b"{a: b}", b"******"),
    (b'{"content": "no end', b'{"content": "******'),
    (b'{"a\\\\": "b\\\\"}', b'{"***": "***"}'),
    (b'{"index": 1}\nnone\n{"index": 2}', b'{"index": 1}\n****\n{"index": 2}'),
]


@pytest.mark.parametrize("text, masked", CASES)
def test_what_stays(text: bytes, masked: bytes) -> None:
    assert masked_json(text) == masked


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("content"), inner),
    max_leaves=12,
)  # fmt: skip


def shape(value: Any) -> Any:
    """What of a value is structure."""
    if isinstance(value, dict):
        return [shape(one) for one in value.values()]
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value) if isinstance(value, str) else value if isinstance(value, bool) else 0


@given(value=ANY_JSON, is_ascii=st.booleans(), cuts=st.lists(st.integers(0, 400), max_size=6))
@example(value={"content": "x" * 300}, is_ascii=True, cuts=[5, 20, 100, 311])
@example(value=["\\" * 300], is_ascii=True, cuts=[280, 281, 283])
def test_in_pieces_as_at_once(value: Any, is_ascii: bool, cuts: list[int]) -> None:
    """Of the same length, of the same shape, and without a letter that is not listed."""
    text = json.dumps([value], ensure_ascii=is_ascii).encode(errors="surrogatepass")
    whole = JsonText()
    done = whole.feed(text) + whole.end()
    assert len(done) == len(text)
    members: list[list[str]] = []
    json.loads(done, object_pairs_hook=lambda pairs: members.append([one for one, _ in pairs]))
    assert {name for names in members for name in names} <= {"*" * size for size in range(500)} | {
        "content"
    }
    pieces = JsonText()
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    parts = [pieces.feed(text[a:b]) for a, b in zip(borders, borders[1:], strict=False)]
    joined = b"".join(parts) + pieces.end()
    assert len(joined) == len(text)
    assert json.loads(joined) is not None
    assert pieces.waiting == b""


@given(st.binary(max_size=300), st.integers(0, 300))
def test_whatever_comes_is_given(data: bytes, cut: int) -> None:
    text = JsonText()
    done = text.feed(data[:cut]) + text.feed(data[cut:]) + text.end()
    assert len(done) == len(data)


def test_a_name_that_is_cut_is_known_all_the_same() -> None:
    text = JsonText()
    parts = [text.feed(one) for one in (b'{"finish_rea', b'son": "st', b'op", "a": "b"}')]
    assert b"".join(parts) == b'{"finish_reason": "stop", "*": "*"}'


@pytest.mark.parametrize("text", [b" {", b"[", b'"', b"\x1e", b"\n]"])
def test_what_begins_as_json(text: bytes) -> None:
    assert is_json(text)
    assert not is_json(b"x" + text)
