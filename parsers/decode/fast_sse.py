"""Chunks that are one server-sent event each: the commonest stream of all, in one pass.

Strategy: nearly every server writes an event as a chunk of its own. Such a chunk, if it lies whole
in the piece at hand, is matched with its event by one expression, and both records are written
at once. The layers between are not called, but told how far it went when they are asked next; they
must be between two elements, so that nothing is open and nothing asks later where these bytes came
from.
Everything else is left to them: chunks of any other kind, and whatever is a fault. A test decodes
every capture with this path and without it.

It ties three layers together that are better apart (``chunked``, ``sse``, ``body``), for a number:
a whole decode takes a sixth of the machine's instructions less.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..expressions import when_used
from ..http1.chunk_line import match_chunk_line
from ..http1.decoder import ResponseDecoder
from ..limits import MAX_SSE_LINE
from ..records import PLACE, ChunkRecord, Record, SseEventRecord
from ..sse.stream import EventStreamDecoder, commonest_block
from .body import HASH_STEP, Body
from .writer import RecordWriter

# chunk = chunk-size CRLF chunk-data CRLF (RFC 9112 section 7.1), and the data is one block; as in
# ``chunked``, 15 digits stay below MAX_CHUNK_SIZE. They match text with a character for each byte
# (Latin-1): what is ASCII, as nearly all is, need not be decoded part by part.
EVENT_CHUNKS = tuple(
    when_used(r"([0-9A-Fa-f]{1,15})\r\n(" + commonest_block(newline).decode("ascii") + r")\r\n")
    for newline in (b"\r\n", b"\n")
)
Match = Callable[[str, int], re.Match[str] | None]
WINDOW = 1 << 16
"""Bytes that are made text at once: no more, as there may be a call for each element of a piece."""


def utf8(characters: str) -> str:
    """Return what characters that are a byte each say in UTF-8; raise UnicodeDecodeError."""
    return characters.encode("latin-1").decode()


class FastSse:
    """Reads what it can of one response body that is chunked, not coded, and an event stream."""

    __slots__ = (
        "_decoder",
        "_body",
        "_events",
        "_writer",
        "_chunk_record",
        "_event_record",
        "_match",
        "_shows_chunks",
        "_shows_events",
        "_first",
        "_settled",
        "_index",
        "_base",
        "_event_id",
        "_content",
    )

    def __init__(
        self, decoder: ResponseDecoder, body: Body, events: EventStreamDecoder, writer: RecordWriter
    ) -> None:
        self._decoder = decoder
        self._body = body
        self._events = events
        self._writer = writer
        self._chunk_record = writer.within(ChunkRecord)
        self._event_record = writer.within(SseEventRecord)
        self._match: Match | None = None
        self._shows_chunks = writer.wants.takes(ChunkRecord)
        self._shows_events = writer.wants.takes(SseEventRecord)
        # What the layers between have not been told yet: where they stand, and where this does.
        self._first = self._settled = 0
        self._index: int | None = None
        """Of the next chunk; None if they know of all that has been read."""
        self._base = 0
        self._event_id = ""
        self._content = bytearray()

    def receive(self, data: bytes, pos: int, records: list[Record]) -> int:
        """Read the chunks that begin at ``pos`` of ``data``; return where they end.

        Long for one function: it is the hot loop.
        """
        index = self._index
        if index is None and (index := self._begin()) is None:
            return pos
        window = data[pos : pos + WINDOW]
        characters = window.decode("latin-1")
        match = self._match or self._learn(characters)
        if match is None:
            return pos
        is_ascii = window.isascii()
        writer = self._writer
        connection, sender, keeps_data = writer.connection, writer.sender, writer.keeps_data
        chunk_record, event_record = self._chunk_record, self._event_record
        shows_chunks, shows_events = self._shows_chunks, self._shows_events
        place = writer.place
        exchange = self._body.exchange
        event_id, base = self._event_id, self._base
        run, last_run, run_ends, arrivals = writer.origins.runs_from(base)
        contents: list[str] = []
        is_in_order = True
        upto, size_of_window = 0, len(window)
        while upto < size_of_window and (found := match(characters, upto)) is not None:
            size, text, found_id, found_type, value = found.groups()
            length = len(text)
            if int(size, 16) != length or length > MAX_SSE_LINE:
                break
            content = text
            if not is_ascii:
                try:
                    text, value = utf8(text), utf8(value)
                except UnicodeDecodeError:
                    break
                found_id, found_type = found_id and utf8(found_id), found_type and utf8(found_type)
            fields: list[tuple[str, str]] = []
            if found_id is not None:
                event_id = found_id
                fields.append(("id", event_id))
            if found_type is not None:
                fields.append(("event", found_type))
            fields.append(("data", value))
            end = found.end()
            start, stop = base + upto, base + end
            event_start, event_end = stop - 2 - length, stop - 2
            while run < last_run and run_ends[run] <= start:
                run += 1
            if stop <= run_ends[run] or run == last_run:
                first_packet, last_packet, first_time, last_time = event_place = arrivals[run]
            else:
                is_in_order = False  # the chunk may end in a later packet than its event
                first_packet, last_packet, first_time, last_time = place(start, stop)
                event_place = place(event_start, event_end)
            if shows_chunks:
                records.append(
                    chunk_record(
                        connection, exchange, sender, first_packet, last_packet, first_time,
                        last_time, start, stop - start, index, length, "",
                        text if keeps_data else None, "utf-8" if keeps_data else None, None,
                        event_start,
                    )
                )  # fmt: skip
            if shows_events:
                first_packet, last_packet, first_time, last_time = event_place
                records.append(
                    event_record(
                        connection, exchange, sender, first_packet, last_packet, first_time,
                        last_time, event_start, length, found_type or "message",
                        value if keeps_data else None, event_id, None, True,
                        fields if keeps_data else None, index, index,
                    )
                )  # fmt: skip
            contents.append(content)
            index += 1
            upto = end
        if upto:
            self._index, self._base, self._event_id = index, base + upto, event_id
            content = contents[0] if len(contents) == 1 else "".join(contents)
            self._content += content.encode("latin-1")
            if len(self._content) > HASH_STEP:
                self.settle()
        if not is_in_order:
            records.sort(key=PLACE)
        return pos + upto

    def _begin(self) -> int | None:
        """Ask where the layers between stand; None if they are not between two elements."""
        index = self._decoder.next_chunk
        if index is None or not self._events.is_between:
            return None
        self._first, self._event_id = index, self._events.last_event_id
        self._base = self._settled = self._decoder.offset
        return index

    def settle(self) -> None:
        """Tell the layers between how far it went: for each event that would take a third of it."""
        index = self._index
        if index is None:
            return
        self._index = None
        content = bytes(self._content)
        self._content.clear()
        self._decoder.advance(index - self._first, self._base - self._settled)
        self._events.advance(len(content), self._event_id)
        self._body.advance([content], index)

    def _learn(self, characters: str) -> Match | None:
        """Find out which line ends the server writes."""
        for pattern in EVENT_CHUNKS:
            if pattern.match(characters, 0) is not None:
                self._match = pattern.match
                return self._match
        return None

    def end_of_element(self, data: bytes, pos: int) -> int:
        """Return where a chunk of any kind ends that begins at ``pos``, else the end."""
        line = match_chunk_line(data, pos)
        return len(data) if line is None else min(line.end() + int(line[1], 16) + 2, len(data))
