"""What is said of exchanges, in a format on a stream: for people, for scripts, and for CI.

Strategy: a view gets one exchange after the other, file by file, and writes it at once; what a
format wants first and only the end knows, its module says how it is had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from ...analysis.outcomes import Outcome, Tally
    from ...analysis.verdict import Verdict


class VerdictView(Protocol):
    """What every view of verdicts is."""

    def begin(self, source: str) -> None:
        """Begin with a file; ``source`` is its name as given, ``-`` for standard input."""

    def add(self, outcome: Outcome, failed: Sequence[Verdict]) -> None:
        """Take the next exchange; ``failed``: its verdicts that make the answer "no"."""

    def end(self, tally: Tally) -> None:
        """End the file; ``tally`` is what it came to."""

    def close(self, tally: Tally) -> None:
        """Write what ends the format; ``tally`` is of all files. The stream stays open."""


def _table(stream: TextIO) -> VerdictView:
    from rich.console import Console

    from ..kinds import table_width
    from .table import TableView

    console = Console(file=stream)
    return TableView(console, table_width(console))


def _json(stream: TextIO) -> VerdictView:
    from .json import JsonView

    return JsonView(stream)


def _ndjson(stream: TextIO) -> VerdictView:
    from .json import NdjsonView

    return NdjsonView(stream)


def _junit(stream: TextIO) -> VerdictView:
    from .junit import JunitView

    return JunitView(stream)


def _sarif(stream: TextIO) -> VerdictView:
    from .sarif import SarifView

    return SarifView(stream)


def _github(stream: TextIO) -> VerdictView:
    from .github import GithubView

    return GithubView(stream)


FORMATS: dict[str, Callable[[TextIO], VerdictView]] = {
    "table": _table,
    "json": _json,
    "ndjson": _ndjson,
    "junit": _junit,
    "sarif": _sarif,
    "github": _github,
}
"""Every format, and what opens it on a text stream."""
