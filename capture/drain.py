"""When everything that was sent before a moment has been read: no guess, and no sleep.

Strategy: on loopback a sent packet waits in a queue of the processor that sent it until that
processor delivers it. A marker, a datagram of our own, is therefore sent on every processor,
behind whatever waits there; the filter lets it in, and when all have been read, so has all
that was sent before them. Markers go to a socket of ours and are never written to the file.

No marker may be put on another network. There, what the kernel had received at the moment is
read: that is, until the ring's block that was open then has been handed over.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from .linux import bpf
from .linux.packet_socket import MakeSocket
from .linux.ring import Ring, RingPacket

LOOPBACK = "127.0.0.1"
ETHERTYPE = slice(bpf.ETHERTYPE, bpf.ETHERTYPE + 2)
IPV4 = bpf.ETHERTYPE_IPV4.to_bytes(2, "big")
MAX_MARKER = 64
RESEND_AFTER = 0.25
"""Seconds after which markers that have not come are sent again: a full ring drops them too."""


class Tail(Protocol):
    """Tell when the packets that were sent before ``begin`` have been read."""

    @property
    def port(self) -> int | None:
        """The UDP port that markers go to, which the filter is to let in."""

    def begin(self) -> None:
        """Note the present moment."""

    def receive_marker(self, frame: bytes) -> None:
        """Take a packet that is not TCP."""

    def arrived(self) -> bool:
        """Return whether all that came before the last ``begin`` has been read."""

    def close(self) -> None:
        """Give back what it holds."""


class Markers:
    """The tail on loopback: wait for a datagram from each processor.

    ``make_socket`` makes the socket that they go to, in the namespace whose loopback it is.
    """

    def __init__(self, make_socket: MakeSocket = socket.socket) -> None:
        self._socket = make_socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
        self._socket.bind((LOOPBACK, 0))
        self._port: int = self._socket.getsockname()[1]
        self._socket.connect((LOOPBACK, self._port))
        self._secret = os.urandom(16)  # another's datagram to our port is not taken for ours
        self._round = 0
        self._missing: set[bytes] = set()
        self._sent_at = 0.0

    @property
    def port(self) -> int:
        """The port of the socket that markers go to."""
        return self._port

    def begin(self) -> None:
        """Send a marker on every processor that this thread may run on."""
        self._round += 1
        self._missing.clear()
        for processor in _every_processor():
            marker = self._secret + b"%d %d" % (self._round, processor)
            self._missing.add(marker)
            self._socket.send(marker)
        self._sent_at = time.monotonic()

    def fileno(self) -> int:
        """Return the descriptor at which markers come, for who reads them there."""
        return self._socket.fileno()

    def receive(self) -> None:
        """Take one marker from there, without waiting."""
        try:
            self.receive_marker(self._socket.recv(MAX_MARKER, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return

    def receive_marker(self, frame: bytes) -> None:
        """Strike the marker off, if it is of this round."""
        self._missing.discard(frame[frame.find(self._secret) :])

    def arrived(self) -> bool:
        """Return whether every marker has come; send them again if they take too long."""
        if self._missing and time.monotonic() - self._sent_at > RESEND_AFTER:
            self.begin()
        return not self._missing

    def close(self) -> None:
        """Close the socket that the markers went to."""
        self._socket.close()


class OpenBlock:
    """The tail on any other interface: wait for the ring's open block."""

    port = None

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._block = 0

    def begin(self) -> None:
        """Note the block that is open, if it holds anything."""
        self._block = self._ring.blocks_begun()

    def receive_marker(self, frame: bytes) -> None:
        """Raise AssertionError: the filter lets in nothing but TCP."""
        raise AssertionError(f"a packet that is not TCP passed the filter: {frame[:64].hex()}")

    def arrived(self) -> bool:
        """Return whether that block has been read."""
        return self._ring.blocks_read >= self._block

    def close(self) -> None:
        """Nothing is held."""


def without_markers(packets: list[RingPacket], tail: Tail) -> list[RingPacket]:
    """Return packets without the markers among them, which ``tail`` gets."""
    found = [packet for packet in packets if _is_udp(packet[1])]
    if not found:
        return packets
    for packet in found:
        tail.receive_marker(packet[1])
    return [packet for packet in packets if not _is_udp(packet[1])]


def _is_udp(data: bytes) -> bool:
    return data[bpf.IPV4_PROTOCOL] == bpf.PROTOCOL_UDP and data[ETHERTYPE] == IPV4


def _every_processor() -> Iterator[int]:
    """Move this thread to each processor in turn, and back to those it had in the end."""
    with _own_affinity():
        for processor in range(os.sysconf("SC_NPROCESSORS_CONF")):
            try:
                os.sched_setaffinity(threading.get_native_id(), {processor})
            except OSError:
                continue  # offline, or not in our cpuset
            yield processor


@contextmanager
def _own_affinity() -> Iterator[None]:
    thread = threading.get_native_id()
    before = os.sched_getaffinity(thread)
    try:
        yield
    finally:
        os.sched_setaffinity(thread, before)
