"""What ``wireproof ls`` does: captures in, a line for each of their exchanges out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import chain
from typing import NamedTuple

from parsers import KeyLog

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..output import open_text
from ..views.exchange_list import FORMATS, ListView
from .judged import Judging, judged
from .sources import Say


class LsOptions(NamedTuple):
    """The options of ``wireproof ls``."""

    sources: Sequence[str]
    """Paths; ``-`` for standard input."""
    format: str = "table"
    """One of FORMATS."""
    wanted: ExchangeFilter = EVERYTHING
    keylog: KeyLog | None = None
    """Secrets of TLS, beside those in the capture."""
    jobs: int | None = None
    """How many processes read the captures, at most. None: as many as help."""


def run(options: LsOptions, say: Say) -> int:
    """List the exchanges of all files; return how many there are.

    ``say`` takes what a user should know beside it. Raises UnreadableSource, WorkerDied, and
    OSError for an output that cannot be written.
    """
    found = 0
    judging = Judging(options.sources, "listing", options.wanted, options.keylog, with_ids=True)
    with ExitStack() as stack:
        view: ListView | None = None
        for source, outcomes in stack.enter_context(judged(judging, options.jobs, say)):
            # Before the output is opened: what is no capture costs nobody a file.
            first = next(outcomes)
            view = view or _open(options, stack)
            for outcome in chain(first, chain.from_iterable(outcomes)):
                view.add(source, outcome.listed)
                found += 1
    return found


def _open(options: LsOptions, stack: ExitStack) -> ListView:
    text = open_text(None, stack, is_data=options.format != "table")
    view = FORMATS[options.format](text, len(options.sources) > 1)
    # An interrupted command leaves what it had, in the form that the format needs.
    stack.callback(view.close)
    return view
