"""HTTP messages in a table: heads with the fields that matter, chunks, the end of a body.

Strategy: functions from one record to lines. Of a head, the start line and the fields that
say how a stream is framed, coded, resumed or held back are shown, and the others counted.
"""

from __future__ import annotations

from parsers.records import BodyRecord, ChunkRecord, Fields, RequestRecord, ResponseRecord

from ..dialects.payload import OTHER, Payload
from ..text.escape import escape, preview
from ..text.wording import body_end, count, data_chunks, duration, is_ended_by_fin_alone, span
from .columns import ARROWS
from .lines import Line, flow, measure, right, words
from .payload import payload_units
from .websocket import accept_verdict

TELLING_FIELDS = frozenset(
    (
        "accept-encoding",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "last-event-id",
        "location",
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-accel-buffering",
    )
)

MAX_FIELDS_SHOWN = 32
"""Fields of one header or trailer section that a table shows."""


def start_line(message: RequestRecord | ResponseRecord, note: str, width: int) -> Line:
    """Return a request line or status line; ``note`` follows it, its packets stand at the right."""
    if isinstance(message, RequestRecord):
        text = f"{message.method} {message.target} {message.version}"
    else:
        text = f"{message.version} {message.status} {message.reason}"
    where = f"packet {span(message.first_packet, message.last_packet)}"
    if message.exchange:
        where = f"exchange {message.exchange}, {where}"
    line: Line = [
        (f"{ARROWS[message.sender]} ", message.sender),
        (preview(text, "utf-8", width), "start-line"),
        (note, "faint"),
    ]
    return right(line, (where, "faint"), width)


def head_fields(fields: Fields, key: str | None, width: int) -> list[Line]:
    """Return the fields that matter, each on its line; ``key`` is what an accept must answer."""
    telling = [pair for pair in fields if pair[0].lower() in TELLING_FIELDS][:MAX_FIELDS_SHOWN]
    lines = [line for name, value in telling for line in _head_field(name, value, key, width)]
    if others := len(fields) - len(telling):
        lines.append([(f"    and {count(others, 'more field')}", "faint")])
    return lines


def _head_field(name: str, value: str, key: str | None, width: int) -> list[Line]:
    line: Line = [("    ", ""), *field(name, value, width)]
    if name.lower() == "sec-websocket-accept":
        line += accept_verdict(key, value)
    if measure(line) <= width:
        return [line]
    # What was agreed may be said at its end: a long field is broken, not cut.
    units = (unit for text, style in line for unit in words(text, style, width - 6))
    return [
        [(" " * (6 if n else 4), ""), *part] for n, part in enumerate(flow(units, width - 6, " "))
    ]


def field(name: str, value: str, width: int) -> Line:
    """Return ``name: value``, as on the wire."""
    return [
        (f"{preview(name, 'utf-8', width)}: ", "field"),
        (preview(value, "utf-8", width), ""),
    ]


def chunk_lines(chunk: ChunkRecord, width: int, payload: Payload = OTHER) -> list[Line]:
    """Return a chunk's extension and data, or its trailers if it is the last one."""
    units: list[Line] = []
    if chunk.extension:
        units.append([(f"[extension {escape(chunk.extension[:width])}]", "type")])
    if content := payload_units(payload, width):
        units += content
    elif chunk.data:
        units.append([(preview(chunk.data, chunk.encoding, width), "")])
    units += all_fields(chunk.trailers or [], width)
    return flow(units, width, "  ")


def all_fields(fields: Fields, width: int) -> list[Line]:
    """Return the fields of a section that is short as a rule, and how many more there are."""
    units = [field(name, value, width) for name, value in fields[:MAX_FIELDS_SHOWN]]
    if len(fields) > MAX_FIELDS_SHOWN:
        units.append([(f"and {count(len(fields) - MAX_FIELDS_SHOWN, 'more field')}", "faint")])
    return units


def body_lines(body: BodyRecord, width: int) -> list[Line]:
    """Return how much a body was, whether it is whole, and what ended it."""
    arrow: Line = [(f"{ARROWS[body.sender]} ", body.sender)]
    indent: Line = [("  ", "")]
    style = "good" if body.complete else "error"
    if is_ended_by_fin_alone(body):
        style = "warning"
    units = [*words(f"body {body_end(body)}:", style, width), *words(_amount(body), "", width)]
    return [(indent if n else arrow) + line for n, line in enumerate(flow(units, width - 2, " "))]


def _amount(body: BodyRecord) -> str:
    amount = count(body.size, "byte")
    if body.chunks is not None:
        amount += f" in {count(data_chunks(body), 'chunk')}"
    amount += f" over {duration(body.last_time - body.first_time)}"
    if body.content_encoding:
        amount += f"; {escape(body.content_encoding)}: {count(body.decoded_size, 'byte')} decoded"
    return amount
