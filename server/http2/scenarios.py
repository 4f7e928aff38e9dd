"""Every scenario of HTTP/2 that can be shown: what its client asks for, and how it behaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["get", "grpc", "websocket"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Http2Scenario:
    """What is served, asked for and shown."""

    name: str
    summary: str
    path: str = "/sse"
    kind: Kind = "get"
    streams: int = 1
    """Requests at once, each on a stream of its own."""
    one_more_after: int | None = None
    """Bytes of a response after which another request is made."""
    window_held: float = 0.0
    """Seconds for which the client opens no window that is used up."""
    cancel_after: int | None = None
    """Bytes of a response after which the client cancels it (RST_STREAM)."""
    requests_per_connection: int | None = None
    """How many the server takes before it ends the connection (GOAWAY)."""
    shows: str
    """What a recording of it holds: the kind of a record, of a frame, or of a body's end."""


SCENARIOS: tuple[Http2Scenario, ...] = (
    Http2Scenario(
        name="sse",
        summary="server-sent events, one after the other",
        shows="sse_event",
    ),
    Http2Scenario(
        name="window-stall",
        summary="the client opens no window for a second, and the server has to wait",
        path="/large",
        window_held=1.0,
        shows="stall",
    ),
    Http2Scenario(
        name="goaway",
        summary="the server ends the connection (GOAWAY) while it streams",
        streams=2,
        one_more_after=100,
        requests_per_connection=2,
        shows="GOAWAY",
    ),
    Http2Scenario(
        name="cancel",
        path="/sse?delay=0.1",
        summary="the client cancels a stream (RST_STREAM, CANCEL) and keeps the connection",
        streams=2,
        cancel_after=60,  # early: a slow client has time to, while more is to come
        shows="rst-stream",
    ),
    Http2Scenario(
        name="mux20",
        summary="20 streams at once on one connection",
        streams=20,
        shows="sse_event",
    ),
    Http2Scenario(
        name="websocket",
        summary="a WebSocket in a stream of HTTP/2 (RFC 8441)",
        path="/ws",
        kind="websocket",
        shows="websocket_message",
    ),
    Http2Scenario(
        name="grpc",
        summary="a gRPC call that streams its answers, with grpc-status in trailers",
        path="/demo.Chat/Tokens",
        kind="grpc",
        shows="grpc_message",
    ),
)
NAMES = tuple(scenario.name for scenario in SCENARIOS)


def http2_scenario(name: str) -> Http2Scenario:
    """Return a scenario by its name; raises LookupError if there is none so named."""
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    raise LookupError(f"no scenario of HTTP/2 is named {name!r}: {', '.join(NAMES)}")
