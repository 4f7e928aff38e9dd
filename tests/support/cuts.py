"""Feed a decoder the same bytes cut in every way that matters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from parsers.provenance import Decoder, Event


def whole(data: bytes) -> Iterator[bytes]:
    """The data in one piece."""
    yield data


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    """The data in pieces of one byte."""
    for position in range(len(data)):
        yield data[position : position + 1]


def at(cuts: Iterable[int]) -> Callable[[bytes], Iterator[bytes]]:
    """The data cut at the given offsets."""
    chosen = sorted(set(cuts))

    def split(data: bytes) -> Iterator[bytes]:
        for start, end in pairwise([0, *(cut for cut in chosen if 0 < cut < len(data)), len(data)]):
            yield data[start:end]

    return split


def events(
    decoder: Decoder,
    data: bytes,
    split: Callable[[bytes], Iterator[bytes]] = whole,
    eof: bool = True,
) -> list[Event]:
    """Return every event of ``decoder`` for ``data``, cut by ``split``, then ended."""
    found: list[Event] = []
    for piece in split(data):
        found += decoder.receive_data(piece)
    if eof:
        found += decoder.receive_eof()
    return found
