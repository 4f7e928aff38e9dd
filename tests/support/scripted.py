"""A server that answers every request with the bytes it was given, and ends as it was told."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

Ending = Literal["close", "reset", "wait"]
RESET = struct.pack("ii", 1, 0)  # linger(on, 0 s): closing sends RST (socket(7))


class ScriptedServer:
    """Where it listens, and the requests that came."""

    def __init__(self, pieces: Sequence[bytes], ending: Ending) -> None:
        self.requests: list[bytes] = []
        self._pieces = pieces
        self._ending = ending
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._listener:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(10)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            data = connection.recv(65_536)
            assert data, "the client left before its request was whole"
            request += data
        self.requests.append(request)
        for number, piece in enumerate(self._pieces):
            if number:
                time.sleep(0.01)  # so that each is read by itself
            connection.sendall(piece)
        self._end(connection)

    def _end(self, connection: socket.socket) -> None:
        if self._ending == "wait":
            try:
                while connection.recv(65_536):
                    continue
            except ConnectionResetError:
                return  # the client has left with data unread
        elif self._ending == "reset":
            time.sleep(0.02)  # a reset takes what the client has not read yet
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def close(self) -> None:
        """Wait for the one connection to be over."""
        self._thread.join(15)
        assert not self._thread.is_alive()


@contextmanager
def scripted(*pieces: bytes, ending: Ending = "close") -> Iterator[ScriptedServer]:
    """A server for one connection: it answers with ``pieces``, one after the other."""
    server = ScriptedServer(pieces, ending)
    try:
        yield server
    finally:
        server.close()
