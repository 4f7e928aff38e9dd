"""HTTP/2: its frames, and what flow control held up."""

from __future__ import annotations

from typing import ClassVar, Literal

from .http import Encoding
from .place import Placed, Sent


class Http2DataRecord(Sent, frozen=True, tag_field="record", tag="http2_data"):
    """One DATA frame (RFC 9113 section 6.1)."""

    record: ClassVar[Literal["http2_data"]] = "http2_data"
    index: int
    """From 0 among its sender's DATA frames in this stream."""
    size: int
    """Size of its content in bytes, still coded."""
    padding: int
    """Bytes of padding, including the pad length field: flow control counts them."""
    end_stream: bool
    """Whether it ends its sender's message."""
    data: str | None
    """Its content, still coded; null if not kept or incomplete."""
    encoding: Encoding | None
    """``utf-8`` if ``data`` is the bytes as text, ``base64`` (RFC 4648) if they are not UTF-8."""
    content_offset: int
    """Offset of its content, after header and pad length; counted like ``offset``."""


class Http2FrameRecord(Placed, frozen=True, tag_field="record", tag="http2_frame"):
    """A control frame (RFC 9113 section 6), or the HEADERS frame of trailers, whose fields are in
    ``body``; fields that do not apply to its type are omitted."""

    record: ClassVar[Literal["http2_frame"]] = "http2_frame"
    type: str
    """Name of its type, such as ``SETTINGS``; for an unknown type its number in hexadecimal."""
    ack: bool | None = None
    """SETTINGS and PING: whether it acknowledges one."""
    settings: list[tuple[str, int]] | None = None
    """[name, value] of each setting in wire order, without ``SETTINGS_`` (section 6.5.2)."""
    error_code: str | None = None
    """RST_STREAM and GOAWAY: name of the code (section 7)."""
    last_stream_id: int | None = None
    """GOAWAY: the last stream its sender may have processed (section 6.8)."""
    debug: str | None = None
    """GOAWAY: its debug data; bytes that are not UTF-8 become one character each."""
    increment: int | None = None
    """WINDOW_UPDATE: how many more bytes may be sent (section 6.9)."""
    ping: str | None = None
    """PING: its 8 bytes in hexadecimal (section 6.7)."""
    rtt: float | None = None
    """PING acknowledging another: seconds since that one."""
    promised_stream_id: int | None = None
    """PUSH_PROMISE: the promised stream (section 6.6)."""
    size: int | None = None
    """Any other type: size of its payload in bytes."""


class StallRecord(Placed, frozen=True, tag_field="record", tag="stall"):
    """A sender that flow control blocked while it had more to send (RFC 9113 section 6.9); its
    length is 0.

    ``first_packet`` has the DATA frame that used up the window, the SETTINGS that shrank it, or the
    head of a message that found it used up; ``last_packet`` has the DATA that went on.
    ``opened_by`` lies between them. ``stream_id`` is omitted for the connection's window, which
    blocks all streams. In QUIC (RFC 9000 section 4), STREAM frames count, and so does a sender that
    says it is blocked.
    """

    record: ClassVar[Literal["stall"]] = "stall"
    window: Literal["stream", "connection"]
    """The window that was used up."""
    seconds: float
    """Time from the frame that used it up to the one that made room, or to the end if none did."""
    opened_by: int | None
    """The packet with the WINDOW_UPDATE or SETTINGS (QUIC: MAX_STREAM_DATA or MAX_DATA) that made
    room; null if none did."""
