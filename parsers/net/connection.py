"""One TCP connection (RFC 9293): its two directions, and how it came to an end.

Strategy: each :class:`~parsers.net.tcp.Direction` takes its own segments; here stands what only
both together tell: who closed, whether it is over, and how many packets it had.
"""

from __future__ import annotations

from .. import limits
from ..provenance import Completion, seconds
from ..records import Close, Record
from .tcp import Direction


class Connection:
    """Two directions, and how they came to an end."""

    __slots__ = (
        "index",
        "key",
        "first",
        "second",
        "first_packet",
        "last_packet",
        "first_time",
        "last_time",
        "packets",
        "close",
        "closed_by",
        "is_midstream",
        "is_understood",
        "is_reset",
        "is_over",
    )

    def __init__(self, index: int, key: bytes, number: int, time_ns: int) -> None:
        self.index = index
        self.key = key
        """Source address, destination address, source port, destination port of ``first``."""
        self.first = Direction()
        self.second = Direction()
        self.first.connection = self.second.connection = self
        self.first.peer, self.second.peer = self.second, self.first
        self.first_packet = self.last_packet = number
        self.first_time = self.last_time = time_ns
        self.packets = 0
        self.close: Close = "open"
        self.closed_by: Direction | None = None
        self.is_midstream = False
        self.is_understood = True
        """False while receivers must see where segments begin: where the start of a connection
        was not captured, a message may begin with any of them."""
        self.is_reset = False
        """Whether a RST was taken; one after both FINs leaves ``close`` at ``fin``."""
        self.is_over = False
        """Whether its record has been written: what comes later is not looked at."""

    @property
    def is_closed(self) -> bool:
        """Whether it was reset, or both FINs arrived and the second was acknowledged."""
        if self.is_reset:
            return True
        first, second = self.first, self.second
        if not (first.is_ended and second.is_ended):
            return False
        later = first if self.closed_by is second else second
        return later.peer.acked == later.end_seq

    def is_silent(self, now_ns: int) -> bool:
        """Whether nothing has come for so long that its end was missed, or will never come."""
        both = self.first, self.second
        is_open = all(half.next_seq is not None and half.fin_offset is None for half in both)
        limit = limits.MAX_SILENCE if is_open else limits.MAX_TRANSITORY_SILENCE
        return now_ns - self.last_time > limit

    @property
    def latest(self) -> Completion:
        """The packet that is looked at, or was the last one."""
        return self.last_packet, seconds(self.last_time)

    @property
    def retransmissions(self) -> int:
        return self.first.retransmissions + self.second.retransmissions

    @property
    def out_of_order(self) -> int:
        return self.first.out_of_order + self.second.out_of_order

    def note_fin(self, direction: Direction) -> None:
        """Take note that a FIN is in order: who closed is who sent the first."""
        first = self.closed_by
        if first is None or (first.fin_packet or 0) > (direction.fin_packet or 0):
            self.closed_by = direction
            self.close = "fin"

    def reset_by(self, direction: Direction) -> list[Record]:
        """End both directions. Bytes that were in order before the RST stay decoded."""
        self.is_reset = True
        if not (self.first.is_ended and self.second.is_ended):
            self.close = "reset"
            self.closed_by = direction
        return direction.end("reset") + direction.peer.end("reset")

    def end(self) -> list[Record]:
        """End what the capture left open."""
        return self.first.end("capture-end") + self.second.end("capture-end")

    def let_go(self) -> None:
        """Keep no more than what tells late packets: of thousands that are over, all else adds up.

        What refers to one another would else stay until the collector comes.
        """
        self.is_over = True
        self.first.let_go()
        self.second.let_go()
