"""What is still on its way to a relay: sent by someone on this machine, and not read yet.

Strategy: a sender's last bytes may wait in its own send buffer: for room, for the acknowledgment
that Nagle's algorithm wants (RFC 9293 section 3.7.4), or for a processor that is busy elsewhere.
Linux's table of sockets says how much of it each has that the relay's kernel has not acknowledged,
also when the process has ended. That much is waited for; and what has been read is acknowledged at
once. A connection that the server has not accepted yet is waited for too, as nothing of it is read
before.

What a receiver has no room for is not read, and so not waited for. Other systems have no such
table: there only connections are waited for.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable, Iterator

from ..socket_table import Socket, sockets
from .forwarder import CLIENT, SERVER, Forwarder, Pair, Side

Ports = tuple[int, int]
"""Of a socket, and of its peer."""


class UnderWay:
    """Tell when what is on its way to a forwarder has been read."""

    def __init__(
        self, forwarder: Forwarder, table: Callable[[], Iterable[Socket]] = sockets
    ) -> None:
        self._forwarder = forwarder
        self._table = table
        self._owed: dict[tuple[Pair, Side], int] = {}
        """Up to how many bytes each end will have sent, counted as ``received`` of a pair."""
        self._connecting: set[Pair] = set()

    def begin(self) -> None:
        """Take note of what is on its way at this moment."""
        self._connecting = {pair for pair in self._forwarder.pairs if pair.connecting}
        self._owed = {
            (pair, side): pair.received[side] + sent for pair, side, sent in self._sending()
        }

    def is_over(self) -> bool:
        """Return whether the rest of it can be read without waiting, as far as it will be."""
        self._connecting = {pair for pair in self._connecting if pair.connecting and pair.ends}
        if self._owed:
            sending = {(pair, side) for pair, side, _ in self._sending()}
            self._owed = {
                (pair, side): upto
                for (pair, side), upto in self._owed.items()
                if (pair, side) in sending and pair.received[side] < upto
            }
        for pair, side in self._owed:
            _acknowledge(pair.ends[side])
        return not (self._owed or self._connecting)

    def _sending(self) -> Iterator[tuple[Pair, Side, int]]:
        """Yield the ends of which more comes and would be read, and how many bytes that is."""
        sent: dict[Ports, int] | None = None
        for pair in self._forwarder.pairs:
            for side in (CLIENT, SERVER)[: len(pair.ends)]:
                if pair.finished[side] or pair.pending[side]:
                    continue
                if sent is None:
                    sent = {(one.port, one.peer_port): one.unacknowledged for one in self._table()}
                if more := sent.get(_ports_of_peer(pair.ends[side]), 0):
                    yield pair, side, more


def _ports_of_peer(end: socket.socket) -> Ports:
    """Return the ports of the socket at the other end; of none, if that has gone."""
    try:
        return end.getpeername()[1], end.getsockname()[1]
    except OSError:
        return 0, 0


def _acknowledge(end: socket.socket) -> None:
    """Have what has been read acknowledged now, not in 40 ms."""
    if sys.platform == "linux":
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
