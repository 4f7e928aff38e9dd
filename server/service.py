"""Both servers in one process and one event loop: uvicorn with the app, and the raw server.

The sockets are bound before anything runs, so that a port of 0 is known, and a taken one is
reported, at once. The event loop is asyncio's own: uvloop joins writes that follow each other
closely, and one message would no longer be one segment. h11 frames the responses whatever else
is installed, for the same reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from sse_starlette.sse import AppStatus

from .address import Address
from .app import create_app
from .raw_server import RawServer
from .settings import DEFAULT_PORT, Settings

DRAIN = 1
"""Seconds that unfinished responses get when the server is told to stop."""


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to ``host`` and ``port``; raises OSError, which names both.

    Not socket.create_server(): its sockets have the protocol number 0, and asyncio sets
    TCP_NODELAY only where it is IPPROTO_TCP. Nagle's algorithm would join messages.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from error
    return listener


_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "access": {
            "()": "uvicorn.logging.AccessFormatter",
            "fmt": '%(asctime)s  %(client_addr)s  "%(request_line)s" %(status_code)s',
            "datefmt": "%H:%M:%S",
        }
    },
    "handlers": {
        "access": {
            "class": "logging.StreamHandler",
            "formatter": "access",
            "stream": "ext://sys.stderr",  # uvicorn's own goes to standard output
        }
    },
    "loggers": {
        "uvicorn.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
        "uvicorn.error": {"level": "WARNING"},
    },
}


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


class Service:
    """The demo server in this process. Raises OSError if it cannot listen."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        raw_port: int = 0,
        access_log: bool = False,
    ) -> None:
        self._settings = settings or Settings()
        self._access_log = access_log
        self._listener = _listen(host, port)
        try:
            self._raw_listener = _listen(host, raw_port)
        except OSError:
            self._listener.close()
            raise
        self.address = Address(
            host, self._listener.getsockname()[1], self._raw_listener.getsockname()[1]
        )
        self._server: _Uvicorn | None = None

    def run(self, ready: Callable[[], None]) -> None:
        """Serve until told to stop; call ``ready`` when both servers listen."""
        asyncio.run(self._run(ready))

    def close(self) -> None:
        """Listen no more. To be called after :meth:`run`, or instead of it."""
        self._listener.close()
        self._raw_listener.close()

    def stop(self) -> None:
        """Tell a running service to stop; may be called from any thread."""
        if self._server is not None:
            self._server.should_exit = True

    async def _run(self, ready: Callable[[], None]) -> None:
        # sse-starlette keeps the signal that stopped an earlier server of this process, and would
        # end every stream of this one at once.
        AppStatus.should_exit = False
        self._server = _Uvicorn(self._config(), ready)
        raw = await RawServer(self._settings).start(self._raw_listener)
        try:
            await self._server.serve([self._listener])
        finally:
            raw.close()

    def _config(self) -> uvicorn.Config:
        settings = self._settings
        return uvicorn.Config(
            create_app(settings, self.address.raw_port),
            http="h11",
            lifespan="off",
            log_config=_LOGGING,
            access_log=self._access_log,
            ws_ping_interval=settings.ping_interval or None,
            ws_per_message_deflate=settings.deflate,
            timeout_graceful_shutdown=DRAIN,
        )


def serve(
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    delay: float = Settings.delay,
    ping_interval: float = Settings.ping_interval,
    *,
    idle_timeout: float = Settings.idle_timeout,
    deflate: bool = Settings.deflate,
    raw_port: int = 0,
    announce: Callable[[Address], None] | None = None,
    access_log: bool = True,
) -> None:
    """Run the demo server in the foreground until Ctrl-C.

    ``announce`` is called with the address when both servers listen; by default the addresses
    of the pages are printed. Requests are logged to standard error. A port of 0 takes a free
    one. Raises ValueError for a negative time, and OSError if it cannot listen.
    """
    settings = Settings(
        delay=delay, ping_interval=ping_interval, idle_timeout=idle_timeout, deflate=deflate
    )
    service = Service(settings, host=host, port=port, raw_port=raw_port, access_log=access_log)
    tell = announce or print_welcome
    # Ctrl-C: uvicorn hands it on when it has shut down.
    with contextlib.closing(service), contextlib.suppress(KeyboardInterrupt):
        service.run(lambda: tell(service.address))


def print_welcome(address: Address) -> None:
    """Print where the pages and the streams behind them are."""
    web = address.origin()
    print(
        "wireproof demo server\n"
        "\n"
        f"  all          {web}/\n"
        f"  chunked      {web}/stream.html      GET /stream\n"
        f"  sse          {web}/sse.html         GET /sse, /sse/fastapi\n"
        f"  websocket    {web}/websocket.html   WS  /ws\n"
        "\n"
        f"  Cut, reset and fragmented streams are at {address.origin(raw=True)}\n"
        "  Ctrl-C stops it.",
        flush=True,
    )
