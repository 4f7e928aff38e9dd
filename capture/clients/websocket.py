"""A client for WebSockets (RFC 6455).

Strategy: first the server's messages, then ours with their echoes, then the close: enough to
drive a stream, an echo service, or both after one another. Messages are noted as they pass, so
that a connection that breaks keeps what came before. Proxies that the environment names are not
used: the URL's own server is to be recorded.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal, NoReturn

from websockets.exceptions import (
    ConnectionClosed,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.http11 import Response
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from .received import HeaderFields, Received, ReceivedMessage

TIMEOUT = 30.0
"""Seconds without a message from the server, after which it is an error."""
ABNORMAL_CLOSURE = 1006
"""No close frame came (RFC 6455 section 7.1.5)."""


def receive_messages(
    url: str,
    *,
    expect: int = 0,
    send: Sequence[str | bytes] = (),
    echoes: bool = True,
    closes: Literal["client", "server"] = "client",
    headers: HeaderFields = (),
    subprotocols: Sequence[str] = (),
    compression: bool = True,
    ping_interval: float | None = None,
    timeout: float = TIMEOUT,
) -> Received:
    """Connect to ``url`` and return the messages of both directions, to the close or an error.

    ``expect`` messages are received; then each of ``send`` is sent, and with ``echoes`` one
    message awaited for it; then the connection is closed with 1000, or, if the server
    ``closes``, its messages are received until it does. ``compression`` offers
    permessage-deflate (RFC 7692). Times are in seconds. The exchange is clean when both sides
    have sent a close frame, whatever its code. Raises websockets.InvalidURI for what is no URL.
    """
    received = Received("websocket", url)
    try:
        with connect(
            url,
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            compression="deflate" if compression else None,
            additional_headers=headers,
            proxy=None,
            open_timeout=timeout,
            close_timeout=timeout,
            ping_interval=ping_interval,
            max_size=None,
        ) as connection:
            _note_handshake(received, connection)
            conversation = _Conversation(connection, received, timeout)
            try:
                conversation.hold(expect, send, echoes=echoes)
                if closes == "server":
                    conversation.await_close()
            except ConnectionClosed:
                pass  # how it closed is noted below, whoever closed it
            connection.close()
            _note_close(received, connection)
    except InvalidURI:
        raise  # a WebSocketException too, but nothing that a server did
    except InvalidStatus as error:
        _note_response(received, error.response)
        received.body = bytes(error.response.body or b"")
        received.fail(error)
    except (OSError, WebSocketException) as error:
        received.fail(error)
    received.finished = time.monotonic()
    return received


class _Conversation:
    """The messages of one connection."""

    def __init__(self, connection: ClientConnection, received: Received, timeout: float) -> None:
        self._connection = connection
        self._received = received
        self._timeout = timeout

    def hold(self, expect: int, send: Sequence[str | bytes], *, echoes: bool) -> None:
        """Receive ``expect`` messages, then send and, with ``echoes``, receive one for each."""
        for _ in range(expect):
            self._receive()
        for data in send:
            self._connection.send(data)
            self._received.messages.append(ReceivedMessage(time.monotonic(), "client", data))
            if echoes:
                self._receive()

    def await_close(self) -> NoReturn:
        """Receive until the server closes, which raises ConnectionClosed."""
        while True:
            self._receive()

    def _receive(self) -> None:
        data = self._connection.recv(timeout=self._timeout)
        self._received.messages.append(ReceivedMessage(time.monotonic(), "server", data))


def _note_handshake(received: Received, connection: ClientConnection) -> None:
    assert connection.response is not None  # the handshake is over
    _note_response(received, connection.response)
    received.subprotocol = connection.subprotocol
    received.extensions = [extension.name for extension in connection.protocol.extensions]


def _note_response(received: Received, response: Response) -> None:
    received.status = response.status_code
    received.headers = list(response.headers.raw_items())


def _note_close(received: Received, connection: ClientConnection) -> None:
    received.close_code = connection.close_code
    received.close_reason = connection.close_reason
    if connection.close_code == ABNORMAL_CLOSURE:
        received.fail(connection.protocol.close_exc)
