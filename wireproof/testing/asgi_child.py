"""Serve an ASGI app with uvicorn or hypercorn on a socket that was passed on: run by its path.

Its one argument is JSON, see :class:`Order`. When the app is served, a line of JSON is written to
the descriptor ``status``: ``{}``; or, when it cannot be loaded, ``{"failed": "...why..."}``.

Not ``uvicorn --fd``: that takes any descriptor for a Unix socket, and so leaves Nagle's algorithm
on, which puts events together that an app of its own would send apart. And the imports must be
those of the test: ``sys.path`` is the test's own. Both log secrets of TLS where they are told.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable
from importlib import import_module
from operator import attrgetter
from typing import Any, Literal, TypedDict


class Order(TypedDict):
    """What to serve, and where."""

    server: Literal["uvicorn", "hypercorn"]
    app: str
    """``module:attribute``."""
    path: list[str]
    """``sys.path``."""
    options: dict[str, Any]
    """Of ``uvicorn.Config`` or ``hypercorn.Config``."""
    listener: int
    """A descriptor of the listening socket."""
    status: int
    """A descriptor to write to when it serves."""
    key_log: str | None
    """Where the secrets of TLS are logged."""


def main(order: Order) -> int:
    """Serve until SIGTERM; return the exit code."""
    sys.path[:] = order["path"]
    try:
        run = PREPARE[order["server"]](order)
    except BaseException as error:
        _say(order["status"], {"failed": _why(error)})
        return 1
    run()
    return 0


# --- uvicorn ---


def _uvicorn(order: Order) -> Callable[[], object]:
    import uvicorn
    from uvicorn.importer import import_from_string

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            _say(order["status"], {})

    config = uvicorn.Config(order["app"], **order["options"])
    # With the exceptions that uvicorn would turn into a line of its log.
    import_from_string(order["app"])
    load_uvicorn(config, order["key_log"])
    # From the descriptor alone: family, type and protocol are the kernel's.
    return lambda: Server(config).run(sockets=[socket.socket(fileno=order["listener"])])


def load_uvicorn(config: Any, key_log: str | None) -> None:
    """Load uvicorn's configuration, which would not look at ``SSLKEYLOGFILE``."""
    config.load()
    if config.ssl is not None and key_log is not None:
        config.ssl.keylog_filename = key_log


# --- hypercorn ---


def _hypercorn(order: Order) -> Callable[[], object]:
    options = dict(order["options"])
    is_factory = options.pop("factory", False)
    module, _, attribute = order["app"].partition(":")
    app = attrgetter(attribute or "app")(import_module(module))
    if is_factory:
        app = app()
    config = hypercorn_config(options, order["listener"], order["key_log"])

    async def run() -> None:
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        await serve_hypercorn(app, config, stopped.wait, lambda: _say(order["status"], {}))

    return lambda: asyncio.run(run())


def hypercorn_config(options: dict[str, Any], listener: int, key_log: str | None) -> Any:
    """Return hypercorn's configuration; raises ValueError for an option that it does not have."""
    from hypercorn import Config

    class Logging(Config):
        def create_ssl_context(self) -> Any:
            context = super().create_ssl_context()
            if context is not None and key_log is not None:
                context.keylog_filename = key_log
            return context

    config = Logging()
    config.bind = [f"fd://{listener}"]
    for name, value in options.items():
        if not hasattr(config, name):
            raise ValueError(f"hypercorn has no option {name!r}")
        setattr(config, name, value)
    return config


async def serve_hypercorn(
    app: Any, config: Any, stopped: Callable[[], Awaitable[Any]], ready: Callable[[], object]
) -> None:
    """Serve until ``stopped`` returns; ``ready`` is called once it serves."""
    from hypercorn.asyncio import serve

    async def wait() -> None:  # hypercorn waits for it from the moment on at which it serves
        ready()
        await stopped()

    await serve(app, config, shutdown_trigger=wait)


PREPARE: dict[str, Callable[[Order], Callable[[], object]]] = {
    "uvicorn": _uvicorn,
    "hypercorn": _hypercorn,
}


def _say(descriptor: int, status: dict[str, str]) -> None:
    os.write(descriptor, json.dumps(status).encode() + b"\n")
    os.close(descriptor)


def _why(error: BaseException) -> str:
    """Return a traceback without what is the server's, importlib's and ours."""
    servers = tuple(f"{os.sep}{name}{os.sep}" for name in (*PREPARE, "importlib"))
    foreign = (__file__, "<frozen ", *servers)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not any(part in frame.filename for part in foreign)
    ]
    lines = traceback.format_list(frames) + traceback.format_exception_only(error)
    return "".join(lines).rstrip()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
