"""The register of scenarios: what real servers show, each finite and the same on every run.

A :class:`Scenario` says where to ask, what to send and what must have arrived in the end. It is
enough to write a client from: nothing here names a library. To play a WebSocket scenario, walk
through ``messages``: receive the server's, send the client's when it is their turn; then send or
await ``close``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import urlencode

from . import content
from .content import SseEvent

Transport = Literal["chunked", "sse", "websocket"]
On = Literal["uvicorn", "raw"]
Ending = Literal["complete", "truncated", "reset"]
"""How the server ends it: as the protocol has it; by FIN too early; by RST."""
Sender = Literal["client", "server"]

Pairs = tuple[tuple[str, str], ...]


class Message(NamedTuple):
    """One WebSocket message: ``data`` is str for text and bytes for binary."""

    sender: Sender
    data: str | bytes


class Close(NamedTuple):
    """Who begins the closing handshake, and with what (RFC 6455 section 7)."""

    sender: Sender
    code: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One finite thing to ask the demo server for, and all that comes back."""

    transport: Transport
    name: str
    path: str
    summary: str
    on: On = "uvicorn"
    """Which of the two servers has it: ``raw`` where uvicorn cannot be made to."""
    query: Pairs = ()
    headers: Pairs = ()
    """What the client must send for it, beside what its library sends."""
    ending: Ending = "complete"

    chunks: tuple[bytes, ...] = ()
    """The body in the pieces in which it is sent, before any content coding. Without a content
    coding each is one chunk on the wire, and the terminator follows if ``ending`` is complete.
    For event streams this is so with pings off; a ping is a chunk of its own in between."""
    content_encoding: str | None = None
    trailers: Pairs = ()
    events: tuple[SseEvent, ...] = ()
    """What a client dispatches, with the ``retry`` that came along."""

    deflate: bool = False
    """WebSocket: whether the client must offer permessage-deflate. Where false it must not."""
    messages: tuple[Message, ...] = ()
    """WebSocket: the conversation in its order, both sides' messages."""
    close: Close | None = None
    """WebSocket: None where ``ending`` is not complete."""

    @property
    def target(self) -> str:
        """The request target: path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def body(self) -> bytes:
        """The whole content of the body, decoded."""
        return b"".join(self.chunks)


_GZIP: Pairs = (("Accept-Encoding", "gzip"),)

_CHUNKED = (
    Scenario(
        transport="chunked",
        name="plain",
        path="/stream",
        summary="one message, one chunk, one segment",
        chunks=content.STREAM,
    ),
    Scenario(
        transport="chunked",
        name="unicode",
        path="/stream/unicode",
        summary="chunk borders inside characters",
        chunks=content.UNICODE_STREAM,
    ),
    Scenario(
        transport="chunked",
        name="burst",
        path="/stream/burst",
        on="raw",
        summary="several chunks in one write, the last with the terminator",
        chunks=content.STREAM,
    ),
    Scenario(
        transport="chunked",
        name="gzip",
        path="/stream/gzip",
        summary="gzip content, flushed after each message",
        headers=_GZIP,
        content_encoding="gzip",
        chunks=content.STREAM,
    ),
    Scenario(
        transport="chunked",
        name="truncated",
        path="/stream/truncated",
        on="raw",
        summary="FIN after five messages: no last chunk",
        ending="truncated",
        chunks=content.TRUNCATED_STREAM,
    ),
    Scenario(
        transport="chunked",
        name="reset",
        path="/stream/reset",
        on="raw",
        summary="RST after four messages",
        ending="reset",
        chunks=content.RESET_STREAM,
    ),
    Scenario(
        transport="chunked",
        name="trailers",
        path="/stream/trailers",
        on="raw",
        summary="trailer fields after the last chunk, a digest among them",
        headers=(("TE", "trailers"),),
        chunks=content.STREAM,
        trailers=content.TRAILERS,
    ),
    Scenario(
        transport="chunked",
        name="slow",
        path="/stream/slow",
        summary="a stall of 400 ms in mid-stream",
        query=(("stall", str(content.STALL)),),
        chunks=content.STREAM,
    ),
    Scenario(
        transport="chunked",
        name="large",
        path="/stream/large",
        summary="four chunks of 100,000 bytes",
        chunks=content.LARGE_STREAM,
    ),
    Scenario(
        transport="chunked",
        name="ndjson",
        path="/stream/ndjson",
        summary="JSON lines in chunks that are not the lines, the last without LF",
        chunks=content.NDJSON_STREAM,
    ),
    Scenario(
        transport="chunked",
        name="multipart",
        path="/stream/multipart",
        summary="multipart/mixed, a part a message",
        chunks=content.MULTIPART_STREAM,
    ),
)

_SSE = (
    Scenario(
        transport="sse",
        name="plain",
        path="/sse",
        summary="sse-starlette: CRLF, one event a chunk, the last with two data lines",
        chunks=content.EVENT_STREAM,
        events=content.EVENTS,
    ),
    Scenario(
        transport="sse",
        name="fastapi",
        path="/sse/fastapi",
        summary="FastAPI's own server-sent events: LF",
        chunks=content.FASTAPI_STREAM,
        events=content.EVENTS,
    ),
    Scenario(
        transport="sse",
        name="resume",
        path="/sse",
        summary="goes on after the Last-Event-ID that the client names",
        headers=(("Last-Event-ID", "5"),),
        chunks=content.EVENT_STREAM[5:],
        events=content.EVENTS[5:],
    ),
    Scenario(
        transport="sse",
        name="unicode",
        path="/sse/unicode",
        summary="chunk borders inside characters, fields, line ends and events",
        chunks=content.UNICODE_EVENT_STREAM,
        events=content.UNICODE_EVENTS,
    ),
    Scenario(
        transport="sse",
        name="burst",
        path="/sse/burst",
        summary="three events in one chunk",
        chunks=content.BURST_EVENT_STREAM,
        events=content.EVENTS,
    ),
    Scenario(
        transport="sse",
        name="gzip",
        path="/sse/gzip",
        summary="gzip content, flushed after each event",
        headers=_GZIP,
        content_encoding="gzip",
        chunks=content.EVENT_STREAM,
        events=content.EVENTS,
    ),
    Scenario(
        transport="sse",
        name="gzip-held",
        path="/sse/gzip-held",
        summary="gzip content that is never flushed: all events arrive at the end",
        headers=_GZIP,
        content_encoding="gzip",
        chunks=content.EVENT_STREAM,
        events=content.EVENTS,
    ),
    Scenario(
        transport="sse",
        name="truncated",
        path="/sse/truncated",
        on="raw",
        summary="FIN before the fifth event's empty line: it is not dispatched",
        ending="truncated",
        chunks=content.TRUNCATED_EVENT_STREAM,
        events=content.EVENTS[:4],
    ),
    Scenario(
        transport="sse",
        name="reset",
        path="/sse/reset",
        on="raw",
        summary="RST inside the fourth event",
        ending="reset",
        chunks=content.RESET_EVENT_STREAM,
        events=content.EVENTS[:3],
    ),
    Scenario(
        transport="sse",
        name="slow",
        path="/sse/slow",
        summary="a stall of 400 ms in mid-stream",
        query=(("stall", str(content.STALL)),),
        chunks=content.EVENT_STREAM,
        events=content.EVENTS,
    ),
)


def _from_server(data: tuple[str | bytes, ...]) -> tuple[Message, ...]:
    return tuple(Message("server", piece) for piece in data)


def _echo(text: str) -> tuple[Message, ...]:
    return Message("client", text), Message("server", content.reply_to(text))


_NORMAL_CLOSE = Close("client", 1000, "")
_SERVED = _from_server(content.WEBSOCKET_MESSAGES)

_WEBSOCKET = (
    Scenario(
        transport="websocket",
        name="plain",
        path="/ws",
        summary="eight messages, an echo, and the client closes",
        messages=_SERVED + _echo(content.CLIENT_TEXT),
        close=_NORMAL_CLOSE,
    ),
    Scenario(
        transport="websocket",
        name="deflate",
        path="/ws",
        summary="the same under permessage-deflate",
        deflate=True,
        messages=_SERVED + _echo(content.CLIENT_TEXT),
        close=_NORMAL_CLOSE,
    ),
    Scenario(
        transport="websocket",
        name="burst",
        path="/ws/burst",
        on="raw",
        summary="four messages in one write",
        messages=_SERVED,
        close=Close("server", 1000, ""),
    ),
    Scenario(
        transport="websocket",
        name="fragments",
        path="/ws/fragments",
        on="raw",
        summary="a message in three frames cut inside characters, a ping between them",
        messages=_from_server((b"".join(content.FRAGMENTS).decode(),)),
        close=Close("server", 1000, ""),
    ),
    Scenario(
        transport="websocket",
        name="close-code",
        path="/ws/close-code",
        summary="the server closes with a code of its own and a reason",
        messages=_SERVED[:3],
        close=Close("server", content.CLOSE_CODE, content.CLOSE_REASON),
    ),
    Scenario(
        transport="websocket",
        name="large",
        path="/ws/large",
        summary="text and binary messages whose lengths take 64 bits, in both directions",
        messages=_from_server((content.LARGE_TEXT, content.LARGE_BINARY))
        + _echo(content.LARGE_CLIENT_TEXT),
        close=_NORMAL_CLOSE,
    ),
    Scenario(
        transport="websocket",
        name="truncated",
        path="/ws/truncated",
        on="raw",
        summary="FIN inside a frame: no closing handshake",
        ending="truncated",
        messages=_SERVED[:5],
    ),
    Scenario(
        transport="websocket",
        name="reset",
        path="/ws/reset",
        on="raw",
        summary="RST after four messages",
        ending="reset",
        messages=_SERVED[:4],
    ),
)

SCENARIOS: dict[str, dict[str, Scenario]] = {
    "chunked": {scenario.name: scenario for scenario in _CHUNKED},
    "sse": {scenario.name: scenario for scenario in _SSE},
    "websocket": {scenario.name: scenario for scenario in _WEBSOCKET},
}
"""Every scenario by transport and name; ``plain`` is each transport's first."""


def scenario(transport: str, name: str = "plain") -> Scenario:
    """Return the scenario ``name`` of ``transport``; raises LookupError, which lists the names."""
    if transport not in SCENARIOS:
        raise LookupError(f"no transport {transport!r}, only {', '.join(SCENARIOS)}")
    named = SCENARIOS[transport]
    if name not in named:
        raise LookupError(f"no scenario {name!r} for {transport}, only {', '.join(named)}")
    return named[name]
