"""When everything that was sent before a moment has been read: no guess, and no sleep.

Strategy: on Linux's loopback a sent packet waits in a queue of the processor that sent it until
that processor delivers it. A marker, a datagram of our own, is therefore sent on every processor,
behind whatever waits there; the filter lets it in, and when all have been read, so has all
that was sent before them. Elsewhere loopback is one queue, and one marker enough. Markers go to a
socket of ours and are never written to the file.

No marker may be put on another network. There, what the kernel had received at the moment is
read, as far as what records can tell.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from .frames import (
    ETHERTYPE,
    ETHERTYPE_IPV4,
    IPV4_PROTOCOL,
    LINKTYPE_ETHERNET,
    PROTOCOL_UDP,
    RawPacket,
    as_ethernet,
)

MakeSocket = Callable[[int, int, int], socket.socket]

LOOPBACK = "127.0.0.1"
ETHERTYPE_AT = slice(ETHERTYPE, ETHERTYPE + 2)
IPV4 = ETHERTYPE_IPV4.to_bytes(2, "big")
MAX_MARKER = 64
RESEND_AFTER = 0.25
"""Seconds after which markers that have not come are sent again: a full ring drops them too."""


class DrainBarrier(Protocol):
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


class MarkerBarrier:
    """The barrier on loopback: wait for a datagram from each processor.

    ``make_socket`` makes the socket that they go to, in the namespace whose loopback it is.
    """

    def __init__(self, make_socket: MakeSocket = socket.socket) -> None:
        self._socket = make_socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
        self._socket.bind((LOOPBACK, 0))
        self._socket.setblocking(False)
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
            self.receive_marker(self._socket.recv(MAX_MARKER))
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


def without_markers(
    packets: list[RawPacket], barrier: DrainBarrier, link_type: int = LINKTYPE_ETHERNET
) -> list[RawPacket]:
    """Return packets without the markers among them, which ``barrier`` gets."""
    if link_type != LINKTYPE_ETHERNET:
        return [one for one in packets if not _takes_marker(as_ethernet([one], link_type), barrier)]
    found = [packet for packet in packets if _is_udp(packet[1])]
    if not found:
        return packets
    _takes_marker(found, barrier)
    return [packet for packet in packets if not _is_udp(packet[1])]


def _takes_marker(packets: list[RawPacket], barrier: DrainBarrier) -> bool:
    """Give ``barrier`` what is UDP among packets; return whether anything is."""
    found = [frame for _, frame, _ in packets if _is_udp(frame)]
    for frame in found:
        barrier.receive_marker(frame)
    return bool(found)


def _is_udp(data: bytes) -> bool:
    return data[IPV4_PROTOCOL] == PROTOCOL_UDP and data[ETHERTYPE_AT] == IPV4


def _every_processor() -> Iterator[int]:
    """Move this thread to each processor in turn, and back to those it had in the end.

    Only Linux has a queue for each, and lets a thread be moved; elsewhere it stays where it is.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield 0
        return
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
