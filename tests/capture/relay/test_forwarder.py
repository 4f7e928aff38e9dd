"""Connections passed on: bytes, their order, ends, resets, and what a slow reader does."""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from support.exchanges import ask, served

from capture import polling
from capture.polling import Poller
from capture.relay import forwarder
from capture.relay.forwarder import Forwarder, listener, loopback
from capture.relay.forwarder_thread import ForwarderThread

PATIENCE = 60
MiB = 1024 * 1024
ABORT = struct.pack("ii", 1, 0)


POLLERS = {"epoll": polling._best, "poll": polling._Poll, "select": polling._Select}


@pytest.fixture(params=POLLERS, autouse=True)
def poller(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What Linux has, macOS, and Windows."""
    monkeypatch.setattr(polling, "_best", POLLERS[request.param])
    return str(request.param)


class Through:
    """A connection that is passed on: what the client has of it, and what the server."""

    def __init__(self, forward: ForwarderThread, behind: socket.socket) -> None:
        self.client = socket.create_connection(("127.0.0.1", forward.port), PATIENCE)
        self.server, _ = behind.accept()
        self.server.settimeout(PATIENCE)

    def close(self) -> None:
        self.client.close()
        self.server.close()


@contextmanager
def forwarding() -> Iterator[tuple[ForwarderThread, socket.socket]]:
    """A forwarder, and the listener behind it."""
    with socket.create_server(("127.0.0.1", 0)) as behind:
        behind.settimeout(PATIENCE)
        forward = ForwarderThread(listener(), loopback(behind.getsockname()[1]))
        with forward:
            yield forward, behind


@pytest.fixture
def through() -> Iterator[Through]:
    with forwarding() as (forward, behind), closing(Through(forward, behind)) as one:
        yield one


def received(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += end.recv(size - len(data))
    return data


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def abort(end: socket.socket) -> None:
    """Close with a RST."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    end.close()


# --- bytes ---


def test_each_piece_at_once_and_both_ways(through: Through) -> None:
    for number in range(50):
        piece = b"%d" % number * (number + 1)
        through.client.sendall(piece)
        assert received(through.server, len(piece)) == piece
        through.server.sendall(piece[::-1])
        assert received(through.client, len(piece)) == piece[::-1]


def test_megabytes_both_ways_at_once(through: Through) -> None:
    up, down = os.urandom(3 * MiB), os.urandom(3 * MiB)
    senders = [
        threading.Thread(target=end.sendall, args=(data,))
        for end, data in ((through.client, up), (through.server, down))
    ]
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(received(through.client, len(down))))
    for thread in (*senders, reader):
        thread.start()
    assert received(through.server, len(up)) == up
    for thread in (*senders, reader):
        thread.join(PATIENCE)
    assert found == [down]


def test_many_connections() -> None:
    with served(b"answer") as port, ForwarderThread(listener(), loopback(port)) as outside:
        for number in range(40):
            assert ask(outside, b"%d" % number) == b"answer"


def test_a_slow_reader_slows_its_sender_down(through: Through) -> None:
    through.server.setblocking(False)
    sent = 0
    with pytest.raises(BlockingIOError):
        while sent < 64 * MiB:
            until_blocked = through.server.send(bytes(MiB))
            sent += until_blocked
            time.sleep(0.001)
    assert sent < 64 * MiB, "somebody holds it all"


# --- ends ---


@pytest.mark.parametrize("first", ["client", "server"])
def test_one_side_ends_and_the_other_goes_on(through: Through, first: str) -> None:
    ends = [through.client, through.server]
    ending, going = ends if first == "client" else ends[::-1]
    ending.sendall(b"last words")
    ending.shutdown(socket.SHUT_WR)
    assert received(going, 10) == b"last words"
    assert going.recv(1) == b""
    going.sendall(b"more")
    assert received(ending, 4) == b"more"
    going.close()
    assert ending.recv(1) == b""


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_is_passed_on(through: Through, who: str) -> None:
    ends = [through.client, through.server]
    resetting, other = ends if who == "client" else ends[::-1]
    resetting.sendall(b"a")
    assert received(other, 1) == b"a"
    abort(resetting)
    with pytest.raises(ConnectionResetError):
        other.recv(1)


def test_a_reset_after_a_half_close(through: Through, poller: str) -> None:
    """The client has said all, waits, and is gone: the server hears of it though it is silent.

    Where there is no epoll it hears of it when it speaks.
    """
    through.client.shutdown(socket.SHUT_WR)
    assert through.server.recv(1) == b""
    abort(through.client)
    if poller != "epoll":
        time.sleep(0.05)  # for the reset, which nothing tells of
        through.server.sendall(b"still there?")

    def is_reset() -> bool:
        return bool(through.server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    until(is_reset)


def test_what_was_sent_before_a_reset_arrives(through: Through) -> None:
    through.server.sendall(bytes(200_000))
    assert received(through.client, 1) == b"\0"
    until(lambda: len(through.client.recv(1 << 20, socket.MSG_PEEK)) > 0)
    assert received(through.client, 199_999) == bytes(199_999)
    abort(through.server)
    with pytest.raises(ConnectionResetError):
        through.client.recv(1)


def test_a_reset_while_much_is_on_its_way_both_ways(through: Through) -> None:
    """Nobody reads, both buffers are full; then the server is gone."""
    sent = 0
    for end in (through.client, through.server):
        end.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            through.client.send(bytes(MiB))
            time.sleep(0.001)
    with pytest.raises(BlockingIOError):
        while True:
            sent += through.server.send(bytes(MiB))
            time.sleep(0.001)
    assert select.select([through.client], [], [], PATIENCE)[0], "what follows waits behind it"
    abort(through.server)
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.2, "it waits, and does not turn in circles"
    through.client.settimeout(PATIENCE)
    received = 0
    with pytest.raises(ConnectionResetError):
        while data := through.client.recv(MiB):
            received += len(data)
    assert 0 < received <= sent


def test_nobody_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with (
        ForwarderThread(listener(), loopback(port)) as outside,
        pytest.raises(ConnectionResetError),  # in the first read, or before connect() is through
        socket.create_connection(("127.0.0.1", outside), PATIENCE) as client,
    ):
        client.recv(1)


def test_a_server_that_listens_on_ipv6_alone() -> None:
    with (
        socket.create_server(("::1", 0), family=socket.AF_INET6) as behind,
        ForwarderThread(listener(), loopback(behind.getsockname()[1])) as outside,
        socket.create_connection(("127.0.0.1", outside), PATIENCE) as client,
    ):
        behind.settimeout(PATIENCE)
        server, _ = behind.accept()
        with server:
            server.sendall(b"there")
            assert received(client, 5) == b"there"


def test_the_end_of_the_forwarder_is_the_end_of_its_connections() -> None:
    with forwarding() as (forward, behind):
        through = Through(forward, behind)
        forward.close()
        assert through.client.recv(1) == b""
        assert through.server.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", forward.port), PATIENCE)
        forward.close()
        through.close()


# --- limits ---


def test_more_connections_than_may_be_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarder, "MAX_CONNECTIONS", 2)
    with forwarding() as (forward, behind):
        first, second = Through(forward, behind), Through(forward, behind)
        waiting = socket.create_connection(("127.0.0.1", forward.port), PATIENCE)
        waiting.sendall(b"still there")
        behind.settimeout(0.05)
        with pytest.raises(TimeoutError):
            behind.accept()
        behind.settimeout(PATIENCE)
        first.close()
        server, _ = behind.accept()
        server.settimeout(PATIENCE)
        assert received(server, 11) == b"still there"
        second.close()
        waiting.close()
        server.close()


def test_no_socket_for_the_server() -> None:
    def refuse(family: int, kind: int) -> socket.socket:
        raise OSError("no more sockets")

    one = Forwarder(listener(), loopback(1), Poller(), make_socket=refuse)
    with closing(one):
        port = one._listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            until(one.run)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert one.pairs == set()


def test_an_arrival_without_a_time_is_now() -> None:
    before = time.time_ns()
    assert before <= forwarder._arrival([(1, 99, b"")]) <= time.time_ns()
