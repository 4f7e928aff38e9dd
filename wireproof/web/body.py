"""A body as it grew: which packet brought which text, and when.

Strategy: the content's places in the stream come from its chunks, or from its body if it has none;
packets give the bytes, in stream order, each piece with the packet that brought it. Content codings
are undone piece by piece, bounded as everywhere; text that a border cuts inside a character goes to
the piece that completes it.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Any

from parsers.content import ContentDecoder
from parsers.provenance import seconds
from parsers.records import Sender

from .elements import content_span
from .exchange import ExchangeRow
from .index import Index

MAX_BODY = 1024 * 1024
"""Bytes of decoded content that are shown of one body."""
MAX_PIECES = 20_000
MAX_CARRIERS = 4_096
"""Packets of one chunk, or of one body without chunks, that are looked at."""


def body(index: Index, exchange: ExchangeRow, sender: Sender) -> dict[str, Any]:
    """Return the pieces of a body: ``[time, packet, text]``, and whether there is more."""
    head = exchange.response if sender == "server" else exchange.request
    decoder = ContentDecoder([] if head is None else head.codings)
    text = getincrementaldecoder("utf-8")("replace")
    pieces: list[list[Any]] = []
    size = 0
    is_binary = False
    for packet, data in _content(index, exchange, sender):
        decoded = b"".join(decoder.receive_data(data))
        size += len(decoded)
        is_binary = is_binary or b"\0" in decoded
        said = text.decode(decoded)
        if pieces and pieces[-1][1] == packet:
            pieces[-1][2] += said
        else:
            pieces.append([seconds(index.tracer.table[packet].time_ns), packet, said])
        if size >= MAX_BODY or len(pieces) == MAX_PIECES:
            return {"pieces": pieces, "more": True, "binary": is_binary}
    return {"pieces": pieces, "more": False, "binary": is_binary}


def _content(index: Index, exchange: ExchangeRow, sender: Sender) -> Iterator[tuple[int, bytes]]:
    """Yield the packet and the bytes of each piece of content, in stream order."""
    connection = exchange.key.connection
    assert connection is not None
    for start, end in _spans(exchange, sender):
        for carrier in index.tracer.carriers(connection, sender, start, end, MAX_CARRIERS):
            data = index.data(carrier.packet)
            yield carrier.packet, data[carrier.start : carrier.end]


def _spans(exchange: ExchangeRow, sender: Sender) -> Iterator[tuple[int, int]]:
    kind = "k" if "k" in exchange.elements else "b"
    elements = exchange.elements.get(kind)
    for row in range(0 if elements is None else len(elements)):
        assert elements is not None
        place = elements.place(row)
        if place.sender == sender and (span := content_span(kind, place)) is not None:
            yield span
