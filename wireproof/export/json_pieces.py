"""JSON that is too long for the memory, in pieces: lists that grow, and texts of any length.

Strategy: what is long is encoded as it comes and put aside. A value that holds such pieces is
encoded with a mark in the place of each; NUL is one, for JSON never holds it.
"""

from __future__ import annotations

from base64 import b64encode
from codecs import getincrementaldecoder
from collections.abc import Iterable
from itertools import chain, zip_longest

import msgspec

from ..spool import Pieces, Spool

ENCODER = msgspec.json.Encoder()
MARK = b"\0"


class JsonList:
    """A list of values, which are encoded as they come."""

    __slots__ = ("_pieces",)

    def __init__(self, spool: Spool) -> None:
        self._pieces = Pieces(spool)

    def add(self, *values: object) -> None:
        """Add values. Raises OSError if there is no room."""
        several = ENCODER.encode(values)[:-1]
        self._pieces.add(b"," + several[1:] if self._pieces.size else several)

    def end(self) -> Pieces:
        """Return the list, which gets no more values."""
        self._pieces.add(b"]" if self._pieces.size else b"[]")
        return self._pieces


def encoded(value: object, spool: Spool, *, is_open: bool = False) -> Pieces:
    """Return a value in JSON; what stands in it as pieces is taken as it is.

    Of one that ``is_open`` the last bracket is left out.
    """
    held: list[Pieces] = []

    def mark(pieces: object) -> msgspec.Raw:
        if not isinstance(pieces, Pieces):
            raise NotImplementedError(f"{type(pieces).__name__} is no JSON")
        held.append(pieces)
        return msgspec.Raw(MARK)

    found = Pieces(spool)
    parts = msgspec.json.encode(value, enc_hook=mark).split(MARK)
    if is_open:
        parts[-1] = parts[-1][:-1]
    for part, pieces in zip_longest(parts, held):
        found.add(part)
        if pieces is not None:
            found.take(pieces)
    return found


class NotText(ValueError):
    """What is UTF-8 and holds NUL: no text has it, and JSON takes six characters for each."""


def text(data: Iterable[bytes], spool: Spool) -> Pieces:
    """Return UTF-8 as a string of JSON. Raises UnicodeDecodeError if it is none, and NotText."""
    found = Pieces(spool)
    found.add(b'"')
    decode = getincrementaldecoder("utf-8")().decode
    try:
        for piece in data:
            if MARK in piece:
                raise NotText
            found.add(ENCODER.encode(decode(piece))[1:-1])
        decode(b"", True)
    except ValueError:
        found.discard()
        raise
    found.add(b'"')
    return found


def base64_text(data: Iterable[bytes], spool: Spool) -> Pieces:
    """Return bytes in base64 as a string of JSON."""
    found = Pieces(spool)
    found.add(b'"')
    rest = b""
    for piece in chain(data, (None,)):
        held = rest + (piece or b"")
        whole = len(held) if piece is None else len(held) // 3 * 3
        found.add(b64encode(held[:whole]))
        rest = held[whole:]
    found.add(b'"')
    return found
