"""``explain`` for scripts: one JSON document of all files, or a line for each verdict.

Strategy: the document is written as exchanges come, one a line, so that it never stands in memory.
What it holds is declared here in types, from which its schema is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

import msgspec

from ... import __version__
from ...analysis.listing import Listed
from ...analysis.outcomes import Outcome, Tally
from ...analysis.verdict import Severity, Verdict, VerdictRecord, verdict_record
from ..ndjson import one_line


class ExplainedExchange(Listed, frozen=True, kw_only=True):
    """An exchange with what is said of it."""

    has_failed: bool
    """Whether it makes the answer "no"."""
    verdicts: list[VerdictRecord]


class ExplainedFile(msgspec.Struct, frozen=True):
    """A file with its exchanges."""

    file: str
    """Its name as it was given."""
    exchanges: list[ExplainedExchange]
    counts: dict[Severity, int]
    """How many exchanges there are, by the gravest that is said of each."""


class Explanation(msgspec.Struct, frozen=True):
    """What ``wireproof explain --format json`` prints."""

    wireproof: str
    """The version that wrote it."""
    files: list[ExplainedFile]
    counts: dict[Severity, int]
    """Of all files."""
    failed: int
    """How many exchanges make the answer "no"."""


def _records(outcome: Outcome) -> list[VerdictRecord]:
    listed = outcome.listed
    return [verdict_record(one, listed.connection, listed.exchange) for one in outcome.verdicts]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


class JsonView:
    """Writes an :class:`Explanation`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._before_file = f'{{"wireproof":{_json(__version__)},"files":[\n'
        self._before = ""

    def begin(self, source: str) -> None:
        self._stream.write(f'{self._before_file}{{"file":{_json(source)},"exchanges":[')
        self._before_file, self._before = ",\n", "\n"

    def add(self, outcome: Outcome, failed: Sequence[Verdict]) -> None:
        fields = msgspec.structs.asdict(outcome.listed)
        exchange = ExplainedExchange(**fields, has_failed=bool(failed), verdicts=_records(outcome))
        self._stream.write(self._before + _json(exchange))
        self._before = ",\n"

    def end(self, tally: Tally) -> None:
        self._stream.write(f'\n],"counts":{_json(tally.counts)}}}')

    def close(self, tally: Tally) -> None:
        before = self._before_file if not self._before else ""
        counts = f'"counts":{_json(tally.counts)},"failed":{tally.failed}'
        self._stream.write(f"{before}\n],{counts}}}\n")
        self._stream.flush()


class NdjsonView:
    """Writes a line for each verdict: the contract's record, and the file that it is about."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._source = self._end = ""

    def begin(self, source: str) -> None:
        self._source, self._end = source, ""

    def add(self, outcome: Outcome, failed: Sequence[Verdict]) -> None:
        for record in _records(outcome):
            # A dictionary of all that it says, to put the file in, would take twice as long.
            self._end = self._end or f',"file":{_json(self._source)}}}'
            line = msgspec.json.encode(record).decode().removesuffix("}") + self._end
            self._stream.write(one_line(line.encode()).decode() + "\n")
        self._stream.flush()

    def end(self, tally: Tally) -> None:
        """A line needs no end but its own."""

    def close(self, tally: Tally) -> None:
        self._stream.flush()
