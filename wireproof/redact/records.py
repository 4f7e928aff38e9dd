"""Records without their secrets: the same records, fields of the same length.

Strategy: each record is masked by itself and given back at once. Header fields are masked by their
names, and where nothing else is masked, nothing has to be remembered. Where content is, this is
kept for each exchange of an open connection: whether it is coded, and the finders of its two
senders. Chunks, runs, events, elements, frames and messages are streams of their own, since
the same content is in chunks as it was cut, and in events as it was meant.

What a coding hides (a chunk of a gzip body, a frame under permessage-deflate) is left out of its
record, because it could be decoded: ``data`` is null, as with ``--no-data``. What comes out of the
coding, events and messages, is masked. The digest of a body in which anything was masked or could
not be looked at is left out too, because a short secret could be guessed from it.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec.structs import replace
from parsers.diagnostics import FAULTS
from parsers.records import (
    AwsEventRecord,
    BodyElementRecord,
    BodyRecord,
    ChunkRecord,
    DataRecord,
    DiagnosticRecord,
    Encoding,
    Fields,
    GrpcMessageRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Http3DataRecord,
    JsonLineRecord,
    PartRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
    text_or_base64,
)

from ..exchange import CLOSE, CONTINUATION
from ..exchanges import Exchanges
from .content import ContentFinder
from .encoded_text import find_encoded
from .fields import PlainHeads, mask_fields, names_secret
from .lines import hook_spans, host_of
from .patterns import Patterns, Span
from .rules import Rules
from .secrets import MASK, NUMBER_MASK, Policy, Report, find, mask_spans, merged
from .undeclared import Beginning, begins_as, has_other_charset, is_base64, text_begins_as

Stream = Literal["chunks", "runs", "events", "elements", "frames", "messages"]


MESSAGE = "message"
"""The type of an event that names none."""
Sides = dict[Any, "_Side"]
"""Of an exchange, by sender."""


@dataclass(slots=True)
class _Side:
    """What one side sends in one exchange."""

    patterns: Patterns
    is_coded: bool = True
    """What has no head that says otherwise is taken for coded."""
    is_undeclared: bool = False
    """Whether it is coded though its head says otherwise: then what is made of it is coded too."""
    is_event_stream: bool = False
    has_events: bool = False
    is_touched: bool = False
    """Whether anything of its content was masked, left out or not looked at."""
    has_been_seen: bool = False
    """Whether its content stands in records at all."""
    in_compressed_message: bool = False
    in_coded_message: bool = False
    """Whether the message that its frames are of begins as coded content does."""
    finders: dict[Stream, ContentFinder] = field(default_factory=dict)
    beginnings: dict[Stream, Beginning] = field(default_factory=dict)

    def begin(self, record: RequestRecord | ResponseRecord) -> None:
        """Take the head of what it sends."""
        self.is_coded = is_coded(record)
        self.is_undeclared = False
        self.beginnings.clear()

    def look(self, stream: Stream, data: str | None, encoding: Encoding | None) -> None:
        """Look at the next content of a stream, as long as it may tell that it is coded."""
        is_declared = self.is_coded and stream in ("chunks", "runs")
        if is_declared or self.is_undeclared or data is None or encoding is None:
            return
        beginning = self.beginnings.setdefault(stream, Beginning())
        if not beginning.is_over:
            beginning.look(plain_bytes(data, encoding))
            if beginning.coding is not None:
                self.is_coded = self.is_undeclared = True

    def finder(self, stream: Stream) -> ContentFinder:
        found = self.finders.get(stream)
        if found is None:
            found = ContentFinder(
                is_event_stream=self.is_event_stream,
                may_log_in=stream in ("frames", "messages"),
                patterns=self.patterns,
            )
            self.finders[stream] = found
        return found


class Redactor:
    """Masks secrets in records, which it takes in the contract's order."""

    def __init__(self, policy: Policy | Rules = "headers") -> None:
        self.rules = Rules.of(policy)
        self._is_thorough = self.rules.is_thorough
        self.report = Report()
        self._plain = PlainHeads(self.rules)
        self._exchanges: Exchanges[Sides] = Exchanges(lambda _: {})
        self._sides: Sides = {}
        """Those of the exchange of the record at hand."""
        self._masks: dict[type[Any], Callable[[Any], Record]] = {
            RequestRecord: self._request,
            ResponseRecord: self._response,
            DiagnosticRecord: self._diagnostic,
            ChunkRecord: self._chunk,
            BodyRecord: self._body,
            Http2DataRecord: self._data_frame,
            Http3DataRecord: self._data_frame,
            Http2FrameRecord: self._control_frame,
            SseEventRecord: self._event,
            DataRecord: self._data,
            JsonLineRecord: self._body_element,
            PartRecord: self._body_element,
            AwsEventRecord: self._body_element,
            GrpcMessageRecord: self._body_element,
            WebSocketFrameRecord: self._frame,
            WebSocketMessageRecord: self._message,
        }

    def redact(self, record: Record) -> Record:
        """Return a record without its secrets; the record itself, if it has none."""
        if self.rules.policy == "none":
            return record
        if self._is_thorough:
            found = self._exchanges.add(record)
            self._sides = {} if found is None else found[1]
        mask = self._masks.get(type(record))
        return record if mask is None else mask(record)

    def _side(self, record: Any) -> _Side:
        side = self._sides.get(record.sender)
        if side is None:
            side = self._sides[record.sender] = _Side(self.rules.patterns)
        return side

    # --- heads ---

    def _fields(self, fields: Fields) -> Fields:
        if not self._is_thorough and self._plain.has(fields):
            return fields
        masked, found = mask_fields(fields, self.rules)
        self.report.masked += found
        return masked if found else fields

    def _text(self, text: str) -> str:
        """Mask a whole text, under the policy that looks into texts."""
        spans = find_encoded(text, self.rules.patterns) if text and self._is_thorough else []
        self.report.masked += len(spans)
        return mask_spans(text, spans) if spans else text

    def _request(self, record: RequestRecord) -> Record:
        if self._is_thorough:
            self._side(record).begin(record)
        target, headers = self._text(record.target), self._fields(record.headers)
        if self._is_thorough and (
            spans := hook_spans(record.target, host_of(record), self.rules.patterns)
        ):
            self.report.masked += len(spans)
            target = mask_spans(target, spans)
        if target is record.target and headers is record.headers:
            return record  # as most are: whoever keeps both has one
        return replace(record, target=target, headers=headers)

    def _response(self, record: ResponseRecord) -> Record:
        if self._is_thorough:
            side = self._side(record)
            side.begin(record)
            side.is_event_stream = record.transport == "sse"
        reason, headers = self._text(record.reason), self._fields(record.headers)
        if reason is record.reason and headers is record.headers:
            return record
        return replace(record, reason=reason, headers=headers)

    def _diagnostic(self, record: DiagnosticRecord) -> Record:
        """Leave out what a diagnostic quotes if that may be secret: it is cut anywhere."""
        fault = FAULTS.get(record.code)
        plain = record.summary if fault is None else fault.summary
        quoted = record.summary[len(plain) :]
        if not any(mark in quoted for mark in "'\""):
            return record
        # The continuation of a folded line comes without its name, and so do subprotocols.
        without_name = ("http-obs-fold", "websocket-subprotocol", "websocket-handshake")
        may_be_secret = self._is_thorough or record.code.startswith(without_name)
        may_be_secret = may_be_secret or names_secret(quoted)
        return replace(record, summary=plain) if may_be_secret else record

    # --- bodies ---

    def _chunk(self, record: ChunkRecord) -> Record:
        trailers = None if record.trailers is None else self._fields(record.trailers)
        if not self._is_thorough:
            return record if trailers is record.trailers else replace(record, trailers=trailers)
        side = self._side(record)
        extension = self._text(record.extension)
        data, encoding = record.data, record.encoding
        side.look("chunks", data, encoding)
        if record.size and side.is_coded:
            data, encoding = self._left_out(side, data)
        elif record.size:
            data, encoding = self._content(side, "chunks", data, encoding)
        return replace(record, extension=extension, data=data, encoding=encoding, trailers=trailers)

    def _data_frame(self, record: Http2DataRecord | Http3DataRecord) -> Record:
        if not self._is_thorough:
            return record
        side = self._side(record)
        side.look("chunks", record.data, record.encoding)
        if side.is_coded and record.size:
            data, encoding = self._left_out(side, record.data)
        else:
            data, encoding = self._content(side, "chunks", record.data, record.encoding)
        return replace(record, data=data, encoding=encoding)

    def _control_frame(self, record: Http2FrameRecord) -> Record:
        return replace(record, debug=self._text(record.debug)) if record.debug else record

    def _data(self, record: DataRecord) -> Record:
        if not self._is_thorough:
            return record
        side = self._side(record)
        side.look("runs", record.data, record.encoding)
        if side.is_coded:
            data, encoding = self._left_out(side, record.data)
        else:
            data, encoding = self._content(side, "runs", record.data, record.encoding)
        return replace(record, data=data, encoding=encoding)

    def _body_element(self, record: BodyElementRecord) -> Record:
        """Mask an element, and the fields that some kinds of it have."""
        fields: dict[str, Fields] = {}
        if isinstance(record, PartRecord | AwsEventRecord):
            fields["headers"] = self._fields(record.headers)
        elif isinstance(record, GrpcMessageRecord) and record.trailers is not None:
            fields["trailers"] = self._fields(record.trailers)
        if not self._is_thorough:
            return replace(record, **fields) if fields else record
        side = self._side(record)
        side.look("elements", record.data, record.encoding)
        is_compressed = isinstance(record, GrpcMessageRecord) and record.compressed
        if is_compressed or side.is_undeclared:
            data, encoding = self._left_out(side, record.data)
        else:
            data, encoding = self._content(side, "elements", record.data, record.encoding)
        return replace(record, data=data, encoding=encoding, **fields)

    def _body(self, record: BodyRecord) -> Record:
        if record.trailers and (trailers := self._fields(record.trailers)) is not record.trailers:
            record = replace(record, trailers=trailers)
        if not self._is_thorough or not record.decoded_size:
            return record
        side = self._side(record)
        return record if side.has_been_seen and not side.is_touched else replace(record, sha256="")

    def _event(self, record: SseEventRecord) -> Record:
        if not self._is_thorough:
            return record
        side = self._side(record)
        if self._is_coded_event(side, record):
            return self._without_text(side, record)
        fields = None
        data = record.data
        if record.fields is not None:
            fields = self._event_fields(side, record.fields)
            if data:
                data = "\n".join(value for name, value in fields if name == "data")
        return replace(
            record, event=self._text(record.event), id=self._text(record.id), data=data,
            fields=fields,
        )  # fmt: skip

    def _is_coded_event(self, side: _Side, record: SseEventRecord) -> bool:
        """Return whether an event is what was made of coded bytes."""
        if not side.has_events and record.fields:
            name, value = record.fields[0]
            if text_begins_as(f"{name}:{value}") is not None:
                side.is_coded = side.is_undeclared = True
        side.has_events = True
        return side.is_undeclared

    def _without_text(self, side: _Side, record: SseEventRecord) -> Record:
        side.has_been_seen = side.is_touched = True
        self.report.left_out += 1
        fields = record.fields
        return replace(
            record,
            event=record.event if record.event == MESSAGE else stars(record.event),
            id=stars(record.id),
            data=None if record.data is None else stars(record.data),
            fields=fields and [(stars(name), stars(value)) for name, value in fields],
        )

    def _event_fields(self, side: _Side, fields: Fields) -> Fields:
        """Mask the fields of an event, which are read as the lines that they came in."""
        lines = [f"{name}: {value}\n" for name, value in fields]
        finder = side.finder("events")
        spans = finder.feed(*lines, "\n")
        if not spans:
            return fields
        masked: Fields = []
        start = 0
        for (name, value), line in zip(fields, lines, strict=True):
            end = start + len(line)
            own = [(max(a, start) - start, min(b, end) - start)
                   for a, b in spans if a < end and b > start]  # fmt: skip
            if own:
                self._note(side, own)
                digits = [(a - start, b - start) for a, b in finder.numbers if start <= a < end]
                line = mask_spans(line, [one for one in own if one not in digits])
                line = mask_spans(line, digits, NUMBER_MASK)
                value = line[len(name) + 2 : -1] if len(line) > len(name) + 2 else value
            masked.append((name, value))
            start = end
        return masked

    # --- WebSockets ---

    def _frame(self, record: WebSocketFrameRecord) -> Record:
        if not self._is_thorough:
            return record
        side = self._side(record)
        if record.opcode >= CLOSE:
            return self._control(record)
        is_compressed = record.rsv1 or (
            record.opcode == CONTINUATION and side.in_compressed_message
        )
        side.in_compressed_message = is_compressed and not record.fin
        if record.opcode != CONTINUATION:
            side.in_coded_message = is_coded_data(record)
        if (is_compressed or side.in_coded_message) and record.payload_length:
            data, encoding = self._left_out(side, record.data)
        else:
            data, encoding = self._content(side, "frames", record.data, record.encoding)
        return replace(record, data=data, encoding=encoding)

    def _control(self, record: WebSocketFrameRecord) -> Record:
        reason = None if record.close_reason is None else self._text(record.close_reason)
        if record.data is None or record.encoding is None:
            return replace(record, close_reason=reason)
        data = plain_bytes(record.data, record.encoding)
        spans = find(data.decode("latin-1"), self.rules.patterns)
        if not spans:
            return record
        self.report.masked += len(spans)
        data = mask_bytes(data, spans)
        text, encoding = text_or_base64(data)
        if reason is not None:
            reason = data[2:].decode(errors="replace")
        return replace(record, data=text, encoding=encoding, close_reason=reason)

    def _message(self, record: WebSocketMessageRecord) -> Record:
        if not self._is_thorough:
            return record
        side = self._side(record)
        if is_coded_data(record):
            data, encoding = self._left_out(side, record.data)
        else:
            data, encoding = self._content(side, "messages", record.data, record.encoding)
        return replace(record, data=data, encoding=encoding)

    # --- content ---

    def _content(
        self, side: _Side, stream: Stream, data: str | None, encoding: Encoding | None
    ) -> tuple[str | None, Encoding | None]:
        side.has_been_seen = True
        if data is None or encoding is None:
            side.is_touched = True
            return data, encoding
        finder = side.finder(stream)
        if encoding == "utf-8" and data.isascii():
            spans = finder.feed(data)
            if not spans:
                return data, encoding
            self._note(side, spans)
            return mask_bytes(data.encode(), spans, finder.numbers).decode(), encoding
        raw = plain_bytes(data, encoding)
        spans = finder.feed(raw.decode("latin-1"))
        if not spans:
            return data, encoding
        self._note(side, spans)
        return text_or_base64(mask_bytes(raw, spans, finder.numbers))

    def _note(self, side: _Side, spans: list[Span]) -> None:
        self.report.masked += len(merged(spans))
        side.is_touched = True

    def _left_out(self, side: _Side, data: str | None) -> tuple[None, None]:
        side.has_been_seen = side.is_touched = True
        self.report.left_out += data is not None
        return None, None


def is_coded(record: RequestRecord | ResponseRecord) -> bool:
    """Return whether a message's content is hidden by a coding, by base64 or by its charset."""
    is_plain = all(coding == "identity" for coding in record.codings)
    return not is_plain or is_base64(record.headers) or has_other_charset(record.headers)


def is_coded_data(record: WebSocketFrameRecord | WebSocketMessageRecord) -> bool:
    """Return whether what a WebSocket carries begins as coded content does."""
    if record.data is None or record.encoding is None:
        return False
    return begins_as(plain_bytes(record.data, record.encoding)) is not None


def stars(text: str) -> str:
    """Return a text that is masked whole."""
    return mask_spans(text, [(0, len(text))]) if text else text


def plain_bytes(data: str, encoding: Encoding) -> bytes:
    """Return the bytes of a record's ``data``."""
    return b64decode(data) if encoding == "base64" else data.encode(errors="surrogatepass")


def mask_bytes(data: bytes, spans: list[Span], numbers: Sequence[Span] = ()) -> bytes:
    """Return bytes with spans masked; ``numbers`` are those of them that are digits of JSON."""
    masked = bytearray(data)
    for start, end in merged(spans):
        masked[start:end] = MASK.encode() * (end - start)
    for start, end in numbers:
        masked[start:end] = NUMBER_MASK.encode() * (end - start)
    return bytes(masked)
