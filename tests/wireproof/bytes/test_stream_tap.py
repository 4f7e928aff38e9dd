"""Following a capture: whose stream is whose, where payloads lie, when the handshake was."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from support.attack import request, response
from support.stored import SMALL, name
from support.talk import Talk

from parsers.files.packets import Packet
from parsers.files.reader import CaptureReader
from wireproof.bytes.dissection import ElementStream
from wireproof.bytes.stream_tap import Follower, Segment

OK = response("200 OK", "Content-Length: 2") + b"ok"


class Placed(Follower[ElementStream]):
    """Keeps where each payload lies."""

    def __init__(self) -> None:
        super().__init__(ElementStream)
        self.segments: list[Segment] = []
        self.strays: list[int] = []

    def placed(self, stream: ElementStream, segment: Segment, payload: bytes) -> None:
        self.segments.append(segment)

    def stray(self, number: int, payload: bytes, frame_start: int) -> None:
        self.strays.append(number)


def follow(packets: list[Packet]) -> Placed:
    follower = Placed()
    for packet in packets:
        for record in follower.receive([packet]):
            follower.tell(record)
    return follower


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_payloads_tile_both_streams(path: Path) -> None:
    packets = list(CaptureReader(BytesIO(path.read_bytes())))
    follower = follow(packets)
    data = {packet[0]: packet[4] for packet in packets}
    assert follower.strays == []
    for segment in follower.segments:
        assert 0 <= segment.start < segment.end
        assert segment.frame_start + segment.end - segment.start == len(data[segment.packet])


def test_whose_is_whose_and_when_it_was_opened() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(OK)
    pair = follow(talk.tape.packets).pairs[0]
    times = [packet[1] for packet in talk.tape.packets]
    assert (pair.opened, pair.established) == (times[0], times[2])
    assert pair.address("server") == "127.0.0.1:8000"
    assert pair.address("client") == "127.0.0.1:40000"


def test_a_connection_in_the_middle() -> None:
    talk = Talk().midstream()
    talk.server(OK)
    talk.client(request("/"))
    pair = follow(talk.tape.packets).pairs[0]
    assert pair.opened is None
    assert pair.address("server") == "127.0.0.1:8000"


def test_before_it_is_known_whose_is_whose() -> None:
    pair = follow(Talk().open().tape.packets).pairs[0]
    assert pair.address("server") == "" and pair.senders == {}


def test_a_fault_does_not_say_whose_is_whose() -> None:
    """What shows that bytes are missing may be a packet of the other side."""
    talk = Talk().open()
    talk.lose("client", 40)
    talk.server(OK)
    for _ in range(20):
        talk.client(request("/"))
        talk.server(OK)
    pair = follow(talk.tape.packets).pairs[0]
    assert pair.address("server") == "127.0.0.1:8000"


def test_the_end_of_the_capture_ends_both_followers() -> None:
    talk = Talk().open()
    talk.client(request("/1"))
    talk.lose("client", 40)
    talk.client(request("/2"))
    follower = follow(talk.tape.packets)
    stream = follower.pairs[0].senders["client"]
    before = stream.done
    for record in follower.finish():
        follower.tell(record)
    assert before == len(request("/1")) and stream.done == before + 40 + len(request("/2"))


def test_what_comes_after_the_end_is_astray() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(OK)
    talk.close()
    late = talk.client(b"late")
    assert follow(talk.tape.packets).strays == [late]


def test_frames_that_are_cut_or_wrong() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    whole = talk.tape.packets
    for size in range(0, 60, 3):
        follow([(*packet[:4], packet[4][:size]) for packet in whole])
