"""application/json that is a stream: arrays, values one after another, and what is neither."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import events, whole
from support.decoders import check_cuts, check_damage, codes

from parsers.json_lines.stream import JsonStreamDecoder
from parsers.json_lines.value import JsonValue
from parsers.provenance import Event


def values(found: list[Event]) -> list[tuple[int, int, bytes]]:
    return [(item.start, item.end, item.data) for item in found if isinstance(item, JsonValue)]


GEMINI = b'[{\n  "text": "]}\\"{"\n}\n,\r\n{\n  "text": "b"\n}\n]\n'
WATCH = b'{"type":"ADDED"}\n{"type":"MODIFIED"}\n'
CASES: list[tuple[bytes, list[tuple[int, int, bytes]], list[str]]] = [
    (b"", [], []),
    # Plain documents: nothing is said of them.
    (b'{"a":{"b":[1,2]}}', [], []),
    (b'\xef\xbb\xbf {"a":1} \n', [], []),
    (b'[1,{"a":2}]', [], []),
    (b"[]", [], []),
    (b'"text"', [], []),
    (b"<html>{}</html>", [], []),
    (b'{"a":1}, {"b":2}', [], []),
    (b'{"a":1} 2', [], []),
    # Arrays of objects
    (b'[{"a":1},{"b":[{}]}]', [(1, 8, b'{"a":1}'), (9, 19, b'{"b":[{}]}')], []),
    (b'[{}, 12, "x" ]', [(1, 3, b"{}"), (5, 7, b"12"), (9, 12, b'"x"')], []),
    (GEMINI, [(1, 22, b'{\n  "text": "]}\\"{"\n}'), (26, 43, b'{\n  "text": "b"\n}')], []),
    # Values one after another
    (
        WATCH,
        [(0, 16, b'{"type":"ADDED"}'), (17, 36, b'{"type":"MODIFIED"}')],
        ["json-lines-undeclared"],
    ),
    (b"{}{}[]", [(0, 2, b"{}"), (2, 4, b"{}"), (4, 6, b"[]")], ["json-lines-undeclared"]),
    # What is cut, or no JSON
    (b'[{"a":1},{"b"', [(1, 8, b'{"a":1}')], ["json-value-unfinished"]),
    (b'[{"a":1},', [(1, 8, b'{"a":1}')], ["json-value-unfinished"]),
    (b'{"a":', [], ["json-value-unfinished"]),
    (b"[{a}]", [(1, 4, b"{a}")], ["json-value-invalid"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected", "faults"), CASES)
def test_case(data: bytes, expected: list[object], faults: list[str]) -> None:
    found = check_cuts(JsonStreamDecoder, data)
    assert values(found) == expected
    assert codes(found) == faults


def test_an_element_is_given_with_its_last_byte() -> None:
    decoder = JsonStreamDecoder()
    assert values(decoder.receive_data(b'[{"a":1')) == []
    assert decoder.open_offsets == (1,)
    assert values(decoder.receive_data(b"}")) == [(1, 8, b'{"a":1}')]
    assert decoder.open_offsets == ()


def test_elements_go_on_after_a_hole_where_that_is_certain() -> None:
    decoder = JsonStreamDecoder()
    assert len(decoder.receive_data(b'[{"a":1}\n,\n{"b":')) == 1
    assert decoder.receive_gap(5) == []
    found = [*decoder.receive_data(b'"x"},{"c":3}\n,'), *decoder.receive_data(b'\r\n{"d":4}\n]')]
    assert codes(found) == ["json-resynchronised"]
    assert [data for _, _, data in values(found)] == [b'{"d":4}']


def test_values_go_on_after_a_hole_where_that_is_certain() -> None:
    decoder = JsonStreamDecoder()
    assert len(values(decoder.receive_data(b'{"a":1}\n{"b":2}\n'))) == 2
    assert decoder.receive_gap(5) == []
    found = decoder.receive_data(b'{"c":{}}\n{"d":4}\n')
    assert codes(found) == ["json-resynchronised"]
    assert values(found) == [(30, 37, b'{"d":4}')]


def test_behind_a_hole_a_plain_document_stays_one() -> None:
    decoder = JsonStreamDecoder()
    decoder.receive_data(b'{"a":1')
    assert decoder.receive_gap(5) == []
    assert decoder.receive_data(b'}\n{"b":2}\n{"c":3}') == []
    assert decoder.receive_eof() == []


@given(
    st.lists(
        st.dictionaries(st.text(), st.text() | st.lists(st.integers())), min_size=1, max_size=6
    )
)
def test_what_is_written_is_read(written: list[dict[str, object]]) -> None:
    texts = [
        json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass") for item in written
    ]
    found = events(JsonStreamDecoder(), b"[" + b",\n".join(texts) + b"]", whole)
    assert [data for _, _, data in values(found)] == texts


@given(st.integers(0, 2**32), st.sampled_from([GEMINI, WATCH, b'[{"a":"\\\\\\""},{"b":{}}]']))
def test_damage(seed: int, data: bytes) -> None:
    check_damage(JsonStreamDecoder, data * 2, seed)


def test_what_may_be_needed_of_the_first_value_is_its_end_too() -> None:
    decoder = JsonStreamDecoder()
    decoder.receive_data(b"{}\n")
    assert decoder.open_offsets == (0, 1)
    decoder.receive_data(b"{")
    assert decoder.open_offsets == (3,)


def test_a_document_that_is_passed_over_stays_so_after_a_hole() -> None:
    decoder = JsonStreamDecoder()
    decoder.receive_data(b"plain text\n")
    assert decoder.receive_gap(4) == []
    assert decoder.receive_data(b"{}\n{}\n") == []
