"""One side's message in one stream of HTTP/3 (RFC 9114 section 4.1), as its records are written.

Strategy: a field section says of a message what one of HTTP/2 does, so heads are made by the same
functions, and the content goes where that of every other protocol goes.
"""

from __future__ import annotations

import msgspec

from ..diagnostics import Diagnostic, amount, diagnose
from ..http1.chunked import Data, MissingData
from ..http1.messages import EndOfMessage, Request, Response
from ..http2.fields import value_of
from ..http2.hpack import Field
from ..http3.elements import DataFrame
from ..records import EndedBy, Framing, Http3DataRecord, Record, text_or_base64
from .http2_message import bodiless, request_of, response_of, shown
from .message import MessageWriter
from .transport import Fields
from .writer import RecordWriter

VERSION = b"HTTP/3"


class Http3Message:
    """What one side sends in a request stream, from the head to the end."""

    __slots__ = (
        "writer", "exchange", "head", "_message", "_fields", "_start", "_end", "_size",
        "_index", "_is_counted", "_trailers", "_has_hole", "_is_malformed", "_bodiless",
    )  # fmt: skip

    def __init__(self, exchange: int, writer: RecordWriter) -> None:
        self.writer = writer
        self.exchange = exchange
        self.head: Request | Response | None = None
        """The final one, None until it comes."""
        self._message = MessageWriter(exchange, writer)
        self._fields: list[Field] = []
        self._start: int | None = None  # of the body
        self._end = 0
        self._size = 0  # of the content
        self._index = 0
        self._is_counted = True
        self._trailers: Fields | None = None
        self._has_hole = self._is_malformed = False
        self._bodiless = ""

    @property
    def has_body(self) -> bool:
        """Whether content may come."""
        return self._message.body is not None

    def request(self, fields: list[Field], start: int, end: int, *, ends: bool) -> list[Record]:
        """Write the request that a field section at [start, end) makes; ``ends``: it is all."""
        found = request_of(fields, start, end, "none" if ends else "http/3")
        head = msgspec.structs.replace(found, version=VERSION, asks_upgrade=False)
        self._is_counted = found.method != b"CONNECT"
        return self._begin(head, fields, None)

    def response(
        self, fields: list[Field], start: int, end: int, asked: Request | None, *, ends: bool
    ) -> list[Record]:
        """Write the response that a field section at [start, end) makes; ``asked`` is its request.

        One to HEAD, and one of 1xx, 204 or 304, has no content (RFC 9110 section 6.4.1).
        """
        found = response_of(fields, start, end, "http/3")
        is_interim = 100 <= found.status < 200
        self._bodiless = "" if is_interim else bodiless(found, asked)
        asks_tunnel = asked is not None and asked.method == b"CONNECT"
        self._is_counted = not (self._bodiless or asks_tunnel)
        framing: Framing = "none" if ends or is_interim else "http/3"
        head = msgspec.structs.replace(found, version=VERSION, framing=framing)
        return self._begin(head, fields, asked)

    def _begin(
        self, head: Request | Response, fields: list[Field], asked: Request | None
    ) -> list[Record]:
        if isinstance(head, Request) or head.status >= 200 or not head.status:
            self.head, self._fields = head, fields
            self._end = head.end
        return self._message.head(head, asked)

    def join(self, start: int, *, is_sse: bool) -> None:
        """Begin in the middle: with content whose head cannot be read."""
        self._message.join(start, "http/3", is_sse=is_sse)
        self._end = start

    def take_trailers(
        self, fields: list[Field], start: int, end: int, *, is_malformed: bool
    ) -> None:
        """Take note of the trailers at [start, end); those that are malformed make the message so,
        which is not complete then (section 4.1.2)."""
        self._trailers = shown(fields)
        self._is_malformed |= is_malformed
        self._start = start if self._start is None else self._start
        self._end = end

    def content(self, piece: Data) -> list[Record]:
        """Take content of a DATA frame as it came."""
        self._end = piece.end
        self._size += piece.end - piece.start
        return self._message.content([piece])

    def missing(self, start: int, end: int) -> list[Record]:
        """Take note that content is missing."""
        self._has_hole = True
        self._end = max(self._end, end)
        self._size += end - start
        return self._message.missing(MissingData(start, end, None))

    def lose(self, end: int) -> list[Record]:
        """Take note that frames before ``end`` are missing, and content in them."""
        self._has_hole = True
        self._end = max(self._end, end)
        return self._message.lose(MissingData(end, end, None))

    def settle(self) -> list[Record]:
        """Take note that a DATA frame is whole."""
        return self._message.settle()

    def data_frame(self, frame: DataFrame) -> Http3DataRecord:
        """Write a DATA frame, after its content."""
        if self._start is None:
            self._start = frame.start
        self._end = frame.end
        writer = self.writer
        data, encoding = (None, None) if frame.content is None else text_or_base64(frame.content)
        index, self._index = self._index, self._index + 1
        return Http3DataRecord(
            writer.connection, self.exchange, writer.sender, *writer.place(frame.start, frame.end),
            frame.start, frame.end - frame.start, index, frame.size, data, encoding,
            frame.content_start, layer=writer.layer, stream_id=writer.stream_id,
        )  # fmt: skip

    def wrong_length(self) -> Diagnostic | None:
        """Return the fault of a Content-Length that is not the content's (section 4.1.2)."""
        declared = value_of(self._fields, b"content-length")
        if declared is None or not self._is_counted or self._has_hole:
            return None
        if declared.isdigit() and int(declared) == self._size:
            return None
        detail = f"{self._size:,} bytes came, Content-Length is {declared.decode('latin-1')!r}"
        return diagnose("http3-message-malformed", self._end, self._end, detail)

    def _unexpected_content(self) -> list[Record]:
        """Return the fault of content where there is none by definition (section 4.1.2)."""
        if not self._bodiless or not self._size:
            return []
        self._is_malformed = True
        detail = f"{amount(self._size, 'byte')} in {self._bodiless}"
        start = self._end if self._start is None else self._start
        fault = diagnose("http3-message-malformed", start, self._end, detail)
        return [self.writer.diagnostic(fault, self.exchange)]

    def end(self, ended_by: EndedBy) -> list[Record]:
        """End the message; once."""
        records = self._unexpected_content()
        head_end = self.head.end if self.head is not None else self._end
        start = head_end if self._start is None else self._start
        end = max(self._end, start)
        is_whole = ended_by == "end-stream" and not (self._has_hole or self._is_malformed)
        found = EndOfMessage(start, end, ended_by, is_whole, self._trailers)
        return records + self._message.end(found)

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where its body begins, what came of it last, and unfinished elements in it."""
        start = self._end if self._start is None else self._start
        return (start, max(self._end - 1, 0), *self._message.open_offsets)
