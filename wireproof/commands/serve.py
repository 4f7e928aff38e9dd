"""``wireproof serve``: the demo server alone."""

from __future__ import annotations

from errno import EADDRINUSE

import click

from ..output import STANDARD_OUTPUT
from .exits import Seconds, Unreadable, examples, need


@click.command(
    short_help="Run the demo server with its pages.",
    epilog=examples(
        "wireproof serve",
        "wireproof serve --port 0 --delay 0.05 --ping-interval 1",
    ),
)
@click.option(
    "--host", metavar="HOST", help="Address to listen on.", default="127.0.0.1", show_default=True
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Port to listen on; 0 picks a free one.",
)
@click.option("--delay", type=Seconds(min=0), metavar="S", help="Seconds before each message.")
@click.option(
    "--ping-interval",
    type=Seconds(min=0),
    metavar="S",
    help="Seconds between pings; 0 sends none.",
)
@click.option(
    "--idle-timeout",
    type=Seconds(min=0),
    metavar="S",
    help="Close a WebSocket after S silent seconds.",
)
@click.option("--no-deflate", is_flag=True, help="Decline permessage-deflate.")
def serve(host: str, no_deflate: bool, **settings: float | None) -> None:
    """Run the demo server, with one page per transport, until Ctrl-C."""
    need("demo", "the demo server")
    from server import serve as run_server

    given = {name: value for name, value in settings.items() if value is not None}
    try:
        run_server(host, deflate=not no_deflate, **given)  # type: ignore[arg-type]
    except OSError as error:
        if error.filename == STANDARD_OUTPUT:
            raise  # it listens, and could not say where
        raise Unreadable(_not_served(error, host)) from error


def _not_served(error: OSError, host: str) -> str:
    """Return which address cannot be listened on, why, and who listens there."""
    from capture.ports import who_listens

    where = error.filename or host
    said = f"cannot listen on {where}: {error.strerror or error}"
    port = where.rpartition(":")[2]
    taken = error.errno == EADDRINUSE and port.isdigit()
    return f"{said}: {holder}" if taken and (holder := who_listens(int(port))) else said
