"""JSON lines: cases, cuts, holes, limits, damage, and a plain reading beside it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import events
from support.decoders import check_cuts, check_damage, codes

from parsers.json_lines import lines, value
from parsers.json_lines.lines import JsonLinesDecoder
from parsers.json_lines.value import JsonValue
from parsers.provenance import Event


def values(found: list[Event]) -> list[tuple[int, int, int, int, bytes]]:
    return [
        (item.start, item.end, item.index, item.size, item.data)
        for item in found
        if isinstance(item, JsonValue)
    ]


CASES: list[tuple[bytes, list[tuple[int, int, int, int, bytes]], list[str]]] = [
    (b"", [], []),
    (b"\n\r\n \t\n", [], []),
    (b'{"a":1}\n', [(0, 8, 0, 7, b'{"a":1}')], []),
    (b'{"a":1}\r\n[]\n', [(0, 9, 0, 7, b'{"a":1}'), (9, 12, 1, 2, b"[]")], []),
    (b"1\n\n2", [(0, 2, 0, 1, b"1"), (3, 4, 1, 1, b"2")], []),
    (b'"\xc3\xa4\xe2\x80\xa8"\n', [(0, 8, 0, 7, b'"\xc3\xa4\xe2\x80\xa8"')], []),
    (b'\xef\xbb\xbf{"a":1}\n', [(0, 11, 0, 7, b'{"a":1}')], []),
    (b'"\\ud83d"\n', [(0, 9, 0, 8, b'"\\ud83d"')], []),
    (b"1" * 5000 + b"\n", [(0, 5001, 0, 5000, b"1" * 5000)], []),
    (
        b'["\\ud83d",' + b"1" * 5000 + b"]\n",
        [(0, 5012, 0, 5011, b'["\\ud83d",' + b"1" * 5000 + b"]")],
        [],
    ),
    (b"[" * 2000 + b"]" * 2000 + b"\n", [(0, 4001, 0, 4000, b"[" * 2000 + b"]" * 2000)], []),
    # Faults: the line is shown, and the next one is read.
    (b"{'a':1}\n2\n", [(0, 8, 0, 7, b"{'a':1}"), (8, 10, 1, 1, b"2")], ["json-value-invalid"]),
    (b"NaN\n", [(0, 4, 0, 3, b"NaN")], ["json-value-invalid"]),
    (b'"\xff"\n', [(0, 4, 0, 3, b'"\xff"')], ["json-value-invalid"]),
    (b"{}{}\n", [(0, 5, 0, 4, b"{}{}")], ["json-value-invalid"]),
    (b'{"a":\n1}\n', [(0, 6, 0, 5, b'{"a":'), (6, 9, 1, 2, b"1}")], ["json-value-invalid"] * 2),
    (b'1\n{"a', [(0, 2, 0, 1, b"1")], ["json-value-unfinished"]),
]


@pytest.mark.parametrize(("data", "expected", "faults"), CASES)
def test_case(data: bytes, expected: list[object], faults: list[str]) -> None:
    found = (
        check_cuts(JsonLinesDecoder, data) if len(data) < 1000 else events(JsonLinesDecoder(), data)
    )
    assert values(found) == expected
    assert codes(found) == faults


def test_a_fault_says_where_in_the_line() -> None:
    (fault, _) = events(JsonLinesDecoder(), b'{"a":1}\n{"b":x}\n')[1:]
    assert (fault.start, fault.end) == (8, 16)
    assert "expecting value at byte 5" in str(fault)


def test_only_the_beginning_of_many_faults_is_listed() -> None:
    found = events(JsonLinesDecoder(), b"x\n" * (value.MAX_JSON_FAULTS + 5))
    assert codes(found) == ["json-value-invalid"] * value.MAX_JSON_FAULTS
    assert len(values(found)) == value.MAX_JSON_FAULTS + 5


def test_at_the_end_of_the_capture_nothing_is_held_against_the_last_line() -> None:
    decoder = JsonLinesDecoder()
    assert decoder.receive_data(b'{"a') == []
    assert decoder.receive_eof("capture-end") == []


def test_lines_go_on_after_a_hole() -> None:
    decoder = JsonLinesDecoder(offset=100)
    assert len(decoder.receive_data(b"1\n2")) == 1
    assert decoder.receive_gap(10) == []
    assert decoder.open_offsets == ()
    found = decoder.receive_data(b"3}\n4\n")
    assert codes(found) == ["json-resynchronised"]
    assert values(found) == [(116, 118, 1, 1, b"4")]


def test_a_long_line_is_counted_and_its_beginning_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value, "MAX_KEPT_JSON_VALUE", 8)
    monkeypatch.setattr(lines, "MAX_KEPT_JSON_VALUE", 8)
    found = check_cuts(JsonLinesDecoder, b'"0123456789"\n"x"\n"0123456789"')
    assert codes(found) == ["json-value-limit"] * 2
    assert values(found) == [
        (0, 13, 0, 12, b'"0123456'), (13, 17, 1, 3, b'"x"'), (17, 29, 2, 12, b'"0123456'),
    ]  # fmt: skip


@given(
    st.lists(st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=8),
    st.booleans(),
)
def test_what_is_written_is_read(written: list[object], ends: bool) -> None:
    texts = [json.dumps(item).encode() for item in written]
    data = b"\n".join(texts) + (b"\n" if ends else b"")
    found = check_cuts(JsonLinesDecoder, data)
    assert [item[4] for item in values(found)] == texts
    assert codes(found) == []


@given(st.integers(0, 2**32))
def test_damage(seed: int) -> None:
    check_damage(JsonLinesDecoder, b'{"a": [1, "x"]}\r\n\n{"b": "\\u00e4"}\n12\nnull\n' * 3, seed)
