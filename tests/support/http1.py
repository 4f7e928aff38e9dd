"""Compare and read the events of HTTP/1.1 decoders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from parsers.diagnostics import Diagnostic
from parsers.http1.chunked import Data
from parsers.provenance import Event

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
