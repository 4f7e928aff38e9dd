"""gRPC's length-prefixed messages, and the trailers of gRPC-Web among them.

Source: PROTOCOL-HTTP2.md (Length-Prefixed-Message → Compressed-Flag Message-Length Message) and
PROTOCOL-WEB.md of the gRPC project: a flags byte, whose least bit says compressed and whose most
significant bit says trailers, a length of 4 bytes, big-endian, and as many bytes.

Strategy: a message is collected up to its length, of which ``MAX_KEPT_GRPC_MESSAGE`` are kept. A
border looks like any other byte: once it is lost, only frames around the messages can make one
certain again (:mod:`.resume`).
"""

from __future__ import annotations

from collections.abc import Callable

from ..diagnostics import diagnose
from ..http1.head import Fields, FieldSection
from ..kept import KeptBytes
from ..limits import MAX_KEPT_GRPC_MESSAGE
from ..provenance import Element, ElementSearch, Ending, Event

_PREFIX = 5
_COMPRESSED = 0x01
_TRAILERS = 0x80


class GrpcMessage(Element, frozen=True):
    """One message, or the trailers that end a gRPC-Web response."""

    start: int
    end: int
    index: int
    """From 0 in its body."""
    compressed: bool
    size: int
    """Bytes of the message, without its prefix."""
    data: bytes
    """As framed; at most MAX_KEPT_GRPC_MESSAGE bytes of it."""
    trailers: Fields | None
    """None for a message."""


class GrpcDecoder:
    """Decode length-prefixed messages. The current state is a bound method."""

    __slots__ = (
        "_receive", "_offset", "_prefix", "_message", "_start", "_length", "_missing", "_count",
        "_is_lost",
    )  # fmt: skip

    def __init__(self, offset: int = 0) -> None:
        self._receive: Callable[[bytes, int, list[Event]], int] = self._read_prefix
        self._offset = offset  # of the first byte of the piece at hand
        self._prefix = b""
        self._message = KeptBytes(MAX_KEPT_GRPC_MESSAGE)
        self._start = offset  # of the open message
        self._length = 0  # of the open message, without its prefix
        self._missing = 0  # bytes of the open message that the capture lacks
        self._count = 0
        self._is_lost = False

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes of the body and return the messages that they completed."""
        events: list[Event] = []
        pos = 0
        while pos < len(data):
            pos = self._receive(data, pos, events)
        self._offset += len(data)
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """Go on if all that is missing is of the open message; else its boundaries are lost."""
        events: list[Event] = []
        start, self._offset = self._offset, self._offset + length
        if self._receive == self._read_message and length <= self._length - self._message.size:
            self._missing += length
            self._message.size += length
            if self._message.size == self._length:
                self._end_message(self._offset, events)
        elif self._receive != self._ignore:
            place = self._start if self._prefix or self._is_open else start
            detail = f"{length:,} bytes are missing"
            events.append(diagnose("grpc-framing-lost", place, self._offset, detail))
            self._prefix = b""
            self._message.take()
            self._missing = 0
            self._receive, self._is_lost = self._ignore, True
        return events

    @property
    def is_between(self) -> bool:
        """Whether no message is open."""
        return self._receive == self._read_prefix and not self._prefix

    @property
    def is_lost(self) -> bool:
        """Whether boundaries are lost by missing bytes."""
        return self._is_lost

    def search(self) -> ElementSearch:
        """Return what looks for a frame that begins with a message."""
        from .resume import MessageSearch  # few captures lack anything

        return MessageSearch()

    def resume(self) -> list[Event]:
        """Begin a message with the next byte; say so after borders were lost."""
        if not self._is_lost:
            return []
        self._receive, self._is_lost = self._read_prefix, False
        place = self._offset
        return [diagnose("grpc-resynchronised", place, place + _PREFIX, f"at byte {place:,}")]

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Say so if the content ends inside a message."""
        if ending == "capture-end" or not (self._prefix or self._is_open):
            return []
        detail = f"after {self._message.size:,} of {self._length:,} bytes"
        detail = detail if self._is_open else "in its prefix"
        return [diagnose("grpc-message-cut", self._start, self._offset, detail)]

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open message begins."""
        return (self._start,) if self._prefix or self._is_open else ()

    @property
    def _is_open(self) -> bool:
        return self._receive == self._read_message

    # --- states: each takes the piece and a position, and returns how far it came ---

    def _read_prefix(self, data: bytes, pos: int, events: list[Event]) -> int:
        if not self._prefix:
            self._start = self._offset + pos
        end = pos + _PREFIX - len(self._prefix)
        self._prefix += data[pos:end]
        if len(self._prefix) < _PREFIX:
            return len(data)
        self._length = int.from_bytes(self._prefix[1:])
        if self._prefix[0] & ~(_COMPRESSED | _TRAILERS):
            place = self._start, self._start + _PREFIX
            events.append(diagnose("grpc-flags-invalid", *place, f"{self._prefix[0]:#04x}"))
            self._prefix = b""
            self._receive = self._ignore
            return len(data)
        self._receive = self._read_message
        if not self._length:
            self._end_message(self._offset + end, events)
        return end

    def _read_message(self, data: bytes, pos: int, events: list[Event]) -> int:
        end = pos + self._length - self._message.size
        self._message.add(data[pos:end])
        if end > len(data):
            return len(data)
        self._end_message(self._offset + end, events)
        return end

    def _ignore(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take everything: no border is certain any more."""
        return len(data)

    def _end_message(self, end: int, events: list[Event]) -> None:
        flags, is_whole = self._prefix[0], self._message.is_whole
        data = self._message.take()
        if self._missing:
            detail = f"{self._missing:,} of {self._length:,} bytes"
            events.append(diagnose("grpc-message-missing", self._start, end, detail))
        else:
            if not is_whole:
                detail = f"{len(data):,} of {self._length:,} bytes"
                events.append(diagnose("grpc-message-limit", self._start, end, detail))
            trailers = _trailers(data, end - len(data), events) if flags & _TRAILERS else None
            compressed = bool(flags & _COMPRESSED)
            events.append(
                GrpcMessage(self._start, end, self._count, compressed, self._length, data, trailers)
            )
        self._count += 1
        self._prefix = b""
        self._missing = 0
        self._receive = self._read_prefix


def _trailers(data: bytes, offset: int, events: list[Event]) -> Fields:
    """Return trailers: a field section as of HTTP/1.1, without the empty line, in lower case."""
    read = FieldSection(data if data.endswith(b"\n") else data + b"\r\n", offset)
    for fault in read.faults:
        end = offset + len(data)
        events.append(diagnose("grpc-trailer-invalid", offset - _PREFIX, end, fault.summary))
    return read.fields
