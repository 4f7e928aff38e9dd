"""Handshake messages in the clear: put together from records (RFC 8446 section 5.1).

Strategy: a message may span records, and a record may hold several. Hellos are kept, up to a limit;
of other messages only what they are, for they are hidden in TLS 1.3 or tell nothing that is shown.
"""

from __future__ import annotations

from ..kept import KeptBytes
from ..limits import MAX_TLS_HELLO
from ..provenance import Element

CLIENT_HELLO = 1
SERVER_HELLO = 2
ENCRYPTED_EXTENSIONS = 8
SERVER_HELLO_DONE = 14
FINISHED = 20
_HELLOS = frozenset((CLIENT_HELLO, SERVER_HELLO))
_HEADER_SIZE = 4


class HandshakeMessage(Element, frozen=True):
    """One message: ``start`` and ``end`` are those of its first and last byte."""

    start: int
    end: int
    type: int
    size: int
    """Bytes of its body."""
    body: bytes
    """Of a hello, or another type that is kept, at most MAX_TLS_HELLO bytes; else none."""


class HandshakeReader:
    """Puts messages together from the fragments of handshake records.

    Of the types that are ``kept`` their messages have the bodies.
    """

    __slots__ = ("_header", "_body", "_start", "_length", "_kept")

    def __init__(self, kept: frozenset[int] = _HELLOS) -> None:
        self._kept = kept
        self._header = b""
        self._body = KeptBytes(0)
        self._start = 0
        self._length: int | None = None

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open message begins."""
        return (self._start,) if self._header else ()

    def forget(self) -> None:
        """Drop the open message: bytes of it are missing, or what follows is encrypted."""
        self._header, self._length = b"", None

    def read(self, fragment: bytes, start: int) -> list[HandshakeMessage]:
        """Return the messages that a fragment completes; its first byte has the number ``start``"""
        found: list[HandshakeMessage] = []
        pos = 0
        while pos < len(fragment):
            if self._length is None:
                pos = self._read_header(fragment, pos, start)
            else:
                end = min(pos + self._length - self._body.size, len(fragment))
                self._body.add(fragment[pos:end])
                pos = end
            if self._length is not None and self._body.size == self._length:
                found.append(self._end_message(start + pos))
        return found

    def _read_header(self, fragment: bytes, pos: int, start: int) -> int:
        if not self._header:
            self._start = start + pos
        end = min(pos + _HEADER_SIZE - len(self._header), len(fragment))
        self._header += fragment[pos:end]
        if len(self._header) == _HEADER_SIZE:
            self._length = int.from_bytes(self._header[1:])
            self._body = KeptBytes(MAX_TLS_HELLO if self._header[0] in self._kept else 0)
        return end

    def _end_message(self, end: int) -> HandshakeMessage:
        kind, size = self._header[0], self._body.size
        self.forget()
        return HandshakeMessage(self._start, end, kind, size, self._body.take())
