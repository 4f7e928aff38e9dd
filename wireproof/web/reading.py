"""What a reader of a stream had seen by when: the content of its elements, one after another.

Strategy: what each element says was put into words when it came; here the content alone is put
together, as it came, with the time and the packet that brought it. A stream without dialect says
what its data is, an event a line.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from .exchange import ExchangeRow
from .index import Index

MAX_PIECES = 20_000
"""Pieces of one part."""
MAX_TEXT = 1024 * 1024
"""Characters of one part, but for its last piece."""
KINDS = "exmtk"
"""What content may be read from, the best first."""
WHOLE = 7
"""Parts of what is said of an element that is content: four words, tokens, text, name and ID."""


class Read(NamedTuple):
    """What one element adds."""

    time: float
    packet: int
    row: int
    kind: str
    """``text``, ``reasoning``, ``tool``, or ``data`` of what no dialect has a word for."""
    text: str
    name: str = ""
    id: str = ""
    tokens: int | None = None
    """Output tokens so far, where the stream counts them."""


def reading(index: Index, exchange: ExchangeRow, start: int) -> dict[str, Any]:
    """Return what the elements of an exchange from row ``start`` on add up to.

    Beside it: what these elements are, and from which row the next part is, None if there is none.
    """
    for kind in KINDS:
        if kind in exchange.elements:
            pieces, upcoming = _bounded(_pieces(index, exchange, kind, start))
            if pieces or kind in "exm":
                return {"elements": kind, "pieces": pieces, "next": upcoming}
    return {"elements": None, "pieces": [], "next": None}


def _bounded(pieces: Iterator[Read]) -> tuple[list[Read], int | None]:
    """Return the pieces of one part, and the row of the piece after them."""
    found: list[Read] = []
    size = 0
    for piece in pieces:
        if len(found) == MAX_PIECES or size > MAX_TEXT:
            return found, piece.row
        found.append(piece)
        size += len(piece.text)
    return found, None


def _pieces(index: Index, exchange: ExchangeRow, kind: str, start: int) -> Iterator[Read]:
    elements = exchange.elements[kind]
    speaks = exchange.spoken is not None
    rows = elements.sent("server")
    first = bisect_left(rows, start)
    shown = rows[first:] if isinstance(rows, range) else islice(rows, first, None)
    for some in elements.together(shown):
        if kind == "e":
            some = [one for one in some if not one[2].mark]  # no comments, nothing that was cut
        about = [(place.last_time, place.last_packet, row) for row, _, place in some]
        stored = [one for _, one, _ in some]
        if speaks:
            for one, (_, words) in zip(about, index.stored_together(stored), strict=True):
                said = msgspec.json.decode(words) if words else []
                if len(said) > WHOLE:
                    sort, _, _, _, tokens, text, name, id_ = said
                    yield Read(*one, sort, text, name, id_, tokens)
        elif kind in "exm":
            for one, content in zip(about, index.contents(stored), strict=True):
                if content.encoding == "utf-8" and content.data:
                    yield Read(*one, "data", content.data + "\n")
