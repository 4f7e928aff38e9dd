"""``wireproof latency``: how long clients waited for a model, by published definitions."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

import click

from .choosing import Reading, reading_options
from .exits import Unreadable, because, examples, say
from .memory import MEMORY
from .parsing import parses
from .several import JOBS_OF_EACH, broken_off, left_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..analysis.latency.definitions import Family
    from ..analysis.latency.report import Measured
    from ..analysis.latency.skew import Skew
    from ..views.latency import LatencyView

FAMILY_NAMES = ("wire", "vllm", "aiperf", "llmperf", "otel")
FORMS = ("table", "json", "ndjson", "csv")


@click.command(
    short_help="Measure the latency of streamed answers, by named definitions.",
    epilog=examples(
        "wireproof latency capture.pcapng",
        "wireproof latency capture.pcapng --as vllm --as aiperf",
        "wireproof latency capture.pcapng --format csv > latency.csv",
        "wireproof latency capture.pcapng --exchange 0/1 --log client-times.txt",
    ),
)
@parses()
@MEMORY
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--as",
    "families",
    type=click.Choice(FAMILY_NAMES),
    multiple=True,
    default=("wire",),
    show_default=True,
    help="Whose definitions to use; may be repeated.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="table",
    show_default=True,
    help="Output format.",
)
@click.option(
    "--log",
    metavar="TIMES",
    help="A client's or server's own times, one line per event that it read or wrote:"
    " seconds since the epoch, ISO 8601, or JSON with a field t, time or timestamp.",
)
@JOBS_OF_EACH
@reading_options
def latency(
    files: tuple[str, ...],
    families: tuple[str, ...],
    form: str,
    log: str | None,
    jobs: int,
    reading: Reading,
) -> int:
    """Measure how long clients waited: for the header, the first event, the first token, and
    between tokens.

    The wait starts when the last byte of the request is on the wire. An element that only announces
    content, keeps the connection alive or counts tokens is not a token. Exits with 1 if nothing
    streamed.
    """
    from ..analysis.latency.report import LatencyReport
    from ..analysis.latency.skew import read_times
    from ..tasks.latency import measuring
    from ..tasks.sources import UnreadableSource
    from ..tasks.worker_died import WorkerDied

    times = None
    if log is not None:
        try:
            with Path(log).open(encoding="utf-8") as lines:
                times = read_times(lines)
        except (OSError, ValueError) as error:
            raise Unreadable(because(log, error)) from error
    definitions = cast("tuple[Family, ...]", tuple(dict.fromkeys(families)))
    report = LatencyReport(definitions, reading.wanted)
    measured = 0
    with ExitStack() as stack:
        view = _view(form, stack)
        for file in files:
            try:
                found = measuring(file, report, reading.keylog, jobs, say)
                measured += _show(found, view, times)
            except WorkerDied as died:
                return broken_off(died, left_of(None))
            except UnreadableSource as unreadable:
                raise Unreadable(because(file, unreadable.error)) from unreadable
        view.finish(report)
    if not report.chosen:
        say(reading.nothing)
    elif not measured:
        say("nothing streamed: no answer has events, lines or chunks to measure")
    return 0 if measured else 1


def _show(
    found: Generator[Measured, None, None], view: LatencyView, log: list[float] | None
) -> int:
    """Show the answers of a capture; return how many there were."""
    number = 0
    with closing(found):
        for measured in found:
            view.show(measured, _skew(measured, log) if number == 0 else None)
            number += 1
    return number


def _skew(measured: Measured, log: list[float] | None) -> Skew | None:
    """Return what lies between a log and the elements of the first answer."""
    from ..analysis.latency.skew import skew

    if log is None:
        return None
    start = measured.exchange.asked_time
    return skew([start + after for after in measured.times.chunks], log)


def _view(form: str, stack: ExitStack) -> LatencyView:
    from ..output import open_text
    from ..views import latency as views

    if form == "table":
        from rich.console import Console

        from ..views.kinds import table_width

        console = Console()
        return views.LatencyTable(console, table_width(console))
    kinds: dict[str, Callable[[TextIO], LatencyView]] = {
        "json": views.LatencyJson,
        "ndjson": views.LatencyRows,
        "csv": views.LatencyCsv,
    }
    return kinds[form](open_text(None, stack, is_data=True))
