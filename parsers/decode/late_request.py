"""A client whose server has switched to WebSocket before its request came, which it never may.

Strategy: the answer is decoded where the request waits behind missing bytes, or is missing. What
the client sends is still HTTP then, until its request ends or a frame begins a piece. The second
byte tells them apart: a client's frames are masked (RFC 6455 section 5.1), so it is 0x80 or more,
where a head has ASCII.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..diagnostics import Diagnostic
from ..http1.decoder import RequestDecoder, ResponseDecoder
from ..http1.messages import Request
from ..provenance import Completion, Ending
from ..records import Record
from ..streams import ByteStream
from .side import Successor
from .websocket_side import WebSocketSide

_MASKED = 0x80
_LINE_END = b"\r\n"
"""Bytes that no frame begins with: their opcodes are reserved, or lack FIN."""
_LEAST = 2
"""Bytes that tell a head and a frame apart."""


class Requests(Successor, Protocol):
    """What reads the client's requests."""

    @property
    def decoder(self) -> RequestDecoder | ResponseDecoder:
        """What it reads them by."""

    pending: list[Request]
    """Requests that have not been answered."""

    def hand_over(self) -> list[Record]:
        """Hand the bytes after the request to the receiver that the stream has now."""


class LateRequest:
    """The receiver of the client's bytes until its frames begin.

    ``begin`` gives its stream the receiver of frames, once it is told the request, None if that is
    missing.
    """

    def __init__(
        self,
        stream: ByteStream[Record],
        requests: Requests,
        begin: Callable[[Request | None], None],
    ) -> None:
        self._stream = stream
        self._requests = requests
        self._begin = begin
        self._held = b""
        self._has_gap = False

    def receive_data(self, data: bytes) -> list[Record]:
        data, self._held = self._held + data, b""
        records: list[Record] = []
        pos = 0
        while len(data) - pos >= _LEAST:
            if data[pos] not in _LINE_END and data[pos + 1] & _MASKED:
                return records + self._begin_frames(data[pos:])
            end = _end_of_head(data, pos)
            records += self._requests.receive_data(data[pos:end])
            pos = end
            if self._requests.decoder.paused:
                records += self._switch()
                rest = data[pos:]
                return records + self._stream.receiver.receive_data(rest) if rest else records
        self._held = data[pos:]
        return records

    def _switch(self) -> list[Record]:
        """Read frames after the request, which has come."""
        pending = self._requests.pending
        self._begin(pending[-1] if pending else None)
        return self._requests.hand_over()

    def _begin_frames(self, data: bytes) -> list[Record]:
        """Read frames: the request is missing."""
        start, stream = self._requests.decoder.offset, self._stream
        self._begin(None)
        if self._has_gap and isinstance(stream.receiver, WebSocketSide):
            stream.receiver.await_frame(stream, start)
        return stream.receiver.receive_data(data)

    def receive_gap(self, length: int) -> list[Record]:
        self._has_gap = True
        return self._tell_held() + self._requests.receive_gap(length)

    def pass_over(self, length: int) -> list[Record]:
        """Take note of missing bytes whose gap is recorded already."""
        self._has_gap = True
        return self._tell_held() + self._requests.pass_over(length)

    def _tell_held(self) -> list[Record]:
        held, self._held = self._held, b""
        return self._requests.receive_data(held) if held else []

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return self._requests.receive_fault(fault, shown)

    def receive_eof(self, ending: Ending) -> list[Record]:
        return self._tell_held() + self._requests.receive_eof(ending)

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return self._requests.open_offsets


def _end_of_head(data: bytes, pos: int) -> int:
    """Return where the head at ``pos`` ends, or the empty lines there; at most all of ``data``."""
    if data[pos] in _LINE_END:
        return len(data) - len(data[pos:].lstrip(_LINE_END))
    end = data.find(b"\r\n\r\n", pos)
    return len(data) if end < 0 else end + 4
