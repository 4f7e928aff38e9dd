"""What a WebSocket's frames amount to: pings with their round trips, and what each side sent.

Strategy: frames are counted as they come. A ping is remembered with how much the other side had
sent by then, so that a pong can be told from one that stood behind a large frame. What is kept of
rounds is bounded: how many there were, the slowest, and the pings that nobody has answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from parsers.records import Sender, WebSocketFrameRecord

from ..pings import MAX_PINGS, Answer

MAX_ROUNDS = 1_024
"""Round trips of which the times are kept, for their median; of more, the first ones."""
OTHER: dict[Sender, Sender] = {"client": "server", "server": "client"}


class Large(NamedTuple):
    """The largest frame that a side sent while it owed a pong."""

    packet: int
    length: int
    """Bytes of payload."""
    seconds: float
    """From its first byte to its last."""


class Round(NamedTuple):
    """A ping and the pong that answered it."""

    ping: WebSocketFrameRecord
    pong: WebSocketFrameRecord
    between: int
    """Bytes of payload that the answering side sent in between, the pong's left out."""
    largest: Large | None
    """The largest frame of them."""

    @property
    def seconds(self) -> float:
        return self.pong.last_time - self.ping.last_time


class _Sent:
    """What one side has sent."""

    def __init__(self) -> None:
        self.size = 0


class _Waiting(NamedTuple):
    ping: WebSocketFrameRecord
    size: int
    """What the other side had sent when it came."""


class Conversation:
    """The frames of a WebSocket, as a judge sees them."""

    def __init__(self) -> None:
        self.rounds: list[float] = []
        """Seconds from pings to their pongs."""
        self.round_count = 0
        self.slowest: Round | None = None
        self.latest: Round | None = None
        self.longest_frame: dict[Sender, WebSocketFrameRecord] = {}
        """The largest data frame of each side."""
        self._sent: dict[Sender, _Sent] = {"client": _Sent(), "server": _Sent()}
        self._waiting: list[_Waiting] = []

    @property
    def unanswered(self) -> Sequence[WebSocketFrameRecord]:
        """The pings that no pong has answered, in their order."""
        return [one.ping for one in self._waiting]

    def answered_after(self, frame: WebSocketFrameRecord) -> WebSocketFrameRecord | None:
        """Return the ping of the same side whose pong came after a frame of it, if the last did."""
        late = self.latest
        if late is None or late.ping.sender != frame.sender:
            return None
        is_late = late.ping.last_time <= frame.last_time < late.pong.last_time
        return late.ping if is_late else None

    def add(self, frame: WebSocketFrameRecord, answer: Answer) -> None:
        """Take the next frame, and what it answers."""
        sent = self._sent[frame.sender]
        if frame.opcode == 0x9:
            self._waiting = self._waiting[-MAX_PINGS + 1 :]
            self._waiting.append(_Waiting(frame, self._sent[OTHER[frame.sender]].size))
        elif answer.answered:
            self._answer(frame, answer)
        elif frame.opcode < 0x8:
            largest = self.longest_frame.get(frame.sender)
            if largest is None or frame.payload_length >= largest.payload_length:
                self.longest_frame[frame.sender] = frame
        sent.size += frame.payload_length

    def add_all(self, frames: Sequence[WebSocketFrameRecord]) -> None:
        """Take several data frames that came after each other."""
        for sender, sent in self._sent.items():
            some = [frame for frame in frames if frame.sender == sender]
            if not some:
                continue
            sizes = [frame.payload_length for frame in some]
            most = max(sizes)
            largest = self.longest_frame.get(sender)
            if largest is None or most >= largest.payload_length:
                self.longest_frame[sender] = some[len(sizes) - 1 - sizes[::-1].index(most)]
            sent.size += sum(sizes)

    def _answer(self, pong: WebSocketFrameRecord, answer: Answer) -> None:
        known = {id(ping) for ping in answer.answered}
        for waiting in [one for one in self._waiting if id(one.ping) in known]:
            between = self._sent[pong.sender].size - waiting.size
            self._round(Round(waiting.ping, pong, between, self._largest(waiting.ping, pong)))
        self._waiting = [one for one in self._waiting if id(one.ping) not in known]

    def _largest(self, ping: WebSocketFrameRecord, pong: WebSocketFrameRecord) -> Large | None:
        frame = self.longest_frame.get(pong.sender)
        if frame is None or frame.last_time < ping.last_time:
            return None
        seconds = frame.last_time - frame.first_time
        return Large(frame.last_packet, frame.payload_length, seconds)

    def _round(self, found: Round) -> None:
        self.round_count += 1
        self.latest = found
        if len(self.rounds) < MAX_ROUNDS:
            self.rounds.append(found.seconds)
        if self.slowest is None or found.seconds > self.slowest.seconds:
            self.slowest = found
