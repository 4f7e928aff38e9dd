"""``wireproof watch``: what goes over a port, decoded as it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from .answers import INTERRUPTED, TRANSPORTS, examples, say
from .capturing import capture_problems

if TYPE_CHECKING:
    from ..live import LiveStatistics
    from ..selection import Transport
    from ..totals import Totals
    from ..views import Format


@click.command(
    short_help="Show what goes over a port as it arrives.",
    epilog=examples(
        "wireproof watch --port 8000",
        "wireproof watch --port 8000 --transport sse",
        "wireproof watch --port 8000 --format ndjson | jq -r 'select(.dispatched).data'",
        "wireproof watch --port 8000 -w api.pcapng --duration 3600",
        "wireproof watch --port 8000 -- curl -N http://127.0.0.1:8000/chat",
    ),
)
@click.argument("command", nargs=-1, metavar="[-- COMMAND ...]")
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", required=True, help="Whose packets."
)
@click.option(
    "-i", "--interface", metavar="NAME", default="lo", show_default=True, help="Where they go."
)
@click.option(
    "--transport", type=click.Choice(TRANSPORTS), help="Only exchanges of this transport."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "ndjson", "json", "csv")),
    help="table on a terminal, else ndjson.",
)
@click.option("-w", "--write", "keep", metavar="FILE", help="Keep the packets too, as pcapng.")
@click.option("--no-data", is_flag=True, help="Leave payloads out; sizes and digests stay.")
@click.option(
    "--duration", type=click.FloatRange(min=0), metavar="S", help="End after so many seconds."
)
def watch(
    command: tuple[str, ...],
    port: int,
    interface: str,
    transport: str | None,
    form: str | None,
    keep: str | None,
    no_data: bool,
    duration: float | None,
) -> int:
    """Show what goes over a port as it arrives: chunks, server-sent events, WebSocket frames.

    It ends with COMMAND, or with Ctrl-C, and says what it came to. COMMAND's standard output goes
    to standard error: standard output is for rows.
    """
    from ..watching import Wanted
    from ..watching import watch as run

    if keep == "-":
        raise click.UsageError(
            "-w -: standard output is for rows; wireproof capture -o - writes packets there",
            click.get_current_context(),
        )
    wanted = Wanted(
        port,
        interface,
        cast("Transport | None", transport),
        cast("Format | None", form),
        keep,
        not no_data,
        duration,
        command,
    )

    def ready() -> None:
        if not command:
            say(f"watching port {port} on {interface}; Ctrl-C ends it")

    with capture_problems():
        watched = run(wanted, ready, _say_totals)
    return INTERRUPTED if watched.interrupted else watched.exit_code


def _say_totals(totals: Totals, statistics: LiveStatistics) -> None:
    captured, dropped, skipped = statistics
    say(
        f"{captured:,} packets captured, {dropped:,} dropped by the kernel, {skipped:,} not decoded"
    )
    for line in totals.lines():
        click.echo(f"  {line}", err=True)
