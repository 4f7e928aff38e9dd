"""One side's byte stream, cut by its records into what each of its bytes is.

Strategy: an :class:`ElementStream` taps one direction of TCP. It keeps the bytes that
no record has told the meaning of yet, up to MAX_WAITING, and is then told of each head, chunk,
frame and body with its place; each part goes to the method for its kind, in stream order, once.
Content that is not chunked needs no record, and is handed on as it comes. Bytes that no record
comes for (what is unfinished where the capture ends, protocols that are not decoded) are handed on
as unfinished. What waits is charged to the connection, beside what its decoder holds: where that is
let go, nothing is waited for any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parsers import Account, Holding, general_chunk_line
from parsers.limits import KiB, MiB
from parsers.provenance import Completion, Ending
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    TlsRecordRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

MAX_WAITING = 17 * MiB
"""Bytes that wait for the record that tells what they are: a chunk or frame as long as is kept."""
MAX_UNTOLD = 256 * KiB
"""The same on a connection of which there has been no record: what is unknown stays unknown."""
MAX_LET_GO = KiB
"""The same on one that was let go, as memory was spent: what it holds is charged to nobody."""
MAX_HOLE = 64 * KiB
"""A hole in the capture up to here is filled; a larger one ends what waits."""
LARGE = 256 * KiB
"""Bytes of a message that do not wait for the end of their batch when it is over."""
BLOCK = 16 * KiB
"""Bytes up to which what waits grows as one; what is more waits in blocks of that size, which leave
no gaps in memory behind."""
GROWING_COST = 3
"""Charged for two bytes that wait: what grows bit by bit takes more than it holds, and leaves gaps
in memory behind, which fit little else."""

JOINED = "stream-joined"
"""The note of where decoding begins in a stream whose beginning the capture does not hold."""
IN_BODY = ("chunked", "content-length", "close", "http/2")
"""Framings after which content follows."""
TAKES: dict[type[Any], str] = {
    RequestRecord: "_take_head",
    ResponseRecord: "_take_head",
    ChunkRecord: "_take_chunk",
    BodyRecord: "_take_body",
    WebSocketFrameRecord: "_take_frame",
    WebSocketMessageRecord: "message",
    TlsRecordRecord: "_take_sealed",
}
"""The methods that take records."""


class ElementStream:
    """One direction of a connection: bytes and records in, calls of the methods below out."""

    # Of each stream of HTTP/2 there is one too: what no stream needs of its own, none has.
    __slots__ = (
        "done", "codings", "is_event_stream", "is_websocket", "is_in_body", "holes", "_account",
        "_holding", "_raw", "_blocks", "_later", "_at", "_has_been_told", "_is_chunked",
    )  # fmt: skip

    filling = b"\0"
    """Stands for each byte that the capture lacks."""

    def __init__(self) -> None:
        self.done = 0
        """Up to here it is known what the bytes are."""
        self.codings: list[str] = []
        """Of the content of the message that was told of last, in the order in which they are
        undone."""
        self.is_event_stream = False
        self.is_websocket = False
        self.is_in_body = False
        """Whether what comes is the content of a message."""
        self.holes: list[tuple[int, int]] = []
        """What the capture lacks of the bytes that were handed on last, and of those that wait."""
        self._account: Account | None = None
        self._holding: Holding | None = None
        """What waits, as it is charged to the account."""
        self._raw = bytearray()
        self._blocks: list[bytearray] = []
        """What follows that, until it is told what it is."""
        self._later = 0
        """Bytes in those."""
        self._at = 0
        """What follows ``done`` follows this in ``_raw``."""
        self._has_been_told = False
        self._is_chunked = False

    # --- what becomes of each part: for those who derive from this ---

    def head(self, record: RequestRecord | ResponseRecord, data: bytes, start: int) -> None:
        """Take a head's bytes, at ``start`` of the stream; it is known what content follows."""

    def framing(self, data: bytes, start: int) -> None:
        """Take the line before a chunk's data."""

    def trailers(self, data: bytes, start: int) -> None:
        """Take the last chunk: its line, and the trailer section."""

    def content(self, data: bytes, start: int) -> None:
        """Take the next piece of a body's content, coded as it is."""

    def body(self, record: BodyRecord) -> None:
        """Take note of the end of a body."""

    def payload(self, record: WebSocketFrameRecord, data: bytes, start: int) -> None:
        """Take a frame's payload, masked as it is."""

    def message(self, record: WebSocketMessageRecord) -> None:
        """Take note of a message, whose frames came before."""

    def fault(self, record: DiagnosticRecord) -> None:
        """Take note of a fault in this stream."""

    def unfinished(self, data: bytes, start: int) -> None:
        """Take bytes of which no record tells what they are."""

    # --- the receiver of a direction of TCP ---

    def charge_to(self, account: Account) -> None:
        """Charge what waits to the account of a connection."""
        self._account, self._holding = account, Holding(account)

    def receive_data(self, data: bytes) -> list[Record]:
        self._append(data)
        if self._holding is not None:
            self._holding.hold(self._pending * GROWING_COST // 2)
        if self._is_let_go and self._pending > MAX_LET_GO:
            self.hand_on(is_end=True)  # no record comes any more that would do it
        return []

    def receive_gap(self, length: int) -> list[Record]:
        start = self._end
        end = start + length
        self.holes = [hole for hole in self.holes if hole[1] > self.done]
        self.holes.append((start, end))
        if length <= MAX_HOLE:
            self._append(self.filling * length)
        else:
            self.hand_on(is_end=True)
            self.done = end
        return []

    def receive_eof(self, ending: Ending) -> list[Record]:
        if self._holding is not None:
            self._holding.hold(0)  # what waits yet is handed on with the batch
            self._holding = None
        return []

    def receive_fault(self, fault: object, shown: Completion) -> list[Record]:
        return []

    @property
    def settled(self) -> int:
        """Up to here nothing more becomes of its bytes."""
        return self.done

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return ()

    # --- what records tell ---

    def take(self, record: Record) -> None:
        """Take the next record of this direction; kinds that tell nothing are passed over."""
        take = TAKES.get(type(record))
        if take is not None:
            getattr(self, take)(record)
            self._has_been_told = True
        elif isinstance(record, DiagnosticRecord):
            if record.code == JOINED and record.offset is not None:
                self._join(record.offset)
            self.fault(record)

    def take_chunks(self, chunks: Sequence[ChunkRecord]) -> None:
        """Take chunks of one message that carry something, as :meth:`take` takes each."""
        for chunk in chunks:
            self._take_chunk(chunk)
        self._has_been_told = True

    def switch_to_websocket(self, response: ResponseRecord) -> None:
        """Take note that what comes next are frames, by the response that switches."""
        self.is_websocket, self.is_in_body = True, False

    def hand_on(self, *, is_end: bool) -> None:
        """Hand on what need not wait for a record; at the end, all that waits."""
        end = self._end
        if self.is_in_body and not self._is_chunked:
            self._take_content(end)
        elif is_end or self._is_let_go or end - self.done > self._patience:
            self._take_unfinished(end)
        if self._at:
            self._forget()
        if self._is_let_go:
            self._holding = None  # it was given back together with what the decoder held
        elif self._holding is not None:
            self._holding.hold(self._pending * GROWING_COST // 2)

    def _forget(self) -> None:
        """Let go what is done with."""
        del self._raw[: self._at]
        self._at = 0

    def _append(self, data: bytes) -> None:
        """Keep the next bytes, which nothing tells of yet."""
        if not self._blocks and len(self._raw) + len(data) <= BLOCK:
            self._raw += data
            return
        self._later += len(data)
        if self._blocks and len(self._blocks[-1]) + len(data) <= BLOCK:
            self._blocks[-1] += data
        else:
            self._blocks.append(bytearray(data))

    def _gather(self) -> None:
        """Put what waits together, now that some of it is told of."""
        if self._blocks:
            self._raw += b"".join(self._blocks)
            self._blocks.clear()
            self._later = 0

    @property
    def _pending(self) -> int:
        return len(self._raw) + self._later

    @property
    def _is_let_go(self) -> bool:
        """Whether no record comes any more, for the memory was spent."""
        return self._account is not None and self._account.is_let_go

    @property
    def _patience(self) -> int:
        """How many bytes may wait for their record."""
        return MAX_WAITING if self._has_been_told else MAX_UNTOLD

    @property
    def _end(self) -> int:
        """Where in the stream the next bytes will be."""
        return self.done + self._pending - self._at

    def _join(self, start: int) -> None:
        """Take note of where decoding begins, behind a head that the capture does not hold: it is
        content, of which chunks tell if it is in some, unless records say otherwise."""
        self._take_unfinished(start)
        self.is_in_body = self._is_chunked = True

    def _take_head(self, record: RequestRecord | ResponseRecord) -> None:
        self._take_unfinished(record.offset)
        self.codings = record.codings
        self.is_event_stream = isinstance(record, ResponseRecord) and record.transport == "sse"
        self.is_in_body = record.framing in IN_BODY
        self._is_chunked = record.framing == "chunked"
        start = self.done
        self.head(record, self._take(record.offset + record.length), start)

    def _take_chunk(self, record: ChunkRecord) -> None:
        self._take_unfinished(record.offset)
        start, end = self.done, record.offset + record.length
        if not record.size:
            self.trailers(self._take(end), start)
            return
        self.framing(self._take(record.content_offset), start)
        self._take_content(record.content_offset + record.size)
        self._skip(end)

    def _take_body(self, record: BodyRecord) -> None:
        end = record.offset + record.length
        (self._take_unfinished if self._is_chunked else self._take_content)(end)
        self.is_in_body = self._is_chunked = False
        self.body(record)
        if self._at > LARGE:  # others may be let go in the same batch, as large as this
            self._forget()

    def _take_frame(self, record: WebSocketFrameRecord) -> None:
        end = record.offset + record.length
        self.is_websocket, self.is_in_body = True, False  # what switched may not be there
        self._skip(record.content_offset)
        if record.content_offset == self.done:
            self.payload(record, self._take(end), record.content_offset)
        self._skip(end)

    def _take_sealed(self, record: TlsRecordRecord) -> None:
        """Pass over what is encrypted: its bytes say nothing, and look like anything."""
        is_of_stream = record.layer == "tcp" and record.stream_id is None
        self.is_in_body = self.is_in_body and not is_of_stream
        if record.type == "application_data" and record.decrypted == "no" and is_of_stream:
            self._take_unfinished(record.offset)
            self._skip(record.offset + record.length)

    def _take_content(self, end: int) -> None:
        start = self.done
        if end > start:
            self.content(self._take(end), start)

    def _take_unfinished(self, end: int) -> None:
        """Take what no record tells of; of a chunk that is not whole its line says what it is."""
        start = self.done
        if end <= start:
            return
        data = self._take(end)
        line = general_chunk_line().match(data) if self.is_in_body and self._is_chunked else None
        if line is not None:
            size = int(line[1], 16)
            begin = line.end()
            self.framing(line[0], start)
            if data[begin : begin + size]:
                self.content(data[begin : begin + size], start + begin)
            data, start = data[begin + size :], start + begin + size
        if data:
            self.unfinished(data, start)

    def _take(self, end: int) -> bytes:
        """Return what waits up to ``end``, and be done with it."""
        begin = self._at
        self._skip(end)
        with memoryview(self._raw) as raw:  # copied once, however much that is
            return bytes(raw[begin : self._at])

    def _skip(self, end: int) -> None:
        if end > self.done:
            self._gather()
            self._at = min(self._at + end - self.done, len(self._raw))
            self.done = end
