"""HTTP/1.1 messages of one direction (RFC 9112).

Strategy: one decoder for what a client sends, one for what a server sends. Bytes go in, and
:class:`Request` or :class:`Response`, then :class:`Data`, :class:`Chunk` and :class:`MissingData`
of its body, then :class:`EndOfMessage` come out, each with the piece that completed it, with a
:class:`~parsers.diagnostics.Diagnostic` for every fault. How bytes are read, and what is kept, is
in :mod:`.states`; here is what differs between the directions: the first line, what its fields say
of the body, and after which messages another protocol comes.
"""

from __future__ import annotations

from msgspec.structs import replace

from ..diagnostics import amount, diagnose
from ..limits import MAX_FIELDS, MAX_PIPELINED
from ..memory import Account
from ..provenance import Event
from .chunked import Chunk, Data, MissingData
from .field_lines import FieldLines
from .framing import (
    BodyFraming,
    length_said,
    request_says,
    response_says,
)
from .head import (
    CERTAIN_REQUEST,
    CERTAIN_RESPONSE,
    CUT_STATUS_LINE,
    REQUEST_LINE_BEGINS,
    STATUS_LINE_BEGINS,
    VERSIONS,
    Fields,
    RequestLine,
    StatusLine,
    parse_request_line,
    parse_status_line,
)
from .messages import EndOfMessage, Request, Response
from .states import MessageDecoder

__all__ = [
    "Chunk",
    "Data",
    "EndOfMessage",
    "MissingData",
    "Request",
    "RequestDecoder",
    "Response",
    "ResponseDecoder",
]

KnownRequest = tuple[RequestLine, BodyFraming, bool]
KnownResponse = tuple[StatusLine, BodyFraming, bool]
"""A start line, how the body is framed, and whether another message may follow."""
Asked = tuple[bytes, bool, bytes]
"""A request's method, whether it asks for an upgrade, and its version."""
CUT = BodyFraming("none", None, (), [])
"""Of a head whose rest is missing."""


def known_request(line: bytes, fields: FieldLines) -> KnownRequest | None:
    """Return what a request's head says; None if it is a fault or asks for a switch."""
    found = parse_request_line(line)
    if found is None or found.faults:
        return None
    body, upgrade, keeps_alive = request_says(found.method, found.version, fields)
    return None if upgrade or body.faults or body.lost else (found, body, keeps_alive)


def known_response(line: bytes, fields: FieldLines, asked: Asked | None) -> KnownResponse | None:
    """Return what the head of a final answer says to what was ``asked``; None if it is anything
    else, a fault, or may switch protocols."""
    if asked is None or asked[1]:
        return None
    found = parse_status_line(line)
    if found is None or found.faults or found.status < 200:
        return None
    body, _, keeps_alive = response_says(found.version, found.status, fields, *asked)
    is_odd = body.faults or body.lost or body.framing == "upgrade"
    return None if is_odd else (found, body, keeps_alive)


class RequestDecoder(MessageDecoder):
    """Decode what a client sends.

    After a request for Upgrade or with CONNECT, or at an HTTP/2 preface, it is ``paused``.
    """

    certain_message = CERTAIN_REQUEST
    start_line_begins = REQUEST_LINE_BEGINS
    _empty_line_fault = "http-leading-empty-line"

    _request_line: RequestLine
    _framed: BodyFraming

    def pass_request(self, found: KnownRequest, head: int, content: int) -> None:
        """Pass over a whole request with such a head, by the sizes of its parts."""
        self._request_line, self._framed, self._keep_alive = found
        self._pass_message(head, content)

    @property
    def _says_its_end(self) -> bool:
        return self._request_line.version in VERSIONS

    def _end_said(self) -> str:
        if not self._says_its_end:
            return ""
        return length_said(self._framed) or "the request has neither length nor transfer coding"

    def _take_start_line(self, line: bytes) -> bool:
        # RFC 9113 section 3.4: the preface begins with what no HTTP/1.1 server takes.
        if line == b"PRI * HTTP/2.0\r\n" and self._takes_preface:
            self.paused_for = "http2"
            self._hold_from(self._start)
            self._held.hold(self._start, line)
            return True
        parsed = parse_request_line(line)
        if parsed is None:
            return False
        self._request_line = parsed
        return True

    def _take_cut_line(self, line: bytes) -> bool:
        line = line.removesuffix(b"\r")
        return line.endswith(VERSIONS) and self._take_start_line(line + b"\r\n")

    @property
    def _may_be_chunked(self) -> bool:
        return self._request_line.method in (b"POST", b"PUT", b"PATCH")

    def _begin_message(self, fields: Fields, end: int, events: list[Event]) -> BodyFraming:
        line = self._request_line
        method, version, faults = line.method, line.version, line.faults
        body, upgrade, self._keep_alive = request_says(method, version, fields)
        if self._is_cut:
            body, upgrade = CUT, True
        if upgrade:
            self.paused_for = "connect" if method == b"CONNECT" else "upgrade"
        self._framed = body
        hole, self._hole = self._hole, None
        events.append(
            Request(
                self._start,
                end,
                method,
                line.target,
                version,
                fields if len(fields) <= MAX_FIELDS else fields[:MAX_FIELDS],
                body.framing,
                body.codings,
                upgrade,
                self._is_cut,
                hole is not None and hole[1] <= self._start,
            )
        )
        if faults:
            events += [
                diagnose(code, self._start, self._section_start, detail) for code, detail in faults
            ]
        return body


class ResponseDecoder(MessageDecoder):
    """Decode what a server sends. It must be told what was asked: :meth:`expect`.

    After 101, and after a 2xx response to CONNECT, it is ``paused``; and after a response that
    refuses to switch protocols, until it has been told what was asked next.
    """

    certain_message = CERTAIN_RESPONSE
    start_line_begins = STATUS_LINE_BEGINS
    _empty_line_fault = "http-response-leading-empty-line"

    _status_line: StatusLine
    _framed: BodyFraming
    _method = b"GET"

    @property
    def _says_its_end(self) -> bool:
        return self._status_line.version in VERSIONS

    def _end_said(self) -> str:
        status = self._status_line.status
        if not self._says_its_end:
            return ""
        is_head = self._method == b"HEAD" and status >= 200
        what = "a response to HEAD" if is_head else f"a {status} response"
        return length_said(self._framed) or f"{what} has no body"

    def __init__(
        self, offset: int = 0, *, keep_data: bool = True, account: Account | None = None
    ) -> None:
        super().__init__(offset, keep_data=keep_data, account=account)
        # Where one direction alone was captured, no response ever takes one: the oldest go.
        # Lists, though the oldest go first: they hardly ever hold more than one.
        self._expected: list[Asked] = []
        self._received: list[int | None] = []

    def expect(
        self,
        method: bytes,
        upgrade: bool,
        version: bytes = b"HTTP/1.1",
        received: int | None = None,
    ) -> None:
        """Take note of a request: its method, whether it asks for an upgrade, its version.

        ``received`` is how many bytes its client had of what is decoded here when it sent it.
        """
        if len(self._expected) == MAX_PIPELINED:
            del self._expected[0], self._received[0]
        self._expected.append((method, upgrade, version))
        self._received.append(received)

    @property
    def asked(self) -> Asked | None:
        """What the response that comes next answers; None if that is not known."""
        return self._expected[0] if self._expected else None

    def pass_response(self, found: KnownResponse, head: int, content: int) -> None:
        """Pass over a whole response with such a head, by the sizes of its parts."""
        self._method = self._expected[0][0]
        del self._expected[0], self._received[0]
        self._status_line, self._framed, self._keep_alive = found
        self._pass_message(head, content)

    def _lost_answers(self) -> tuple[int, bool]:
        """Return how many answers lie among missing bytes, and whether that is certain.

        A client that sends its next request after it has received some of them had the answer to
        the one before: whoever waits for no answer sends both at once, with the same received.
        Where nobody knows what was received, the queue tells.
        """
        hole, self._hole = self._hole, None
        if hole is None:
            return 0, True
        if hole[1] > self._start:  # it is in this head
            self._hole = hole
            return 0, True
        lost = 0
        received = self._received
        for index, (before, after) in enumerate(zip(received, received[1:], strict=False)):
            if before is None or after is None or after > self._start:
                break
            if max(before, hole[0]) < min(after, hole[1]):
                lost = index + 1
        rest = received[lost + 1 : lost + 2]
        return lost, not rest or rest[0] is None or rest[0] > self._start

    def _take_start_line(self, line: bytes) -> bool:
        parsed = parse_status_line(line)
        if parsed is None:
            return False
        self._status_line = parsed
        return True

    def _take_cut_line(self, line: bytes) -> bool:
        # Its reason phrase is not whole, or not surely; its status code is.
        code = CUT_STATUS_LINE.match(line)
        return code is not None and self._take_start_line(code[0] + b" \r\n")

    @property
    def _may_be_chunked(self) -> bool:
        return self._framed.framing in ("chunked", "close")

    def _begin_message(self, fields: Fields, end: int, events: list[Event]) -> BodyFraming:
        line = self._status_line
        version, status, faults = line.version, line.status, line.faults
        is_interim = 100 <= status < 200 and status != 101
        lost, is_certain = self._lost_answers()
        if lost:
            del self._expected[:lost], self._received[:lost]
        is_asked = bool(self._expected)
        asked = self._expected[0] if is_asked else (b"GET", True, b"HTTP/1.1")
        self._method, upgrade, _ = asked
        if is_asked and not is_interim:
            del self._expected[0], self._received[0]
        body, _, keeps_alive = response_says(version, status, fields, *asked)
        self._framed = body
        if self._is_cut:
            body = replace(CUT, framing="upgrade" if body.framing == "upgrade" else "none")
        if body.framing == "upgrade":
            self.paused_for = "upgrade" if status == 101 else "connect"
        elif is_asked and upgrade and not is_interim:
            self.paused_for = "refusal"
        self._keep_alive = is_interim or keeps_alive
        events.append(
            Response(
                self._start,
                end,
                version,
                status,
                line.reason,
                fields if len(fields) <= MAX_FIELDS else fields[:MAX_FIELDS],
                body.framing,
                body.codings,
                self._is_cut,
                lost,
            )
        )
        if lost:
            detail = amount(lost, "response")
            events.append(diagnose("http-response-lost", self._start, end, detail))
        if not is_certain:
            events.append(diagnose("http-response-unsure", self._start, end))
        if not is_asked and not is_interim:
            events.append(diagnose("http-response-unasked", self._start, end))
        if faults:
            events += [
                diagnose(code, self._start, self._section_start, detail) for code, detail in faults
            ]
        return body
