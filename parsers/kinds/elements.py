"""What content is a stream of: server-sent events, values of JSON, parts, messages."""

from __future__ import annotations

from typing import ClassVar, Literal

from .http import Encoding, Fields
from .place import Sent


class SseEventRecord(Sent, frozen=True, tag_field="record", tag="sse_event"):
    """One block of an event stream (WHATWG HTML section 9.2.6)."""

    record: ClassVar[Literal["sse_event"]] = "sse_event"
    event: str
    """Its type; ``message`` if the block names none."""
    data: str | None
    """The values of its ``data`` fields, joined by line feeds; null if not kept."""
    id: str
    """The last event ID after it: its own, or the one still in effect."""
    retry: int | None
    """The reconnection time it sets, in milliseconds, or null."""
    dispatched: bool
    """Whether a browser would dispatch it; false for a block without data and for an unfinished
    one."""
    fields: Fields | None
    """[name, value] of each line in wire order, a comment as ``["", text]``; null if not kept."""
    first_chunk: int | None
    """Index of the chunk with its first byte; null if the body is not chunked."""
    last_chunk: int | None
    """Index of the chunk with its last byte; null if the body is not chunked."""


class BodyElement(Sent, frozen=True):
    """An element of content that is a stream of them, server-sent events aside."""

    index: int
    """From 0 in its body."""
    size: int
    """Size of the element in bytes, without its framing."""
    data: str | None
    """The element; null if not kept."""
    encoding: Encoding | None
    """``utf-8`` if ``data`` is the bytes as text, ``base64`` (RFC 4648) if they are not UTF-8."""


class JsonLineRecord(BodyElement, frozen=True, tag_field="record", tag="json_line"):
    """One value of JSON lines, a JSON text sequence (RFC 7464), or a streamed JSON array."""

    record: ClassVar[Literal["json_line"]] = "json_line"


class PartRecord(BodyElement, frozen=True, tag_field="record", tag="part"):
    """One part of a multipart body (RFC 2046 section 5.1), from its delimiter on."""

    record: ClassVar[Literal["part"]] = "part"
    headers: Fields
    """[name, value] of each header field, in wire order."""


class AwsEventRecord(BodyElement, frozen=True, tag_field="record", tag="aws_event"):
    """One message of ``application/vnd.amazon.eventstream``."""

    record: ClassVar[Literal["aws_event"]] = "aws_event"
    headers: Fields
    """[name, value] of each header in wire order: numbers in decimal, byte arrays in base64,
    timestamps as ISO 8601."""
    crc_ok: bool
    """Whether the message's CRC matches its bytes."""


class GrpcMessageRecord(BodyElement, frozen=True, tag_field="record", tag="grpc_message"):
    """One length-prefixed message of gRPC or gRPC-Web, or the trailers that end a gRPC-Web body."""

    record: ClassVar[Literal["grpc_message"]] = "grpc_message"
    compressed: bool
    """Whether its compressed flag is set; ``data`` is left as framed."""
    trailers: Fields | None
    """[name, value] of each trailer; null for a message."""
