"""How the blocks of a pcapng file are found, and what ends that."""

from __future__ import annotations

import gzip
from struct import pack

import pytest
from support.capture_files import Blocks, read_all

from parsers.limits import MAX_BLOCK

EVERYWHERE = pytest.mark.parametrize("at_most", [1 << 30, 50, 1])
LE = Blocks("<")
START = LE.section() + LE.interface()


@EVERYWHERE
@pytest.mark.parametrize(
    ("tail", "code", "detail"),
    [
        (bytes(64), "capture-damaged", "a block of 0 bytes, at least 12 expected"),
        (pack("<2I", 6, 8) + bytes(80), "capture-damaged", "a block of 8 bytes, at least 12"),
        (pack("<2I", 7, 13) + bytes(80), "capture-damaged", "13 bytes, a multiple of 4 expected"),
        (pack("<2I", 7, MAX_BLOCK + 4), "capture-damaged", "16,777,220 bytes, at most 16,777,216"),
        (pack("<2I", 6, 2**32 - 4), "capture-damaged", "a block of 4,294,967,292 bytes, at most"),
        (
            LE.enhanced(5, b"bad")[:-4] + pack("<I", 40),
            "capture-damaged",
            "the block's length is 36 at its beginning, 40 at its end",
        ),
        (LE.enhanced(5, b"bad")[:-1], "capture-cut", "a block: 36 bytes expected, 35 found"),
        (LE.enhanced(5, b"bad")[:5], "capture-cut", "a block: 8 bytes expected, 5 found"),
        (LE.section()[:10], "capture-cut", "a block: 12 bytes expected, 10 found"),
        (
            pack("<2I", 0x0A0D0D0A, 28) + b"WHAT" + bytes(16),
            "capture-damaged",
            "byte-order magic 1a2b3c4d expected, 57484154 found",
        ),
        (LE.block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a"), "capture-damaged", "at least 28 expected"),
    ],
)
def test_what_ends_the_reading(tail: bytes, code: str, detail: str, at_most: int) -> None:
    data = START + LE.enhanced(4, b"good")
    packets, reader = read_all(data + tail, at_most)
    assert [packet[4] for packet in packets] == [b"good"]
    (fault,) = reader.faults
    assert (fault.code, fault.packet, fault.offset) == (code, 1, len(data))
    assert detail in fault.detail


def test_a_block_longer_than_the_window_passes() -> None:
    long = LE.block(0x777, bytes(5_000_000))
    packets, reader = read_all(START + LE.enhanced(5, b"a") + long + LE.enhanced(5, b"b"), 70_000)
    assert ([packet[4] for packet in packets], reader.faults) == ([b"a", b"b"], [])


def test_the_fault_of_a_compressed_file_is_the_only_one() -> None:
    data = gzip.compress(START + LE.enhanced(5, b"a"))
    packets, reader = read_all(data[:-8])
    assert [packet[4] for packet in packets] == [b"a"]
    assert [fault.detail[:13] for fault in reader.faults] == ["gzip member 1"]
