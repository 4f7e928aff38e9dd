"""A capture that was recorded into several files, one after the other."""

from __future__ import annotations

from pathlib import Path

from benchmarks.packets import Packet, write
from parsers import CaptureReader

from .corpus import ROOT
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


def packets(name: str) -> list[Packet]:
    """Return the packets of a stored capture, of a service on port 8000."""
    with (ROOT / "fixtures" / name).open("rb") as stream:
        rows = CaptureReader(stream)
        return [Packet(time or 0, of_port_8000(data)) for _, time, _, _, data in rows]


def of_port_8000(frame: bytes) -> bytes:
    """Return a frame of a demo server's as one of a service: its port is lower than clients'."""
    ports = frame[34:36], frame[36:38]
    low = [(8000).to_bytes(2) if one == max(ports) else one for one in ports]
    return frame[:34] + b"".join(low) + frame[38:]


def split(folder: Path, rows: list[Packet], files: int) -> Path:
    """Write the files of a ring, as ``collect`` names them."""
    folder.mkdir()
    size = -(-len(rows) // files)
    for number in range(files):
        path = folder / f"web1_{number + 1:05}_2026013112000{number}.pcapng"
        write(path, rows[number * size : (number + 1) * size])
    return folder
