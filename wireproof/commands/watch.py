"""``wireproof watch``: what goes over a port, decoded as it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import click

from ..views.kinds import LIVE_VIEWS, default_view
from .capturing import (
    backend_option,
    buffer_size_option,
    capture_problems,
    metrics_option,
    no_keys_option,
    say_keys,
)
from .choosing import Reading, live_reading_options
from .exits import INTERRUPTED, Seconds, examples, need, say
from .memory import MEMORY
from .parsing import keep_rights_option
from .showing import readers_of, showing_options, view_of_rows

if TYPE_CHECKING:
    from ..analysis.totals import Totals
    from ..live.decoding import LiveStatistics
    from ..views.kinds import Name


@click.command(
    short_help="Show a port's traffic as it arrives.",
    epilog=examples(
        "wireproof watch --port 8000",
        "wireproof watch --port 8000 --transport sse",
        "wireproof watch --port 8000 --format ndjson | jq -r 'select(.dispatched).data'",
        "wireproof watch --port 8000 -w api.pcapng --duration 3600",
        "wireproof watch --port 8000 --metrics 9464",
        "wireproof watch --port 8000 -- curl -N http://127.0.0.1:8000/chat",
    ),
)
@click.argument("command", nargs=-1, metavar="[-- COMMAND ...]")
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", required=True, help="Port to watch."
)
@click.option("-i", "--interface", metavar="NAME", help="Interface to watch; loopback by default.")
@MEMORY
@live_reading_options
@click.option(
    "--format",
    "form",
    type=click.Choice(LIVE_VIEWS),
    help="Default: table on a terminal, else ndjson.",
)
@click.option(
    "-w", "--write", "keep", metavar="FILE", help="Also write the packets here, as pcapng."
)
@showing_options
@click.option("--no-data", is_flag=True, help="Omit payloads; keep sizes and digests.")
@buffer_size_option()
@click.option("--duration", type=Seconds(min=0), metavar="S", help="Stop after S seconds.")
@metrics_option
@click.option(
    "--otlp",
    metavar="[URL]",
    is_flag=False,
    flag_value="",
    help="Send metrics to an OpenTelemetry collector, such as http://127.0.0.1:4318; without URL, "
    "to OTEL_EXPORTER_OTLP_ENDPOINT.",
)
@keep_rights_option
@no_keys_option
@backend_option
def watch(
    command: tuple[str, ...],
    port: int,
    interface: str | None,
    form: str | None,
    keep: str | None,
    no_data: bool,
    buffer_size: int | None,
    duration: float | None,
    metrics: tuple[str, int] | None,
    otlp: str | None,
    no_keys: bool,
    backend: str | None,
    select: str | None,
    raw: bool,
    reading: Reading,
) -> int:
    """Show a port's traffic as it arrives: chunks, server-sent events, WebSocket frames.

    It stops when COMMAND ends, or on Ctrl-C, and prints totals. COMMAND's standard output goes to
    standard error, because standard output is for rows. The first backend that works does the
    recording, as in "wireproof capture".
    """
    from capture.backends.base import LOOPBACK
    from capture.frames import BUFFER_SIZE

    from ..live.watch import WatchOptions
    from ..live.watch import watch as run

    if keep == "-":
        raise click.UsageError(
            "-w -: standard output is for rows; wireproof capture -o - writes packets there",
            click.get_current_context(),
        )
    interface = interface or LOOPBACK
    readers = readers_of(select, raw)
    view = view_of_rows(form or default_view(None), form is not None, readers)
    options = WatchOptions(
        port,
        interface,
        reading.wanted,
        cast("Name", view),
        keep,
        not no_data,
        duration,
        command,
        backend,
        buffer_size or BUFFER_SIZE,
        metrics,
        otlp,
        readers,
        keys=not no_keys,
        keylog=reading.keylog,
    )
    if metrics is not None:
        need("metrics", "--metrics")
    if otlp is not None:
        need("otlp", "--otlp")

    with capture_problems():
        watched = run(options, _Telling(port, interface, bool(command)))
    if watched.has_keys and keep is not None:
        say_keys(keep)
    return INTERRUPTED if watched.interrupted else watched.exit_code


class _Telling:
    """Says on standard error what is not a row."""

    def __init__(self, port: int, interface: str, has_command: bool) -> None:
        self._port = port
        self._interface = interface
        self._has_command = has_command

    def ready(self, backend: str, notes: Sequence[str]) -> None:
        until = "" if self._has_command else "; Ctrl-C stops it"
        say(f"watching port {self._port} on {self._interface} with {backend}{until}")
        for note in notes:
            say(note)

    def served(self, url: str) -> None:
        say(f"metrics are at {url}")

    def broke_off(self, reason: str) -> None:
        say(reason)

    def goes_on(self) -> None:
        say("showing what was recorded; Ctrl-C again leaves it out")

    def done(self, totals: Totals, statistics: LiveStatistics) -> None:
        captured, dropped, skipped = statistics
        undecoded = f", {skipped:,} arrived too fast to be decoded" if skipped else ""
        say(f"{captured:,} packets captured, {dropped:,} dropped by the kernel{undecoded}")
        if not captured:
            self._explain()
        for line in totals.lines():
            click.echo(f"  {line}", err=True)

    def _explain(self) -> None:
        from ..tasks.silence import why_silent

        for line in why_silent((self._port,), self._interface):
            say(line)
