"""A client for HTTP/2 that can be told to behave: hold windows, cancel, ask for much at once.

Strategy: the h2 library speaks, over one blocking socket; it is driven by what comes. Libraries for
applications open windows by themselves and hide frames: what is to be shown is just that.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from websockets.frames import Frame, Opcode

TIMEOUT = 30.0
"""Seconds without a byte from the server, after which it is an error."""
LINGER = 0.2
"""Seconds in which a server that said GOAWAY may still send."""
Fields = list[tuple[str, str]]
PIECE = 9
"""Bytes that are read at once by who cancels: a frame header, so no two frames end in one."""


@dataclass(slots=True)
class ReceivedStream:
    """What came of one request."""

    stream_id: int
    status: int | None = None
    content: bytes = b""
    trailers: Fields = field(default_factory=list)
    ended: str = "open"
    """``end-stream``, ``rst-stream``, ``cancelled`` by us, ``goaway``, or ``open``."""


class Http2Client:
    """One connection; ``tls`` makes it one of TLS, for which HTTP/2 is agreed on by ALPN.

    ``window_held`` is for how many seconds a window that is used up is not opened.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        window_held: float = 0.0,
        cancel_after: int | None = None,
    ) -> None:
        self._authority = f"{host}:{port}"
        self._scheme = "http" if tls is None else "https"
        self._window_held = window_held
        self._cancel_after = cancel_after
        self._unopened: dict[int, int] = {}
        self.streams: dict[int, ReceivedStream] = {}
        self._socket = socket.create_connection((host, port), TIMEOUT)
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
            self._socket = tls.wrap_socket(self._socket, server_hostname=host)
        self._h2 = H2Connection(H2Configuration(header_encoding="utf-8"))
        self._h2.initiate_connection()
        self._flush()

    def request(self, path: str, *more: tuple[str, str], body: bytes | None = None) -> int:
        """Ask for something, and return the number of its stream."""
        method = "GET" if body is None else "POST"
        stream_id = self._open([(":method", method), *self._target(path), *more], body is None)
        if body is not None:
            self._h2.send_data(stream_id, body, end_stream=True)
            self._flush()
        return stream_id

    def websocket(self, path: str) -> int:
        """Ask for a WebSocket in a stream (RFC 8441 section 5), and return its number."""
        head = [(":method", "CONNECT"), (":protocol", "websocket"), *self._target(path)]
        return self._open([*head, ("sec-websocket-version", "13")], False)

    def send_frame(
        self, stream_id: int, opcode: Opcode, payload: bytes, *, is_last: bool = False
    ) -> None:
        """Send a WebSocket frame, masked as a client's is; the last one ends our side."""
        frame = Frame(opcode, payload).serialize(mask=True)
        self._h2.send_data(stream_id, frame, end_stream=is_last)
        self._flush()

    def read(self, *, until: Callable[[ReceivedStream], bool] = lambda one: False) -> None:
        """Take what comes until all streams have ended, or one is as is wanted."""
        while any(one.ended == "open" for one in self.streams.values()):
            if any(map(until, self.streams.values())) or not self._read_some():
                return

    def close(self) -> None:
        """Say goodbye, and close when the server has: what is unread would be a reset."""
        with self._socket, suppress(OSError):  # it may have closed before
            self._h2.close_connection()
            self._flush()
            self._socket.shutdown(socket.SHUT_WR)
            while self._socket.recv(65_536):
                pass

    def _target(self, path: str) -> Fields:
        return [(":scheme", self._scheme), (":authority", self._authority), (":path", path)]

    def _open(self, head: Fields, is_whole: bool) -> int:
        stream_id = self._h2.get_next_available_stream_id()
        self.streams[stream_id] = ReceivedStream(stream_id)
        self._h2.send_headers(stream_id, head, end_stream=is_whole)
        self._flush()
        return stream_id

    def _read_some(self) -> bool:
        """Take the next bytes; return whether more may come."""
        if self._unopened and self._window_held:
            self._socket.settimeout(self._window_held)
        try:
            data = self._socket.recv(65_536)
        except TimeoutError:
            if not self._unopened:
                raise
            self._open_windows()
            return True
        if not data:
            return False
        # Whoever cancels has not seen the end: a slow machine may read it together with the rest.
        step = PIECE if self._cancel_after is not None else len(data)
        for at in range(0, len(data), step):
            for event in self._h2.receive_data(data[at : at + step]):
                if isinstance(event, ConnectionTerminated):
                    self._goodbye()
                    return False
                self._take(event)
        self._flush()
        return True

    def _take(self, event: Any) -> None:
        one = self.streams.get(getattr(event, "stream_id", 0) or 0)
        if one is None:
            return
        if isinstance(event, ResponseReceived):
            one.status = int(_fields(event.headers)[":status"])
        elif isinstance(event, DataReceived):
            one.content += event.data or b""
            self._account(one, event.flow_controlled_length or 0)
        elif isinstance(event, TrailersReceived):
            one.trailers = list(_fields(event.headers).items())
        elif isinstance(event, StreamEnded) and one.ended == "open":
            one.ended = "end-stream"
        elif isinstance(event, StreamReset):
            one.ended = "rst-stream"

    def _account(self, one: ReceivedStream, length: int) -> None:
        """Open the windows again, or keep in mind that they are to be; cancel when it is time."""
        if self._window_held:
            self._unopened[one.stream_id] = self._unopened.get(one.stream_id, 0) + length
        else:
            self._h2.acknowledge_received_data(length, one.stream_id)
        is_first = one.stream_id == min(self.streams)
        limit = self._cancel_after
        if limit is not None and is_first and len(one.content) >= limit and one.ended == "open":
            self._h2.reset_stream(one.stream_id, ErrorCodes.CANCEL)
            one.ended = "cancelled"

    def _open_windows(self) -> None:
        for stream_id, length in self._unopened.items():
            self._h2.acknowledge_received_data(length, stream_id)
        self._unopened.clear()
        self._window_held = 0.0  # once is enough to be seen
        self._socket.settimeout(TIMEOUT)
        self._flush()

    def _goodbye(self) -> None:
        """Note which streams a server that says GOAWAY leaves undone."""
        time.sleep(LINGER)
        for one in self.streams.values():
            if one.ended == "open":
                one.ended = "goaway"

    def _flush(self) -> None:
        if data := self._h2.data_to_send():
            self._socket.sendall(data)


def _fields(headers: Iterable[Any] | None) -> dict[str, str]:
    return {str(name): str(value) for name, value in headers or ()}
