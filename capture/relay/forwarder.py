"""Pass TCP connections on: what one end sends goes to the other, unchanged and at once.

Strategy: one epoll set for all connections, driven by whoever owns the pump; no call waits but
its own. A connection is two ends. From each, one piece is read and passed on before the next is
read, so a slow reader slows its sender down, as without us, and a connection never holds more
than two pieces. A FIN is passed on behind the last byte, a reset as a reset.

Watchers are told of each step, and when it was: the kernel says when the bytes of a piece came
(SO_TIMESTAMPNS), however late we were to read them.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Callable, Sequence
from struct import Struct
from typing import Literal, Protocol

Side = Literal[0, 1]
CLIENT: Side = 0
SERVER: Side = 1
OTHER: tuple[Side, Side] = (SERVER, CLIENT)

PIECE = 65_495
"""Bytes read at once: what an IPv4 packet holds beside its header and TCP's."""
MAX_CONNECTIONS = 1_000
"""Passed on at a time; more wait in the listener's queue, as with a busy server."""
BACKLOG = 128
# socket(7); the numbers of all of Linux's architectures but alpha, mips, parisc and sparc.
SO_TIMESTAMPNS = 35
TIMESPEC = Struct("@qq")
ANCILLARY = socket.CMSG_SPACE(TIMESPEC.size)
ABORT = Struct("@ii").pack(1, 0)
"""SO_LINGER: close with a RST."""

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
        self.broken = [False, False]
        """Whether an end was reset while something that came from it was still on its way."""

    def interest(self, side: Side) -> int | None:
        """Return what epoll is to watch an end for; None if even its errors can wait.

        Once nothing can come of an end but its reset, that alone is watched for. An end that is
        not read for the moment is not watched at all: epoll would tell of a hang-up behind what
        is still to be read, over and over.
        """
        if self.connecting:
            return select.EPOLLOUT if side == SERVER else 0
        if self.broken[side]:
            return None if self.pending[side] else select.EPOLLIN
        mask = select.EPOLLOUT if self.pending[1 - side] else 0
        if self.finished[side]:
            return mask
        if not self.pending[side]:
            mask |= select.EPOLLIN
        return mask or None


class Pump:
    """Accept connections on ``listener`` and pass each on to the first of ``targets`` that answers.

    ``make_socket`` makes the socket that connects. The pump owns the listener. ``descriptor``
    is ready to be read when ``run`` has something to do.
    """

    def __init__(
        self,
        listener: socket.socket,
        targets: Sequence[Address],
        *,
        make_socket: MakeSocket = socket.socket,
        watcher: Watcher | None = None,
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._targets = targets
        self._make_socket = make_socket
        self._watcher = watcher
        self._epoll = select.epoll()
        self._watched: dict[int, int] = {}
        self._pairs: dict[int, tuple[Pair, Side]] = {}
        self._attempts: dict[Pair, int] = {}
        self._watch(listener, select.EPOLLIN)

    @property
    def descriptor(self) -> int:
        """What to wait for."""
        return self._epoll.fileno()

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len({pair for pair, _ in self._pairs.values()})

    def run(self) -> bool:
        """Do what can be done without waiting; return whether there was anything."""
        happened = self._epoll.poll(0)
        for descriptor, mask in happened:
            if descriptor == self._listener.fileno():
                self._accept()
            elif descriptor in self._pairs:  # an earlier event may have ended it
                pair, side = self._pairs[descriptor]
                self._attend(pair, side, mask)
                self._renew(pair)
        return bool(happened)

    def close(self) -> None:
        """Close the listener and every connection: each end sees the other go."""
        for pair in {pair for pair, _ in self._pairs.values()}:
            self._close(pair)
        self._listener.close()
        self._epoll.close()

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
        if self.open >= MAX_CONNECTIONS:
            self._watch(self._listener, None)

    def _prepare(self, end: socket.socket) -> None:
        end.setblocking(False)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._watcher is not None:
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
        if server.connect_ex(address) not in (0, errno.EINPROGRESS):
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
        if mask & ~select.EPOLLOUT and pair.pending[side]:
            pair.broken[side] = True  # what it sent before goes first
            return
        if mask & select.EPOLLOUT:
            self._pass_on(pair, OTHER[side])
        if mask & ~select.EPOLLOUT and pair.ends:
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
            data, ancillary, _, _ = pair.ends[side].recvmsg(PIECE, ANCILLARY)
        except BlockingIOError:
            return
        except OSError:
            self._reset(pair, side)
            return
        if not data:
            self._finish(pair, side)
            return
        self._tell("received", pair, side, data, _arrival(ancillary))
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
        """Have epoll watch both ends for what can be done next."""
        for side, end in zip((CLIENT, SERVER), pair.ends, strict=False):
            self._watch(end, pair.interest(side))

    def _watch(self, sock: socket.socket, mask: int | None) -> None:
        descriptor = sock.fileno()
        before = self._watched.get(descriptor)
        if mask == before:
            return
        if mask is None:
            self._epoll.unregister(descriptor)
            del self._watched[descriptor]
            return
        if before is None:
            self._epoll.register(descriptor, mask)
        else:
            self._epoll.modify(descriptor, mask)
        self._watched[descriptor] = mask

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
        self._watch(self._listener, select.EPOLLIN)

    def _tell(self, what: str, *about: object) -> None:
        if self._watcher is not None:
            getattr(self._watcher, what)(*about)


def listener(
    address: str = "127.0.0.1", port: int = 0, *, make_socket: MakeSocket = socket.socket
) -> socket.socket:
    """Return a listening socket; a port of 0 is a free one. Raises OSError."""
    sock = make_socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def loopback(port: int) -> tuple[Address, ...]:
    """Return where a server of this machine may listen: some do on ::1 alone."""
    return (socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))


def _arrival(ancillary: Sequence[tuple[int, int, bytes]]) -> int:
    """Return when the last byte of a piece came; now if the kernel does not say."""
    for _, kind, value in ancillary:
        if kind == SO_TIMESTAMPNS and len(value) == TIMESPEC.size:
            seconds, nanoseconds = TIMESPEC.unpack(value)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()
