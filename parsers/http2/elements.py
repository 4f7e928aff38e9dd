"""What HTTP/2 is made of on the wire: types of frames, and what decoding them gives (RFC 9113)."""

from __future__ import annotations

from typing import Final

from ..http1.chunked import Data
from ..provenance import Element

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends first (RFC 9113 section 3.4)."""
HEADER_SIZE: Final = 9
DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9
ALTSVC: Final = 0xA
ORIGIN: Final = 0xC
PRIORITY_UPDATE: Final = 0x10
NAMES: dict[int, str] = {
    DATA: "DATA", HEADERS: "HEADERS", PRIORITY: "PRIORITY", RST_STREAM: "RST_STREAM",
    SETTINGS: "SETTINGS", PUSH_PROMISE: "PUSH_PROMISE", PING: "PING", GOAWAY: "GOAWAY",
    WINDOW_UPDATE: "WINDOW_UPDATE", CONTINUATION: "CONTINUATION", ALTSVC: "ALTSVC",
    ORIGIN: "ORIGIN", PRIORITY_UPDATE: "PRIORITY_UPDATE",
}  # fmt: skip
"""Types of frames (RFC 9113 section 6, RFC 7838, RFC 8336, RFC 9218)."""

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY_FLAG: Final = 0x20
FLAGS: dict[int, int] = {
    DATA: END_STREAM | PADDED,
    HEADERS: END_STREAM | END_HEADERS | PADDED | PRIORITY_FLAG,
    SETTINGS: ACK,
    PUSH_PROMISE: END_HEADERS | PADDED,
    PING: ACK,
    CONTINUATION: END_HEADERS,
}
"""The flags that each type has."""
DEFAULT_FRAME_SIZE: Final = 16_384
"""SETTINGS_MAX_FRAME_SIZE before any is sent (RFC 9113 section 6.5.2)."""
LARGEST_FRAME_SIZE: Final = (1 << 24) - 1
"""The largest that it can be."""
FIXED_SIZES = {PRIORITY: 5, RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}
"""Bytes of the payloads that have one size."""
OF_CONNECTION = frozenset((SETTINGS, PING, GOAWAY))
OF_STREAM = frozenset((DATA, HEADERS, PRIORITY, RST_STREAM, PUSH_PROMISE, CONTINUATION))
"""Types of frames that are of the connection (stream 0), and those that are of a stream."""


class Frame(Element, frozen=True):
    """A frame that is neither DATA nor of a header block."""

    start: int
    end: int
    kind: int
    flags: int
    stream_id: int
    payload: bytes
    """At most MAX_CONTROL_FRAME bytes of it."""


class HeaderBlock(Element, frozen=True):
    """A HEADERS or PUSH_PROMISE frame, and the CONTINUATION frames after it."""

    start: int
    end: int
    kind: int
    flags: int
    """Those of the first frame."""
    stream_id: int
    block: bytes
    promised: int = 0
    """The stream that a PUSH_PROMISE promises."""
    is_void: bool = False
    """Whether it cannot be read: a fault has said so, and the table of its direction is lost."""


class Content(Data, frozen=True):
    """Content of a DATA frame, as it came."""

    stream_id: int = 0


class MissingContent(Element, frozen=True):
    """Content of a DATA frame that the capture lacks: it is at [start, end)."""

    start: int
    end: int
    stream_id: int


class DataFrame(Element, frozen=True):
    """The end of a DATA frame, after its content."""

    start: int
    end: int
    flags: int
    stream_id: int
    content_start: int
    size: int
    """Of its content, in bytes."""
    padding: int
    """What its padding takes, the pad length's own byte included (section 6.1)."""
    content: bytes | None
    """Its content; None if it was not kept, or if some is missing."""


class Lost(Element, frozen=True):
    """Frames may have been here that are not known: [start, end) is missing or was skipped."""

    start: int
    end: int
