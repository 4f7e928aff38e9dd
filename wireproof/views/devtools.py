"""``--view devtools``: for each exchange the panels that a browser's DevTools has.

Strategy: the lines of an exchange are collected in its panels (Headers, EventStream, Messages,
Response, Issues) and printed when it is over: the next one has been answered, or its connection
has ended; after a body that is complete surplus bytes may still come. What is kept is bounded:
MAX_PANEL_LINES of each panel, MAX_RESPONSE bytes of the response, MAX_EXCHANGES that are open; past
a limit lines are counted instead, and what is left out is said.

All text from the wire goes through :mod:`..text.escape`; there are no colours.
"""

from __future__ import annotations

from base64 import b64decode
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from parsers.records import (
    BodyElement,
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    Fields,
    GapRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    TlsConnectionRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..analysis.silence import silence_before_end
from ..dialects.payload import Payload
from ..dialects.reader import DialectReader, Reader, Readers
from ..dialects.wording import said, shared
from ..exchange import Exchange, Exchanged
from ..exchanges import Exchanges
from ..heads import field_value
from ..text.escape import escape
from ..text.moments import clock
from ..text.tls import tls_amounts, tls_facts
from ..text.wording import body_end, close_code, connection_end, count, end_said, recorded_by, span
from .display_filter import display_filter
from .lines import fit

MAX_PANEL_LINES = 10_000
"""Lines of one panel of one exchange."""
MAX_RESPONSE = 64 * 1024
"""Bytes of one response that its panel shows."""
MAX_EXCHANGES = 1_024
"""Exchanges that are open at once; past it the oldest is printed as far as it came."""
MAX_KEPT = 64 * 1024 * 1024
"""Characters that all open exchanges keep together, about; past it the oldest is printed."""
MAX_CELL = 1_000
"""Characters of one value that are looked at: more than any line shows."""
BINARY_ROW = 16
"""Bytes in a line of a response that is no text."""
ARROWS = {"client": "↑", "server": "↓"}
"""DevTools' arrows: up is sent by the page, down is received."""
FILTER = "    "
"""What stands before a display filter; other lines of a panel are indented less."""
CONTROL_FRAMES = frozenset({"ping", "pong"})


@dataclass(slots=True)
class Panel:
    """The lines of one panel."""

    lines: list[str] = field(default_factory=list)
    left_out: int = 0

    def add(self, *lines: str) -> None:
        room = MAX_PANEL_LINES - len(self.lines)
        self.lines += lines[: max(room, 0)]
        self.left_out += max(len(lines) - max(room, 0), 0)


@dataclass(slots=True)
class Panels:
    """The panels of an exchange."""

    reader: Reader
    is_named: bool = False
    """Whether the dialect of its elements has been said."""
    has_lines: bool = False
    """Whether anything came that a panel shows or counts."""
    first_packet: int = 0
    last_packet: int = 0
    kept: int = 0
    """Characters of its panels, about."""
    general: Panel = field(default_factory=Panel)
    response_headers: Panel = field(default_factory=Panel)
    request_headers: Panel = field(default_factory=Panel)
    events: Panel = field(default_factory=Panel)
    messages: Panel = field(default_factory=Panel)
    issues: Panel = field(default_factory=Panel)
    response: bytearray = field(default_factory=bytearray)
    response_size: int = 0
    comments: int = 0
    unfinished: int = 0
    control: dict[str, int] = field(default_factory=dict)


CONTENT = ChunkRecord | DataRecord | BodyElement | BodyRecord
"""What a request carries of these, no panel has."""


class DevToolsView:
    """Prints the panels of each exchange to ``stream``, cut to ``width`` cells if that is given.

    With ``filters`` each element is followed by the display filter that selects its packets.
    """

    def __init__(
        self,
        stream: TextIO,
        width: int | None,
        *,
        filters: bool = False,
        readers: Readers = DialectReader,
    ) -> None:
        self._stream = stream
        self._width = width
        self._filters = filters
        self._exchanges: Exchanges[Panels] = Exchanges(
            lambda about: Panels(readers(about)), MAX_EXCHANGES
        )
        self._kept = 0

    def write(self, records: Sequence[Record]) -> None:
        """Take the next records; print the exchanges that are over."""
        for record in records:
            found = self._exchanges.add(record)
            self._print_over()
            if isinstance(record, ConnectionRecord):
                self._end(record)
            elif found is not None:
                self._add(record, found[1])
            elif isinstance(record, GapRecord | DiagnosticRecord):
                self._outside(record)
            elif isinstance(record, TlsConnectionRecord):
                facts = ", ".join(tls_facts(record))
                amounts = "" if record.layer == "quic" else f"; {tls_amounts(record)}"
                self._print(f"{facts}{amounts}")

    def flush(self) -> None:
        """Hand all that is printed to whoever reads it."""
        self._stream.flush()

    def close(self) -> None:
        """Print the exchanges that are still open."""
        for exchange, panels in self._exchanges.finish():
            self._print_exchange(exchange, panels)
        self._stream.flush()

    # --- records ---

    def _add(self, record: Exchanged, panels: Panels) -> None:
        if isinstance(record, CONTENT) and record.sender == "client":
            return  # no panel has what a request carried
        panels.has_lines = True
        panels.first_packet = panels.first_packet or record.first_packet
        panels.last_packet = max(panels.last_packet, record.last_packet)
        panel = _receive(panels, record)
        if panel is not None and self._filters and (found := display_filter(record)):
            panel.add(f"{FILTER}{found}")
        weight = _weight(record)
        panels.kept += weight
        self._kept += weight
        while self._kept > MAX_KEPT and (first := next(self._exchanges.open(), None)):
            self._exchanges.end(first[0])
            self._print_over()
        self._print_over()

    def _print_over(self) -> None:
        for exchange, panels in self._exchanges.over():
            self._print_exchange(exchange, panels)

    def _outside(self, record: GapRecord | DiagnosticRecord) -> None:
        """Print what belongs to no exchange: a fault of the file or the connection, a gap."""
        self._print(_issue(record))
        if self._filters and (found := display_filter(record)):
            self._print_whole(f"{FILTER}{found}")

    def _end(self, connection: ConnectionRecord) -> None:
        self._print(
            f"Connection {connection.connection}: {connection.client} → {connection.server}, "
            f"{connection.protocol}, {connection_end(connection)}"
        )
        for end in connection.ends:
            self._print(f"  {end_said(end, clock(end['time']))}")
        if connection.tunnel:
            self._print(f"through {connection.tunnel}")
        if recorded := recorded_by(connection):
            self._print(recorded)
        if self._filters:
            self._print_whole(f"{FILTER}{display_filter(connection)}")
        self._print("")

    # --- printing ---

    def _print_exchange(self, exchange: Exchange, panels: Panels) -> None:
        if not panels.has_lines:
            return
        self._kept -= panels.kept
        connection, number = exchange.key
        where = f"frames {span(panels.first_packet, panels.last_packet)}"
        self._print(f"── Exchange {number} of connection {connection}, {where} ──")
        self._print_panel("Headers: General", panels.general)
        self._print_panel("Headers: Response Headers", panels.response_headers)
        self._print_panel("Headers: Request Headers", panels.request_headers)
        self._print_panel("EventStream (id, type, data, time)", panels.events)
        for line in _not_events(panels):
            self._print(line)
        if _is_switched(exchange):
            self._print_panel("Messages (↑ sent, ↓ received; length, time, data)", panels.messages)
            self._print_control(panels)
        elif exchange.response_body is not None or panels.response_size:
            self._print_response(exchange.response_body, panels)
        if (silence := silence_before_end(exchange)) is not None:
            panels.issues.add(f"  ! {silence}")
        self._print_panel("Issues", panels.issues)
        self._print("")

    def _print_panel(self, title: str, panel: Panel) -> None:
        if not panel.lines:
            return
        self._print(title)
        for line in panel.lines:
            # A filter is to be copied: it is whole, whatever the width.
            (self._print_whole if line.startswith(FILTER) else self._print)(line)
        if panel.left_out:
            self._print(f"  … {count(panel.left_out, 'more line')}")

    def _print_control(self, panels: Panels) -> None:
        if panels.control:
            sent = ", ".join(count(number, name) for name, number in panels.control.items())
            self._print(f"  not shown by DevTools: {sent}")

    def _print_response(self, body: BodyRecord | None, panels: Panels) -> None:
        self._print("Response (raw)")
        if body is not None:
            self._print(f"  body {body_end(body)}: {count(body.size, 'byte')}")
        for line in _response_lines(bytes(panels.response)):
            self._print(f"  {line}")
        if (more := panels.response_size - len(panels.response)) > 0:
            self._print(f"  … {count(more, 'more byte')}")

    def _print(self, line: str) -> None:
        if self._width is not None:
            line = "".join(text for text, _ in fit([(line, "")], self._width))
        self._print_whole(line.rstrip())

    def _print_whole(self, line: str) -> None:
        self._stream.write(line + "\n")


def _is_switched(exchange: Exchange) -> bool:
    """Whether its connection went on in another protocol, whose messages have a panel."""
    response = exchange.response
    return exchange.counts.frames > 0 or (response is not None and response.framing == "upgrade")


def _weight(record: Exchanged) -> int:
    """Return about how many characters are kept of a record."""
    if isinstance(record, RequestRecord | ResponseRecord):
        return 100 + sum(len(name) + len(value) for name, value in record.headers)
    data: str | None = getattr(record, "data", None)
    if isinstance(record, ChunkRecord | DataRecord):
        return min(record.size, MAX_RESPONSE)
    if isinstance(record, BodyElement):
        return 0
    return 100 + min(len(data or ""), MAX_CELL)


def _receive(panels: Panels, record: Exchanged) -> Panel | None:
    """Put a record into its panel; return it if the record has lines there."""
    match record:
        case RequestRecord():
            panels.general.add(*_general(record))
            panels.request_headers.add(*_headers(record.headers))
            return panels.request_headers
        case ResponseRecord():
            status = f"  Status Code: {record.status} {_cell(record.reason)}"
            panels.general.add(status.rstrip())
            panels.response_headers.add(*_headers(record.headers))
            return panels.response_headers
        case SseEventRecord():
            return _event(panels, record)
        case WebSocketMessageRecord():
            payload = panels.reader.read(record)
            _name(panels, panels.messages)
            panels.messages.add(_message(record, payload))
            return panels.messages
        case WebSocketFrameRecord():
            return _frame(panels, record)
        case ChunkRecord() | DataRecord():
            _chunk(panels, record)
        case BodyElement():
            return None  # DevTools knows of none: the response is shown as it is
        case BodyRecord():
            return None  # its exchange keeps it
        case GapRecord() | DiagnosticRecord():
            panels.issues.add(_issue(record))
            return panels.issues
    return None


def _general(request: RequestRecord) -> list[str]:
    host = field_value(request.headers, "host")
    target = request.target
    if host is not None and target.startswith("/"):
        target = f"http://{host}{target}"
    return [f"  Request URL: {_cell(target)}", f"  Request Method: {_cell(request.method)}"]


def _headers(fields: Fields) -> list[str]:
    return [f"  {_cell(name)}: {_cell(value)}" for name, value in fields]


def _event(panels: Panels, event: SseEventRecord) -> Panel | None:
    """Put an event into the EventStream panel, which has those that are dispatched."""
    payload = panels.reader.read(event)
    if event.dispatched:
        _name(panels, panels.events)
        data = _content(payload, event.data)
        columns = (_cell(event.id), _cell(event.event), data)
        panels.events.add(f"  {'  '.join(columns)}  {clock(event.last_time)}")
        return panels.events
    if event.fields and all(name == "" for name, _ in event.fields):
        panels.comments += 1
    else:
        panels.unfinished += 1
    return None


def _name(panels: Panels, panel: Panel) -> None:
    """Put into a panel, once, what its elements speak and what all of them share."""
    dialect = panels.reader.dialect
    if dialect is not None and not panels.is_named:
        panels.is_named = True
        panel.add(f"  {dialect.title}  {shared(dialect)}".rstrip())


def _content(payload: Payload, data: str | None) -> str:
    """Return what an element says, its data if no dialect has a word for it."""
    words = said(payload, MAX_CELL // 4)
    if words is not None:
        return str(words)
    return "" if data is None else _cell(data)


def _not_events(panels: Panels) -> Iterator[str]:
    counted = (panels.comments, "comment"), (panels.unfinished, "undispatched block")
    for number, name in counted:
        if number:
            yield f"  not shown by DevTools: {count(number, name)}"


def _frame(panels: Panels, frame: WebSocketFrameRecord) -> Panel | None:
    """Count control frames, which the Messages panel leaves out; a Close ends it."""
    if frame.opcode_name == "close":
        reason = f' "{_cell(frame.close_reason)}"' if frame.close_reason else ""
        panels.messages.add(
            f"  {ARROWS[frame.sender]} {'Close':>7}  {clock(frame.last_time)}  "
            f"{close_code(frame.close_code)}{reason}"
        )
        return panels.messages
    if frame.opcode_name in CONTROL_FRAMES:
        panels.control[frame.opcode_name] = panels.control.get(frame.opcode_name, 0) + 1
    return None


def _message(message: WebSocketMessageRecord, payload: Payload) -> str:
    data = message.data or ""
    is_binary = message.encoding == "base64" and said(payload, 1) is None
    shown = _hex(data) if is_binary else _content(payload, data)
    arrow = ARROWS[message.sender]
    return f"  {arrow} {message.size:>7}  {clock(message.last_time)}  {shown}".rstrip()


def _hex(data: str) -> str:
    beginning = b64decode(data[:64])  # 48 bytes, whole groups
    return f"Binary: {beginning.hex(' ')}{'…' if len(data) > 64 else ''}"


def _chunk(panels: Panels, chunk: ChunkRecord | DataRecord) -> None:
    panels.response_size += chunk.size
    room = MAX_RESPONSE - len(panels.response)
    if chunk.data and room > 0:
        is_text = chunk.encoding == "utf-8"
        data = chunk.data.encode() if is_text else b64decode(chunk.data)
        panels.response += data[:room]


def _response_lines(data: bytes) -> Iterator[str]:
    """Yield the lines of a response's beginning: text, or hex if it is none."""
    try:
        # Where the panel cuts it, it may be inside a character, which is left out then.
        text = getincrementaldecoder("utf-8")().decode(data, len(data) < MAX_RESPONSE)
    except UnicodeDecodeError:
        for start in range(0, len(data), BINARY_ROW):
            yield data[start : start + BINARY_ROW].hex(" ")
        return
    yield from map(escape, text.removesuffix("\n").split("\n") if text else ())


def _issue(record: GapRecord | DiagnosticRecord) -> str:
    where = f"frame {span(record.first_packet, record.last_packet)}"
    if isinstance(record, GapRecord):
        return f"  ! {count(record.missing, 'byte')} not captured ({where})"
    rule = f"; {record.reference}" if record.reference else ""
    return f"  ! {record.severity}: {_cell(record.summary)} ({where}; {record.code}{rule})"


def _cell(text: str) -> str:
    """Return a value from the wire, escaped, cut where no line shows more."""
    return escape(text) if len(text) <= MAX_CELL else escape(text[:MAX_CELL]) + "…"
