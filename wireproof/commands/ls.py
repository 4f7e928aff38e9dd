"""``wireproof ls``: a line for each exchange."""

from __future__ import annotations

import click

from .choosing import Reading, reading_options
from .exits import Unreadable, because, examples, say
from .memory import MEMORY
from .parsing import parses
from .several import JOBS, broken_off, left_of


@click.command(
    short_help="List the exchanges, one per line.",
    epilog=examples(
        "wireproof ls capture.pcapng",
        "wireproof ls capture.pcapng --path '/v1/*' --status 5xx",
        "wireproof ls capture.pcapng --min-gap 2 --format csv",
        "wireproof ls capture.pcapng --format json | jq '.[] | select(.count > 9).target'",
    ),
)
@parses()
@MEMORY
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "json", "csv")),
    default="table",
    show_default=True,
    help="For people, scripts or spreadsheets.",
)
@JOBS
@reading_options
def ls(files: tuple[str, ...], form: str, jobs: int | None, reading: Reading) -> int:
    """List the exchanges in captures: who asked for what, when it came, and how it ended.

    FILE is a capture, or its records stored as ndjson, JSON or Parquet; - is standard input.
    The times of the first and last element count from the end of the request, or from its start if
    the answer's content began before the request ended.
    Calls of one agent or session are listed together if header fields or IDs in their payloads
    link them: a session or conversation ID, a continued response, an answered tool call.
    """
    from ..tasks.ls import LsOptions, run
    from ..tasks.sources import UnreadableSource
    from ..tasks.worker_died import WorkerDied

    try:
        found = run(LsOptions(files, form, reading.wanted, reading.keylog, jobs), say)
    except BrokenPipeError:
        raise
    except WorkerDied as died:
        return broken_off(died, left_of(None))
    except UnreadableSource as unreadable:
        raise Unreadable(because(unreadable.source, unreadable.error)) from unreadable
    if not found:
        say(reading.nothing)
    return 0
