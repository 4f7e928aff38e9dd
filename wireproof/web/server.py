"""The inspector's server in this process: on loopback, until Ctrl-C.

Strategy: the socket is opened first, so that a port of 0 is known before the guard is made; then
uvicorn serves it, and tells when it does, so that a browser is opened when there is something to
see. Streams of news end with the server, not the server with them.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from functools import partial

import uvicorn
from capture.ports import naming_port
from sse_starlette.sse import AppStatus

from .app import create_app
from .index import Index
from .origin import Guard
from .patience import ImpatientProtocol

HOST = "127.0.0.1"
DRAIN = 1
"""Seconds that open answers have when the server stops."""


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


class PageServer:
    """Serves a page, which ``app_of`` gives for the port. Raises OSError if it cannot listen."""

    def __init__(self, app_of: Callable[[int], Guard], port: int = 0) -> None:
        with naming_port(HOST, port):
            self._listener = socket.create_server((HOST, port))
        self.port: int = self._listener.getsockname()[1]
        self._app = app_of(self.port)
        self._server: _Uvicorn | None = None
        self._is_stopped = False

    @property
    def url(self) -> str:
        """Where the page is, with the token that lets one in."""
        return f"http://{HOST}:{self.port}/?token={self._app.token}"

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until :meth:`stop` or Ctrl-C; call ``ready`` when it listens."""
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            access_log=False,
            log_level="critical",
            server_header=False,
            ws="none",
            http=ImpatientProtocol,
            timeout_graceful_shutdown=DRAIN,
        )
        # sse-starlette keeps the signal that stopped an earlier server of this process, and would
        # end the page's news at once.
        AppStatus.should_exit = False
        self._server = _Uvicorn(config, ready)
        if self._is_stopped:  # before it began
            self.stop()
        with contextlib.suppress(KeyboardInterrupt):
            self._server.run([self._listener])

    def stop(self) -> None:
        """Tell it to stop, or not to begin; may be called from any thread."""
        self._is_stopped = True
        if self._server is not None:
            self._server.should_exit = True

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()


class InspectorServer(PageServer):
    """Serves the inspector of captures. Raises OSError if it cannot listen."""

    def __init__(self, *indexes: Index, port: int = 0) -> None:
        super().__init__(partial(create_app, indexes), port)
