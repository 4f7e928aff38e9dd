"""A TCP connection (RFC 9293): its two directions, and what only both together tell.

That is who closed, whether it is over, and how long its handshake took. What each end sent is a
:class:`~parsers.net.half_connection.HalfConnection`, which asks for no more of this than
:class:`~parsers.net.reassembly.Both` says.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from .. import limits
from ..memory import Account, Memory
from ..provenance import Close, Completion, seconds
from .half_connection import HalfConnection
from .segment import ACK, SYN, Segment

T = TypeVar("T")


class Direction(HalfConnection[T], Generic[T]):
    """What one endpoint of a connection sent."""

    __slots__ = ()

    connection: Connection[T]
    peer: Direction[T]


class Connection(Generic[T]):
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
        "opened",
        "established",
        "packets",
        "copies",
        "close",
        "closed_by",
        "client",
        "is_midstream",
        "is_understood",
        "is_reset",
        "is_over",
        "has_crossed",
        "rtt_ns",
        "server_rtt_ns",
        "_asked",
        "realm",
        "tunnel",
        "account",
    )

    def __init__(
        self,
        index: int,
        key: bytes,
        number: int,
        time_ns: int,
        realm: bytes = b"",
        account: Account | None = None,
    ) -> None:
        self.index = index
        self.key = key
        """Source address, destination address, source port, destination port of ``first``."""
        self.first: Direction[T] = Direction()
        self.second: Direction[T] = Direction()
        self.first.connection = self.second.connection = self
        self.first.peer, self.second.peer = self.second, self.first
        self.first_packet = self.last_packet = number
        self.first_time = self.last_time = time_ns
        self.opened: int | None = None
        """When its first SYN was captured, in nanoseconds since the epoch; None without one."""
        self.established: int | None = None
        """When the handshake was done (section 3.5); where none was captured, the first ACK."""
        self.packets = 0
        self.copies = 0
        self.close: Close = "open"
        self.closed_by: Direction[T] | None = None
        self.client: Direction[T] | None = None
        """What the client sent, once the layer above knows it: before anything comes of it."""
        self.is_midstream = False
        self.is_understood = True
        """False while receivers must see where segments begin: where the start of a connection
        was not captured, a message may begin with any of them."""
        self.is_reset = False
        """Whether a RST was taken; one after both FINs leaves ``close`` at ``fin``."""
        self.is_over = False
        """Whether its record has been written: what comes later is not looked at."""
        self.has_crossed = False
        """Whether it has been said that bytes came after a FIN."""
        self.rtt_ns: int | None = None
        """How long the handshake took; None if its SYN was not captured, or was sent again."""
        self.server_rtt_ns: int | None = None
        """How much of it the SYN, ACK took: the round trip from here to whom the SYN went to."""
        self._asked: tuple[Direction[T] | None, int] | None = None
        """Who sent a SYN, and when; nobody's if it was sent again."""
        self.realm = realm
        """The network that its addresses are of (:func:`~parsers.net.tunnels.realm`)."""
        self.tunnel: str | None = None
        """What its first packet came through, in words."""
        self.account = Account(Memory()) if account is None else account
        """What is held for it, above TCP too."""

    @property
    def missing(self) -> Direction[T] | None:
        """The direction that was not captured, though the other one answers to it.

        One packet alone tells nothing of what else was recorded, unless it says something.
        """
        if self.packets < 2 and not (self.first.origins.size or self.second.origins.size):
            return None
        for direction in (self.first, self.second):
            peer = direction.peer
            is_answered = peer.next_seq is not None and peer.acked is not None
            is_unseen = direction.next_seq is None and direction is not self.closed_by  # by a RST
            if is_unseen and is_answered and self.close != "refused":
                return direction
        return None

    @property
    def proven_closed_by(self) -> Direction[T] | None:
        """Who closed; None where the other one may have closed before, unseen.

        That is where its direction is missing, unless it went on after the FIN: then its own came
        later. Or where bytes of it are missing which the FIN acknowledges: one may be its FIN.
        """
        missing, found = self.missing, self.closed_by
        if found is not None and found.unseen_at_fin and self.close == "fin":
            peer, acked = found.peer, found.acked_at_fin
            if peer.fin_offset is None or acked is None:
                return None
            return peer if peer.offset_of(acked) > peer.fin_offset else found  # it came again
        if missing is None or found is None or self.close != "fin":
            return found
        return None if found.acked == found.acked_at_fin else found

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

    def count(self, number: int, time_ns: int) -> None:
        """Count a packet, which is the latest."""
        self.packets += 1
        self.last_packet = number
        self.last_time = time_ns

    def count_copy(self, number: int, time_ns: int) -> None:
        """Count a packet that was captured before: nothing else comes of it."""
        self.copies += 1
        self.count(number, time_ns)

    def note_handshake(self, direction: Direction[T], segment: Segment) -> None:
        """Take the times of the handshake (section 3.5), before any segment can be usual."""
        time_ns = segment.time_ns
        asked = self._asked
        if segment.flags & SYN:
            self.opened = time_ns if self.opened is None else self.opened
            if not segment.flags & ACK:
                self._asked = (direction if asked is None else None), time_ns
            elif asked is not None and asked[0] is direction.peer and self.server_rtt_ns is None:
                self.server_rtt_ns = time_ns - asked[1]
        elif segment.flags & ACK:
            self.established = time_ns
            if asked is not None and asked[0] is direction and direction.peer.acked:
                self.rtt_ns = time_ns - asked[1]

    def note_fin(self, direction: Direction[T]) -> None:
        """Take note that a FIN is in order: who closed is who sent the first.

        One that came later than the other's may have been sent before, if it waited behind a hole:
        then its packet is the earlier one, and its time too, for a file may be out of order.
        """
        first = self.closed_by
        if first is None or _is_before(direction, first):
            self.closed_by = direction
            self.close = "fin"

    def reset_by(self, direction: Direction[T]) -> list[T]:
        """End both directions. Bytes that were in order before the RST stay decoded."""
        self.is_reset = True
        if not (self.first.is_ended and self.second.is_ended):
            opener = direction.peer
            is_refusal = opener.base_seq is not None and opener.acked is None
            is_refusal = is_refusal and direction.next_seq is None and not opener.sent_syn_ack
            self.close = "refused" if is_refusal else "reset"
            self.closed_by = direction
        return direction.end("reset") + direction.peer.end("reset")

    def end(self) -> list[T]:
        """End what the capture left open."""
        return self.first.end("capture-end") + self.second.end("capture-end")

    def let_go(self) -> None:
        """Keep no more than what tells late packets: of thousands that are over, all else adds up.

        What refers to one another would else stay until the collector comes.
        """
        self.is_over = True
        self.account.close()
        self.first.let_go()
        self.second.let_go()


def _is_before(one: Direction[T], other: Direction[T]) -> bool:
    """Whether the FIN of one direction was sent before that of the other."""
    is_earlier = (one.fin_packet or 0) < (other.fin_packet or 0)
    return is_earlier and one.fin_time <= other.fin_time
