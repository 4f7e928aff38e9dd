"""What Linux made of random segments, as recorded: and how to record it anew.

    unshare --net python -m support.linux_tcp > tests/support/linux_tcp.jsonl

(as root, in ``tests/``) sends each case through a TUN device to a socket of the kernel at hand, and
writes what an application read from it. The stored file was recorded on Linux 6.18; the rules
have not changed since 4.9. Every case is a connection of its own, after a normal handshake.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from struct import pack, unpack
from typing import Any, NamedTuple

from .segments import ACK, FIN, MD5_SIGNATURE, PSH_ACK, RST, SYN, internet_checksum

RECORDED = Path(__file__).with_suffix(".jsonl")
CASES = 400
PORT = 80
HOST, PEER = bytes([10, 9, 0, 1]), bytes([10, 9, 0, 2])
URGENT = 0x20


class Sent(NamedTuple):
    """A segment of the client. ``seq`` counts from its ISN, so data begins at 1."""

    seq: int
    data: str
    flags: int = PSH_ACK
    urgent_pointer: int = 0
    kind: str = ""
    """``wrong``: its checksum is; ``signed``: it has a signature of MD5."""


class Case(NamedTuple):
    """What was sent, and what came of it."""

    isn: int
    segments: list[Sent]
    read: str
    """What the application read, urgent bytes inline."""
    end: str
    """``fin``, ``reset`` or ``open``."""


def recorded() -> Iterator[Case]:
    """Yield the stored cases."""
    for line in RECORDED.read_text().splitlines():
        isn, segments, read, end = json.loads(line)
        yield Case(isn, [Sent(*segment) for segment in segments], read, end)


# --- making cases ---


def segments(seeded: Random, is_odd: bool) -> list[Sent]:
    """Some segments that overlap and disagree: each byte says which segment it is of."""
    span = seeded.choice([6, 12, 30])
    made = []
    for index in range(seeded.randint(1, 14)):
        size = seeded.randint(1, seeded.choice([2, 4, 10]))
        usual = Sent(seeded.randint(1, span), chr(ord("A") + index) * size)
        is_this_odd = is_odd and seeded.random() < 0.5
        made.append(odd(usual, seeded) if is_this_odd else usual)
    if seeded.random() < 0.6:
        made.append(Sent(1, "a" * seeded.randint(1, span)))
    return made


def odd(usual: Sent, seeded: Random) -> Sent:
    """Change what a segment is."""
    flags = [0, FIN, 8, URGENT, SYN, SYN | ACK, RST, RST | ACK, *[PSH_ACK | FIN] * 4]
    return seeded.choice(
        [
            usual._replace(flags=seeded.choice(flags)),
            Sent(seeded.choice([1, usual.seq, 50, 900_000_000]), "", RST),
            usual._replace(kind="wrong"),
            usual._replace(kind="signed"),
            usual._replace(flags=PSH_ACK | URGENT, urgent_pointer=seeded.randint(0, 6)),
            usual._replace(seq=seeded.choice([-3, -1, 0, 9_000])),
            usual._replace(data=""),
        ]
    )


# --- asking the kernel ---


class Kernel:
    """A listening socket behind a TUN device."""

    def __init__(self) -> None:
        self._tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self._tun, 0x400454CA, pack("16sH", b"wireproof0", 0x1001))
        for command in (
            "ip addr add 10.9.0.1/24 dev wireproof0",
            "ip link set wireproof0 up",
            "sysctl -q -w net.ipv4.tcp_timestamps=0",
        ):
            subprocess.run(command.split(), check=True)
        self._listening = socket.create_server((socket.inet_ntoa(HOST), PORT))

    def ask(self, port: int, isn: int, sent: list[Sent]) -> Case:
        """Send a case's segments from ``port``, and read what came of them."""
        self._send(port, isn, 0, Sent(0, "", SYN))
        answered = (self._wait_for_syn_ack(port) + 1) & 0xFFFFFFFF
        self._send(port, isn, answered, Sent(1, "", ACK))
        connection, _ = self._listening.accept()
        with connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
            connection.setblocking(False)
            for segment in sent:
                self._send(port, isn, answered, segment)
            return Case(isn, sent, *self._read(connection))

    def _send(self, port: int, isn: int, ack: int, segment: Sent) -> None:
        options = MD5_SIGNATURE if segment.kind == "signed" else b""
        words = (5 + len(options) // 4) << 12 | segment.flags
        seq, ack = (isn + segment.seq) & 0xFFFFFFFF, ack if segment.flags & ACK else 0
        numbers = (port, PORT, seq, ack, words, 65_000, 0, segment.urgent_pointer)
        whole = pack("!HHIIHHHH", *numbers) + options + segment.data.encode()
        checksum = internet_checksum(PEER + HOST + pack("!HH", 6, len(whole)) + whole)
        checksum ^= segment.kind == "wrong"
        whole = whole[:16] + checksum.to_bytes(2) + whole[18:]
        ip = pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(whole), 1, 0, 64, 6, 0, PEER, HOST)
        ip = ip[:10] + internet_checksum(ip).to_bytes(2) + ip[12:]
        os.write(self._tun, ip + whole)

    def _wait_for_syn_ack(self, port: int) -> int:
        while select.select([self._tun], [], [], 5)[0]:
            packet = os.read(self._tun, 65_536)
            if packet[0] >> 4 == 4 and packet[9] == 6 and packet[33] == SYN | ACK:
                _, to, seq = unpack("!HHI", packet[20:28])
                if to == port:
                    return int(seq)
        raise TimeoutError("the kernel does not answer")

    @staticmethod
    def _read(connection: socket.socket) -> tuple[str, str]:
        data = b""
        while True:
            try:
                more = connection.recv(65_536)
            except BlockingIOError:
                return data.decode(), "open"
            except ConnectionResetError:
                return data.decode(), "reset"
            if not more:
                return data.decode(), "fin"
            data += more


def main() -> None:
    kernel = Kernel()
    for number in range(CASES):
        seeded = Random(number)
        isn = seeded.choice([0, 1, 1_000, 0xFFFFFFFF, 0xFFFFFFF5, seeded.getrandbits(32)])
        case = kernel.ask(1_024 + number, isn, segments(seeded, is_odd=number % 2 == 1))
        sent: list[Any] = [_short(segment) for segment in case.segments]
        sys.stdout.write(json.dumps([isn, sent, case.read, case.end], separators=(",", ":")) + "\n")


def _short(segment: Sent) -> list[Any]:
    """Leave out what is as usual at the end."""
    values = list(segment)
    while len(values) > 2 and values[-1] == Sent(0, "")[len(values) - 1]:
        values.pop()
    return values


if __name__ == "__main__":
    main()
