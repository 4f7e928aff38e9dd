"""What ``wireproof ls`` does: captures in, a line for each of their exchanges out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.outcomes import outcomes
from ..views.exchange_list import FORMATS, ListView
from .decode import open_text
from .sources import record_batches
from .undecoded import noting_undecoded

Say = Callable[[str], object]


class LsOptions(NamedTuple):
    """The options of ``wireproof ls``."""

    sources: Sequence[str]
    """Paths; ``-`` for standard input."""
    format: str = "table"
    """One of FORMATS."""
    wanted: ExchangeFilter = EVERYTHING


def run(options: LsOptions, say: Say) -> int:
    """List the exchanges of all files; return how many there are.

    ``say`` takes what a user should know beside it. Raises UnreadableSource, and OSError for an
    output that cannot be written.
    """
    found = 0
    with ExitStack() as stack:
        view: ListView | None = None
        for source in options.sources:
            undecoded: list[str] = []
            batches = noting_undecoded(record_batches(source, "listing", stack), undecoded)
            for outcome in outcomes(batches, options.wanted):
                if view is None:
                    view = _open(options, stack)
                view.add(source, outcome.listed)
                found += 1
            for summary in undecoded:
                say(f"{'standard input' if source == '-' else source}: {summary}")
        if view is None:
            view = _open(options, stack)
        view.close()
    return found


def _open(options: LsOptions, stack: ExitStack) -> ListView:
    return FORMATS[options.format](open_text(None, stack), len(options.sources) > 1)
