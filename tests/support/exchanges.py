"""Real TCP exchanges on loopback, and what a recording of them holds."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import unpack_from
from typing import NamedTuple

from scapy.utils import RawPcapNgReader

from .frames import ACK, FIN, SYN

SNAPLEN = 262_144


class Segment(NamedTuple):
    """A TCP segment as recorded; read here anew, so that nothing of ours checks itself."""

    time_ns: int
    source: int
    destination: int
    seq: int
    ack: int
    flags: int
    payload: bytes
    cut: bool


def frames(path: Path) -> list[tuple[int, bytes, int]]:
    """Every packet of a recording: time in nanoseconds, bytes, original length."""
    with RawPcapNgReader(str(path)) as reader:
        found = list(iter(lambda: _next(reader), None))
    return [((at.tshigh << 32) + at.tslow, data, at.wirelen) for data, at in found]


def _next(reader: RawPcapNgReader) -> tuple[bytes, RawPcapNgReader.PacketMetadata] | None:
    """The next packet, or None at the end; iterating would cut it to 65,535 bytes."""
    try:
        return reader._read_packet(SNAPLEN)
    except EOFError:
        return None


def segments(path: Path) -> list[Segment]:
    """Every packet of a recording, which must be TCP."""
    return [_segment(*frame) for frame in frames(path)]


def _segment(time_ns: int, data: bytes, length: int) -> Segment:
    version = data[14] >> 4
    assert (version, data[12:14]) in {(4, b"\x08\x00"), (6, b"\x86\xdd")}
    start = 14 + (data[14] & 15) * 4 if version == 4 else 54
    assert data[23 if version == 4 else 20] == 6, "not TCP"
    source, destination, seq, ack, offset, flags = unpack_from("!HHIIBB", data, start)
    payload = data[start + (offset >> 4) * 4 :]
    return Segment(time_ns, source, destination, seq, ack, flags, payload, len(data) != length)


def check_whole(found: list[Segment], port: int, sent: bytes, answered: bytes) -> None:
    """Assert that this is one whole connection to ``port``, each packet once, nothing missing."""
    assert [one.flags for one in found if one.flags & SYN] == [SYN, SYN | ACK]
    assert found[0].destination == port
    client = [one for one in found if one.destination == port]
    server = [one for one in found if one.source == port]
    assert len(client) + len(server) == len(found)
    for half, data in ((client, sent), (server, answered)):
        assert sum(bool(one.flags & FIN) for one in half) == 1
        assert _in_order(half) == data
    assert client[-1].ack == _end(server)
    assert server[-1].ack == _end(client)
    assert len(set(found)) == len(found)
    assert not any(one.cut for one in found)


def _in_order(half: list[Segment]) -> bytes:
    """The bytes of one direction, whose sequence numbers must go on without hole or repeat.

    A segment that occupies none may say an older one: so a sender asks whether a window is open.
    """
    following = half[0].seq
    data = b""
    for one in half:
        assert one.seq == following or _after(one) == one.seq
        if _after(one) == one.seq:
            continue
        data += one.payload
        following = _after(one)
    return data


def _after(one: Segment) -> int:
    occupied = len(one.payload) + bool(one.flags & SYN) + bool(one.flags & FIN)
    return (one.seq + occupied) % 2**32


def _end(half: list[Segment]) -> int:
    return next(_after(one) for one in half if one.flags & FIN)


@contextmanager
def listening(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A socket that listens on a free port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        listener.settimeout(10)
        yield listener


def port_of(listener: socket.socket) -> int:
    """The port that it listens on."""
    port: int = listener.getsockname()[1]
    return port


@contextmanager
def connected(listener: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client's and its server's socket, which are closed one after the other."""
    with (
        socket.create_connection(listener.getsockname()[:2], timeout=10) as client,
        listener.accept()[0] as server,
    ):
        server.settimeout(10)
        yield client, server


def exchange(listener: socket.socket, sent: bytes, answered: bytes) -> None:
    """Send, answer and close, one thing after the other."""
    with connected(listener) as (client, server):
        transfer(client, server, sent)
        transfer(server, client, answered)
        client.shutdown(socket.SHUT_WR)
        assert server.recv(1) == b""
        server.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


def transfer(source: socket.socket, target: socket.socket, data: bytes) -> None:
    """Send ``data`` from one socket to the other, and read all of it there."""
    sender = threading.Thread(target=source.sendall, args=(data,))
    sender.start()
    missing = len(data)
    while missing:
        missing -= len(target.recv(1 << 20))
    sender.join()
