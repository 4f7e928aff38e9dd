"""What lies in many runs of a side's bytes, told at once: the elements that hold any of them.

Strategy: neighbouring packets of a connection bring bytes that lie beside one another, so their
elements are looked up together, and what :func:`.parts.parts_of` tells of each run, a reader works
out: the parts of each element, as far as they are in the run (``page/columns.js`` does). Where it
might tell something else, runs are told one by one: in TLS and HTTP/2, and wherever elements or
exchanges do not follow one another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from parsers.records import Sender

from .elements import Place, side_of
from .exchange import ExchangeRow
from .frame import Brought, parts_in
from .index import MAX_REACHING, Index
from .parts import ABOVE, MAX_PARTS, borders, kinds_of

WHOLE = frozenset((*ABOVE, "q", "r"))
"""Kinds that have no framing."""
UNFRAMED = 3
"""Numbers that are written of one of those."""
BLOCKS = 8
"""Blocks of packets whose elements are looked up at once, about: each brings as much of a side."""
MAX_AHEAD = 40_000
"""Elements that are kept for the blocks that follow, in 12 MiB: of a thousand connections that take
turns, those of 8 packets each. If fewer were, each packet's would be looked up anew."""


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

    __slots__ = ("start", "lanes", "size", "covered")

    def __init__(self, start: int, lanes: Sequence[Lane], covered: int) -> None:
        self.start = start
        self.lanes = lanes
        self.size = sum(len(lane.elements) for lane in lanes)
        """How many elements they have."""
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
        return self.spans.size


def spans_of(index: Index, connection: int, sender: Sender, start: int, end: int) -> Spans | None:
    """Return the elements that hold bytes of [start, end) of what a side sent; None where these do
    not tell what :func:`.parts.parts_of` tells of bytes among them."""
    if index.wires.get(connection) is not None:
        return None
    found: list[Lane] = []
    covered = start
    exchanges = list(index.reaching(connection, side_of(sender, "tcp"), start))
    for exchange in exchanges:
        if not index.order.is_detailed(exchange.number):
            return None
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


class Together:
    """Tells what lies in packets, many of them at once.

    Packets come in their order, and those of many connections lie between one another, a few
    elements of each in a block. So elements are looked up for several blocks at once, and kept.
    """

    def __init__(self) -> None:
        self._ahead: dict[tuple[int, Sender], _Ahead] = {}
        self._held = 0  # elements in it

    def parts(self, index: Index, brought: Sequence[Brought | None]) -> list[Any]:
        """Return the same as :func:`.frame.each_alone`, but as a Run what spans tell."""
        reached: dict[tuple[int, Sender], tuple[int, int]] = {}
        for one in brought:
            if one is not None and len(one.runs) == 1:
                side, (start, end) = one[:2], one.runs[0]
                first, last = reached.get(side, (start, end))
                reached[side] = start if start < first else first, end if end > last else last
        spans = {side: self._spans(index, side, *between) for side, between in reached.items()}
        return [[] if one is None else _run(one, spans) or parts_in(index, one) for one in brought]

    def _spans(self, index: Index, side: tuple[int, Sender], start: int, end: int) -> Spans | None:
        ahead = self._ahead.get(side)
        if ahead is None or not ahead.start <= start <= end <= ahead.end:
            upto = end + BLOCKS * (end - start)
            spans = spans_of(index, *side, start, upto)
            if spans is None:
                return spans_of(index, *side, start, end)
            if ahead is not None:
                self._held -= ahead.spans.size
            if self._held > MAX_AHEAD:
                self._ahead.clear()
                self._held = 0
            ahead = self._ahead[side] = _Ahead(spans, upto)
            self._held += spans.size
        return ahead.cut(start, end)


class _Ahead:
    """The elements of a side as far as they have been looked up."""

    def __init__(self, spans: Spans, end: int) -> None:
        self.spans = spans
        self.start = spans.start
        self.end = end
        self._lanes = [(lane, *_places(lane, spans.start)) for lane in spans.lanes]

    def cut(self, start: int, end: int) -> Spans:
        """Return those that hold bytes of [start, end)."""
        found: list[Lane] = []
        for lane, rows, starts, ends in self._lanes:
            first = bisect_right(ends, start)
            last = bisect_left(starts, end, first)
            if first < last:
                elements = lane.elements[first:last]
                elements[0] = 0, 0, *elements[0][2:]
                row, offset, upto = rows[first], starts[first] - start, ends[last - 1]
                found.append(Lane(*lane[:3], row, offset, elements, upto))
        return Spans(start, found, self.spans.covered)


def _places(lane: Lane, start: int) -> tuple[list[int], list[int], list[int]]:
    """Return the row of each element of a lane, and where it begins and ends."""
    rows, starts, ends = [], [], []
    row, upto = lane.row, start + lane.offset
    for step, gap, *sizes in lane.elements:
        row += step
        begin = upto + gap
        upto = begin + sum(sizes)
        rows.append(row)
        starts.append(begin)
        ends.append(upto)
    return rows, starts, ends


def _run(brought: Brought, spans: Mapping[tuple[int, Sender], Spans | None]) -> Run | None:
    if len(brought.runs) != 1:
        return None
    found, (start, end) = spans[brought[:2]], brought.runs[0]
    if found is None or end > found.covered:
        return None
    return Run(found, start, end - start, start + brought.shift)
