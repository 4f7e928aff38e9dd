"""``wireproof ls``: a line for each exchange."""

from __future__ import annotations

import click

from .choosing import Reading, reading_options
from .exits import Unreadable, because, examples, say
from .memory import MEMORY
from .parsing import parses
from .several import JOBS, broken_off


@click.command(
    short_help="List the exchanges, a line for each.",
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
    help="For people, for scripts, for spreadsheets.",
)
@JOBS
@reading_options
def ls(files: tuple[str, ...], form: str, jobs: int | None, reading: Reading) -> int:
    """List the exchanges of captures: who asked for what, when it came, and how it fared.

    FILE is a capture, or the records of one that were stored as ndjson, JSON or Parquet; - is
    standard input. Times count from the end of the request, for the first and the last element;
    from its beginning, where the answer's content began before the request had ended.
    Calls of one agent or session are named together where header fields or ids in their payloads
    say so: a session's or conversation's own, a response that is continued, a tool call that is
    answered.
    """
    from ..tasks.ls import LsOptions, run
    from ..tasks.sources import UnreadableSource
    from ..tasks.worker_died import WorkerDied

    try:
        found = run(LsOptions(files, form, reading.wanted, reading.keylog, jobs), say)
    except BrokenPipeError:
        raise
    except WorkerDied as died:
        return broken_off(died)
    except UnreadableSource as unreadable:
        raise Unreadable(because(unreadable.source, unreadable.error)) from unreadable
    if not found:
        say(reading.nothing)
    return 0
