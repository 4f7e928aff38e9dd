"""Frames of HTTP/2 as bytes, and dialogues in them as captures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hpack import Encoder

from parsers.files.packets import Packet
from parsers.http2.elements import END_HEADERS, END_STREAM, PREFACE
from parsers.records import Record

from .talk import EPOCH_NS, Side, Talk, decoded

Fields = list[tuple[str, str]]
SETTINGS = bytes.fromhex("000000040000000000")
SETTINGS_ACK = bytes.fromhex("000000040100000000")
GET: Fields = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
OK: Fields = [(":status", "200")]
EVENTS: Fields = [*OK, ("content-type", "text/event-stream")]
SIDES: dict[str, Side] = {"c": "client", "s": "server"}


def framed(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """A frame (RFC 9113 section 4.1)."""
    size = len(payload).to_bytes(3)
    return size + bytes((kind, flags)) + stream_id.to_bytes(4) + payload


def data(stream_id: int, content: bytes, *, ends: bool = False) -> bytes:
    return framed(0, END_STREAM if ends else 0, stream_id, content)


class Speaker:
    """One side: its header blocks share a table."""

    def __init__(self) -> None:
        self._encoder = Encoder()

    def head(self, stream_id: int, fields: Fields, *, ends: bool = False) -> bytes:
        block = self._encoder.encode(fields)
        return framed(1, END_HEADERS | (END_STREAM if ends else 0), stream_id, block)


class Http2Talk:
    """A connection whose client begins with its preface; ``at`` sets the time of what follows."""

    def __init__(self) -> None:
        self.talk = Talk().open()
        self.client, self.server = Speaker(), Speaker()
        self._times: dict[int, float] = {}
        self._now: float | None = None

    def begin(self) -> Http2Talk:
        self.say("client", PREFACE + SETTINGS)
        self.say("server", SETTINGS + SETTINGS_ACK)
        self.say("client", SETTINGS_ACK)
        return self

    def at(self, seconds: float) -> Http2Talk:
        self._now = seconds
        return self

    def say(self, sender: Side, *pieces: bytes) -> int:
        """Send pieces, a segment each; return the number of the last one's packet."""
        number = 0
        for piece in pieces:
            number = (self.talk.client if sender == "client" else self.talk.server)(piece)
            if self._now is not None:
                self._times[number] = self._now
        return number

    def packets(self) -> list[Packet]:
        found: list[Packet] = []
        latest = 0
        for number, time_ns, *rest in self.talk.tape.packets:
            if number in self._times:
                time_ns = EPOCH_NS + round(self._times[number] * 1e9)
            latest = max(latest, time_ns or 0)
            found.append((number, latest, *rest))  # type: ignore[arg-type]
        return found

    def records(self, **options: Any) -> list[Record]:
        return decoded(self.packets(), **options)


def of_steps(
    steps: Iterable[tuple[str, float, str]], *, byte_by_byte: bool = False
) -> tuple[Http2Talk, list[int]]:
    """A connection of a vector's steps, and which packet ended each of them."""
    talk = Http2Talk()
    last: list[int] = []
    for sender, seconds, text in steps:
        data = bytes.fromhex(text)
        pieces = [data[pos : pos + 1] for pos in range(len(data))] if byte_by_byte else [data]
        last.append(talk.at(1 + seconds).say(SIDES[sender], *pieces))
    talk._now = None
    return talk, last
