"""One request and its response, as a row of the connections table.

Strategy: what a row shows is taken from records as they come, so that a row is right at any time,
also of an exchange that goes on. A record that belongs to no exchange has its own: of the
connection, or of the file.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Fields,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    SseEventRecord,
    WebSocketFrameRecord,
)
from parsers.websocket.handshake import accept_for

from ..exchanges import field_value
from ..text.wording import body_end, close_code, connection_end
from .elements import KINDS, SENDERS, SEVERITIES, Elements

MAX_SHOWN = 2_000
"""Characters of a value that a row of the table holds."""


class Key(NamedTuple):
    """Which exchange: of which connection, and which there. None: of none."""

    connection: int | None
    exchange: int | None

    def __str__(self) -> str:
        """``0.0``; ``n`` stands for none."""
        return ".".join("n" if number is None else str(number) for number in self)


class Exchange:
    """What is known of an exchange."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.changed = 0
        """By which change of the whole it changed last."""
        self.elements: dict[str, Elements] = {}
        self.request: RequestRecord | None = None
        self.response: ResponseRecord | None = None
        self.body: BodyRecord | None = None
        self.reach = [0, 0]
        """How far its elements reach in each direction's stream."""
        self.first_time = 0.0
        self.last_time = 0.0
        self.first_packet = 0
        self.last_packet = 0
        self._first_body_time: float | None = None
        self._size = 0
        self._close: str | None = None
        self._severity = -1
        self._undispatched = 0

    def add(self, record: Record, at: int, encoded: int) -> None:
        """Take a record, which has been put aside encoded."""
        kind = KINDS[record.record]
        elements = self.elements.get(kind)
        if elements is None:
            elements = self.elements[kind] = Elements()
        elements.append(record, at, encoded)
        if record.first_packet > 0:
            self._stretch(record)
        match record:
            case RequestRecord():
                self.request = record
            case ResponseRecord():
                self.response = record
            case BodyRecord() if record.sender == "server":
                self.body = record
            case DiagnosticRecord():
                self._severity = max(self._severity, SEVERITIES.index(record.severity))
            case SseEventRecord():
                self._undispatched += not record.dispatched
            case WebSocketFrameRecord() if record.opcode == 8:
                self._close = self._close or (
                    f"closed by the {record.sender}: {close_code(record.close_code)}"
                )
        if kind in "kfe" and getattr(record, "sender", None) == "server":
            self._count(record)

    def _stretch(self, record: Record) -> None:
        if not self.first_packet:
            self.first_time, self.first_packet = record.first_time, record.first_packet
        self.first_time = min(self.first_time, record.first_time)
        self.last_time = max(self.last_time, record.last_time)
        self.first_packet = min(self.first_packet, record.first_packet)
        self.last_packet = max(self.last_packet, record.last_packet)
        sender: Sender | None = getattr(record, "sender", None)
        if sender is not None:
            end = (getattr(record, "offset", None) or 0) + (getattr(record, "length", None) or 0)
            side = SENDERS[sender]
            self.reach[side] = max(self.reach[side], end)

    def _count(self, record: Record) -> None:
        if self._first_body_time is None:
            self._first_body_time = record.last_time
        if not isinstance(record, SseEventRecord):
            self._size += getattr(record, "length", 0)

    @property
    def transport(self) -> str:
        """What the response streams by, in a word or two."""
        if self.response is None:
            return "request" if self.request is not None else "connection"
        found = self.response.transport
        if found != "http":
            return found
        return {"upgrade": "upgrade", "none": "no body"}.get(
            self.response.framing, self.response.framing
        )

    def row(self, connection: ConnectionRecord | None) -> dict[str, Any]:
        """Return the row of the table; ``connection`` is its connection's record if it is over."""
        request, response, body = self.request, self.response, self.body
        row: dict[str, Any] = {
            "key": str(self.key),
            "connection": self.key.connection,
            "exchange": self.key.exchange,
            "transport": self.transport,
            "first_time": self.first_time,
            "last_time": self.last_time,
            "first_packet": self.first_packet,
            "last_packet": self.last_packet,
            "counts": {kind: len(found) for kind, found in self.elements.items()},
            "undispatched": self._undispatched,
            "size": self._size if body is None else body.length,
            "first_body_time": self._first_body_time if body is None else body.first_time,
            "severity": SEVERITIES[self._severity] if self._severity >= 0 else None,
            "ended": self._ended(connection),
            "is_whole": None if body is None else body.complete,
            "protocol": None if connection is None else connection.protocol,
        }
        if request is not None:
            host = field_value(request.headers, "host")
            row |= {
                "method": request.method[:MAX_SHOWN],
                "target": request.target[:MAX_SHOWN],
                "host": None if host is None else host[:MAX_SHOWN],
                "request_time": request.last_time,
            }
        if response is not None:
            row |= {
                "status": response.status,
                "reason": response.reason[:MAX_SHOWN],
                "framing": response.framing,
                "response_time": response.first_time,
            }
        if body is not None:
            row |= {"decoded_size": body.decoded_size, "content_encoding": body.content_encoding}
        if request is not None and self.transport == "websocket" and response is not None:
            row["handshake"] = handshake(request.headers, response.headers)
        return row

    def _ended(self, connection: ConnectionRecord | None) -> str | None:
        """Return how it ended, None if it has not."""
        if self.body is not None:
            return body_end(self.body)
        if self._close is not None:
            return self._close
        if self.response is not None and self.response.framing == "none":
            return "complete (no body)"
        if connection is None:
            return None
        return f"connection {connection_end(connection)}"


def handshake(request: Fields, response: Fields) -> dict[str, Any]:
    """Return the opening handshake with the accept value worked out (RFC 6455 section 4.2.2)."""
    key = field_value(request, "sec-websocket-key")
    accept = field_value(response, "sec-websocket-accept")
    expected = None if key is None else accept_for(key.strip().encode("latin-1", "replace"))
    return {
        "key": key,
        "accept": accept,
        "expected": None if expected is None else expected.decode(),
        "verified": expected is not None and accept == expected.decode(),
        "version": field_value(request, "sec-websocket-version"),
        "offered_extensions": field_value(request, "sec-websocket-extensions"),
        "extensions": field_value(response, "sec-websocket-extensions"),
        "offered_subprotocols": field_value(request, "sec-websocket-protocol"),
        "subprotocol": field_value(response, "sec-websocket-protocol"),
    }
