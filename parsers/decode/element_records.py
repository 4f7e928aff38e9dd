"""From the elements of content to their records, server-sent events aside.

It knows every kind of element, and so loads what decodes them: the writer of all other records, of
which every capture has some, does not.
"""

from __future__ import annotations

from typing import Any

from ..aws_event_stream.stream import AwsEvent
from ..grpc_web.messages import GrpcMessage
from ..json_lines.value import JsonValue
from ..multipart.stream import Part
from ..provenance import Event
from ..records import (
    AwsEventRecord,
    BodyElementRecord,
    GrpcMessageRecord,
    JsonLineRecord,
    PartRecord,
    text_or_base64,
)
from .writer import RecordWriter, wire_fields


def element_record(
    writer: RecordWriter,
    found: Event,
    exchange: int,
    start: int,
    end: int,
    extents: list[tuple[int, int]] | None,
) -> BodyElementRecord:
    """Write an element of content that lies at [start, end) of the direction's stream."""
    assert isinstance(found, JsonValue | Part | AwsEvent | GrpcMessage), found
    data, encoding = text_or_base64(found.data) if writer.keeps_data else (None, None)
    common = (
        writer.connection, exchange, writer.sender, *writer.place(start, end), start, end - start,
        found.index, found.size, data, encoding,
    )  # fmt: skip
    space: dict[str, Any] = {
        "layer": writer.layer, "stream_id": writer.stream_id, "extents": extents,
    }  # fmt: skip
    match found:
        case JsonValue():
            return JsonLineRecord(*common, **space)
        case Part():
            return PartRecord(*common, wire_fields(found.headers), **space)
        case AwsEvent():
            return AwsEventRecord(*common, found.headers, found.crc_ok, **space)
        case _:  # GrpcMessage
            trailers = None if found.trailers is None else wire_fields(found.trailers)
            return GrpcMessageRecord(*common, found.compressed, trailers, **space)
