"""``wireproof diff``: what became worse from one run to another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from .choosing import key_log
from .exits import Finite, Unreadable, because, called, examples, need, say
from .memory import MEMORY
from .parsing import parses
from .spreading import need_stores, needs_network, stores

if TYPE_CHECKING:
    from ..diff.profile import Profile


@click.command(
    short_help="Show what got worse from one run to another.",
    epilog=examples(
        "wireproof diff before.pcapng after.pcapng",
        "wireproof diff release-41/ release-42/ -o comment.md",
        "wireproof diff run.pcapng --write-baseline baseline.json",
        "wireproof diff run.pcapng --baseline baseline.json -o diff.xml",
    ),
)
@parses("pyarrow", unless=needs_network)
@MEMORY
@click.argument("files", metavar="A [B]", nargs=-1, required=True)
@click.option("--baseline", "log", metavar="FILE", help="Compare with this instead of A.")
@click.option("--write-baseline", "kept_in", metavar="FILE", help="Save A as a baseline, and exit.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "json", "junit", "markdown")),
    help="For people, scripts, CI, or pull requests. Default: as OUT's suffix says, else table.",
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
@click.option(
    "--slower",
    type=Finite(0),
    metavar="FRACTION",
    default=0.2,
    show_default=True,
    help="Smallest growth of a time that counts: 0.2 is 20 %.",
)
@click.option(
    "--share",
    type=Finite(0, 1),
    metavar="FRACTION",
    default=0.05,
    show_default=True,
    help="Smallest growth of a share of exchanges that counts: 0.05 is 5 percentage points.",
)
@click.option(
    "--chance",
    type=Finite(0, 1),
    metavar="P",
    default=0.01,
    show_default=True,
    help="Largest p-value at which differences count, all together.",
)
@click.option("--keylog", metavar="KEYS", help="Decrypt TLS with this key log.")
def diff(
    files: tuple[str, ...],
    log: str | None,
    kept_in: str | None,
    form: str | None,
    output: str | None,
    slower: float,
    share: float,
    chance: float,
    keylog: str | None,
) -> int:
    """Compare two runs: captures, folders, patterns or data sets.

    Exchanges are matched by method and target, then compared: verdicts, endings, first token,
    gaps, elements and retransmissions. A difference counts if it exceeds the thresholds and is
    unlikely to be chance. If there are too few exchanges to tell, that is said.
    What cannot be read is named and left out. Exits with 1 if anything got worse, if no request
    of A is in B, or if something was left out.
    """
    need("parquet", "diff")
    need_stores(files)
    wanted = 1 if log is not None or kept_in is not None else 2
    if len(files) != wanted or (log is not None and kept_in is not None):
        said = "give A and B, or one run with --baseline or --write-baseline"
        raise click.UsageError(said, click.get_current_context())
    if output is not None and kept_in is not None:
        said = "--write-baseline compares nothing: leave out -o"
        raise click.UsageError(said, click.get_current_context())
    from ..diff.compare import compare, is_comparison, is_regression
    from ..diff.profile import encoded
    from ..diff.questions import Thresholds
    from ..diff.reading import profile_of
    from ..output import format_by_ending, open_stream, open_text
    from ..tables.places import NothingToRead
    from ..views.changes import ENDINGS, FORMATS, Lacks, kept

    try:
        form = form or format_by_ending(output, ENDINGS, "table")
    except ValueError as error:
        raise Unreadable(because(called(output), error)) from error
    keys = key_log(keylog)
    profiles: list[Profile] = []
    left_out: list[list[str]] = []
    for source in (*filter(None, [log]), *files):
        left_out.append([])
        try:
            with stores([source]):
                found = profile_of([source], telling(left_out[-1]), keylog=keys, note=say)
                profiles.append(found)
        except NothingToRead as error:
            raise Unreadable(str(error)) from error
        except (OSError, ValueError) as error:
            wanted_is = "; --baseline takes what --write-baseline wrote, or a capture"
            raise Unreadable(because(source, error) + wanted_is * (source == log)) from error
    if kept_in is not None:
        try:
            with ExitStack() as stack:
                open_stream(kept_in, stack).write(encoded(profiles[0]))
        except OSError as error:
            raise Unreadable(because(kept_in, error)) from error
        say(f"{kept_in}: {kept(profiles[0], Thresholds().least)}")
        return 1 if any(left_out) else 0
    changes = compare(
        profiles[0], profiles[1], Thresholds(chance=chance, share=share, slower=slower)
    )
    before, after = (
        Lacks(messages, profile.faults, profile.incomplete)
        for profile, messages in zip(profiles, left_out, strict=True)
    )
    try:
        with ExitStack() as stack:
            stream = open_text(output, stack, is_data=form != "table")
            FORMATS[form](changes, (before, after), stream)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unreadable(because(called(output), error)) from error
    is_good = is_comparison(changes) and not is_regression(changes) and not any(left_out)
    return 0 if is_good else 1


def telling(left_out: list[str]) -> Callable[[str], object]:
    """Return what keeps a message of what is left out of a run, and says it."""

    def leave_out(message: str) -> None:
        left_out.append(message)
        say(message)

    return leave_out
