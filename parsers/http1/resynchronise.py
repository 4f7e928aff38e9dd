"""Where decoding of a direction may go on after bytes that are missing or cannot be read.

Strategy: a place is certain when it proves itself. A message begins with a start line that is
stricter than its grammar asks for. A chunk stands after a CRLF, and where its size says that it
ends there is CRLF and another chunk's size, or the end of the body. Bytes are searched when a line
has ended; of what has been searched only the last two lines are kept, or the chunk that waits for
its proof, never more than MAX_RESYNCHRONISE bytes. So each byte is searched a few times at most.
"""

from __future__ import annotations

import re

from ..expressions import when_used
from ..limits import MAX_RESYNCHRONISE, KiB

# RFC 9112 section 7.1: chunk-size CRLF, here without extensions and with at most 64 bits.
CHUNK = rb"\r\n([0-9A-Fa-f]{1,16})\r\n"
NEXT_SIZE = when_used(rb"[0-9A-Fa-f]{1,16}\r\n")
NEXT_SIZE_BEGINS = when_used(rb"[0-9A-Fa-f]{0,16}\r?")
LONGEST_MATCH = 16 * KiB


class Resynchroniser:
    """Searches input for a message, and for a chunk if ``chunks`` is set.

    ``message`` is a pattern of at most LONGEST_MATCH bytes without groups; it may look behind for
    LF. ``offset`` is that of the first input byte; ``at_line_start`` says that a line may begin
    with it, and with ``chunks`` a chunk. With ``joins`` nothing says that this is a chunked body at
    all: the last chunk, which proves nothing, is none. After a find, ``found`` says what it was:
    ``"message"`` or ``"chunk"``.
    """

    __slots__ = ("found", "_pattern", "_kept", "_offset", "_from", "_need", "_joins")

    def __init__(
        self,
        offset: int,
        message: bytes,
        *,
        chunks: bool = False,
        at_line_start: bool = True,
        joins: bool = False,
    ) -> None:
        self.found = ""
        self._pattern = re.compile(CHUNK + rb"|" + message if chunks else rb"()" + message)
        # A line end before the first byte, so that what stands there can be found.
        line_end = b"\r\n" if chunks else b"\n"
        self._kept = bytearray(line_end if at_line_start else b"")
        self._joins = joins
        self._offset = offset - len(self._kept)  # of the first byte of _kept
        self._from = 0  # where in _kept to search on
        self._need = 0  # bytes of _kept without which no further place can be judged

    def receive_data(self, data: bytes, pos: int) -> tuple[int, bytes] | None:
        """Search on at ``pos``; return the place's offset and the bytes from there on."""
        kept = self._kept
        data = data[pos:]
        kept += data
        if self._need > len(kept):
            return None
        if not self._need and b"\n" not in data:
            if len(kept) > 4 * LONGEST_MATCH:
                self._drop(len(kept) - LONGEST_MATCH)
            return None
        found = self._search()
        return None if found is None else (self._offset + found, bytes(kept[found:]))

    def _search(self) -> int | None:
        """Return where in what is kept decoding may go on; forget what cannot matter."""
        kept = self._kept
        while (match := self._pattern.search(kept, self._from)) is not None:
            if not match[1]:
                self.found = "message"
                return match.start()
            need = self._missing_proof(match.end(), int(match[1], 16))
            if need == 0:
                self.found = "chunk"
                return match.start() + 2
            if need > 0 and need - match.start() <= MAX_RESYNCHRONISE:
                self._need = need - match.start()
                self._drop(match.start())
                return None
            self._from = match.start() + 1
        self._need = 0
        last = kept.rfind(b"\n")
        before = kept.rfind(b"\n", 0, max(last, 0))
        self._drop(before - 1)  # the CR before it is part of what a chunk begins with
        return None

    def _missing_proof(self, start: int, size: int) -> int:
        """Return how long ``_kept`` must be to judge a chunk; 0: it is one, -1: it is none."""
        kept = self._kept
        if self._joins and not size:
            return -1
        end = start + size + 2 if size else start + 2
        if len(kept) < end:
            return end
        if kept[end - 2 : end] != b"\r\n":
            return -1
        if not size or NEXT_SIZE.match(kept, end):
            return 0
        return len(kept) + 1 if NEXT_SIZE_BEGINS.fullmatch(kept, end) else -1

    def _drop(self, length: int) -> None:
        """Forget the first bytes of what is kept; search the rest from its beginning."""
        if length > 0:
            del self._kept[:length]
            self._offset += length
        self._from = 0
