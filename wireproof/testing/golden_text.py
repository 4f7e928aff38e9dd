"""An exchange as text that two recordings of one app have in common, in three sections.

Strategy: framing is how it was put on the wire, content what an application was given, timing when.
What differs from run to run is left out or replaced by its kind: ports, masks, keys, dates, numbers
of clients' releases. What depends on how busy a machine is (how often a comment kept the line open)
is told once. Lines are escaped, and long ones are replaced by their digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Literal

from parsers.records import ChunkRecord, Fields, SseEventRecord

from ..text.escape import escape
from ..text.wording import body_end, close_code, count
from .exchange import Exchange

Section = Literal["framing", "content", "timing"]
SECTIONS: tuple[Section, ...] = ("framing", "content", "timing")
LONGEST_SHOWN = 500
"""Characters of a line that are shown as they are."""
LEFT_OUT = frozenset(
    (
        "accept-encoding",
        "date",
        "sec-websocket-accept",
        "sec-websocket-key",
        "user-agent",
    )
)
"""Fields that say when it was, or which release of a client it was."""
REPLACED: dict[str, str] = {
    r"\b(127\.\d+\.\d+\.\d+|localhost|\[::1\]):\d{1,5}\b": r"\1:<port>",
    r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\b": "<date>",
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?": "<date>",
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "<uuid>",
    # Seconds or milliseconds since the epoch, from 2014 on.
    r"\b1[4-9]\d{8}(\d{3})?(\.\d+)?\b": "<time>",
}


@dataclass(frozen=True)
class GoldenText:
    """One exchange: its title, and the lines of each section."""

    title: str
    sections: Mapping[Section, Sequence[str]]


class Writer:
    """Writes exchanges; ``replace`` has further patterns, each with what is put in its place."""

    def __init__(self, replace: Mapping[str, str]) -> None:
        both = {**REPLACED, **replace}
        self._patterns = [(re.compile(pattern), by) for pattern, by in both.items()]

    def write(self, exchange: Exchange) -> GoldenText:
        """Return an exchange as lines."""
        sections: dict[Section, Sequence[str]] = {
            "framing": self._lines(self._framing(exchange)),
            "content": self._lines(_content(exchange)),
            "timing": list(_timing(exchange)),
        }
        return GoldenText(self._line(f"{exchange.method} {exchange.target}"), sections)

    def _lines(self, lines: Iterable[str]) -> list[str]:
        """Return lines as they are stored; blank ones are left."""
        return [line for line in map(self._line, lines) if line]

    def _line(self, text: str) -> str:
        for pattern, by in self._patterns:
            text = pattern.sub(by, text)
        text = escape(text).strip()
        if len(text) <= LONGEST_SHOWN:
            return text
        digest = sha256(text.encode()).hexdigest()
        return f"{text[:LONGEST_SHOWN]}… {len(text):,} characters, sha256 {digest}"

    def _framing(self, exchange: Exchange) -> Iterator[str]:
        if exchange.request is not None:
            yield f"> {exchange.request.version}"
            yield from _fields(">", exchange.request.headers)
        if exchange.response is not None:
            response = exchange.response
            yield f"< {response.version} {response.status} {response.reason}"
            yield from _fields("<", response.headers)
        yield from _pieces(exchange)
        if exchange.body is not None:
            yield f"body {body_end(exchange.body)}"


def _fields(mark: str, fields: Fields) -> Iterator[str]:
    for name, value in fields:
        if name.lower() not in LEFT_OUT:
            yield f"{mark} {name.lower()}: {value}"


# --- framing ---


def _pieces(exchange: Exchange) -> Iterator[str]:
    """Tell how the content was cut."""
    if exchange.transport == "sse":
        yield from _chunks_of_events(exchange)
        if ends := _line_ends(exchange):
            yield f"lines end with {ends}"
    elif exchange.is_websocket:
        yield from _frames(exchange)
    else:
        for chunk in exchange.chunks:
            yield f"chunk of {count(chunk.size, 'byte')}{_extras(chunk)}"


def _extras(chunk: ChunkRecord) -> str:
    trailers = "".join(f", trailer {name}: {value}" for name, value in chunk.trailers or [])
    return (f", extension {chunk.extension}" if chunk.extension else "") + trailers


def _chunks_of_events(exchange: Exchange) -> Iterator[str]:
    events = exchange.events
    if not exchange.chunks or not events:
        return
    own = "each event in a chunk of its own"
    others = list(_shared(events))
    yield own if not others else f"{own}, but:"
    yield from others


def _shared(events: Sequence[SseEventRecord]) -> Iterator[str]:
    for number, event in enumerate(events):
        if event.first_chunk != event.last_chunk:
            yield f"event {number} lies in several chunks"
        if number and event.first_chunk == events[number - 1].last_chunk:
            yield f"event {number} begins in the chunk of event {number - 1}"


def _line_ends(exchange: Exchange) -> str:
    """Return which line ends the stream has, if it was sent as it is."""
    if exchange.header("content-encoding") is not None:
        return ""
    text = "".join(chunk.data or "" for chunk in exchange.chunks if chunk.encoding == "utf-8")
    crlf = text.count("\r\n")
    counted = {"CRLF": crlf, "LF": text.count("\n") - crlf, "CR": text.count("\r") - crlf}
    return " and ".join(name for name, number in counted.items() if number)


def _frames(exchange: Exchange) -> Iterator[str]:
    for sender in ("client", "server"):
        masks = {frame.masked for frame in exchange.frames if frame.sender == sender}
        if masks:
            said = "some" if len(masks) > 1 else "all" if True in masks else "no"
            yield f"{said} frames of the {sender} are masked"
    for number, message in enumerate(exchange.messages):
        if message.frames > 1:
            yield f"message {number} in {message.frames} frames"
    if compressed := sum(message.compressed for message in exchange.messages):
        said = "all" if compressed == len(exchange.messages) else f"{compressed}"
        yield f"{said} messages are compressed"
    for frame in exchange.closing:
        yield f"Close by the {frame.sender}: {close_code(frame.close_code)} {frame.close_reason}"


# --- content ---


def _content(exchange: Exchange) -> Iterator[str]:
    kept: list[str] = []
    if exchange.transport == "sse":
        kept = ["  ".join(_event_fields(block)) for block in exchange.comments]
        yield from ("  ".join(_event_fields(event)) for event in exchange.events)
    elif exchange.is_websocket:
        kept = [f"{f.opcode_name} by the {f.sender}" for f in exchange.frames if _is_ping(f)]
        yield from (f"{m.sender}: {m.type} {m.data}" for m in exchange.messages)
    else:
        yield from _text(exchange)
    yield from _once(kept)


def _is_ping(frame: object) -> bool:
    return getattr(frame, "opcode_name", "") in ("ping", "pong")


def _event_fields(event: SseEventRecord) -> Iterator[str]:
    """Yield the fields of a block in wire order; an event without its own is shown without."""
    for name, value in event.fields or []:
        # A comment is all that follows its colon, with the blank that stands before most.
        yield f"{name}: {value}" if name else f":{value}"


def _once(kept: Sequence[str]) -> Iterator[str]:
    """Tell what kept the line open: once, however often, for that depends on the machine."""
    yield from dict.fromkeys(re.sub(r"\d+", "<n>", text) for text in kept)


def _text(exchange: Exchange) -> Iterator[str]:
    """Yield the lines of a chunked text, or the digest of any other body."""
    chunks = [chunk for chunk in exchange.chunks if chunk.size]
    is_plain = exchange.header("content-encoding") is None
    if chunks and is_plain and all(chunk.encoding == "utf-8" for chunk in chunks):
        yield from "".join(chunk.data or "" for chunk in chunks).split("\n")
    elif exchange.body is not None:
        yield f"{count(exchange.body.decoded_size, 'byte')}, sha256 {exchange.body.sha256}"


# --- timing ---


def _timing(exchange: Exchange) -> Iterator[str]:
    """Yield a line for each element: how long after the one before it came."""
    name = exchange.element_name
    first, elements = exchange.time_to_first_event, exchange.elements
    if first is not None:
        yield timing_line(f"{name} 0", first)
    for number, (before, after) in enumerate(pairwise(elements), start=1):
        yield timing_line(f"{name} {number}", after.last_time - before.last_time)


def timing_line(name: str, seconds: float) -> str:
    """Return a line of the timing section, as :mod:`.golden` reads it."""
    return f"{name} after {max(seconds, 0):.2f} s"
