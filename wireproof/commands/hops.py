"""``wireproof hops``: which hop held, lost or changed what."""

from __future__ import annotations

import click

from .choosing import Reading, reading_options
from .exits import Unreadable, because, called, examples, say
from .memory import MEMORY
from .parsing import parses


@click.command(
    short_help="Find the hop that held, lost or changed data.",
    epilog=examples(
        "wireproof hops client.pcapng server.pcapng",
        "wireproof hops client.pcapng between.pcapng server.pcapng --path '/v1/*'",
        "wireproof hops proxy.pcapng              one capture that saw both sides of a proxy",
        "wireproof hops a.pcapng b.pcapng --format json | jq '.hops[] | select(.is_fault)'",
    ),
)
@parses()
@MEMORY
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "json", "ndjson")),
    default="table",
    show_default=True,
    help="For people; for scripts, one document or one verdict per line.",
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
@click.option(
    "--elements",
    type=click.IntRange(min=0),
    metavar="N",
    default=20,
    show_default=True,
    help="Show the delay of the first N elements and of those that waited longest.",
)
@reading_options
def hops(
    files: tuple[str, ...], form: str, output: str | None, elements: int, reading: Reading
) -> int:
    """Compare the legs of each exchange to find the hop that held, lost or changed data.

    FILEs are captures in order from client to server, or one that saw several legs; - is standard
    input. Exchanges are paired by content, so chunks, codings, IDs and clocks may differ. The
    offset between two clocks is estimated and shown with its bounds. Exits with 1 if a hop holds,
    loses or rewrites data, or if no exchange was seen on two legs.
    """
    from ..tasks.hops import HopsOptions, run
    from ..tasks.sources import UnreadableSource

    try:
        report = run(
            HopsOptions(files, form, output, elements, reading.wanted, reading.keylog), say
        )
    except BrokenPipeError:
        raise
    except UnreadableSource as unreadable:
        raise Unreadable(because(unreadable.source, unreadable.error)) from unreadable
    except (OSError, ValueError) as error:
        raise Unreadable(because(called(output), error)) from error
    if not report.passed:
        say(f"{reading.nothing} was seen on more than one leg ({report.alone:,} on one)")
        return 1
    return 1 if report.is_fault else 0
