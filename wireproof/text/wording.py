"""How quantities and endings are worded, in tables and in summaries alike.

Strategy: pure functions from the values of records to a few words of English. Nothing here
comes from the wire, so nothing needs to be escaped.
"""

from __future__ import annotations

from parsers.records import BodyRecord, ConnectionRecord, End, Sender

CLOSE_CODES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "no status code",
    1006: "abnormal closure",
    1007: "invalid payload data",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
    1015: "TLS handshake",
}
"""RFC 6455 section 7.4.1 and the IANA WebSocket Close Code Number Registry."""

RELAYED = "recorded by relay: packet boundaries are its reads"

ENDINGS = {
    "last-chunk": "(last chunk)",
    "content-length": "(Content-Length reached)",
    "close": "as far as closing can tell (it may have been cut)",
    "reset": "(connection reset)",
    "capture-end": "(the capture ends)",
    "end-stream": "(END_STREAM)",
    "rst-stream": "(RST_STREAM)",
    "goaway": "(GOAWAY)",
    "close-notify-missing": "(closed without close_notify)",
}
"""``ended_by`` of a body that is complete. Where closing the connection is its end, nothing tells a
server that died from one that was done (RFC 9112 section 8)."""

NO_BODY = "complete (no body)"
"""Of a response that has none (RFC 9110 section 6.4.1)."""

CUT_ENDINGS = {
    "last-chunk": "the last chunk came after missing bytes",
    "content-length": "bytes of Content-Length are missing",
    "close": "connection closed too early",
    "reset": "connection reset",
    "capture-end": "the capture ends first",
    "end-stream": "END_STREAM came, but bytes are missing or the message is malformed",
    "rst-stream": "RST_STREAM came before END_STREAM",
    "goaway": "GOAWAY came before END_STREAM",
    "close-notify-missing": "connection closed without close_notify: it may have been cut",
}
"""``ended_by`` of a body that is not."""

RECORDED_ENDINGS = {
    "last-chunk": "its last chunk came",
    "content-length": "its last byte came",
    "close": "no end of it was recorded before the connection was closed",
    "reset": "no end of it was recorded before the connection was reset",
    "capture-end": "no end of it was recorded before the capture ends",
    "end-stream": "END_STREAM came",
    "rst-stream": "no END_STREAM was recorded before RST_STREAM",
    "goaway": "no END_STREAM was recorded before GOAWAY",
    "close-notify-missing": "no end of it was recorded before the connection was closed",
}
"""``ended_by`` of one that may lack bytes because the capture does."""

QUIC_ENDINGS = {
    ("end-stream", True): "complete (FIN)",
    ("end-stream", False): "INCOMPLETE (the stream's FIN came after missing bytes)",
    ("rst-stream", False): "INCOMPLETE (RESET_STREAM came before the stream's FIN)",
    ("reset", False): "INCOMPLETE (connection closed before the stream's FIN)",
}
"""The same in QUIC's words: by ``ended_by``, and whether the body is complete."""

QUIC_RECORDED = {
    "end-stream": "the stream's FIN came",
    "rst-stream": "no FIN of the stream was recorded before RESET_STREAM",
    "reset": "no FIN of the stream was recorded before the connection was closed",
}
"""The words of RECORDED_ENDINGS that are others in QUIC."""

FLAGS = {"fin": "FIN", "reset": "RST", "connection-close": "CONNECTION_CLOSE"}
"""What ends a direction, or a connection, by the word of the records."""

ELEMENT_NAMES = {
    "chunk": "chunk",
    "data": "data run",
    "http2_data": "DATA frame",
    "http3_data": "DATA frame",
    "sse_event": "event",
    "websocket_message": "message",
    "json_line": "JSON value",
    "part": "part",
    "aws_event": "AWS event",
    "grpc_message": "gRPC message",
}
"""What people call what a stream is made of, by the kind of its record."""


def duration(seconds: float) -> str:
    """Return a time as DevTools writes it, in at most eight characters below 10,000 s."""
    magnitude = abs(seconds)
    if magnitude < 0.0009995:
        return f"{seconds * 1e6:.0f} µs"
    if magnitude < 0.99995:
        return f"{seconds * 1e3:.1f} ms"
    if magnitude < 9.9995:
        return f"{seconds:.3f} s"
    return f"{seconds:.1f} s"


def count(number: int, thing: str) -> str:
    """Return ``1 chunk``, ``2,000 chunks``; things are words that take an s."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def part_of(part: int, whole: int, thing: str) -> str:
    """Return ``74 of 59,888 packets``; of all of them how many they are."""
    return count(whole, thing) if part == whole else f"{part:,} of {count(whole, thing)}"


def span(first: int, last: int) -> str:
    """Return ``8``, or ``8-12`` for what took several packets or chunks."""
    return str(first) if first == last else f"{first}-{last}"


def close_code(code: int | None) -> str:
    """Return a WebSocket close code with its meaning (RFC 6455 section 7.4)."""
    if code is None:
        return "no status code"
    if code in CLOSE_CODES:
        return f"{code} {CLOSE_CODES[code]}"
    return f"{code} private use" if 4000 <= code < 5000 else f"{code} unregistered"


def body_end(body: BodyRecord) -> str:
    """Return whether a body is whole, and what ended it."""
    if body.layer == "quic" and (said := QUIC_ENDINGS.get((body.ended_by, body.complete))):
        return said
    if body.complete:
        is_told = body.ended_by == "close" and not is_ended_by_fin_alone(body)
        return f"complete {'(close_notify)' if is_told else ENDINGS[body.ended_by]}"
    return f"INCOMPLETE ({CUT_ENDINGS[body.ended_by]})"


def recorded_end(body: BodyRecord) -> str:
    """Return what is known of a body where the capture lacks bytes, maybe its own."""
    quic = QUIC_RECORDED.get(body.ended_by) if body.layer == "quic" else None
    return f"not known to be whole ({quic or RECORDED_ENDINGS[body.ended_by]})"


def is_ended_by_fin_alone(body: BodyRecord) -> bool:
    """Whether a body counts as complete for no other reason than that its connection was closed.

    In TLS one that closing ends is complete only if its sender said so with close_notify, which
    nobody on the path can forge (RFC 9112 section 9.8).
    """
    return body.complete and body.ended_by == "close" and body.layer != "tls"


def data_chunks(body: BodyRecord) -> int:
    """Return how many chunks of a body carried data: the last chunk ends it and has none."""
    return (body.chunks or 0) - (body.ended_by == "last-chunk")


def recorded_by(connection: ConnectionRecord) -> str:
    """Return who recorded a connection and what follows from that; empty if it was the kernel."""
    return RELAYED if connection.recorded_by == "relay" else ""


def flag_by(kind: str, sender: Sender) -> str:
    """Return what somebody sent to end a connection: ``FIN by the client``."""
    return f"{FLAGS[kind]} by the {sender}"


def end_said(end: End, time: str) -> str:
    """Return a FIN or RST: ``FIN by the server (packet 42, 3.204 s)``."""
    return f"{flag_by(end['kind'], end['sender'])} (packet {end['packet']}, {time})"


def ends_said(connection: ConnectionRecord) -> list[str]:
    """Return every FIN and RST of a connection, with its time since the first packet of that."""
    start = connection.first_time
    return [end_said(end, duration(end["time"] - start)) for end in connection.ends]


def connection_end(connection: ConnectionRecord) -> str:
    """Return who ended a connection, and how."""
    if connection.close == "open":
        return "still open when the capture ends"
    if connection.close == "refused":
        return f"refused by the {connection.closed_by} (RST)"
    if connection.close == "connection-close":
        return f"closed by the {connection.closed_by} (CONNECTION_CLOSE)"
    verb, flag = ("reset", "RST") if connection.close == "reset" else ("closed", "FIN")
    if connection.closed_by is None:
        return f"{verb} ({flag})"
    said = f"{verb} by the {connection.closed_by} ({flag})"
    if connection.close == "reset":
        return said
    other = "client" if connection.closed_by == "server" else "server"
    fin = connection.client_fin if other == "client" else connection.server_fin
    return f"{said}, then the {other}" if fin is not None else f"{said}, no FIN of the {other} seen"
