"""What judges look at: one exchange in columns of numbers, bounded whatever it carries.

Strategy: judges ask for times, packets and places of elements, never for their data; what an
element says was read by its dialect when it came. So a trace keeps a number per question
(:mod:`.marks`), and of more than MAX_MARKS elements only the longest waits.
Times are seconds since the epoch, packets count from 1, offsets and lengths are bytes of the
sender's stream.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from parsers.records import (
    AwsEventRecord,
    BodyElementRecord,
    ChunkRecord,
    DataRecord,
    DiagnosticRecord,
    Fields,
    GapRecord,
    GrpcMessageRecord,
    JsonLineRecord,
    PartRecord,
    Record,
    Sent,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..dialects.payload import CONTENT, OTHER, Kind, Payload
from ..dialects.reader import LAST_WORD, DialectReader
from ..exchanges import Exchange
from .company import Company
from .conversation import Conversation
from .event_ids import EventIds
from .hazard_facts import HazardFacts
from .marks import KIND_NUMBERS, MAX_MARKS, Columns, Marks, columns, reach

OTHER_NUMBER = KIND_NUMBERS["other"]
Streaming = ChunkRecord | DataRecord | SseEventRecord
"""Records that come in such numbers that they are taken together."""
SEVERAL = 4
"""Fewer records are taken one by one: to look at them together costs more."""
MAX_FAULTS = 64
"""Diagnostics of an exchange that are kept; of more, the first ones."""
MAX_LATE_FAULTS = 16
"""The latest ones that are kept besides: what is said of the end comes last."""
LAST_WORDS: frozenset[Kind] = frozenset(("finish", "done", "error"))
"""Kinds that tell how the application ended its stream."""


class Word(NamedTuple):
    """An element that tells how the application ended its stream."""

    payload: Payload
    packet: int
    time: float


class Trace:
    """One exchange as judges see it."""

    def __init__(self, about: Exchange, company: Company | None = None) -> None:
        self.about = about
        self.company = Company() if company is None else company
        """What else happened meanwhile in its capture."""
        self.reader = DialectReader(about)
        self.elements = Marks()
        """Of the response, or the server's messages: what the application wrote, piece by piece,
        keep-alives and last words among it (by their kind)."""
        self.contents = Marks()
        """Those that carry generated content; of a stream without dialect there are none."""
        self.pieces = Marks()
        """Chunks of the response, or the runs of a body that has no framing of its own."""
        self.piece_sizes = array("q")
        """The content of each of them in bytes, still coded; 0 of the last chunk."""
        self.requested = Marks()
        """Chunks, runs or elements of the request's body; the client's messages."""
        self.conversation = Conversation()
        """What the frames of a WebSocket amount to."""
        self.faults: list[DiagnosticRecord] = []
        self.late_faults: deque[DiagnosticRecord] = deque(maxlen=MAX_LATE_FAULTS)
        """Those past MAX_FAULTS."""
        self.around: Sequence[DiagnosticRecord] = ()
        """Faults of its connection that belong to no exchange."""
        self.gaps: list[GapRecord] = []
        self.words: dict[Kind, Word] = {}
        """The last element of each kind that tells how the application ended."""
        self.trailers: Fields | None = None
        """Those of a chunked response that has ended."""
        self.ids = EventIds()
        self.hazards = HazardFacts(about)
        self.before: tuple[Past, ...] = ()
        """Earlier exchanges that asked for the same."""
        self.upstream: Trace | None = None
        """The leg behind a proxy on which this one's answer was asked for, if that was seen."""
        self.last_payload: Payload | None = None
        """What the last element said."""
        self.is_chunk = bytearray()
        """Of each element in the columns whether a client is given it as a piece of the answer:
        comments are none, nor is the literal ``[DONE]``."""
        self.tokens: int | None = None
        """Output tokens as the stream itself counts them: its last word on that."""
        self.first_tokens: int | None = None
        """How many tokens the first content brought, where each element counts."""

    @property
    def streamed(self) -> Marks:
        """What streamed: its elements; of content that has none, chunks or runs."""
        return self.elements if self.elements.count else self.pieces

    @property
    def all_faults(self) -> list[DiagnosticRecord]:
        """The diagnostics that are kept, in their order."""
        return [*self.faults, *self.late_faults]

    def add(self, record: Record) -> None:
        """Take the next record, which its exchange has taken already."""
        match record:
            case SseEventRecord() | WebSocketMessageRecord():
                self._element(record)
            case WebSocketFrameRecord():
                self.conversation.add(record, self.about.answer)
            case ChunkRecord() | DataRecord():
                self._piece(record)
            case JsonLineRecord() | PartRecord() | AwsEventRecord() | GrpcMessageRecord():
                self._element(record)
            case DiagnosticRecord():
                kept = len(self.faults) < MAX_FAULTS
                (self.faults if kept else self.late_faults).append(record)
            case GapRecord() if len(self.gaps) < MAX_FAULTS:
                self.gaps.append(record)

    def add_stream(self, records: Sequence[Streaming]) -> None:
        """Take records of one exchange at once, which its exchange has not taken.

        The same comes out as if both were given each of them.
        """
        if len(records) < SEVERAL or not self._is_plain(records):
            self._add_each(records)
            return
        blocks = [record for record in records if isinstance(record, SseEventRecord)]
        pieces = [record for record in records if not isinstance(record, SseEventRecord)]
        found = [columns(some) for some in (pieces, blocks) if some]
        extent = reach(found)
        if not extent[0]:
            self._add_each(records)  # a record of packet 0 has no place
            return
        self.about.add_stream(pieces, blocks, extent)
        if pieces:
            self._pieces(pieces, found[0])
        if blocks:
            self._blocks(blocks, found[-1])

    def _add_each(self, records: Sequence[Streaming]) -> None:
        for record in records:
            self.about.add(record)
            self.add(record)

    def _is_plain(self, records: Sequence[Streaming]) -> bool:
        """Whether records are those of an event stream, all of the server's."""
        response = self.about.response
        if response is None or response.transport != "sse" or self.reader.takes_pieces:
            return False
        return {record.sender for record in records} == {"server"}

    def _pieces(self, pieces: Sequence[ChunkRecord | DataRecord], found: Columns) -> None:
        room = max(0, MAX_MARKS - self.pieces.count)
        self.pieces.add_all(found, bytes((OTHER_NUMBER,)) * len(pieces))
        self.piece_sizes.extend([piece.size for piece in pieces[:room]])
        response, last = self.about.response, pieces[-1]
        if response is not None and not response.codings:
            self.hazards.pieces(pieces)
        if type(last) is ChunkRecord and last.trailers:
            self.trailers = last.trailers

    def _blocks(self, blocks: Sequence[SseEventRecord], found: Columns) -> None:
        self.ids.add_all(blocks)
        self.hazards.events(blocks)
        room = max(0, MAX_MARKS - self.elements.count)
        if self.reader.is_silent(blocks):
            self.elements.add_all(found, bytes((OTHER_NUMBER,)) * len(blocks))
            self.is_chunk += bytes((True,)) * min(room, len(blocks))
            self.last_payload = OTHER
            return
        said = [self.reader.read(block) for block in blocks]
        self.elements.add_all(found, bytes([KIND_NUMBERS[one.kind] for one in said]))
        shown = blocks[:room]
        self.is_chunk += bytes([one.dispatched and one.data != LAST_WORD for one in shown])
        for block, payload in zip(blocks, said, strict=True):
            self._take(block, payload)

    def _piece(self, record: ChunkRecord | DataRecord) -> None:
        if record.sender == "client":
            self.requested.add(record)
            return
        said = self._read_piece(record)
        self.pieces.add(record, said.kind)
        response = self.about.response
        if response is not None and response.transport == "sse" and not response.codings:
            self.hazards.piece(record)
        if self.pieces.count <= MAX_MARKS:
            self.piece_sizes.append(record.size)
        if isinstance(record, ChunkRecord) and record.trailers:
            self.trailers = record.trailers
        if self.reader.takes_pieces and record.size and self.reader.name:
            self._take(record, said)

    def _read_piece(self, piece: ChunkRecord | DataRecord) -> Payload:
        """Return what a chunk or run says: nothing, where other elements are made of them."""
        return self.reader.read(piece) if self.reader.takes_pieces and piece.size else OTHER

    def _element(self, record: SseEventRecord | BodyElementRecord | WebSocketMessageRecord) -> None:
        if record.sender == "client":
            self.requested.add(record)
            if isinstance(record, WebSocketMessageRecord):
                self.reader.read(record)  # some of what the server says depends on it
            return
        if type(record) is SseEventRecord:
            self.ids.add(record)
            self.hazards.event(record)
        elif type(record) is JsonLineRecord:
            self.hazards.element(record)
        payload = self.reader.read(record)
        self.elements.add(record, payload.kind)
        if self.elements.count <= MAX_MARKS:
            is_event = not isinstance(record, SseEventRecord) or record.dispatched
            self.is_chunk.append(is_event and record.data != LAST_WORD)
        self._take(record, payload)

    def _take(self, record: Sent, payload: Payload) -> None:
        """Take what an element says, or a chunk where that is what is read."""
        self.last_payload = payload
        if payload.tokens is not None:
            self.tokens = payload.tokens
        if payload.kind in LAST_WORDS:
            self.words[payload.kind] = Word(payload, record.last_packet, record.last_time)
        if payload.extra and "finish" in payload.extra:
            self.words["finish"] = Word(payload, record.last_packet, record.last_time)
        if payload.kind in CONTENT:
            if not self.contents.count:
                self.first_tokens = payload.tokens
            self.contents.add(record, payload.kind)


class Past:
    """What is remembered of an exchange: no columns, so that it takes little."""

    __slots__ = ("about", "gaps", "ids", "trace", "words")

    def __init__(self, trace: Trace) -> None:
        self.about: Exchange = trace.about
        self.ids: EventIds = trace.ids
        self.gaps: Sequence[GapRecord] = trace.gaps
        self.words: Mapping[Kind, Word] = trace.words
        self.trace: Trace | None = trace
        """As long as it is not over."""
