"""Requests and the responses that answer them, on one connection (RFC 9112 section 9.3).

Strategy: one decoder for each direction, and what they must tell each other: the response
decoder needs the request's method, and after an answer of 101 both directions belong to another
protocol. Responses answer requests in order, so an exchange is a number that each side counts
for itself. Nothing waits for the other direction, but the bytes after a request to switch
protocols, whose meaning the answer decides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from ..diagnostics import Diagnostic, diagnose
from ..http1.chunked import Chunk, Data, MissingData
from ..http1.decoder import EndOfMessage, Request, RequestDecoder, Response, ResponseDecoder
from ..limits import MAX_PIPELINED
from ..provenance import Completion, Ending, Event
from ..records import PLACE, Record, Sender
from ..websocket.deflate import DeflateParameters
from ..websocket.frames import Frame
from ..websocket.handshake import agree
from ..websocket.messages import Message, WebSocketDecoder
from .body import Body
from .fast_sse import FastSse
from .fast_websocket import FastWebSocket
from .transport import field_value, media_type, transport_of
from .writer import RecordWriter


def in_order(records: list[Record]) -> list[Record]:
    """Sort records of one direction, none of them a body's own, into the contract's order."""
    if len(records) > 1:
        records.sort(key=PLACE)
    return records


class FastPath(Protocol):
    """Takes the elements that nearly all of a stream is made of past the layers between."""

    def receive(self, data: bytes, pos: int, records: list[Record]) -> int:
        """Read what it can from ``pos`` of ``data`` on; return where that ends."""

    def end_of_element(self, data: bytes, pos: int) -> int:
        """Return where the element ends that it could not read, or the end of ``data``.

        A guess, for a piece in which only some elements are unusual, as a ping between events is.
        """


class Side(ABC):
    """One direction of an HTTP/1.1 connection: a receiver of its bytes."""

    def __init__(
        self, writer: RecordWriter, decoder: RequestDecoder | ResponseDecoder | WebSocketDecoder
    ) -> None:
        self.writer = writer
        self.decoder: RequestDecoder | ResponseDecoder | WebSocketDecoder | None = decoder
        """None once another protocol has begun that is not decoded."""
        self.exchange = 0
        self.body: Body | None = None
        self._fast_path: FastPath | None = None
        self._ending: Ending | None = None
        self._ignored_to = 0
        """The offset of the next byte, once nothing is decoded."""

    def receive_data(self, data: bytes) -> list[Record]:
        """Take the next bytes: what it can by a fast path, and what is between by the decoder."""
        records: list[Record] = []
        pos, end = 0, len(data)
        while (fast_path := self._fast_path) is not None:
            upto = fast_path.receive(data, pos, records)
            if upto == end:
                return records
            if upto == pos:  # a stream of another kind: not one try for each of its elements
                break
            pos = fast_path.end_of_element(data, upto)
            records += self._decode(data[upto:pos])
            if pos == end:
                return records
        return records + self._decode(data[pos:] if pos else data)

    def _decode(self, data: bytes) -> list[Record]:
        decoder = self.decoder
        if decoder is None:
            self._ignored_to += len(data)
            return []
        found = decoder.receive_data(data)
        return self.write(found) if found else []

    def receive_gap(self, length: int) -> list[Record]:
        """Record the gap and go on after it."""
        decoder = self.decoder
        if decoder is None:
            start, self._ignored_to = self._ignored_to, self._ignored_to + length
            return [self.writer.gap(start, length, self.exchange)]
        records: list[Record] = [self.writer.gap(decoder.offset, length, self.exchange)]
        return records + self.write(decoder.receive_gap(length))

    def receive_eof(self, ending: Ending) -> list[Record]:
        self._ending = ending
        return [] if self.decoder is None else self.write(self.decoder.receive_eof(ending))

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [self.writer.diagnostic(fault, self.exchange, shown)]

    @property
    def open_offsets(self) -> tuple[int, ...]:
        if self.decoder is None:
            return ()
        inner = () if self.body is None else self.body.open_offsets
        return self.decoder.open_offsets + inner

    def write(self, found: Iterable[Event]) -> list[Record]:
        """Return the records of a decoder's events, in the contract's order.

        Content is collected and handed to the body in one go, before anything but chunks: what
        the body makes of it is put between the chunks by sorting.
        """
        done: list[Record] = []
        records: list[Record] = []
        content: list[Data] = []
        is_in_order = True  # and needs no sorting, which takes a third of writing a chunk
        for event in found:
            if type(event) is Data:  # isinstance() takes three times as long
                content.append(event)
            elif type(event) is Chunk:
                records.append(self.writer.chunk(event, self.exchange))
                if self.body is not None:
                    self.body.chunks = event.index + 1
            elif type(event) is Frame:
                records.append(self.writer.frame(event, self.exchange))
            elif type(event) is Message:
                records.append(self.writer.message(event, self.exchange))
                is_in_order = is_in_order and event.frames == 1
            else:
                is_in_order = False
                if content:
                    self._receive_content(content, records)
                    content = []
                self._write_event(event, records)
                if isinstance(event, EndOfMessage):
                    done += in_order(records)
                    done += self._end_message(event)
                    records = []
        if content:
            self._receive_content(content, records)
        elif is_in_order:
            return records
        return done + in_order(records) if done else in_order(records)

    def _receive_content(self, content: list[Data], records: list[Record]) -> None:
        if self.body is not None:
            records += self.body.receive(content)

    def _write_event(self, event: Event, records: list[Record]) -> None:
        """Add what comes of an event of the rarer kinds."""
        if isinstance(event, Diagnostic):
            records.append(self.writer.diagnostic(event, self.exchange))
        elif isinstance(event, MissingData):
            if self.body is not None:
                records += self.body.receive_missing(event)
        elif isinstance(event, EndOfMessage):
            if self.body is not None:
                records += self.body.end_content(event)
        elif isinstance(event, Request | Response):
            self._begin_message(event, records)
        else:
            raise TypeError(f"no record is known for {event!r}")

    def _end_message(self, found: EndOfMessage) -> list[Record]:
        """Return the body's own record, which follows all that it holds, and what comes next."""
        body, self.body = self.body, None
        if body is None or found.ended_by is None:
            return self._next_message()
        return [body.record(found), *self._next_message()]

    @abstractmethod
    def _begin_message(self, message: Request | Response, records: list[Record]) -> None:
        """Add a message's head, and open its body."""

    @abstractmethod
    def _next_message(self) -> list[Record]:
        """Go on after a message; return what that makes of the other direction."""

    def resume(self) -> list[Record]:
        """Go on in HTTP: the server did not switch protocols."""
        decoder = self.decoder
        if isinstance(decoder, RequestDecoder | ResponseDecoder) and decoder.paused:
            return self.write(decoder.resume())
        return []

    def switch(
        self, deflate: DeflateParameters | None, sender: Sender, is_websocket: bool
    ) -> list[Record]:
        """Go on in another protocol, with what was held of it."""
        old, self.decoder = self.decoder, None
        if old is not None:
            self._ignored_to = old.offset
        if not is_websocket or not isinstance(old, RequestDecoder | ResponseDecoder):
            return []
        # Of a request that was not captured nothing is held: frames begin with what comes next.
        start, held = old.release() if old.paused else (old.offset, b"")
        decoder = WebSocketDecoder(sender, start, deflate, keep_data=self.writer.keeps_data)
        self.decoder = decoder
        self._fast_path = FastWebSocket(decoder, self.writer, self.exchange)
        records = self.receive_data(held)
        while old.paused:
            offset = start + len(held)
            start, held = old.release()
            records += self.write(decoder.receive_gap(start - offset))
            records += self.receive_data(held)
        if self._ending is not None:  # it ended before the answer came
            records += self.write(decoder.receive_eof(self._ending))
        return records


class RequestSide(Side):
    """What the client sends."""

    responses: ResponseSide

    def __init__(self, writer: RecordWriter, decoder: RequestDecoder) -> None:
        super().__init__(writer, decoder)
        self.pending: deque[Request] = deque()
        """Requests that have not been answered."""
        self._has_forgotten = False
        self._is_refused = False

    def _begin_message(self, message: Request | Response, records: list[Record]) -> None:
        assert isinstance(message, Request)
        records.append(self.writer.request(message, self.exchange))
        if len(self.pending) < MAX_PIPELINED:
            self.pending.append(message)
            self.responses.expect(message)
        elif not self._has_forgotten:
            self._has_forgotten = True
            detail = f"{MAX_PIPELINED:,}: how a response to another is framed is guessed"
            fault = diagnose("http-pipelining-limit", message.start, message.end, detail)
            records.append(self.writer.diagnostic(fault, self.exchange))
        if message.has_body:
            self.body = Body(self.exchange, self.writer, message.end, message.codings, False)

    def _next_message(self) -> list[Record]:
        self.exchange += 1
        is_refused, self._is_refused = self._is_refused, False
        return self.resume() if is_refused else []

    def refuse(self) -> list[Record]:
        """Go on in HTTP after a request to switch protocols, now or when it has ended."""
        self._is_refused = self.body is not None
        return self.resume()


class ResponseSide(Side):
    """What the server sends."""

    def __init__(
        self, writer: RecordWriter, decoder: ResponseDecoder, requests: RequestSide
    ) -> None:
        super().__init__(writer, decoder)
        self.requests = requests
        requests.responses = self
        self.protocol = "http/1.1"
        self._response: Response | None = None

    def expect(self, request: Request) -> None:
        if isinstance(self.decoder, ResponseDecoder):
            self.decoder.expect(request.method, request.asks_upgrade)

    def _begin_message(self, message: Request | Response, records: list[Record]) -> None:
        assert isinstance(message, Response)
        pending = self.requests.pending
        transport = transport_of(message, pending[0] if pending else None)
        records.append(self.writer.response(message, self.exchange, transport))
        self._response = message
        if message.framing in ("none", "upgrade"):
            return
        is_sse = transport == "sse"
        parameters = media_type(message.headers)[1]
        if is_sse and b"charset" in parameters.lower() and b"utf-8" not in parameters.lower():
            fault = diagnose(
                "sse-charset-wrong", message.start, message.end, repr(parameters.strip())
            )
            records.append(self.writer.diagnostic(fault, self.exchange))
        body = self.body = Body(self.exchange, self.writer, message.end, message.codings, is_sse)
        if body.event_stream is not None and isinstance(self.decoder, ResponseDecoder):
            self._fast_path = FastSse(self.decoder, body, body.event_stream, self.writer)

    def _next_message(self) -> list[Record]:
        self._fast_path = None
        response = self._response
        if response is None or (response.status < 200 and response.status != 101):
            return []  # an interim response: the final one belongs to the same exchange
        pending = self.requests.pending
        request = pending.popleft() if pending else None
        if response.framing == "upgrade":
            return self._switch(request, response)
        self.exchange += 1
        if request is not None and request.asks_upgrade:
            return self.requests.refuse() + self.resume()
        return []

    def _switch(self, request: Request | None, response: Response) -> list[Record]:
        """Hand both directions to the protocol that the server switched to."""
        # What the client sends from here on belongs to the exchange that switched protocols.
        self.requests.exchange = self.exchange
        upgrade = (field_value(response.headers, b"upgrade") or b"").strip().lower()
        is_websocket = transport_of(response) == "websocket"
        if upgrade == b"h2c":
            self.protocol = "http/2"
        records: list[Record] = []
        deflate = None
        if is_websocket:
            self.protocol = "websocket"
            agreement = agree([] if request is None else request.headers, response.headers)
            deflate = agreement.deflate
            if request is not None:
                records += [
                    self.writer.diagnostic(
                        diagnose(code, response.start, response.end, detail), self.exchange
                    )
                    for code, detail in agreement.faults
                ]
        records += self.requests.switch(deflate, "client", is_websocket)
        return records + self.switch(deflate, "server", is_websocket)
