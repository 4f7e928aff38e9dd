"""Which streams a connection has had, and which frames each may still get (RFC 9113 section 5.1).

Strategy: a stream is a few flags; those of streams that are over are kept for a while, so that a
late frame is told from a wrong one. What is "after" is the order of the capture, which may be
another one than a peer's: what its peer sent before it knew of a reset is nobody's fault.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ..limits import MAX_CLOSED_STREAMS, MAX_OPEN_STREAMS
from ..records import Sender
from .elements import HEADERS, NAMES, PRIORITY, RST_STREAM, WINDOW_UPDATE

Fault = tuple[str, str]
_ANY_TIME = frozenset((PRIORITY, RST_STREAM, WINDOW_UPDATE))
"""Frames that may come after a stream has been closed."""


@dataclass(slots=True)
class StreamState:
    """What is known of one stream."""

    exchange: int
    client_ended: bool = False
    server_ended: bool = False
    reset_by: Sender | None = None
    packet: int = 0
    """The packet that began it."""
    lost: int = 0
    """Bytes of the client's that are missing since: among them it may have reset the stream."""

    def has_ended(self, sender: Sender) -> bool:
        """Whether that side has sent END_STREAM."""
        return self.client_ended if sender == "client" else self.server_ended

    @property
    def is_over(self) -> bool:
        return self.reset_by is not None or (self.client_ended and self.server_ended)


class StreamStates:
    """The streams of a connection, by their number.

    ``is_partial``: frames may be missing, so that a stream may have begun unseen.
    """

    def __init__(self, next_exchange: int, *, is_partial: bool) -> None:
        self.is_partial = is_partial
        self.charged = 0
        """What the open streams are charged with, in bytes."""
        self.open: OrderedDict[int, StreamState] = OrderedDict()
        self._closed: OrderedDict[int, StreamState] = OrderedDict()
        self._highest = [0, 0]
        """The highest number of a stream that the server began, and of one that the client did."""
        self._next_exchange = next_exchange

    def get(self, stream_id: int) -> StreamState | None:
        """Return what is known of a stream, also after its end; None if that is nothing."""
        return self.open.get(stream_id) or self._closed.get(stream_id)

    def begin(self, stream_id: int, exchange: int | None = None) -> StreamState:
        """Begin a stream; its exchange is the next one unless it had one before."""
        if exchange is None:
            exchange = self.take_exchange()
        state = self.open[stream_id] = StreamState(exchange)
        self._highest[stream_id % 2] = max(self._highest[stream_id % 2], stream_id)
        return state

    def take_exchange(self) -> int:
        """Return the number of the next exchange: of a stream, or of what is in a tunnel."""
        exchange, self._next_exchange = self._next_exchange, self._next_exchange + 1
        return exchange

    @property
    def is_full(self) -> bool:
        """Whether no further stream can be followed."""
        return len(self.open) >= MAX_OPEN_STREAMS

    def end(self, stream_id: int, sender: Sender) -> StreamState | None:
        """Take note of END_STREAM by ``sender``."""
        if (state := self.open.get(stream_id)) is not None:
            state.client_ended |= sender == "client"
            state.server_ended |= sender == "server"
            self._close_if_over(stream_id, state)
        return state

    def reset(self, stream_id: int, sender: Sender) -> StreamState | None:
        """Take note of RST_STREAM by ``sender``; None if the stream was over before."""
        if (state := self.open.get(stream_id)) is not None:
            state.reset_by = sender
            self._close_if_over(stream_id, state)
        return state

    def _close_if_over(self, stream_id: int, state: StreamState) -> None:
        if not state.is_over:
            return
        self._closed[stream_id] = self.open.pop(stream_id)
        if len(self._closed) > MAX_CLOSED_STREAMS:
            self._closed.popitem(last=False)

    def violation(self, sender: Sender, kind: int, stream_id: int) -> Fault | None:
        """Return what is wrong with a frame of this kind in this stream now."""
        state = self.get(stream_id)
        name = NAMES.get(kind, hex(kind))
        if state is not None:
            is_late = state.has_ended(sender) or state.reset_by == sender
            if kind in _ANY_TIME or not is_late:
                return None
            return "http2-stream-closed", f"{name} of stream {stream_id}"
        if self.is_partial or kind == PRIORITY:
            return None
        highest = self._highest[stream_id % 2]
        if stream_id > highest:
            return self._idle(sender, kind, stream_id)
        if kind in _ANY_TIME:
            return None
        if kind == HEADERS:
            return "http2-stream-id-invalid", f"{stream_id}, after {highest}"
        return "http2-stream-closed", f"{name} of stream {stream_id}"

    def _idle(self, sender: Sender, kind: int, stream_id: int) -> Fault | None:
        if kind == HEADERS and sender == "client":
            if stream_id % 2:
                return None
            return "http2-stream-id-invalid", f"{stream_id} by the client, whose are odd"
        return "http2-stream-idle", f"{NAMES.get(kind, hex(kind))} of stream {stream_id}"

    def promise_violation(self, promised: int) -> Fault | None:
        """Return what is wrong with the number of a stream that is promised."""
        if promised and promised % 2 == 0 and (self.is_partial or promised > self._highest[0]):
            return None
        return "http2-stream-id-invalid", f"{promised} promised, after {self._highest[0]}"
