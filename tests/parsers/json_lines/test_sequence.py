"""JSON text sequences: RFC 7464's cases, cuts, holes, limits, damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.decoders import check_cuts, check_damage, codes

from parsers.json_lines import sequence, value
from parsers.json_lines.sequence import JsonSequenceDecoder
from parsers.json_lines.value import JsonValue
from parsers.provenance import Event


def values(found: list[Event]) -> list[tuple[int, int, bytes]]:
    return [(item.start, item.end, item.data) for item in found if isinstance(item, JsonValue)]


CASES: list[tuple[bytes, list[tuple[int, int, bytes]], list[str]]] = [
    (b"", [], []),
    (b'\x1e{"a":1}\n', [(0, 9, b'{"a":1}')], []),
    (b'\x1e{"a":\n [1]}\n\x1e2\n', [(0, 13, b'{"a":\n [1]}'), (13, 16, b"2")], []),
    (b'\x1e "a\\"b" \r\n\n\x1etrue\n', [(0, 11, b'"a\\"b"'), (12, 18, b"true")], []),
    # Section 2.1: RS RS is an empty element, which is ignored.
    (b"\x1e\x1e\n\x1e1\n", [(3, 6, b"1")], []),
    # Without the LF: a value that closes itself is whole, a number may have been cut (2.4).
    (b'\x1e{"a":1}\x1e"b"\x1e', [(0, 8, b'{"a":1}'), (8, 12, b'"b"')], []),
    (b"\x1e12\x1e3\n\x1etru", [(3, 6, b"3")], ["json-value-unfinished"] * 2),
    # Section 2.3: a text that is cut is skipped up to the next RS.
    (b'\x1e{"a":\x1e{"b":2}\n', [(6, 15, b'{"b":2}')], ["json-value-unfinished"]),
    (b'\x1e"a\n\x1e1\n', [(4, 7, b"1")], ["json-value-unfinished"]),
    (b"\x1e[x]\n", [(0, 5, b"[x]")], ["json-value-invalid"]),
    (b"\x1e1 2\n", [(0, 5, b"1 2")], ["json-value-invalid"]),
    (b'{"a":1}\n\x1e1\nx\ny', [(8, 11, b"1")], ["json-value-invalid"]),
]


@pytest.mark.parametrize(("data", "expected", "faults"), CASES)
def test_case(data: bytes, expected: list[object], faults: list[str]) -> None:
    found = check_cuts(JsonSequenceDecoder, data)
    assert values(found) == expected
    assert codes(found) == faults


def test_texts_go_on_after_a_hole() -> None:
    decoder = JsonSequenceDecoder()
    assert decoder.receive_data(b'\x1e{"a"') == []
    assert decoder.receive_gap(4) == []
    found = decoder.receive_data(b'"}\n\x1e1\n')
    assert codes(found) == ["json-resynchronised"]
    assert values(found) == [(12, 15, b"1")]


def test_at_the_end_of_the_capture_nothing_is_held_against_the_last_text() -> None:
    decoder = JsonSequenceDecoder()
    assert decoder.receive_data(b"\x1e12") == []
    assert decoder.receive_eof("capture-end") == []


def test_a_long_text_is_counted_and_its_beginning_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value, "MAX_KEPT_JSON_VALUE", 8)
    monkeypatch.setattr(sequence, "MAX_KEPT_JSON_VALUE", 8)
    found = check_cuts(JsonSequenceDecoder, b'\x1e"0123456789"\n\x1e1\n')
    assert codes(found) == ["json-value-limit"]
    assert values(found) == [(0, 14, b'"0123456'), (14, 17, b"1")]


@given(st.integers(0, 2**32))
def test_damage(seed: int) -> None:
    check_damage(
        JsonSequenceDecoder, b'\x1e{"a": ["\\"]", 1]}\n\x1e12\n\x1etrue\x1e"x"\n' * 3, seed
    )


def test_what_may_be_needed_of_an_open_text() -> None:
    decoder = JsonSequenceDecoder()
    assert decoder.open_offsets == ()
    decoder.receive_data(b"\x1e{")
    assert decoder.open_offsets == (0,)
