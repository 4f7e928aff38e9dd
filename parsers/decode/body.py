"""One message's body above its framing: content codings, its digest, the elements it is made of.

Strategy: pieces of content come as they arrive, each with its place in the direction's stream.
They are decoded at once, so that an element is complete with the packet that completed it, not with
its chunk or its body; of a body without framing of its own each packet's run is given as well.
``_origins`` maps the decoded bytes back: byte for byte where the content has no coding, else each
piece of output to the whole piece of input that it came out of, which is as exact as a compressor
allows. Where others' bytes lie between those of the content, as on a connection that streams share,
the runs of it are kept too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from ..diagnostics import Diagnostic, diagnose
from ..http1.chunked import Data, MissingData
from ..http1.decoder import EndOfMessage, Request, Response
from ..limits import (
    CHARGE_STEP,
    MAX_AWS_MESSAGE,
    MAX_EVENTS_FREE,
    MAX_EVENTS_RATIO,
    MAX_KEPT_RUNS,
)
from ..memory import Memory
from ..provenance import CLOSED, Decoder, Event, Resumable, SourceMap
from ..records import BodyRecord, DataRecord, Record, SseEventRecord
from ..sse.stream import EventStreamDecoder, ServerSentEvent
from .extents import Extents
from .resuming import Resuming, resumes
from .runs import data_runs
from .undeclared import Probe, probe_for
from .writer import RecordWriter, wire_fields

if TYPE_CHECKING:
    from ..content import ContentDecoder

Origin = tuple[int, int, int | None]
"""Where a run of decoded bytes came from: [start, end) of the stream, and the chunk's index."""

HASH_STEP = 16 * 1024
"""Bytes that are hashed at once: a call for each small chunk would cost more than its hashing."""
FORGET_EVERY = 32
"""Runs of the source map after which those that no open event needs are dropped."""


def content_decoder(codings: Sequence[str], memory: Memory) -> ContentDecoder:
    """Return what undoes ``codings``; its libraries are loaded when the first body has some."""
    from ..content import ContentDecoder

    return ContentDecoder(codings, memory)


class Body:
    """A body while it arrives. What its methods return is in the order of the contract."""

    __slots__ = (
        "exchange",
        "chunks",
        "_writer",
        "_codings",
        "_content",
        "_elements",
        "_extents",
        "_head",
        "_probe",
        "_is_unframed",
        "_origins",
        "_size",
        "_found",
        "_decoded_size",
        "_digest",
        "_unhashed",
        "_unhashed_size",
        "_start",
        "has_hole",
        "_since",
        "_charged",
        "_is_exact",
        "_has_frames",
        "resuming",
    )

    def __init__(
        self,
        exchange: int,
        writer: RecordWriter,
        head: Request | Response,
        elements: Decoder | None,
    ) -> None:
        codings = head.codings
        self.exchange = exchange
        self.chunks: int | None = None
        self._writer = writer
        self._start = head.end
        self._codings = codings
        is_undone = bool(codings) and (elements is not None or writer.wants.contents)
        self._content = content_decoder(codings, writer.account.memory) if is_undone else None
        self._is_exact = self._content is None or not self._content.undoes_any
        """Whether each byte of the decoded content is one of the stream."""
        self._elements = elements
        self._is_unframed = head.framing in ("content-length", "close")
        self._head: Request | Response | None = head  # before the first byte of content
        self._probe: Probe | None = None
        self._origins: SourceMap[Origin] = SourceMap()
        self._extents = None if writer.stream_id is None else Extents()
        self._size = 0
        self._found = 0
        self._decoded_size = 0
        wants = writer.wants
        is_digested = wants.digests_of(writer.sender) and wants.takes(BodyRecord)
        self._digest = sha256() if is_digested else None
        self._unhashed: list[bytes] = []
        self._unhashed_size = 0
        self.has_hole = False
        """Whether some of it is missing."""
        self._has_frames = head.framing == "chunked"
        self.resuming: Resuming | None = None
        """What is kept while it is not known where elements go on."""
        self._since = 0  # bytes since what is held was charged
        self._charged = 0

    def join(self) -> None:
        """Take note that its beginning is missing: what it begins with tells nothing."""
        self._head = None

    def receive(self, content: Sequence[Data]) -> list[Record]:
        """Take the next pieces of content; return the runs and the elements that they completed."""
        if self._extents is not None:
            for piece in content:
                self._extents.add(piece.start, piece.end)
        if self.resuming is not None:
            return self._resume() if self.resuming.add(content) else []
        shows_runs = self._is_unframed and self._writer.wants.takes(DataRecord)
        records = self._runs(content) if shows_runs else []
        if self._head is not None:
            self._probe, self._head = probe_for(self._head, content[0].data), None
        if self._probe is not None:
            records += self._undeclared(self._probe, content)
        return records + self._receive_content(content)

    def _runs(self, content: Sequence[Data]) -> list[Record]:
        """Return content as it arrived, run by run, of a body that has no framing of its own."""
        records: list[Record] = []
        room = MAX_KEPT_RUNS - self._size
        for piece in content:
            records += data_runs(self._writer, self.exchange, piece.start, piece.data, room)
            room -= len(piece.data)
        return records

    def _undeclared(self, probe: Probe, content: Sequence[Data]) -> list[Record]:
        found = probe.receive(content)
        if probe.is_over:
            self._probe = None
        return [] if found is None else [self._writer.diagnostic(found, self.exchange)]

    def _receive_content(self, content: Sequence[Data]) -> list[Record]:
        if self._content is not None:
            return self._receive_coded(content)
        first, last = content[0], content[-1]
        data = first.data if first is last else b"".join([piece.data for piece in content])
        self._size += len(data)
        if self._elements is not None:
            extend = self._origins.extend
            for piece in content:
                extend(len(piece.data), (piece.start, piece.end, piece.chunk))
        return self._receive_decoded(data)

    def advance_within(self, start: int, end: int, content: bytes) -> None:
        """Count content as :meth:`advance` does, at [start, end) among bytes of other streams."""
        extents, size = self._extents, end - start
        self.resuming = None
        assert extents is not None
        extents.add(start, end)
        self._head = self._probe = None
        self._size += size
        self._decoded_size += size
        self._origins.size += size
        self._unhashed.append(content)
        self._unhashed_size += size
        if self._unhashed_size > HASH_STEP:
            self._hash()

    def advance(self, contents: list[bytes], chunks: int) -> None:
        """Count content of whole events, without coding, that another has made records of.

        ``chunks`` is how many chunks there were up to its end. Nothing will ask where the bytes
        came from, for nothing is open after them.
        """
        size = sum(map(len, contents))
        self._head = self._probe = self.resuming = None
        self.chunks = chunks
        self._size += size
        self._decoded_size += size
        self._origins.size += size
        self._unhashed += contents
        self._unhashed_size += size
        if self._unhashed_size > HASH_STEP:
            self._hash()

    @property
    def event_stream(self) -> EventStreamDecoder | None:
        """What reads its events, if the content is them as it is."""
        found = self._elements
        return found if self._content is None and isinstance(found, EventStreamDecoder) else None

    def _receive_coded(self, content: Sequence[Data]) -> list[Record]:
        assert self._content is not None
        records: list[Record] = []
        for piece in content:
            if self.has_hole:
                self._size += len(piece.data)
                continue
            for start, end in self._arrivals(piece):
                self._size += end - start
                data = piece.data[start - piece.start : end - piece.start]
                for decoded in self._content.receive_data(data):
                    found = self._receive_output(decoded, (start, end, piece.chunk))
                    records += found
                    self._count(len(found))
                records += self._faults(start, end)
        return records

    def _count(self, found: int) -> None:
        """Count what the content gives, and go no further if it is more than it can be worth.

        Small events take 70 times more memory than the decoded bytes that the ratio bounds.
        """
        assert self._content is not None
        self._found += found
        if self._found > MAX_EVENTS_FREE + self._size * MAX_EVENTS_RATIO:
            self._content.stop(f"{self._found:,} events and faults in {self._size:,} bytes")

    def _arrivals(self, piece: Data) -> Iterator[tuple[int, int]]:
        """Yield where a piece is cut by packets: what one completes is not the next one's."""
        start = piece.start
        while start < piece.end:
            end = min(self._writer.origins.at(start)[0], piece.end)
            yield start, end
            start = end

    def receive_missing(self, found: MissingData) -> list[Record]:
        """Take note that content is missing: coded content cannot go on after the hole."""
        if self._has_frames and found.chunk is None:
            return self.lose(found)
        return [*self.settle(is_final=True), *self._miss(found)]

    def lose(self, found: MissingData) -> list[Record]:
        """Take note that whole frames are missing, and that the next one may begin an element."""
        records = self.settle(is_final=True)
        elements = self._resumable
        is_between = elements is not None and (elements.is_between or not self._decoded_size)
        if elements is None or not is_between:
            records += self._miss(found)
        else:
            self._note_missing(found)
        if elements is not None and (is_between or elements.is_lost):
            self.resuming = Resuming(elements, found if is_between else None)
        return records

    @property
    def _resumable(self) -> Resumable | None:
        elements = self._elements
        if elements is None or self._content is not None or not resumes(type(elements)):
            return None
        return cast(Resumable, elements)

    def settle(self, *, is_final: bool = False, is_last: bool = False) -> list[Record]:
        """Take note that a frame is whole: look at it, if it is to be looked at, or at the next.

        With ``is_final`` no other frame follows it, or not at once; it ``is_last`` if none ever
        does, however the content ends.
        """
        resuming = self.resuming
        if resuming is None:
            if self.has_hole and not is_final:
                self._look_on()
            return []
        if not resuming.pieces:
            return self._resume() if is_final else []
        place = resuming.end_frame(is_last=is_last)
        if place is None and resuming.waits and not is_final:
            return []
        return self._resume(place)

    def _look_on(self) -> None:
        """Look at the next frame, if it is not known yet where elements go on."""
        elements = self._resumable
        if elements is not None and elements.is_lost:
            self.resuming = Resuming(elements, None)

    def _resume(self, place: int | None = None) -> list[Record]:
        """Go on with an element ``place`` bytes after the beginning of what is kept.

        None: nothing is certain, and the decoder has to find where to go on.
        """
        resuming, self.resuming = self.resuming, None
        elements = self._resumable
        assert resuming is not None
        assert elements is not None
        before, after = resuming.cut(place) if place is not None else (resuming.pieces, [])
        records: list[Record] = []
        if resuming.hole is not None and before:
            records += self._tell(resuming.hole)
        if before:
            records += self._receive_content(before)
        if after:
            found = elements.resume()
            content = self._receive_content(after[:1])
            records += [*self._records(found), *content]
            records += self._receive_content(after[1:]) if after[1:] else []
        elif before:
            self._look_on()
        return records

    def _note_missing(self, found: MissingData) -> bool:
        """Count what is missing; return whether it is the first of it."""
        self._size += found.end - found.start
        self._head = self._probe = None
        is_first, self.has_hole = not self.has_hole, True
        return is_first

    def _miss(self, found: MissingData) -> list[Record]:
        length = found.end - found.start
        is_first = self._note_missing(found)
        if self._content is not None:
            said = f"{length} bytes are missing" if length else "some of it may be missing"
            fault = diagnose("content-coding-damaged", found.start, found.end, said)
            return [self._writer.diagnostic(fault, self.exchange)] if is_first else []
        return self._tell(found)

    def _tell(self, found: MissingData) -> list[Record]:
        """Tell the decoder of elements that content is missing."""
        if self._elements is None:
            return []
        length = found.end - found.start
        self._origins.extend(length, (found.start, found.end, found.chunk))
        return self._records(self._elements.receive_gap(length))

    def end_content(self, found: EndOfMessage) -> list[Record]:
        """Return what the end of the body completes in its content."""
        records = self.settle(is_final=True, is_last=True)
        is_over = found.complete or found.ended_by in CLOSED  # by a FIN, wherever that came
        if self._content is not None and is_over and not self.has_hole:
            self._content.finish()
            records += self._faults(found.end, found.end)
        if self._elements is not None:
            # For the content its framing's end is as good as the connection's.
            ended_by = found.ended_by
            ending = ended_by if ended_by == "reset" or ended_by == "capture-end" else "close"
            if self._content is not None and self.has_hole:
                ending = "capture-end"  # what follows the hole is not known
            records += self._records(self._elements.receive_eof(ending))
        return records

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where in the direction's stream unfinished events began, and their last byte so far."""
        kept = () if self.resuming is None else tuple(one.start for one in self.resuming.pieces)
        if self._elements is None or not (begun := self._elements.open_offsets):
            return kept
        last = self._origins.size - 1
        return (*kept, *(self._place(offset, offset + 1)[0] for offset in (*begun, last)))

    def _receive_output(self, data: bytes, origin: Origin) -> list[Record]:
        """Take what a decompressor made of the content at ``origin``."""
        if self._elements is not None:
            self._origins.extend(len(data), origin)
        return self._receive_decoded(data)

    def _receive_decoded(self, data: bytes) -> list[Record]:
        self._decoded_size += len(data)
        self._unhashed.append(data)
        self._unhashed_size += len(data)
        if self._unhashed_size > HASH_STEP:
            self._hash()
        self._since += len(data)
        if self._since > CHARGE_STEP:
            self._charge()
        if self._elements is None:
            return []
        found = self._elements.receive_data(data)
        records = self._records(found) if found else []
        if len(self._origins) > FORGET_EVERY:
            self._origins.retain(self._elements.open_offsets)
        return records

    def _records(self, found: list[Event]) -> list[Record]:
        writer = self._writer
        records: list[Record] = []
        # What coded content unfolds to is counted by its records.
        shows_events = writer.wants.takes(SseEventRecord) or self._content is not None
        for event in found:
            if not shows_events and isinstance(event, ServerSentEvent):
                continue
            start, end, first_chunk, last_chunk = self._place(event.start, event.end)
            if isinstance(event, ServerSentEvent):
                extents = None if self._extents is None else self._extents.within(start, end)
                records.append(
                    writer.sse_event(
                        event, self.exchange, start, end, first_chunk, last_chunk, extents
                    )
                )
            elif isinstance(event, Diagnostic):
                placed = Diagnostic(start, end, event.code, event.summary)
                records.append(writer.diagnostic(placed, self.exchange))
            else:
                from .element_records import element_record  # few captures need its decoders

                extents = None if self._extents is None else self._extents.within(start, end)
                element = element_record(writer, event, self.exchange, start, end, extents)
                records.append(element)
        return records

    def _place(self, start: int, end: int) -> tuple[int, int, int | None, int | None]:
        """Return where [start, end) of the decoded content lies in the stream, and its chunks."""
        if not len(self._origins):  # content of which nothing came
            return self._start, self._start, None, None
        upto, (begin, finish, first_chunk) = self._origins.at(start)
        if end <= upto:
            last_chunk = first_chunk
            if self._is_exact:
                begin, finish = finish - (upto - start), finish - (upto - end)
            return begin, finish, first_chunk, last_chunk
        if self._is_exact:
            begin = finish - (upto - start)
        upto, (_, finish, last_chunk) = self._origins.at(end - 1)
        if self._is_exact:
            finish -= upto - end
        return begin, finish, first_chunk, last_chunk

    def _faults(self, start: int, end: int) -> list[Record]:
        assert self._content is not None
        faults = self._content.take_faults()
        return [
            self._writer.diagnostic(diagnose(code, start, end, detail), self.exchange)
            for code, detail in faults
        ]

    def _charge(self) -> None:
        """Charge what decompressors hold, and what has come of an element that is open.

        That stands there twice: as it came, and as text.
        """
        self._since = 0
        held = 0 if self._content is None else self._content.held
        if self._elements is not None and (begun := self._elements.open_offsets):
            held += 2 * min(self._origins.size - min(begun), MAX_AWS_MESSAGE)
        self._writer.account.charge(held - self._charged)
        self._charged = held

    def _let_go(self) -> None:
        """Hold nothing any more."""
        self._content = self._elements = None
        self._writer.account.charge(-self._charged)
        self._charged = 0

    def _hash(self) -> None:
        if self._digest is not None:
            self._digest.update(b"".join(self._unhashed))
        self._unhashed.clear()
        self._unhashed_size = 0

    def record(self, found: EndOfMessage) -> BodyRecord:
        """Return the body's own record; once."""
        self._hash()
        self._let_go()
        writer = self._writer
        # The decoder names the start of an open body among its open_offsets: the map still has it.
        first_packet, last_packet, first_time, last_time = writer.place(found.start, found.end)
        assert found.ended_by is not None
        return BodyRecord(
            writer.connection,
            self.exchange,
            writer.sender,
            first_packet,
            last_packet,
            first_time,
            last_time,
            found.start,
            found.end - found.start,
            self._size,
            self._decoded_size,
            ", ".join(reversed(self._codings)) or None,
            "" if self._digest is None else self._digest.hexdigest(),
            self.chunks,
            found.complete and not self.has_hole,
            found.ended_by,
            None if found.trailers is None else wire_fields(found.trailers),
            layer=writer.layer,
            stream_id=writer.stream_id,
            extents=None if self._extents is None else self._extents.within(found.start, found.end),
        )
