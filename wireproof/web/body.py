"""A body as it grew: which packet brought which text, and when.

Strategy: the content's places in the stream come from its chunks, or from its body if it has none;
packets give the bytes, in stream order, each piece with the packet that brought it. Content codings
are undone piece by piece, bounded as everywhere; text that a border cuts inside a character goes to
the piece that completes it. What is no text is given in hex: sizes are those of the bytes.
"""

from __future__ import annotations

from base64 import b64decode
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Any, NamedTuple

from parsers.content import ContentDecoder
from parsers.provenance import seconds
from parsers.records import Sender

from .elements import Elements, content_span
from .exchange import ExchangeRow
from .index import Content, Index

MAX_BODY = 1024 * 1024
"""Bytes of decoded content that are shown of one body."""
MAX_PIECES = 20_000
MAX_INVALID = 0.05
"""The part of the characters that may stand for invalid bytes in what is still text."""
REPLACEMENT = "\ufffd"
MAX_CARRIERS = 4_096
"""Packets of one chunk, or of one body without chunks, that are looked at."""


class Piece(NamedTuple):
    """What one packet brought of a body."""

    time: float
    packet: int
    text: str
    """In hex if the body is no text."""
    size: int
    """Bytes of it, its content coding undone."""


def body(index: Index, exchange: ExchangeRow, sender: Sender) -> dict[str, Any]:
    """Return the pieces of a body, and whether there is more."""
    head = exchange.response if sender == "server" else exchange.request
    codings = [] if head is None else head.codings
    decoder = ContentDecoder(codings, index.memory)
    found: list[tuple[int, bytearray]] = []
    size, has_more = 0, False
    for packet, data in _content(index, exchange, sender):
        decoded = b"".join(decoder.receive_data(data)) if codings else data
        size += len(decoded)
        if found and found[-1][0] == packet:
            found[-1][1].extend(decoded)
        else:
            found.append((packet, bytearray(decoded)))
        if size >= MAX_BODY or len(found) == MAX_PIECES:
            has_more = True
            break
    texts = _texts([data for _, data in found])
    is_binary = _is_binary("".join(texts))
    shown = [data.hex(" ") + " " for _, data in found] if is_binary else texts
    places = index.tracer.table.of(packet for packet, _ in found)
    pieces = [
        Piece(seconds(time_ns), packet, text, len(data))
        for (packet, data), text, (time_ns, *_) in zip(found, shown, places, strict=True)
    ]
    return {"pieces": pieces, "more": has_more, "binary": is_binary, "size": size}


def _texts(pieces: list[bytearray]) -> list[str]:
    decoder = getincrementaldecoder("utf-8")("replace")
    return [decoder.decode(piece) for piece in pieces]


def _is_binary(text: str) -> bool:
    return "\0" in text or text.count(REPLACEMENT) > MAX_INVALID * len(text)


def _content(index: Index, exchange: ExchangeRow, sender: Sender) -> Iterator[tuple[int, bytes]]:
    """Yield the packet and the bytes of each piece of content, in stream order."""
    connection = exchange.key.connection
    assert connection is not None
    if (pieces := _kind_of_pieces(exchange, sender)) is not None:
        yield from _of_records(index, exchange.elements[pieces], sender)
        return
    chunks = exchange.elements.get("k")
    # What the other side sent in chunks says nothing of this one.
    if chunks is not None and chunks.sent(sender):
        yield from _of_chunks(index, connection, chunks, sender)
    elif (bodies := exchange.elements.get("b")) is not None:
        yield from _of_bodies(index, connection, bodies, sender)


def _of_chunks(
    index: Index, connection: int, chunks: Elements, sender: Sender
) -> Iterator[tuple[int, bytes]]:
    """Do the same of chunks: their records have what they hold, if that is whole."""
    trail = None  # a connection of QUIC has none
    for some in chunks.together(chunks.sent(sender)):
        held = index.contents([stored for _, stored, _ in some])
        spans: list[tuple[int, int]] = []
        contents: list[bytes | None] = []
        for (_, _, place), content in zip(some, held, strict=True):
            if (span := content_span("k", place)) is not None:
                spans.append(span)
                whole = _bytes_of(content)
                contents.append(whole if len(whole) == place.size else None)
        if not spans:
            continue
        if trail is None:
            trail = index.tracer.connections[connection].trail(sender)
        found = index.tracer.carriers_of(trail, spans, MAX_CARRIERS)
        for (begin, _), carriers, data in zip(spans, found, contents, strict=True):
            for packet, first, last, offset in carriers:
                if data is None:
                    yield packet, _of_packet(index, packet, first, last)
                else:
                    yield packet, data[offset - begin : offset - begin + last - first]


def _of_bodies(
    index: Index, connection: int, bodies: Elements, sender: Sender
) -> Iterator[tuple[int, bytes]]:
    """Do the same of bodies without chunks."""
    for _, _, place in bodies.kept(bodies.sent(sender)):
        if (span := content_span("b", place)) is not None:
            trail = index.tracer.connections[connection].trail(sender)
            for packet, first, last, _ in index.tracer.carriers_in(trail, *span, MAX_CARRIERS):
                yield packet, _of_packet(index, packet, first, last)


def _of_packet(index: Index, packet: int, first: int, last: int) -> bytes:
    return index.spool.read(index.packet_at[packet - 1] + first, last - first)


def _kind_of_pieces(exchange: ExchangeRow, sender: Sender) -> str | None:
    """Return the kind of records that hold a body which lies in no bytes of TCP as such.

    That is one in frames of HTTP/2, with others' in between, or one that TLS carried.
    """
    for kind in "hkt":
        elements = exchange.elements.get(kind)
        rows = elements.sent(sender) if elements is not None else ()
        if elements is not None and rows:
            return kind if kind == "h" or not elements.place(rows[0]).length else None
    return None


def _of_records(index: Index, elements: Elements, sender: Sender) -> Iterator[tuple[int, bytes]]:
    for some in elements.together(elements.sent(sender)):
        contents = index.contents([stored for _, stored, _ in some])
        for (_, _, place), content in zip(some, contents, strict=True):
            yield place.last_packet, _bytes_of(content)


def _bytes_of(content: Content) -> bytes:
    data = content.data or ""
    return data.encode() if content.encoding == "utf-8" else b64decode(data)
