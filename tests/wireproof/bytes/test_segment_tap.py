"""Where payloads lie: in their streams, in their frames, whichever path their packets took."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from support.attack import request, response
from support.frames import fragments, ipv4, udp
from support.stored import SMALL, name
from support.talk import Talk, Tape

from parsers.files.packets import Packet
from parsers.files.reader import CaptureReader
from parsers.limits import MAX_FRAGMENTED_PACKETS
from wireproof.bytes.segment_tap import (
    Part,
    Placed,
    SegmentTap,
    TracedStream,
    ip_packet,
    payload_start,
)

OK = response("200 OK", "Content-Length: 2") + b"ok"
REQUEST = request("/", "X-Long: " + "x" * 200)


class Kept(TracedStream):
    """Keeps its bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def receive_data(self, data: bytes) -> list:
        self.data += data
        return super().receive_data(data)


class Seen(SegmentTap[Kept]):
    """Keeps where each payload lies."""

    def __init__(self) -> None:
        super().__init__(Kept)
        self.segments: list[tuple[Kept, Placed]] = []
        self.strays: list[int] = []
        self.fragments: list[int] = []
        self.rests: list[tuple[int, bytes, list[int]]] = []

    def placed(self, stream: Kept, placed: Placed, payload: bytes) -> None:
        self.segments.append((stream, placed))

    def stray(self, number: int, flow: bytes, payload: bytes, frame_start: int) -> None:
        self.strays.append(number)

    def fragment(self, number: int, data: bytes, frame_start: int) -> None:
        self.fragments.append(number)

    def reassembled(self, start: int, data: bytes, parts: Sequence[Part]) -> None:
        self.rests.append((start, data, [part.number for part in parts]))


def seen(packets: list[Packet], batch: int = 1) -> Seen:
    tap = Seen()
    for start in range(0, len(packets), batch):
        for record in tap.receive(packets[start : start + batch]):
            tap.tell(record)
    return tap


def located(tap: Seen, packets: list[Packet]) -> dict[int, bytes]:
    """The bytes of every stream as the frames have them, by the stream's identity."""
    by_number = {packet[0]: packet for packet in packets}
    found: dict[int, bytes] = {}
    for stream in (stream for pair in tap.pairs.values() for stream in pair.streams):
        own = [placed for other, placed in tap.segments if other is stream]
        others = {placed.packet for placed in own} | tap.fragmented
        data = bytearray(len(stream.data))
        for start, end, number in stream.trail.runs(0, len(data)):
            if number not in others:
                packet = by_number[number]
                ip = ip_packet(packet)
                assert ip is not None
                begin = payload_start(packet[4], ip)
                assert begin + end - start == ip.end
                data[start:end] = packet[4][begin : begin + end - start]
                continue
            # Of fragments the run names the one that completed their packet.
            for placed in own:
                first, last = max(placed.start, start), min(placed.end, end)
                if first < last and (placed.packet == number or number in tap.fragmented):
                    begin = placed.frame_start + first - placed.start
                    data[first:last] = by_number[placed.packet][4][begin : begin + last - first]
        found[id(stream)] = bytes(data)
    return found


def assert_all_is_located(packets: list[Packet], batch: int) -> None:
    tap = seen(packets, batch)
    streams = [stream for pair in tap.pairs.values() for stream in pair.streams]
    found = located(tap, packets)
    assert streams and [found[id(stream)] for stream in streams] == [s.data for s in streams]


@pytest.mark.parametrize("batch", [1, 1 << 20])
@pytest.mark.parametrize("path", SMALL, ids=name)
def test_every_byte_of_a_stream_is_found_in_its_frame(path: Path, batch: int) -> None:
    assert_all_is_located(list(CaptureReader(BytesIO(path.read_bytes()))), batch)


@pytest.mark.parametrize("is_ipv6", [False, True])
def test_sent_again_and_out_of_order(is_ipv6: bool) -> None:
    talk = Talk(is_ipv6=is_ipv6).open()
    frames = [talk.frame("client", REQUEST[at : at + 50]) for at in range(0, len(REQUEST), 50)]
    for index in (0, 2, 1, 1, 0, 3, 4):
        talk.tape.add(frames[index])
    talk.server(OK)
    assert_all_is_located(talk.tape.packets, 1)
    numbers = [placed.packet for _, placed in seen(talk.tape.packets).segments]
    assert {6, 7}.issubset(numbers)


def test_fragments_in_any_order() -> None:
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        talk = Talk().open()
        frame = talk.frame("client", REQUEST)
        for index in order:
            talk.tape.add(fragments(frame, 104)[index])
        talk.server(OK)
        tap = seen(talk.tape.packets)
        assert_all_is_located(talk.tape.packets, 1)
        assert tap.fragmented == {4, 5, 6} == set(tap.fragments)
        assert tap.strays == []
        assert tap._datagrams == {}


def test_fragments_without_the_whole_header_in_the_first() -> None:
    for size in (8, 16):
        talk = Talk().open()
        for part in fragments(talk.frame("client", REQUEST), size)[::-1]:
            talk.tape.add(part)
        talk.server(OK)
        tap = seen(talk.tape.packets)
        assert_all_is_located(talk.tape.packets, 1)
        assert tap.rests == [] and tap._datagrams == {}


def test_what_is_of_no_stream_is_put_together() -> None:
    tape = Tape()
    parts = fragments(ipv4(udp(5, 6, REQUEST), 17), 104)
    for index in (2, 0, 0, 1):
        tape.add(parts[index])
    tap = seen(tape.packets)
    assert tap.rests == [(8, REQUEST, [2, 3, 4, 1])] and tap._datagrams == {}


def test_fragments_that_never_come() -> None:
    """What came is shown at the end, or when too much else waits."""
    tape = Tape()
    parts = fragments(ipv4(udp(5, 6, REQUEST), 17), 40)
    for index in (0, 1, 3):
        tape.add(parts[index])
    tap = seen(tape.packets)
    assert tap.rests == [] and list(tap.endings())
    assert tap.rests == [(8, REQUEST[:72], [1, 2]), (120, REQUEST[112:152], [3])]
    for number in range(MAX_FRAGMENTED_PACKETS + 1):
        tape.add(parts[0][:18] + number.to_bytes(2, "big") + parts[0][20:])
    assert len(seen(tape.packets[3:]).rests) == 1


def test_runs_lie_one_after_another() -> None:
    talk = Talk().open()
    talk.client(*(REQUEST[at : at + 9] for at in range(0, len(REQUEST), 9)))
    stream = seen(talk.tape.packets).pairs[0].streams[0]
    runs = list(stream.trail.runs(0, 1 << 30))
    assert runs[0][0] == 0 and runs[-1][1] == len(REQUEST)
    assert all(one[1] == other[0] for one, other in pairwise(runs))
    stream.trail.forget(30)
    assert next(stream.trail.runs(0, 1 << 30))[0] == 27


def test_what_comes_after_the_end_is_astray() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(OK)
    talk.close()
    late = talk.client(b"late")
    assert seen(talk.tape.packets).strays == [late]


def test_frames_that_are_cut_or_wrong() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    whole = talk.tape.packets
    for size in range(0, 60, 3):
        seen([(*packet[:4], packet[4][:size]) for packet in whole])
