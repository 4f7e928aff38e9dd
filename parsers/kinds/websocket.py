"""WebSocket: frames and messages."""

from __future__ import annotations

from typing import ClassVar, Literal

from .http import Encoding
from .place import Sent

MessageType = Literal["text", "binary"]


class WebSocketFrameRecord(Sent, frozen=True, tag_field="record", tag="websocket_frame"):
    """One frame (RFC 6455 section 5.2), as it was framed: not put together, not inflated."""

    record: ClassVar[Literal["websocket_frame"]] = "websocket_frame"
    fin: bool
    """Whether it is the last of its message."""
    rsv1: bool
    """Whether its message is compressed, where permessage-deflate was agreed (RFC 7692
    section 6)."""
    rsv2: bool
    """Of an extension that was agreed, else false."""
    rsv3: bool
    """Of an extension that was agreed, else false."""
    opcode: int
    """What its payload is (RFC 6455 section 11.8)."""
    opcode_name: str
    """``continuation``, ``text``, ``binary``, ``close``, ``ping``, ``pong``; else ``reserved-`` and
    the opcode."""
    masked: bool
    """Whether its payload was masked, as a client's must be (RFC 6455 section 5.3)."""
    masking_key: str | None
    """The 4 bytes of the key in hexadecimal, null if it was not masked."""
    payload_length: int
    """In bytes, as its header says."""
    data: str | None
    """Its payload, unmasked; null if it was not kept or is incomplete."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""
    close_code: int | None
    """The status code of a close frame that has one (RFC 6455 section 7.4)."""
    close_reason: str | None
    """The reason after the status code, empty if there is none (RFC 6455 section 7.1.6)."""
    content_offset: int
    """Where its payload begins, after its header; in bytes, as ``offset``."""


class WebSocketMessageRecord(Sent, frozen=True, tag_field="record", tag="websocket_message"):
    """One whole message (RFC 6455 section 5.6), put together and inflated."""

    record: ClassVar[Literal["websocket_message"]] = "websocket_message"
    type: MessageType
    """By the opcode of its first frame."""
    size: int
    """Of the message, in bytes, decompressed."""
    data: str | None
    """The message, decompressed (RFC 7692 section 7.2.2); null if not kept."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""
    frames: int
    """How many frames it came in (RFC 6455 section 5.4)."""
    compressed: bool
    """Whether it was compressed by permessage-deflate (RFC 7692 section 6)."""
