"""Exchanges that are seen on two legs, with the times that a test chooses for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from parsers.files.packets import Packet
from parsers.records import Record

from .talk import EPOCH_NS, Talk, decoded
from .timed import CHUNKED, EVENT_STREAM, LAST_CHUNK, TimedTape, chunk

Pieces = list[tuple[float, bytes]]
"""When what was sent, in seconds."""


@dataclass
class Side:
    """What one capture sees of an exchange."""

    pieces: Pieces
    """Of the body, each a segment."""
    asked: float = 0.0
    answered: float = 0.01
    """When the head of the response came."""
    end: float | None = None
    """When the last chunk came, None: with the last piece."""
    target: str = "/chat"
    fields: bytes = EVENT_STREAM + CHUNKED
    request: bytes = b"Host: service\r\n"
    is_chunked: bool = True
    is_whole: bool = True
    """Whether the end comes."""
    closed_by: str | None = "server"
    client_port: int = 40_000
    server_port: int = 9_000
    round_trip: float = 0.0
    """Seconds that the handshake takes."""
    handshake: tuple[bytes, bytes] | None = None
    """Request and response instead of these, for a WebSocket."""
    sent: Pieces = field(default_factory=list)
    """What the client sends after its request."""

    def tape(self) -> TimedTape:
        """Its packets; the connection is opened 5 ms before the request."""
        tape = TimedTape()
        tape.elapsed = 1.0 + self.asked - 0.005 - self.round_trip
        talk = Talk(tape, client_port=self.client_port, server_port=self.server_port)
        talk.open()
        tape.packets[2] = _at(tape.packets[2], tape.packets[0], self.round_trip)
        request = f"GET {self.target} HTTP/1.1\r\n".encode() + self.request + b"\r\n"
        response = b"HTTP/1.1 200 OK\r\n" + self.fields + b"\r\n"
        if self.handshake:
            request, response = self.handshake
        moments = [(self.asked, 0, "client", request), (self.answered, 1, "server", response)]
        moments += [(time, 2, "client", data) for time, data in self.sent]
        coded = chunk if self.is_chunked else bytes
        moments += [(time, 2, "server", coded(data)) for time, data in self.pieces]
        last = max(time for time, *_ in moments)
        for time, _, sender, data in sorted(moments, key=lambda one: one[:2]):
            tape.elapsed = max(1.0 + time, tape.elapsed)
            talk.segment(sender, data, 0x18)  # type: ignore[arg-type]
        tape.elapsed = max(tape.elapsed, 1.0 + (last if self.end is None else self.end))
        if self.is_whole and self.is_chunked:
            talk.server(LAST_CHUNK)
        if self.closed_by:
            talk.fin(self.closed_by)  # type: ignore[arg-type]
        return tape


def _at(packet: Packet, first: Packet, seconds: float) -> Packet:
    number, time_ns, *rest = packet
    assert time_ns is not None and first[1] is not None
    return (number, max(time_ns, first[1] + round(seconds * 1e9)), *rest)  # type: ignore[return-value]


def clocked(tape: TimedTape, offset: float = 0.0, drift: float = 0.0) -> list[Packet]:
    """The packets of a tape by a clock that is ``offset`` seconds ahead, and gains."""
    found: list[Packet] = []
    for number, time_ns, *rest in tape.packets:
        assert time_ns is not None
        moved = time_ns + offset * 1e9 + drift * (time_ns - EPOCH_NS)
        found.append((number, round(moved), *rest))  # type: ignore[arg-type]
    return found


def together(*tapes: Sequence[Packet]) -> list[Packet]:
    """One capture of several tapes, in the order of time."""
    packets = sorted((packet for tape in tapes for packet in tape), key=lambda one: one[1] or 0)
    return [(number, *packet[1:]) for number, packet in enumerate(packets, 1)]  # type: ignore[misc]


def records_of(packets: Sequence[Packet]) -> list[Record]:
    return decoded(packets)


def tokens(number: int, *, every: float = 0.06, first: float = 0.1, size: int = 4) -> Pieces:
    """Events of different content, ``every`` seconds."""
    return [(first + at * every, b"data: %d %s\n\n" % (at, b"x" * size)) for at in range(number)]


def far_of(pieces: Pieces, **more: object) -> Side:
    """The server's side of a proxy."""
    return replace(Side(pieces, client_port=50_000, server_port=8_000), **more)  # type: ignore[arg-type]


def later(pieces: Pieces, seconds: float) -> Pieces:
    """The same pieces, each later by so much."""
    return [(time + seconds, data) for time, data in pieces]


def joined(pieces: Pieces, times: Sequence[float]) -> Pieces:
    """The same content, let go of at certain times: each takes what has come by then."""
    found: Pieces = []
    rest = list(pieces)
    for time in times:
        taken = [data for came, data in rest if came <= time]
        rest = [piece for piece in rest if piece[0] > time]
        if taken:
            found.append((time, b"".join(taken)))
    return found + rest
