"""What an application received from a server, to be held against what was on the wire.

Strategy: a client fills one :class:`Received` as things arrive and never takes anything back,
so that what came before an error stays. Times are of ``time.monotonic()``, in seconds: they
order what happened, and are taken after the application had it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Transport = Literal["chunked", "sse", "websocket"]
Ended = Literal["clean", "left", "error"]
"""``clean``: to its end, as the protocol has it. ``left``: the client had what it expected and
went. ``error``: see ``error``."""
HeaderFields = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ReceivedPiece:
    """Body bytes that were read at once."""

    time: float
    offset: int
    """In the body, of the first byte."""
    length: int


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A server-sent event, as the client library dispatched it."""

    time: float
    event: str
    data: str
    id: str
    retry: int | None
    """In milliseconds."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A WebSocket message that was sent or received."""

    time: float
    sender: Literal["client", "server"]
    data: str | bytes


@dataclass(slots=True)
class Received:
    """All that one exchange gave to the application."""

    transport: Transport
    url: str
    started: float = field(default_factory=time.monotonic)
    finished: float = 0.0
    ended: Ended = "clean"
    error: str | None = None
    """The class of the exception that ended it, and its words: ``ReadError: ...``."""
    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    """Of the response. The handshake's, for a WebSocket."""
    body: bytes = b""
    """The body without its chunks, as the server coded it."""
    content: bytes = b""
    """The body decoded (RFC 9110 section 8.4), as far as it could be; of ``chunked`` only."""
    pieces: list[ReceivedPiece] = field(default_factory=list)
    """How ``body`` came in."""
    events: list[ReceivedEvent] = field(default_factory=list)
    messages: list[ReceivedMessage] = field(default_factory=list)
    """Both directions, in order."""
    subprotocol: str | None = None
    extensions: list[str] = field(default_factory=list)
    """Names of the WebSocket extensions that were agreed."""
    close_code: int | None = None
    """Of the server's close frame (RFC 6455 section 7.1.5): 1005 if it had none, 1006 if no close
    frame came, None if there was no connection."""
    close_reason: str | None = None

    def fail(self, error: Exception) -> None:
        """Note the exception that ended it."""
        self.ended = "error"
        self.error = f"{type(error).__name__}: {error}"
