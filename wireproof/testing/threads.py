"""Serve an app of this process in a thread: an event loop of its own, on a socket that listens.

Strategy: whoever starts one waits until it serves or has failed. It is told to stop, and given some
seconds; a stream that ignores its cancellation is left behind, in a thread that ends with us.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

STOP_TIMEOUT = 5.0
"""Seconds."""


class NotServed(Exception):
    """An app did not come to be served; the message says why."""


class ServingThread:
    """What runs in a thread, and whether it serves.

    ``run`` serves until it is told to stop, and calls the function that it is given once it does.
    """

    def __init__(self, run: Callable[[Callable[[], None]], object]) -> None:
        self._run = run
        self._decided = threading.Event()
        self._serves = False
        self._failed: BaseException | None = None
        self.thread = threading.Thread(target=self._try, name="wire.serve", daemon=True)
        self.thread.start()

    def wait(self, timeout: float) -> None:
        """Wait until it serves; raises NotServed if it does not."""
        self._decided.wait(timeout)
        if self._failed is not None:
            raise NotServed(repr(self._failed))
        if not self._serves:
            raise NotServed("it did not start in time")

    def _ready(self) -> None:
        self._serves = True
        self._decided.set()

    def _try(self) -> None:
        try:
            self._run(self._ready)
        except BaseException as error:  # SystemExit too: uvicorn's for a failed start
            self._failed = error
        finally:
            self._decided.set()


def serve_uvicorn(
    app: Any,
    options: dict[str, Any],
    listener: socket.socket,
    key_log: str | None,
    stack: ExitStack,
) -> ServingThread:
    """Begin to serve with uvicorn, until the stack is closed."""
    with warnings.catch_warnings():
        # What uvicorn takes for WebSockets warns of what uvicorn does: no fault of the test's.
        warnings.simplefilter("ignore", DeprecationWarning)
        import uvicorn

        if options.get("ws", "auto") == "auto":
            import uvicorn.protocols.websockets.auto  # noqa: F401

    from .asgi_child import load_uvicorn

    _forget_sse_stop()
    server = uvicorn.Server(uvicorn.Config(app, **options))
    startup = server.startup

    def run(ready: Callable[[], None]) -> None:
        async def start(sockets: list[socket.socket] | None = None) -> None:
            await startup(sockets)
            if server.started:
                ready()

        server.startup = start  # type: ignore[method-assign]
        load_uvicorn(server.config, key_log)
        server.run(sockets=[listener])

    serving = ServingThread(run)
    stack.callback(partial(_stop_uvicorn, server, serving.thread))
    return serving


def serve_hypercorn(
    app: Any,
    options: dict[str, Any],
    listener: socket.socket,
    key_log: str | None,
    stack: ExitStack,
) -> ServingThread:
    """Begin to serve with hypercorn, until the stack is closed."""
    from .asgi_child import hypercorn_config
    from .asgi_child import serve_hypercorn as serve

    _forget_sse_stop()
    given = dict(options)
    if given.pop("factory", False):
        app = app()
    config = hypercorn_config(given, os.dup(listener.fileno()), key_log)  # it closes its own
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()

    def run(ready: Callable[[], None]) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve(app, config, stopped.wait, ready))

    def stop() -> None:
        with suppress(RuntimeError):  # the loop is closed: it has failed
            loop.call_soon_threadsafe(stopped.set)
        serving.thread.join(STOP_TIMEOUT)

    serving = ServingThread(run)
    stack.callback(stop)
    return serving


def _forget_sse_stop() -> None:
    """sse-starlette keeps the signal that stopped an earlier server of this process, and would end
    every stream of the next one at once."""
    if (sse := sys.modules.get("sse_starlette.sse")) is not None:
        sse.AppStatus.should_exit = False


def _stop_uvicorn(server: Any, thread: threading.Thread) -> None:
    server.should_exit = True
    thread.join(STOP_TIMEOUT)
    if thread.is_alive():  # an open stream that ignores its cancellation
        server.force_exit = True
        thread.join(STOP_TIMEOUT)
