"""Where frames begin again after missing bytes (RFC 9113 section 4.1).

Strategy: a place is certain where several frame headers follow one another, each where the one
before says: the type, flags and stream of each can have few values, so chance is ruled out. A place
that may still prove itself is waited for, so that what is found does not depend on cuts; frames are
no longer than all peers take unless told otherwise, so the wait is short.
"""

from __future__ import annotations

from ..records import Sender
from .elements import (
    DEFAULT_FRAME_SIZE,
    FIXED_SIZES,
    FLAGS,
    GOAWAY,
    HEADER_SIZE,
    HEADERS,
    NAMES,
    OF_CONNECTION,
    OF_STREAM,
    SETTINGS,
)

PROOF = 3
"""Frame headers, one after another, that are no chance: nine bytes each, of which few values are
possible."""
HEADER_BITS = 21.0
"""How unlikely each of them is for random bytes, as a power of two: a length of up to 16 KiB (9.9
bits), a known type (4.3), its flags (5.6 where it has four), and the reserved bit (1)."""


def find_frames(
    data: bytes | bytearray, sender: Sender, *, at_end: bool = False
) -> tuple[int, int]:
    """Return where frames begin in ``data``, and how many headers prove it; 0 if it is not certain.

    Then they do not begin before there. ``at_end`` says that nothing follows: then fewer prove it,
    if they end with the data.
    """
    pos = 0
    while (pos := data.find(0, pos)) >= 0:  # no frame is as long as to begin with another byte
        if (headers := _chain(data, pos, sender, at_end)) is None or headers:
            return pos, headers or 0
        pos += 1
    return len(data), 0


def is_beginning(data: bytes | bytearray) -> bool:
    """Whether a server begins so: with SETTINGS, and further frames (RFC 9113 section 3.4)."""
    is_settings = data[3:HEADER_SIZE] == bytes((SETTINGS, 0, 0, 0, 0, 0))
    return is_settings and _chain(data, 0, "server", at_end=False) == PROOF


def _chain(data: bytes | bytearray, pos: int, sender: Sender, at_end: bool) -> int | None:
    """Return how many frames follow one another from ``pos`` on, if enough do to prove it.

    That is 0 if they do not, and None if more must come to tell.
    """
    for proved in range(PROOF):
        if pos + HEADER_SIZE > len(data):
            if not at_end:
                return None
            return proved if pos == len(data) else 0
        if not _is_plausible(data, pos, sender):
            return 0
        pos += HEADER_SIZE + int.from_bytes(data[pos : pos + 3])
    return PROOF


def _is_plausible(data: bytes | bytearray, pos: int, sender: Sender) -> bool:
    """Whether a frame's header may be at ``pos``."""
    length, kind, flags = int.from_bytes(data[pos : pos + 3]), data[pos + 3], data[pos + 4]
    stream_id = int.from_bytes(data[pos + 5 : pos + HEADER_SIZE])
    if kind not in NAMES or length > DEFAULT_FRAME_SIZE or stream_id > 0x7FFFFFFF:
        return False
    if flags & ~FLAGS.get(kind, 0) or length != FIXED_SIZES.get(kind, length):
        return False
    if kind in (OF_STREAM if not stream_id else OF_CONNECTION):
        return False
    if kind == SETTINGS:
        return not length % 6 and not (flags and length)
    if kind == HEADERS and sender == "client":
        return bool(length) and stream_id % 2 == 1
    return kind != GOAWAY or length >= 8
