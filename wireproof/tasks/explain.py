"""What ``wireproof explain`` does: captures in, what is said of their exchanges out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import NamedTuple

from parsers import KeyLog

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.fail_on import FailOn
from ..analysis.outcomes import Outcome, Tally
from ..output import open_text
from ..views.verdicts import FORMATS, VerdictView
from .decode import check_output
from .judged import Judging, judged
from .sources import Say


class ExplainOptions(NamedTuple):
    """The options of ``wireproof explain``."""

    sources: Sequence[str]
    """Paths; ``-`` for standard input."""
    format: str = "table"
    """One of FORMATS."""
    output: str | None = None
    """A path; None or ``-`` for standard output."""
    wanted: ExchangeFilter = EVERYTHING
    fail_on: FailOn = FailOn(("warning",))
    keylog: KeyLog | None = None
    """Secrets of TLS, beside those in the capture."""
    jobs: int | None = None
    """How many processes read the captures, at most. None: as many as help."""


def run(options: ExplainOptions, say: Say) -> Tally:
    """Explain all files; return what they came to.

    ``say`` takes what a user should know beside it. Raises UnreadableSource for the first file that
    cannot be read, WorkerDied, OSError for an output that cannot be written, and ValueError for an
    output that is a capture.
    """
    for source in options.sources:
        check_output(source, options.output)
    total = Tally()
    judging = Judging(options.sources, "explaining", options.wanted, options.keylog)
    with ExitStack() as stack:
        view: VerdictView | None = None
        for source, found in stack.enter_context(judged(judging, options.jobs, say)):
            # Before the output is opened: what is no capture costs nobody a file.
            first = next(found)
            if view is None:
                view = FORMATS[options.format](
                    open_text(options.output, stack, is_data=options.format != "table")
                )
                # An interrupted command leaves what it had, in the form that the format needs.
                stack.callback(view.close, total)
            _explain(options, source, chain(first, chain.from_iterable(found)), view, total)
    return total


def _explain(
    options: ExplainOptions,
    source: str,
    found: Iterator[Outcome],
    view: VerdictView,
    total: Tally,
) -> None:
    """Explain one file, and add to the total what it came to."""
    tally = Tally()
    view.begin(source)
    try:
        for outcome in found:
            failed = [verdict for verdict in outcome.verdicts if options.fail_on.takes(verdict)]
            view.add(outcome, failed)
            tally.add(outcome.listed.severity, bool(failed), tls=outcome.listed.tls)
    finally:
        view.end(tally)
        total.join(tally)
