"""``wireproof demo``: serve, capture, decode and show."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from .capturing import backend_option, capture_problems, say_backend
from .exits import TRANSPORTS, Missing, NotWhole, Seconds, Unreadable, examples, need, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parsers.records import Transport
    from server.causes.registry import Shown


@click.command(
    short_help="Serve, capture, decode and show a stream.",
    epilog=examples(
        "wireproof demo",
        "wireproof demo sse --delay 0.5",
        "wireproof demo --cause list",
        "wireproof demo --cause compressor-not-flushed",
        "wireproof demo --tls --http2",
        "wireproof demo --http2 --scenario window-stall",
    ),
)
@click.argument("transport", type=click.Choice((*TRANSPORTS, "all")), default="all")
@click.option(
    "--delay",
    type=Seconds(min=0, max=60),
    metavar="S",
    default=0.2,
    show_default=True,
    help="Seconds before each message.",
)
@click.option(
    "--cause",
    metavar="NAME",
    help="Show what holds streams back instead: a fault and what explain says about it, then the "
    "fix and what explain says now. NAME is a cause, all, or list.",
)
@click.option("--tls", is_flag=True, help="Serve over TLS, and record the keys.")
@click.option("--http2", is_flag=True, help="Serve HTTP/2.")
@click.option(
    "--scenario",
    metavar="NAME",
    help="With --http2: what to show. NAME is a scenario, all, or list; all by default.",
)
@backend_option
def demo(
    transport: str,
    delay: float,
    cause: str | None,
    tls: bool,
    http2: bool,
    scenario: str | None,
    backend: str | None,
) -> int:
    """Serve a stream, capture it, decode it and show what was on the wire.

    TRANSPORT is chunked, sse, websocket or all. Without the right to capture packets, it runs in
    a private network or, where that is impossible, through a relay.
    """
    need("demo", "the demo")
    if scenario is not None and not http2:
        raise click.UsageError("--scenario requires --http2", click.get_current_context())
    if tls or http2:
        return _show_http2(scenario or ("all" if http2 else "sse"), tls, http2, backend)
    if cause is not None:
        return _show_causes(cause, backend)
    from ..tasks.demo import prepare
    from ..tasks.demo import run as run_demo

    wanted = TRANSPORTS if transport == "all" else (cast("Transport", transport),)
    with capture_problems():
        chosen = prepare(backend)
        say_backend(chosen)
        return 0 if run_demo(wanted, delay, chosen) else 1


def _show_http2(name: str, tls: bool, http2: bool, backend: str | None) -> int:
    """Show a scenario of HTTP/2 by its name, or all; ``list`` says which there are."""
    from server.http2.scenarios import SCENARIOS, http2_scenario

    if name == "list":
        for one in SCENARIOS:
            click.echo(f"{one.name:<16}{one.summary}")
        return 0
    try:
        wanted = SCENARIOS if name == "all" else (http2_scenario(name),)
    except LookupError as error:
        raise click.UsageError(str(error), click.get_current_context()) from error
    need("https", "demo --http2" if http2 else "demo --tls")
    need("tls", "demo --tls")
    from server.process import ServerStartError

    from ..tasks.demo import prepare
    from ..tasks.http2_demo import Served, run

    with capture_problems():
        chosen = prepare(backend)
        say_backend(chosen)
        try:
            wrong = run(wanted, Served(tls, http2), chosen)
        except ServerStartError as error:
            raise Unreadable(str(error)) from error
    for line in wrong:
        say(line)
    return NotWhole.exit_code if wrong else 0


def _show_causes(name: str, backend: str | None) -> int:
    """Show a cause by its name, or all that can be; ``list`` says which there are."""
    from server.causes.registry import CAUSES, cause
    from server.causes.unshown import UNSHOWN

    if name == "list":
        for shown in CAUSES:
            click.echo(f"{shown.name:<26}{shown.summary}")
        click.echo("\nNot shown:")
        for code, why in UNSHOWN.items():
            click.echo(f"{code:<26}{why}")
        return 0
    try:
        wanted = CAUSES if name == "all" else (cause(name),)
    except LookupError as error:
        raise click.UsageError(str(error), click.get_current_context()) from error
    return _show(wanted, backend)


def _show(wanted: Sequence[Shown], backend: str | None) -> int:
    """Show causes; say in a line what cannot be shown, and what was not told for what it is."""
    from server.process import ServerStartError

    from ..tasks.causes import lacking, run
    from ..tasks.demo import prepare

    exit_code = 0
    with capture_problems():
        chosen = prepare(backend)
        say_backend(chosen)
        for shown in wanted:
            if why := lacking(shown, chosen):
                say(f"{shown.name} is not shown: {why}")
                exit_code = exit_code or Missing.exit_code
                continue
            try:
                wrong = run(shown, chosen)
            except ServerStartError as error:
                raise Unreadable(str(error)) from error
            for line in wrong:
                say(f"{shown.name}: {line}")
                exit_code = NotWhole.exit_code
    return exit_code
