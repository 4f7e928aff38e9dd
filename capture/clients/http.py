"""Clients for what is streamed in an HTTP response: chunked bodies and server-sent events.

Strategy: httpx reads, and the body's bytes are noted below it, before they are decoded: so a
response that is cut or damaged keeps every byte that came before, and what the application got
can be held against what came. One connection for one request, closed after it. Proxies and
credentials that the environment names are not used: the URL's own server is to be recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
from httpx_sse import EventSource

from .received import HeaderFields, Received, ReceivedEvent, ReceivedPiece

TIMEOUT = 30.0
"""Seconds without a byte from the server, after which it is an error."""


def receive_chunked(
    url: str,
    *,
    method: str = "GET",
    headers: HeaderFields = (),
    accept_encoding: str = "identity",
    content: bytes | None = None,
    leave_after: int | None = None,
    timeout: float = TIMEOUT,
) -> Received:
    """Request ``url`` and return what came of its body, to the end or to an error.

    ``accept_encoding`` is that field's value; ``content`` the request's body. With
    ``leave_after``, the connection is closed as soon as the application has so many bytes. Any
    framing will do, not chunks alone. Raises httpx.InvalidURL for what is no URL.
    """
    received = Received("chunked", url)
    parts: list[bytes] = []

    def read(response: httpx.Response) -> None:
        size = 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if leave_after is not None and size >= leave_after:
                received.ended = "left"
                return

    fields = _fields({"Accept-Encoding": accept_encoding}, headers)
    with httpx.Client(trust_env=False, timeout=timeout) as client:
        request = client.build_request(method, url, headers=fields, content=content)
        _drive(received, client, request, read)
    received.content = b"".join(parts)
    return received


def receive_events(
    url: str,
    *,
    headers: HeaderFields = (),
    accept_encoding: str = "identity",
    expect: int | None = None,
    last_event_id: str | None = None,
    timeout: float = TIMEOUT,
) -> Received:
    """Request the event stream at ``url`` and return the events that httpx-sse dispatched.

    With ``expect``, the connection is closed when so many have come: a stream need not end.
    ``last_event_id`` is sent as a browser does that reconnects. httpx-sse departs from the
    standard (it dispatches blocks without data, and keeps a byte order mark): what it made of
    the stream is what is returned. Raises httpx.InvalidURL for what is no URL.
    """
    received = Received("sse", url)

    def read(response: httpx.Response) -> None:
        for got in EventSource(response).iter_sse():
            received.events.append(
                ReceivedEvent(time.monotonic(), got.event, got.data, got.id, got.retry)
            )
            if len(received.events) == expect:
                received.ended = "left"
                return

    # WHATWG HTML section 9.2.2 has a browser send Accept, and ask past caches.
    own = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    if last_event_id is not None:
        own["Last-Event-ID"] = last_event_id
    fields = _fields({**own, "Accept-Encoding": accept_encoding}, headers)
    with httpx.Client(trust_env=False, timeout=timeout) as client:
        _drive(received, client, client.build_request("GET", url, headers=fields), read)
    return received


def _fields(own: dict[str, str], given: HeaderFields) -> httpx.Headers:
    """Return ``own`` fields and those ``given``, which take the place of own ones."""
    fields = httpx.Headers(own)
    fields.update(given)
    return fields


def _drive(
    received: Received,
    client: httpx.Client,
    request: httpx.Request,
    read: Callable[[httpx.Response], None],
) -> None:
    """Send the request, let ``read`` have the response, and note what came and how it ended."""
    parts: list[bytes] = []
    try:
        response = client.send(request, stream=True)
        received.status = response.status_code
        received.headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in response.headers.raw
        ]
        response.stream = _Noted(response.stream, received, parts)
        with closing(response):
            read(response)
    except httpx.HTTPError as error:
        received.fail(error)
    finally:
        received.body = b"".join(parts)
        received.finished = time.monotonic()


class _Noted(httpx.SyncByteStream):
    """A response's stream that notes what passes through."""

    def __init__(
        self,
        stream: httpx.SyncByteStream | httpx.AsyncByteStream,
        received: Received,
        parts: list[bytes],
    ) -> None:
        assert isinstance(stream, httpx.SyncByteStream)  # a Client has no other
        self._stream = stream
        self._received = received
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        offset = 0
        for part in self._stream:
            self._parts.append(part)
            self._received.pieces.append(ReceivedPiece(time.monotonic(), offset, len(part)))
            offset += len(part)
            yield part

    def close(self) -> None:
        self._stream.close()
