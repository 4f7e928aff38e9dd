"""What ``wireproof hops`` does: captures of one way in, a verdict on each hop out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from parsers import KeyLog
from parsers.records import Record

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.hops.report import Report, hops
from ..output import open_text
from ..views.hops import FORMATS
from .decode import check_output
from .sources import Say, reading


class HopsOptions(NamedTuple):
    """The options of ``wireproof hops``."""

    sources: Sequence[str]
    """Paths, the client's first; ``-`` for standard input."""
    format: str = "table"
    """One of FORMATS."""
    output: str | None = None
    """A path; None or ``-`` for standard output."""
    elements: int = 20
    """How many elements are shown with their delays."""
    wanted: ExchangeFilter = EVERYTHING
    keylog: KeyLog | None = None
    """Secrets of TLS, beside those in the capture."""


def run(options: HopsOptions, say: Say) -> Report:
    """Judge the hops between captures, and write what is said of them.

    ``say`` takes what a user should know beside it. Raises UnreadableSource, OSError for an output
    that cannot be written, and ValueError for an output that is a capture.
    """
    for source in options.sources:
        check_output(source, options.output)
    with ExitStack() as stack:
        captures = ((source, _records(source, say, options.keylog)) for source in options.sources)
        report = hops(captures, options.wanted)
        if report.passed:
            text = open_text(options.output, stack, is_data=options.format != "table")
            FORMATS[options.format](text, options.elements)(report)
    return report


def _records(source: str, say: Say, keylog: KeyLog | None) -> Iterator[Record]:
    with reading(source, "reading", say, keylog=keylog) as batches:
        for batch in batches:
            yield from batch
