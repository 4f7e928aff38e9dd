"""A client that is nothing but a socket."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from capture.clients.plain import SMALL_BUFFER, ask

Answer = Callable[[socket.socket], None]


@contextmanager
def answering(answer: Answer) -> Iterator[int]:
    """Serve one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                answer(connection)

        thread = Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_pieces_follow_the_head_and_all_is_returned() -> None:
    received = []

    def answer(connection: socket.socket) -> None:
        while sum(map(len, received)) < 10:
            received.append(connection.recv(100))
        connection.sendall(b"a" * 70_000)

    with answering(answer) as port:
        assert ask("127.0.0.1", port, b"head", pieces=[b"123", b"456"]) == b"a" * 70_000
    assert b"".join(received) == b"head123456"


def test_a_client_that_stops_reading_keeps_a_sender_waiting() -> None:
    waited = []

    def answer(connection: socket.socket) -> None:
        connection.recv(100)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
        start = time.monotonic()
        connection.sendall(b"b" * 200_000)
        waited.append(time.monotonic() - start)

    with answering(answer) as port:
        assert len(ask("127.0.0.1", port, b"head", stops_reading=0.3, delays_acks=True)) == 200_000
    assert waited[0] >= 0.2
