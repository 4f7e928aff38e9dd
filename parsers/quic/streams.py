"""Streams of QUIC put in order: bytes come at offsets, in any order, and more than once.

Strategy: what comes in order goes on at once; what comes early waits, with the packet that brought
it. A hole is given up when it can no longer be filled: no packet is on its way any more that could
have held it, for the capture has all numbers below the one that came early, or the other side has
acknowledged those that it lacks (RFC 9000 section 2.2).
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Generic, TypeVar

from ..limits import GAP_PATIENCE, MAX_OUT_OF_ORDER_SEGMENTS
from ..provenance import Arrival, Completion, Ending, Layer, SourceMap
from ..records import Sender
from ..streams import Receiver
from .frames import StreamFrame
from .number_space import NumberSet

T = TypeVar("T")
Piece = tuple[bytes, Completion]
FORGET_EVERY = 32
"""Runs of a stream's map after which those that nobody needs are dropped."""


class Room:
    """How many bytes may still wait, in all streams of one side together."""

    __slots__ = ("left", "size")

    def __init__(self, size: int) -> None:
        self.left = self.size = size

    @property
    def taken(self) -> int:
        """How many bytes wait."""
        return self.size - self.left


class Reassembler:
    """Puts pieces in order."""

    __slots__ = ("size", "_waiting", "_offsets", "_room")

    def __init__(self, room: Room) -> None:
        self.size = 0
        """Up to where all has come, or was given up."""
        self._waiting: dict[int, Piece] = {}
        self._offsets: list[int] = []
        self._room = room

    @property
    def is_waiting(self) -> bool:
        """Whether something came behind a hole."""
        return bool(self._waiting)

    def insert(self, offset: int, data: bytes, came: Completion) -> list[Piece]:
        """Take bytes at ``offset``; return what is in order by that."""
        if offset > self.size:
            self._wait(offset, data, came)
            return []
        found = []
        if fresh := data[self.size - offset :]:
            self.size += len(fresh)
            found.append((fresh, came))
        return found + self.ready() if self._waiting else found

    def has(self, offset: int, size: int) -> bool:
        """Whether the bytes at ``offset`` have come before: all that are in order, or as a piece"""
        if offset + size <= self.size:
            return True
        held = self._waiting.get(offset)
        return held is not None and len(held[0]) >= size

    def skip(self) -> int:
        """Give the first hole up; return how many bytes it lacks."""
        missing = self._offsets[0] - self.size
        self.size += missing
        return missing

    def ready(self) -> list[Piece]:
        """Return what waited and is in order now."""
        found = []
        while self._offsets and self._offsets[0] <= self.size:
            offset = heappop(self._offsets)
            data, came = self._waiting.pop(offset)
            self._room.left += len(data)
            if fresh := data[self.size - offset :]:
                self.size += len(fresh)
                found.append((fresh, came))
        return found

    def _wait(self, offset: int, data: bytes, came: Completion) -> None:
        held = self._waiting.get(offset)
        size = 0 if held is None else len(held[0])
        more = len(data) - size
        is_full = held is None and len(self._waiting) >= MAX_OUT_OF_ORDER_SEGMENTS
        if more <= 0 or more > self._room.left or is_full:
            return
        self._room.left -= more
        self._waiting[offset] = data, came
        if held is None:
            heappush(self._offsets, offset)

    def let_go(self) -> None:
        """Drop what waits."""
        self._room.left += sum(len(data) for data, _ in self._waiting.values())
        self._waiting.clear()
        self._offsets.clear()


class QuicStream(Generic[T]):
    """What one side sends in one stream: a :class:`~parsers.streams.ByteStream`."""

    __slots__ = (
        "stream_id", "sender", "origins", "receiver", "peer", "is_ended", "final_size",
        "_reassembler", "_early", "_patience",
    )  # fmt: skip

    receiver: Receiver[T]
    peer: QuicStream[T]

    def __init__(self, stream_id: int, sender: Sender, room: Room) -> None:
        self.stream_id = stream_id
        self.sender = sender
        self.origins: SourceMap[Arrival] = SourceMap()
        self.is_ended = False
        self.final_size: int | None = None
        self._reassembler = Reassembler(room)
        self._early = 0  # the number of the packet that first came behind the hole
        self._patience = 0

    @property
    def layer(self) -> Layer:
        return "quic"

    @property
    def acknowledged(self) -> int | None:
        return None

    def receive(self, frame: StreamFrame, number: int, came: Completion) -> list[T]:
        """Take a STREAM frame of the packet ``number``; return what its bytes complete."""
        if self.is_ended:
            return []
        if frame.fin:
            self.final_size = frame.offset + len(frame.data)
        was_waiting = self._reassembler.is_waiting
        found = self._reassembler.insert(frame.offset, frame.data, came)
        if self._reassembler.is_waiting and (found or not was_waiting):
            self._early, self._patience = number, 0
        return self._hand_over(found, came) + self._finish()

    def has(self, frame: StreamFrame) -> bool:
        """Whether the bytes of a frame have come before."""
        return bool(frame.data) and self._reassembler.has(frame.offset, len(frame.data))

    @property
    def lacks_bytes(self) -> bool:
        """Whether bytes came behind a hole."""
        return self._reassembler.is_waiting

    def check_hole(self, known: NumberSet, came: Completion) -> list[T]:
        """Give the first hole up if nothing can fill it any more; a packet ``came`` after it."""
        if not known.has_all_below(self._early):
            return []
        self._patience += 1
        return self._give_up(came) + self._finish() if self._patience > GAP_PATIENCE else []

    def end(self, ending: Ending, came: Completion) -> list[T]:
        """Take note that nothing follows: holes are given up."""
        if self.is_ended:
            return []
        records = self._give_up_all(came)
        self.is_ended = True
        self._reassembler.let_go()
        return records + self.receiver.receive_eof(ending)

    def finish(self, ending: Ending, came: Completion) -> list[T]:
        """Take note that the connection is over; a FIN that waits behind a hole came before."""
        if self.is_ended:
            return []
        records = self._give_up_all(came)
        return records + self._finish() + self.end(ending, came)

    def _give_up_all(self, came: Completion) -> list[T]:
        records: list[T] = []
        while self._reassembler.is_waiting:
            records += self._give_up(came)
        return records

    def _give_up(self, came: Completion) -> list[T]:
        """Go on behind the first hole: nothing there waited for what only the capture lacks."""
        missing = self._reassembler.skip()
        pieces = self._reassembler.ready()
        came = pieces[0][1] if pieces else came
        if len(self.origins):  # but for what came before it in the stream
            _, packet, _, time = self.origins.values[-1]
            came = max(came, (packet, time))
        packet, time = came
        self.origins.extend(missing, (packet, packet, time, time))
        records = self.receiver.receive_gap(missing)
        self._patience = 0
        return records + self._hand_over(pieces, came)

    def _hand_over(self, pieces: list[Piece], came: Completion) -> list[T]:
        """Hand pieces over that ``came`` completed, or their own packets where those are later."""
        records: list[T] = []
        for data, (packet, time) in pieces:
            came = completed, completed_time = max(came, (packet, time))
            self.origins.extend(len(data), (packet, completed, time, completed_time))
            records += self.receiver.receive_data(data)
        if len(self.origins) > FORGET_EVERY:
            self.origins.retain(self.receiver.open_offsets)
        return records

    def _finish(self) -> list[T]:
        """End the stream once all up to its FIN has come."""
        if self.final_size is None or self.origins.size < self.final_size:
            return []
        self.is_ended = True
        self._reassembler.let_go()
        return self.receiver.receive_eof("close")
