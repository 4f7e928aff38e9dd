"""Two lists of elements become rows: equal, only one side's, different, or explained.

Strategy: elements are paired by their place, (kind, stream, sender, offset), in a dictionary: one
pass over each side. A pair gives a row for each value; an element without its like gives one row
for the whole. Each of our elements is also asked of tshark's segments: which packets carried it,
and when. A row that is not equal is held against the list of explanations, whose conditions look
at the row and at both elements. Rows are made one at a time: only the elements stand in memory.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ..analysis.selection import Chosen
from .decoded import Decoded
from .elements import Element, Kind, Place, Value
from .explanations import Difference, Explanation, explain
from .fields import Version
from .segments import Witness

Verdict = Literal["equal", "only wireproof", "only Wireshark", "differs", "explained"]
VERDICTS: tuple[Verdict, ...] = (
    "differs",
    "only wireproof",
    "only Wireshark",
    "explained",
    "equal",
)
"""Most urgent first."""
UNEXPLAINED = frozenset(VERDICTS[:3])

WITNESSED = ("stream", "first_packet", "last_packet", "first_time", "last_time")
"""What tshark's segments are asked about each of our elements."""

WHOLE = "all"
"""Stands for the field where an element has no like on the other side."""


Order = tuple[int, int, int]
"""Whether only Wireshark has the element, whether that is no connection, and its number."""


@dataclass(slots=True)
class Row:
    """One field of one element, as both sides have it."""

    verdict: Verdict
    frame: int
    stream: int
    sender: str
    offset: int | None
    """In its sender's stream of TCP; None of what was decrypted."""
    element: str
    field: str
    wireproof: Value
    wireshark: Value
    explanation: Explanation | None = None


class Comparison:
    """Our elements beside Wireshark's."""

    def __init__(
        self,
        decoded: Decoded,
        theirs: Iterable[Element],
        witness: Witness,
        version: Version,
        wanted: Chosen | None = None,
        *,
        has_late_secrets: bool = False,
    ) -> None:
        """``wanted`` are the exchanges that have rows, with their connections; None: all have."""
        for one in decoded.elements:
            one.facts.late_secrets = has_late_secrets
        self._witness = witness
        self._version = version
        self._ports = decoded.ports
        self._ours = decoded.elements
        self._pairs, self._only_theirs = _pair(decoded.elements, theirs)
        self._note_what_is_later(decoded.closed)
        for one in self._only_theirs:
            if one.kind in ("http2_frame", "http2_section"):
                one.facts.codes = decoded.faults_at(one)
        if wanted is not None:
            self._leave_out(wanted)

    def _leave_out(self, wanted: Chosen) -> None:
        """Keep what belongs to exchanges that are wanted, and to their connections.

        What only Wireshark shows is of the exchange whose elements stand before it.
        """
        places: dict[tuple[int, str], list[tuple[int, int]]] = {}
        for ours in self._ours:
            if ours.exchange is not None:
                side = places.setdefault((ours.stream, ours.sender), [])
                side.append((ours.offset, ours.exchange))
        for side in places.values():
            side.sort()
        self._ours = [one for one in self._ours if wanted.has(one.stream, one.exchange)]
        self._only_theirs = [
            theirs
            for theirs in self._only_theirs
            if wanted.has(theirs.stream, _exchange_at(places, theirs))
        ]

    def _note_what_is_later(self, closed: dict[int, int]) -> None:
        """Note which packets tshark counts to a stream after its connection has closed."""
        for ours in self._ours:
            if ours.kind == "connection" and ours.stream in closed:
                last = closed[ours.stream]
                ours.facts.later_packets = self._witness.packets_after(ours.stream, last)
        for theirs in self._only_theirs:
            last = closed.get(theirs.stream, theirs.frame)
            theirs.facts.is_later = theirs.frame > last

    def rows(self) -> Iterator[Row]:
        """Yield all rows: our elements in our order, then what only Wireshark has."""
        return (row for _, row in self.ordered_rows())

    def ordered_rows(self) -> Iterator[tuple[Order, Row]]:
        """Yield the same, and where each is in the order of all connections' rows."""
        for ours in self._ours:
            order = 0, 0, ours.number
            for row in self._rows_of(ours):
                yield order, row
        for theirs in self._only_theirs:
            order = 1, int(theirs.kind != "connection"), theirs.number
            yield order, self._row(None, theirs, WHOLE, None, _summary(theirs))

    def _rows_of(self, ours: Element) -> Iterator[Row]:
        theirs = self._pairs.get(ours.place())
        if theirs is None:
            yield self._row(ours, None, WHOLE, _summary(ours), None)
        else:
            yield from self._fields(ours, theirs)
        if ours.sender and ours.end > ours.offset and not ours.facts.in_tls:
            yield from self._arrival(ours)

    def _fields(self, ours: Element, theirs: Element) -> Iterator[Row]:
        names = dict.fromkeys((*ours.values, *theirs.values))
        for name in names:
            if name in WITNESSED and ours.sender:
                continue
            yield self._row(ours, theirs, name, ours.values.get(name), theirs.values.get(name))

    def _arrival(self, ours: Element) -> Iterator[Row]:
        """Yield rows that hold tshark's segments against when our element came."""
        client, server = self._ports[ours.stream]
        port = client if ours.sender == "client" else server
        found = self._witness.arrival(ours.stream, port, ours.offset, ours.end)
        seen: tuple[Value, ...] = (None,) * len(WITNESSED)
        if found is not None:
            first, last = found
            stream = self._witness.by_frame[last.frame].stream
            seen = stream, first.frame, last.frame, first.time, last.time
        for name, theirs in zip(WITNESSED, seen, strict=True):
            yield self._row(ours, ours, name, ours.values[name], theirs)

    def _row(
        self, ours: Element | None, theirs: Element | None, name: str, our: Value, their: Value
    ) -> Row:
        verdict = _verdict(our, their)
        known = None
        if verdict != "equal":
            known = explain(Difference(ours, theirs, name, our, their), self._version)
        element = ours or theirs
        assert element is not None
        return Row(
            verdict if known is None else "explained",
            element.frame,
            element.stream,
            element.sender,
            None if element.facts.in_tls else element.offset,
            element.kind,
            name,
            our,
            their,
            known,
        )


def _exchange_at(
    places: dict[tuple[int, str], list[tuple[int, int]]], element: Element
) -> int | None:
    """Return the exchange of our last element that begins where another does, or before it."""
    side = places.get((element.stream, element.sender), [])
    index = bisect_right(side, (element.offset, sys.maxsize))
    return side[max(index - 1, 0)][1] if side else None


def _verdict(ours: Value, theirs: Value) -> Verdict:
    if ours == theirs:
        return "equal"
    if theirs is None:
        return "only wireproof"
    return "only Wireshark" if ours is None else "differs"


def _pair(
    ours: list[Element], theirs: Iterable[Element]
) -> tuple[dict[Place, Element], list[Element]]:
    """Return Wireshark's element for the place of each of ours that has one, and the others."""
    known = {element.place(): element for element in ours}
    pairs: dict[Place, Element] = {}
    others: list[Element] = []
    for element in theirs:
        place = element.place()
        if place not in known and element.other_offset is not None:
            place = (*place[:3], element.other_offset)
        if place in known and place not in pairs:
            pairs[place] = element
            known[place].facts.shown = True
            element.facts.codes = known[place].facts.codes
        else:
            others.append(element)
    return pairs, others


def _summary(element: Element) -> str:
    """Return what an element is, in a few words."""
    return SUMMARIES[element.kind].format_map(_Texts(element.values))


SUMMARIES: dict[Kind, str] = {
    "connection": "{packets} packets",
    "request": "{method} {target}",
    "response": "{status} {reason}",
    "chunk": "size {size}",
    "tls": "{version} {sni} {cipher}",
    "tls_record": "{type}, {size} bytes",
    "http2_frame": "{type} of stream {stream_id}, {size} bytes",
    "http2_section": "stream {stream_id}, {header 0}",
    "websocket_frame": "opcode {opcode}, length {payload_length}",
}


class _Texts(dict[str, Value]):
    """Values by name; what Wireshark does not say of an element is a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"
