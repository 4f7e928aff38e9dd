"""The pcap format: every variant, both byte orders, lengths that cannot be right."""

from __future__ import annotations

import gzip
from struct import pack

import pytest
from support.capture_files import codes, pcap_header, read_all, record

from parsers.files.pcap import VARIANTS, variant_of
from parsers.files.reader import CaptureReader
from parsers.limits import MAX_PACKET

EVERYWHERE = pytest.mark.parametrize("at_most", [1 << 30, 30, 1])
MICROSECONDS, NANOSECONDS, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
LCAP_NS, LCAP = 0x1C0001AC, 0x1C0001AB


@EVERYWHERE
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "after_header", "in_record", "time_ns"),
    [
        (MICROSECONDS, b"", b"", 1_763_800_000_000_005_000),
        (NANOSECONDS, b"", b"", 1_763_800_000_000_000_005),
        (MODIFIED, b"", bytes(8), 1_763_800_000_000_005_000),
        (LCAP, bytes(4), b"", 1_763_800_000_000_005_000),
        (LCAP_NS, bytes(4), b"", 1_763_800_000_000_000_005),
    ],
)
def test_every_variant(
    magic: int, after_header: bytes, in_record: bytes, time_ns: int, order: str, at_most: int
) -> None:
    data = pcap_header(order, magic, snaplen=96, link_type=101) + after_header
    for length in (3, 0, 5):
        data += record(1_763_800_000, 5, b"x" * length, 60, order, in_record)
    packets, reader = read_all(data, at_most)
    assert packets == [
        (number, time_ns, 101, 60, b"x" * length) for number, length in ((1, 3), (2, 0), (3, 5))
    ]
    assert (reader.format, reader.faults) == (VARIANTS[magic].name, [])
    (interface,) = reader.interfaces
    assert (interface.link_type, interface.snaplen) == (101, 96)


def test_an_unknown_magic_number_is_no_variant() -> None:
    assert variant_of(b"GET ") is None
    assert variant_of(b"\xd4\xc3") is None


def test_the_upper_half_of_the_link_type_is_about_the_frame_check_sequence() -> None:
    _, reader = read_all(pcap_header(link_type=0x24000001))
    assert reader.interfaces[0].link_type == 1


@EVERYWHERE
@pytest.mark.parametrize("version", [(2, 0), (2, 2), (2, 3), (543, 0)])
def test_old_files_have_the_lengths_the_other_way_round(
    version: tuple[int, int], at_most: int
) -> None:
    swapped = pack("<4I", 1, 2, 60, 5) + b"first" + pack("<4I", 3, 4, 6, 6) + b"second"
    packets, reader = read_all(pcap_header(version=version) + swapped, at_most)
    assert packets == [(1, 1_000_002_000, 1, 60, b"first"), (2, 3_000_004_000, 1, 6, b"second")]
    assert reader.faults == []


def test_a_file_of_version_2_3_may_have_them_the_new_way() -> None:
    packets, _ = read_all(pcap_header(version=(2, 3)) + record(1, 2, b"first", 60))
    assert packets == [(1, 1_000_002_000, 1, 60, b"first")]


@pytest.mark.parametrize("version", [(1, 0), (3, 0)])
def test_other_versions_are_not_read(version: tuple[int, int]) -> None:
    packets, reader = read_all(pcap_header(version=version) + record(1, 2, b"first"))
    assert packets == []
    assert codes(reader) == ["capture-unsupported"]
    assert f"version {version[0]}.{version[1]}, 2.4 expected" in reader.faults[0].detail


@EVERYWHERE
@pytest.mark.parametrize(
    ("tail", "code", "detail", "offset"),
    [
        (record(1, 2, b"second")[:9], "capture-cut", "a record header: 16 bytes expected, 9", 45),
        (record(1, 2, b"second")[:-1], "capture-cut", "a record: 22 bytes expected, 21 found", 45),
        (pack("<4I", 1, 2, MAX_PACKET + 1, 9), "capture-damaged", "262,145 bytes, at most", 45),
        (pack("<4I", 1, 2, 2**32 - 1, 2**32 - 1), "capture-damaged", "4,294,967,295 bytes", 45),
    ],
)
def test_what_ends_the_reading(
    tail: bytes, code: str, detail: str, offset: int, at_most: int
) -> None:
    packets, reader = read_all(pcap_header() + record(1, 2, b"first") + tail, at_most)
    assert [packet[4] for packet in packets] == [b"first"]
    (fault,) = reader.faults
    assert (fault.code, fault.packet, fault.offset) == (code, 1, offset)
    assert detail in fault.detail


@EVERYWHERE
def test_a_header_that_is_cut_is_one_fault(at_most: int) -> None:
    packets, reader = read_all(pcap_header()[:20], at_most)
    assert (packets, reader.interfaces) == ([], [])
    assert [(fault.code, fault.offset) for fault in reader.faults] == [("capture-cut", 0)]


@EVERYWHERE
def test_more_captured_than_there_was_is_flagged_and_kept(at_most: int) -> None:
    data = pcap_header() + record(1, 2, b"first", 3) + record(1, 3, b"second")
    packets, reader = read_all(data, at_most)
    assert [packet[3:] for packet in packets] == [(3, b"first"), (6, b"second")]
    (fault,) = reader.faults
    assert fault.code == "capture-damaged"
    assert fault.detail == "5 bytes captured of a packet of 3 bytes"


def test_the_longest_packets_pass_and_the_buffer_holds_one() -> None:
    longest = record(0, 0, bytes(MAX_PACKET))
    short = record(0, 1, b"short")
    packets, reader = read_all(pcap_header() + (longest + short) * 5)
    assert [len(packet[4]) for packet in packets] == [MAX_PACKET, 5] * 5
    assert reader.faults == []


class Live:
    """A pipe that somebody writes into: reading more than there is would wait."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int) -> bytes:
        assert self._data, "the reader waits although it has a whole packet"
        data, self._data = self._data[:size], self._data[size:]
        return data


def test_packets_come_as_soon_as_the_stream_has_them() -> None:
    """A live capture through a pipe is not held back until a buffer is full."""
    packets = iter(CaptureReader(Live(pcap_header() + record(0, 1, b"first"))))
    assert next(packets)[4] == b"first"
    with pytest.raises(AssertionError, match="the reader waits"):
        next(packets)


def test_the_fault_of_a_compressed_file_is_the_only_one() -> None:
    data = gzip.compress(pcap_header() + record(1, 2, b"first") + record(1, 2, b"second")[:-1])
    packets, reader = read_all(data[:-8])
    assert len(packets) == 1
    assert [fault.detail[:13] for fault in reader.faults] == ["gzip member 1"]
