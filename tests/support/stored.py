"""The stored captures, and the dialogues that they hold."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import NamedTuple

from parsers.files.packets import Packet
from parsers.files.reader import CaptureReader
from parsers.records import BodyRecord, ConnectionRecord, Record

from .corpus import ROOT
from .exchanges import segments
from .frames import ACK, FIN, RST, SYN
from .talk import Side

STORED = sorted(
    path
    for path in (ROOT / "fixtures").glob("*/*.pcapng")
    if path.parent.name not in ("hostile", "bodies", "dialects", "nginx", "tls")
)
"""The recordings of the demo server. What they share, one clean TCP over plain IPv4, the hostile
captures do not: these have ``tests/test_hostile.py``, those of bodies ``tests/test_bodies.py``,
those of dialects ``tests/test_dialects.py``, those of nginx
``tests/test_nginx.py``, those of TLS ``tests/test_tls_stored.py``."""
SMALL = [path for path in STORED if path.stem != "large"]


def name(path: Path) -> str:
    """``sse/plain``"""
    return f"{path.parent.name}/{path.stem}"


def packets(path: Path) -> list[Packet]:
    """Every packet of a capture file."""
    with path.open("rb") as stream:
        return list(CaptureReader(stream))


class Turn(NamedTuple):
    """What one side sent before the other side sent anything."""

    sender: Side
    data: bytes
    flags: int
    """ACK for data; FIN or RST where it closed."""


class Dialogue(NamedTuple):
    """One stored connection, free of how its bytes were cut into segments."""

    client_port: int
    server_port: int
    turns: list[Turn]


def dialogue(path: Path) -> Dialogue:
    """Read a stored capture of one connection, in which nothing is lost or reordered."""
    found = segments(path)
    assert found[0].flags == SYN, "a stored capture begins with the handshake"
    client, server = found[0].source, found[0].destination
    turns: list[Turn] = []
    for segment in found:
        sender: Side = "client" if segment.source == client else "server"
        if segment.payload:
            if turns and turns[-1].sender == sender and not turns[-1].flags & (FIN | RST):
                turns[-1] = Turn(sender, turns[-1].data + segment.payload, ACK)
            else:
                turns.append(Turn(sender, segment.payload, ACK))
        if segment.flags & (FIN | RST):
            turns.append(Turn(sender, b"", segment.flags & (FIN | RST)))
    return Dialogue(client, server, turns)


def completion(record: Record) -> tuple[int, float]:
    """The place of a record in the contract's order."""
    if isinstance(record, ConnectionRecord):
        return record.last_packet, inf
    offset = record.offset or 0
    if isinstance(record, BodyRecord):
        return record.last_packet, offset + record.length
    return record.last_packet, offset
