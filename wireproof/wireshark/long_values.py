"""PDML whose very long values are replaced by their size and digest, before it is parsed.

Strategy: tshark writes out what unfolds a thousand times whole, as text and in hex, in one tag of
tens of megabytes; expat keeps a tag whole, and looks at it from its beginning with each piece that
comes. What is compared of long bytes is their size and digest, and both can be had while they
stream by. So of a value of more than MAX_LENGTH bytes the tag gets an empty ``value`` and a
``digest`` beside it; of other attributes the beginning. Time is linear in what tshark writes, and
memory is bounded.

A value ends at the next quotation mark: inside of one tshark writes ``&quot;``.
"""

from __future__ import annotations

from binascii import Error, unhexlify
from hashlib import sha256

from .elements import digest
from .run import TsharkFailed

MAX_LENGTH = 1 << 20
"""Bytes of a value, as PDML has it, from which on it is not passed on: four times those of the
longest head."""
MAX_BEGINNING = 1 << 12
"""Bytes that stay of what is text."""
QUOTE = b'"'
BYTES = b' value="'
"""What stands before the bytes behind a field, in hex."""
MAX_ENTITY = 10
"""Bytes of the longest reference to a character: one that is cut is left out."""


class ShorterValues:
    """Takes a PDML document piece by piece, and gives it back without very long values."""

    def __init__(self) -> None:
        self._before = b""
        """What stands before what is held: the end of the attribute's name."""
        self._held = b""
        """What came since the last quotation mark."""
        self._bytes: _Digest | None = None
        """What is known of the bytes of a very long value, while they come."""
        self._is_long = False
        """Whether it is inside a very long value."""

    def receive(self, piece: bytes) -> bytes:
        """Take the next bytes and return what may be parsed. Raises TsharkFailed for bytes of a
        field that are no hex."""
        begun = b""
        if self._is_long:
            end = piece.find(QUOTE)
            if end < 0:
                self._add(piece)
                return b""
            self._add(piece[:end])
            begun, piece = self._end(), piece[end:]
        last = piece.rfind(QUOTE) + 1
        if last:
            shown, self._held = self._held + piece[:last], piece[last:]
            self._before = shown[-len(BYTES) :]
            return begun + shown
        self._held += piece
        if len(self._held) > MAX_LENGTH and self._before.endswith(b'="'):
            return self._begin()
        return begun

    def finish(self) -> bytes:
        """Return the rest, where the document stops."""
        return self._end() if self._is_long else self._held

    def _begin(self) -> bytes:
        """Begin to pass over a value; return what is shown of it."""
        held, self._held, self._is_long = self._held, b"", True
        if self._before != BYTES:
            return _beginning(held)
        self._bytes = _Digest()
        self._bytes.add(held)
        return b""

    def _add(self, data: bytes) -> None:
        if self._bytes is not None:
            self._bytes.add(data)

    def _end(self) -> bytes:
        found, self._bytes, self._is_long = self._bytes, None, False
        return b"" if found is None else b'" digest="' + found.text().encode()


class _Digest:
    """Size and digest of bytes that come in hex."""

    def __init__(self) -> None:
        self._size = 0
        self._sha256 = sha256()
        self._half = b""
        """Of the last byte, if it came without its other half."""

    def add(self, digits: bytes) -> None:
        """Take the next digits."""
        digits = self._half + digits
        even = len(digits) & ~1
        try:
            data = unhexlify(digits[:even])
        except Error as error:
            raise TsharkFailed(f"tshark printed {digits[:40]!r} for bytes of a field") from error
        self._size += len(data)
        self._sha256.update(data)
        self._half = digits[even:]

    def text(self) -> str:
        """Return what stands for the bytes in a comparison."""
        return digest(self._size, self._sha256.hexdigest())


def _beginning(value: bytes) -> bytes:
    """Return the first bytes of a value that are whole characters."""
    begun = value[:MAX_BEGINNING].decode(errors="ignore").encode()
    entity = begun.rfind(b"&", -MAX_ENTITY)
    return begun if entity < 0 or b";" in begun[entity:] else begun[:entity]
