"""A capture divided among several decoders: each follows its own connections alone.

Strategy: usual packets are told apart by their ends, as they come, and ends are given to the shares
in turn; of another's packet nothing is read but its headers. What is no usual TCP over IPv4, or of
ends that were first seen so, every share follows, as if there were no others, and one decodes it.

Each share must know how many connections begin elsewhere, since they are numbered together. So all
have one simple rule for when ends begin one: with their first packet, and with a SYN of another
sequence number. It is a guess, and whoever follows the ends knows better: where its connections do
not begin where the rule says, the capture cannot be divided so (:class:`Indivisible`). The same
holds for whatever in one connection would change another: packets that were captured twice, more
connections than are remembered or fit into memory, an order of the file that is not that of time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from struct import Struct

from ..files.packets import Packet
from ..files.reader import CaptureReader
from ..limits import CONNECTION_COST, MAX_BATCH, MAX_CLOSED_CONNECTIONS, MAX_CONNECTIONS, MAX_MEMORY
from ..net.ip import TCP
from ..net.segment import ACK, FIN, RST, SYN
from ..net.table import reverse_key
from ..net.tcp import Connection
from ..records import Record
from .packets import BATCH
from .usual_headers import (
    ETHERNET,
    IPV4_WITHOUT_OPTIONS,
    KEY_START,
    NETWORK_START,
    PROTOCOL_AND_FRAGMENT,
    SHORTEST_USUAL,
    TCP_START,
)

# EtherType, IPv4 version and header length, and type of service in one number; total length; flags
# and fragment offset, time to live, and protocol in one number; data offset and flags.
HEADERS = Struct("!12x IH2xI 22x H")
SEQ = Struct("!I")
KEY_END, SEQ_START, FLAGS_AT = KEY_START + 12, TCP_START + 4, TCP_START + 13
"""Where stands what is asked of each packet, from the beginning of Ethernet."""
OPENS_OR_CLOSES = SYN | FIN | RST
MAX_OPEN = MAX_MEMORY // CONNECTION_COST // 4
"""Connections open at once that are divided: of many more, one process would let some go."""


class Indivisible(Exception):
    """What is made of a share is not what one decoder makes of the whole. It is if every share
    follows all connections, unless it ``is_for_one`` decoder alone."""

    def __init__(self, why: str, *, is_for_one: bool = False) -> None:
        super().__init__(why)
        self.is_for_one = is_for_one


class _Ends:
    """Two ends between which usual packets came."""

    __slots__ = ("is_own", "key", "syn", "closed_by")

    def __init__(self, key: bytes, is_own: bool) -> None:
        self.key = key
        """As in the first packet."""
        self.is_own = is_own
        self.syn: int | None = None
        """The sequence number of the last SYN, if one came."""
        self.closed_by = 3
        """1 if the first one has sent a FIN, 2 if the other one has; 3 if none is open: after both,
        after a RST, and before any."""


class Share:
    """One of so many shares, as its packets come."""

    def __init__(self, number: int, of: int) -> None:
        self._number = number
        self._of = of
        self._ends: dict[bytes, _Ends] = {}
        """By their keys, both ways."""
        self._others: list[int] = []
        """The packets with which others' connections began, in order."""
        self._open_elsewhere = 0
        self._expected: list[int] = []
        """The same of its own, in the batch at hand: by the rule, and as they did begin."""
        self._begun: list[int] = []
        self._latest = 0
        """With which the last one of its own began."""
        self.last = (0, 0)
        """Number and time of the last packet of all."""

    @property
    def has_others(self) -> bool:
        """Whether others have had a connection."""
        return bool(self._others)

    def others_before(self, packet: int) -> int:
        """Return how many of others' connections have begun before a packet."""
        return bisect_left(self._others, packet)

    def has(self, connection: int | None) -> bool:
        """Whether it decodes a connection that all follow; None: faults of no connection."""
        return (connection or 0) % self._of == self._number

    def begins(self, index: int, key: bytes, packet: int) -> bool:
        """Return whether it decodes a connection that begins with a packet, or is begun again with
        it. Raises Indivisible."""
        ends = self._ends.get(key)
        if ends is None:
            return self.has(index)
        if not ends.is_own:
            raise Indivisible("a packet that is not usual, of another's connection")
        if packet > self._latest:
            self._latest = packet
            self._begun.append(packet)
        return True

    def check_late(self, connection: Connection[Record], begun: int) -> None:
        """Raise Indivisible if a packet comes late, for a connection that may be forgotten by now.

        So many may have been closed since it was: those that were open, and those that have begun,
        of ``begun`` that were before the packet.
        """
        if begun - connection.index + MAX_OPEN >= MAX_CLOSED_CONNECTIONS:
            raise Indivisible("a packet comes late, after many connections")

    def check(self, open_here: int) -> None:
        """Raise Indivisible if connections began in the batch where the rule does not say so, or if
        there are too many beside those that are ``open_here``."""
        if self._begun != self._expected:
            raise Indivisible(f"{self._begun} instead of {self._expected}")
        if self._open_elsewhere + open_here >= MAX_OPEN:
            raise Indivisible("many connections are open at once")
        self._begun, self._expected = [], []

    def batches(self, reader: CaptureReader) -> Iterator[tuple[list[Packet], bool]]:
        """Yield what is not others' of each batch of packets, and whether it is the last one.

        Batches are those of :func:`~.ordered_capture.batched`. Raises Indivisible.
        """
        rows: list[Packet] = []
        count = size = 0
        latest = 0
        find = self._ends.get
        read_headers = HEADERS.unpack_from
        for run in reader.runs():
            data, link_type = run.data, run.link_type
            is_ethernet = link_type == ETHERNET
            for number, time_ns, start, captured, original in run.places:
                if time_ns is None or time_ns < latest:
                    raise Indivisible(f"packet {number} is not in order of time")
                latest = time_ns
                size += captured
                if size > MAX_BATCH and count:
                    yield rows, False
                    rows = []
                    count, size = 0, captured
                count += 1
                is_foreign = False
                if is_ethernet and captured >= SHORTEST_USUAL:
                    key = data[start + KEY_START : start + KEY_END]
                    ends = find(key)
                    if ends is None or not ends.is_own or data[start + FLAGS_AT] & OPENS_OR_CLOSES:
                        network, total, protocol, flags = read_headers(data, start)
                        if (
                            network >> 8 == IPV4_WITHOUT_OPTIONS
                            and protocol & PROTOCOL_AND_FRAGMENT == TCP
                            and 20 <= flags >> 12 << 2 <= total - 20
                            and NETWORK_START + total <= captured
                        ):
                            if ends is None or flags & OPENS_OR_CLOSES:
                                (seq,) = SEQ.unpack_from(data, start + SEQ_START)
                                is_foreign = self._take(number, key, flags, seq)
                            else:
                                is_foreign = not ends.is_own
                if not is_foreign:
                    rows.append(
                        (number, time_ns, link_type, original, data[start : start + captured])
                    )
                if count == BATCH:
                    yield rows, False
                    rows = []
                    count = size = 0
            self.last = run.places[-1][0], latest
        yield rows, True

    def _take(self, number: int, key: bytes, flags: int, seq: int) -> bool:
        """Take a segment that opens or closes, or is the first of its ends; return whether it is
        another's."""
        ends = self._ends.get(key)
        is_first = ends is None
        if ends is None:
            ends = _Ends(key, len(self._ends) // 2 % self._of == self._number)
            self._ends[key] = self._ends[reverse_key(key)] = ends
            if len(self._ends) > 2 * MAX_CONNECTIONS:
                raise Indivisible("the capture has many connections")
        if flags & (SYN | ACK) == SYN:
            is_first |= seq != ends.syn
            ends.syn = seq
        if is_first:
            self._begin(number, ends)
        if flags & (FIN | RST):
            closed_by = 3 if flags & RST else ends.closed_by | (1 if key == ends.key else 2)
            if closed_by == 3 != ends.closed_by and not ends.is_own:
                self._open_elsewhere -= 1
            ends.closed_by = closed_by
        return not ends.is_own

    def _begin(self, number: int, ends: _Ends) -> None:
        """Take note that a connection begins by the rule."""
        if ends.is_own:
            self._expected.append(number)
            return
        self._others.append(number)
        if ends.closed_by == 3:  # else it takes the place of one that is open
            self._open_elsewhere += 1
        ends.closed_by = 0
