"""What masks the content of a message, by what that is.

Strategy: what a decoder takes apart keeps what it is taken apart by: lines of event streams, JSON,
the prefixes of gRPC's messages. Whatever else there is, compressed content among it, is masked
whole.
"""

from __future__ import annotations

import re
from typing import Protocol

from parsers.records import Fields, RequestRecord, ResponseRecord

from .heads import Heads
from .lines import CODED_LINE, LineText, event_lines, json_lines, masked_coded_line
from .masking import Veil, stars
from .values import JsonText, is_json

GRPC = "application/grpc"
IN_BASE64 = "application/grpc-web-text"
PREFIX = 5
"""Bytes before a message: its flags and its length (gRPC over HTTP/2, PROTOCOL-HTTP2)."""
TRAILERS = 0x80
"""The flag of trailers among messages (PROTOCOL-WEB)."""
FLAGS = (0, 1, TRAILERS, TRAILERS | 1)
MAX_TRAILERS = 16 * 1024
BLANK = b" \t\r\n"
EVENT_LINE = re.compile(rb"(?:\xef\xbb\xbf)?(?:data|event|id|retry)?:")
LONGEST_SIGN = 9
"""Bytes that tell what content begins as."""


class Content(Protocol):
    """Masks content that comes in pieces: gives as many bytes as it got, if not at once."""

    @property
    def waiting(self) -> bytes:
        """What came and has not been given."""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return what of all of them can be given by now."""

    def end(self) -> bytes:
        """Return what waits, as nothing follows it."""

    def lose(self, size: int) -> bytes:
        """Take note that the capture lacks the next bytes; return what can be given by now, with
        asterisks in their place."""


class Unknown:
    """Content of which nothing is known, or that hides what it says."""

    waiting = b""

    def feed(self, data: bytes) -> bytes:
        return stars(len(data))

    def end(self) -> bytes:
        return b""

    def lose(self, size: int) -> bytes:
        return stars(size)


class Undeclared:
    """Content that may be JSON or lines of events, which its first bytes tell."""

    def __init__(self, veil: Veil) -> None:
        self._veil = veil
        self._blank = b""
        self._inner: Content | None = None

    @property
    def waiting(self) -> bytes:
        return self._blank if self._inner is None else self._inner.waiting

    def feed(self, data: bytes) -> bytes:
        if self._inner is not None:
            return self._inner.feed(data)
        text, self._blank = self._blank + data, b""
        begin = text.lstrip(BLANK)
        if len(begin) < LONGEST_SIGN and len(text) <= MAX_TRAILERS:
            self._blank = text
            return b""
        self._inner = self._told_by(begin)
        return self._inner.feed(text)

    def end(self) -> bytes:
        inner = self._inner or self._told_by(self._blank.lstrip(BLANK))
        text, self._blank = self._blank, b""
        return inner.feed(text) + inner.end()

    def lose(self, size: int) -> bytes:
        self._inner = self._inner or self._told_by(self._blank.lstrip(BLANK))
        text, self._blank = self._blank, b""
        done = self._inner.feed(text) + self._inner.lose(size)
        if isinstance(self._inner, JsonText):  # who knows whether what comes is in a string
            self._inner = json_lines()
        return done

    def _told_by(self, text: bytes) -> Content:
        if CODED_LINE.match(text) is not None:
            return LineText(masked_coded_line)
        if EVENT_LINE.match(text) is not None:
            return event_lines(self._veil)
        return JsonText() if is_json(text) else Unknown()


class Prefixed:
    """gRPC's messages, each after its length; of trailers among them the fields are looked at."""

    def __init__(self, heads: Heads) -> None:
        self.waiting = b""
        self._heads = heads
        self._left = 0
        """Bytes of the message at hand that have not come."""
        self._is_lost = False

    def feed(self, data: bytes) -> bytes:
        text, self.waiting = self.waiting + data, b""
        done: list[bytes] = []
        while text and not self._is_lost:
            if not self._left and len(text) < PREFIX:
                self.waiting, text = text, b""
            elif self._left:
                said, text = text[: self._left], text[self._left :]
                self._left -= len(said)
                done.append(stars(len(said)))
            else:
                size = int.from_bytes(text[1:PREFIX])
                self._is_lost = text[0] not in FLAGS
                if text[0] == TRAILERS and size <= MAX_TRAILERS:
                    if len(text) < PREFIX + size:
                        self.waiting, text = text, b""
                        break
                    done.append(text[:PREFIX] + self._heads.fields(text[PREFIX : PREFIX + size]))
                    text = text[PREFIX + size :]
                elif not self._is_lost:
                    done.append(text[:PREFIX])
                    self._left, text = size, text[PREFIX:]
        return b"".join(done) + stars(len(text))

    def end(self) -> bytes:
        text, self.waiting = self.waiting, b""
        return stars(len(text))

    def lose(self, size: int) -> bytes:
        return self.feed(bytes(size))  # lengths tell what comes behind


def content_of(record: RequestRecord | ResponseRecord, heads: Heads, veil: Veil) -> Content:
    """Return what masks the content after a head."""
    if is_coded(record):
        return Unknown()
    if isinstance(record, ResponseRecord) and record.transport == "sse":
        return event_lines(veil)
    kind = media_type(record.headers)
    if kind.startswith(GRPC) and not kind.startswith(IN_BASE64):
        return Prefixed(heads)
    return Undeclared(veil)


def is_coded(record: RequestRecord | ResponseRecord) -> bool:
    """Whether content hides what it says: no verdict on the copy can look into it."""
    return any(coding != "identity" for coding in record.codings)


def media_type(headers: Fields) -> str:
    """Return the type of content by its head, empty if that tells none."""
    named = (value for name, value in headers if name.lower() == "content-type")
    return next(named, "").partition(";")[0].strip().lower()
