"""What is on its way to a relay, as the kernel's table tells it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from support.exchanges import listening

from capture.polling import Poller
from capture.relay.forwarder import CLIENT, SERVER, Forwarder, Side, listener
from capture.relay.under_way import UnderWay
from capture.socket_table import Socket

PATIENCE = 60


class Passing:
    """A forwarder with one connection, and a table that says what a test wants."""

    def __init__(self, forwarder: Forwarder, client: socket.socket, server: socket.socket) -> None:
        self.forwarder = forwarder
        self.client = client
        self.server = server
        self.table: list[Socket] = []
        self.under_way = UnderWay(forwarder, lambda: self.table)
        (self.pair,) = forwarder.pairs

    def says(self, side: Side, sent: int) -> None:
        """Have the table say that ``side`` has sent what is not acknowledged."""
        end = self.pair.ends[side]
        ports = end.getpeername()[1], end.getsockname()[1]
        self.table = [Socket("", *ports, "01", sent, 0), Socket("", 1, 2, "01", 99, 0)]

    def read(self, size: int) -> None:
        before = sum(self.pair.received)
        while sum(self.pair.received) < before + size:
            self.forwarder.run(PATIENCE)


@pytest.fixture
def passing() -> Iterator[Passing]:
    with listening() as behind, closing(Poller()) as poller:
        targets = [(socket.AF_INET, behind.getsockname()[:2])]
        with closing(Forwarder(listener(), targets, poller)) as forwarder:
            port = forwarder._listener.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
                while not any(pair for pair in forwarder.pairs if not pair.connecting):
                    forwarder.run(PATIENCE)
                with behind.accept()[0] as server:
                    yield Passing(forwarder, client, server)


def test_nothing_is_under_way(passing: Passing) -> None:
    passing.under_way.begin()
    assert passing.under_way.is_over()


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_bytes_are_waited_for(passing: Passing, side: Side) -> None:
    sender = (passing.client, passing.server)[side]
    passing.says(side, 5)
    passing.under_way.begin()
    assert not passing.under_way.is_over()
    sender.sendall(b"abc")
    passing.read(3)
    assert not passing.under_way.is_over()
    sender.sendall(b"de")
    passing.read(2)
    assert passing.under_way.is_over(), "all of it has come, whatever has been sent since"


def test_what_has_been_acknowledged_is_not_waited_for(passing: Passing) -> None:
    passing.says(CLIENT, 5)
    passing.under_way.begin()
    passing.says(CLIENT, 0)
    assert passing.under_way.is_over()


def test_what_is_sent_later_is_not_waited_for(passing: Passing) -> None:
    passing.under_way.begin()
    passing.says(CLIENT, 5)
    assert passing.under_way.is_over()


def test_a_fin_is_waited_for(passing: Passing) -> None:
    passing.says(CLIENT, 1)
    passing.under_way.begin()
    assert not passing.under_way.is_over()
    passing.client.shutdown(socket.SHUT_WR)
    while not passing.pair.finished[CLIENT]:
        passing.forwarder.run(PATIENCE)
    assert passing.under_way.is_over()


def test_what_a_receiver_has_no_room_for_is_not_waited_for(passing: Passing) -> None:
    passing.says(CLIENT, 5)
    passing.pair.pending[CLIENT] = memoryview(b"full")
    passing.under_way.begin()
    assert passing.under_way.is_over()


def test_a_connection_that_ends_is_not_waited_for(passing: Passing) -> None:
    passing.says(CLIENT, 5)
    passing.under_way.begin()
    passing.forwarder.close()
    assert passing.under_way.is_over()


def test_a_connection_that_is_being_made(passing: Passing) -> None:
    passing.pair.connecting = True
    passing.under_way.begin()
    assert not passing.under_way.is_over()
    passing.pair.connecting = False
    assert passing.under_way.is_over()
