"""HTTP/2: its frames, and what flow control held up."""

from __future__ import annotations

from typing import ClassVar, Literal

from .http import Encoding
from .place import Placed, Sent


class Http2DataRecord(Sent, frozen=True, tag_field="record", tag="http2_data"):
    """One DATA frame (RFC 9113 section 6.1)."""

    record: ClassVar[Literal["http2_data"]] = "http2_data"
    index: int
    """From 0 among those that its sender sent in its stream."""
    size: int
    """Of its content, in bytes, still coded."""
    padding: int
    """Bytes that its padding takes, the pad length's own included: flow control counts them."""
    end_stream: bool
    """Whether it ends its sender's message."""
    data: str | None
    """Its content, still coded; null if it was not kept or is incomplete."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""
    content_offset: int
    """Where its content begins, after its header and pad length; in bytes, as ``offset``."""


class Http2FrameRecord(Placed, frozen=True, tag_field="record", tag="http2_frame"):
    """A frame of control (RFC 9113 section 6), or the HEADERS of trailers, which ``body`` has; what
    its type does not have is left out."""

    record: ClassVar[Literal["http2_frame"]] = "http2_frame"
    type: str
    """Its type's name, ``SETTINGS``; of another type its number in hexadecimal."""
    ack: bool | None = None
    """Of SETTINGS and PING: whether it answers one."""
    settings: list[tuple[str, int]] | None = None
    """[name, value] of each setting in wire order, without ``SETTINGS_`` (section 6.5.2)."""
    error_code: str | None = None
    """Of RST_STREAM and GOAWAY: the code's name (section 7)."""
    last_stream_id: int | None = None
    """Of GOAWAY: the last stream that its sender may have processed (section 6.8)."""
    debug: str | None = None
    """Of GOAWAY: its debug data; bytes that are no UTF-8 are a character each."""
    increment: int | None = None
    """Of WINDOW_UPDATE: the bytes that may be sent in addition (section 6.9)."""
    ping: str | None = None
    """Of PING: its 8 bytes in hexadecimal (section 6.7)."""
    rtt: float | None = None
    """Of a PING that answers one: the seconds since then."""
    promised_stream_id: int | None = None
    """Of PUSH_PROMISE: the stream that is promised (section 6.6)."""
    size: int | None = None
    """Of any other type: its payload, in bytes."""


class StallRecord(Placed, frozen=True, tag_field="record", tag="stall"):
    """A sender that flow control held, with more to send (RFC 9113 section 6.9); its length is 0.

    Its first packet is that of the DATA frame that used the window up, of the SETTINGS that took
    its room away, or of the head of a message that found it used up, its last one that of the DATA
    that went on: ``opened_by`` lies between them. ``stream_id`` is left out where it was the
    connection's window: that held all streams. Of QUIC (RFC 9000 section 4) STREAM frames count,
    and a sender that says it is blocked.
    """

    record: ClassVar[Literal["stall"]] = "stall"
    window: Literal["stream", "connection"]
    """Which window was used up."""
    seconds: float
    """From the frame that used it up to the one that gave room; or up to the end, if none did."""
    opened_by: int | None
    """The packet of the WINDOW_UPDATE or SETTINGS, of QUIC the MAX_STREAM_DATA or MAX_DATA, that
    gave room; null if none did."""
