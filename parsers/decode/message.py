"""One message of an exchange as its records are written, whatever protocol frames it.

Strategy: whoever decodes a protocol drives a writer for each message: first its head, then its
content as it comes, then its end. What HTTP/1 and HTTP/2 have in common stands here (RFC 9110
section 6): what a head says of the content, and what the content is. How it was framed, and which
exchange comes next, is the driver's.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..diagnostics import diagnose
from ..http1.chunked import Data, MissingData
from ..http1.head import Fields
from ..http1.messages import EndOfMessage, Request, Response
from ..records import Framing, Record, Sender
from .body import Body
from .elements import element_decoder
from .refusal import Refusal, is_refused
from .transport import media_type, transport_of
from .writer import RecordWriter


class MessageWriter:
    """Writes the records of one request or one response, but for those of its framing."""

    __slots__ = ("body", "exchange", "_refusal", "_writer")

    def __init__(self, exchange: int, writer: RecordWriter) -> None:
        self.exchange = exchange
        self.body: Body | None = None
        """What its content is written by; None if it has none."""
        self._refusal: Refusal | None = None
        self._writer = writer

    def head(self, head: Request | Response, request: Request | None = None) -> list[Record]:
        """Write the head, and open the body that follows by its framing.

        ``request`` is what a response answers, if that is known.
        """
        if isinstance(head, Request):
            if head.has_body:
                self._open(head, "client")
            return [self._writer.request(head, self.exchange)]
        if request is not None and is_refused(request, head):
            self._refusal = Refusal(request, head, keep_data=self._writer.keeps_data)
        transport = transport_of(head, request)
        records: list[Record] = [self._writer.response(head, self.exchange, transport)]
        if head.framing not in ("none", "upgrade"):
            self._open(head, "server")
            if transport == "sse":
                records += self._check_charset(head)
        return records

    def join(
        self, start: int, framing: Framing, *, is_sse: bool, known: Fields | None = None
    ) -> None:
        """Begin with content at ``start`` of a body whose beginning is not in the capture.

        ``known`` are the fields of its head that are.
        """
        fields = list(known or ())
        if is_sse and not media_type(fields)[0]:
            fields.append((b"content-type", b"text/event-stream"))
        unseen = Response(start, start, b"HTTP/1.1", 200, b"", fields, framing, ())
        self._open(unseen, self._writer.sender).join()

    def content(self, pieces: Sequence[Data]) -> list[Record]:
        """Take the next pieces of content, one at least; return what they completed."""
        if self._refusal is not None:
            self._refusal.content(pieces)
        return [] if self.body is None else self.body.receive(pieces)

    def missing(self, hole: MissingData) -> list[Record]:
        """Take note that content is missing."""
        return [] if self.body is None else self.body.receive_missing(hole)

    def lose(self, hole: MissingData) -> list[Record]:
        """Take note that frames may be missing, and content in them."""
        return [] if self.body is None else self.body.lose(hole)

    def settle(self) -> list[Record]:
        """Take note that a frame of its content is whole."""
        return [] if self.body is None else self.body.settle()

    def end(self, found: EndOfMessage) -> list[Record]:
        """End the message: the body's own record comes last, after all that the end completes."""
        body = self.body
        if body is None or found.ended_by is None:
            return self._refused(found)
        return [*body.end_content(found), *self._refused(found), body.record(found)]

    def _refused(self, found: EndOfMessage) -> list[Record]:
        """Say so if it refuses an upgrade."""
        if self._refusal is None:
            return []
        return [self._writer.diagnostic(self._refusal.fault(found.start, found.end), self.exchange)]

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where in the stream unfinished elements of its content begin."""
        return () if self.body is None else self.body.open_offsets

    def _open(self, head: Request | Response, sender: Sender) -> Body:
        elements = element_decoder(head.headers, head.framing, sender)
        self.body = body = Body(self.exchange, self._writer, head, elements)
        return body

    def _check_charset(self, head: Response) -> list[Record]:
        """Say so if an event stream is declared to be in another charset than UTF-8."""
        parameters = media_type(head.headers)[1]
        if b"charset" not in parameters.lower() or b"utf-8" in parameters.lower():
            return []
        fault = diagnose("sse-charset-wrong", head.start, head.end, repr(parameters.strip()))
        return [self._writer.diagnostic(fault, self.exchange)]
