"""What both sides say of many connections, put aside until these are compared, a part at a time.

Strategy: a part is every PARTS-th connection. What comes of it is encoded and put in a spool, which
keeps little in memory; it is decoded once, when its part is looked at. Of tshark's segments only
numbers are kept, in columns, for an element may ask for any of them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from ..spool import Pieces, Spool
from .elements import Element, Facts, Kind
from .segments import TsharkSegment, microseconds

PARTS = 64
"""Of a capture that is compared: of 65,000 connections, each has a thousand."""
SIZE = 4
"""Bytes before each thing that tell its size."""
T = TypeVar("T")


class Parts(Generic[T]):
    """Things of one type, each in one of the parts, where they are in the order in which they
    came."""

    def __init__(self, kind: type[T], spool: Spool) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._pieces = [Pieces(spool) for _ in range(PARTS)]

    def put(self, part: int, thing: T) -> None:
        """Put a thing aside. Raises OSError if there is no room."""
        encoded = self._encode(thing)
        self._pieces[part % PARTS].add(len(encoded).to_bytes(SIZE) + encoded)

    def all_of(self, part: int) -> Iterator[T]:
        """Yield what was put in a part."""
        waiting = b""
        for piece in self._pieces[part]:
            data = waiting + piece
            start, size = 0, len(data)
            while start + SIZE <= size:
                end = start + SIZE + int.from_bytes(data[start : start + SIZE])
                if end > size:
                    break
                yield self._decode(data[start + SIZE : end])
                start = end
            waiting = data[start:]


class _KeptElement(msgspec.Struct, array_like=True):
    """An element of Wireshark's."""

    number: int
    is_of_message: bool
    """Whether it shares the facts of the one before it."""
    in_tls: bool
    """All that its facts say before it is compared."""
    kind: Kind
    stream: int
    sender: str
    offset: int
    frame: int
    values: dict[str, Any]
    """Text, bytes and numbers: which, their encoding tells."""
    end: int
    other_offset: int | None


class TheirElements:
    """What Wireshark shows, numbered."""

    def __init__(self, elements: Iterable[Element], spool: Spool) -> None:
        self._parts = Parts(_KeptElement, spool)
        facts: Facts | None = None
        for number, one in enumerate(elements):
            kept = _KeptElement(
                number, one.facts is facts, one.facts.in_tls, one.kind, one.stream, one.sender,
                one.offset, one.frame, one.values, one.end, one.other_offset,
            )  # fmt: skip
            self._parts.put(one.stream, kept)
            facts = one.facts

    def all_of(self, part: int) -> Iterator[Element]:
        """Yield those of a part."""
        facts = Facts()
        for kept in self._parts.all_of(part):
            if not kept.is_of_message:
                facts = Facts(in_tls=kept.in_tls)
            yield Element(
                kept.kind, kept.stream, kept.sender, kept.offset, kept.frame, kept.values, facts,
                kept.end, kept.other_offset, number=kept.number,
            )  # fmt: skip


class Segments:
    """All of tshark's segments, by their frames, which only grow."""

    def __init__(self, packets: Iterable[TsharkSegment]) -> None:
        self._frames, self._streams = array("q"), array("q")
        self._ports, self._starts, self._lengths = array("q"), array("q"), array("q")
        self._times = array("d")
        self._of_parts = [array("q") for _ in range(PARTS)]
        for frame, time, stream, port, start, length in packets:
            self._of_parts[stream % PARTS].append(len(self._frames))
            self._frames.append(frame)
            self._times.append(float(time))
            self._streams.append(stream)
            self._ports.append(port)
            self._starts.append(start)
            self._lengths.append(length)

    def get(self, frame: int) -> TsharkSegment | None:
        """Return the segment in a frame, None if it has none."""
        index = bisect_left(self._frames, frame)
        is_there = index < len(self._frames) and self._frames[index] == frame
        return self._at(index) if is_there else None

    def all_of(self, part: int) -> Iterator[TsharkSegment]:
        """Yield those of a part."""
        return map(self._at, self._of_parts[part])

    def _at(self, index: int) -> TsharkSegment:
        return TsharkSegment(
            self._frames[index], microseconds(self._times[index]), self._streams[index],
            self._ports[index], self._starts[index], self._lengths[index],
        )  # fmt: skip
