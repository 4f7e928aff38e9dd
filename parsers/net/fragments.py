"""Fragmented IP packets, put together again (RFC 791 section 3.2, RFC 8200 section 4.5).

Strategy: fragments begin at multiples of eight bytes, so a packet that waits is two arrays: its
payload, as far as its last fragment reaches, and one flag for each eight bytes of it. Filling in a
fragment, finding what of it is new, and asking whether all is there are single operations on
slices, linear in the fragment, whatever the order and the overlaps. A packet holds 72 KiB at most
and so many may wait at once; the one that has waited longest is given up for the next.

Of bytes that come twice the first are kept, and an overlap is reported unless it is a plain
repetition of one fragment with the same bytes.
"""

from __future__ import annotations

from msgspec import Struct

from ..diagnostics import Diagnostic, diagnose
from ..limits import FRAGMENTS_COST, MAX_FRAGMENT_AGE, MAX_FRAGMENTED_PACKETS, MAX_IP_PACKET
from ..memory import Account, Memory
from .ip import Fragment, IpPacket, walk_extension_headers

UNIT = 8
"""Fragment offsets count these (RFC 791 section 3.1)."""


class WholePacket(Struct, frozen=True, gc=False):
    """A packet whose last missing fragment has come."""

    protocol: int
    """What the payload is; in IPv6 after the extension headers that were fragmented with it."""
    payload: bytes
    first_packet: int
    """The number of the packet that carried the first fragment to arrive."""
    start: int = 0
    """Where it begins in what was fragmented: after extension headers."""


class _Waiting:
    """A packet some fragments of which have come."""

    __slots__ = ("payload", "present", "units", "length", "protocol", "number", "time_ns")

    def __init__(self, number: int, time_ns: int | None) -> None:
        self.payload = bytearray()
        self.present = bytearray()  # one flag for each unit of the payload
        self.units = 0  # that are present
        self.length: int | None = None  # of the whole payload, known from the last fragment
        self.protocol = 0
        self.number = number
        self.time_ns = time_ns

    def insert(self, offset: int, data: bytes) -> bool:
        """Fill in what is new of ``data``; return whether bytes of others were there already."""
        first = offset // UNIT
        last = first + (len(data) + UNIT - 1) // UNIT
        self.payload += bytes(max(offset + len(data) - len(self.payload), 0))
        self.present += bytes(max(last - len(self.present), 0))
        known = self.present.count(1, first, last)
        if not known:
            self.payload[offset : offset + len(data)] = data
            self.present[first:last] = b"\1" * (last - first)
        elif known == last - first:
            return self.payload[offset : offset + len(data)] != data
        else:
            self._fill(first, last, offset, data)
        self.units += last - first - known
        return known > 0

    def _fill(self, first: int, last: int, offset: int, data: bytes) -> None:
        """Write each run of units that are not there yet."""
        while (start := self.present.find(0, first, last)) >= 0:
            found = self.present.find(1, start, last)
            first = found if found >= 0 else last
            begin, end = start * UNIT, min(first * UNIT, offset + len(data))
            self.payload[begin:end] = data[begin - offset : end - offset]
            self.present[start:first] = b"\1" * (first - start)

    @property
    def held(self) -> int:
        """The bytes charged for it."""
        return FRAGMENTS_COST + len(self.payload) + len(self.present)

    @property
    def complete(self) -> bool:
        return self.length is not None and self.units * UNIT >= self.length


class FragmentReassembler:
    """Takes fragments in any order and returns the packets that they complete.

    What waits is charged to ``memory``.
    """

    def __init__(self, memory: Memory | None = None) -> None:
        self._waiting: dict[tuple[bytes, ...], _Waiting] = {}  # the one that came first is first
        self._account = Account(Memory() if memory is None else memory)

    @property
    def held(self) -> int:
        """What waits, in bytes, as it is charged."""
        return self._account.held

    def waits_for(self, key: tuple[bytes, ...]) -> bool:
        """Whether fragments with this key have come, and others of their packet have not."""
        return key in self._waiting

    def receive(
        self, data: bytes, packet: IpPacket, number: int, time_ns: int | None
    ) -> list[WholePacket | Diagnostic]:
        """Take a fragment: ``packet`` as :func:`~parsers.net.ip.read_ip` found it in ``data``.

        ``number`` and ``time_ns`` are the captured packet's. Diagnostics are about [start, end) of
        the whole payload. Raises ValueError if ``packet`` is no fragment.
        """
        fragment = packet.fragment
        if fragment is None:
            raise ValueError("a fragment expected, a whole packet found")
        events: list[WholePacket | Diagnostic] = [*self._give_up_old(time_ns)]
        if fault := _check(packet, fragment):
            return [*events, fault]
        waiting = self._waiting.get(fragment.key)
        if waiting is None:
            if len(self._waiting) == MAX_FRAGMENTED_PACKETS:
                limit = f"{MAX_FRAGMENTED_PACKETS:,} others wait"
                events.append(self._give_up(next(iter(self._waiting)), limit))
            waiting = self._waiting[fragment.key] = _Waiting(number, time_ns)
            self._account.charge(waiting.held)
        before = waiting.held
        events += self._insert(waiting, packet, fragment, data[packet.start : packet.end])
        self._account.charge(waiting.held - before)
        if waiting.complete:
            self._drop(fragment.key)
            events.append(_whole(waiting, is_ipv6=len(packet.source) == 16))
        return events

    def finish(self) -> list[Diagnostic]:
        """Give up every packet that waits: the capture has ended."""
        return [self._give_up(key, "the capture ends") for key in list(self._waiting)]

    def let_go(self) -> list[Diagnostic]:
        """Give up every packet that waits: what they hold is needed for others."""
        held = f"{self.held:,} bytes of {len(self._waiting):,} packets wait: too much"
        return [self._give_up(key, held) for key in list(self._waiting)]

    def _insert(
        self, waiting: _Waiting, packet: IpPacket, fragment: Fragment, data: bytes
    ) -> list[Diagnostic]:
        offset = fragment.offset
        end = offset + len(data)
        if waiting.length is not None and end > waiting.length:
            return [_overlap(offset, end, f"the packet ends at {waiting.length:,}, not {end:,}")]
        if not fragment.more:
            if waiting.length not in (None, end) or len(waiting.payload) > end:
                size = waiting.length or len(waiting.payload)
                return [_overlap(offset, end, f"the packet ends at {size:,}, not {end:,}")]
            waiting.length = end
        if not offset and not waiting.present.startswith(b"\1"):
            waiting.protocol = packet.protocol
        if waiting.insert(offset, data):
            return [_overlap(offset, end, f"bytes {offset:,} to {end:,} had come in part")]
        return []

    def _give_up_old(self, time_ns: int | None) -> list[Diagnostic]:
        """RFC 8200 section 4.5: what is not complete 60 seconds after its first fragment is lost.

        An IPv4 identification is soon used again: old fragments must not mix with new ones.
        """
        given_up: list[Diagnostic] = []
        while self._waiting and time_ns is not None:
            key, waiting = next(iter(self._waiting.items()))
            if waiting.time_ns is None or time_ns - waiting.time_ns <= MAX_FRAGMENT_AGE:
                break
            given_up.append(self._give_up(key, "60 seconds have passed"))
        return given_up

    def _drop(self, key: tuple[bytes, ...]) -> _Waiting:
        waiting = self._waiting.pop(key)
        self._account.charge(-waiting.held)
        return waiting

    def _give_up(self, key: tuple[bytes, ...], reason: str) -> Diagnostic:
        waiting = self._drop(key)
        expected = "more" if waiting.length is None else f"{waiting.length:,}"
        return diagnose(
            "ip-fragment-missing",
            0,
            len(waiting.payload),
            f"{waiting.units * UNIT:,} bytes have come since packet {waiting.number}, "
            f"{expected} expected; {reason}",
        )


def _check(packet: IpPacket, fragment: Fragment) -> Diagnostic | None:
    """Return what forbids to use a fragment: it is cut, uneven, or reaches too far."""
    start, end = fragment.offset, fragment.offset + packet.length
    if packet.end - packet.start < packet.length:
        captured = packet.end - packet.start
        detail = f"{captured:,} bytes captured of a fragment of {packet.length:,} bytes"
        return diagnose("packet-cut", start, start + captured, detail)
    if fragment.more and (packet.length % UNIT or not packet.length):
        detail = f"a fragment of {packet.length:,} bytes, a multiple of {UNIT} expected"
        return diagnose("ip-malformed", start, end, detail)
    if end > MAX_IP_PACKET:
        detail = f"a fragment that ends at {end:,}, at most {MAX_IP_PACKET:,} expected"
        return diagnose("ip-malformed", start, end, detail)
    return None


def _overlap(start: int, end: int, detail: str) -> Diagnostic:
    return diagnose("ip-fragment-overlap", start, end, detail)


def _whole(waiting: _Waiting, is_ipv6: bool) -> WholePacket | Diagnostic:
    payload = bytes(waiting.payload)
    if not is_ipv6:
        return WholePacket(waiting.protocol, payload, waiting.number)
    walked = walk_extension_headers(payload, waiting.protocol, 0, len(payload))
    if isinstance(walked, Diagnostic):
        return walked
    protocol, start, _ = walked
    return WholePacket(protocol, payload[start:], waiting.number, start)
