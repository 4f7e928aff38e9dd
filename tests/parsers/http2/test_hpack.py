"""Header blocks, beside another's encoder, and with entries that are not known."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder
from hpack.table import HeaderTable
from hypothesis import given
from hypothesis import strategies as st

from parsers.http2.hpack import STATIC_TABLE, HeaderDecoder, HpackError
from parsers.limits import MAX_HEADER_FIELDS

NAMES = st.sampled_from([b":path", b"accept", b"x-a", b"x-b", b"cookie", b"date"])
HEADERS = st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=8)


def pairs(block: bytes, decoder: HeaderDecoder) -> list[tuple[bytes | None, bytes | None]]:
    return [(name, value) for name, value, _ in decoder.decode(block)]


def test_the_static_table_is_another_s() -> None:
    assert STATIC_TABLE == HeaderTable.STATIC_TABLE


@given(st.lists(st.tuples(HEADERS, st.sampled_from([None, 0, 64, 200, 4096])), max_size=6))
def test_what_another_encodes(blocks: list[tuple[list[tuple[bytes, bytes]], int | None]]) -> None:
    encoder, decoder = Encoder(), HeaderDecoder()
    for headers, size in blocks:
        if size is not None:
            encoder.header_table_size = size
        assert pairs(encoder.encode(headers), decoder) == headers


@given(st.lists(HEADERS, min_size=2, max_size=6), st.integers(1, 5))
def test_after_a_lost_block_nothing_is_invented(
    blocks: list[list[tuple[bytes, bytes]]], lost: int
) -> None:
    encoder, decoder = Encoder(), HeaderDecoder()
    for number, headers in enumerate(blocks):
        block = encoder.encode(headers)
        if number == lost % len(blocks):
            decoder.forget()
            continue
        for (name, value), known in zip(headers, pairs(block, decoder), strict=True):
            assert known[0] in (name, None)
            assert known[1] in (value, None)


def test_what_was_added_after_a_loss_is_certain() -> None:
    encoder, decoder = Encoder(), HeaderDecoder()
    encoder.encode([(b"x-old", b"1")])
    decoder.forget()
    headers = [(b"x-old", b"1"), (b"x-new", b"2")]
    assert pairs(encoder.encode(headers), decoder) == [(None, None), (b"x-new", b"2")]
    assert pairs(encoder.encode(headers), decoder) == [(None, None), (b"x-new", b"2")]


def test_an_update_to_no_entries_makes_all_of_it_known() -> None:
    decoder = HeaderDecoder()
    decoder.forget()
    decoder.decode(b"\x20\x3f\xe1\x1f")
    with pytest.raises(HpackError, match="hpack-index-invalid|62"):
        decoder.decode(b"\xbe")


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("80", "hpack-index-zero"),
        ("be", "hpack-index-invalid"),
        ("000561", "hpack-block-cut"),
        ("00", "hpack-block-cut"),
        ("8220", "hpack-size-update-invalid"),
        ("3fe21f", "hpack-size-update-invalid"),
        ("ff80808080808001", "hpack-integer-invalid"),
        ("ff80", "hpack-integer-invalid"),
        ("0081ff0161", "hpack-huffman-invalid"),
    ],
)
def test_faults(block: str, code: str) -> None:
    with pytest.raises(HpackError) as found:
        HeaderDecoder().decode(bytes.fromhex(block))
    assert found.value.code == code


def test_the_oldest_entries_make_room() -> None:
    decoder = HeaderDecoder()
    add = b"\x40\x01%b\x02xx"  # an entry of 35 bytes
    decoder.decode(b"\x3f\x27")  # an update to 70 bytes
    for name in (b"a", b"b", b"c"):
        decoder.decode(add % name)
    assert pairs(b"\xbe\xbf", decoder) == [(b"c", b"xx"), (b"b", b"xx")]
    with pytest.raises(HpackError, match="64"):
        decoder.decode(b"\xc0")


def test_an_entry_that_is_larger_than_the_table_empties_it() -> None:
    """Which is no error (RFC 7541 section 4.4)."""
    decoder = HeaderDecoder()
    decoder.decode(b"\x3f\x02\x40\x01a\x00")
    assert pairs(b"\x40\x01b\x02xx", decoder) == [(b"b", b"xx")]
    with pytest.raises(HpackError, match="62"):
        decoder.decode(b"\xbe")


def test_a_block_has_a_limit() -> None:
    assert len(HeaderDecoder().decode(b"\x82" * MAX_HEADER_FIELDS)) == MAX_HEADER_FIELDS
    with pytest.raises(HpackError) as found:
        HeaderDecoder().decode(b"\x82" * (MAX_HEADER_FIELDS + 1))
    assert found.value.code == "http2-header-limit"


def test_a_field_that_no_one_may_index_is_a_secret() -> None:
    block = Encoder().encode([(b"authorization", b"t0ken", True), (b"accept", b"*/*")])
    assert [field.is_secret for field in HeaderDecoder().decode(block)] == [True, False]


@given(st.binary(max_size=60))
def test_any_bytes_give_fields_or_a_fault(block: bytes) -> None:
    """What another decoder takes, this one takes for the same."""
    try:
        expected = [(bytes(one[0]), bytes(one[1])) for one in Decoder().decode(block, raw=True)]
    except Exception:  # whatever the other one raises
        expected = None
    try:
        found = pairs(block, HeaderDecoder())
    except HpackError:
        assert expected is None
    else:
        assert expected is None or found == expected
