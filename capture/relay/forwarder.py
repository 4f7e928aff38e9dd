"""Pass TCP connections on: what one end sends goes to the other, unchanged and at once.

Strategy: one poller for all connections, driven by whoever owns the forwarder; no call waits but
its own. A connection is two ends. From each, one piece is read and passed on before the next is
read, so a slow reader slows its sender down, as without us, and a connection never holds more
than two pieces. A FIN is passed on behind the last byte, a reset as a reset.

Watchers are told of each step, and when it was: Linux says when the bytes of a piece came
(SO_TIMESTAMPNS), however late we were to read them; elsewhere it is when they were read.
"""

from __future__ import annotations

import errno
import socket
import sys
import time
from collections.abc import Callable, Sequence
from struct import Struct
from typing import Literal, Protocol

from ..polling import MAX_WATCHED, READABLE, WRITABLE, Poller
from ..ports import naming_port

Side = Literal[0, 1]
CLIENT: Side = 0
SERVER: Side = 1
OTHER: tuple[Side, Side] = (SERVER, CLIENT)

PIECE = 65_495
"""Bytes read at once: what an IPv4 packet holds beside its header and TCP's."""
MAX_CONNECTIONS = min(1_000, MAX_WATCHED // 2 - 2)
"""Passed on at a time; more wait in the listener's queue, as with a busy server."""
BACKLOG = 128
# socket(7); the numbers of all of Linux's architectures but alpha, mips, parisc and sparc.
SO_TIMESTAMPNS = 35
TIMESPEC = Struct("@qq")
IS_TOLD_ARRIVAL = sys.platform == "linux"
ANCILLARY = socket.CMSG_SPACE(TIMESPEC.size) if IS_TOLD_ARRIVAL else 0
ABORT = Struct("@HH" if sys.platform == "win32" else "@ii").pack(1, 0)
"""SO_LINGER: close with a RST. Winsock's struct linger has two short numbers."""
UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
"""What a connect() that does not wait returns; the last on Windows."""

Address = tuple[int, tuple[str, int]]
"""A family, and what ``connect`` takes."""
MakeSocket = Callable[[int, int], socket.socket]


class Watcher(Protocol):
    """Who wants to know what happens to connections; times are in nanoseconds since the epoch."""

    def opened(self, pair: Pair, time_ns: int) -> None:
        """Take note: a client has connected to us."""

    def connected(self, pair: Pair, time_ns: int) -> None:
        """Take note: the server has accepted."""

    def received(self, pair: Pair, side: Side, data: bytes, time_ns: int) -> None:
        """Take note: ``side`` has sent a piece."""

    def finished(self, pair: Pair, side: Side, time_ns: int) -> None:
        """Take note: ``side`` will send no more."""

    def reset(self, pair: Pair, side: Side, time_ns: int) -> None:
        """Take note: ``side`` has reset the connection, or the server did not accept it."""

    def closed(self, pair: Pair) -> None:
        """Take note: no more comes of this connection."""


class Pair:
    """A connection: the client's end, the server's, and what is on its way between them."""

    def __init__(self, client: socket.socket, peer: tuple[str, int]) -> None:
        self.client = peer
        """The client's address and port."""
        self.connecting = True
        self.ends = [client]
        self.pending = [memoryview(b""), memoryview(b"")]
        """What each side has sent that is not passed on yet."""
        self.finished = [False, False]
        self.received = [0, 0]
        """Bytes read from each side."""
        self.broken = [False, False]
        """Whether an end was reset while something that came from it was still on its way."""

    def interest(self, side: Side) -> int | None:
        """Return what the poller is to watch an end for; None if even its errors can wait.

        Once nothing can come of an end but its reset, that alone is watched for. An end that is
        not read for the moment is not watched at all: it would tell of a hang-up behind what is
        still to be read, over and over.
        """
        if self.connecting:
            return WRITABLE if side == SERVER else 0
        if self.broken[side]:
            return None if self.pending[side] else READABLE
        mask = WRITABLE if self.pending[1 - side] else 0
        if self.finished[side]:
            return mask
        if not self.pending[side]:
            mask |= READABLE
        return mask or None


class Forwarder:
    """Accept connections on ``listener`` and pass each on to the first of ``targets`` that answers.

    ``make_socket`` makes the socket that connects. The forwarder owns the listener, and has
    ``poller`` watch its sockets: ``attend`` does what can be done when it tells of one.
    """

    def __init__(
        self,
        listener: socket.socket,
        targets: Sequence[Address],
        poller: Poller,
        *,
        make_socket: MakeSocket = socket.socket,
        watcher: Watcher | None = None,
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._targets = targets
        self._make_socket = make_socket
        self._watcher = watcher
        self._poller = poller
        self._pairs: dict[int, tuple[Pair, Side]] = {}
        self._attempts: dict[Pair, int] = {}
        self._watch(listener, READABLE)

    @property
    def pairs(self) -> set[Pair]:
        """The connections that are open."""
        return {pair for pair, _ in self._pairs.values()}

    def run(self, timeout: float | None = 0.0) -> bool:
        """Do what can be done, and wait for it at most ``timeout`` seconds.

        Returns whether there was anything.
        """
        attended = 0
        for descriptor, mask in self._poller.poll(timeout):
            attended += self.attend(descriptor, mask)
        return attended > 0

    def attend(self, descriptor: int, mask: int) -> bool:
        """Do what can be done at a socket without waiting; return whether it is one of ours."""
        if descriptor == self._listener.fileno():
            self._accept()
            return True
        if descriptor not in self._pairs:  # an earlier event may have ended it
            return False
        pair, side = self._pairs[descriptor]
        self._attend(pair, side, mask)
        self._renew(pair)
        return True

    def close(self) -> None:
        """Close the listener and every connection: each end sees the other go."""
        for pair in self.pairs:
            self._close(pair)
        self._watch(self._listener, None)
        self._listener.close()

    # --- opening ---

    def _accept(self) -> None:
        try:
            client, peer = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._pairs:
                raise
            self._watch(self._listener, None)  # until a connection ends
            return
        self._prepare(client)
        pair = Pair(client, peer[:2])
        self._pairs[client.fileno()] = pair, CLIENT
        self._tell("opened", pair, time.time_ns())
        self._connect(pair, 0)
        self._renew(pair)
        if len(self.pairs) >= MAX_CONNECTIONS:
            self._watch(self._listener, None)

    def _prepare(self, end: socket.socket) -> None:
        end.setblocking(False)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._watcher is not None and IS_TOLD_ARRIVAL:
            end.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def _connect(self, pair: Pair, attempt: int) -> None:
        """Begin to connect to the target of that number, and to the next if it refuses at once."""
        if attempt == len(self._targets):
            self._reset(pair, SERVER)
            return
        family, address = self._targets[attempt]
        self._attempts[pair] = attempt
        try:
            server = self._make_socket(family, socket.SOCK_STREAM)
        except OSError:
            self._connect(pair, attempt + 1)
            return
        self._prepare(server)
        pair.ends[1:] = [server]
        self._pairs[server.fileno()] = pair, SERVER
        if server.connect_ex(address) not in UNDER_WAY:
            self._connect_elsewhere(pair)

    def _connect_elsewhere(self, pair: Pair) -> None:
        server = pair.ends.pop()
        self._forget(server)
        server.close()
        self._connect(pair, self._attempts[pair] + 1)

    # --- passing on ---

    def _attend(self, pair: Pair, side: Side, mask: int) -> None:
        if pair.connecting:
            self._attend_connecting(pair, side)
            return
        if mask & ~WRITABLE and pair.pending[side]:
            pair.broken[side] = True  # what it sent before goes first
            return
        if mask & WRITABLE:
            self._pass_on(pair, OTHER[side])
        if mask & ~WRITABLE and pair.ends:
            self._read(pair, side)

    def _attend_connecting(self, pair: Pair, side: Side) -> None:
        if side == CLIENT:  # watched for its reset alone
            self._reset(pair, CLIENT)
        elif pair.ends[SERVER].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._connect_elsewhere(pair)
        else:
            pair.connecting = False
            self._tell("connected", pair, time.time_ns())

    def _read(self, pair: Pair, side: Side) -> None:
        try:
            data, arrived = _receive(pair.ends[side])
        except BlockingIOError:
            return
        except OSError:
            self._reset(pair, side)
            return
        if not data:
            self._finish(pair, side)
            return
        pair.received[side] += len(data)
        self._tell("received", pair, side, data, arrived)
        pair.pending[side] = memoryview(data)
        self._pass_on(pair, side)

    def _pass_on(self, pair: Pair, side: Side) -> None:
        """Send on what ``side`` has sent, as much as its receiver has room for."""
        receiver = OTHER[side]
        pending = pair.pending[side]
        try:
            sent = pair.ends[receiver].send(pending)
        except BlockingIOError:
            return
        except OSError:
            self._reset(pair, receiver)
            return
        pair.pending[side] = pending[sent:]

    def _finish(self, pair: Pair, side: Side) -> None:
        if pair.finished[side]:  # nothing can have happened here but a reset
            self._reset(pair, side)
            return
        pair.finished[side] = True
        self._tell("finished", pair, side, time.time_ns())
        receiver = OTHER[side]
        try:
            pair.ends[receiver].shutdown(socket.SHUT_WR)
        except OSError:
            self._reset(pair, receiver)
            return
        if all(pair.finished) and not any(pair.pending):
            self._close(pair)

    def _reset(self, pair: Pair, side: Side) -> None:
        """End a connection that ``side`` has reset: the other is reset too."""
        self._tell("reset", pair, side, time.time_ns())
        for end in pair.ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self._close(pair)

    # --- bookkeeping ---

    def _renew(self, pair: Pair) -> None:
        """Have the poller watch both ends for what can be done next."""
        for side, end in zip((CLIENT, SERVER), pair.ends, strict=False):
            self._watch(end, pair.interest(side))

    def _watch(self, sock: socket.socket, mask: int | None) -> None:
        self._poller.watch(sock.fileno(), mask)

    def _forget(self, end: socket.socket) -> None:
        self._watch(end, None)
        del self._pairs[end.fileno()]

    def _close(self, pair: Pair) -> None:
        for end in pair.ends:
            self._forget(end)
            end.close()
        pair.ends.clear()
        self._tell("closed", pair)
        self._attempts.pop(pair, None)
        self._watch(self._listener, READABLE)

    def _tell(self, what: str, *about: object) -> None:
        if self._watcher is not None:
            getattr(self._watcher, what)(*about)


def listener(
    address: str = "127.0.0.1", port: int = 0, *, make_socket: MakeSocket = socket.socket
) -> socket.socket:
    """Return a listening socket; a port of 0 is a free one. Raises OSError, which names it."""
    sock = make_socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # where it would let another listen on our port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with naming_port(address, port, is_here=make_socket is socket.socket):
            sock.bind((address, port))
            sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def loopback(port: int) -> tuple[Address, ...]:
    """Return where a server of this machine may listen: some do on ::1 alone."""
    return (socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))


def _receive(end: socket.socket) -> tuple[bytes, int]:
    """Return the next piece, and when its last byte came, as far as the system says."""
    if not IS_TOLD_ARRIVAL:
        return end.recv(PIECE), time.time_ns()
    data, ancillary, _, _ = end.recvmsg(PIECE, ANCILLARY)
    return data, _arrival(ancillary)


def _arrival(ancillary: Sequence[tuple[int, int, bytes]]) -> int:
    """Return when the last byte of a piece came; now if the kernel does not say."""
    for _, kind, value in ancillary:
        if kind == SO_TIMESTAMPNS and len(value) == TIMESPEC.size:
            seconds, nanoseconds = TIMESPEC.unpack(value)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()
