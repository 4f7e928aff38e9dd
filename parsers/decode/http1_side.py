"""Requests and the responses that answer them, on one connection (RFC 9112 section 9.3).

Strategy: one decoder for each direction, and what they must tell each other: the response
decoder needs the request's method, and after an answer of 101 both streams get the receivers of
another protocol. Responses answer requests in order, so an exchange is a number that each side
counts for itself. Nothing waits for the other direction, but the bytes after a request to switch
protocols, whose meaning the answer decides.
"""

from __future__ import annotations

from collections.abc import Callable

from ..diagnostics import Diagnostic, diagnose
from ..http1.decoder import Request, RequestDecoder, Response, ResponseDecoder
from ..limits import MAX_PIPELINED, MAX_RECEIVED
from ..provenance import Event
from ..records import Framing, Record
from ..streams import ByteStream
from .fast_http1 import FastRequests, FastResponses
from .fast_sse import FastSse
from .http1_direction import Http1Side
from .message import MessageWriter
from .transport import field_value, transport_of
from .writer import RecordWriter, wire_text


class RequestSide(Http1Side):
    """What the client sends."""

    responses: ResponseSide

    def __init__(
        self,
        stream: ByteStream[Record],
        writer: RecordWriter,
        decoder: RequestDecoder,
        exchange: int = 0,
    ) -> None:
        super().__init__(stream, writer, decoder, exchange)
        self.pending: list[Request] = []
        """Requests that have not been answered."""
        self.unsure: Request | None = None
        """The last one that was sent beside others, among which some are missing."""
        self._is_behind = False
        """Whether responses to requests that come may have been decoded before."""
        self._has_forgotten = False
        self._is_refused = False
        self._received: list[tuple[int, int | None]] = [(0, None)]
        """From which byte on the client had received how many of the server's."""
        self._fast_path = FastRequests(self, decoder)

    @property
    def is_in_step(self) -> bool:
        """Whether a request that comes next begins the next exchange, without more ado."""
        is_odd = self._is_behind or self._is_refused or self.message is not None
        return not is_odd and len(self.pending) < MAX_PIPELINED

    def take_whole(self, message: Request) -> None:
        """Take note of a whole request whose records have been written."""
        self.pending.append(message)
        self.responses.expect(message, self._received_at(message.start))
        self._count_whole()

    def _begin_message(self, message: Request | Response, records: list[Record]) -> None:
        assert isinstance(message, Request)
        if message.is_after_gap:
            self._count_lost(message)
        self.message = MessageWriter(self.exchange, self.writer)
        records += self.message.head(message)
        if self.responses.version == b"HTTP/1.0" and message.framing == "chunked":
            # RFC 9112 section 6.1: "such knowledge might be [...] by remembering the version of a
            # prior received response."
            detail = "in a request to a server that answers in HTTP/1.0"
            fault = diagnose("http-transfer-encoding-forbidden", message.start, message.end, detail)
            records.append(self.writer.diagnostic(fault, self.exchange))
        if self._is_behind and self._is_answered(message):
            return
        if len(self.pending) < MAX_PIPELINED:
            self.pending.append(message)
            self.responses.expect(message, self._received_at(message.start))
        elif not self._has_forgotten:
            self._has_forgotten = True
            detail = f"{MAX_PIPELINED:,}: how a response to another is framed is guessed"
            fault = diagnose("http-pipelining-limit", message.start, message.end, detail)
            records.append(self.writer.diagnostic(fault, self.exchange))

    def _count_lost(self, message: Request) -> None:
        """Count the requests before this one that are not in the capture.

        What the server sent before it had any byte of this one answers others. Which of them were
        answered after that nobody knows.
        """
        self._is_behind = True
        packet = self.writer.place(message.start, message.end)[0]
        self.exchange = max(self.exchange, self.responses.exchange_at(message.start, packet))
        self.unsure = message if self.pending else None

    def _is_answered(self, message: Request) -> bool:
        """Whether its response came before it: it had to wait for what is missing."""
        if self.exchange < self.responses.exchange:
            return True
        self._is_behind = False
        return self.exchange == self.responses.exchange and self.responses.adopt(message)

    def _next_message(self) -> list[Record]:
        self.exchange += 1
        is_refused, self._is_refused = self._is_refused, False
        return self.resume() if is_refused else []

    def receive_data(self, data: bytes) -> list[Record]:
        received = self._stream.acknowledged
        if received != self._received[-1][1]:
            _keep(self._received, (self.decoder.offset, received))
        return super().receive_data(data)

    def _received_at(self, offset: int) -> int | None:
        """Return how many of the server's bytes the client had when it sent the byte there."""
        for start, received in reversed(self._received):  # nearly always the last
            if start <= offset:
                return received
        return None

    def before_the_answer(self, answered: int) -> list[Record]:
        """Say so if the client sent frames before the packet ``answered`` its handshake.

        What came after that was held only because the answer waited behind missing bytes.
        """
        start, size = self.decoder.held
        if not size or self.writer.place(start, start + 1)[0] > answered:
            return []
        # RFC 6455 section 4.1: "the client MUST wait for a response from the server before sending
        # any further data"
        amount = f"{size:,} byte{'s' * (size != 1)}"
        fault = diagnose("websocket-frame-early", start, start + size, amount)
        return [self.writer.diagnostic(fault, self.exchange)]

    def await_upgrade(self, response: Response) -> None:
        """Read on: the request to switch to WebSocket has not come, which ``response`` grants."""
        from ..websocket.handshake import agree
        from .late_request import LateRequest

        exchange = self.exchange

        def begin(request: Request | None) -> None:
            self.exchange = exchange
            agreed = agree([] if request is None else request.headers, response.headers)
            self.begin_websocket(agreed.deflate)

        self._stream.receiver = LateRequest(self._stream, self, begin)

    def refuse(self) -> list[Record]:
        """Go on in HTTP after a request to switch protocols, now or when it has ended."""
        self._is_refused = self.message is not None and self.message.body is not None
        return self.resume()


class ResponseSide(Http1Side):
    """What the server sends.

    ``switch`` is told of a switch to anything but a WebSocket: what was agreed on, by which
    exchange, and where what follows begins, the client's stream first. It gives both streams their
    receivers.
    """

    def __init__(
        self,
        stream: ByteStream[Record],
        writer: RecordWriter,
        decoder: ResponseDecoder,
        requests: RequestSide,
        switch: Callable[[str, int, tuple[int, int]], None],
    ) -> None:
        super().__init__(stream, writer, decoder, requests.exchange)
        self.requests = requests
        self._hand_streams_on = switch
        requests.responses = self
        self.protocol = "http/1.1"
        self.version = b"HTTP/1.1"
        """Of the last response."""
        self._response_decoder = decoder
        self._response: Response | None = None
        self._request: Request | None = None
        """What the response answers."""
        self._is_joined = False
        self._begun: list[tuple[int, int | None]] = []
        """Which exchanges' responses began when so many of the client's bytes had arrived."""
        self._begun_in: list[tuple[int, int | None]] = []
        """In which packets they began, where nothing tells how many bytes had arrived: in TLS."""
        self._whole_messages = self._fast_path = FastResponses(self, decoder)

    @property
    def answered(self) -> Request | None:
        """The request that a response would answer which comes next, without more ado."""
        pending = self.requests.pending
        if self._is_joined or self.message is not None or not pending:
            return None
        return None if pending[0] is self.requests.unsure else pending[0]

    def take_whole(self, message: Response) -> None:
        """Take note of a whole response, the final one to ``answered``, that has been written."""
        self._note_begun(message)
        del self.requests.pending[0]
        self._response, self._request = message, None
        self.version = message.version
        self._count_whole()

    def expect(self, request: Request, received: int | None) -> None:
        """Take note of a request, sent when so many bytes of this side had been received."""
        asks, version = request.asks_upgrade, request.version
        self._response_decoder.expect(request.method, asks, version, received)

    def _write_event(self, event: Event, records: list[Record]) -> None:
        is_unasked = isinstance(event, Diagnostic) and event.code == "http-response-unasked"
        if not (is_unasked and self._may_be_asked()):
            super()._write_event(event, records)

    def _may_be_asked(self) -> bool:
        """Whether a request may be among what the server acknowledged and the capture lacks."""
        received, asked = self._stream.acknowledged, self._stream.peer
        return received is None or received > asked.origins.size + asked.is_ended

    def join(self, framing: Framing, *, is_sse: bool) -> None:
        super().join(framing, is_sse=is_sse)
        self._is_joined = True
        self._read_events_fast()

    def _begin_message(self, message: Request | Response, records: list[Record]) -> None:
        assert isinstance(message, Response)
        pending = self.requests.pending
        if message.lost:
            del pending[: message.lost]
            self.exchange += message.lost
        request = pending[0] if pending else None
        self.message = MessageWriter(self.exchange, self.writer)
        records += self.message.head(message, request)
        self._response = message
        if not _is_interim(message):
            self._answer(request, message, records)
        self.version = message.version
        self._read_events_fast()

    def _answer(self, request: Request | None, response: Response, records: list[Record]) -> None:
        """Take note of the request that a response answers."""
        self._note_begun(response)
        self._request = request
        if request is None:
            return
        del self.requests.pending[0]
        if request is self.requests.unsure:
            fault = diagnose("http-response-unsure", response.start, response.end)
            records.append(self.writer.diagnostic(fault, self.exchange))

    def _note_begun(self, response: Response) -> None:
        received = self._stream.acknowledged
        if received is not None or self._stream.layer == "tcp":
            _keep(self._begun, (self.exchange, received))
        else:
            place = self.writer.place(response.start, response.end)
            _keep(self._begun_in, (self.exchange, place[0]))

    def exchange_at(self, offset: int, packet: int) -> int:
        """Return the first exchange that may be of a request at this place of the client's stream.

        That is the one after the last whose response was sent before a byte of it had arrived; or
        before any packet of the client's was captured. In TLS, whose response began before the
        ``packet`` that brought its first byte.
        """
        for exchange, begun in reversed(self._begun_in):
            if (begun or 0) <= packet:
                return exchange + 1
        for exchange, received in reversed(self._begun):
            if (received or 0) <= offset:
                return exchange + 1
        return 0

    def adopt(self, request: Request) -> bool:
        """Let the response that is open answer a request that comes late, unless it has one."""
        is_open = self.message is not None and self._response is not None
        if not is_open or self._request is not None:
            return False
        self._request = request
        return True

    def _read_events_fast(self) -> None:
        """Read the events of the message that is open by the fast path, if it has any."""
        body = None if self.message is None else self.message.body
        if body is not None and body.event_stream is not None:
            self._fast_path = FastSse(self._response_decoder, body, body.event_stream, self.writer)

    def _next_message(self) -> list[Record]:
        self._fast_path = self._whole_messages
        if self._is_joined:  # no request waits for this response
            self._is_joined = False
            self.exchange += 1
            return []
        response = self._response
        if response is None or _is_interim(response):
            return []  # the final one belongs to the same exchange
        request, self._request = self._request, None
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
        if transport_of(response) == "websocket":
            return self._switch_to_websocket(request, response)
        starts = self.requests.decoder.switch_offset, self.decoder.switch_offset
        self._hand_streams_on(_agreed(request, response), self.exchange, starts)
        return [*self._tunnel(request, response), *self.requests.hand_over(), *self.hand_over()]

    def _tunnel(self, request: Request | None, response: Response) -> list[Record]:
        """Say that a CONNECT was granted: what follows is another connection's."""
        if response.status == 101:
            return []
        detail = "" if request is None else f"to {wire_text(request.target)}"
        fault = diagnose("http-tunnel", response.start, response.end, detail)
        return [self.writer.diagnostic(fault, self.exchange)]

    def _switch_to_websocket(self, request: Request | None, response: Response) -> list[Record]:
        from ..websocket.handshake import agree  # with all that reads frames: most have none

        self.protocol = "websocket"
        agreement = agree([] if request is None else request.headers, response.headers)
        records: list[Record] = []
        if request is not None and not (request.is_cut or response.is_cut):
            records += [
                self.writer.diagnostic(
                    diagnose(code, response.start, response.end, detail), self.exchange
                )
                for code, detail in agreement.faults
            ]
        arrived = self.writer.place(response.end - 1, response.end)[0]
        records += self.requests.before_the_answer(arrived)
        if request is None and not self.requests.decoder.paused:
            self.requests.await_upgrade(response)
        else:
            self.requests.begin_websocket(agreement.deflate)
        self.begin_websocket(agreement.deflate)
        return records + self.requests.hand_over() + self.hand_over()


def _keep(last: list[tuple[int, int | None]], pair: tuple[int, int | None]) -> None:
    """Keep a pair, and of those before it the last ones; a deque takes 760 bytes at least."""
    if len(last) == MAX_RECEIVED:
        del last[0]
    last.append(pair)


def _is_interim(response: Response) -> bool:
    """Whether a final response will follow (RFC 9110 section 15.2); 101 is one."""
    return response.status < 200 and response.status != 101


def _agreed(request: Request | None, response: Response) -> str:
    """Say in words what a switch of protocols agreed on."""
    if response.status == 101:
        upgrade = field_value(response.headers, b"upgrade") or b""
        return f"Upgrade: {wire_text(upgrade.strip())}"
    return "CONNECT" if request is None else f"CONNECT {wire_text(request.target)}"
