"""``python -m server.causes NAME fault|cure``: serves one way of a cause until it is stopped.

It prints one line of JSON when it listens, ``{"host": ..., "interface": ..., "port": ...,
"app_port": ...}``: where clients ask, the interface on which that is seen, and where the app is.
SIGTERM stops it, and so does the end of its standard input.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

import uvicorn

from .nagle import serve_nagle
from .path import CONGESTION_CONTROL, FRONT, TCP_CONGESTION, THERE, Carrier
from .proxies import ProxyNotStarted, proxy
from .registry import Way, application, cause
from .relay import serve_relay

NOT_INSTALLED = 3
DRAIN = 1
"""Seconds that unfinished responses get when the server is told to stop."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; return 0, 2 for bad usage or a proxy that did not start, 3 if it is not installed."""
    name, which = sys.argv[1:] if arguments is None else arguments
    shown = cause(name)
    way = shown.fault if which == "fault" else shown.cure
    try:
        asyncio.run(_serve(way))
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return NOT_INSTALLED
    except (OSError, ProxyNotStarted) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _serve(way: Way) -> None:
    listener = _listen() if way.path is None else _listen_to_all()
    with ExitStack() as stack:
        app_port = listener.getsockname()[1]
        port = app_port
        if way.relay is not None:
            front = _listen()
            port = front.getsockname()[1]
            stack.callback((await serve_relay(front, app_port, way.relay)).close)
        ready = partial(_announce, way, port, app_port, stack)
        if way.nagle is None:
            await _serve_app(way, listener, ready)
        else:
            await _serve_raw(way.nagle, listener, ready)


def _announce(way: Way, port: int, app_port: int, stack: ExitStack) -> None:
    """Start the proxy or the path, if there is one, and say where to ask."""
    line: dict[str, str | int] = {"host": "127.0.0.1", "interface": "lo"}
    if way.proxy is not None:
        port = _free_port()
        stack.enter_context(proxy(way.proxy, port, app_port, way.options))
    if way.path is not None:
        carrier = Carrier(way.path, app_port)
        stack.callback(carrier.close)
        line, port = {"host": THERE, "interface": carrier.interface}, FRONT
    print(json.dumps({**line, "port": port, "app_port": app_port}), flush=True)


class _Server(uvicorn.Server):
    """Calls ``ready`` once it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


async def _serve_app(way: Way, listener: socket.socket, ready: Callable[[], None]) -> None:
    server = _Server(
        uvicorn.Config(
            application(way),
            http="h11",
            lifespan="off",
            log_level="error",
            timeout_graceful_shutdown=DRAIN,
        ),
        ready,
    )

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises a signal again once it has stopped: it must not end this before its proxy.
    signal.signal(signal.SIGTERM, stop)
    _when_stdin_ends(stop)
    await server.serve([listener])


async def _serve_raw(nagle: bool, listener: socket.socket, ready: Callable[[], None]) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    _when_stdin_ends(stopped.set)
    async with await serve_nagle(listener, no_delay=not nagle):
        ready()
        await stopped.wait()


def _when_stdin_ends(stop: Callable[[], None]) -> None:
    """Stop when whoever started this is gone: nothing is ever written into its standard input."""
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop)


def _listen(host: str = "127.0.0.1") -> socket.socket:
    """Return a socket on a free port; asyncio sets TCP_NODELAY where the protocol is named."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((host, 0))
    listener.listen()
    return listener


def _listen_to_all() -> socket.socket:
    """Return the same for a network that nobody else is in, with the sender that a path is for."""
    listener = _listen("0.0.0.0")  # noqa: S104
    listener.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, CONGESTION_CONTROL)
    return listener


def _free_port() -> int:
    with _listen() as found:
        return int(found.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
