"""``python -m server.http2 OPTIONS``: serves the app of these scenarios until it is stopped.

OPTIONS is JSON, hypercorn's own options. It prints one line of JSON when it listens,
``{"port": ...}``. SIGTERM stops it, and so does the end of its standard input. Of TLS it logs its
secrets where ``SSLKEYLOGFILE`` says, as hypercorn does.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Sequence

from hypercorn.asyncio import serve
from hypercorn.config import Config

from .app import app

DRAIN = 1.0
"""Seconds that unfinished responses get when the server is told to stop."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; return 0."""
    (options,) = sys.argv[1:] if arguments is None else arguments
    asyncio.run(_serve(json.loads(options)))
    return 0


async def _serve(options: dict[str, object]) -> None:
    # Made here, for asyncio sets TCP_NODELAY only where the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = Config.from_mapping(options)
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "ERROR"
    config.graceful_timeout = DRAIN
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    loop.add_reader(sys.stdin.fileno(), stopped.set)

    async def wait() -> None:  # hypercorn waits for it from the moment on at which it serves
        print(json.dumps({"port": port}), flush=True)
        await stopped.wait()

    await serve(app, config, shutdown_trigger=wait)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
