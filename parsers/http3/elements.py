"""What HTTP/3 is made of on the wire: types of frames, of streams, and of errors (RFC 9114)."""

from __future__ import annotations

from typing import Final

from ..provenance import Element

DATA: Final = 0x00
HEADERS: Final = 0x01
CANCEL_PUSH: Final = 0x03
SETTINGS: Final = 0x04
PUSH_PROMISE: Final = 0x05
GOAWAY: Final = 0x07
ORIGIN: Final = 0x0C
MAX_PUSH_ID: Final = 0x0D
PRIORITY_UPDATE: Final = 0xF0700
PRIORITY_UPDATE_PUSH: Final = 0xF0701
NAMES: dict[int, str] = {
    DATA: "DATA", HEADERS: "HEADERS", CANCEL_PUSH: "CANCEL_PUSH", SETTINGS: "SETTINGS",
    PUSH_PROMISE: "PUSH_PROMISE", GOAWAY: "GOAWAY", ORIGIN: "ORIGIN", MAX_PUSH_ID: "MAX_PUSH_ID",
    PRIORITY_UPDATE: "PRIORITY_UPDATE", PRIORITY_UPDATE_PUSH: "PRIORITY_UPDATE",
}  # fmt: skip
"""Types of frames (RFC 9114 section 7.2, RFC 9412, RFC 9218 section 7.2)."""
OF_REQUESTS = frozenset((DATA, HEADERS, PUSH_PROMISE))
"""Those that a request stream may have; a control stream has all others."""
OF_HTTP2 = frozenset((0x02, 0x06, 0x08, 0x09))
"""Types that HTTP/2 has and HTTP/3 forbids (section 7.2.8)."""

CONTROL: Final = 0x00
PUSH: Final = 0x01
QPACK_ENCODER: Final = 0x02
QPACK_DECODER: Final = 0x03
"""Types of streams of one direction (RFC 9114 section 6.2, RFC 9204 section 4.2)."""

QPACK_MAX_TABLE_CAPACITY: Final = 0x01
QPACK_BLOCKED_STREAMS: Final = 0x07
SETTING_NAMES: dict[int, str] = {
    QPACK_MAX_TABLE_CAPACITY: "QPACK_MAX_TABLE_CAPACITY", 0x06: "MAX_FIELD_SECTION_SIZE",
    QPACK_BLOCKED_STREAMS: "QPACK_BLOCKED_STREAMS", 0x08: "ENABLE_CONNECT_PROTOCOL",
    0x33: "H3_DATAGRAM",
}  # fmt: skip
"""RFC 9114 section 7.2.4.1, RFC 9204 section 5, RFC 9220, RFC 9297."""

ERRORS: dict[int, str] = {
    0x100: "H3_NO_ERROR", 0x101: "H3_GENERAL_PROTOCOL_ERROR", 0x102: "H3_INTERNAL_ERROR",
    0x103: "H3_STREAM_CREATION_ERROR", 0x104: "H3_CLOSED_CRITICAL_STREAM",
    0x105: "H3_FRAME_UNEXPECTED", 0x106: "H3_FRAME_ERROR", 0x107: "H3_EXCESSIVE_LOAD",
    0x108: "H3_ID_ERROR", 0x109: "H3_SETTINGS_ERROR", 0x10A: "H3_MISSING_SETTINGS",
    0x10B: "H3_REQUEST_REJECTED", 0x10C: "H3_REQUEST_CANCELLED", 0x10D: "H3_REQUEST_INCOMPLETE",
    0x10E: "H3_MESSAGE_ERROR", 0x10F: "H3_CONNECT_ERROR", 0x110: "H3_VERSION_FALLBACK",
    0x200: "QPACK_DECOMPRESSION_FAILED", 0x201: "QPACK_ENCODER_STREAM_ERROR",
    0x202: "QPACK_DECODER_STREAM_ERROR",
}  # fmt: skip
"""RFC 9114 section 8.1, RFC 9204 section 6."""


def error_name(code: int) -> str:
    """Return the name of an error code; its number where it has none."""
    return ERRORS.get(code, f"0x{code:x}")


def setting_name(setting: int) -> str:
    """Return the name of a setting; its number where it has none."""
    return SETTING_NAMES.get(setting, f"0x{setting:x}")


class Frame(Element, frozen=True):
    """A frame that is not DATA."""

    start: int
    end: int
    kind: int
    payload: bytes
    """At most as much as its limit allows."""
    is_whole: bool
    """Whether all of it was kept."""


class DataFrame(Element, frozen=True):
    """The end of a DATA frame, after its content."""

    start: int
    end: int
    content_start: int
    size: int
    """Of its content, in bytes."""
    content: bytes | None
    """Its content; None if it was not kept, or if some is missing."""


class MissingContent(Element, frozen=True):
    """Content of a DATA frame that the capture lacks: it is at [start, end)."""

    start: int
    end: int


class Lost(Element, frozen=True):
    """Missing bytes at [start, end) that held the beginning of a frame, and maybe whole ones."""

    start: int
    end: int
