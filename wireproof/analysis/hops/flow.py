"""What one sender of one exchange sent, as digests: enough to find it again on another leg.

Strategy: an element is known again by a hash of what it says, of 8 bytes, so that chunks, codings,
IDs, comments and line ends do not matter. With it stand when its last byte came, in which packet,
and how large it is; what it said is not kept. Beside them stands each piece that framing or packets
cut the content into, for how a hop releases what it held shows in these.
"""

from __future__ import annotations

from array import array

MAX_ELEMENTS = 262_144
"""Elements of one flow that are kept, 32 bytes each; further ones are counted."""
MAX_PIECES = 65_536
"""Chunks or runs of one flow that are kept, 16 bytes each; further ones are counted."""
MAX_HOLES = 4_096
"""Holes of one flow whose times are kept; further ones are counted."""
MAX_IDS = 256
"""Of so many elements of one flow IDs are kept, to see whether a hop changes them."""


def with_hole(holes: array[float] | None, time: float) -> array[float]:
    """Return when bytes are missing, once more at ``time``; most flows lack none."""
    if holes is None:
        return array("d", [time])
    if len(holes) < MAX_HOLES:
        holes.append(time)
    return holes


class Flow:
    """The elements of one direction, in columns; times are seconds since the epoch."""

    __slots__ = (
        *("marks", "times", "packets", "sizes", "count"),
        *(
            "piece_times",
            "piece_sizes",
            "pieces",
            "keep_alives",
            "gaps",
            "holes",
            "last_time",
            "ids",
            "head",
        ),
    )

    def __init__(self) -> None:
        self.marks = array("q")
        """A hash of each element's content; equal in this process for equal content."""
        self.times = array("d")
        """When each one's last byte came."""
        self.packets = array("q")
        """The packet that brought it, from 1."""
        self.sizes = array("q")
        """Bytes of each one's content."""
        self.count = 0
        """How many came; the columns hold the first MAX_ELEMENTS."""
        self.piece_times = array("d")
        self.piece_sizes = array("q")
        """Bytes of each chunk or run, as they were sent: coded, if they are."""
        self.pieces = 0
        self.keep_alives = 0
        """Comments and blocks without data: a hop may add or drop them."""
        self.gaps = 0
        """How often the capture lacks bytes of it."""
        self.holes: array[float] | None = None
        """When that was seen, the first MAX_HOLES times."""
        self.last_time = 0.0
        self.head = 0
        """Bytes of the message's head, which a buffer may hold before the content."""
        self.ids: dict[int, str] = {}
        """The ID of each of the first events that has one of its own, by their marks."""

    def __len__(self) -> int:
        return len(self.marks)

    def add(self, content: object, size: int, time: float, packet: int) -> None:
        """Take the next element; ``content`` is hashed."""
        self.count += 1
        self.last_time = time
        if self.count > MAX_ELEMENTS:
            return
        self.marks.append(hash(content))
        self.times.append(time)
        self.packets.append(packet)
        self.sizes.append(size)

    def add_hole(self, time: float) -> None:
        """Take note that bytes are missing, which a packet shows at ``time``."""
        self.gaps += 1
        self.holes = with_hole(self.holes, time)

    def add_piece(self, size: int, time: float) -> None:
        """Take note of the next chunk or run."""
        self.pieces += 1
        if self.pieces <= MAX_PIECES:
            self.piece_times.append(time)
            self.piece_sizes.append(size)

    def clear(self) -> None:
        """Forget the elements."""
        for column in (self.marks, self.times, self.packets, self.sizes):
            del column[:]
        self.count = 0
