"""The writer, by what other readers make of its files."""

from __future__ import annotations

import io
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.utils import RawPcapNgReader

from capture.pcapng_writer import STATISTICS_SIZE, PcapngWriter

NOW = 1_790_000_000_123_456_789


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    """Split a little-endian section into (type, body), and check both lengths of each."""
    found = []
    position = 0
    while position < len(data):
        block_type, total = struct.unpack_from("<II", data, position)
        (again,) = struct.unpack_from("<I", data, position + total - 4)
        assert total == again
        assert total % 4 == 0
        found.append((block_type, data[position + 8 : position + total - 4]))
        position += total
    assert position == len(data)
    return found


def options(data: bytes) -> list[tuple[int, bytes]]:
    """Split an option list that ends with opt_endofopt."""
    found = []
    position = 0
    while True:
        code, length = struct.unpack_from("<HH", data, position)
        if code == 0:
            assert position + 4 == len(data)
            return found
        found.append((code, data[position + 4 : position + 4 + length]))
        position += 4 + (length + 3) // 4 * 4


def written(*packets: bytes, comment: str = "") -> bytes:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, version="1.2", comment=comment)
    interface = writer.add_interface(
        "lo", link_type=1, snaplen=262_144, capture_filter="tcp port 80"
    )
    for number, data in enumerate(packets):
        writer.add_packets(interface, [(NOW + number, data, len(data) + 7)])
    writer.add_statistics(
        interface, start_ns=NOW - 5, end_ns=NOW + 5, captured=len(packets), dropped=3
    )
    return stream.getvalue()


def test_section_header() -> None:
    block_type, body = blocks(written(comment="what it is"))[0]
    assert block_type == 0x0A0D0D0A
    assert struct.unpack_from("<IHHq", body) == (0x1A2B3C4D, 1, 0, -1)
    assert options(body[16:]) == [(1, b"what it is"), (4, b"wireproof 1.2")]


def test_no_version_and_no_comment() -> None:
    stream = io.BytesIO()
    PcapngWriter(stream)
    assert options(blocks(stream.getvalue())[0][1][16:]) == [(4, b"wireproof")]


def test_interface() -> None:
    block_type, body = blocks(written())[1]
    assert block_type == 1
    assert struct.unpack_from("<HHI", body) == (1, 0, 262_144)
    assert options(body[8:]) == [(2, b"lo"), (9, b"\x09"), (11, b"\0tcp port 80")]


def test_interfaces_are_numbered_and_need_no_filter() -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    assert [writer.add_interface(name, link_type=1, snaplen=9) for name in ("a", "b")] == [0, 1]
    assert options(blocks(stream.getvalue())[2][1][8:]) == [(2, b"b"), (9, b"\x09")]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 65_549])
def test_packet(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    block_type, body = blocks(written(data))[2]
    assert block_type == 6
    interface, upper, lower, captured, original = struct.unpack_from("<IIIII", body)
    assert (interface, (upper << 32) + lower) == (0, NOW)
    assert (captured, original) == (size, size + 7)
    assert body[20 : 20 + size] == data
    assert body[20 + size :] == bytes(-size % 4)


def test_statistics() -> None:
    block_type, body = blocks(written(b"a", b"b"))[-1]
    assert block_type == 5
    assert len(body) + 12 == STATISTICS_SIZE
    interface, upper, lower = struct.unpack_from("<III", body)
    assert (interface, (upper << 32) + lower) == (0, NOW + 5)
    found = dict(options(body[12:]))
    times = {code: struct.unpack("<II", found[code]) for code in (2, 3)}
    assert {code: (high << 32) + low for code, (high, low) in times.items()} == {
        2: NOW - 5,
        3: NOW + 5,
    }
    counts = {code: int.from_bytes(found[code], "little") for code in (4, 5, 6, 7, 8)}
    assert counts == {4: 5, 5: 3, 6: 5, 7: 3, 8: 2}


def test_packets_wait_for_flush_and_go_out_in_one_write() -> None:
    class Counting(io.BytesIO):
        writes = 0

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.writes += 1
            return super().write(data)

    stream = Counting()
    writer = PcapngWriter(stream)
    writer.add_interface("lo", link_type=1, snaplen=9)
    before = stream.getvalue(), stream.writes
    writer.add_packets(0, [(NOW, b"abc", 3)])
    writer.add_packets(0, [(NOW, b"def", 3)])
    assert (stream.getvalue(), stream.writes) == before
    writer.flush()
    assert stream.writes == before[1] + 1
    writer.flush()
    assert stream.writes == before[1] + 1
    assert len(blocks(stream.getvalue())) == 4


def test_an_option_too_long() -> None:
    with pytest.raises(ValueError, match="option 1 has 65,536 bytes, 65,535 may be"):
        PcapngWriter(io.BytesIO(), comment="x" * 65_536)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(max_size=300), max_size=8))
def test_scapy_reads_it(packets: list[bytes]) -> None:
    with RawPcapNgReader(io.BytesIO(written(*packets))) as reader:
        found = list(reader)
    assert [data for data, _ in found] == packets
    assert [(about.tshigh << 32) + about.tslow for _, about in found] == [
        NOW + number for number in range(len(packets))
    ]
    assert all(about.tsresol == 1_000_000_000 for _, about in found)


@pytest.mark.tshark
def test_tshark_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "written.pcapng"
    path.write_bytes(written(bytes(14), bytes(64), comment="what it is"))
    shown = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == ["1790000000.123456789", "21", "1790000000.123456790", "71"]
