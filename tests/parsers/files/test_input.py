"""Compressed files: whole, in members, cut, damaged; buffers that are refilled."""

from __future__ import annotations

import gzip
from functools import partial
from io import BytesIO

import pytest
import zstandard
from support.capture_files import Blocks, Dribble, codes, pcap_header, read_all, record

from parsers.files.input import (
    CODED_WINDOW,
    GZIP,
    ZSTD,
    CaptureInput,
    DecompressedSource,
    FileSource,
    GzipMember,
    compression_of,
    is_seekable,
)
from parsers.files.packets import UnreadableCapture
from parsers.limits import MAX_PACKET

compress = partial(gzip.compress, mtime=0)
"""The same bytes at any time, so that tests have the same names in every worker."""

NG = Blocks()
PCAP = pcap_header() + record(1, 2, b"first") + record(3, 4, b"second", original=60)
PACKETS = [(1, 1_000_002_000, 1, 5, b"first"), (2, 3_000_004_000, 1, 60, b"second")]
PCAPNG = (
    NG.section()
    + NG.interface(options=NG.option(2, b"lo") + NG.option(9, b"\x09"))
    + b"".join(NG.enhanced(n, bytes([n]) * n) for n in range(12))
)
SKIPPABLE = b"\x50\x2a\x4d\x18\x03\0\0\0abc"


def zstd(data: bytes) -> bytes:
    return zstandard.compress(data)


def file_input(data: bytes, at_most: int = 1 << 30) -> CaptureInput:
    return CaptureInput(FileSource(Dribble(data, at_most)))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (compress(b"")[:4], GZIP),
        (zstd(b"")[:4], ZSTD),
        (b"\x50\x2a\x4d\x18", ZSTD),
        (b"\x5f\x2a\x4d\x18", ZSTD),
        (b"\x60\x2a\x4d\x18", None),
        (b"\x1f\x8b\x07\0", None),
        (b"\x1f\x8b", None),
        (b"\xd4\xc3\xb2\xa1", None),
        (b"", None),
    ],
)
def test_compression_is_known_by_its_first_bytes(head: bytes, expected: object) -> None:
    assert compression_of(head) is expected


@pytest.mark.parametrize("at_most", [1, 3, 1 << 30])
def test_looking_ahead_takes_nothing_away(at_most: int) -> None:
    source = file_input(b"0123456789", at_most)
    assert source.peek(2) == b"01"
    assert source.peek(4) == b"0123"
    assert source.read(3) == b"012"
    assert source.peek(3) == b"345"
    read = b""
    while data := source.read(100):
        read += data
    assert read == b"3456789"
    assert (source.peek(1), source.read(1), source.fault) == (b"", b"", None)


@pytest.mark.parametrize("at_most", [1, 3, 1 << 30])
def test_a_refill_has_what_is_needed_and_never_more_than_fits(at_most: int) -> None:
    source = file_input(bytes(range(100)), at_most)
    buffer = source.refill(b"", 10, window=20)
    assert 10 <= len(buffer) <= 20
    buffer = source.refill(buffer[8:], 40, window=20)
    assert len(buffer) == 40
    assert buffer == bytes(range(8, 48))
    rest = source.refill(buffer[30:], 500)
    assert rest == bytes(range(38, 100))  # the source ends before what is needed
    assert source.refill(rest, 500) == rest


class Greedy:
    """A stream that would allocate what it is asked for, as a file does."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def read(self, size: int) -> bytes:
        self.asked.append(size)
        return b""


def test_no_declared_length_is_asked_of_the_stream() -> None:
    stream = Greedy()
    assert CaptureInput(FileSource(stream)).refill(b"", 16 << 20) == b""
    assert max(stream.asked) <= 1 << 20


@pytest.mark.parametrize("at_most", [1 << 30, 600, 1])
@pytest.mark.parametrize(
    "data",
    [
        compress(PCAP),
        compress(PCAP[:30]) + compress(PCAP[30:]),
        compress(PCAP[:30]) + bytes(700) + compress(PCAP[30:]) + bytes(CODED_WINDOW),
        compress(b"") * 50 + compress(PCAP),
        zstd(PCAP),
        zstd(PCAP[:30]) + SKIPPABLE + zstd(PCAP[30:]),
        SKIPPABLE + zstd(PCAP) + bytes(9),
        compress(zstd(PCAP)),
    ],
)
def test_members_padding_and_cuts_of_the_stream_do_not_matter(data: bytes, at_most: int) -> None:
    packets, reader = read_all(data, at_most)
    assert (packets, reader.faults) == (PACKETS, [])


def zstd_frames(data: bytes) -> list[bytes]:
    """Frames so short that something can be decoded before the last one is whole."""
    return [zstd(data[start : start + 37]) for start in range(0, len(data), 37)]


@pytest.mark.parametrize("pieces", [[compress(PCAPNG)], zstd_frames(PCAPNG)], ids=["gzip", "zstd"])
def test_a_compressed_file_cut_anywhere_gives_what_is_whole_and_one_fault(
    pieces: list[bytes],
) -> None:
    data = b"".join(pieces)
    seams = {len(b"".join(pieces[:count])) for count in range(len(pieces))}
    everything, _ = read_all(PCAPNG)
    readable = 0
    for cut in range(len(data)):
        try:
            packets, reader = read_all(data[:cut])
        except UnreadableCapture:
            continue
        readable += 1
        assert packets == everything[: len(packets)]
        # Between two frames the cut is where the decoded bytes end: inside a block or not.
        assert codes(reader) == ["capture-cut"] or (cut in seams and not reader.faults)
    assert readable > 5


def test_a_damaged_checksum_is_found_after_the_packets() -> None:
    data = compress(PCAP)
    packets, reader = read_all(data[:-8] + b"\0\0\0\0" + data[-4:])
    assert packets == PACKETS
    assert codes(reader) == ["capture-damaged"]
    assert "incorrect data check" in reader.faults[0].detail


def test_bytes_after_the_compressed_data_are_a_fault() -> None:
    packets, reader = read_all(compress(PCAP) + b"\0\0garbage")
    assert packets == PACKETS
    assert codes(reader) == ["capture-damaged"]
    assert reader.faults[0].detail.startswith("gzip member 2, by byte ")


@pytest.mark.parametrize("compress", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_a_bomb_is_read_in_steps(compress) -> None:
    """What the stream asks of its source stays small, however much a step makes."""
    packet = record(0, 0, bytes(MAX_PACKET))
    data = compress(pcap_header() + packet * 40)
    packets, reader = read_all(data)
    assert (len(data) < 40_000, len(packets), reader.faults) == (True, 40, [])


def test_damage_inside_deflate_costs_nothing_before_it() -> None:
    packet = record(0, 0, bytes(range(256)) * 4)
    data = bytearray(compress(pcap_header() + packet * 2_000, compresslevel=0))
    position = 65_000
    data[position : position + 1_024] = b"\xff" * 1_024  # the second stored block's header is here
    packets, reader = read_all(bytes(data))
    assert codes(reader) == ["capture-damaged"]
    assert 60 < len(packets) < 2_000


def test_damage_inside_zstd_is_found() -> None:
    checked = zstandard.ZstdCompressor(write_checksum=True).compress
    frames = checked(PCAP[:45]) + checked(PCAP[45:])[:-1] + b"\xff"
    packets, reader = read_all(frames)
    assert packets == PACKETS[:1]
    assert codes(reader) == ["capture-damaged"]
    assert reader.faults[0].detail.startswith("zstd frame 2, by byte ")


def test_salvage_of_sound_data_is_all_of_it() -> None:
    member = GzipMember()
    data = compress(PCAP)
    assert member.decompress(data) == PCAP
    assert member.salvage(data) == PCAP


def test_a_fault_of_an_inner_layer_is_seen_through_the_outer_one() -> None:
    outer = CaptureInput(FileSource(Dribble(compress(zstd(PCAP))[:-9], 1 << 30)))
    middle = CaptureInput(DecompressedSource(outer, GZIP))
    inner = DecompressedSource(middle, ZSTD)
    while inner.read(100):
        pass
    assert inner.fault is not None
    assert inner.fault[0] == "capture-cut"


def test_what_can_be_read_anywhere() -> None:
    assert is_seekable(BytesIO()) and not is_seekable(Dribble(b"", 1))
