"""What a body is made of, chunks and server-sent events aside: its runs, and its elements.

Strategy: functions from one record to lines. An element is shown by its content, and what comes
before it: the fields of a part, the headers of a message, the trailers of gRPC.
"""

from __future__ import annotations

from parsers import names_elements
from parsers.records import (
    AwsEventRecord,
    BodyElementRecord,
    DataRecord,
    GrpcMessageRecord,
    PartRecord,
)

from ..dialects.payload import OTHER, Payload
from ..exchange import Exchange
from ..text.escape import preview
from .http import all_fields
from .lines import Line, flow
from .payload import payload_units

WRONG_CRC: Line = [("[wrong CRC]", "error")]
SHORT_NAMES = {"json_line": "json", "part": "part", "aws_event": "event", "grpc_message": "message"}
"""Of elements, by the kind of their record, for the column of types."""


def has_elements(exchange: Exchange) -> bool:
    """Whether what its response carries is made of elements, as far as that is known."""
    counts = exchange.counts
    if counts.elements or counts.blocks:  # of a stream joined in the middle nothing else tells
        return True
    return names_elements((exchange.header("content-type") or "").encode())


def data_lines(run: DataRecord, width: int, payload: Payload = OTHER) -> list[Line]:
    """Return what a run holds."""
    if content := payload_units(payload, width):
        return flow(content, width, "  ")
    return [[(preview(run.data, run.encoding, width), "")]] if run.data else []


def element_lines(
    element: BodyElementRecord,
    width: int,
    payload: Payload = OTHER,
    *,
    begins_before: bool = False,
    is_beside: bool = False,
) -> list[Line]:
    """Return an element in lines of ``width`` cells.

    ``is_beside``: it stands in the row of what carried its end, and names itself; then
    ``begins_before`` says that it begins before that.
    """
    begun = ", begun before" if begins_before else ""
    name = f"[{SHORT_NAMES[element.record]} {element.index}{begun}] " if is_beside else ""
    content = payload_units(payload, width)
    units = content or _before_content(element, width)
    if content and isinstance(element, AwsEventRecord) and not element.crc_ok:
        units.append(WRONG_CRC)
    is_raw = not content and not (isinstance(element, GrpcMessageRecord) and element.trailers)
    if is_raw and element.data:
        room = width if units else max(width - len(name), 1)
        units.append([(preview(element.data, element.encoding, room), "")])
    if name and len(units) == 1:
        units[0].insert(0, (name, "type"))
    elif name:
        units.insert(0, [(name.rstrip(), "type")])
    return flow(units, width, "  ")


def _before_content(element: BodyElementRecord, width: int) -> list[Line]:
    """Return what an element has beside its content."""
    match element:
        case PartRecord():
            return all_fields(element.headers, width)
        case AwsEventRecord():
            wrong = [] if element.crc_ok else [WRONG_CRC]
            return all_fields(element.headers, width) + wrong
        case GrpcMessageRecord(trailers=None):
            return [[("[compressed]", "type")]] if element.compressed else []
        case GrpcMessageRecord():
            return [[("[trailers]", "type")], *all_fields(element.trailers or [], width)]
    return []
