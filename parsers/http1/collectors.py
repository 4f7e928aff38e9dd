"""Where a line or a field section of HTTP/1.1 ends (RFC 9112 sections 2.1 and 2.2).

Strategy: what lies whole in the piece at hand is sliced out of it; only an unfinished rest is kept,
and searched on from where the last search stopped, so that cutting the input finely costs nothing
twice. Past its limit a collector gives up what it holds.
"""

from __future__ import annotations

import re

from ..limits import KiB

MAX_GROWING = 16 * KiB
"""Bytes that come together before they are laid aside."""

# RFC 9112 section 2.2: "a recipient MAY recognize a single LF as a line terminator and ignore any
# preceding CR". The empty line that ends a section may end so too.
SECTION_END = re.compile(rb"\n\r?\n")


class LineCollector:
    """Finds the end of a line of at most ``limit`` bytes, however the input is cut."""

    __slots__ = ("_limit", "_parts", "_size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def pending(self) -> bytes:
        """The beginning of a line that has not ended."""
        return b"".join(self._parts)

    @property
    def beginning(self) -> bytes:
        """The first bytes of such a line: its first piece, and more while that is short."""
        return b"".join(self._parts[:64])

    def take(self, data: bytes, pos: int) -> tuple[int, bytes | None]:
        """Read on at ``pos``; return where reading stopped and the line with its LF.

        The line is None while it has not ended, and empty when its first ``limit`` bytes hold no
        LF: then those bytes are given up.
        """
        room = self._limit - self._size
        end = data.find(b"\n", pos, pos + room) + 1
        if end:
            line = data[pos:end]
            if self._parts:
                line = self.pending + line
                self.clear()
            return end, line
        if len(data) - pos >= room:
            self.clear()
            return pos + room, b""
        self._parts.append(data[pos:])
        self._size += len(data) - pos
        return len(data), None

    def clear(self) -> None:
        """Forget the unfinished line."""
        self._parts.clear()
        self._size = 0


class SectionCollector:
    """Finds the end of ``*( field-line CRLF ) CRLF`` of at most ``limit`` bytes.

    It begins after a line, whose LF is the first byte that is kept: so an empty section ends like
    any other, with LF and an empty line. Of a long one all but the last two bytes are laid aside
    now and then: what grows on and on takes an eighth more than it holds, and leaves gaps in memory
    behind that fit nothing else.
    """

    __slots__ = ("_limit", "_aside", "_size", "_kept")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._aside: list[bytes] = []
        self._size = 0  # of these
        self._kept = bytearray(b"\n")

    @property
    def pending(self) -> bytes:
        """The beginning of a section that has not ended."""
        return b"".join((*self._aside, self._kept))[1:]

    def __len__(self) -> int:
        """Return how long ``pending`` is."""
        return self._size + len(self._kept) - 1

    def take(self, data: bytes, pos: int) -> tuple[int, bytes | None]:
        """Read on at ``pos``; return where reading stopped and the section.

        The section is None while it has not ended, and empty when it is longer than ``limit``:
        then its bytes are given up, and reading may go on to find its end.
        """
        kept = self._kept
        if len(kept) == 1 and pos:
            whole = SECTION_END.search(data, pos - 1, pos + self._limit)
            if whole is not None:
                return whole.end(), data[pos : whole.end()]
        had = len(kept)
        kept += data[pos : pos + self._limit + 1 - had - self._size]
        ended = SECTION_END.search(kept, max(had - 2, 0))
        if ended is not None:
            section = b"".join((*self._aside, kept[: ended.end()]))[1:]
            return pos + ended.end() - had, section
        stop = pos + len(kept) - had
        is_too_long = self._size + len(kept) > self._limit
        if is_too_long:
            self._aside.clear()
            self._size = 0
        elif len(kept) > MAX_GROWING:
            self._aside.append(bytes(kept[:-2]))
            self._size += len(kept) - 2
        else:
            return stop, None
        del kept[:-2]  # an empty line may have begun
        return stop, b"" if is_too_long else None
