"""What judges look at: one exchange in columns of numbers, bounded whatever it carries.

Strategy: judges ask for times, packets and places of elements, never for their data; what an
element says was read by its dialect when it came. So a trace keeps a number per question
(:mod:`.marks`), and of more than MAX_MARKS elements only the longest waits.
Times are seconds since the epoch, packets count from 1, offsets and lengths are bytes of the
sender's stream.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from parsers import Indivisible
from parsers.records import (
    AwsEventRecord,
    BodyElementRecord,
    BodyRecord,
    ChunkRecord,
    DataRecord,
    DiagnosticRecord,
    Fields,
    GapRecord,
    GrpcMessageRecord,
    Http2DataRecord,
    JsonLineRecord,
    PartRecord,
    Record,
    Sent,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..dialects.payload import CONTENT, OTHER, Kind, Payload
from ..dialects.reader import LAST_WORD, DialectReader, may_be_read_by_pieces
from ..exchange import Exchange
from .company import Company
from .conversation import Conversation
from .event_ids import NO_IDS, EventIds
from .firsts import MAX_FIRSTS, Firsts, with_firsts
from .hazard_facts import HazardFacts
from .http2_facts import MAX_HOLES, Http2Facts
from .marks import MAX_MARKS, NO_MARKS, Marks
from .past import Past, Word
from .verdict import Verdict

MAX_FAULTS = 64
"""Diagnostics of an exchange that are kept; of more, the first ones."""
MAX_LATE_FAULTS = 16
"""The latest ones that are kept besides: what is said of the end comes last."""
LAST_WORDS: frozenset[Kind] = frozenset(("finish", "done", "error"))
"""Kinds that tell how the application ended its stream."""

KNOWN = frozenset(("about", "company"))
"""What of a trace is known wherever it is judged."""


class Trace:
    """One exchange as judges see it."""

    elements: Marks = NO_MARKS
    """Of the response, or the server's messages: what the application wrote, piece by piece,
    keep-alives and last words among it (by their kind)."""
    contents: int = 0
    """How many of them carry generated content; of a stream without dialect none do."""
    firsts: Firsts = ()
    """The first of them that have data, to tell another leg of the same answer by."""
    pieces: Marks = NO_MARKS
    """Chunks of the response, or the runs of a body that has no framing of its own."""
    piece_sizes: array[int] | tuple[int, ...] = ()
    """The content of each of them in bytes, still coded; 0 of the last chunk."""
    requested_elements: Marks = NO_MARKS
    """Of the request's body; the client's messages."""
    requested_pieces: Marks = NO_MARKS
    """Chunks or runs of the request's body that have content."""
    faults: Sequence[DiagnosticRecord] = ()
    late_faults: Sequence[DiagnosticRecord] = ()
    """The latest of those past MAX_FAULTS."""
    around: Sequence[DiagnosticRecord] = ()
    """Faults of its connection that belong to no exchange."""
    gaps: Sequence[GapRecord] = ()
    """The first MAX_FAULTS."""
    late_holes: array[float] | None = None
    """When the server's bytes were found missing of those past them, MAX_HOLES at most."""
    http2: Http2Facts | None = None
    """What it shares with the other streams of its connection."""
    words: Mapping[Kind, Word] = MappingProxyType({})
    """The last element of each kind that tells how the application ended."""
    trailers: Fields | None = None
    """Those of a chunked response that has ended."""
    ids: EventIds = NO_IDS
    before: tuple[Past[Trace], ...] = ()
    """Earlier exchanges that asked for the same."""
    past: Past[Trace] | None = None
    """What is remembered of it for those that follow."""
    short: list[Verdict] | None = None
    """All that is said of a short answer that came whole, if that was asked before all else."""
    streaming: Verdict | None = None
    """What is said of whether it streamed, if that was asked before all else."""
    asked_meanwhile: tuple[Trace, ...] = ()
    """Exchanges that asked for the same on other connections while this one had no answer yet: its
    leg behind a proxy, or other clients. :func:`.legs.leg_behind` tells which is which."""
    last_payload: Payload | None = None
    """What the last element said."""
    is_chunk: bytes | bytearray = b""
    """Of each element in the columns whether a client is given it as a piece of the answer:
    comments are none, nor is the literal ``[DONE]``."""
    tokens: int | None = None
    """Output tokens as the stream itself counts them: its last word on that."""
    first_tokens: int | None = None
    """How many tokens the first content brought, where each element counts."""
    is_elsewhere: bool = False
    """Whether another process takes its records still, and this one knows its heads alone."""
    is_remembered: bool = False
    """Whether what is remembered of it is known nevertheless."""
    _reader: DialectReader | None = None
    _hazards: HazardFacts | None = None
    _is_read_by_pieces: bool | None = None
    """Whether chunks or runs are what is read; None until the first one comes."""

    def __init__(self, about: Exchange, company: Company | None = None) -> None:
        # What an exchange has none of stands in the class: a short one has next to nothing.
        self.about = about
        self.company = Company() if company is None else company
        """What else happened meanwhile in its capture."""

    def __getstate__(self) -> dict[str, Any]:
        """Return what judges ask of it, where its exchange is known and no record follows."""
        return {name: value for name, value in vars(self).items() if name not in KNOWN}

    def check_here(self) -> None:
        """Raise Indivisible if its records are taken elsewhere."""
        if self.is_elsewhere:
            raise Indivisible("the leg behind a proxy goes on elsewhere", is_for_one=True)

    def check_remembered(self) -> None:
        """Raise Indivisible if there may be more to remember of it than is known here."""
        if self.is_elsewhere and not self.is_remembered:
            raise Indivisible("an exchange that goes on elsewhere is asked about")

    @property
    def reader(self) -> DialectReader:
        """Reads what its elements say."""
        if self._reader is None:
            self._reader = DialectReader(self.about)
        return self._reader

    @property
    def dialect_name(self) -> str:
        """The name of what its elements speak, empty if no dialect knows them."""
        return "" if self._reader is None else self._reader.name

    @property
    def has_more_to_tell(self) -> bool:
        """Whether there are faults or gaps, or an element was read: a short answer has none."""
        is_faulty = self.faults or self.gaps or self.around or self.about.reset is not None
        return bool(is_faulty) or self._reader is not None

    @property
    def hazards(self) -> HazardFacts:
        """What in it some clients are unprepared for."""
        if self._hazards is None:
            self._hazards = HazardFacts(self.about)
        return self._hazards

    @property
    def hazards_found(self) -> Mapping[str, list[int]]:
        """What :attr:`hazards` have noted."""
        return {} if self._hazards is None else self._hazards.found

    @cached_property
    def conversation(self) -> Conversation:
        """What the frames of a WebSocket amount to; most exchanges have none."""
        return Conversation()

    def end(self) -> None:
        """Read no more."""
        if self._reader is not None:
            self._reader.end()

    @property
    def streamed(self) -> Marks:
        """What streamed: its elements; of content that has none, chunks or runs."""
        return self.elements if self.elements.count else self.pieces

    @property
    def requested(self) -> Marks:
        """What the client sent: elements, or the chunks or runs of content that has none."""
        return self.requested_elements if self.requested_elements.count else self.requested_pieces

    @property
    def total(self) -> int:
        """How many elements came: comments and the last chunk are none."""
        counts = self.about.counts
        if self.about.transport == "sse":
            return counts.events
        return self.elements.count or counts.chunks or counts.runs

    @property
    def all_faults(self) -> list[DiagnosticRecord]:
        """The diagnostics that are kept, in their order."""
        return [*self.faults, *self.late_faults]

    def add(self, record: Record) -> None:
        """Take the next record, which its exchange has taken already."""
        take = _TAKE.get(type(record))
        if take is not None:
            take(self, record)

    def _frame(self, frame: WebSocketFrameRecord) -> None:
        self.conversation.add(frame, self.about.answer)

    def _body(self, body: BodyRecord) -> None:
        if body.trailers and body.sender == "server":
            self.trailers = body.trailers

    def _fault(self, fault: DiagnosticRecord) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults = [*self.faults, fault]
        else:
            self.late_faults = [*self.late_faults, fault][-MAX_LATE_FAULTS:]

    def _gap(self, gap: GapRecord) -> None:
        if len(self.gaps) < MAX_FAULTS:
            self.gaps = [*self.gaps, gap]
        elif gap.sender != "server":
            return
        elif self.late_holes is None:
            self.late_holes = array("d", [gap.first_time])
        elif len(self.late_holes) < MAX_HOLES:
            self.late_holes.append(gap.first_time)

    @property
    def takes_together(self) -> bool:
        """Whether what streams of it may be taken together, by what is known of it so far."""
        response = self.about.response
        return response is not None and response.transport in ("sse", "websocket")

    def _piece(self, record: ChunkRecord | DataRecord | Http2DataRecord) -> None:
        if record.sender == "client":
            if record.size:
                self.requested_pieces = own(self.requested_pieces)
                self.requested_pieces.add(record)
            return
        said = self._read_piece(record)
        self.pieces = own(self.pieces)
        self.pieces.add(record, said.kind)
        response = self.about.response
        is_plain = response is not None and response.transport == "sse" and not response.codings
        if is_plain and not isinstance(record, Http2DataRecord):
            self.hazards.piece(record)
        if self.pieces.count == 1:
            self.piece_sizes = (record.size,)
        elif self.pieces.count <= MAX_MARKS:
            self.own_sizes().append(record.size)
        if isinstance(record, ChunkRecord) and record.trailers:
            self.trailers = record.trailers
        if self._is_read_by_pieces and record.size and self.reader.name:
            self.take_said(record, said)

    def _read_piece(self, piece: ChunkRecord | DataRecord | Http2DataRecord) -> Payload:
        """Return what a chunk or run says: nothing, where other elements are made of them."""
        if self._is_read_by_pieces is None:
            self._is_read_by_pieces = may_be_read_by_pieces(self.about)
        if not self._is_read_by_pieces or isinstance(piece, Http2DataRecord) or not piece.size:
            return OTHER
        return self.reader.read(piece)

    def _element(self, record: SseEventRecord | BodyElementRecord | WebSocketMessageRecord) -> None:
        if record.sender == "client":
            self.requested_elements = own(self.requested_elements)
            self.requested_elements.add(record)
            if isinstance(record, WebSocketMessageRecord):
                self.reader.read(record)  # some of what the server says depends on it
            return
        if type(record) is SseEventRecord:
            self.own_ids().add(record)
            self.hazards.event(record)
        elif type(record) is JsonLineRecord:
            self.hazards.element(record)
        elif type(record) is GrpcMessageRecord and record.trailers is not None:
            self.trailers = record.trailers  # of gRPC-Web
        payload = self.reader.read(record)
        if len(self.firsts) < MAX_FIRSTS:
            self.firsts = with_firsts(self.firsts, (record,))
        self.elements = own(self.elements)
        self.elements.add(record, payload.kind)
        if self.elements.count <= MAX_MARKS:
            self.own_flags().append(is_piece_of_answer(record))
        self.take_said(record, payload)

    def own_sizes(self) -> array[int]:
        """Return the sizes of pieces, of which more follow."""
        if isinstance(self.piece_sizes, tuple):
            self.piece_sizes = array("q", self.piece_sizes)
        return self.piece_sizes

    def own_flags(self) -> bytearray:
        """Return the flags of elements, to which more are added."""
        if not isinstance(self.is_chunk, bytearray):
            self.is_chunk = bytearray()
        return self.is_chunk

    def own_ids(self) -> EventIds:
        if self.ids is NO_IDS:
            self.ids = EventIds()
        return self.ids

    def take_said(self, record: Sent, payload: Payload) -> None:
        """Take what an element says, or a chunk where that is what is read."""
        self.last_payload = payload
        if payload.tokens is not None:
            self.tokens = payload.tokens
        if payload.kind in LAST_WORDS:
            word = Word(payload, record.last_packet, record.last_time)
            self.words = {**self.words, payload.kind: word}
        if payload.extra and "finish" in payload.extra:
            word = Word(payload, record.last_packet, record.last_time)
            self.words = {**self.words, "finish": word}
        if payload.kind in CONTENT:
            if not self.contents:
                self.first_tokens = payload.tokens
            self.contents += 1


_TAKE: Mapping[type[Any], Callable[[Trace, Any], None]] = {
    SseEventRecord: Trace._element,
    JsonLineRecord: Trace._element,
    PartRecord: Trace._element,
    AwsEventRecord: Trace._element,
    GrpcMessageRecord: Trace._element,
    WebSocketMessageRecord: Trace._element,
    WebSocketFrameRecord: Trace._frame,
    ChunkRecord: Trace._piece,
    DataRecord: Trace._piece,
    Http2DataRecord: Trace._piece,
    BodyRecord: Trace._body,
    DiagnosticRecord: Trace._fault,
    GapRecord: Trace._gap,
}
"""What a trace does with each kind of record: a look-up costs less than the comparisons."""


def own(marks: Marks) -> Marks:
    """Return marks that may be added to, in the place of those that stand for none."""
    return Marks() if marks is NO_MARKS else marks


def is_piece_of_answer(
    element: SseEventRecord | BodyElementRecord | WebSocketMessageRecord,
) -> bool:
    """Whether a client is given an element as a piece of the answer."""
    is_event = type(element) is not SseEventRecord or element.dispatched
    return is_event and element.data != LAST_WORD
