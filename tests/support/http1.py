"""Compare and read the events of HTTP/1.1 decoders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from parsers.diagnostics import Diagnostic
from parsers.http1.chunked import Data
from parsers.http1.decoder import EndOfMessage, ResponseDecoder
from parsers.provenance import Event

from .cuts import at, byte_by_byte, whole

T = TypeVar("T")


def joined(events: Iterable[Event]) -> list[Event]:
    """The events with neighbouring pieces of content put together: what cuts must not change."""
    found: list[Event] = []
    for event in events:
        last = found[-1] if found else None
        if (
            isinstance(event, Data)
            and isinstance(last, Data)
            and (last.end, last.chunk) == (event.start, event.chunk)
        ):
            found[-1] = Data(last.start, event.end, last.data + event.data, event.chunk)
        else:
            found.append(event)
    return found


def of(kind: type[T], events: Iterable[Event]) -> list[T]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def content(events: Iterable[Event]) -> bytes:
    """The content that was delivered."""
    return b"".join(event.data for event in of(Data, events))


def codes(events: Iterable[Event]) -> list[str]:
    """The codes of the diagnostics."""
    return [event.code for event in of(Diagnostic, events)]


def errors(events: Iterable[Event]) -> list[str]:
    """The codes of the diagnostics that are errors."""
    return [event.code for event in of(Diagnostic, events) if event.severity == "error"]


SPLITS = [whole, byte_by_byte, at([5, 17, 18, 19, 40])]
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def responses(*asked: bytes | tuple[bytes, bool], offset: int = 0) -> ResponseDecoder:
    """A decoder of the responses to these methods, each perhaps with a request to switch."""
    decoder = ResponseDecoder(offset)
    for request in asked:
        method, upgrade = request if isinstance(request, tuple) else (request, False)
        decoder.expect(method, upgrade)
    return decoder


def ends(found) -> list[tuple[str | None, bool]]:
    """How messages ended, and whether each is complete."""
    return [(end.ended_by, end.complete) for end in of(EndOfMessage, found)]


UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
