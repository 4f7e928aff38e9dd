"""Which element each byte belongs to: of a packet, and of what a TLS record held.

Strategy: in HTTP/2 the frames say whose their bytes are, for its streams lie between one another;
else exchanges follow each other, and those that reach so far are looked through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from parsers.provenance import Layer
from parsers.records import Sender

from .elements import FRAME_TYPES, Elements, Place, content_span, side_of
from .exchange import ExchangeRow
from .index import Index
from .wire import FRAMES, TLS_RECORDS, Wire

MAX_PARTS = 2_000
"""Elements that are named of one packet."""
HTTP, WEBSOCKET = ("q", "r", "k", "h", "b"), ("f",)
ABOVE = ("e", "m", "x")
OUTER_FIRST = (*HTTP, *WEBSOCKET, *ABOVE)


class Part(NamedTuple):
    """A run of bytes that belongs to an element."""

    start: int
    end: int
    layer: str
    """``record`` of TLS, ``head``, ``framing``, ``payload``, or ``content`` for what stands above
    the framing."""
    kind: str
    key: str
    row: int


def parts_of(
    index: Index,
    connection: int,
    sender: Sender,
    layer: Layer,
    start: int,
    end: int,
    shift: int = 0,
) -> list[Part]:
    """Return what lies in bytes [start, end) of a side's in a layer, the outer before the inner.

    Its places are told with ``shift`` added: those in a packet, or in a TLS record.
    """
    wire = index.wires.get(connection)
    found = [] if wire is None else list(_below(wire, sender, layer, start, end, shift))
    owners: Iterable[ExchangeRow] | None = _owners(wire, found)
    if owners is None:
        owners = index.reaching(connection, side_of(sender, layer), start)
    is_framed = wire is not None and FRAMES in wire.elements
    for exchange in owners:
        more = _overlaps(exchange, sender, layer, start, end, shift)
        if not more and found and not is_framed:
            break
        if index.order.is_detailed(exchange.number):
            found += more
    return found


def _below(
    wire: Wire, sender: Sender, layer: Layer, start: int, end: int, shift: int
) -> Iterator[Part]:
    """Yield the records of TLS and the frames of HTTP/2 that hold bytes of [start, end)."""
    for kind in (TLS_RECORDS, FRAMES):
        elements = wire.elements.get(kind)
        if elements is None:
            continue
        for row, place in elements.overlapping(sender, start, end, MAX_PARTS, layer):
            for begin, upto, what in _split(kind, place):
                begin, upto = max(begin, start), min(upto, end)
                if begin < upto:
                    yield Part(begin + shift, upto + shift, what, kind, wire.name, row)


def _owners(wire: Wire | None, found: Iterable[Part]) -> list[ExchangeRow] | None:
    """Return whose frames these are, None where there are none."""
    rows = [part.row for part in found if part.kind == FRAMES]
    if wire is None or not rows:
        return None
    owners = (wire.exchange_of(wire.streams[row]) for row in rows)
    return list(dict.fromkeys(one for one in owners if one is not None))


def _overlaps(
    exchange: ExchangeRow, sender: Sender, layer: Layer, start: int, end: int, shift: int
) -> list[Part]:
    """Return the parts of an exchange's elements in [start, end)."""
    name, has_frames = exchange.name, "h" in exchange.elements
    found: list[Part] = []
    payloads: list[tuple[int, int]] = []
    for kind, elements in kinds_of(exchange):
        # Between the frames of what is above them those of other streams may lie.
        is_above = has_frames and kind not in HTTP
        for row, place in elements.overlapping(sender, start, end, MAX_PARTS, layer):
            for begin, upto, what in _split(kind, place):
                # Compared in place: calls of max and min take four times as long.
                first = begin if begin > start else start
                last = upto if upto < end else end
                if first >= last:
                    continue
                if is_above:
                    found += [
                        Part(one + shift, other + shift, what, kind, name, row)
                        for one, other in _within(payloads, first, last)
                    ]
                    continue
                if kind == "h" and what == "payload":
                    payloads.append((first, last))
                found.append(Part(first + shift, last + shift, what, kind, name, row))
    return found


def _within(spans: Iterable[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    for first, last in spans:
        if max(first, start) < min(last, end):
            yield max(first, start), min(last, end)


def kinds_of(exchange: ExchangeRow) -> Iterator[tuple[str, Elements]]:
    """Yield the kinds of elements that bytes may be parts of, the outer before the inner."""
    of_kind = exchange.elements
    for kind in OUTER_FIRST:
        elements = of_kind.get(kind)
        if elements is not None and (kind != "b" or not ("h" in of_kind or "k" in of_kind)):
            yield kind, elements


def _split(kind: str, place: Place) -> Sequence[tuple[int, int, str]]:
    """Return the parts of one element: its framing, and what it frames. Some may be empty."""
    first, last, inner = borders(kind, place)
    start, end = place.offset, place.end
    if first == start and last == end:
        return ((start, end, inner),)
    return (start, first, "framing"), (first, last, inner), (last, end, "framing")


def borders(kind: str, place: Place) -> tuple[int, int, str]:
    """Return where that begins and ends which an element frames, and what it is: of one that is
    all framing nothing, before it."""
    start = place.offset
    if kind in ABOVE:
        return start, place.end, "content"
    if kind in "qr" or (kind == FRAMES and place.mark == FRAME_TYPES["HEADERS"]):
        return start, place.end, "head"
    content = content_span(kind, place)
    if content is None:
        return start, start, "payload"
    return *content, "record" if kind == TLS_RECORDS else "payload"
