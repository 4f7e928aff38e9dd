"""tshark's segments as a witness: who carried a byte, and who put it in order."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import ROOT

from wireproof.wireshark.locate import find_tshark
from wireproof.wireshark.run import TsharkFailed
from wireproof.wireshark.segments import TsharkSegment, Witness, read_lines, read_segments

PORT = 80


def packet(frame: int, start: int, length: int, port: int = PORT) -> TsharkSegment:
    return TsharkSegment(frame, f"{frame}.000000", 0, port, start, length)


def frames(witness: Witness, start: int, end: int) -> tuple[int, int] | None:
    found = witness.arrival(0, PORT, start, end)
    return None if found is None else (found[0].frame, found[1].frame)


@pytest.mark.tshark
def test_every_packet_of_a_stored_capture_is_there() -> None:
    found = list(read_segments(find_tshark(), ROOT / "fixtures" / "chunked" / "plain.pcapng"))
    assert [segment.frame for segment in found] == list(range(1, 29))
    assert {segment.stream for segment in found} == {0}
    assert (found[0].start, found[3].start) == (-1, 0)


@pytest.mark.tshark
def test_what_is_no_capture_fails(tmp_path: Path) -> None:
    path = tmp_path / "none"
    path.write_bytes(b"no capture")
    with pytest.raises(TsharkFailed):
        list(read_segments(find_tshark(), path))


@pytest.mark.parametrize("line", [b"1\t2\n", b"a\t1\t1\t1\t1\t1\n", b"\xff\n"])
def test_a_line_that_is_no_packet_fails(line: bytes) -> None:
    with pytest.raises(TsharkFailed, match="for a packet"):
        list(read_lines([line]))


@pytest.mark.parametrize(
    ("packets", "span", "expected"),
    [
        ([packet(1, 0, 5), packet(2, 5, 5)], (0, 10), (1, 2)),
        ([packet(1, 0, 5), packet(2, 5, 5)], (4, 5), (1, 1)),
        ([packet(1, 5, 5), packet(2, 0, 5)], (5, 10), (1, 2)),
        ([packet(1, 5, 5), packet(2, 0, 10)], (5, 6), (1, 2)),
        ([packet(1, 0, 5), packet(2, 0, 10)], (0, 10), (1, 2)),
        ([packet(1, 4, 2), packet(2, 8, 2), packet(3, 0, 12)], (6, 9), (3, 3)),
        ([packet(1, 5, 5)], (5, 10), None),
        ([packet(1, 0, 5)], (4, 6), None),
        ([packet(1, 0, 5)], (3, 3), None),
        ([packet(1, 0, 5, port=81)], (0, 5), None),
    ],
)
def test_arrival(
    packets: list[TsharkSegment], span: tuple[int, int], expected: tuple[int, int] | None
) -> None:
    assert frames(Witness(packets), *span) == expected


def test_streams_are_counted() -> None:
    witness = Witness([packet(1, -1, 0), packet(3, 0, 4), packet(7, 0, 0, port=81)])
    (found,) = witness.connections()
    assert found.values["packets"] == 3
    assert (found.values["first_packet"], found.values["last_time"]) == (1, "7.000000")
    assert witness.packets_after(0, 3) == 1
    assert witness.packets_after(1, 3) == 0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_any_order_of_segments_that_do_not_overlap(
    lengths: list[int], shuffler: random.Random
) -> None:
    """The oracle looks at every byte: who carried it, and when all before it were there."""
    pieces, start = [], 0
    for length in lengths:
        pieces.append((start, length))
        start += length
    shuffler.shuffle(pieces)
    packets = [packet(frame, *piece) for frame, piece in enumerate(pieces, 1)]
    witness = Witness(packets)
    carried = {at: p.frame for p in packets for at in range(p.start, p.start + p.length)}
    for at in range(start):
        assert frames(witness, at, at + 1) == (carried[at], max(carried[x] for x in range(at + 1)))
