"""One side's messages in one stream of HTTP/2 (RFC 9113 section 8.1), as their records are written.

Strategy: heads become the requests and responses that HTTP/1.1 has too, so that the same writer
knows what their content is; DATA gives it that content, wherever it lies among other streams'.
"""

from __future__ import annotations

from typing import NamedTuple

from ..diagnostics import Diagnostic, amount, diagnose
from ..http1.chunked import MissingData
from ..http1.framing import by_name, content_codings
from ..http1.messages import EndOfMessage, Request, Response
from ..http2.elements import Content, DataFrame
from ..http2.fields import value_of
from ..http2.hpack import Field
from ..json_lines.resume import count_lines
from ..limits import MAX_UNDECIDED
from ..provenance import Ending
from ..records import (
    EndedBy,
    Framing,
    Http2DataRecord,
    Record,
    text_or_base64,
)
from ..sse.resume import is_event_stream
from ..sse.stream import EventStreamDecoder
from .body import Body
from .elements import GRPC, without_format
from .http2_search import WebSocketSearch
from .http2_tunnel import TunnelStream
from .message import MessageWriter
from .transport import Fields, media_type
from .writer import RecordWriter

UNKNOWN = b"<unknown>"
"""What stands for a name or a value that the capture does not hold: tshark's word."""
_VERSION = b"HTTP/2"
_ENDINGS: dict[EndedBy, Ending] = {
    "rst-stream": "reset", "goaway": "reset", "reset": "reset", "capture-end": "capture-end",
}  # fmt: skip
"""What ends a tunnel for what is spoken in it, unless that ended by itself."""


def shown(fields: list[Field]) -> Fields:
    """Return fields as records have them."""
    return [
        (UNKNOWN if name is None else name, UNKNOWN if value is None else value)
        for name, value, _ in fields
    ]


def _is_untyped(fields: list[Field]) -> bool:
    """Whether a field that is not known may be Content-Type."""
    is_known = any(name == b"content-type" and value is not None for name, value, _ in fields)
    return not is_known and any(None in (name, value) for name, value, _ in fields)


def _asks_grpc(request: Request | None) -> bool:
    """Whether a request is a gRPC call: what answers it with 200 is one too (PROTOCOL-HTTP2.md)."""
    return request is not None and without_format(media_type(request.headers)[0]) == GRPC


def request_of(fields: list[Field], start: int, end: int, framing: Framing) -> Request:
    """Return the request that a header block at [start, end) makes."""
    headers = shown(fields)
    method = value_of(fields, b":method") or b""
    # The authority-form of CONNECT, the origin-form else (RFC 9112 section 3.2).
    authority, path = value_of(fields, b":authority"), value_of(fields, b":path")
    target = (path or authority if path is not None else authority) or b""
    codings = content_codings(by_name(headers))
    asks = method == b"CONNECT"
    return Request(start, end, method, target, _VERSION, headers, framing, codings, asks)


def response_of(fields: list[Field], start: int, end: int, framing: Framing) -> Response:
    """Return the response that a header block at [start, end) makes; status 0 if it has none."""
    headers = shown(fields)
    status = value_of(fields, b":status") or b""
    code = int(status) if status.isdigit() and len(status) == 3 else 0
    codings = content_codings(by_name(headers))
    return Response(start, end, _VERSION, code, b"", headers, framing, codings)


def bodiless(head: Request | Response, request: Request | None) -> str:
    """Return what a head is that no content may follow, "" if it may (RFC 9110 section 6.4.1).

    ``request`` is what a response answers, as far as it is known.
    """
    if isinstance(head, Request):
        return ""
    if request is not None and request.method == b"HEAD":
        return "an answer to HEAD"
    return f"a response with {head.status}" if head.status in (204, 304) else ""


class HeldHead(NamedTuple):
    """A header block that is to be a head."""

    fields: list[Field]
    start: int
    end: int
    framing: Framing


class StreamMessage:
    """What one side sends in one stream: its message, from the head to the end."""

    __slots__ = (
        "writer", "exchange", "fields", "head", "_message", "_start", "_end", "_size",
        "_index", "_is_counted", "_trailers", "_has_hole", "_is_grpc", "tunnel", "_held",
        "search", "_held_head", "_is_malformed", "_lost_after", "_bodiless",
    )  # fmt: skip

    def __init__(self, exchange: int, writer: RecordWriter) -> None:
        self.writer = writer
        self.exchange = exchange
        self.fields: list[Field] = []
        """Of the final head."""
        self.head: Request | Response | None = None
        """The final one, None until it comes."""
        self.tunnel: TunnelStream | None = None
        """What takes its content, if that is no body."""
        self._message = MessageWriter(exchange, writer)
        self._start: int | None = None  # of the body
        self._end = 0
        self._size = 0  # of the content
        self._index = 0
        self._is_counted = True
        self._trailers: Fields | None = None
        self._has_hole = False
        self._is_malformed = False
        self._bodiless = ""
        self._lost_after = -1  # DATA frames that came before the last frames that may be missing
        self._held: list[Content] | None = None  # of a frame that tells what it begins with
        self._is_grpc = False  # by what it answers: its own head does not say
        self.search: WebSocketSearch | None = None
        """What tells whether it is a WebSocket; None if that is known."""
        self._held_head: HeldHead | None = None

    def begin(
        self, head: Request | Response, fields: list[Field], request: Request | None = None
    ) -> list[Record]:
        """Write a head; ``request`` is what a response answers."""
        if isinstance(head, Request) or head.status >= 200 or not head.status:
            self.head, self.fields = head, fields
            self._end = head.end
            self._bodiless = bodiless(head, request)
            asked = head if isinstance(head, Request) else request
            asks_tunnel = asked is not None and asked.method == b"CONNECT"
            self._is_counted = not (self._bodiless or asks_tunnel)
            is_untyped = head.framing == "http/2" and _is_untyped(fields)
            if self.search is None:
                self._held = [] if is_untyped else None
            is_answer = isinstance(head, Response) and head.status == 200
            self._is_grpc = is_untyped and is_answer and _asks_grpc(request)
        return self._message.head(head, request)

    def join(self, start: int, request: Request | None) -> None:
        """Begin in the middle: with content whose head is not in the capture.

        ``request`` is what a response answers.
        """
        if self.search is None:
            self._message.join(start, "http/2", is_sse=False)
        self._end = start
        self._has_hole = True
        self._is_grpc = _asks_grpc(request)
        self._held = []

    # --- what may be a WebSocket ---

    def look_for_websocket(self, search: WebSocketSearch, head: HeldHead | None = None) -> None:
        """Hold the head and what follows until ``search``, or the request, tells what it is."""
        self.search, self._held_head = search, head
        self._held = self._held or []

    def take_held_head(self) -> HeldHead | None:
        """Return the head that is held, and hold it no longer."""
        head, self._held_head = self._held_head, None
        return head

    def enter_tunnel(self) -> list[Record]:
        """Read what was held in the tunnel that the stream has turned out to be."""
        pieces, self._held, self.search = self._held or [], None, None
        assert self.tunnel is not None
        is_whole = self.head is not None and not self._has_hole
        records = [] if is_whole else self.tunnel.missing(self._end, self._end)
        for piece in pieces:
            records += self.tunnel.receive(piece)
        return records

    def as_content(self) -> list[Record]:
        """Take what was held for content: it is no WebSocket, or nothing will ever tell."""
        search, head = self.search, self.take_held_head()
        if search is None:
            return []
        self.search, search.is_over = None, True
        records: list[Record] = []
        if search.is_likely and self.writer.sender == "server":
            start = self._end if head is None else head.start
            said = "its request: it may be a WebSocket, which too few bytes tell"
            fault = diagnose("http2-frames-missing", start, start, said)
            records.append(self.writer.diagnostic(fault, self.exchange))
        if self.tunnel is not None:
            return records
        pieces, self._held = self._held or [], None
        if head is not None:
            records += self.begin(response_of(*head), head.fields)
            if self._held is None:  # its fields say what the content is
                return records + (self._message.content(pieces) if pieces else [])
        elif pieces or self.has_data:
            self._message.join(self._end, "http/2", is_sse=False)
        self._held = pieces
        return records + self._learn()

    def take_trailers(
        self, fields: list[Field], start: int, end: int, *, is_malformed: bool
    ) -> None:
        """Take note of the trailers at [start, end); those that are malformed make the message so,
        which is not complete then (section 8.1.1)."""
        self._trailers = shown(fields)
        self._is_malformed |= is_malformed
        self._start = start if self._start is None else self._start
        self._end = end

    def content(self, piece: Content) -> list[Record]:
        """Take content of a DATA frame as it came."""
        self._end = piece.end
        self._size += piece.end - piece.start
        if self.search is not None:
            self.search.add(self.writer.sender, piece.data)
        if self.tunnel is not None:
            return self.tunnel.receive(piece)
        if self._held is None:
            return self._message.content([piece])
        self._held.append(piece)
        if piece.end - self._held[0].start <= MAX_UNDECIDED:
            return []
        return self._learn() if self.search is None else self.as_content()

    def settle(self) -> list[Record]:
        """Take note that a DATA frame is whole."""
        if self.search is not None:
            return []
        return self._learn(waits=True) + ([] if self.tunnel is not None else self._message.settle())

    def _learn(self, *, waits: bool = False) -> list[Record]:
        """Let the first DATA frame tell what the content is: whole events, or anything else.

        One line of JSON may be all there is: where it ``waits``, the next frame tells.
        """
        if not self._held:
            return []
        content = b"".join(piece.data for piece in self._held)
        lines = count_lines(content)
        if waits and lines == 1:
            return []
        pieces, self._held = self._held, None
        is_sse = self.writer.sender == "server" and is_event_stream(content)
        known = [] if self.head is None else list(self.head.headers)
        if self._is_grpc:
            known.append((b"content-type", GRPC))
        start, records = pieces[0].start, list[Record]()
        if lines > 1 and not self._is_grpc:
            known.insert(0, (b"content-type", b"application/x-ndjson"))
            said = f"{lines} of them came first"
            fault = diagnose("json-lines-found", start, pieces[-1].end, said)
            records.append(self.writer.diagnostic(fault, self.exchange))
        self._message.join(start, "http/2", is_sse=is_sse, known=known)
        if self._is_grpc and self._has_hole:  # it may begin inside a message
            records += self._message.lose(MissingData(start, start, None))
        return records + self._message.content(pieces)

    def missing(self, start: int, end: int) -> list[Record]:
        """Take note that the content at [start, end) is missing."""
        found = diagnose("http2-content-missing", start, end, amount(end - start, "byte"))
        records: list[Record] = [*self.as_content(), self.writer.diagnostic(found, self.exchange)]
        self._has_hole = True
        self._end = max(self._end, end)
        self._size += end - start
        if self.tunnel is not None:
            return records + self.tunnel.missing(start, end)
        return records + self._learn() + self._message.missing(MissingData(start, end, None))

    def lose(self, start: int, end: int) -> list[Record]:
        """Take note that frames of it may be among the missing bytes [start, end); said once."""
        records = self.as_content() if self.has_data else []
        if not self._has_hole and start < end:
            found = diagnose(
                "http2-frames-missing", start, end, f"in {amount(end - start, 'byte')}"
            )
            records.append(self.writer.diagnostic(found, self.exchange))
        self._has_hole = True
        self._lost_after = self._index
        self._end = max(self._end, end)
        if self.tunnel is not None:
            return records + self.tunnel.missing(end, end)
        return records + self._learn() + self._message.lose(MissingData(end, end, None))

    @property
    def body(self) -> Body | None:
        """What its content is written by; None if it has none."""
        return self._message.body

    @property
    def event_stream(self) -> EventStreamDecoder | None:
        """What reads its events, if its content is them as it is."""
        body = self._message.body
        return None if body is None or self.tunnel is not None else body.event_stream

    @property
    def is_held(self) -> bool:
        """Whether its next DATA frame is to be looked at as a whole."""
        body = self._message.body
        return self._held is not None or (body is not None and body.resuming is not None)

    def advance(self, start: int, end: int, size: int) -> int:
        """Count a DATA frame at [start, end) that another has read; return its index."""
        if self._start is None:
            self._start = start
        self._end = end
        self._size += size
        self._index += 1
        return self._index - 1

    def data_frame(self, frame: DataFrame, *, ends: bool) -> Http2DataRecord:
        """Write a DATA frame, after its content."""
        if self._start is None:
            self._start = frame.start
        self._end = frame.end
        writer = self.writer
        data, encoding = (None, None) if frame.content is None else text_or_base64(frame.content)
        index, self._index = self._index, self._index + 1
        if self.tunnel is not None:
            self.tunnel.is_broken = False
        return Http2DataRecord(
            writer.connection, self.exchange, writer.sender, *writer.place(frame.start, frame.end),
            frame.start, frame.end - frame.start, index, frame.size, frame.padding, ends, data,
            encoding, frame.content_start, layer=writer.layer, stream_id=writer.stream_id,
        )  # fmt: skip

    def wrong_length(self) -> Diagnostic | None:
        """Return the fault of a Content-Length that is not the content's, which makes the message
        malformed, and so not complete (section 8.1.1)."""
        declared = value_of(self.fields, b"content-length")
        if declared is None or not self._is_counted or self._has_hole:
            return None
        if declared.isdigit() and int(declared) == self._size:
            return None
        self._is_malformed = True
        detail = f"{self._size:,} bytes came, {declared.decode('latin-1')!r} declared"
        return diagnose("http2-content-length-wrong", self._end, self._end, detail)

    def _unexpected_content(self) -> list[Record]:
        """Return the fault of content where there is none by definition: such a message is
        malformed, and its client gives the stream up."""
        if not self._bodiless or not self._size:
            return []
        self._is_malformed = True
        detail = f"{amount(self._size, 'byte')} in {self._bodiless}"
        start = self._end if self._start is None else self._start
        fault = diagnose("http2-content-unexpected", start, self._end, detail)
        return [self.writer.diagnostic(fault, self.exchange)]

    def end(self, ended_by: EndedBy) -> list[Record]:
        """End the message; once."""
        settled = self.as_content() + self._learn()
        if self.tunnel is not None:
            return self.tunnel.end(_ENDINGS.get(ended_by, "close"))
        settled += self._unexpected_content()
        head_end = self.head.end if self.head is not None else self._end
        start = head_end if self._start is None else self._start
        end = max(self._end, start)
        is_whole = ended_by == "end-stream" and not (self._has_hole or self._is_malformed)
        found = EndOfMessage(start, end, ended_by, is_whole, self._trailers)
        return settled + self._message.end(found)

    @property
    def owner(self) -> tuple[int, int | None]:
        """Its exchange and its stream."""
        return self.exchange, self.writer.stream_id

    @property
    def has_body(self) -> bool:
        """Whether content may come."""
        return self._message.body is not None or self.tunnel is not None

    @property
    def may_have_ended(self) -> bool:
        """Whether what ended it may be missing: no DATA of it came after missing frames."""
        return self._lost_after == self._index

    @property
    def has_data(self) -> bool:
        """Whether DATA has come."""
        return self._start is not None or self._size > 0

    @property
    def has_begun(self) -> bool:
        """Whether a further header block is one of trailers."""
        return self.head is not None or self._held_head is not None or self.has_data

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where its body begins, what came of it last, and unfinished elements in it."""
        start = self._end if self._start is None else self._start
        held = [piece.start for piece in self._held or ()]
        if self._held_head is not None:
            start = self._held_head.start
        return (start, max(self._end - 1, 0), *held, *self._message.open_offsets)
