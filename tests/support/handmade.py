"""Records made by hand, for tests of what is made of records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from parsers.decode.transport import transport_of
from parsers.http1.framing import by_name, request_framing, response_framing
from parsers.http1.messages import Request, Response
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

EPOCH = 1_790_000_000.0
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""Key and accept of RFC 6455 section 1.3."""

OPCODES = {"continuation": 0, "text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}


def on_the_wire(fields: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in fields]


class Wire:
    """Makes the records of one connection; every record takes one packet and 100 ms."""

    def __init__(self, connection: int = 0, exchange: int | None = 0) -> None:
        self.connection = connection
        self.exchange = exchange
        self.packet = 3
        self.chunks = 0
        self.asked: Request | None = None

    def at(self, sender: str, packets: int = 1, length: int = 10) -> dict[str, Any]:
        """Return the common fields of the next record."""
        first = self.packet + 1
        self.packet += packets
        return {
            "connection": self.connection,
            "exchange": self.exchange,
            "sender": sender,
            "first_packet": first,
            "last_packet": self.packet,
            "first_time": EPOCH + first / 10,
            "last_time": EPOCH + self.packet / 10,
            "offset": 0,
            "length": length,
        }

    def same(self, sender: str) -> dict[str, Any]:
        """Return the common fields of a record that the last packet completes too."""
        self.packet -= 1
        return self.at(sender)

    def request(self, target: str = "/stream", *headers: tuple[str, str]) -> RequestRecord:
        fields = [("Host", "127.0.0.1:8000"), *headers]
        lines = on_the_wire(fields)
        found = request_framing(b"GET", b"HTTP/1.1", by_name(lines))
        self.asked = Request(0, 0, b"GET", b"", b"", lines, "none", (), False)
        return RequestRecord(
            **self.at("client"),
            method="GET",
            target=target,
            version="HTTP/1.1",
            headers=fields,
            framing=found.framing,
            codings=list(found.codings),
        )

    def response(
        self, *headers: tuple[str, str], status: int = 200, framing: Any = "chunked"
    ) -> ResponseRecord:
        self.chunks = 0
        reason = {101: "Switching Protocols", 103: "Early Hints", 403: "Forbidden"}.get(
            status, "OK"
        )
        fields = on_the_wire(headers)
        codings = response_framing(b"HTTP/1.1", status, by_name(fields), b"GET", True).codings
        found = Response(0, 0, b"HTTP/1.1", status, b"", fields, framing, codings)
        return ResponseRecord(
            **self.at("server"),
            version="HTTP/1.1",
            status=status,
            reason=reason,
            headers=list(headers),
            framing=framing,
            codings=list(codings),
            transport=transport_of(found, self.asked),
        )

    def events(self) -> ResponseRecord:
        """Return the response of an event stream."""
        return self.response(("Content-Type", "text/event-stream; charset=utf-8"))

    def upgrade(self) -> list[Record]:
        """Return both sides of a WebSocket's opening handshake."""
        return [
            self.request("/ws", ("Upgrade", "websocket"), ("Sec-WebSocket-Key", KEY)),
            self.response(
                ("Upgrade", "websocket"),
                ("Sec-WebSocket-Accept", ACCEPT),
                status=101,
                framing="upgrade",
            ),
        ]

    def chunk(self, data: str = "", encoding: Any = "utf-8", **more: Any) -> ChunkRecord:
        """Return the next chunk; without data it is the last one."""
        more = {"size": len(data), "extension": "", "trailers": None if data else []} | more
        index = self.chunks
        self.chunks += 1
        where = self.at(more.pop("sender", "server"))
        more = {"content_offset": where["offset"] + len(f"{more['size']:x}\r\n")} | more
        return ChunkRecord(**where, index=index, data=data or None, encoding=encoding, **more)

    def event(self, *fields: tuple[str, str], **more: Any) -> SseEventRecord:
        """Return an event that the last packet completes, in the last chunk."""
        last = self.chunks - 1 if self.chunks else None
        more = {
            "event": "message",
            "data": "",
            "id": "",
            "retry": None,
            "dispatched": True,
            "fields": list(fields),
            "first_chunk": last,
            "last_chunk": last,
        } | more
        return SseEventRecord(**self.same("server"), **more)

    def body(self, **more: Any) -> BodyRecord:
        more = {
            "size": 98,
            "decoded_size": 98,
            "content_encoding": None,
            "sha256": "",
            "chunks": self.chunks or None,
            "complete": True,
            "ended_by": "last-chunk",
            "sender": "server",
        } | more
        sender = more.pop("sender")
        return BodyRecord(**self.same(sender), **more)

    def frame(
        self, name: str = "text", data: str | None = "Hello", sender: str = "server", **more: Any
    ) -> WebSocketFrameRecord:
        key = "1b2c3d4e" if sender == "client" else None
        more = {
            "fin": True,
            "rsv1": False,
            "rsv2": False,
            "rsv3": False,
            "opcode": OPCODES.get(name, 3),
            "opcode_name": name,
            "masked": key is not None,
            "masking_key": key,
            "payload_length": len(data or ""),
            "encoding": "utf-8",
            "close_code": None,
            "close_reason": None,
            "content_offset": 6 if key else 2,
        } | more
        return WebSocketFrameRecord(**self.at(sender), data=data, **more)

    def message(self, data: str = "Hello", **more: Any) -> WebSocketMessageRecord:
        more = {
            "type": "text",
            "size": len(data),
            "encoding": "utf-8",
            "frames": 1,
            "compressed": False,
            "sender": "server",
        } | more
        return WebSocketMessageRecord(**self.same(more.pop("sender")), data=data, **more)

    def gap(self, missing: int = 52) -> GapRecord:
        return GapRecord(**self.at("server"), missing=missing)

    def fault(self, **more: Any) -> DiagnosticRecord:
        more = {
            "severity": "error",
            "code": "chunk-last-missing",
            "summary": "the stream ended without the last chunk",
            "reference": "RFC 9112 section 8",
        } | more
        return DiagnosticRecord(**(self.same("server") | more))

    def end(self, **more: Any) -> ConnectionRecord:
        more = {
            "protocol": "http/1.1",
            "retransmissions": 0,
            "out_of_order": 0,
            "closed_by": "server",
            "close": "fin",
            "midstream": False,
            "client_fin": self.packet + 1,
            "server_fin": self.packet + 2,
        } | more
        return ConnectionRecord(
            connection=self.connection,
            client="127.0.0.1:46058",
            server="127.0.0.1:8000",
            first_packet=1,
            last_packet=self.packet + 3,
            first_time=EPOCH,
            last_time=EPOCH + self.packet / 10,
            packets=self.packet + 3,
            client_bytes=100,
            server_bytes=400,
            **more,
        )


def chunked(connection: int = 0) -> list[Record]:
    """Return the records of a chunked response of two chunks, from first to last."""
    wire = Wire(connection)
    return [
        wire.request(),
        wire.response(("Transfer-Encoding", "chunked")),
        wire.chunk("This is"),
        wire.chunk(" a large"),
        wire.chunk(),
        wire.body(),
        wire.end(),
    ]
