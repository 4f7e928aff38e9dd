"""Messages of a WebSocket without what they say: JSON, behind the types of Socket.IO or not."""

from __future__ import annotations

import re

from .masking import stars
from .values import JsonText, is_json

PACKET = re.compile(rb"[0-6]{1,2}(?=[\[{]|\Z)|[23]probe\Z")
"""The types of Engine.IO and Socket.IO."""
NEEDED = 8
"""Bytes that tell what a message is."""
END = b"\x1e"


class MessageText:
    """Masks one message that comes in pieces: gives as many bytes as it got, if not at once."""

    __slots__ = ("_begin", "_json", "_is_told")

    def __init__(self) -> None:
        self._begin = b""
        self._is_told = False
        self._json: JsonText | None = None

    @property
    def waiting(self) -> bytes:
        """What came and has not been given."""
        return self._begin if self._json is None else self._json.waiting

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return what of all of them can be given by now."""
        if not self._is_told:
            self._begin += data
            return b"" if len(self._begin) < NEEDED else self._tell()
        return stars(len(data)) if self._json is None else self._json.feed(data)

    def _tell(self) -> bytes:
        text, self._begin, self._is_told = self._begin, b"", True
        packet = PACKET.match(text)
        kept = b"" if packet is None else packet[0]
        rest = text[len(kept) :]
        if is_json(rest):
            self._json = JsonText()
            return kept + self._json.feed(rest)
        return kept + stars(len(rest))

    def end(self) -> bytes:
        """Return what waits, as nothing follows it."""
        done = b"" if self._is_told else self._tell()
        return done if self._json is None else done + self._json.end()

    def lose(self, size: int) -> bytes:
        """Take note that the capture lacks the next bytes."""
        return self.feed(bytes(size))
