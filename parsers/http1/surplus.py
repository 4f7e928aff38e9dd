"""Bytes after a complete message that begin no other one (RFC 9112 section 6.3).

Strategy: they are counted, and their beginning kept, until the next start line that is sure, or to
MAX_SURPLUS. What they are is said once, when that is known, with what the message before them said
of its own end: a body where none may be, or a length that is too small.
"""

from __future__ import annotations

import re

from ..diagnostics import Diagnostic, amount, diagnose, excerpt
from ..limits import MAX_SURPLUS
from .resynchronise import LONGEST_MATCH, Resynchroniser

SHOWN = 60
"""Bytes that are shown of them."""
# RFC 9112 section 7.1: chunk-size [ chunk-ext ] CRLF, and last-chunk CRLF.
LAST_CHUNK = rb"0+\r\n(?:\r\n|\Z)"
CHUNK_LINE = rb"[0-9A-Fa-f]{1,16}(?:;[^\r\n]*)?\r\n"


class Surplus:
    """Surplus bytes from ``start`` on; ``cause`` is what the message before says of its end.

    ``message`` is the pattern of a sure start line.
    """

    def __init__(self, start: int, message: bytes, code: str, cause: str) -> None:
        self.code = code
        self.search = Resynchroniser(start, message)
        self._message = message
        self._start = start
        self._cause = cause
        self._size = 0
        self._beginning = b""

    def pass_over(self, size: int, beginning: bytes) -> None:
        """Count the first ``size`` bytes, which hold no line end and are not searched."""
        self._size, self._beginning = size, beginning
        self.search = Resynchroniser(self._start + size, self._message, at_line_start=False)

    def receive_data(self, data: bytes, pos: int) -> tuple[int, bytes] | None:
        """Count what follows; return where a message begins, and the bytes from there on."""
        if len(self._beginning) < SHOWN:
            self._beginning += data[pos : pos + SHOWN - len(self._beginning)]
        self._size += len(data) - pos
        return self.search.receive_data(data, pos)

    @property
    def is_past_limit(self) -> bool:
        """Whether no message can begin within the limit any more, wherever the input is cut."""
        return self._size > MAX_SURPLUS + LONGEST_MATCH

    def fault(self, end: int) -> Diagnostic:
        """Return what is said of them, if they end at ``end``."""
        size = min(end - self._start, MAX_SURPLUS)
        if not size:
            return diagnose(self.code, self._start, self._start + 1)
        beginning = self._beginning[:size]
        more = "more than " if self._start + size < end else ""
        shown = excerpt(beginning) + "..." * (size > len(beginning))
        counted = f"{more}{amount(size, 'byte')}"
        detail = f"{counted} {shown}: {_shape(beginning)}{self._cause}"
        return diagnose(self.code, self._start, self._start + size, detail)


def _shape(beginning: bytes) -> str:
    """Say if they look like chunks."""
    if re.match(LAST_CHUNK, beginning):
        return "a last chunk, but "
    return "chunks, but " if re.match(CHUNK_LINE, beginning) else ""
