"""``wireproof explain``: did it stream, who held it, who ended it, and what to do."""

from __future__ import annotations

import click

from .choosing import Reading, Words, reading_options
from .exits import Unreadable, because, called, examples, say
from .memory import MEMORY
from .parsing import parses
from .several import JOBS, broken_off, left_of

FORMATS = ("table", "json", "ndjson", "junit", "sarif", "github")


@click.command(
    short_help="Explain what happened: did it stream, how did it end, and why.",
    epilog=examples(
        "wireproof explain capture.pcapng",
        "wireproof explain capture.pcapng --path '/v1/*' --verdict held",
        "wireproof explain *.pcapng --format junit -o report.xml",
        "wireproof explain capture.pcapng --format github --fail-on error",
        "wireproof explain capture.pcapng --format ndjson | jq 'select(.is_fault).summary'",
    ),
)
@parses()
@MEMORY
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="For people; scripts (json, ndjson); test reports; code scanning; workflow annotations.",
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
@click.option(
    "--fail-on",
    type=Words("never"),
    metavar="LIST",
    default="warning",
    show_default=True,
    help="What sets exit code 1: error, warning or note, or anything more severe; a question "
    "(ending), an answer (held), a cause (loss); several separated by commas; or never.",
)
@JOBS
@reading_options
def explain(
    files: tuple[str, ...],
    form: str,
    output: str | None,
    fail_on: str,
    jobs: int | None,
    reading: Reading,
) -> int:
    """Say for each exchange whether it streamed, who held it back, how it ended, and what to do.

    FILE is a capture, or its records stored as ndjson, JSON or Parquet; - is standard input.
    Exits with 1 if anything is wrong.
    """
    from ..analysis.fail_on import FailOn
    from ..tasks.explain import ExplainOptions, run
    from ..tasks.sources import UnreadableSource
    from ..tasks.worker_died import WorkerDied

    words = [word.strip() for word in fail_on.split(",") if word.strip()]
    options = ExplainOptions(
        files, form, output, reading.wanted, FailOn(words), reading.keylog, jobs
    )
    try:
        tally = run(options, say)
    except BrokenPipeError:
        raise
    except WorkerDied as died:
        return broken_off(died, left_of(output))
    except UnreadableSource as unreadable:
        raise Unreadable(because(unreadable.source, unreadable.error)) from unreadable
    except (OSError, ValueError) as error:
        raise Unreadable(because(called(output), error)) from error
    if not tally.exchanges:
        say(reading.nothing)
    return 1 if tally.failed else 0
