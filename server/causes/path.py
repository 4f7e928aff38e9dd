"""A path of our own between a client and a server of one machine: it delays packets and loses some.

Strategy: packets for an address that nobody has leave through one end of a pair of interfaces, and
whoever sits at the other end sends them back with both addresses swapped, so that they come from
there: the client's ``near:c -> far:front`` comes in as ``far:c -> near:app``. Swapped addresses
leave checksums as they are; a changed port is made up for (RFC 1624). What is lost is chosen by
its place in the stream, not by chance or by the clock: it is the same each time.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

from .veth import FAR, NEAR, make_pair

HERE, THERE, NETMASK = "198.18.0.1", "198.18.0.2", "255.255.255.252"
"""Of the addresses that are set aside for measurements (RFC 2544)."""
FRONT = 80
"""The port on which the server seems to listen."""
CONGESTION_CONTROL = b"reno"
"""Which every Linux has (tcp(7)): a sender that paces or probes would be another one to look at."""
TCP_CONGESTION = 13
ETHERNET, IPV4, TCP = 14, b"\x08\x00", 6
LARGEST = 2_048
"""Bytes: of a frame, as segmentation is off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What a path does to packets."""

    delay: float = 0.0
    """Seconds that each takes, in each direction."""
    loses: int | None = None
    """Which of the server's segments with data is lost, from 0; None for none."""
    copies: int = 1
    """How often it is lost: when it is sent again, too."""
    gone: float = 0.0
    """Seconds from that segment on in which everything is lost, in both directions."""


class Carrier:
    """Carries the packets of a pair of interfaces, for as long as its loop runs."""

    def __init__(self, path: Path, app_port: int) -> None:
        self._path = path
        self._app_port = app_port
        self._loop = asyncio.get_running_loop()
        self._seen: list[int] = []
        """The sequence numbers of the server's segments with data, up to the one that is lost."""
        self._lost = 0
        self._gone_until: float | None = None
        make_pair(HERE, NETMASK)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setblocking(False)
        self._socket.bind((FAR, 0x0003))
        self._loop.add_reader(self._socket, self._read)

    @property
    def interface(self) -> str:
        """The interface on which its client's packets are seen."""
        return NEAR

    def close(self) -> None:
        """Carry no more."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                frame, (_, _, kind, *_) = self._socket.recvfrom(LARGEST)
            except BlockingIOError:
                return
            if kind != socket.PACKET_OUTGOING and frame[12:14] == IPV4 and frame[23] == TCP:
                self._carry(bytearray(frame))

    def _carry(self, frame: bytearray) -> None:
        tcp = ETHERNET + (frame[ETHERNET] & 0xF) * 4
        is_of_server = int.from_bytes(frame[tcp : tcp + 2]) == self._app_port
        if self._is_lost(frame, tcp, is_of_server=is_of_server):
            return
        frame[26:30], frame[30:34] = frame[30:34], frame[26:30]
        if is_of_server:
            change_port(frame, tcp, tcp, FRONT)
        else:
            change_port(frame, tcp, tcp + 2, self._app_port)
        self._loop.call_later(self._path.delay, self._socket.send, frame)

    def _is_lost(self, frame: bytes | bytearray, tcp: int, *, is_of_server: bool) -> bool:
        path = self._path
        if path.loses is None:
            return False
        if is_of_server and self._is_the_one(frame, tcp):
            if path.gone and self._gone_until is None:
                self._gone_until = self._loop.time() + path.gone
            if not path.gone and self._lost < path.copies:
                self._lost += 1
                return True
        return self._gone_until is not None and self._loop.time() < self._gone_until

    def _is_the_one(self, frame: bytes | bytearray, tcp: int) -> bool:
        """Whether a segment of the server is the one that is lost, sent once or again."""
        size = int.from_bytes(frame[16:18]) - (tcp - ETHERNET) - (frame[tcp + 12] >> 4) * 4
        if not size:
            return False
        sequence = int.from_bytes(frame[tcp + 4 : tcp + 8])
        place = self._path.loses
        if place is not None and len(self._seen) <= place and sequence not in self._seen:
            self._seen.append(sequence)
        return len(self._seen) - 1 == place and self._seen[-1] == sequence


def change_port(frame: bytearray, tcp: int, at: int, port: int) -> None:
    """Put a port into a TCP header that begins at ``tcp``; its checksum stays right (RFC 1624)."""
    before = int.from_bytes(frame[at : at + 2])
    checksum = int.from_bytes(frame[tcp + 16 : tcp + 18])
    total = (~checksum & 0xFFFF) + (~before & 0xFFFF) + port
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    frame[at : at + 2] = port.to_bytes(2)
    frame[tcp + 16 : tcp + 18] = (~total & 0xFFFF).to_bytes(2)
