"""Where in one side's byte stream the secrets are: the same ones as in its records.

Strategy: each part of the stream is looked at once, as what it is (:mod:`..bytes.dissection`): the
lines of heads and trailers by their names, targets and lines of chunks as whole texts, content and
payloads as streams of text. Frames are unmasked to be looked at, and what takes a secret's place in
them is masked with the same key. What is kept are the places of the masks.

A payload whose coding hides a secret is masked whole (:mod:`.coded`), when that is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

from parsers import match_chunk_line
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    Fields,
    Record,
    RequestRecord,
    ResponseRecord,
)

from ..bytes.dissection import LARGE, MAX_HOLE, ElementStream
from ..dialects.dialect import Element
from ..dialects.payload import Thread as ThreadName
from .coded import CodedBody, DeflatedMessages, Piece, names_coding
from .content import ContentFinder
from .json_text import as_latin1, places_of
from .lines import behind_hole, field_line_spans, rest_of_line, start_line_spans
from .logins import login_spans
from .patterns import MAX_CONTEXT, Patterns, Span
from .recent import Recent
from .rules import Rules
from .said import UNREAD, Said, place_of
from .secrets import NUMBER_MASK, Policy, Report, find, merged, spans_across_chunks
from .stars import STAR, Mask, xored
from .table_rows import DESCRIPTION, TableRows
from .threads import MAX_THREADS, WINDOW, Part, Thread
from .undeclared import NOT_UNDONE, Beginning, has_other_charset, is_base64

DIGIT = NUMBER_MASK.encode()
START = attrgetter("start")
SSH_VERSION = b"SSH-"
"""How both sides of SSH begin (RFC 4253 section 4.2)."""


class MaskStream(ElementStream):
    """One direction of a connection: bytes in, masks out."""

    __slots__ = (
        "found", "is_ssh", "_rules", "_patterns", "_report", "_finder", "_content", "_places",
        "_keys", "_body", "_beginning", "_held", "_recent", "_threads", "_parts", "_speaks_dialect",
        "_tells_secret", "_cut_line", "_rows", "_tail",
    )  # fmt: skip

    filling = STAR
    """So a value goes on behind a hole."""

    def __init__(self, policy: Policy | Rules, report: Report) -> None:
        super().__init__()
        self.found: list[Mask] = []
        """Since they were taken last; not in order."""
        self.is_ssh = False
        """Whether it begins as SSH does, which encrypts what follows."""
        self._rules = Rules.of(policy)
        self._patterns: Patterns = self._rules.patterns
        self._report = report
        self._finder = ContentFinder(is_event_stream=False, patterns=self._patterns)
        self._content: list[str] = []
        """Pieces of plain content that have not been looked at, and where in the stream they are:
        many at once cost far less than one by one."""
        self._places: list[int] = []
        self._keys: dict[int, bytes] = {}
        """What pieces are masked with that came in masked frames, by where these begin."""
        self._body: CodedBody | None = None
        self._beginning: Beginning | None = None
        """Of content that nothing says is coded, until it is known what it begins as."""
        self._held: list[tuple[bytes, int]] = []
        """What came of it by then, with its places."""
        self._recent = Recent()
        self._threads: dict[tuple[int | None, ThreadName], Thread] = {}
        """What its elements say, the text that grew last at the end."""
        self._parts: list[Part] = []
        """Of secrets in those, not masked yet."""
        self._speaks_dialect = False
        """Whether an element was one that a dialect knows."""
        self._tells_secret: frozenset[int | None] = frozenset()
        """Exchanges of which an element says something secret."""
        self._cut_line = ""
        """The last line of a head, if a hole cuts it."""
        self._tail = ""
        """The end of the content that was looked at last."""
        self._rows: TableRows | None = None
        """What reads rows of tables, if there are any."""

    def receive_gap(self, length: int) -> list[Record]:
        if length > MAX_HOLE and self.is_in_body and self._body is None:
            self._report.holes += 1
        return super().receive_gap(length)

    def take_masks(self) -> list[Mask]:
        """Return the masks since the last call, in order."""
        taken, self.found = sorted(self.found, key=START), []
        return taken

    @property
    def settled(self) -> int:
        """Up to here no more masks will come."""
        if self._held:
            return self._held[0][1]
        done = self.done if self._recent.start is None else self._recent.start
        return done if self._body is None else first_waiting([self._body], done)

    def end(self) -> None:
        """Take note that nothing more comes."""
        self._take_held()
        self._look_at_content()
        self._recent = Recent()

    @property
    def _is_thorough(self) -> bool:
        return self._rules.is_thorough

    def hand_on(self, *, is_end: bool) -> None:
        super().hand_on(is_end=is_end)
        self._look_at_content()

    def head(self, record: RequestRecord | ResponseRecord, data: bytes, start: int) -> None:
        self._take_held()
        self._look_at_content()
        self._finder = ContentFinder(is_event_stream=self.is_event_stream, patterns=self._patterns)
        self._body = self._coded_body(record) if self._is_thorough else None
        self._beginning = Beginning() if self._is_thorough and self._body is None else None
        text = data.decode("latin-1")
        end_of_line = text.find("\n") + 1
        self._cut_line = "" if text.endswith("\n") else text[text.rfind("\n") + 1 :]
        if self._is_thorough:
            line = text[:end_of_line] or text  # the capture ends in it
            self._mask(text, start_line_spans(line, record, self._patterns), start)
            self._look_behind_holes(text, start)
        if end_of_line:
            self._field_lines(text[end_of_line:], start + end_of_line)

    def _coded_body(self, record: RequestRecord | ResponseRecord) -> CodedBody | None:
        """Return what reads the content after a head, or what comes in its place; None if plain.

        Where the decoder knows of no body, or leaves it as it is, a coding that the head names may
        still be that of what follows.
        """
        codings = [coding for coding in record.codings if coding != "identity"]
        is_unread = not codings and record.framing in ("none", "close")
        if (is_unread and names_coding(record.headers)) or has_other_charset(record.headers):
            codings = [NOT_UNDONE]
        in_base64 = is_base64(record.headers)
        if not codings and not in_base64:
            return None
        return CodedBody(
            codings, is_event_stream=self.is_event_stream, is_base64=in_base64,
            found=self._report.found, patterns=self._patterns, memory=self._report.memory,
        )  # fmt: skip

    def framing(self, data: bytes, start: int) -> None:
        if self._is_thorough and match_chunk_line(data) is None:
            text = data.decode("latin-1").rstrip("\r\n")
            self._mask(text, find(text, self._patterns), start)

    def _take_chunk(self, record: ChunkRecord) -> None:
        """Take a chunk as any stream does, but nearly all at a third of the cost.

        A line without an extension is a number, and holds no secret.
        """
        if self._blocks:
            self._gather()
        begin = self._at + record.content_offset - self.done
        end = self._at + record.offset + record.length - self.done
        is_plain = self._body is None and self._beginning is None and not record.extension
        is_plain = is_plain and self._is_thorough
        is_plain = is_plain and not (self.holes and self.holes[-1][1] > record.offset)
        if not (is_plain and record.size and self.done <= record.offset and end <= len(self._raw)):
            super()._take_chunk(record)
            return
        text = record.data
        if text is None or len(text) != record.size:  # or it is ASCII, and the same in Latin-1
            text = self._raw[begin : begin + record.size].decode("latin-1")
        self._content.append(text)
        self._places.append(record.content_offset)
        self._at, self.done = end, record.offset + record.length

    def trailers(self, data: bytes, start: int) -> None:
        end_of_line = data.find(b"\n") + 1
        self.framing(data[:end_of_line], start)
        self._field_lines(data[end_of_line:].decode("latin-1"), start + end_of_line)

    def content(self, data: bytes, start: int) -> None:
        if not self._is_thorough:
            return
        if self._beginning is not None:
            self._begin(self._beginning, data, start)
        elif self._body is not None:
            self._mask_whole(self._body.receive(data, start))
        else:
            text = data.decode("latin-1")
            self._look_behind_holes(text, start)
            self._content.append(text)
            self._places.append(start)

    def _look_behind_holes(self, text: str, start: int, key: bytes = b"") -> None:
        """Mask what holes that are as long as a sign part from the name of a secret; ``key`` is
        what a frame is masked with."""
        for first, last in self.holes:
            at, end = max(first - start, 0), min(last - start, len(text))
            if at >= end:
                continue
            self._report.holes += 1
            before = text[:at] or (self._content[-1] if self._content else self._tail)
            span = behind_hole(before, text[end:], last - first)
            if span is not None:
                found = [(end + span[0], end + span[1])]
                self._remember(text, found)
                for one, other in self._counted(found):
                    data = xored(STAR * (other - one), key, one)
                    self.found.append(Mask(start + one, start + other, data))

    def _begin(self, beginning: Beginning, data: bytes, start: int) -> None:
        """Take a piece of content that may yet turn out to be coded."""
        beginning.look(data)
        self._held.append((data, start))
        if beginning.is_over:
            if beginning.coding is not None:
                self._body = CodedBody(
                    [beginning.coding], is_event_stream=self.is_event_stream,
                    found=self._report.found, patterns=self._patterns, memory=self._report.memory,
                )  # fmt: skip
            self._take_held()

    def _take_held(self) -> None:
        """Take what was held as what it is by now."""
        self._beginning = None
        held, self._held = self._held, []
        for data, start in held:
            self.content(data, start)

    def say(self, said: Said, place: Callable[[Element], Span] = place_of) -> None:
        """Take what elements say, before the records that bring them.

        ``place`` tells where an element lies.
        """
        first = said.elements[0]
        self._speaks_dialect = self._speaks_dialect or said.thread[0] not in UNREAD
        key = (first.exchange, said.thread)
        thread = self._threads.pop(key, None) or Thread(self._patterns)
        if len(self._threads) >= MAX_THREADS:
            del self._threads[next(iter(self._threads))]
        self._threads[key] = thread
        parts = thread.feed([as_latin1(text) for text in said.texts], said.elements, place)
        if not parts:
            return
        self._parts += parts
        self._tells_secret |= {first.exchange}
        for secret in thread.secrets:
            self._report.found.add(secret.encode("latin-1", "replace"))

    def _look_at_content(self) -> None:
        if not self._content and not self._parts:
            return
        pieces, self._content = self._content, []
        places, self._places = self._places, []
        found: list[Span] = []
        digits: list[Span] = []
        if pieces:
            self._tail = pieces[-1][-MAX_CONTEXT:]
            self._finder.strings_go_on = self._speaks_dialect
            spans = self._finder.feed(*pieces)
            if spans:
                numbers = self._finder.numbers
                self._remember("".join(pieces), spans)
                found += placed(pieces, places, [one for one in spans if one not in numbers])
                digits += placed(pieces, places, numbers)
        if self._goes_on:
            self._recent.add(pieces, places, self._keys)
            found += self._places_of_parts()
            if self._patterns.known is not None:
                latest = self._recent.latest(sum(map(len, pieces)) + WINDOW)
                found += latest.places(self._patterns.known_in(latest.text))
        self._mask_places(found, STAR)
        self._mask_places(digits, DIGIT)
        self._recent.forget(self._needed)
        self._keys.clear()

    def _mask_places(self, places: Iterable[Span], character: bytes) -> None:
        """Mask content where it lies in the stream."""
        for start, end in self._counted(list(places)):
            key = self._key_at(start)
            data = character * (end - start)
            self.found.append(Mask(start, end, data if key is None else xored(data, *key)))

    @property
    def _goes_on(self) -> bool:
        """Whether what comes may show that what came is part of a secret."""
        is_stream = self.is_event_stream or bool(self._threads)
        return is_stream or self._patterns.known is not None

    @property
    def _needed(self) -> int:
        """From where on content may get a mask yet, or an element may go on."""
        starts = [one.start for one in self._threads.values() if one.start is not None]
        return min(starts, default=self.done)

    def _places_of_parts(self) -> list[Span]:
        """Return where in the stream parts of what elements say lie."""
        parts = [part for part in self._parts if part.end <= self.done]
        self._parts = [part for part in self._parts if part.end > self.done]
        found: list[Span] = []
        for part in parts:
            element = self._recent.within(part.start, part.end)
            if element:
                spans = places_of(element.text, part.text, part.first, part.last)
                found += element.places(spans)
        return found

    def _key_at(self, _: int) -> tuple[bytes, int] | None:
        """Return what masks a byte of content, and how far in its frame it is: nothing does."""
        return None

    def body(self, record: BodyRecord) -> None:
        self._take_held()
        if self._body is not None:
            if record.exchange in self._tells_secret:
                self._body.is_secret = True
            self._mask_whole(self._body.end(is_complete=record.complete))
            self._body = None
        if record.length > LARGE:
            self._look_at_content()
        self._tells_secret -= {record.exchange}
        for key in [key for key in self._threads if key[0] == record.exchange]:
            if not self.is_websocket:
                del self._threads[key]

    def mask_whole(self, start: int, end: int) -> None:
        """Mask what a coding hides in [start, end) of content."""
        self._mask_whole([Piece(start, end - start)])

    def _mask_whole(self, pieces: list[Piece]) -> None:
        for start, length, *_ in pieces:
            self._report.left_out += 1
            self.found.append(Mask(start, start + length, STAR * length))

    def unfinished(self, data: bytes, start: int) -> None:
        self._look_at_content()
        self.is_ssh = self.is_ssh or (not start and data.startswith(SSH_VERSION))
        if self.is_in_body or self._body is not None:
            self.content(data, start)
        else:
            text = data.decode("latin-1")
            self._field_lines(text, start)
            if self._cut_line:
                self._mask(text, rest_of_line(self._cut_line, text, self._rules), start)
                self._cut_line = ""
            if self._is_thorough:
                spans = self._finder.feed(text) + spans_across_chunks(text, self._patterns)
                self._mask(text, spans + login_spans(data), start)
                self._take_rows(data, start)
                self._look_behind_holes(text, start)

    def _take_rows(self, data: bytes, start: int) -> None:
        """Mask the values of columns that name a secret."""
        if self._rows is None and DESCRIPTION.search(data) is not None:
            self._rows = TableRows()
        if self._rows is not None:
            for first, last in self._rows.feed(data, start):
                self._mask(data[first - start :].decode("latin-1"), [(0, last - first)], first)

    def _field_lines(self, text: str, start: int) -> None:
        for span in field_line_spans(text, self._rules):
            self._mask(text, [span], start)

    def _mask(self, text: str, spans: list[Span], offset: int) -> None:
        """Mask what is secret of a text at ``offset``, which is empty if it is remembered."""
        self._remember(text, spans)
        for start, end in self._counted(spans):
            self.found.append(Mask(offset + start, offset + end, None))

    def _remember(self, text: str, spans: list[Span]) -> None:
        for start, end in merged(spans):
            self._report.found.add(text[start:end].encode("latin-1", "replace"))

    def _counted(self, spans: list[Span]) -> list[Span]:
        found = merged(spans)
        self._report.masked += len(found)
        return found


def first_waiting(bodies: Iterable[CodedBody | DeflatedMessages], done: int) -> int:
    """Return where the first piece lies that one of these may mask yet, or ``done``."""
    return min([one.waiting[0].start for one in bodies if one.waiting] + [done])


def placed(pieces: list[str], places: list[int], spans: list[Span]) -> Iterator[Span]:
    """Yield where spans of all pieces together lie, of which each has its place."""
    recent = Recent()
    recent.add(pieces, places, {})
    return recent.places(spans)


def may_hide(headers: Fields) -> bool:
    """Whether a head says that what follows is no plain text, though the decoder knows of none."""
    return names_coding(headers) or has_other_charset(headers) or is_base64(headers)
