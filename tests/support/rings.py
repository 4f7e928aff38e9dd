"""A capture that was recorded into several files, one after the other."""

from __future__ import annotations

from .talk import Talk, Tape

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def stream(chunks: int = 12) -> Tape:
    """One response of so many chunks, and a last one."""
    talk = Talk().open()
    talk.client(b"GET /ring HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(CHUNKED, *(b"5\r\n%05d\r\n" % number for number in range(chunks)), b"0\r\n\r\n")
    talk.close()
    return talk.tape


def parts(count: int, tape: Tape | None = None) -> list[bytes]:
    """Return the packets of a tape as so many files."""
    packets = (tape or stream()).packets
    size = -(-len(packets) // count)
    found = []
    for start in range(0, len(packets), size):
        part = Tape()
        part.packets = packets[start : start + size]
        found.append(part.file())
    return found
