"""Real TCP exchanges on loopback, and what a recording of them holds."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
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


class Counters(NamedTuple):
    """What the kernel says that each side of a connection sent."""

    client_bytes: int
    """Of payload, those included that were sent again."""
    server_bytes: int
    sent_again: int
    """Segments, of both sides. Under load there are some, even on loopback."""


def counters(client: socket.socket, server: socket.socket) -> Counters:
    """Ask the kernel, when all has been sent and acknowledged."""
    # struct tcp_info (linux/tcp.h): tcpi_total_retrans and tcpi_bytes_sent.
    told = [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 216) for one in (client, server)]
    client_bytes, server_bytes = (unpack_from("@Q", one, 200)[0] for one in told)
    return Counters(client_bytes, server_bytes, sum(unpack_from("@I", one, 100)[0] for one in told))


def check_whole(
    found: list[Segment], port: int, sent: bytes, answered: bytes, told: Counters
) -> None:
    """Assert that this is one whole connection to ``port``: nothing missing, nothing twice.

    The order is not looked at: two processors can send for one connection at once, and then
    segments really arrive out of order.
    """
    assert not any(one.cut for one in found)
    assert len(set(found)) == len(found)
    client = [one for one in found if one.destination == port]
    server = [one for one in found if one.source == port]
    assert len(client) + len(server) == len(found)
    assert sum(len(one.payload) for one in client) == told.client_bytes
    assert sum(len(one.payload) for one in server) == told.server_bytes
    assert (_data(client), _data(server)) == (sent, answered)
    assert _end(client) in {one.ack for one in server}
    assert _end(server) in {one.ack for one in client}
    if not told.sent_again:
        assert [one.flags for one in found if one.flags & SYN] == [SYN, SYN | ACK]
        assert [sum(bool(one.flags & FIN) for one in half) for half in (client, server)] == [1, 1]
        assert (told.client_bytes, told.server_bytes) == (len(sent), len(answered))


def spoken(found: list[Segment], port: int) -> tuple[bytes, bytes]:
    """What client and server of one recorded connection to ``port`` sent; nothing may be missing.

    For connections of which the kernel cannot be asked what was sent again.
    """
    client = [one for one in found if one.destination == port]
    server = [one for one in found if one.source == port]
    return _data(client), _data(server)


def _data(half: list[Segment]) -> bytes:
    """The bytes of one direction; no sequence number may be missing."""
    first = next(one.seq for one in half if one.flags & SYN) + 1
    data = b""
    for one in sorted(half, key=lambda one: (one.seq - first) % 2**32):
        offset = (one.seq - first) % 2**32
        if one.payload:
            assert offset <= len(data)
            data += one.payload[len(data) - offset :]
    return data


def _end(half: list[Segment]) -> int:
    """The sequence number that follows the FIN."""
    return next((one.seq + len(one.payload) + 1) % 2**32 for one in half if one.flags & FIN)


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


def exchange(listener: socket.socket, sent: bytes, answered: bytes) -> Counters:
    """Send, answer and close, one thing after the other."""
    with connected(listener) as (client, server):
        transfer(client, server, sent)
        transfer(server, client, answered)
        client.shutdown(socket.SHUT_WR)
        assert server.recv(1) == b""
        server.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
        return counters(client, server)


def transfer(source: socket.socket, target: socket.socket, data: bytes) -> None:
    """Send ``data`` from one socket to the other, and read all of it there."""
    sender = threading.Thread(target=source.sendall, args=(data,))
    sender.start()
    missing = len(data)
    while missing:
        missing -= len(target.recv(1 << 20))
    sender.join()


@contextmanager
def served(
    answer: bytes, make_socket: Callable[[int, int], socket.socket] = socket.socket
) -> Iterator[int]:
    """A port at which each client that has finished gets an answer, until the block is left."""
    with make_socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=_serve, args=(listener, answer))
        thread.start()
        try:
            yield port_of(listener)
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # which ends accept()
            thread.join()


def _serve(listener: socket.socket, answer: bytes) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            while client.recv(1 << 20):
                continue
            client.sendall(answer)


def ask(port: int, question: bytes, timeout: float = 20) -> bytes:
    """Connect to a port of this machine, send a question to its end, and return the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout) as client:
        client.sendall(question)
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as answer:
            return answer.read()
