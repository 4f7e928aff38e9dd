"""Borders of records: whole, cut anywhere, with bytes missing, and where none begins."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import at, byte_by_byte, events, whole
from support.http1 import of
from support.tls import CLOSE_NOTIFY, SWITCH, record, sealed

from parsers.diagnostics import Diagnostic
from parsers.limits import MAX_TLS_RECORD
from parsers.tls.records import APPLICATION_DATA, HANDSHAKE, RecordDecoder, TlsRecord

STREAM = record(22, b"hello", 0x0301) + SWITCH + sealed(40) + sealed(0) + CLOSE_NOTIFY
LONGEST = record(23, bytes(MAX_TLS_RECORD))
NO_TLS = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x16\x02\x00\x00\x05hello",  # SSLv2 had no such records
    b"\x13\x03\x03\x00\x05hello",
    b"\x19\x03\x03\x00\x05hello",
    b"\x17\x03\x05\x00\x05hello",
    b"\x80\x2e\x01\x03\x01" + bytes(41),
]


def sizes(found: list) -> list[tuple[int, int, int]]:
    return [(one.start, one.type, one.size) for one in of(TlsRecord, found)]


@pytest.mark.parametrize("split", [whole, byte_by_byte, at([3, 7, 13, 20])])
def test_records(split) -> None:
    found = events(RecordDecoder(), STREAM, split)
    assert sizes(found) == [(0, 22, 5), (10, 20, 1), (16, 23, 40), (61, 23, 0), (66, 21, 2)]
    assert [one.fragment for one in of(TlsRecord, found)] == [b"hello", b"\1", None, None, b"\1\0"]
    assert found[-1].end == len(STREAM)


def test_offsets_count_from_where_it_begins() -> None:
    assert [one.start for one in events(RecordDecoder(100), STREAM)] == [100, 110, 116, 161, 166]


def test_the_longest_record() -> None:
    assert sizes(events(RecordDecoder(), LONGEST)) == [(0, APPLICATION_DATA, MAX_TLS_RECORD)]
    assert events(RecordDecoder(), LONGEST[:-1]) == []


@pytest.mark.parametrize("split", [whole, byte_by_byte])
@pytest.mark.parametrize("data", NO_TLS)
def test_what_is_no_record(data: bytes, split) -> None:
    (fault,) = of(Diagnostic, events(RecordDecoder(), data, split))
    assert (fault.code, fault.start, fault.end) == ("tls-record-invalid", 0, 5)


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_a_record_that_is_too_long(split) -> None:
    header = b"\x17\x03\x03" + (MAX_TLS_RECORD + 1).to_bytes(2)
    found = events(RecordDecoder(), header + b"xyz" + sealed(30) + sealed(20), split)
    assert [one.code for one in of(Diagnostic, found)] == [
        "tls-record-too-long", "tls-resynchronised",
    ]  # fmt: skip
    assert sizes(found) == [(8, 23, 30), (43, 23, 20)]
    assert of(Diagnostic, found)[0].summary.endswith("18,433 bytes, of at most 18,432")
    assert of(Diagnostic, found)[1].summary.endswith("after 8 bytes")


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_a_gap_inside_a_record_leaves_its_border_certain(split) -> None:
    decoder = RecordDecoder()
    data = record(22, b"0123456789") + sealed(30)
    found = events(decoder, data[:8], split, eof=False)
    found += decoder.receive_gap(4)
    found += events(decoder, data[12:], split)
    assert sizes(found) == [(0, HANDSHAKE, 10), (15, 23, 30)]
    assert [(one.missing, one.fragment) for one in of(TlsRecord, found)] == [(4, None), (0, None)]
    assert not of(Diagnostic, found)


def test_a_gap_up_to_the_end_of_a_record() -> None:
    decoder = RecordDecoder()
    data = sealed(30) + sealed(20)
    found = decoder.receive_data(data[:8]) + decoder.receive_gap(27)
    assert [(one.end, one.missing) for one in of(TlsRecord, found)] == [(35, 27)]
    assert sizes(decoder.receive_data(data[35:])) == [(35, 23, 20)]


@pytest.mark.parametrize("split", [whole, byte_by_byte])
@pytest.mark.parametrize("cut", [0, 3, 50])
def test_a_gap_over_borders(cut: int, split) -> None:
    """Whatever it takes away, records go on at the first that another follows."""
    records = [sealed(size, size) for size in (45, 60, 61, 62)]
    data = b"".join(records)
    decoder = RecordDecoder()
    found = events(decoder, data[:cut], split, eof=False)
    found += decoder.receive_gap(90 - cut)
    found += events(decoder, data[90:], split)
    assert [size for _, _, size in sizes(found)][-2:] == [61, 62]
    (said,) = of(Diagnostic, found)
    assert (said.code, said.start) == ("tls-resynchronised", 115)


def test_the_last_record_proves_itself_by_the_end() -> None:
    decoder = RecordDecoder()
    found = decoder.receive_data(sealed(30)) + decoder.receive_gap(10)
    assert sizes(decoder.receive_data(b"ab" + sealed(20))) == []
    assert sizes(decoder.receive_eof()) == [(47, 23, 20)]
    assert decoder.is_at_border
    assert len(found) == 1


def test_nothing_is_certain_of_one_record_that_goes_on() -> None:
    decoder = RecordDecoder()
    decoder.receive_gap(10)
    assert events(decoder, sealed(20) + b"\x17\x03\x03") == []
    assert not decoder.is_at_border


def test_what_may_be_asked_for_again() -> None:
    decoder = RecordDecoder()
    assert decoder.open_offsets == ()
    decoder.receive_data(sealed(30) + b"\x17")
    assert decoder.open_offsets == (35,)
    decoder.receive_gap(100)
    decoder.receive_data(b"abc" + sealed(30))
    assert decoder.open_offsets == (35, 139)


@given(st.lists(st.integers(0, 900)), st.sets(st.integers(0, 3000)), st.randoms())
def test_however_it_is_cut(lengths: list[int], cuts: set[int], random: Random) -> None:
    data = b"".join(sealed(length, random.randrange(99)) for length in lengths)
    data += random.randbytes(random.randrange(30))
    assert events(RecordDecoder(), data, at(cuts)) == events(RecordDecoder(), data)


@given(st.binary(max_size=3000), st.sets(st.integers(0, 3000)), st.integers(0, 40))
def test_any_bytes(data: bytes, cuts: set[int], gap: int) -> None:
    """Nothing ends a decode, events do not depend on cuts, and places are in order."""
    found = []
    for split in (whole, at(cuts)):
        decoder = RecordDecoder()
        one = decoder.receive_gap(gap) if gap else []
        found.append(one + events(decoder, data, split))
    assert found[0] == found[1]
    assert all(one.start < one.end <= gap + len(data) for one in found[0])
