"""Toys of what will stand on TCP: a record layer like TLS's, and streams like HTTP/2's.

They have the shape of the real ones and none of their substance: a record's bytes are XORed with a
number and followed by a tag; fields are lines of text. What they show is that a new layer needs no
change to what lies above and below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from struct import Struct
from typing import Any

from parsers.decode.connection import address_text
from parsers.decode.message import MessageWriter
from parsers.decode.protocol import ApplicationProtocol
from parsers.decode.writer import RecordWriter
from parsers.diagnostics import Diagnostic
from parsers.http1.chunked import Data
from parsers.http1.messages import EndOfMessage, Request, Response
from parsers.net.tcp import Connection
from parsers.provenance import Arrival, Completion, Ending, Layer, SourceMap
from parsers.records import ConnectionRecord, Record, Sender
from parsers.streams import ByteStream, Receiver

# --- a record layer ---

RECORD_HEADER = Struct("!BHH")  # type, version, length: as TLS's (RFC 8446 section 5.1)
KEY = 0x5A
TAG = b"\xa5tag"


def sealed(plaintext: bytes) -> bytes:
    """A record that holds ``plaintext``."""
    body = bytes(byte ^ KEY for byte in plaintext) + TAG
    return RECORD_HEADER.pack(23, 0x0303, len(body)) + body


class Plaintext:
    """What one side sent, opened: a byte stream of its own."""

    peer: Plaintext
    receiver: Receiver[Record]

    def __init__(self) -> None:
        self.origins: SourceMap[Arrival] = SourceMap()
        self.is_ended = False

    @property
    def lacks_bytes(self) -> bool:
        return False

    @property
    def acknowledged(self) -> int | None:
        return None

    @property
    def layer(self) -> Layer:
        return "tls"


class RecordLayer:
    """A receiver of one side's records, which hands on what they hold."""

    def __init__(self, below: ByteStream[Record]) -> None:
        self.plaintext = Plaintext()
        self._below = below
        self._rest = b""
        self._offset = 0  # of the rest

    def receive_data(self, data: bytes) -> list[Record]:
        self._rest += data
        records: list[Record] = []
        while len(self._rest) >= RECORD_HEADER.size:
            end = RECORD_HEADER.size + RECORD_HEADER.unpack_from(self._rest)[2]
            if len(self._rest) < end:
                break
            body = self._rest[RECORD_HEADER.size : end - len(TAG)]
            start, self._offset = self._offset, self._offset + end
            self._rest = self._rest[end:]
            records += self._open(bytes(byte ^ KEY for byte in body), start, self._offset)
        return records

    def _open(self, opened: bytes, start: int, end: int) -> list[Record]:
        stream = self.plaintext
        first, last = self._below.origins.span(start, end)
        stream.origins.extend(len(opened), (first[0], last[1], first[2], last[3]))
        records = stream.receiver.receive_data(opened)
        stream.origins.retain(stream.receiver.open_offsets)
        return records

    def receive_gap(self, length: int) -> list[Record]:
        raise NotImplementedError("a toy knows no keys")

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return self.plaintext.receiver.receive_fault(fault, shown)

    def receive_eof(self, ending: Ending) -> list[Record]:
        self.plaintext.is_ended = True
        return self.plaintext.receiver.receive_eof(ending)

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return (self._offset,) if self._rest else ()


def plaintexts(client: ByteStream[Record], server: ByteStream[Record]) -> tuple[Plaintext, ...]:
    """Open both sides' records; return their plaintexts, which have no receivers yet."""
    layers = [RecordLayer(client), RecordLayer(server)]
    client.receiver, server.receiver = layers
    first, second = (layer.plaintext for layer in layers)
    first.peer, second.peer = second, first
    return first, second


# --- streams ---

FRAME_HEADER = Struct("!HBBBI")  # 24 bits of length, type, flags, stream (RFC 9113 section 4.1)
DATA, HEADERS = 0, 1
END_STREAM = 1


def framed(kind: int, stream_id: int, payload: bytes, *, ends: bool = False) -> bytes:
    """A frame; a HEADERS frame's payload is lines of text."""
    length = len(payload)
    return FRAME_HEADER.pack(length >> 8, length & 0xFF, kind, ends, stream_id) + payload


def head(*fields: tuple[str, str]) -> bytes:
    return "".join(f"{name}={value}\n" for name, value in fields).encode()


class Streams:
    """A receiver of one side's frames: a message writer for each stream."""

    def __init__(
        self, below: ByteStream[Record], connection: int, sender: Sender, exchanges: dict[int, int]
    ) -> None:
        self._below = below
        self._connection = connection
        self._sender: Sender = sender
        self._exchanges = exchanges
        self._rest = b""
        self._offset = 0
        self._messages: dict[int, tuple[MessageWriter, int]] = {}

    def receive_data(self, data: bytes) -> list[Record]:
        self._rest += data
        records: list[Record] = []
        while len(self._rest) >= FRAME_HEADER.size:
            high, low, kind, flags, stream_id = FRAME_HEADER.unpack_from(self._rest)
            end = FRAME_HEADER.size + (high << 8 | low)
            if len(self._rest) < end:
                break
            payload = self._rest[FRAME_HEADER.size : end]
            start, self._offset = self._offset, self._offset + end
            self._rest = self._rest[end:]
            if kind == HEADERS:
                records += self._head(stream_id, payload, start, self._offset)
            else:
                content = Data(start + FRAME_HEADER.size, self._offset, payload, None)
                records += self._messages[stream_id][0].content([content])
            if flags & END_STREAM:
                records += self._end(stream_id)
        return records

    def _head(self, stream_id: int, payload: bytes, start: int, end: int) -> list[Record]:
        lines = [line.split(b"=", 1) for line in payload.splitlines()]
        fields = [(name, value) for name, value in lines]
        known = dict(fields)
        origins, layer = self._below.origins, self._below.layer
        writer = RecordWriter(self._connection, self._sender, origins, True, layer, stream_id)
        exchange = self._exchanges.setdefault(stream_id, len(self._exchanges))
        message = MessageWriter(exchange, writer)
        self._messages[stream_id] = message, end
        codings = (known[b"content-encoding"].decode(),) if b"content-encoding" in known else ()
        if self._sender == "client":
            method, path = known[b":method"], known[b":path"]
            return message.head(
                Request(start, end, method, path, b"HTTP/2", fields, "none", codings, False)
            )
        status = int(known[b":status"])
        return message.head(Response(start, end, b"HTTP/2", status, b"", fields, "close", codings))

    def _end(self, stream_id: int, ending: Ending = "close") -> list[Record]:
        message, start = self._messages.pop(stream_id)
        return message.end(EndOfMessage(start, self._offset, ending, ending == "close"))

    def receive_gap(self, length: int) -> list[Record]:
        raise NotImplementedError("a toy finds no frame again")

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        raise NotImplementedError("a toy has no faults")

    def receive_eof(self, ending: Ending) -> list[Record]:
        records: list[Record] = []
        for stream_id in list(self._messages):
            records += self._end(stream_id, "capture-end")
        return records

    @property
    def open_offsets(self) -> tuple[int, ...]:
        opened = [
            offset
            for message, start in self._messages.values()
            for offset in (start, *message.open_offsets)
        ]
        return (*opened, self._offset)


# --- connections that speak so ---


class ToyConnection:
    """Stands where ``ConnectionDecoder`` does; the client is the one that opened."""

    is_sealed = True
    has_streams = False

    def __init__(self, connection: Connection[Record], *, keep_data: bool, **_: Any) -> None:
        self._connection = connection
        sides: tuple[ByteStream[Record], ...] = connection.first, connection.second
        if self.is_sealed:
            sides = plaintexts(*sides)
        client, server = sides
        if self.has_streams:
            exchanges: dict[int, int] = {}
            client.receiver = Streams(client, connection.index, "client", exchanges)
            server.receiver = Streams(server, connection.index, "server", exchanges)
        else:
            ApplicationProtocol(
                (client, server),
                connection=connection.index,
                client=lambda: client,
                keep_data=keep_data,
            )

    def last_words(self) -> list[Record]:
        return []

    def record(self) -> ConnectionRecord:
        connection = self._connection
        return ConnectionRecord(
            connection.index,
            address_text(connection.key[:4], 1),
            address_text(connection.key[4:8], 2),
            "tls" if self.is_sealed else "http/2",
            *(connection.first_packet, connection.last_packet, 0.0, 0.0, connection.packets),
            *(connection.first.origins.size, connection.second.origins.size, 0, 0),
            *(None, connection.close, False),
        )


class SealedHttp1(ToyConnection):
    """HTTP/1.1 in records."""


class OpenStreams(ToyConnection):
    """Streams on TCP."""

    is_sealed = False
    has_streams = True


class SealedStreams(ToyConnection):
    """Streams in records."""

    has_streams = True


def cut(data: bytes, sizes: Iterable[int], make: Callable[[bytes], bytes] = bytes) -> list[bytes]:
    """``data`` in pieces of these sizes, in turn, each as ``make`` makes it."""
    found: list[bytes] = []
    pos, steps = 0, list(sizes)
    while pos < len(data):
        size = steps[len(found) % len(steps)]
        found.append(make(data[pos : pos + size]))
        pos += size
    return found
