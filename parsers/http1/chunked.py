"""Chunked transfer coding (RFC 9112 section 7.1).

Strategy: a decoder gets the bytes of a chunked body, in order, in pieces of any size. A chunk that
lies whole in the piece at hand takes one match, one slice and two events. Anything else goes
through a chain of states, each a method that reads on at ``pos`` and returns where it stopped:

    chunk -> chunk_line -> chunk_data -> chunk_data_cr -> chunk_data_lf -> chunk ...
                        -> trailer_section (after a size of 0), and done

Content is passed on with the piece that carried it, never held until its chunk is whole. Kept
are an unfinished line, an unfinished trailer section, and the content of the unfinished chunk for
its :class:`Chunk`, in fragments that are joined once: so the time is linear, and the memory has
the bounds of ``limits.py``.

The verdict is strict: nothing is taken for a size that another recipient could read differently.
White space after a size, which old servers pad with, is read over with a diagnostic; any other
fault loses the framing, and what follows is decoded no more. Bytes that the capture lacks are
counted where that is exact; else decoding goes on at the next place that proves itself.
"""

from __future__ import annotations

from ..diagnostics import diagnose, excerpt
from ..limits import (
    MAX_CHUNK_EXTENSIONS,
    MAX_CHUNK_SIZE,
    MAX_FIELDS,
    MAX_KEPT_CHUNK,
    MAX_LINE,
    MAX_TRAILERS,
)
from ..memory import Account, Holding
from ..provenance import Element, Ending, Event
from .chunk_line import begins_chunk_line, general_chunk_line, line_fault, match_chunk_line
from .collectors import LineCollector, SectionCollector
from .head import (
    CERTAIN_RESPONSE,
    Fields,
    FieldSection,
    cut_section,
)
from .resynchronise import Resynchroniser

CR, LF = b"\r\n"


class Data(Element, frozen=True):
    """A piece of content as it arrives, without its transfer framing."""

    start: int
    end: int
    data: bytes
    """The bytes at [start, end) of the input."""
    chunk: int | None
    """The index of the chunk that it lies in; None if the body is not chunked."""


class MissingData(Element, frozen=True):
    """Content at [start, end) that the capture lacks.

    Where ``chunk`` is None in a chunked body, an unknown part of it is framing.
    """

    start: int
    end: int
    chunk: int | None


class Chunk(Element, frozen=True):
    """One chunk, from its size to the CRLF after its data (RFC 9112 section 7.1).

    The last chunk has the size 0; it ends with the empty line after the trailer section.
    """

    start: int
    end: int
    index: int
    """From 0 in its body; counted on where chunks are missing."""
    size: int
    extension: bytes
    """Everything between chunk-size and CRLF, as on the wire."""
    data: bytes | None
    """At most its first MAX_KEPT_CHUNK bytes; None if not kept, or not whole in the capture."""
    trailers: Fields | None
    """The last chunk's trailer fields; None for every other chunk."""
    content_start: int
    """Where its data begins, or the last chunk's trailer section."""


class ChunkedDecoder:
    """Decode a chunked body into :class:`Data`, :class:`Chunk` and :class:`MissingData`.

    ``account`` is charged with what is held. ``next_message`` is the pattern of what ends the body
    if it is found after missing bytes.
    ``done`` is set after the last chunk, or there, and then ``interrupted`` too.
    """

    __slots__ = (
        "done",
        "interrupted",
        "_base",
        "_content_start",
        "_extension",
        "_extensions",
        "_holding",
        "_index",
        "_joins",
        "_keep_data",
        "_left",
        "_line",
        "_offset",
        "_parts",
        "_rest",
        "_search",
        "_size",
        "_start",
        "_next_message",
        "_state",
        "_trailers",
        "_trailers_over",
        "_whole",
    )

    def __init__(
        self,
        offset: int = 0,
        *,
        keep_data: bool = True,
        next_message: bytes = CERTAIN_RESPONSE,
        account: Account | None = None,
    ) -> None:
        self.done = False
        self.interrupted = False
        self._keep_data = keep_data
        self._holding = Holding(account)
        self._next_message = next_message
        self._offset = offset  # of the next byte
        self._base = offset  # of data[0] in the piece at hand
        self._rest = b""  # what came after the end
        self._line = LineCollector(MAX_LINE)
        self._trailers = SectionCollector(MAX_TRAILERS)
        self._trailers_over = False
        self._extensions = 0  # bytes of them so far
        self._search: Resynchroniser | None = None
        self._joins = False
        # the chunk that is open
        self._index = 0
        self._start = offset
        self._size = 0
        self._content_start = offset
        self._left = 0  # bytes of its data to come
        self._extension = b""
        self._parts: list[bytes] = []
        self._whole = True
        self._state = self.chunk

    def __repr__(self) -> str:
        return f"<ChunkedDecoder {self._state.__name__} at {self._offset}>"

    # --- the Decoder interface ---

    def receive_data(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        pos = 0 if self.done else self.decode(data, 0, events)
        if pos < len(data):
            self._rest += data[pos:]
        return events

    def decode(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Decode ``data`` from ``pos`` on into ``events``; return where the body ended, or its end.

        For a caller that has other bytes in the same piece: it looks at ``done`` afterwards.
        """
        self._base = self._offset - pos
        end = len(data)
        while pos < end and not self.done:
            pos = self._state(data, pos, events)
        self._offset = self._base + pos
        return pos

    def receive_gap(self, length: int) -> list[Event]:
        """Count the missing bytes where that is exact, else search for a place to go on at."""
        events: list[Event] = []
        if self.done:
            return events
        start, self._offset = self._offset, self._offset + length
        if self._state == self.chunk_data:
            missing = min(length, self._left)
            events.append(MissingData(start, start + missing, self._index))
            self._whole = False
            self._left -= missing
            start += missing
            if not self._left:
                self._state = self.chunk_data_cr
        if start < self._offset and self._state == self.chunk_data_cr:
            start += 1
            self._state = self.chunk_data_lf
        if start < self._offset and self._state == self.chunk_data_lf:
            start += 1
            self._end_chunk(start, events)
        if start < self._offset:
            self._lose_place(start, events)
        return events

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        events: list[Event] = []
        self._drop_parts()
        if self.done or self._state in (self.lost, self.resynchronise):
            return events  # where it is lost nothing can be told; missing bytes may hold the end
        if self._state == self.chunk_line:
            self._end_in_line(events)
        elif self._state == self.trailer_section:
            self._end_in_trailers(events)
        if ending != "capture-end":
            found = f"{self._size - self._left:,} of {self._size:,} bytes of chunk {self._index}"
            chunks = "chunk" if self._index == 1 else "chunks"
            detail = found if self._left else f"after {self._index:,} {chunks}"
            start = min(self._start, self._offset)
            events.append(diagnose("chunk-last-missing", start, self._offset, detail))
        return events

    @property
    def next_index(self) -> int | None:
        """The index of the next chunk, if none is open; else None."""
        return self._index if self._state == self.chunk and not self.done else None

    def seek(self) -> None:
        """Begin somewhere after the beginning, which is missing: at a chunk that proves itself."""
        self._joins = True
        self._search_on()

    def advance(self, chunks: int, length: int) -> None:
        """Pass over whole chunks that another has read, and that take ``length`` bytes."""
        self._index += chunks
        self._offset += length
        self._start = self._offset

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open chunk begins, and the last byte of its line, after which its data does."""
        if self.done:
            return ()
        start = min(self._start, self._offset)
        return (start, self._content_start - 1) if self._content_start > start else (start,)

    def release(self) -> tuple[int, bytes]:
        """Return the bytes after the body, and the offset of the first; once ``done``.

        To a caller of :meth:`decode`, only those that the search after missing bytes had kept.
        """
        rest, self._rest = self._rest, b""
        return self._offset, rest

    # --- states: each reads ``data`` on at ``pos`` and returns where it stopped ---

    def chunk(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take every chunk that lies whole in the piece: nearly all do, so this is the hot loop.

        Per chunk it is one match and one slice; going through the states costs three times more.
        """
        base = self._base
        index = self._index
        keep = self._keep_data
        length = len(data)
        while (line := match_chunk_line(data, pos)) is not None:
            begin = line.end()
            size = int(line[1], 16)
            end = begin + size
            after = end + 2
            if after > length or not 0 < size <= MAX_KEPT_CHUNK or data[end:after] != b"\r\n":
                break
            content = data[begin:end]
            kept = content if keep else None
            events += (
                Data(base + begin, base + end, content, index),
                Chunk(base + pos, base + after, index, size, b"", kept, None, base + begin),
            )
            index += 1
            pos = after
            if pos == length:
                break
        self._index = index
        self._start = base + pos
        if pos < length:
            self._state = self.chunk_line
        return pos

    def chunk_line(self, data: bytes, pos: int, events: list[Event]) -> int:
        pos, line = self._line.take(data, pos)
        if line is None:
            return pos
        end = self._base + pos
        match = general_chunk_line().fullmatch(line)
        if match is None:
            self._lose_framing(line_fault(line), self._start, end, excerpt(line), events)
            return pos
        # int() is linear in base 16; zeros in front are no reason to refuse a size.
        size = int(match[1], 16)
        if size > MAX_CHUNK_SIZE:
            detail = f"{excerpt(match[1])}, above {MAX_CHUNK_SIZE:X}"
            self._lose_framing("chunk-size-overflow", self._start, end, detail, events)
            return pos
        if match[5]:
            detail = f"white space after it in {excerpt(line)}"
            events.append(diagnose("chunk-size-invalid", self._start, end, detail))
        self._begin_chunk(size, match[2] + match[5], end, events)
        return pos

    def chunk_data(self, data: bytes, pos: int, events: list[Event]) -> int:
        end = min(pos + self._left, len(data))
        content = data[pos:end]
        events.append(Data(self._base + pos, self._base + end, content, self._index))
        if self._keep_data and self._whole:
            room = MAX_KEPT_CHUNK - self._size + self._left
            if room > 0:
                self._parts.append(content[:room])
                self._holding.hold(min(self._size - self._left, MAX_KEPT_CHUNK))
        self._left -= end - pos
        if not self._left:
            self._state = self.chunk_data_cr
        return end

    def chunk_data_cr(self, data: bytes, pos: int, events: list[Event]) -> int:
        if data[pos] != CR:
            return self._lose_terminator(data, pos, events)
        self._state = self.chunk_data_lf
        return pos + 1

    def chunk_data_lf(self, data: bytes, pos: int, events: list[Event]) -> int:
        if data[pos] != LF:
            return self._lose_terminator(data, pos, events)
        pos += 1
        self._end_chunk(self._base + pos, events)
        return pos

    def trailer_section(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Collect the trailer section; past its limit, only look for its end."""
        offset = self._base + pos - len(self._trailers)
        pos, section = self._trailers.take(data, pos)
        if section is None:
            return pos
        if not section:
            if not self._trailers_over:
                detail = f"more than {MAX_TRAILERS:,} bytes"
                events.append(diagnose("chunk-trailer-limit", offset, self._base + pos, detail))
            self._trailers_over = True
            return pos
        trailers = [] if self._trailers_over else self._read_trailers(section, offset, events)
        data_kept = b"" if self._keep_data else None
        events.append(
            Chunk(
                self._start,
                self._base + pos,
                self._index,
                0,
                self._extension,
                data_kept,
                trailers,
                self._content_start,
            )
        )
        self.done = True
        return pos

    def resynchronise(self, data: bytes, pos: int, events: list[Event]) -> int:
        """After missing bytes: go on at the next chunk, or end at the next message."""
        assert self._search is not None
        found = self._search.receive_data(data, pos)
        if found is None:
            return len(data)
        offset, rest = found
        detail = f"{self._search.found} at {offset:,}"
        events.append(diagnose("http-resynchronised", self._start, offset, detail))
        if self._search.found == "message":
            self.done = self.interrupted = True
        else:
            self._joins = False
            self._start = self._offset = offset
            self._state = self.chunk
            consumed = self.decode(rest, 0, events)
            offset, rest = offset + consumed, rest[consumed:]
        # What is after the body may have come in an earlier piece: it is handed back.
        self._rest = rest
        self._base = offset - len(data)  # so that decode() finds the offset after the body
        return len(data)

    def lost(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Framing is lost: nothing that follows can be told apart."""
        return len(data)

    # --- what states have in common ---

    def _begin_chunk(self, size: int, extension: bytes, end: int, events: list[Event]) -> None:
        self._size = self._left = size
        self._content_start = end
        self._extension = extension
        self._whole = True
        if extension:
            self._count_extension(len(extension), end, events)
        if not size:
            self._state = self.trailer_section
            return
        if size > MAX_KEPT_CHUNK:  # said without data too: it is the same capture
            detail = f"{size:,} bytes, of which {MAX_KEPT_CHUNK:,} are kept"
            events.append(diagnose("chunk-data-limit", self._start, end, detail))
        self._state = self.chunk_data

    def _count_extension(self, length: int, end: int, events: list[Event]) -> None:
        before, self._extensions = self._extensions, self._extensions + length
        if before <= MAX_CHUNK_EXTENSIONS < self._extensions:
            detail = f"{self._extensions:,} of {MAX_CHUNK_EXTENSIONS:,} bytes"
            events.append(diagnose("chunk-extension-limit", self._start, end, detail))

    def _end_chunk(self, end: int, events: list[Event]) -> None:
        data = b"".join(self._parts) if self._keep_data and self._whole else None
        self._drop_parts()
        extension, begin = self._extension, self._content_start
        events.append(
            Chunk(self._start, end, self._index, self._size, extension, data, None, begin)
        )
        self._index += 1
        self._start = end
        self._state = self.chunk

    def _drop_parts(self) -> None:
        self._parts.clear()
        if self._holding.size:
            self._holding.hold(0)

    def _read_trailers(self, section: bytes, offset: int, events: list[Event]) -> Fields:
        read = FieldSection(section, offset, trailers=True)
        events += read.faults
        if len(read.fields) > MAX_FIELDS:
            detail = f"{len(read.fields):,} of {MAX_FIELDS:,} fields"
            end = offset + len(section)
            events.append(diagnose("chunk-trailer-limit", offset, end, detail))
        return read.fields[:MAX_FIELDS]

    def _lose_terminator(self, data: bytes, pos: int, events: list[Event]) -> int:
        start = self._base + pos
        detail = f"{excerpt(data[pos : pos + 1])} after {self._size:,} bytes"
        self._drop_parts()
        self._lose_framing("chunk-data-unterminated", start, start + 1, detail, events)
        return pos + 1

    def _lose_framing(
        self, code: str, start: int, end: int, detail: str, events: list[Event]
    ) -> None:
        events.append(diagnose(code, start, end, detail))
        events.append(diagnose("chunk-framing-lost", end, end))
        self._left = 0
        self._state = self.lost

    def _lose_place(self, start: int, events: list[Event]) -> None:
        """Go on searching after missing bytes of which an unknown part is framing."""
        if self._state != self.trailer_section:
            events.append(MissingData(start, self._offset, None))
        self._line.clear()
        self._parts.clear()
        self._trailers = SectionCollector(MAX_TRAILERS)
        self._left = 0
        self._search_on()

    def _search_on(self) -> None:
        """Search from here for a chunk or the next message."""
        self._start = self._offset
        self._search = Resynchroniser(
            self._offset, self._next_message, chunks=True, joins=self._joins
        )
        self._state = self.resynchronise

    def _end_in_line(self, events: list[Event]) -> None:
        """Say so if a chunk line that was cut off could not have become a valid one."""
        line = self._line.pending
        if not begins_chunk_line(line):
            events.append(diagnose(line_fault(line), self._start, self._offset, excerpt(line)))

    def _end_in_trailers(self, events: list[Event]) -> None:
        """Say what is wrong with the part of a trailer section that has arrived, if it is known."""
        if self._trailers_over:
            return
        section = self._trailers.pending
        events += cut_section(section, self._offset - len(section), trailers=True).faults
