"""What content is coded or framed with although nothing says so, found by its first bytes.

Strategy: a body's content as it came, before any decoding, is looked at from its beginning, and no
further than it takes to rule out what is looked for: a byte or two of nearly all content. Chunk
framing is certain with its second line, when the first one's size has led to it. A diagnostic's
place is the byte that made it certain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..diagnostics import Diagnostic, diagnose, excerpt
from ..expressions import when_used
from ..http1.chunked import Data
from ..http1.messages import Request, Response
from .transport import media_type

CODING_MAGIC = {
    b"\x1f\x8b\x08": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x78\x01": "deflate",
    b"\x78\x9c": "deflate",
}
"""How coded content begins (RFC 1952 section 2.3.1, RFC 8878 section 3.1.1, RFC 1950 section 2.2).
Not 78 da, which deflate may begin with: so does text, in UTF-8."""
# Content of these types is text: it begins with none of that by itself.
_TEXT = rb"text/.+|application/(?:.+\+)?(?:json|xml|javascript|x-ndjson|ndjson|jsonl)"
# chunk-size [ chunk-ext ] CRLF (RFC 9112 section 7.1), first in the content and after chunk data
_FIRST_LINE = rb"([0-9A-Fa-f]{1,8})(?:[ \t;][^\r\n]*)?\r\n"
_NEXT_LINE = rb"\r\n[0-9A-Fa-f]{1,8}(?:[ \t;][^\r\n]*)?\r\n"
_LINE_BEGINS = rb"(?:\r\n)?(?:[0-9A-Fa-f]{1,8}(?:[ \t;][^\r\n]*)?)?\r?"
# Few bodies begin so: the expressions are compiled when one does.
_FIRST_BYTES = frozenset(b"0123456789abcdefABCDEF") | {magic[0] for magic in CODING_MAGIC}
_MAX_LINE = 64
"""Bytes of such a line that are looked at: extensions are hardly ever sent."""


class UndeclaredProbe:
    """Looks at the beginning of one body's content."""

    __slots__ = ("is_over", "_is_chunked", "_is_text", "_head", "_skip", "_first_line", "_start")

    def __init__(self, kind: bytes, codings: tuple[str, ...], *, is_chunked: bool) -> None:
        self.is_over = False
        """Whether nothing more is looked for."""
        self._is_chunked = is_chunked
        self._is_text = not codings and re.fullmatch(_TEXT, kind) is not None
        self._head = b""  # what is looked at
        self._first_line = b""  # of what may be chunk framing
        self._skip = 0  # bytes of its data that are to come
        self._start: int | None = None  # where the content begins

    def receive(self, content: Sequence[Data]) -> Diagnostic | None:
        """Take the next pieces of content, and return what they show."""
        for piece in content:
            data = piece.data
            self._start = piece.start if self._start is None else self._start
            pos = 0
            while pos < len(data):
                if self._skip:
                    skipped = min(self._skip, len(data) - pos)
                    self._skip -= skipped
                    pos += skipped
                    continue
                had = len(self._head)
                self._head += data[pos : pos + _MAX_LINE - had]
                found, used = self._look(self._start, piece.start + pos - had)
                if found is not None or self.is_over:
                    self.is_over = True
                    return found
                pos = pos + used - had if used else len(data)
        return None

    def _look(self, start: int, head_start: int) -> tuple[Diagnostic | None, int]:
        """Return what the head shows, and how many bytes of it are done with."""
        head = self._head
        if not self._first_line and self._is_text:
            for magic, coding in CODING_MAGIC.items():
                if head.startswith(magic):
                    detail = f"it begins as {coding} does, with {magic.hex(' ')}"
                    end = start + len(magic)
                    return diagnose("content-coding-undeclared", end - 1, end, detail), 0
            if any(magic.startswith(head) for magic in CODING_MAGIC):
                return None, 0
        line = re.match(_NEXT_LINE if self._first_line else _FIRST_LINE, head)
        if line is None:
            self.is_over = len(head) == _MAX_LINE or re.fullmatch(_LINE_BEGINS, head) is None
            return None, 0
        if self._first_line:
            code = "content-chunked-twice" if self._is_chunked else "content-chunked-undeclared"
            detail = f"it begins with {excerpt(self._first_line)}"
            end = head_start + line.end()
            return diagnose(code, end - 1, end, detail), 0
        self._first_line = line[0]
        self._skip = int(line[1], 16)
        self._head = b""
        self.is_over = not self._skip
        return None, line.end()


# What servers that want TLS say to plain HTTP: nginx, Apache httpd, Go, Tomcat.
_WANTS_TLS = when_used(
    rb"(?i)plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled"
    rb"|sent an HTTP request to an HTTPS server|combination of host and port requires TLS"
)
_MAX_REFUSAL = 1024


class PlainHttpProbe:
    """Looks whether a 400 says that its port wants TLS."""

    __slots__ = ("is_over", "_head")

    def __init__(self) -> None:
        self.is_over = False
        self._head = b""

    def receive(self, content: Sequence[Data]) -> Diagnostic | None:
        """Take the next pieces of content, and return what they show."""
        for piece in content:
            before = len(self._head)
            self._head += piece.data[: _MAX_REFUSAL - before]
            found = _WANTS_TLS.search(self._head)
            self.is_over = found is not None or len(self._head) >= _MAX_REFUSAL
            if found is not None:
                end = piece.start + found.end() - before
                detail = "the client speaks HTTP/1.1 without TLS: use https:// on this port"
                return diagnose("protocol-mismatch", end - 1, end, detail)
            if self.is_over:
                break
        return None


Probe = UndeclaredProbe | PlainHttpProbe


def is_looked_at(status: int | None, first: int) -> bool:
    """Whether content that is not coded, and begins with the byte ``first``, is looked at at all.

    ``status`` is a response's, None of a request.
    """
    return status == 400 or first in _FIRST_BYTES


def probe_for(head: Request | Response, first: bytes) -> Probe | None:
    """Return what looks at a body whose content begins with ``first``, None if that says it all."""
    if isinstance(head, Response) and head.status == 400 and not head.codings:
        return PlainHttpProbe()
    if not first or first[0] not in _FIRST_BYTES:
        return None
    kind = media_type(head.headers)[0]
    return UndeclaredProbe(kind, head.codings, is_chunked=head.framing == "chunked")
