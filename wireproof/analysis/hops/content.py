"""Content without elements of its own, cut where what it says cuts it.

Strategy: borders of chunks and of packets are the hop's, so content that nothing divides into
elements is decoded and cut after certain characters: the same content has the same runs, however it
was framed or coded, and again so soon after bytes that are missing. Carriage returns are left out,
for a hop may change line ends.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence

from parsers.content import ContentDecoder
from parsers.records import Encoding

MAX_RUN = 256
"""Bytes of a run in which no such character comes."""
RUN = re.compile(rb"[^\n]{0,%d}?(?:[aeo.,:}\x00] |\n)|.{%d}" % (MAX_RUN - 2, MAX_RUN), re.DOTALL)
"""Up to a line feed, or to a blank after a frequent character."""
MAX_SNIFFED = 64 * 1024
"""Bytes of content in which line ends are counted."""


def content_bytes(data: str, encoding: Encoding | None) -> bytes:
    """Return the bytes of a record's ``data``."""
    return b64decode(data) if encoding == "base64" else data.encode()


class LineEnds:
    """Which line ends the beginning of some content has."""

    __slots__ = ("_left", "_rest", "crlf", "lf")

    def __init__(self) -> None:
        self.crlf = 0
        self.lf = 0
        """Those without a carriage return."""
        self._left = MAX_SNIFFED
        self._rest = b""

    @property
    def is_sure(self) -> bool:
        """Whether no more is looked at."""
        return self._left <= 0

    @property
    def name(self) -> str:
        """``CRLF``, ``LF`` or ``mixed``; empty if there were none."""
        if self.crlf and self.lf:
            return "mixed"
        return "CRLF" if self.crlf else "LF" if self.lf else ""

    def add(self, content: bytes) -> None:
        """Take the next decoded bytes."""
        if self._left <= 0:
            return
        self._left -= len(content)
        content = self._rest + content
        self._rest = b"\r" if content.endswith(b"\r") else b""
        pairs = content.count(b"\r\n")
        self.crlf += pairs
        self.lf += content.count(b"\n") - pairs


class Splitter:
    """Decodes content and cuts it into runs."""

    def __init__(self, codings: Sequence[str]) -> None:
        self.line_ends = LineEnds()
        self._decoder = ContentDecoder(codings)
        self._rest = b""

    def receive_data(self, data: bytes, *, cut: bool) -> list[bytes]:
        """Take the next bytes, still coded; return the runs that they complete.

        Without ``cut`` only line ends are counted.
        """
        found: list[bytes] = []
        for piece in self._decoder.receive_data(data):
            self.line_ends.add(piece)
            if cut:
                found += self._cut(piece.replace(b"\r", b""))
        return found

    def finish(self) -> bytes:
        """Return the last run, empty if there is none."""
        rest, self._rest = self._rest, b""
        return rest

    def _cut(self, piece: bytes) -> list[bytes]:
        content = self._rest + piece
        found = RUN.findall(content)
        self._rest = content[sum(map(len, found)) :]
        return found
