"""What lies in many runs of a side's bytes, told at once: the elements that hold any of them.

Strategy: neighbouring packets of a connection bring bytes that lie beside one another, so their
elements are looked up together, and what :func:`.parts.parts_of` tells of each run, a reader works
out: the parts of each element, as far as they are in the run (``page/columns.js`` does). Where it
might tell something else, runs are told one by one: in TLS and HTTP/2, and wherever elements or
exchanges do not follow one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from parsers.limits import KiB
from parsers.records import Sender

from .elements import Place, side_of
from .exchange import ExchangeRow
from .frame import FIELDS, frames, parts_in
from .index import MAX_REACHING, Index
from .parts import ABOVE, MAX_PARTS, borders, kinds_of

WHOLE = frozenset((*ABOVE, "q", "r"))
"""Kinds that have no framing."""
UNFRAMED = 3
"""Numbers that are written of one of those."""
PARTS = FIELDS.index("parts")
BLOCK = 256 * KiB
"""Bytes of packets that are told together."""


class Lane(NamedTuple):
    """Elements of one kind, which follow one another."""

    key: str
    kind: str
    layer: str
    """What is between their framing."""
    row: int
    """Of the first."""
    offset: int
    """Of the first, from where the spans start."""
    elements: list[tuple[int, ...]]
    """Of each how many rows it is after the one before, and how many bytes after its end; and how
    many bytes it has, in kinds that have framing those before, in and after what that frames."""
    end: int
    """Of the last."""

    @property
    def columns(self) -> dict[str, Any]:
        """What is written of it."""
        name = "framed" if len(self.elements[0]) > UNFRAMED else "whole"
        return dict(zip(Lane._fields, self[:5], strict=False)) | {name: self.elements}


class Spans:
    """The elements that hold bytes of a side."""

    __slots__ = ("start", "lanes", "covered")

    def __init__(self, start: int, lanes: Sequence[Lane], covered: int) -> None:
        self.start = start
        self.lanes = lanes
        self.covered = covered
        """Up to which offset these are all."""


class Run:
    """Bytes that a packet brought, and the spans that tell what lies in them."""

    __slots__ = ("spans", "start", "size", "at")

    def __init__(self, spans: Spans, start: int, size: int, at: int) -> None:
        self.spans = spans
        self.start = start
        """In the stream."""
        self.size = size
        self.at = at
        """In the frame."""

    def __len__(self) -> int:
        """Return how many elements may have parts in it."""
        return sum(map(len, (lane.elements for lane in self.spans.lanes)))


def spans_of(index: Index, connection: int, sender: Sender, start: int, end: int) -> Spans | None:
    """Return the elements that hold bytes of [start, end) of what a side sent; None where these do
    not tell what :func:`.parts.parts_of` tells of bytes among them."""
    if index.wires.get(connection) is not None:
        return None
    found: list[Lane] = []
    covered = start
    exchanges = list(index.reaching(connection, side_of(sender, "tcp"), start))
    for exchange in exchanges:
        lanes = _lanes(exchange, sender, start, end)
        if lanes is None or (found and any(start + lane.offset < covered for lane in lanes)):
            return None
        if lanes:
            found += lanes
            covered = max(lane.end for lane in lanes)
        elif found:
            return Spans(start, found, covered)  # nor does parts_of look further
    return Spans(start, found, covered if len(exchanges) == MAX_REACHING else end)


def _lanes(exchange: ExchangeRow, sender: Sender, start: int, end: int) -> list[Lane] | None:
    """Return the elements of an exchange in [start, end); None if they do not follow one another,
    or are many."""
    if "h" in exchange.elements:
        return None
    found: list[Lane] = []
    for kind, elements in kinds_of(exchange):
        overlapping = elements.overlapping(sender, start, end, MAX_PARTS)
        if not overlapping:
            continue
        lane = _lane(exchange.name, kind, overlapping, start)
        if lane is None:
            return None
        found.append(lane)
    return found


def _lane(key: str, kind: str, overlapping: list[tuple[int, Place]], start: int) -> Lane | None:
    """Return a lane of elements; None if they do not follow one another, or are many."""
    if len(overlapping) == MAX_PARTS:
        return None
    found: list[tuple[int, ...]] = []
    row, first = overlapping[0]
    before, upto, layer = row, first.offset, ""
    is_framed = kind not in WHOLE
    for number, place in overlapping:
        offset, end = place.offset, place.end
        if offset < upto:
            return None
        begin, last, layer = borders(kind, place)
        sizes = (begin - offset, last - begin, end - last) if is_framed else (end - offset,)
        found.append((number - before, offset - upto, *sizes))
        before, upto = number, end
    return Lane(key, kind, layer, row, first.offset - start, found, upto)


def frames_together(index: Index, packets: Sequence[int]) -> Iterator[list[Any]]:
    """Yield the same of packets as :func:`.frame.frames`, but what lies in one as a Run, where its
    spans tell that."""
    block: list[list[Any]] = []
    held = 0
    for found in frames(index, packets, _Brought):
        block.append([*found])
        held += len(found[-1])
        if held > BLOCK:
            yield from _told(index, block)
            block, held = [], 0
    yield from _told(index, block)


class _Brought(NamedTuple):
    """What a packet brought, until it is known what lies in it: what PartsIn takes."""

    of: Index
    connection: int
    sender: Sender
    runs: list[tuple[int, int]]
    shift: int


def _told(index: Index, block: list[list[Any]]) -> Iterator[list[Any]]:
    """Yield packets, and tell what lies in them."""
    reached: dict[tuple[int, Sender], tuple[int, int]] = {}
    for row in block:
        brought = row[PARTS]
        if type(brought) is _Brought and len(brought.runs) == 1:
            side, (start, end) = brought[1:3], brought.runs[0]
            first, last = reached.get(side, (start, end))
            reached[side] = min(first, start), max(last, end)
    spans = {side: spans_of(index, *side, *between) for side, between in reached.items()}
    for row in block:
        if type(brought := row[PARTS]) is _Brought:
            row[PARTS] = _run(brought, spans) or parts_in(*brought)
        yield row


def _run(brought: _Brought, spans: Mapping[tuple[int, Sender], Spans | None]) -> Run | None:
    if len(brought.runs) != 1:
        return None
    found, (start, end) = spans[brought[1:3]], brought.runs[0]
    if found is None or end > found.covered:
        return None
    return Run(found, start, end - start, start + brought.shift)
