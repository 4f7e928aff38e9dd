"""Where frames of a stream of HTTP/3 begin again after missing bytes (RFC 9114 section 7.1).

Strategy: whoever sends a message writes frames, and QUIC packets mostly begin with one. So the
first byte after a hole is looked at, and no other: it begins a frame if so many headers follow one
another, each where the one before says, that chance is ruled out. What may be a header is narrow:
DATA or HEADERS, and a length in its shortest form.
"""

from __future__ import annotations

from typing import Literal

from ..limits import MAX_RESYNCHRONISE
from ..quic.reader import read_varint
from .elements import DATA, HEADERS

PROOF = 4
"""Headers, one after another, that are no chance: 7 bits each for the type alone."""
PROOF_AT_END = 2
"""Of those that end with the stream: its size is another 8 bits at least."""
Answer = Literal["frames", "none", "unknown"]


def follow_frames(data: bytes | bytearray, *, at_end: bool = False) -> Answer:
    """Return whether ``data``, which follows missing bytes, begins with a frame.

    ``unknown`` as long as more must come to tell; ``at_end`` says that nothing follows.
    """
    pos = 0
    for proved in range(PROOF):
        if pos == len(data) and at_end:
            return "frames" if proved >= PROOF_AT_END else "none"
        head = bytes(data[pos : pos + 9])
        if head and head[0] not in (DATA, HEADERS):
            return "none"
        size = read_varint(head, 1) if len(head) > 1 else None
        if size is None:
            return "none" if at_end else "unknown"
        length, after = size
        if after > 2 and length < 1 << (6 if after == 3 else 14 if after == 5 else 30):
            return "none"
        if length > MAX_RESYNCHRONISE:
            return "none"
        pos += after + length
    return "frames"
