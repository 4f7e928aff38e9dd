"""Where decoding of a direction may go on after bytes that are missing or cannot be read.

Strategy: a place is certain when it proves itself. A start line stands at the beginning of a line
and is stricter than its grammar asks for. A chunk stands behind a CRLF, and where its size says
that it ends there is CRLF and another chunk's size, or the end of the body. Bytes are searched
when the line that they belong to has ended; of what has been searched only the last line is kept,
or the chunk that waits for its proof, never more than MAX_RESYNCHRONISE bytes. So each byte is
searched twice at most.
"""

from __future__ import annotations

import re

from .limits import MAX_LINE, MAX_RESYNCHRONISE

# RFC 9112 section 7.1: chunk-size CRLF, here without extensions and with at most 64 bits.
NEXT_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}\r\n")
NEXT_SIZE_BEGINS = re.compile(rb"[0-9A-Fa-f]{0,16}\r?")
UNFINISHED_LINE_LIMIT = MAX_LINE


class Resynchroniser:
    """Searches input for a start line, and for a chunk if ``chunks`` is set.

    ``offset`` is that of the first input byte; ``at_line_start`` says that a start line may begin
    with it. After a find, ``found`` says what it was: ``"message"`` or ``"chunk"``.
    """

    __slots__ = ("found", "_pattern", "_kept", "_offset", "_from", "_need")

    def __init__(
        self, offset: int, start_line: bytes, *, chunks: bool = False, at_line_start: bool = True
    ) -> None:
        self.found = ""
        chunk = rb"\r\n([0-9A-Fa-f]{1,16})\r\n|" if chunks else rb""
        self._pattern = re.compile(chunk + rb"\n" + start_line)
        # A line end before the first byte, so that what stands there can be found.
        self._kept = bytearray(b"\n" if at_line_start else b"")
        self._offset = offset - len(self._kept)  # of the first byte of _kept
        self._from = 0  # where in _kept to search on
        self._need = 0  # bytes of _kept without which no further place can be judged

    def receive_data(self, data: bytes, pos: int) -> tuple[int, bytes] | None:
        """Search on at ``pos``; return the place's offset and the bytes from there on."""
        kept = self._kept
        searched = len(kept)
        kept += data[pos:]
        if b"\n" not in data[pos:] and not self._need:
            self._forget(searched)
            return None
        if len(kept) < self._need:
            return None
        found = self._search()
        return None if found is None else (self._offset + found, bytes(kept[found:]))

    def _search(self) -> int | None:
        """Return where in what is kept decoding may go on; forget what cannot matter."""
        self._need = 0
        kept = self._kept
        while (match := self._pattern.search(kept, self._from)) is not None:
            size = match[1] if match.re.groups else None
            if size is None:
                self.found = "message"
                return match.start() + 1
            need = self._missing_proof(match.end(), int(size, 16))
            if need == 0:
                self.found = "chunk"
                return match.start() + 2
            if need > 0 and need - match.start() <= MAX_RESYNCHRONISE:
                del kept[: match.start()]
                self._offset += match.start()
                self._from, self._need = 0, need - match.start()
                return None
            self._from = match.start() + 1
        self._forget(self._from)
        return None

    def _missing_proof(self, start: int, size: int) -> int:
        """Return how long ``_kept`` must be to judge a chunk; 0: it is one, -1: it is none."""
        kept = self._kept
        end = start + size + 2 if size else start + 2
        if len(kept) < end:
            return end
        if kept[end - 2 : end] != b"\r\n":
            return -1
        if not size or NEXT_SIZE.match(kept, end):
            return 0
        return len(kept) + 1 if NEXT_SIZE_BEGINS.fullmatch(kept, end) else -1

    def _forget(self, searched: int) -> None:
        """Keep the last line, with the CR before its LF, if a start line can still begin there."""
        kept = self._kept
        last = max(kept.rfind(b"\n", max(searched - 1, 0)), 0)
        if last == 0 and len(kept) > UNFINISHED_LINE_LIMIT:
            last = len(kept) - 1  # too long for a start line: only a CR may still matter
        cut = max(last - 1, 0)
        del kept[:cut]
        self._offset += cut
        self._from = 0
