"""``wireproof demo``: serve, capture, decode and show."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from .capturing import backend_option, capture_problems, say_backend
from .exits import TRANSPORTS, examples, need

if TYPE_CHECKING:
    from parsers.records import Transport


@click.command(
    short_help="Serve, capture, decode and show a stream.",
    epilog=examples(
        "wireproof demo",
        "wireproof demo sse --delay 0.5",
    ),
)
@click.argument("transport", type=click.Choice((*TRANSPORTS, "all")), default="all")
@click.option(
    "--delay",
    type=click.FloatRange(min=0, max=60),
    metavar="S",
    default=0.2,
    show_default=True,
    help="Seconds before each message.",
)
@backend_option
def demo(transport: str, delay: float, backend: str | None) -> int:
    """Serve a stream, capture it, decode it and show what was on the wire.

    TRANSPORT is chunked, sse, websocket or all. Without the right to capture packets it is done
    in a private network or, where there can be none, through a relay.
    """
    need("demo", "the demo")
    from ..tasks.demo import prepare
    from ..tasks.demo import run as run_demo

    wanted = TRANSPORTS if transport == "all" else (cast("Transport", transport),)
    with capture_problems():
        chosen = prepare(backend)
        say_backend(chosen)
        return 0 if run_demo(wanted, delay, chosen) else 1
