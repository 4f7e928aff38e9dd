"""How many packets a second the recorder keeps up with: 50,000 small ones for ten seconds.

The packets go over the loopback of a network namespace of their own, from a process of its own,
``sendmmsg`` of a few hundred at a time, and are recorded by ``capture.Recorder`` through a packet
socket into a file. They are addressed to nobody, so that the kernel answers none. What was sent,
what is in the file and what the kernel says it dropped are counted apart.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from capture import Namespace, PacketsDropped, Recorder
from capture.frames import BUFFER_SIZE

from .packets import checksum

PORT = 8_000
RATE = 50_000
SECONDS = 10.0
PAYLOAD = b"data: a token of a stream, as small as they are\n\n".ljust(64, b".")
BATCH = 100
"""Packets of one system call: of 500 in a second."""
NOBODY = bytes.fromhex("020000000001") + bytes(6)
"""A destination that is not loopback's own: packet sockets see the frame, and IP leaves it."""
SEQUENCE_AT = 14 + 20 + 4


class Measured(NamedTuple):
    """What a run came to."""

    sent: int
    seconds: float
    recorded: int
    dropped: int
    cpu: float
    """Seconds of a processor that recording took."""
    size: int
    """Bytes of the file."""


def frame() -> bytes:
    """Return an Ethernet frame with a TCP segment of loopback's."""
    tcp = struct.pack("!HHIIBBHHH", 40_000, PORT, 0, 1, 5 << 4, 0x18, 512, 0, 0) + PAYLOAD
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0)
    addresses = bytes((127, 0, 0, 1)) * 2
    ip = head[:10] + checksum(head + addresses).to_bytes(2, "big") + addresses
    return NOBODY + b"\x08\x00" + ip + tcp


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Header(ctypes.Structure):
    """``struct msghdr`` (sendmsg(2))."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    """``struct mmsghdr`` (sendmmsg(2))."""

    _fields_ = (("header", _Header), ("sent", ctypes.c_uint))


class Sender:
    """Send frames, each with its own sequence number, many in one system call."""

    def __init__(self, sock: socket.socket, count: int) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = sock.fileno()
        self._buffers = [ctypes.create_string_buffer(frame(), len(frame())) for _ in range(count)]
        vectors = [_Vector(ctypes.addressof(one), len(one)) for one in self._buffers]
        self._vectors = (_Vector * count)(*vectors)
        self._messages = (_Message * count)()
        for message, vector in zip(self._messages, self._vectors, strict=True):
            message.header.vectors = ctypes.pointer(vector)
            message.header.count = 1
        self._sequence = 0

    def send(self) -> int:
        """Send one batch, and return how many packets have gone."""
        for buffer in self._buffers:
            struct.pack_into("!I", buffer, SEQUENCE_AT, self._sequence)
            self._sequence = (self._sequence + len(PAYLOAD)) % (1 << 32)
        sent: int = self._libc.sendmmsg(self._descriptor, self._messages, len(self._messages), 0)
        if sent < 0:
            raise OSError(number := ctypes.get_errno(), os.strerror(number))
        return sent


def send(rate: int, seconds: float) -> None:
    """Send ``rate`` packets a second on loopback, and print how many it were, in what time."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("lo", 0))
        sender = Sender(sock, BATCH)
        start = time.perf_counter()
        sent = 0
        while sent < rate * seconds:
            early = start + sent / rate - time.perf_counter()
            if early > 0:
                time.sleep(early)
            sent += sender.send()
        print(sent, time.perf_counter() - start)


def measure(rate: int, seconds: float, buffer_size: int = BUFFER_SIZE) -> Measured:
    """Record while packets are sent; raises NamespaceUnavailable."""
    with TemporaryDirectory(prefix="wireproof-bench-") as folder, Namespace() as namespace:
        path = Path(folder, "rate.pcapng")
        recorder = Recorder(path, port=PORT, make_socket=namespace.socket, buffer_size=buffer_size)
        command = [sys.executable, "-m", __spec__.name, "--send", str(rate), str(seconds)]
        before = time.process_time()
        try:
            with recorder, namespace.popen(command, stdout=subprocess.PIPE, text=True) as sender:
                told = sender.communicate()[0]
        except PacketsDropped:
            pass  # which is what is measured: the statistics say how many
        sent, took = told.split()
        return Measured(
            int(sent),
            float(took),
            *recorder.statistics,
            time.process_time() - before,
            path.stat().st_size,
        )


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.high_rate", description=__doc__)
    parser.add_argument("--rate", type=int, default=RATE, help=f"packets a second ({RATE:,})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"({SECONDS:g})")
    parser.add_argument("--send", nargs=2, metavar=("RATE", "SECONDS"), help="only send")
    chosen = parser.parse_args()
    if chosen.send:
        send(int(chosen.send[0]), float(chosen.send[1]))
        return
    found = measure(chosen.rate, chosen.seconds)
    lost = found.sent - found.recorded
    print(
        f"sent {found.sent:,} packets of {len(frame())} bytes in {found.seconds:.2f} s"
        f" ({found.sent / found.seconds:,.0f} a second), recorded {found.recorded:,},"
        f" dropped by the kernel {found.dropped:,}, lost {lost:,};"
        f" recording took {found.cpu / max(found.recorded, 1) * 1e6:.1f} µs of a processor for"
        f" each, the file has {found.size / 1e6:.0f} MB"
    )


if __name__ == "__main__":
    main()
