"""What streams of an exchange, taken by its trace many records at once.

Strategy: of records of one kind the same is asked, so they become columns (:mod:`.marks`), and each
question is asked of a column: a third of what it takes record by record. Where records might tell
something that depends on their order, they are taken one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parsers.records import (
    ChunkRecord,
    DataRecord,
    Http2DataRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..dialects.payload import CONTENT, OTHER, Payload
from ..dialects.reader import LAST_WORD
from ..exchange import CLOSE
from .blocks import Blocks
from .firsts import MAX_FIRSTS, with_firsts
from .marks import KIND_NUMBERS, Columns, columns, reach_of_all
from .trace import Trace, is_piece_of_answer, own

OTHER_NUMBER = KIND_NUMBERS["other"]
TEXT_NUMBER = KIND_NUMBERS["text"]
Streaming = (
    ChunkRecord
    | DataRecord
    | Http2DataRecord
    | SseEventRecord
    | WebSocketFrameRecord
    | WebSocketMessageRecord
)
"""Records that come in such numbers that they are taken together."""
EVENTFUL = frozenset((ChunkRecord, DataRecord, Http2DataRecord, SseEventRecord))
FRAMED = frozenset((WebSocketFrameRecord, WebSocketMessageRecord))
SEVERAL = 4
"""Fewer records are taken one by one: to look at them together costs more."""


def add_stream(trace: Trace, records: Sequence[Streaming]) -> None:
    """Take records of one exchange at once, which its exchange has not taken.

    The same comes out as if both were given each of them.
    """
    if len(records) < SEVERAL or not _add_together(trace, records):
        for record in records:
            trace.about.add(record)
            trace.add(record)


def _add_together(trace: Trace, records: Sequence[Streaming]) -> bool:
    """Take records at once if they are of a sort of which that is known to be the same."""
    response = trace.about.response
    kinds = set(map(type, records))
    if kinds <= FRAMED:
        return _add_frames(trace, records)
    if response is None or response.transport != "sse" or not kinds <= EVENTFUL:
        return False
    if "client" in [record.sender for record in records]:
        return False
    return _add_events(trace, records)


def _add_events(trace: Trace, records: Sequence[Any]) -> bool:
    """Take what the server sends of an event stream, and what carries it."""
    blocks = [record for record in records if type(record) is SseEventRecord]
    pieces = [record for record in records if type(record) is not SseEventRecord]
    in_blocks, in_pieces = (
        columns(blocks, trace.elements.room),
        columns(pieces, trace.pieces.room),
    )
    if not _reach_over(trace, [some for some in (in_blocks, in_pieces) if some.times]):
        return False
    if pieces:
        _pieces(trace, pieces, in_pieces)
    if blocks:
        _blocks(trace, Blocks.of(blocks), in_blocks)
    return True


def _add_frames(trace: Trace, records: Sequence[Any]) -> bool:
    """Take what both sides of a WebSocket send, if that is data."""
    frames = [record for record in records if type(record) is WebSocketFrameRecord]
    if max([frame.opcode for frame in frames], default=0) >= CLOSE:
        return False
    messages = [record for record in records if type(record) is WebSocketMessageRecord]
    sent = [message for message in messages if message.sender == "server"]
    asked = [message for message in messages if message.sender == "client"]
    in_sent, in_asked = (
        columns(sent, trace.elements.room),
        columns(asked, trace.requested_elements.room),
    )
    found = columns(frames, 0), in_sent, in_asked
    if not _reach_over(trace, [some for some in found if some.times]):
        return False
    trace.about.counts.messages += len(messages)
    if frames:
        trace.about.add_frames(len(frames))
        trace.conversation.add_all(frames)
    if asked:
        trace.requested_elements = own(trace.requested_elements)
        trace.requested_elements.add_all(in_asked, bytes((OTHER_NUMBER,)) * len(asked))
    _messages(trace, messages, sent, in_sent)
    return True


def _messages(
    trace: Trace,
    messages: Sequence[WebSocketMessageRecord],
    sent: Sequence[WebSocketMessageRecord],
    found: Columns,
) -> None:
    """Take messages of both sides, those that the server sent among them."""
    if len(trace.firsts) < MAX_FIRSTS:
        trace.firsts = with_firsts(trace.firsts, sent)
    if trace.reader.is_unspoken:
        if sent:
            _silent(trace, [message.data for message in sent], found)
        return
    said = [trace.reader.read(message) for message in messages]
    if sent:
        told = zip(messages, said, strict=True)
        _said(trace, sent, [one for message, one in told if message.sender == "server"], found)


def _reach_over(trace: Trace, found: Sequence[Columns]) -> bool:
    """Have the exchange reach over records, unless one is of packet 0 and has no place."""
    extent = reach_of_all(found)
    if extent[0]:
        trace.about.reach_over(*extent)
    return extent[0] > 0


def _pieces(
    trace: Trace, pieces: Sequence[ChunkRecord | DataRecord | Http2DataRecord], found: Columns
) -> None:
    sizes = [piece.size for piece in pieces]
    kinds = list(map(type, pieces))
    chunks = kinds.count(ChunkRecord)
    trace.about.counts.runs += len(pieces) - chunks
    if chunks:
        empty = [piece.size for piece in pieces if type(piece) is ChunkRecord].count(0)
        trace.about.counts.chunks += chunks - empty
    trace.own_sizes().extend(sizes[: trace.pieces.room])
    trace.pieces = own(trace.pieces)
    trace.pieces.add_all(found, bytes((OTHER_NUMBER,)) * len(pieces))
    response, last = trace.about.response, pieces[-1]
    plain = [piece for piece in pieces if not isinstance(piece, Http2DataRecord)]
    if plain and response is not None and not response.codings:
        trace.hazards.pieces(plain)
    if type(last) is ChunkRecord and last.trailers:
        trace.trailers = last.trailers


def _blocks(trace: Trace, several: Blocks, found: Columns) -> None:
    blocks = several.blocks
    trace.about.counts.blocks += len(blocks)
    trace.about.counts.events += several.dispatched
    trace.own_ids().add_all(blocks, several.are_dispatched)
    if len(trace.firsts) < MAX_FIRSTS:
        trace.firsts = with_firsts(trace.firsts, blocks)
    trace.elements = own(trace.elements)
    trace.hazards.events(several)
    events = [block.event for block in blocks]
    if several.are_dispatched and trace.reader.is_silent(events, several.data):
        _silent(trace, several.data, found)
        return
    if several.are_dispatched and trace.reader.is_plain(events, several.data):
        _plain(trace, several, found)
        return
    _said(trace, blocks, [trace.reader.read(block) for block in blocks], found)


def _plain(trace: Trace, several: Blocks, found: Columns) -> None:
    """Take events that say what their text says in the dialect of the exchange."""
    texts = trace.reader.texts(several.data)
    if texts is None:
        _said(trace, several.blocks, trace.reader.read_all(several.data), found)
        return
    trace.elements.add_all(found, bytes((TEXT_NUMBER,)) * len(texts))
    trace.own_flags().extend(b"\1" * len(found.offsets))  # as many as there was room for
    trace.contents += len(texts)
    trace.last_payload = Payload("text", texts[-1])


def _said(
    trace: Trace,
    elements: Sequence[SseEventRecord | WebSocketMessageRecord],
    said: Sequence[Payload],
    found: Columns,
) -> None:
    """Take elements of the server, and what they say."""
    shown = elements[: trace.elements.room]
    trace.elements = own(trace.elements)
    kinds, more = [one.kind for one in said], [one.extra for one in said]
    trace.elements.add_all(found, bytes([KIND_NUMBERS[kind] for kind in kinds]))
    trace.own_flags().extend(map(is_piece_of_answer, shown))
    if CONTENT.issuperset(kinds) and not any(more):
        _take_contents(trace, said)
        return
    for element, payload in zip(elements, said, strict=True):
        trace.take_said(element, payload)


def _take_contents(trace: Trace, said: Sequence[Payload]) -> None:
    """Take what several elements say, all of which carry content and nothing else."""
    tokens = [one.tokens for one in said]
    if not trace.contents:
        trace.first_tokens = tokens[0]
    trace.contents += len(said)
    trace.last_payload = said[-1]
    if tokens.count(None) < len(tokens):
        trace.tokens = [one for one in tokens if one is not None][-1]


def _silent(trace: Trace, data: Sequence[str | None], found: Columns) -> None:
    """Take elements of the server that say nothing that a dialect knows, by their data."""
    shown = data[: trace.elements.room]
    trace.elements = own(trace.elements)
    trace.own_flags().extend([one != LAST_WORD for one in shown])
    trace.elements.add_all(found, bytes((OTHER_NUMBER,)) * len(data))
    trace.last_payload = OTHER
