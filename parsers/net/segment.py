"""One TCP segment (RFC 9293 section 3.1), and whether its receiver took it at all.

Strategy: the header is read once, into a :class:`Segment`. What is wanted of few segments, the
options and the checksum, is looked at when it is asked for. :class:`Scrutiny` tells segments that
Linux drops unseen, which an inspector must not take either (Ptacek and Newsham, 1998): those with
a wrong checksum, and those that are signed where their connection is not.

A checksum that is not right is usually just unfinished: on loopback, and where a network card
does the sum, a capture sees the pseudo-header's sum in its place, or 0. So a direction's checksums
are judged only if its first segment had a right one, and only where a segment has none of these.
To judge a byte takes three nanoseconds, which would make the decode of long chunks half again as
slow. So every segment is judged at the beginning of a direction and after a first doubt, and else
those that are unusual in any way: out of order, sent again, opening, closing, resetting. What
passes is a damaged segment in order, far from the beginning: its bytes are taken, and the
conflict is reported when it is sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Literal

import msgspec

from ..diagnostics import Diagnostic, diagnose
from .ip import TCP

FIN = 0x01
SYN = 0x02
RST = 0x04
ACK = 0x10
URG = 0x20
UNUSUAL = FIN | SYN | RST | URG
"""A segment with none of these, but with ACK, only carries data and acknowledges some."""
FLAGS = 0x1FF

# Ports, sequence number, acknowledgement number, data offset and flags, window, checksum, urgent
# pointer.
TCP_HEADER = Struct("!4sIIHHHH")
# Registry: IANA, TCP option kinds.
END_OF_OPTIONS, NO_OPERATION = 0, 1
MAXIMUM_SEGMENT_SIZE, WINDOW_SCALE, SACK, TIMESTAMPS = 2, 3, 5, 8
SIGNATURES = frozenset({19, 29})  # MD5 (RFC 2385), TCP-AO (RFC 5925)
MAX_WINDOW_SCALE = 14
"""A shift count above it is taken for it (RFC 7323 section 2.3)."""
BLOCK = Struct("!II")
"""Of a selective acknowledgement: its left and its right edge (RFC 2018 section 3)."""

SHORTEST = 20
"""Bytes of a header without options."""
ONLY_TIMESTAMPS = b"\1\1\x08\n"
"""How options begin that are timestamps and fill a header of 32 bytes (RFC 7323 appendix A)."""
LARGEST_FRAME = 1_500
"""Bytes of TCP above which a card may have merged segments (LRO): nobody summed what it made."""
CLOSELY = 8
"""Segments at the beginning of a direction that are all judged."""

Checksum = Literal["right", "wrong", "unfinished", "unknown"]


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A segment, as far as it has been captured."""

    seq: int
    ack: int
    flags: int
    payload: bytes
    missing: int
    """How many bytes of its payload the snapshot length cut off."""
    number: int
    """Of its packet."""
    time_ns: int
    urgent_pointer: int = 0
    options: bytes = b""
    summed: bytes = b""
    """The addresses and the whole segment, which its checksum covers; empty if it is not whole."""
    window: int = 0xFFFF
    """As in the header, not scaled."""

    @property
    def is_signed(self) -> bool:
        """Whether it carries a signature of MD5 or TCP-AO, be it too short to be right."""
        options = self.options
        if not options or (len(options) == 12 and options.startswith(ONLY_TIMESTAMPS)):
            return False  # as nearly all
        return any(kind in SIGNATURES for kind, _ in self._options())

    @property
    def timestamps(self) -> tuple[int, int] | None:
        """The timestamps option (RFC 7323 section 3.2): its own value, and the one echoed."""
        for kind, value in self._options():
            if kind == TIMESTAMPS and len(value) == 8:
                return int.from_bytes(value[:4], "big"), int.from_bytes(value[4:], "big")
        return None

    @property
    def sizes(self) -> tuple[int | None, int | None]:
        """What a SYN says of sizes: the largest segment that its sender takes (RFC 9293 section
        3.7.1), and by how many bits it scales its windows (RFC 7323 section 2); None if unsaid."""
        largest: int | None = None
        scale: int | None = None
        for kind, value in self._options() if self.options else ():
            if kind == MAXIMUM_SEGMENT_SIZE and len(value) == 2:
                largest = int.from_bytes(value, "big")
            elif kind == WINDOW_SCALE and len(value) == 1:
                scale = min(value[0], MAX_WINDOW_SCALE)
        return largest, scale

    @property
    def came_twice(self) -> tuple[int, int] | None:
        """Which bytes it says came twice, by sequence numbers (D-SACK, RFC 2883 section 4).

        Those of a first block that lies below all that it acknowledges, or inside the second.
        """
        options = self.options
        if len(options) == 12 and options.startswith(ONLY_TIMESTAMPS):
            return None  # as nearly all
        value = next((value for kind, value in self._options() if kind == SACK), b"")
        blocks = list(BLOCK.iter_unpack(value[: len(value) // BLOCK.size * BLOCK.size]))
        if not blocks:
            return None
        start, end = blocks[0]
        if (self.ack - end) & 0xFFFFFFFF < 0x80000000:
            return start, end
        if blocks[1:]:
            size, (left, right) = (end - start) & 0xFFFFFFFF, blocks[1]
            if (start - left) & 0xFFFFFFFF <= ((right - left) & 0xFFFFFFFF) - size:
                return start, end
        return None

    def _options(self) -> Iterator[tuple[int, bytes]]:
        """Yield kind and value of each option (RFC 9293 section 3.2) that has a value."""
        options, position = self.options, 0
        while position + 1 < len(options) and (kind := options[position]) != END_OF_OPTIONS:
            if kind == NO_OPERATION:
                position += 1
                continue
            length = max(options[position + 1], 2)
            yield kind, options[position + 2 : position + length]
            position += length

    @property
    def checksum(self) -> Checksum:
        """RFC 9293 section 3.1: the ones' complement sum of all, with it, is nothing.

        Such a sum is the remainder by 0xFFFF of the bytes as one number (RFC 1071 section 2).
        """
        summed = self.summed
        addresses = len(summed) - 20 - len(self.options) - len(self.payload)
        length = len(summed) - addresses
        if not summed or length > LARGEST_FRAME:
            return "unknown"
        pseudo_header = int.from_bytes(summed[:addresses], "big") + TCP
        body = int.from_bytes(summed[addresses:], "big") << 8 * (length % 2)
        if not (pseudo_header + length + body) % 0xFFFF:
            return "right"
        found = int.from_bytes(summed[addresses + 16 : addresses + 18], "big")
        # What the kernel leaves to the card; before it cuts large segments, without the length.
        unfinished = {0, (pseudo_header + length) % 0xFFFF, pseudo_header % 0xFFFF}
        return "unfinished" if found % 0xFFFF in unfinished else "wrong"


def read_segment(
    source: bytes, destination: bytes, data: bytes, length: int, number: int, time_ns: int
) -> tuple[bytes, Segment] | Diagnostic:
    """Return the ports and the segment in ``data``; ``length`` is the segment's as declared.

    Returns a diagnostic instead, over the bytes of ``data``, if the header is wrong
    (``tcp-malformed``) or has not been captured whole (``packet-cut``).
    """
    size = len(data)
    if length < TCP_HEADER.size:
        return diagnose("tcp-malformed", 0, size, f"20 bytes expected, {length} found")
    if size < TCP_HEADER.size:
        return diagnose("packet-cut", 0, size)
    ports, seq, ack, flags, window, _, urgent_pointer = TCP_HEADER.unpack_from(data)
    header = flags >> 12 << 2
    if not TCP_HEADER.size <= header <= length:
        found = f"a header of {header} bytes in a segment of {length}"
        return diagnose("tcp-malformed", 0, size, found)
    return ports, Segment(
        seq,
        ack,
        flags & FLAGS,
        data[header:],
        length - max(size, header),
        number,
        time_ns,
        urgent_pointer,
        data[TCP_HEADER.size : header],
        source + destination + data if size == length else b"",
        window,
    )


def whole_segment(data: bytes, start: int, end: int, number: int, time_ns: int) -> Segment | None:
    """Return the segment at [start, end) of a packet, which lies whole there after two addresses of
    IPv4; None if its header is not right. The same as :func:`read_segment`'s."""
    if end - start < SHORTEST:
        return None
    _, seq, ack, flags, window, _, urgent_pointer = TCP_HEADER.unpack_from(data, start)
    content = start + (flags >> 12 << 2)
    if not start + SHORTEST <= content <= end:
        return None
    options = data[start + SHORTEST : content]
    summed = data[start - 8 : end]
    return Segment(
        seq, ack, flags & FLAGS, data[content:end], 0, number, time_ns, urgent_pointer, options,
        summed, window,
    )  # fmt: skip


def is_summed(summed: bytes) -> bool:
    """Whether the checksum of a whole segment after two addresses of IPv4 is right."""
    size = len(summed) - 8
    number = int.from_bytes(summed, "big") << 8 * (size % 2)
    return not (number + TCP + size) % 0xFFFF


class Scrutiny:
    """What a direction's segments are held to: what its first one had."""

    __slots__ = ("_has_begun", "_is_signed", "_can_judge", "_closely")

    def __init__(self) -> None:
        self._has_begun = False
        self._is_signed = False
        self._can_judge = False
        self._closely = 0

    def resume(self, *, can_judge: bool, closely: int) -> None:
        """Go on after others were judged, none of them signed: ``closely`` more are."""
        self._has_begun, self._can_judge, self._closely = True, can_judge, closely

    @property
    def is_close(self) -> bool:
        """Whether every segment must be shown to it; where they are signed, to the end."""
        return self._closely > 0 or self._is_signed

    def passes(self, segment: bytes, payload: int, addresses: bytes) -> bool:
        """Whether a whole segment is taken, if it is as usual but for being looked at; counts it.

        ``payload`` is where its payload begins. False leaves it to :meth:`fault`: it may be signed,
        or its checksum is not right.
        """
        if self._is_signed or (payload != SHORTEST and segment[SHORTEST:24] != ONLY_TIMESTAMPS):
            return False
        if len(segment) != payload and self._can_judge and not is_summed(addresses + segment):
            return False
        self._closely -= self._closely > 0
        return True

    def doubt(self) -> None:
        """Look at every segment from here on: one was not what it seemed."""
        if self._can_judge:
            self._closely = 1 << 62

    def trust(self) -> None:
        """Judge no more: a checksum that was wrong here was right elsewhere."""
        self._can_judge = False
        self._closely = 0

    def fault(self, segment: Segment, is_usual: bool) -> tuple[str, str] | None:
        """Return why the receiver drops a segment, code and detail; None if it takes it.

        ``is_usual``: all it does is to carry data in order and acknowledge some.
        """
        if not self._has_begun:
            self._has_begun = True
            self._is_signed = segment.is_signed
            self._can_judge = segment.checksum == "right"
            self._closely = CLOSELY if self._can_judge else 0
            return None
        self._closely -= self._closely > 0
        code = ""
        if segment.is_signed != self._is_signed:
            code = "tcp-signature-unexpected"
        elif self._can_judge and not is_usual and segment.checksum == "wrong":
            self.doubt()
            code = "tcp-checksum-wrong"
        if not code:
            return None
        return code, f"{len(segment.payload):,} bytes in packet {segment.number}"
