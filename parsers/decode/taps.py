"""Who listens to a stream beside what decodes it: a receiver that gets all of it first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..diagnostics import Diagnostic
from ..provenance import Arrival, Completion, Ending, Layer, SourceMap
from ..records import Record, Sender
from ..streams import ByteStream, Receiver
from .silent import UNHEARD

Listener = Receiver[Any] | None
Streams = tuple[ByteStream[Record], ByteStream[Record]]
TlsTap = Callable[[int, Streams], tuple[Listener, Listener]]
"""Gives what a connection of this number carries in TLS, the client's stream and the server's, a
receiver each, or None."""

QuicTap = Callable[[int, Sender, int, ByteStream[Record]], Listener]
"""Gives what a side sends in a stream of a QUIC connection a receiver, or None: by the connection's
number, the side, and the stream's."""


class Tapped:
    """A stream that another receiver listens to: the ``tap`` gets all of it first.

    What the tap returns is dropped. When a record that ends at ``offset + length`` of its stream is
    made, the tap has been given all bytes before that; and all that came in the same batch of
    packets when the batch's records are returned. Packets stay known for what either holds open.
    """

    __slots__ = ("receiver", "peer", "_stream", "_tap")

    receiver: Receiver[Record]
    peer: Tapped

    def __init__(self, stream: ByteStream[Record], tap: Listener) -> None:
        self._stream = stream
        self._tap: Receiver[Any] = UNHEARD if tap is None else tap
        stream.receiver = self

    # --- the stream ---

    @property
    def origins(self) -> SourceMap[Arrival]:
        return self._stream.origins

    @property
    def is_ended(self) -> bool:
        return self._stream.is_ended

    @property
    def lacks_bytes(self) -> bool:
        return self._stream.lacks_bytes

    @property
    def acknowledged(self) -> int | None:
        return self._stream.acknowledged

    @property
    def layer(self) -> Layer:
        return self._stream.layer

    # --- the receiver ---

    def receive_data(self, data: bytes) -> list[Record]:
        self._tap.receive_data(data)
        return self.receiver.receive_data(data)

    def receive_gap(self, length: int) -> list[Record]:
        self._tap.receive_gap(length)
        return self.receiver.receive_gap(length)

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        self._tap.receive_fault(fault, shown)
        return self.receiver.receive_fault(fault, shown)

    def receive_eof(self, ending: Ending) -> list[Record]:
        self._tap.receive_eof(ending)
        return self.receiver.receive_eof(ending)

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return self._tap.open_offsets + self.receiver.open_offsets


def listened(streams: Streams, listeners: tuple[Listener, Listener]) -> Streams:
    """Return two streams, or what is listened to of them."""
    if listeners == (None, None):
        return streams
    first, second = map(Tapped, streams, listeners)
    first.peer, second.peer = second, first
    return first, second
