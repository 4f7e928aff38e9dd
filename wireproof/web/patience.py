"""How long the inspector waits for a request that has begun, or has not: a slow client is let go.

Strategy: uvicorn closes connections that are silent after an answer; one that has not sent a whole
request is its protocol's to wait for, without end. A timer runs while no request is being answered.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_TIMEOUT = 10.0
"""Seconds in which a request is whole; Apache's mod_reqtimeout gives 20, nginx 60."""


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, which closes a connection without a whole request in time."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        """Begin to wait, once: bytes that come one by one give no more time."""
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_TIMEOUT, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
