"""A recording relay: for whoever may neither open a packet socket nor make a namespace.

    with Relay("api.pcapng", port=8000) as relay:
        httpx.get(f"http://127.0.0.1:{relay.port}/")

Strategy: a client connects to the relay, which passes the connection on (``forwarder``) and writes
what it reads as the packets of that connection: Ethernet, IPv4 and TCP with the handshake, the
data, its acknowledgments and the end as they were seen, between the client's address and the
server's. The bytes and their order are real, and so are the times, which are those at which the
kernel received the last byte of each piece. The borders of packets are not: a packet is what
one read found. The file says so of its interface, and every view of ours says it again.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from struct import Struct
from typing import Unpack

from parsers import RELAY_HARDWARE

from ..drain import MarkerBarrier
from ..filters import capture_filter
from ..frames import ETHERTYPE_IPV4, PROTOCOL_TCP, RawPacket
from ..output import Source
from ..polling import READABLE
from ..recording import Recording, RecordingOptions
from .forwarder import CLIENT, OTHER, SERVER, Forwarder, Pair, Side, listener, loopback
from .under_way import UnderWay

INTERFACE = "relay"
DESCRIPTION = "recorded by a relay: packet borders are its reads"
LOOPBACK = bytes((127, 0, 0, 1))
DRAIN_ROUNDS = 256
"""Rounds that empty the largest receive buffer, tcp_rmem's 6 MiB, piece by piece."""
PATIENCE = 2.0
"""Seconds that what is under way may take: a lost SYN is sent again after one."""

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
"""Control bits (RFC 9293 section 3.1)."""
SEQUENCE_NUMBERS = 1 << 32
ETHERNET = bytes(12) + ETHERTYPE_IPV4.to_bytes(2, "big")
# Version and header length, type of service, total length, identification, flags and fragment
# offset, time to live, protocol, checksum, source, destination (RFC 791 section 3.1).
IPV4_HEADER = Struct("!BBHHHBBH4s4s")
DONT_FRAGMENT = 0x4000
# Ports, sequence number, acknowledgment number, data offset, control bits, window, checksum,
# urgent pointer (RFC 9293 section 3.1).
TCP_HEADER = Struct("!HHIIBBHHH")
# Addresses, zero, protocol, length of the segment (RFC 9293 section 3.1).
PSEUDO_HEADER = Struct("!4s4sBBH")
SYN_OPTIONS = bytes((2, 4, 0xFF, 0xD7, 3, 3, 7, 0))
"""Maximum segment size 65,495; window scale 7 (RFC 7323 section 2.2), as loopback's own."""
WINDOW = 0xFFFF


class Segments:
    """The segments of one relayed connection, as the client and the server would have seen them."""

    def __init__(self, client: tuple[str, int], server_port: int) -> None:
        address, port = client
        self._addresses = (socket.inet_aton(address), LOOPBACK)
        self._ports = (port, server_port)
        self._next = [0, 0]
        """The sequence number of each side's next byte."""

    def segment(self, side: Side, flags: int, payload: bytes = b"") -> bytes:
        """Return ``side``'s next segment as an Ethernet frame, with right numbers and checksums."""
        peer = OTHER[side]
        source, destination = self._addresses[side], self._addresses[peer]
        options = SYN_OPTIONS if flags & SYN else b""
        size = TCP_HEADER.size + len(options)
        header = (
            self._ports[side],
            self._ports[peer],
            self._next[side],
            self._next[peer] if flags & ACK else 0,
            size // 4 << 4,
            flags,
            WINDOW,
        )
        body = options + payload
        pseudo = PSEUDO_HEADER.pack(source, destination, 0, PROTOCOL_TCP, size + len(payload))
        checksum = _checksum(pseudo + TCP_HEADER.pack(*header, 0, 0) + body)
        length = len(payload) + bool(flags & (SYN | FIN))
        self._next[side] = (self._next[side] + length) % SEQUENCE_NUMBERS
        return _frame(source, destination, TCP_HEADER.pack(*header, checksum, 0) + body)


class Relay(Recording):
    """Pass connections to ``port`` of this machine on, and record them; see :class:`Recording`.

    The relay listens on 127.0.0.1, at ``listen`` or at a free port; ``self.port`` is that one
    from the first line of the block. When the block is left, connections that are still open
    are closed. ``statistics`` count the packets that were made.
    """

    _drain_poll = 0.005  # nothing tells that a sender's last bytes have been acknowledged

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        port: int,
        listen: int = 0,
        **options: Unpack[RecordingOptions],
    ) -> None:
        super().__init__(path, port=port, **options)
        self.server_port = port
        self.port = listen
        self._segments: dict[Pair, Segments] = {}
        self._made: list[RawPacket] = []
        self._markers: MarkerBarrier

    def _open(self, stack: ExitStack) -> Source:
        listening = listener(port=self.port)
        self.port = listening.getsockname()[1]
        targets = loopback(self.server_port)
        self._forwarder = Forwarder(listening, targets, self._poller, watcher=self)
        stack.callback(self._forwarder.close)
        self._markers = MarkerBarrier()
        stack.callback(self._markers.close)
        self._poller.watch(self._markers.fileno(), READABLE)
        self._barrier = RelayBarrier(self._markers, UnderWay(self._forwarder), self._run_forwarder)
        return Source(INTERFACE, capture_filter(self.ports), DESCRIPTION, RELAY_HARDWARE)

    def _begin(self) -> None:
        """Nothing is to be let in: connections wait in the listener's queue for the thread."""

    def _take(self, descriptor: int, happened: int) -> None:
        if descriptor == self._markers.fileno():
            self._markers.receive()
        elif self._forwarder.attend(descriptor, happened):
            self._write_made()

    def _run_forwarder(self) -> bool:
        """Pass on what can be; return whether there was anything."""
        busy = self._forwarder.run()
        self._write_made()
        return busy

    def _write_made(self) -> None:
        made, self._made = self._made, []
        self._write(made)

    # --- what the forwarder tells (forwarder.Watcher) ---

    def opened(self, pair: Pair, time_ns: int) -> None:
        self._segments[pair] = Segments(pair.client, self.server_port)
        self._add(pair, CLIENT, SYN, time_ns)

    def connected(self, pair: Pair, time_ns: int) -> None:
        self._add(pair, SERVER, SYN | ACK, time_ns)
        self._add(pair, CLIENT, ACK, time_ns)

    def received(self, pair: Pair, side: Side, data: bytes, time_ns: int) -> None:
        self._add(pair, side, PSH | ACK, time_ns, data)
        self._add(pair, OTHER[side], ACK, time_ns)

    def finished(self, pair: Pair, side: Side, time_ns: int) -> None:
        self._add(pair, side, FIN | ACK, time_ns)
        self._add(pair, OTHER[side], ACK, time_ns)

    def reset(self, pair: Pair, side: Side, time_ns: int) -> None:
        self._add(pair, side, RST | ACK, time_ns)

    def closed(self, pair: Pair) -> None:
        del self._segments[pair]

    def _add(self, pair: Pair, side: Side, flags: int, time_ns: int, data: bytes = b"") -> None:
        frame = self._segments[pair].segment(side, flags, data)
        self._made.append((time_ns, frame, len(frame)))


class RelayBarrier:
    """The barrier of a relay: what was sent before has been delivered, and all of it has been read.

    A connection of which nothing comes, though something should, is given up after PATIENCE.
    """

    port = None

    def __init__(
        self, markers: MarkerBarrier, under_way: UnderWay, run: Callable[[], bool]
    ) -> None:
        self._markers = markers
        self._under_way = under_way
        self._run = run
        self._due: float | None = None

    def begin(self) -> None:
        """Send markers after what has been sent."""
        self._markers.begin()
        self._due = None

    def receive_marker(self, frame: bytes) -> None:
        """Take a marker."""
        self._markers.receive_marker(frame)

    def arrived(self) -> bool:
        """Return whether every marker has come, having read what came before them."""
        if not self._markers.arrived():
            return False
        if self._due is None:
            self._under_way.begin()
            self._due = time.monotonic() + PATIENCE
        is_over = self._under_way.is_over()
        for _ in range(DRAIN_ROUNDS):
            if not self._run():
                break
        return is_over or time.monotonic() > self._due

    def close(self) -> None:
        """Nothing is held."""


def _frame(source: bytes, destination: bytes, segment: bytes) -> bytes:
    length = IPV4_HEADER.size + len(segment)
    fields = (0x45, 0, length, 0, DONT_FRAGMENT, 64, PROTOCOL_TCP)
    checksum = _checksum(IPV4_HEADER.pack(*fields, 0, source, destination))
    return ETHERNET + IPV4_HEADER.pack(*fields, checksum, source, destination) + segment


def _checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071): a number is congruent to the sum of its digits."""
    padded = data + b"\0" * (len(data) & 1)
    return 0xFFFF - int.from_bytes(padded, "big") % 0xFFFF
