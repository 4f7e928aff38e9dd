"""SETTINGS, and the other frames of control: what their payloads say (RFC 9113 section 6)."""

from __future__ import annotations

from typing import Final

from .elements import ACK, GOAWAY, PING, PRIORITY, SETTINGS, Frame
from .flow import MAX_WINDOW

HEADER_TABLE_SIZE: Final = 0x1
ENABLE_PUSH: Final = 0x2
INITIAL_WINDOW_SIZE: Final = 0x4
MAX_FRAME_SIZE: Final = 0x5
SETTING_NAMES = {
    HEADER_TABLE_SIZE: "HEADER_TABLE_SIZE", ENABLE_PUSH: "ENABLE_PUSH",
    0x3: "MAX_CONCURRENT_STREAMS", INITIAL_WINDOW_SIZE: "INITIAL_WINDOW_SIZE",
    MAX_FRAME_SIZE: "MAX_FRAME_SIZE", 0x6: "MAX_HEADER_LIST_SIZE",
    0x8: "ENABLE_CONNECT_PROTOCOL", 0x9: "NO_RFC7540_PRIORITIES",
}  # fmt: skip
"""Without their SETTINGS_ (RFC 9113 section 6.5.2, RFC 8441, RFC 9218)."""
ERROR_NAMES = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
    "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
    "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip
"""Error codes (RFC 9113 section 7)."""
_LIMITS = {
    ENABLE_PUSH: (0, 1), INITIAL_WINDOW_SIZE: (0, MAX_WINDOW), MAX_FRAME_SIZE: (16_384, 2**24 - 1),
    0x8: (0, 1), 0x9: (0, 1),
}  # fmt: skip

Pairs = list[tuple[int, int]]


def error_name(code: int) -> str:
    """Return an error code's name, or its number in hexadecimal."""
    return ERROR_NAMES[code] if code < len(ERROR_NAMES) else f"{code:#x}"


def setting_name(setting: int) -> str:
    """Return a setting's name, or its number in hexadecimal."""
    return SETTING_NAMES.get(setting, f"{setting:#x}")


def read_settings(payload: bytes) -> Pairs:
    """Return the settings of a payload, whose length is right, in wire order."""
    return [
        (int.from_bytes(payload[pos : pos + 2]), int.from_bytes(payload[pos + 2 : pos + 6]))
        for pos in range(0, len(payload) - 5, 6)
    ]


def setting_faults(settings: Pairs) -> list[str]:
    """Return which values no setting may have (RFC 9113 section 6.5.2), in words."""
    return [
        f"{setting_name(setting)} {value:,}"
        for setting, value in settings
        if setting in _LIMITS and not _LIMITS[setting][0] <= value <= _LIMITS[setting][1]
    ]


def number_at(frame: Frame, pos: int) -> int:
    """Return the 31 bits of a stream's number or of an increment."""
    return int.from_bytes(frame.payload[pos : pos + 4]) & 0x7FFFFFFF


def error_of(frame: Frame) -> str:
    """Return the error code of a RST_STREAM or a GOAWAY."""
    pos = 4 if frame.kind == GOAWAY else 0
    return error_name(int.from_bytes(frame.payload[pos : pos + 4]))


def is_ack(frame: Frame) -> bool:
    """Whether a SETTINGS or PING frame answers another."""
    return frame.kind in (SETTINGS, PING) and bool(frame.flags & ACK)


def depends_on(frame: Frame) -> tuple[int, int, bool]:
    """Return what a PRIORITY frame says (section 6.3): stream, weight from 1, and exclusive."""
    assert frame.kind == PRIORITY
    return number_at(frame, 0), frame.payload[4] + 1, bool(frame.payload[0] & 0x80)
