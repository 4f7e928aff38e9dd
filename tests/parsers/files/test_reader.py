"""Any capture file: sniffing, compression, and the public files and vectors read as tshark does."""

from __future__ import annotations

import gzip
import io
from decimal import Decimal
from functools import partial
from hashlib import sha256
from operator import itemgetter
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from support.capture_files import (
    Blocks,
    Dribble,
    codes,
    every_block,
    option,
    pcap_header,
    read_all,
    record,
)
from support.corpus import ROOT, vectors, vectors_at_hand
from support.tshark import captures, tshark_fields

from parsers.files.packets import Packet, UnreadableCapture
from parsers.files.pcapng import UsualBlocks
from parsers.files.reader import CaptureReader

compress = partial(gzip.compress, mtime=0)
"""The same bytes at any time, so that tests have the same names in every worker."""

NG = Blocks()
PCAP = pcap_header() + record(1, 2, b"first") + record(3, 4, b"second", original=60)
PCAPNG = NG.section() + NG.interface() + NG.enhanced(1_000_002, b"first")
PACKETS = [(1, 1_000_002_000, 1, 5, b"first"), (2, 3_000_004_000, 1, 60, b"second")]


def zstd(data: bytes) -> bytes:
    return zstandard.compress(data)


@pytest.mark.parametrize("at_most", [1 << 30, 7, 1])
@pytest.mark.parametrize(
    ("data", "form", "compression"),
    [
        (PCAP, "pcap", ()),
        (compress(PCAP), "pcap", ("gzip",)),
        (zstd(PCAP), "pcap", ("zstd",)),
        (compress(zstd(PCAP)), "pcap", ("gzip", "zstd")),
        (compress(PCAP[:30]) + compress(PCAP[30:]), "pcap", ("gzip",)),
        (zstd(PCAP[:30]) + zstd(PCAP[30:]), "pcap", ("zstd",)),
        (b"\x50\x2a\x4d\x18\x03\0\0\0abc" + zstd(PCAP), "pcap", ("zstd",)),
        (compress(PCAP) + bytes(100), "pcap", ("gzip",)),
    ],
)
def test_every_wrapping_gives_the_same_packets(
    data: bytes, form: str, compression: tuple[str, ...], at_most: int
) -> None:
    packets, reader = read_all(data, at_most)
    assert packets == PACKETS
    assert (reader.format, reader.compression, reader.faults) == (form, compression, [])


def test_pcapng_is_known_by_its_section_header() -> None:
    packets, reader = read_all(PCAPNG)
    assert (packets, reader.format) == (PACKETS[:1], "pcapng")
    assert [interface.link_type for interface in reader.interfaces] == [1]
    assert (reader.comments, reader.secrets) == ([], [])


def test_it_reads_an_open_file(tmp_path: Path) -> None:
    path = tmp_path / "one.pcap"
    path.write_bytes(PCAP)
    with path.open("rb") as stream:
        assert list(CaptureReader(stream)) == PACKETS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\xd4\xc3", r"found at the start of the file"),
        (b"GET / HTTP/1.1\r\n", r"b'GET / HTTP/1' found at the start of the file"),
        (b"\n\r\r\n" + b"12345678", "not a capture file"),
        (compress(b""), "nothing in the gzip data"),
        (compress(b"text"), r"b'text' found in the gzip data"),
        (compress(compress(zstd(PCAP))), "compressed more than 2 times"),
        (b"\x1f\x8b\x08\xff" + bytes(30), r"nothing to be read in the gzip data: gzip member 1, "),
        (
            zstd(compress(PCAP)[:12]),
            "nothing to be read in the gzip in zstd data: .*no end",
        ),
        (zstd(PCAP)[:6], "nothing to be read in the zstd data: .* the frame has no end"),
    ],
)
def test_what_is_no_capture_is_refused_with_what_was_found(data: bytes, message: str) -> None:
    for at_most in (1 << 30, 1):
        with pytest.raises(UnreadableCapture, match=message):
            CaptureReader(Dribble(data, at_most))


def test_blocks_can_be_read_and_written_back_without_loss() -> None:
    data = PCAPNG + Blocks(">").section() + Blocks(">").block(0x777, b"body")
    blocks = [block for block, _ in every_block(CaptureReader(io.BytesIO(compress(data))))]
    written = [Blocks(block.byte_order).block(block.type, block.body) for block in blocks]
    assert b"".join(written) == data
    assert [block.offset for block in blocks] == [0, 28, 48, 88, 116]


def test_blocks_with_the_numbers_of_their_packets() -> None:
    data = NG.section() + NG.interface() + NG.enhanced(1, b"one") + NG.block(9, b"journal\0")
    data += NG.enhanced(2, b"of no interface", interface=7) + NG.obsolete(3, b"three")
    data += Blocks(">").section() + Blocks(">").interface() + Blocks(">").simple(b"four")
    reader = CaptureReader(io.BytesIO(data))
    found = every_block(reader)
    assert b"".join(block.encoded() for block, _ in found) == data
    assert [number for _, number in found] == [None, None, 1, None, None, 3, None, None, 4]
    packets, _ = read_all(data)
    assert [packet[0] for packet in packets] == [1, 3, 4]
    assert codes(reader) == ["capture-damaged"]


@pytest.mark.parametrize(
    ("data", "blocks", "code"),
    [
        (PCAPNG[:-1], 2, "capture-cut"),
        (NG.section(version=(2, 0)) + NG.interface(), 1, "capture-unsupported"),
    ],
)
def test_blocks_end_where_packets_do(data: bytes, blocks: int, code: str) -> None:
    reader = CaptureReader(io.BytesIO(data))
    assert len(every_block(reader)) == blocks
    assert codes(reader) == [code]


MANY = NG.section() + NG.interface() + b"".join(
    [
        *(NG.enhanced(time, b"x" * time) for time in range(40)),
        NG.block(9, b"journal\0"),
        NG.enhanced(50, b"commented", options=option(1, b"a comment") + option(0, b"")),
        *(NG.enhanced(time, b"x" * (time % 7)) for time in range(60, 90)),
        NG.simple(b"simple"),
        NG.enhanced(91, b"last"),
    ]
)  # fmt: skip
FEW = NG.section() + NG.interface() + b"".join([NG.enhanced(time, b"few") for time in range(5)])


@pytest.mark.parametrize("touched", [set(), {1}, {40, 41, 43}, {74}, set(range(100))])
def test_a_file_is_copied_as_it_lies_there(touched: set[int]) -> None:
    packets, _ = read_all(MANY)
    reader = CaptureReader(io.BytesIO(MANY))
    data, numbers, alone = b"", 0, []
    for part in reader.copied(touched):
        if isinstance(part, UsualBlocks):
            data += part.data
            numbers += part.packets
            continue
        block, packet = part
        data += block.encoded()
        if packet is not None:
            numbers += 1
            alone.append(packet)
            assert packet in packets
    assert data == MANY and numbers == len(packets) == 73
    # By themselves come those that are touched, and those that are not as the one before.
    assert {packet[0] for packet in alone} == (touched - {41}) & set(range(1, 75)) | {1, 42, 73, 74}


def test_nothing_is_copied_after_a_section_of_another_version() -> None:
    """Its blocks may be laid out in any way."""
    unknown = NG.section(version=(2, 0))
    reader = CaptureReader(io.BytesIO(MANY + unknown + NG.interface() + NG.enhanced(5, b"x")))
    parts = list(reader.copied(()))
    last = parts[-1]
    assert not isinstance(last, UsualBlocks)
    assert (last[0].encoded(), last[1]) == (unknown, None)
    assert codes(reader) == ["capture-unsupported"]


def test_a_pcap_file_is_not_copied_by_blocks() -> None:
    with pytest.raises(UnreadableCapture, match="this is a pcap file"):
        CaptureReader(io.BytesIO(PCAP)).copied(set())


@pytest.mark.parametrize(
    "data",
    [
        MANY,
        MANY[:-1],
        FEW[:-4] + bytes(4),
        MANY + NG.section(version=(2, 0)) + NG.interface(),
        PCAP,
        PCAP[:-1],
        PCAP[:20],
        pcap_header() + record(5, 6, b"shorter", original=3) + record(7, 8, b"next"),
        *(path.read_bytes() for path in sorted((ROOT / "fixtures").glob("[ahq]*/*.pcap*"))),
    ],
    ids=lambda data: sha256(data).hexdigest()[:8],
)
def test_runs_are_the_packets(data: bytes) -> None:
    runs, rows = CaptureReader(io.BytesIO(data)), CaptureReader(io.BytesIO(data))
    found: list[Packet] = []
    for run in runs.runs():
        found += [
            (number, time_ns, run.link_type, original, run.data[start : start + captured])
            for number, time_ns, start, captured, original in run.places
        ]
        if run.offset is not None:
            assert run.data == data[run.offset : run.offset + len(run.data)]
    assert found == list(rows)
    assert runs.faults == rows.faults
    assert runs.comments == rows.comments


# --- cuts and damage ---

RECORDS = [record(n, n, bytes([n]) * n) for n in range(6)]
LONG_PCAP = pcap_header() + b"".join(RECORDS)
LONG_PCAPNG = (
    NG.section()
    + NG.interface(options=NG.option(2, b"lo") + NG.option(9, b"\x09"))
    + b"".join(NG.enhanced(n, bytes([n]) * n) for n in range(4))
    + NG.enhanced(9, b"commented", options=NG.option(1, b"why"))
    + NG.simple(b"simple")
    + NG.secrets(0x544C534B, b"CLIENT_RANDOM")
    + Blocks(">").section()
    + Blocks(">").interface(101)
    + Blocks(">").enhanced(10, b"big")
)


def boundaries(data: bytes) -> set[int]:
    """Where a file may be cut so that nobody can tell."""
    if data is LONG_PCAP:
        return {len(pcap_header() + b"".join(RECORDS[:count])) for count in range(7)}
    blocks = every_block(CaptureReader(io.BytesIO(data)))
    return {block.offset for block, _ in blocks} | {len(data)}


@pytest.mark.parametrize("at_most", [1 << 30, 1])
@pytest.mark.parametrize("data", [LONG_PCAP, LONG_PCAPNG], ids=["pcap", "pcapng"])
def test_a_file_cut_anywhere_gives_what_is_whole_and_one_fault(data: bytes, at_most: int) -> None:
    everything, _ = read_all(data)
    whole = boundaries(data)
    for cut in range(4, len(data)):
        packets, reader = read_all(data[:cut], at_most)
        assert packets == everything[: len(packets)]
        assert codes(reader) == ([] if cut in whole else ["capture-cut"]), cut
        assert all(fault.packet == len(packets) for fault in reader.faults)
    assert len(everything) > 5


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from([LONG_PCAP, LONG_PCAPNG]),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4),
    st.sampled_from([1, 5, 1 << 30]),
)
def test_damage_raises_nothing_but_unreadable_capture(
    data: bytes, changes: list[tuple[int, int]], at_most: int
) -> None:
    damaged = bytearray(data)
    for position, value in changes:
        damaged[position % len(data)] = value
    try:
        packets, reader = read_all(bytes(damaged))
    except UnreadableCapture:
        return
    assert [packet[0] for packet in packets] == sorted({packet[0] for packet in packets})
    again, same = read_all(bytes(damaged), at_most)
    assert (again, same.faults, same.comments) == (packets, reader.faults, reader.comments)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from([LONG_PCAP, LONG_PCAPNG]), st.integers(0, 2**16), st.integers(0, 255))
def test_packets_before_the_damage_are_not_touched(data: bytes, where: int, value: int) -> None:
    position = 60 + where % (len(data) - 60)
    whole, _ = read_all(data[:position])
    damaged = data[:position] + bytes([value]) + data[position + 1 :]
    packets, _ = read_all(damaged)
    assert packets[: len(whole)] == whole


# --- vectors ---


FLAGGED = {"flag", "or the bytes present"}


def outcome(data: bytes, at_most: int) -> tuple[list[tuple], list[str]]:
    try:
        packets, reader = read_all(data, at_most)
    except UnreadableCapture as error:
        return [], [str(error)]
    return packets, codes(reader)


@pytest.mark.parametrize("vector", vectors_at_hand("pcap"), ids=itemgetter("id"))
def test_vector(vector: dict) -> None:
    data = bytes.fromhex(vector["input_hex"])
    packets, faults = outcome(data, 1 << 30)
    for at_most in (1, 3, 64):
        assert outcome(data, at_most) == (packets, faults)
    expected = vector["expect"]
    if expected["packets"] is not None:
        found = [
            {"ts_ns": time_ns, "caplen": len(kept), "len": length, "linktype": link_type}
            for _, time_ns, link_type, length, kept in packets
        ]
        wanted = [{name: row[name] for name in found[0]} for row in expected["packets"]]
        assert found == wanted if found else not expected["packets"]
    if not expected.get("no_crash") and vector.get("policy") not in FLAGGED:
        assert bool(faults) == bool(expected["error"]), faults


def test_dropped_packets_are_counted() -> None:
    [vector] = [one for one in vectors("pcap") if one["id"] == "ng-isb"]
    _, reader = read_all(bytes.fromhex(vector["input_hex"]))
    assert reader.interfaces[0].dropped == vector["expect"]["dropped"]


# --- public captures, beside tshark ---


@pytest.mark.tshark
def test_public_captures_have_the_packets_that_tshark_shows() -> None:
    compared = 0
    for path in captures():
        with path.open("rb") as stream:
            reader = CaptureReader(stream)
            found = {
                number: (time_ns, length, len(data)) for number, time_ns, _, length, data in reader
            }
        assert not reader.faults
        shown = {int(row["frame.number"]): row for row in tshark_fields(path)}
        # Custom blocks have numbers too, but no time: they are no packets.
        assert all(not shown[number]["frame.time_epoch"] for number in shown.keys() - found)
        for number, packet in found.items():
            row = shown[number]
            time_ns = nanoseconds(row["frame.time_epoch"])
            assert packet == (time_ns, int(row["frame.len"]), int(row["frame.cap_len"]))
        compared += len(found)
    assert compared > 1_000


def nanoseconds(text: str) -> int | None:
    return int(Decimal(text) * 10**9) if text else None
