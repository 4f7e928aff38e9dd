"""WebSocket: frames and messages."""

from __future__ import annotations

from typing import ClassVar, Literal

from .http import Encoding
from .place import Sent

MessageType = Literal["text", "binary"]


class WebSocketFrameRecord(Sent, frozen=True, tag_field="record", tag="websocket_frame"):
    """One frame (RFC 6455 section 5.2) as sent: not reassembled, not inflated."""

    record: ClassVar[Literal["websocket_frame"]] = "websocket_frame"
    fin: bool
    """Whether it is the last of its message."""
    rsv1: bool
    """Whether its message is compressed, if permessage-deflate was negotiated (RFC 7692 section
    6)."""
    rsv2: bool
    """Set by a negotiated extension, otherwise false."""
    rsv3: bool
    """Set by a negotiated extension, otherwise false."""
    opcode: int
    """The kind of frame (RFC 6455 section 11.8)."""
    opcode_name: str
    """``continuation``, ``text``, ``binary``, ``close``, ``ping``, ``pong``; otherwise
    ``reserved-`` and the opcode."""
    masked: bool
    """Whether its payload was masked, as a client's must be (RFC 6455 section 5.3)."""
    masking_key: str | None
    """The 4 bytes of the key in hexadecimal; null if it was not masked."""
    payload_length: int
    """Length in bytes, from its header."""
    data: str | None
    """Its payload, unmasked; null if not kept or incomplete."""
    encoding: Encoding | None
    """``utf-8`` if ``data`` is the bytes as text, ``base64`` (RFC 4648) if they are not UTF-8."""
    close_code: int | None
    """The status code of a Close frame, if it has one (RFC 6455 section 7.4)."""
    close_reason: str | None
    """The reason after the status code; empty if there is none (RFC 6455 section 7.1.6)."""
    content_offset: int
    """Offset of its payload, after the header; counted like ``offset``."""


class WebSocketMessageRecord(Sent, frozen=True, tag_field="record", tag="websocket_message"):
    """One whole message (RFC 6455 section 5.6), reassembled and inflated."""

    record: ClassVar[Literal["websocket_message"]] = "websocket_message"
    type: MessageType
    """Its type, from the opcode of its first frame."""
    size: int
    """Size of the message in bytes, decompressed."""
    data: str | None
    """The message, decompressed (RFC 7692 section 7.2.2); null if not kept."""
    encoding: Encoding | None
    """``utf-8`` if ``data`` is the bytes as text, ``base64`` (RFC 4648) if they are not UTF-8."""
    frames: int
    """Number of frames it came in (RFC 6455 section 5.4)."""
    compressed: bool
    """Whether it was compressed by permessage-deflate (RFC 7692 section 6)."""
