"""Where in one direction of HTTP/2 the secrets are: in header blocks, and in streams of content.

Strategy: frames are read where the decoder reads them (:class:`parsers.PlacedFrames`). A literal in
a header block is rewritten in its own coding, at its size on the wire and in the dynamic table, so
later blocks mean what they meant. What each stream carries is a byte stream of its own
(:mod:`.http2_content`). What cannot be read is masked whole, and counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from parsers import (
    UNREADABLE,
    FieldText,
    PlacedContent,
    PlacedFrames,
    Plain,
    Syntax,
    Unread,
    rewritten_field,
)
from parsers.limits import KiB
from parsers.provenance import Ending
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    DiagnosticRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
)

from ..bytes.dissection import ElementStream
from ..dialects.dialect import Element
from .fields import secret_spans
from .http2_content import HTTP2, SearchedContent, StreamContent
from .lines import hook_spans
from .patterns import Span
from .rules import Rules
from .said import Said, place_of
from .secrets import Report, find
from .stars import Mask
from .streams import may_hide
from .websocket_masks import WebSocketMaskStream

MAX_OPEN = 4_096
"""Streams whose content is followed at the same time; then the oldest is taken for ended."""
MAX_OPEN_UNTOLD = 64
"""The same where no record tells any more what it is, for the memory was spent."""
CONTENT_COST = 4 * KiB
"""Charged for what follows the content of one of them, on top of its bytes."""


class Http2Stream(ElementStream, ABC):
    """One direction of a connection, which may turn out to speak HTTP/2: what its frames say goes
    to the methods below. Whoever derives has another stream beside it, which takes all else."""

    found: list[Mask]
    _report: Report

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._frames: PlacedFrames | None = None
        self._contents: dict[int, StreamContent[Any]] = {}
        self._waiting: dict[int, list[Said]] = {}
        """What elements of streams say that came with the records at hand."""
        self._fed = 0
        """Up to here its frames have been read."""

    # --- what becomes of each part: for those who derive from this ---

    @abstractmethod
    def new_content(self) -> StreamContent[Any]:
        """Return what takes the content of a stream."""

    @abstractmethod
    def field(self, field: FieldText) -> None:
        """Take a name or a value of a header block."""

    @abstractmethod
    def plain(self, plain: Plain) -> None:
        """Take padding, or the payload of a control frame."""

    def syntax(self, syntax: Syntax) -> None:
        """Take what frames are made of."""

    def placed_content(self, content: PlacedContent) -> None:
        """Take content of a stream."""
        self._content_of(content.stream_id).receive_data(content.data, content.start)

    def unread(self, start: int, end: int) -> None:
        """Take note of what cannot be read."""
        self._report.unread += 1
        self.found.append(Mask(start, end, UNREADABLE * (end - start)))

    # --- the receiver ---

    def receive_data(self, data: bytes) -> list[Record]:
        if self._frames is None:
            return super().receive_data(data)
        self._fed += len(data)
        self._note(self._frames.receive_data(data))
        return []

    def receive_gap(self, length: int) -> list[Record]:
        if self._frames is None:
            return super().receive_gap(length)
        self._fed += length
        self._report.holes += 1
        self._note(self._frames.receive_gap(length))
        return []

    def receive_eof(self, ending: Ending) -> list[Record]:
        for content in self._contents.values():
            content.give_back()
        return super().receive_eof(ending)

    # --- what records tell ---

    def take(self, record: Record) -> None:
        if type(record) is ChunkRecord and self._frames is None:  # as nearly all are
            self._has_been_told = True
            self._take_chunk(record)
            return
        if self._frames is None and (sender := _sender_of_http2(record)) is not None:
            self._speak(sender)
        if self._frames is None:
            super().take(record)
            return
        stream_id = getattr(record, "stream_id", None)
        if stream_id is None or isinstance(record, Http2FrameRecord | Http2DataRecord):
            return
        if stream_id not in self._contents and _needs_no_content(record):
            return
        content = self._content_of(stream_id)
        if isinstance(record, BodyRecord):
            self._tell(stream_id, content)
        content.take(record)
        if isinstance(record, BodyRecord) and not content.is_tunnel:
            self._end_content(stream_id)

    def switch_to_websocket(self, response: ResponseRecord) -> None:
        if self._frames is None or response.stream_id is None:
            super().switch_to_websocket(response)
        else:
            self._content_of(response.stream_id).switch_to_websocket(response)

    def hand_on(self, *, is_end: bool) -> None:
        if self._frames is None:
            super().hand_on(is_end=is_end)
            return
        if is_end:
            self._note(self._frames.end())
        if self._is_let_go:
            self._holding = None  # it was given back together with what the decoder held
        for stream_id, content in list(self._contents.items()):
            if is_end or self._is_let_go:
                self._end_content(stream_id)
            else:
                self._tell(stream_id, content)
                self.found += content.take_masks(is_end=False)
        self.done = self._fed

    @property
    def settled(self) -> int:
        if self._frames is None:
            return super().settled
        waiting = [content.settled for content in self._contents.values()]
        return min(
            self._frames.open_offset, self.done, *(one for one in waiting if one is not None)
        )

    def _tell(self, stream_id: int, content: StreamContent[Any]) -> None:
        for said in self._waiting.pop(stream_id, ()):
            content.say(said)

    # --- frames ---

    def _speak(self, sender: Sender) -> None:
        """Read what has come as frames, and all that comes."""
        super().hand_on(is_end=False)
        self._frames = PlacedFrames(self.done, sender)
        self._gather()
        start, at = self.done, self._at
        raw, self._raw, self._at = bytes(self._raw), bytearray(), 0
        if self._holding is not None:
            self._holding.hold(0)  # what waits from here on, its streams hold
        self._fed = start
        end = start + len(raw) - at
        for first, last in [*self.holes, (end, end)]:
            if last > self._fed:
                self.receive_data(raw[at + self._fed - start : at + max(first, self._fed) - start])
            if last > self._fed:  # not at the end, where nothing is missing
                self.receive_gap(last - self._fed)

    def _content_of(self, stream_id: int) -> StreamContent[Any]:
        found = self._contents.get(stream_id)
        if found is None:
            if len(self._contents) >= (MAX_OPEN_UNTOLD if self._is_let_go else MAX_OPEN):
                self._end_content(next(iter(self._contents)))
            found = self._contents[stream_id] = self.new_content()
            if self._account is not None and self._holding is not None:
                found.charge_to(self._account)
                self._charge_contents()
        return found

    def _end_content(self, stream_id: int) -> None:
        content = self._contents.pop(stream_id)
        self._tell(stream_id, content)
        self.found += content.take_masks(is_end=True)
        self._charge_contents()

    def _charge_contents(self) -> None:
        if self._holding is not None and not self._is_let_go:
            self._holding.hold(len(self._contents) * CONTENT_COST)

    def _note(self, events: list[Any]) -> None:
        for event in events:
            match event:
                case PlacedContent():
                    self.placed_content(event)
                case FieldText():
                    self.field(event)
                case Plain():
                    self.plain(event)
                case Syntax():
                    self.syntax(event)
                case Unread(start=start, end=end):
                    self.unread(start, end)


class Http2MaskStream(Http2Stream, WebSocketMaskStream):
    """Such a stream in which secrets are looked for."""

    def say(self, said: Said, place: Callable[[Element], Span] = place_of) -> None:
        stream_id = said.elements[0].stream_id
        if stream_id is None:
            super().say(said, place)
        else:
            self._waiting.setdefault(stream_id, []).append(said)

    def new_content(self) -> StreamContent[Any]:
        return SearchedContent(self._rules, self._report)

    def plain(self, plain: Plain) -> None:
        if self._is_thorough:
            text = plain.data.decode("latin-1")
            self._mask(text, find(text, self._patterns), plain.start)

    def field(self, field: FieldText) -> None:
        spans = self._counted(_secrets_of(field, self._rules))
        if not spans:
            return
        self._remember(field.text.decode("latin-1"), spans)
        if field.is_coded:  # a late copy of it no stream takes
            before = field.text[: spans[0][0]]
            size = len(rewritten_field(before, [], is_coded=True))
            self._report.found.add(rewritten_field(field.text, [], is_coded=True)[size:])
        is_name = not field.is_value
        masked = rewritten_field(field.text, spans, is_coded=field.is_coded, is_name=is_name)
        self.found += laid_out(masked, field)


def laid_out(masked: bytes, field: FieldText) -> Iterator[Mask]:
    """Yield what takes the place of a field's text in each of the frames that carry it."""
    position = 0
    for start, end in field.places:
        yield Mask(start, end, masked[position : position + end - start])
        position += end - start


def _secrets_of(field: FieldText, rules: Rules) -> list[Span]:
    """Return which parts of a field's name or value are secret: all of it, if nobody knows."""
    text = field.text.decode("latin-1")
    if not field.is_value:
        return find(text, rules.patterns) if rules.is_thorough else []
    if field.name is None:
        return [(0, len(text))]
    spans = secret_spans(field.name.decode("latin-1"), text, rules)
    if field.authority and rules.is_thorough:
        spans += hook_spans(text, field.authority.decode("latin-1"), rules.patterns)
    return spans


def _needs_no_content(record: Record) -> bool:
    """Whether a record says nothing of a stream's content: a fault, or a head behind which none
    comes."""
    if not isinstance(record, RequestRecord | ResponseRecord):
        return isinstance(record, DiagnosticRecord)
    is_connect = isinstance(record, RequestRecord) and record.method == "CONNECT"
    return record.framing == "none" and not (is_connect or may_hide(record.headers))


def _sender_of_http2(record: Record) -> Sender | None:
    """Return whose record this is if it is one of HTTP/2."""
    if isinstance(record, RequestRecord | ResponseRecord):
        return record.sender if record.version == HTTP2 else None
    return record.sender if isinstance(record, Http2FrameRecord | Http2DataRecord) else None
