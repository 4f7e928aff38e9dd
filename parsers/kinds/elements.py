"""What content is a stream of: server-sent events, values of JSON, parts, messages."""

from __future__ import annotations

from typing import ClassVar, Literal

from .http import Encoding, Fields
from .place import Sent


class SseEventRecord(Sent, frozen=True, tag_field="record", tag="sse_event"):
    """One block of an event stream (WHATWG HTML section 9.2.6)."""

    record: ClassVar[Literal["sse_event"]] = "sse_event"
    event: str
    """Its type: ``message`` where the block names none."""
    data: str | None
    """Its data: the values of its ``data`` fields, joined by line feeds; null if not kept."""
    id: str
    """The last event ID after it: its own, or the one that still holds."""
    retry: int | None
    """The reconnection time that it sets, in milliseconds, or null."""
    dispatched: bool
    """Whether a browser would dispatch it: not a block without data, nor an unfinished one."""
    fields: Fields | None
    """[name, value] of each line in wire order, a comment as ``["", text]``; null if not kept."""
    first_chunk: int | None
    """The index of the chunk that holds its first byte, null if the body is not chunked."""
    last_chunk: int | None
    """The index of the chunk that holds its last byte, null if the body is not chunked."""


class BodyElement(Sent, frozen=True):
    """An element of content that is a stream of them, server-sent events aside."""

    index: int
    """From 0 in its body."""
    size: int
    """Of the element itself, in bytes, without what frames it."""
    data: str | None
    """The element itself; null if not kept."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""


class JsonLineRecord(BodyElement, frozen=True, tag_field="record", tag="json_line"):
    """One value of JSON lines, a JSON text sequence (RFC 7464), or a streamed JSON array."""

    record: ClassVar[Literal["json_line"]] = "json_line"


class PartRecord(BodyElement, frozen=True, tag_field="record", tag="part"):
    """One part of a multipart body (RFC 2046 section 5.1), from its delimiter on."""

    record: ClassVar[Literal["part"]] = "part"
    headers: Fields
    """[name, value] of each field of its header, in wire order."""


class AwsEventRecord(BodyElement, frozen=True, tag_field="record", tag="aws_event"):
    """One message of ``application/vnd.amazon.eventstream``."""

    record: ClassVar[Literal["aws_event"]] = "aws_event"
    headers: Fields
    """[name, value] of each header in wire order: numbers in decimal, byte arrays in base64,
    timestamps as ISO 8601."""
    crc_ok: bool
    """Whether the message's CRC is that of its bytes."""


class GrpcMessageRecord(BodyElement, frozen=True, tag_field="record", tag="grpc_message"):
    """One length-prefixed message of gRPC or gRPC-Web, or the trailers that end the latter."""

    record: ClassVar[Literal["grpc_message"]] = "grpc_message"
    compressed: bool
    """Whether its compressed flag is set: ``data`` is as framed."""
    trailers: Fields | None
    """[name, value] of each trailer, null if it is a message."""
