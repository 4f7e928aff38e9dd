"""``python -m server``: the demo server as a process that others start.

It prints one line of JSON when it listens, ``{"host": ..., "port": ..., "raw_port": ...}``, and
nothing else on standard output. SIGTERM and Ctrl-C stop it; with ``--stop-on-eof`` so does the
end of its standard input, so that it does not outlive a parent that was killed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence

from .address import Address
from .service import serve
from .settings import Settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=int, default=0, help="port of the app; 0 takes a free one")
    add("--raw-port", type=int, default=0, help="port of the raw server; 0 takes a free one")
    add("--delay", type=float, default=Settings.delay, help="seconds before each message")
    add(
        "--ping-interval",
        type=float,
        default=Settings.ping_interval,
        help="seconds between pings; 0 sends none",
    )
    add(
        "--idle-timeout",
        type=float,
        default=Settings.idle_timeout,
        help="seconds of silence before a WebSocket is closed",
    )
    add("--no-deflate", action="store_true", help="decline permessage-deflate")
    add("--stop-on-eof", action="store_true", help="stop when standard input ends")
    return parser


def _print_address(address: Address) -> None:
    print(json.dumps(address._asdict()), flush=True)


def _stop_on_eof(descriptor: int) -> None:
    """Send this process SIGTERM when ``descriptor`` ends."""
    while os.read(descriptor, 1024):
        continue
    if not hasattr(signal, "pthread_kill"):  # Windows, where the handler is run in any case
        signal.raise_signal(signal.SIGTERM)
        return
    main_thread = threading.main_thread().ident
    assert main_thread is not None  # it is running
    signal.pthread_kill(main_thread, signal.SIGTERM)  # it handles signals, and must wake up for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped and return the exit code: 0, or 2 for bad usage or a taken port."""
    options = _parser().parse_args(arguments)
    if options.stop_on_eof:
        stdin = sys.stdin.fileno()
        threading.Thread(target=_stop_on_eof, args=(stdin,), daemon=True).start()
    try:
        serve(
            options.host,
            options.port,
            options.delay,
            options.ping_interval,
            idle_timeout=options.idle_timeout,
            deflate=not options.no_deflate,
            raw_port=options.raw_port,
            announce=_print_address,
            access_log=False,
        )
    except (OSError, ValueError) as error:
        print(f"{options.host}, port {options.port}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
