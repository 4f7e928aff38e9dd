"""Captures made by hand in which time passes as a test says, and the exchanges in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import BinaryIO

from wireproof.testing.captures import Capture
from wireproof.testing.exchange import Exchange

from .talk import EPOCH_NS, Talk, Tape

MOMENT = 0.00002
"""Seconds from one packet to the next."""
EVENT_STREAM = b"Content-Type: text/event-stream\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST_CHUNK = b"0\r\n\r\n"
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class TimedTape(Tape):
    """Packets follow each other at once; ``wait`` lets time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def wait(self, seconds: float) -> None:
        self.elapsed += seconds

    def add(
        self,
        frame: bytes,
        *,
        link_type: int = 1,
        captured: int | None = None,
        has_time: bool = True,
    ) -> int:
        number = super().add(frame, link_type=link_type, captured=captured)
        time_ns = EPOCH_NS + round(self.elapsed * 1e9)
        self.packets[-1] = (number, time_ns, *self.packets[-1][2:])
        self.elapsed += MOMENT
        return number


class Handmade(Capture):
    """The exchanges of a tape."""

    def __init__(self, tape: Tape) -> None:
        self.compared: list[tuple[str, Sequence[Exchange]]] = []
        super().__init__(
            lambda _: "capture: by hand",
            lambda name, exchanges, _: self.compared.append((name, exchanges)),
        )
        self._bytes = tape.file()

    def open(self) -> BinaryIO:
        return BytesIO(self._bytes)


class Stream:
    """A request for ``target`` on a connection of its own, and the answer as it comes."""

    def __init__(
        self,
        target: str = "/chat",
        *,
        fields: bytes = EVENT_STREAM + CHUNKED,
        request: bytes = b"",
        tape: TimedTape | None = None,
        client_port: int = 40_000,
        thinking: float = 0.0,
    ) -> None:
        self.tape = tape or TimedTape()
        self.talk = Talk(self.tape, client_port=client_port).open()
        head = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n%s\r\n"
        self.talk.client(head % (target.encode(), request))
        self.tape.wait(thinking)
        self.talk.server(b"HTTP/1.1 200 OK\r\n%s\r\n" % fields)

    def chunks(self, pieces: Iterable[bytes], *, every: float) -> Stream:
        """Each piece is a chunk and a segment, ``every`` seconds after the one before."""
        for piece in pieces:
            self.tape.wait(every)
            self.talk.server(chunk(piece))
        return self

    def events(self, number: int, *, every: float) -> Stream:
        """So many events, with IDs from 1."""
        return self.chunks(map(event, range(1, number + 1)), every=every)

    def end(self) -> Stream:
        self.talk.server(LAST_CHUNK)
        self.talk.close()
        return self

    @property
    def capture(self) -> Handmade:
        return Handmade(self.tape)

    @property
    def exchange(self) -> Exchange:
        return self.capture.exchange()


class Socket(Stream):
    """A WebSocket; frames are sent with ``talk``."""

    def __init__(self) -> None:
        self.tape = TimedTape()
        self.talk = Talk(self.tape).open()
        self.talk.client(HANDSHAKE)
        self.talk.server(SWITCHING)


def event(number: int, data: str = "token", end: bytes = b"\n") -> bytes:
    return end.join([b"id: %d" % number, f"data: {data} {number}".encode(), b"", b""])


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
