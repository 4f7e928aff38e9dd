"""One exchange as an entry of HAR 1.2, from its records (W3C HTTP Archive format, section 4.4).

Strategy: an :class:`Entry` stands beside an exchange, takes what of its records only HAR wants, and
is turned into the entry when no more can come. What may be long is put aside as it comes. What has
no field in HAR stands beside it where Chrome or others put it: ``_webSocketMessages`` (Chrome:
``type``, ``time``, ``opcode``, ``data``), ``_eventSourceMessages`` (``time``, ``eventName``,
``eventId``, ``data``, as in DevTools' protocol), ``_error`` and ``_transferSize`` of a response;
``_verdicts`` has what ``wireproof explain`` says, as its records; and ``_wireproof`` says where in
the capture it all is.

Times are those of packets. ``connect`` is the handshake, from SYN to the ACK that ends it, for the
first request of a connection if it follows within PRECONNECTED; ``blocked`` is the pause between
the two. ``send`` runs from the request's first packet to its last, or to the last that the capture
has, ``wait`` to the response's first packet, ``receive`` to its last. All times in HAR are
milliseconds but those of messages, which are seconds since the epoch, as in Chrome.
"""

from __future__ import annotations

from base64 import b64encode
from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from parsers.limits import MiB
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    DataRecord,
    DiagnosticRecord,
    GapRecord,
    Http2DataRecord,
    Http3DataRecord,
    RequestRecord,
    ResponseRecord,
    Sender,
    SseEventRecord,
    Transport,
    WebSocketMessageRecord,
)

from ..analysis.recorded import lacks_end_of_request
from ..exchange import Exchange, Exchanged
from ..heads import field_value
from ..spool import Pieces, Spool
from ..text.moments import OUT_OF_RANGE, moment, timestamp
from . import heads
from .content import Content
from .json_pieces import JsonList

PRECONNECTED = 0.1
"""Seconds between a handshake and a request after which the connection was not made for it."""
MAX_MESSAGES = 64 * MiB
"""Characters of one exchange's messages and events; each counts BESIDE more than it has."""
BESIDE = 64
UNKNOWN = -1
LEFT_OUT = "not all of it: the rest is past a limit, or after bytes that the capture lacks"
OPCODES = {"text": 1, "binary": 2}
ERRORS = {
    "reset": "net::ERR_CONNECTION_RESET",
    "chunked": "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
    "content-length": "net::ERR_CONTENT_LENGTH_MISMATCH",
    "http/2": "net::ERR_HTTP2_PROTOCOL_ERROR",
    "http/3": "net::ERR_QUIC_PROTOCOL_ERROR",
}
"""What Chrome says of a body that is not whole."""


@dataclass(slots=True)
class Entry:
    """What of an exchange goes into its entry beside what is known of every exchange."""

    exchange: Exchange
    spool: Spool
    """Where messages, events and faults are put aside."""
    contents: dict[Sender, Content] = field(default_factory=dict)
    """Of each side's body."""
    left_out: int = 0
    opened: float | None = None
    """When the handshake of its connection began, if it is the first exchange there."""
    established: float | None = None
    _sent: float = 0.0
    """When the last of the request's content came, as far as it was recorded."""
    _missing: list[float] = field(default_factory=list)
    """When bytes of the client's were found missing, in order."""
    _size: int = 0
    _lists: dict[str, JsonList] = field(default_factory=dict)

    @property
    def transport(self) -> Transport | None:
        """What it streams by, or was asked to."""
        found = self.exchange.transport
        return found if found != "http" else self.exchange.asked

    def add(self, record: Exchanged) -> None:
        """Take the next record, which the exchange has taken."""
        match record:
            case SseEventRecord() if record.dispatched:
                self._keep("events", record.data, event_message(record))
            case WebSocketMessageRecord():
                self._keep("messages", record.data, websocket_message(record))
            case DiagnosticRecord():
                self._keep("faults", record.summary, fault(record))
            case ChunkRecord() | DataRecord() | Http2DataRecord() | Http3DataRecord():
                if record.sender == "client":
                    self._sent = record.last_time
            case GapRecord() if record.sender == "client":
                insort(self._missing, record.first_time)

    def add_events(self, events: Sequence[SseEventRecord]) -> None:
        """Take the next events, which the exchange has taken."""
        sent = [event for event in events if event.dispatched]
        size = sum([len(event.data or "") for event in sent]) + BESIDE * len(sent)
        if not sent or self._size + size > MAX_MESSAGES:
            for event in sent:
                self.add(event)
            return
        self._size += size
        self._list("events").add(*map(event_message, sent))

    def _keep(self, name: str, text: str | None, item: dict[str, Any]) -> None:
        self._size += len(text or "") + BESIDE
        if self._size > MAX_MESSAGES:
            self.left_out += 1
            return
        self._list(name).add(item)

    def _list(self, name: str) -> JsonList:
        kept = self._lists.get(name)
        if kept is None:
            kept = self._lists[name] = JsonList(self.spool)
        return kept

    def _kept(self, name: str) -> Pieces | list[object]:
        found = self._lists.get(name)
        return [] if found is None else found.end()

    @property
    def started(self) -> float:
        """Seconds since the epoch."""
        if self._connect() is not None and self.opened is not None:
            return self.opened
        first = self.exchange.request or self.exchange.response
        return self.exchange.last_time if first is None else first.first_time

    def _connect(self) -> tuple[float, float] | None:
        """Return how long the handshake took and the pause after it, if they belong here."""
        request = self.exchange.request
        if self.opened is None or self.established is None or request is None:
            return None
        pause = request.first_time - self.established
        return (self.established - self.opened, pause) if 0 <= pause <= PRECONNECTED else None

    def finished(self, server: str) -> dict[str, Any]:
        """Return the entry, once; ``server`` is its address, ``127.0.0.1:8000``."""
        timings = self._timings()
        entry: dict[str, Any] = {
            "_initiator": {"type": "other"},
            "startedDateTime": timestamp(self.started),
            "time": sum(max(value, 0) for value in timings.values()),
            "request": self._request(server),
            "response": self._response(),
            "cache": {},
            "timings": timings,
            "serverIPAddress": server.rpartition(":")[0].strip("[]"),
            "connection": str(self.exchange.key.connection),
            "_connectionId": str(self.exchange.key.connection),
        }
        request = [] if self.exchange.request is None else self.exchange.request.headers
        if kind := heads.resource_type(request, self.transport):
            entry["_resourceType"] = kind
        if self.transport == "websocket":
            entry["_webSocketMessages"] = self._kept("messages")
        if self.transport == "sse":
            entry["_eventSourceMessages"] = self._kept("events")
        entry["_wireproof"] = self._origin()
        if comment := "; ".join(self._remarks()):
            entry["comment"] = comment
        return entry

    def _remarks(self) -> Iterator[str]:
        """Yield what an entry has no field for."""
        if moment(self.started) is None:
            yield f"its time is {OUT_OF_RANGE}: {self.started:.0f} seconds since 1970"
        if self._lacks_end:
            yield "the capture lacks the request's end: part of wait was send"
        if self.left_out:
            yield f"{self.left_out:,} messages or events more than are kept"

    def _origin(self) -> dict[str, Any]:
        body = self.exchange.response_body
        return {
            "connection": self.exchange.key.connection,
            "exchange": self.exchange.key.exchange,
            "first_packet": self.exchange.first_packet,
            "last_packet": self.exchange.last_packet,
            "chunks": None if body is None else body.chunks,
            "ended_by": None if body is None else body.ended_by,
            "diagnostics": self._kept("faults"),
        }

    def _timings(self) -> dict[str, float]:
        timings: dict[str, float] = {"blocked": UNKNOWN, "dns": UNKNOWN, "connect": UNKNOWN}
        if (found := self._connect()) is not None:
            timings |= {"connect": milliseconds(found[0]), "blocked": milliseconds(found[1])}
        timings |= {"send": 0.0, "wait": 0.0, "receive": 0.0, "ssl": UNKNOWN}
        sent = 0.0
        request, response = self.exchange.request, self.exchange.response
        if request is not None:
            body = self.exchange.request_body
            sent = request.last_time if body is None else body.last_time
            if self._lacks_end:
                sent = max(request.last_time, self._sent)
            timings["send"] = milliseconds(sent - request.first_time)
        if response is not None:
            answered = response.first_time
            if request is not None:
                timings["wait"] = milliseconds(answered - sent)
            timings["receive"] = milliseconds(self._received(response) - answered)
        return timings

    @property
    def _lacks_end(self) -> bool:
        """Whether the capture may lack the request's end."""
        return lacks_end_of_request(self.exchange, self._sent, self._missing)

    def _received(self, response: ResponseRecord) -> float:
        """Return when the last of the response came: of a WebSocket, its last message."""
        if self.transport == "websocket":
            return self.exchange.last_time
        body = self.exchange.response_body
        return response.last_time if body is None else body.last_time

    def _request(self, server: str) -> dict[str, Any]:
        request = self.exchange.request
        if request is None:
            return _no_request(server)
        fields = request.headers
        host = field_value(fields, ":authority") or field_value(fields, "host") or server
        url = heads.url_of(
            request.target,
            host,
            is_websocket=self.transport == "websocket",
            is_secure=request.layer != "tcp",
        )
        body, content = self.exchange.request_body, self.contents.get("client")
        found: dict[str, Any] = {
            "method": request.method,
            "url": url,
            "httpVersion": http_version(request.version),
            "cookies": heads.request_cookies(request.headers),
            "headers": heads.headers(request.headers),
            "queryString": heads.query_string(url),
            "headersSize": request.length,
            "bodySize": 0 if body is None else body.size,
        }
        if content is not None and content.size:
            found["postData"] = post_data(request, content)
        return found

    def _response(self) -> dict[str, Any]:
        response = self.exchange.response
        if response is None:
            return _no_response()
        body = self.exchange.response_body
        size = 0 if body is None else body.size
        framed = 0 if body is None else _bytes_of(body)
        found: dict[str, Any] = {
            "status": response.status,
            "statusText": response.reason,
            "httpVersion": http_version(response.version),
            "cookies": heads.response_cookies(response.headers),
            "headers": heads.headers(response.headers),
            "content": self._content(response, size),
            "redirectURL": field_value(response.headers, "location") or "",
            "headersSize": response.length,
            "bodySize": size,
            "_transferSize": response.length + framed,
        }
        if body is not None and not body.complete:
            kind = "reset" if body.ended_by == "reset" else response.framing
            found["_error"] = ERRORS.get(kind, "net::ERR_CONNECTION_CLOSED")
        return found

    def _content(self, response: ResponseRecord, size: int) -> dict[str, Any]:
        body, content = self.exchange.response_body, self.contents.get("server")
        found: dict[str, Any] = {
            "size": 0 if content is None else content.size,
            "mimeType": heads.media_type(response.headers),
        }
        if content is None:
            return found
        if body is not None and body.content_encoding:
            found["compression"] = content.size - size
        found["text"] = content.text
        if content.is_base64:
            found["encoding"] = "base64"
        if content.is_cut:
            found["comment"] = LEFT_OUT
        return found


def _bytes_of(body: BodyRecord) -> int:
    """Return how many bytes of its stream a body takes, framing included."""
    if body.extents is None:
        return body.length
    return sum(end - start for start, end in body.extents)


def http_version(version: str) -> str:
    """Return a version as browsers write it into HAR: by its ALPN name from HTTP/2 on."""
    return {"HTTP/2": "h2", "HTTP/3": "h3"}.get(version, version)


def _no_request(server: str) -> dict[str, Any]:
    return {
        "method": "",
        "url": f"http://{server}/",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "queryString": [],
        "headersSize": UNKNOWN,
        "bodySize": UNKNOWN,
        "comment": "the request is not in the capture",
    }


def _no_response() -> dict[str, Any]:
    return {
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": UNKNOWN,
        "bodySize": UNKNOWN,
        "_transferSize": 0,
        "_error": "net::ERR_EMPTY_RESPONSE",
        "comment": "no response is in the capture",
    }


def post_data(request: RequestRecord, content: Content) -> dict[str, Any]:
    """Return what a request posted; what is no text is given in base64, which is said."""
    kind = field_value(request.headers, "content-type") or ""
    found: dict[str, Any] = {"mimeType": kind, "params": [], "text": content.text}
    if content.is_base64:
        found |= {"encoding": "base64", "comment": "no UTF-8: base64"}
    elif kind.partition(";")[0].strip().lower() == heads.FORM:
        found["params"] = heads.parameters(content.read())
    return found


def websocket_message(record: WebSocketMessageRecord) -> dict[str, Any]:
    """Return a message as Chrome writes it; binary ones are in base64."""
    data = record.data or ""
    if record.type == "binary" and record.encoding == "utf-8":
        data = b64encode(data.encode(errors="surrogatepass")).decode()
    return {
        "type": "send" if record.sender == "client" else "receive",
        "time": record.last_time,
        "opcode": OPCODES[record.type],
        "data": data,
    }


def event_message(record: SseEventRecord) -> dict[str, Any]:
    """Return an event as DevTools' protocol has it (Network.eventSourceMessageReceived)."""
    return {
        "time": record.last_time,
        "eventName": record.event,
        "eventId": record.id,
        "data": record.data or "",
    }


def fault(record: DiagnosticRecord) -> dict[str, Any]:
    """Return what of a diagnostic a reader of HAR can use."""
    return {
        "severity": record.severity,
        "code": record.code,
        "summary": record.summary,
        "packet": record.last_packet,
    }


def milliseconds(seconds: float) -> float:
    """Return seconds as milliseconds, to the microsecond; what would be negative is nothing."""
    return round(max(seconds, 0.0) * 1000, 3)
