"""Server-sent events in a table: every field as it stood on the wire.

Strategy: the fields of a block are put on as few lines as they fill, ``name: value`` in wire
order, comments as ``: text``; a field is never broken, a long one is cut. A block with more
fields than a screen holds is shown by its first ones. Of an event whose dialect is known the
content is shown instead, and only the fields that a reconnection needs beside it.
"""

from __future__ import annotations

from parsers.records import SseEventRecord

from ..dialects.payload import OTHER, Payload
from ..text.escape import escape, preview
from ..text.wording import count, span
from .lines import Line, flow
from .payload import payload_units

SPACE = ("  ", "")
"""Between two fields."""
MAX_FIELDS_SHOWN = 64
"""Fields of one block that a table shows; the other formats have them all."""


def event_lines(
    event: SseEventRecord, beside_chunk: int | None, width: int, payload: Payload = OTHER
) -> list[Line]:
    """Return what an event says in lines of ``width`` cells, its fields if no dialect knows.

    ``beside_chunk`` is the chunk whose row the event stands in: if the event lay in no other,
    that row has said so.
    """
    first, last = event.first_chunk, event.last_chunk
    if payload is OTHER and event.dispatched and first == last == beside_chunk:
        lines = _usual_lines(event, width)
        if lines:
            return lines
    units: list[Line] = []
    if first is not None and last is not None and not first == last == beside_chunk:
        name = "chunk" if first == last else "chunks"
        units.append([(f"[{name} {span(first, last)}]", "type")])
    content = payload_units(payload, width) if event.dispatched else []
    units += content + _beside(event, width) if content else _fields(event, width)
    if not event.dispatched and not _only_comments(event):
        units.append([("[not dispatched]", "warning")])
    return flow(units, width, SPACE[0])


def _beside(event: SseEventRecord, width: int) -> list[Line]:
    """Return the fields that say something beside the content: what a reconnection needs."""
    return [
        [(f"{name}: {preview(value, 'utf-8', width)}", "faint")]
        for name, value in (event.fields or [])[:MAX_FIELDS_SHOWN]
        if name in ("id", "retry")
    ]


def _usual_lines(event: SseEventRecord, width: int) -> list[Line]:
    """Return the fields of an event that are plain ASCII, none wider than a line, as nearly all
    are: what :func:`.lines.flow` gives, in half the time. None at all if one is not so."""
    fields = event.fields or []
    whole = "".join([part for field in fields for part in field])
    if len(fields) > MAX_FIELDS_SHOWN or not (whole.isascii() and whole.isprintable()):
        return []
    lines: list[Line] = []
    used = width
    for name, value in fields:
        cells = len(name) + len(value) + 2
        if not name or cells > width:
            return []
        used += cells + 2
        if used > width:
            lines.append([(f"{name}: ", "field"), (value, "")])
            used = cells
        else:
            lines[-1] += SPACE, (f"{name}: ", "field"), (value, "")
    return lines


def plain_lines(event: SseEventRecord, width: int) -> list[str]:
    """Return the text of what :func:`_usual_lines` does, for rows without colours."""
    fields = event.fields or []
    if len(fields) > MAX_FIELDS_SHOWN:
        return []
    lines: list[str] = []
    line = ""
    for name, value in fields:
        text = f"{name}: {value}"
        if not name or len(text) > width:
            return []
        if line and len(line) + 2 + len(text) <= width:
            line = f"{line}{SPACE[0]}{text}"
            continue
        if line:
            lines.append(line)
        line = text
    if line:
        lines.append(line)
    whole = "".join(lines)
    return lines if whole.isascii() and whole.isprintable() else []


def count_lines(event: SseEventRecord, width: int) -> int:
    """Return how many lines :func:`_usual_lines` gives, without making them."""
    fields = event.fields or []
    if len(fields) > MAX_FIELDS_SHOWN:
        return 0
    lines, used = 0, width
    for name, value in fields:
        cells = len(name) + len(value) + 2
        if not name or cells > width:
            return 0
        used += cells + 2
        if used > width:
            lines += 1
            used = cells
    whole = "".join([part for field in fields for part in field])
    return lines if whole.isascii() and whole.isprintable() else 0


def _fields(event: SseEventRecord, width: int) -> list[Line]:
    fields = event.fields
    if fields is None:
        return _without_data(event)
    units: list[Line] = [
        # A comment is all that follows its colon, with the blank that stands before most.
        [
            (f"{escape(name[:width])}: " if name else ":", "field"),
            (preview(value, "utf-8", width), ""),
        ]
        for name, value in fields[:MAX_FIELDS_SHOWN]
    ]
    if len(fields) > MAX_FIELDS_SHOWN:
        units.append([(f"… {count(len(fields) - MAX_FIELDS_SHOWN, 'more field')}", "faint")])
    return units


def _without_data(event: SseEventRecord) -> list[Line]:
    """What is left of an event whose fields were not kept."""
    named = [("event", event.event), ("id", event.id), ("retry", event.retry)]
    return [
        [(f"{name}: ", "field"), (escape(str(value)), "")]
        for name, value in named
        if value not in ("", None)
    ]


def _only_comments(event: SseEventRecord) -> bool:
    return event.fields is not None and all(name == "" for name, _ in event.fields)
