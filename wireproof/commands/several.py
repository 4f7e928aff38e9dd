"""``--jobs``: how many processes read captures, the same for every command that judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .exits import say

if TYPE_CHECKING:
    from ..tasks.worker_died import WorkerDied

JOBS = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Read in up to N processes, at most one per core: several FILEs, each by one process, or "
    "the connections of one FILE, which saves time if they stream; the output is the same. By "
    "default several FILEs over 20 MB in total get one per core, up to 8, and one FILE gets one.",
)

JOBS_OF_EACH = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    show_default=True,
    help="Divide the connections of each FILE among up to N processes, at most one per core, which "
    "saves time if they stream; the output is the same.",
)


def left_of(output: str | None) -> str:
    """Say what there is of an output that breaks off: a file appears whole or not at all."""
    if output in (None, "-"):
        return "the output stops before the capture does"
    return f"{output} was not written"


def broken_off(died: WorkerDied, left: str) -> int:
    """Say at which capture a worker died, and what is ``left``; return the exit code."""
    say(f"{died.source}: {died}: {left}")
    return died.exit_code
