"""A client that is nothing but a socket: it reads when it is told to, and sends what it is given.

Libraries read as soon as they can, which is what one wants; here a client has to be slow.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable

SMALL_BUFFER = 4_096
"""Bytes that a kernel keeps for a client that does not read: Linux doubles them."""
PATIENCE = 30.0
"""Seconds that a read or a write may take."""


def ask(
    host: str,
    port: int,
    head: bytes,
    *,
    pieces: Iterable[bytes] = (),
    every: float = 0.0,
    stops_reading: float = 0.0,
    delays_acks: bool = False,
) -> bytes:
    """Send a request, read until the server closes, and return all that came.

    ``pieces`` of its body follow the head, one each ``every`` seconds. ``stops_reading``: seconds
    after the first byte of the answer for which nothing is read, with little room for more.
    ``delays_acks``: whether the kernel waits for something to send along before it acknowledges, as
    it does of itself for who talks back and forth; where that can be chosen. Raises OSError if the
    connection fails or nothing moves for PATIENCE.
    """
    with socket.socket() as connection:
        connection.settimeout(PATIENCE)
        if stops_reading:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        connection.connect((host, port))
        connection.sendall(head)
        for piece in pieces:
            time.sleep(every)
            connection.sendall(piece)
        parts: list[bytes] = []
        while data := _receive(connection, delays_acks):
            if not parts:
                time.sleep(stops_reading)
            parts.append(data)
    return b"".join(parts)


def _receive(connection: socket.socket, delays_acks: bool) -> bytes:
    """Return the next bytes; a kernel forgets to delay once it has waited in vain."""
    if delays_acks and hasattr(socket, "TCP_QUICKACK"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    return connection.recv(SMALL_BUFFER)
