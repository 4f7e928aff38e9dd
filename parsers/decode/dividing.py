"""A capture divided among several decoders: which packets are whose, told once for all of them.

Strategy: one reader goes through the file. Usual packets are told apart by their ends, as they
come, and ends are given to the shares in turn; nothing is read of them but headers. A share is told
where its packets lie, and takes their bytes from the file itself, unless that is compressed. What
is no usual TCP over IPv4, or of ends that were first seen so, every share follows, as if there were
no others, and one decodes it.

Each share must know how many connections begin elsewhere, since they are numbered together. So
there is one simple rule for when ends begin one: with their first packet, and with a SYN of another
sequence number. It is a guess, and whoever follows the ends knows better: see :mod:`.shares`. What
cannot be divided at all is told here: an order of the file that is not that of time, and more
connections than are remembered.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from itertools import chain
from struct import Struct

import msgspec

from ..files.input import Readable
from ..files.packets import CaptureFault, Packet, Run, UnreadableCapture
from ..files.reader import CaptureReader
from ..limits import MAX_BATCH, MAX_CONNECTIONS
from ..net.ip import TCP
from ..net.segment import ACK, FIN, RST, SYN
from ..net.table import reverse_key
from .ordered_capture import uncounted
from .packets import batch_after
from .usual_headers import (
    ETHERNET,
    IPV4_WITHOUT_OPTIONS,
    NETWORK_START,
    PROTOCOL_AND_FRAGMENT,
    SHORTEST_USUAL,
    TCP_START,
)

# EtherType, IPv4 version and header length, and type of service in one number; total length; flags
# and fragment offset, time to live, and protocol in one number; addresses and ports; data offset
# and flags.
HEADERS = Struct("!12x IH2xI2x 12s 8x H")
SEQ = Struct("!I")
SEQ_START = TCP_START + 4
OPENS_OR_CLOSES = SYN | FIN | RST
PLACE = Struct("=5q")
MAX_TIME = (1 << 63) - 1
"""What a place can hold, in nanoseconds."""

Place = tuple[int, int | None, int, int, int]
"""As in a :class:`~..files.packets.Run`."""
ReadAt = Callable[[int, int], bytes]
"""Returns so many bytes from a place in the file; fewer only at its end."""


class Indivisible(Exception):
    """What is made of a share is not what one decoder makes of the whole. It is if every share
    follows all connections, unless it ``is_for_one`` decoder alone."""

    def __init__(self, why: str, *, is_for_one: bool = False) -> None:
        super().__init__(why)
        self.is_for_one = is_for_one


class Packed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Packets of one share, of the same run of the file."""

    link_type: int
    is_relay: bool
    """Whether a relay has recorded them."""
    places: bytes
    """As in the run, a PLACE each."""
    start: int
    """Where the first packet begins in the run."""
    size: int
    """Bytes from there to the end of the last packet."""
    offset: int | None
    """Where these begin in the file; None: they are here."""
    data: bytes = b""

    def rows(self, read_at: ReadAt) -> list[Packet]:
        """Return the packets. Raises what ``read_at`` does, and UnreadableCapture."""
        start, link_type = self.start, self.link_type
        data = self.data if self.offset is None else read_at(self.offset, self.size)
        if len(data) != self.size:
            raise UnreadableCapture("the file became shorter while it was read")
        return [
            (number, time_ns, link_type, original, data[at - start : at - start + captured])
            for number, time_ns, at, captured, original in PLACE.iter_unpack(self.places)
        ]

    @property
    def first(self) -> int:
        """The number of the first packet."""
        number: int = PLACE.unpack_from(self.places)[0]
        return number


class Portion(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a share is told of a batch of packets."""

    packed: list[Packed]
    """Its packets, and those that all follow."""
    ends: list[tuple[bytes, int]]
    """Keys of new ends, and the share of each."""
    begun: list[tuple[int, int]]
    """The packets with which connections begin by the rule, in order, and the share of each."""
    open: list[int]
    """How many of these are open by then, of each share."""
    last: tuple[int, int]
    """Number and time of the last packet of all."""
    is_last: bool
    faults: list[CaptureFault]
    """Of the file: they come with the last batch."""


class _Ends:
    """Two ends between which usual packets came."""

    __slots__ = ("owner", "key", "syn", "closed_by")

    def __init__(self, key: bytes, owner: int) -> None:
        self.key = key
        """As in the first packet."""
        self.owner = owner
        """The share that has them."""
        self.syn: int | None = None
        """The sequence number of the last SYN, if one came."""
        self.closed_by = 3
        """1 if the first one has sent a FIN, 2 if the other one has; 3 if none is open: after both,
        after a RST, and before any."""


def divided(stream: Readable, of: int) -> Iterator[list[Portion]]:
    """Yield what each of so many shares is told of each batch of packets.

    Batches are those of :func:`~.ordered_capture.growing_batches`. Raises UnreadableCapture, what
    ``stream`` does, and Indivisible.
    """
    return _Division(CaptureReader(stream), of).batches()


class _Division:
    """Whose the packets of a capture are, as they come."""

    def __init__(self, reader: CaptureReader, of: int) -> None:
        self._reader = reader
        self._of = of
        self._ends: dict[bytes, _Ends] = {}
        """By their keys, both ways."""
        self._owners: dict[bytes, int] = {}
        """The same, but no more than is asked of each packet."""
        self._open = [0] * of
        self._asked = 0
        """How many SYNs have come."""
        self._new_ends: list[tuple[bytes, int]] = []
        self._begun: list[tuple[int, int]] = []
        self._packed: list[list[Packed]] = [[] for _ in range(of)]
        """Of the batch at hand, as the two before."""

    def batches(self) -> Iterator[list[Portion]]:
        """Yield the portions of all shares. Long for one function: it is a hot loop."""
        count = size = 0
        """How many packets the batch has, and their bytes, but for those that are not counted."""
        most = batch_after(0)
        free = uncounted(most)
        last, latest = 0, 0
        owner_of = self._owners.get
        read_headers = HEADERS.unpack_from
        for run in self._reader.runs():
            data, is_ethernet = run.data, run.link_type == ETHERNET
            places: list[list[Place]] = [[] for _ in range(self._of)]
            for place in run.places:
                number, time_ns, start, captured, _ = place
                if time_ns is None or time_ns < latest:
                    raise Indivisible(f"packet {number} is not in order of time")
                if count == most or (size + captured > MAX_BATCH and count):
                    self._pack(run, places)
                    places = [[] for _ in range(self._of)]
                    yield self._portions((last, latest))
                    count, size, most = 0, 0, batch_after(self._asked)
                    free = uncounted(most)
                count += 1
                size += captured - free
                last, latest = number, time_ns
                owner = None
                if is_ethernet and captured >= SHORTEST_USUAL:
                    network, total, protocol, key, flags = read_headers(data, start)
                    if (
                        network >> 8 == IPV4_WITHOUT_OPTIONS
                        and protocol & PROTOCOL_AND_FRAGMENT == TCP
                        and 20 <= flags >> 12 << 2 <= total - 20
                        and NETWORK_START + total <= captured
                    ):
                        owner = owner_of(key)
                        if owner is None or flags & OPENS_OR_CLOSES:
                            (seq,) = SEQ.unpack_from(data, start + SEQ_START)
                            owner = self._take(number, key, flags, seq)
                if owner is None:
                    for found in places:
                        found.append(place)
                else:
                    places[owner].append(place)
            self._pack(run, places)
        yield self._portions((last, latest), is_last=True)

    def _pack(self, run: Run, places: list[list[Place]]) -> None:
        """Add packets of a run to what their shares are told."""
        for packed, found in zip(self._packed, places, strict=True):
            if not found:
                continue
            if (found[-1][1] or 0) > MAX_TIME:
                raise Indivisible(f"packet {found[-1][0]} is not of this age")
            start, end = found[0][2], found[-1][2] + found[-1][3]
            is_relay = self._reader.is_relay(found[0][0])
            numbers = array("q", chain.from_iterable(found)).tobytes()  # type: ignore[type-var]
            if run.offset is None or self._reader.compression:
                offset, data = None, run.data[start:end]
            else:
                offset, data = run.offset + start, b""
            packed.append(
                Packed(run.link_type, is_relay, numbers, start, end - start, offset, data)
            )

    def _portions(self, last: tuple[int, int], *, is_last: bool = False) -> list[Portion]:
        """Return what the shares are told of the batch at hand."""
        ends, begun, still_open = self._new_ends, self._begun, list(self._open)
        faults = self._reader.faults if is_last else []
        portions = [
            Portion(packed, ends, begun, still_open, last, is_last, faults)
            for packed in self._packed
        ]
        self._new_ends, self._begun = [], []
        self._packed = [[] for _ in range(self._of)]
        return portions

    def _take(self, number: int, key: bytes, flags: int, seq: int) -> int:
        """Take a segment that opens or closes, or is the first of its ends; return whose it is."""
        ends = self._ends.get(key)
        is_first = ends is None
        if ends is None:
            ends = self._add(key)
        if flags & (SYN | ACK) == SYN:
            is_first |= seq != ends.syn
            ends.syn = seq
            self._asked += 1
        if is_first:
            self._begin(number, ends)
        if flags & (FIN | RST):
            closed_by = 3 if flags & RST else ends.closed_by | (1 if key == ends.key else 2)
            if closed_by == 3 != ends.closed_by:
                self._open[ends.owner] -= 1
            ends.closed_by = closed_by
        return ends.owner

    def _add(self, key: bytes) -> _Ends:
        """Give new ends to the share whose turn it is."""
        owner = len(self._ends) // 2 % self._of
        ends = _Ends(key, owner)
        for known in (key, reverse_key(key)):
            self._ends[known], self._owners[known] = ends, owner
        if len(self._ends) > 2 * MAX_CONNECTIONS:
            raise Indivisible("the capture has many connections")
        self._new_ends.append((key, owner))
        return ends

    def _begin(self, number: int, ends: _Ends) -> None:
        """Take note that a connection begins by the rule."""
        self._begun.append((number, ends.owner))
        if ends.closed_by == 3:  # else it takes the place of one that is open
            self._open[ends.owner] += 1
        ends.closed_by = 0
