"""What a stream of bytes is, and who takes them: the joint between one layer and the next.

Strategy: a layer that puts bytes in order, be it TCP, TLS, a tunnel or HTTP/2, offers each side's
bytes as a :class:`ByteStream` and hands them to whatever :class:`Receiver` that has at the time.
What comes of them is the receiver's affair: the layer below passes it on and knows no kind of it.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from .diagnostics import Diagnostic
from .provenance import Arrival, Completion, Ending, Layer, SourceMap

T = TypeVar("T")


class Receiver(Protocol[T]):
    """Takes one side's bytes, in order, and returns what comes of them.

    It has been given the bytes of the stream from some offset on, without a break: data, or the
    length of what is missing. So it can count for itself where it is.
    """

    def receive_data(self, data: bytes) -> list[T]:
        """Take the next bytes; the stream's map has them already."""

    def receive_gap(self, length: int) -> list[T]:
        """Take note that the capture lacks the next ``length`` bytes; the map has them too."""

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[T]:
        """Take note of a fault of a layer below, which the packet ``shown`` has shown."""

    def receive_eof(self, ending: Ending) -> list[T]:
        """Take note that nothing follows; once."""

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Which bytes of the stream may still be asked for: its map keeps their packets."""


class ByteStream(Protocol[T]):
    """What one side sent, in order, in one byte space."""

    receiver: Receiver[T]
    """What its bytes go to; it may be replaced at any time, also while it takes them."""

    @property
    def origins(self) -> SourceMap[Arrival]:
        """Whence each byte came; its size is the stream's, of all that was handed over."""

    @property
    def peer(self) -> ByteStream[T]:
        """What the other side sent."""

    @property
    def is_ended(self) -> bool:
        """Whether nothing follows."""

    @property
    def lacks_bytes(self) -> bool:
        """Whether more was sent than was handed over: bytes wait behind missing ones, or its peer
        has acknowledged some, or a FIN, that the capture does not hold."""

    @property
    def acknowledged(self) -> int | None:
        """How many of the peer's bytes its sender had when it sent the last of its own; None if
        unknown."""

    @property
    def layer(self) -> Layer:
        """The byte space that its offsets count."""
