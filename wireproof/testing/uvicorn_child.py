"""Serve an ASGI app with uvicorn on a socket that was passed on: run by its path, as a child.

Its one argument is JSON, see :class:`Order`. When uvicorn serves, a line of JSON is written to the
descriptor ``status``: ``{}``; or, when the app cannot be loaded, ``{"failed": "...why..."}``.

Not ``uvicorn --fd``: that takes any descriptor for a Unix socket, and so leaves Nagle's algorithm
on, which puts events together that an app of its own would send apart. And the imports must be
those of the test: ``sys.path`` is the test's own.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from typing import Any, TypedDict


class Order(TypedDict):
    """What to serve, and where."""

    app: str
    """``module:attribute``."""
    path: list[str]
    """``sys.path``."""
    options: dict[str, Any]
    """Of ``uvicorn.Config``."""
    listener: int
    """A descriptor of the listening socket."""
    status: int
    """A descriptor to write to when it serves."""


def main(order: Order) -> int:
    """Serve until SIGTERM; return the exit code."""
    sys.path[:] = order["path"]
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            _say(order["status"], {})

    config = uvicorn.Config(order["app"], **order["options"])
    try:
        _load(config, order["app"])
    except BaseException as error:
        _say(order["status"], {"failed": _why(error)})
        return 1
    # From the descriptor alone: family, type and protocol are the kernel's.
    Server(config).run(sockets=[socket.socket(fileno=order["listener"])])
    return 0


def _load(config: Any, app: str) -> None:
    """Import the app, with the exceptions that uvicorn would turn into a line of its log."""
    from uvicorn.importer import import_from_string

    import_from_string(app)
    config.load()


def _say(descriptor: int, status: dict[str, str]) -> None:
    os.write(descriptor, json.dumps(status).encode() + b"\n")
    os.close(descriptor)


def _why(error: BaseException) -> str:
    """Return a traceback without what is uvicorn's, importlib's and ours."""
    foreign = (__file__, os.sep + "uvicorn" + os.sep, "<frozen ", os.sep + "importlib" + os.sep)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not any(part in frame.filename for part in foreign)
    ]
    lines = traceback.format_list(frames) + traceback.format_exception_only(error)
    return "".join(lines).rstrip()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
