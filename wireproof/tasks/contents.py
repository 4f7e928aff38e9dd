"""The list of exchanges that stands before the tables of a capture that has many, or after them.

Strategy: a small file is read once more, before its tables are printed. A large one, and a pipe,
are read once: there the exchanges are listed as their records pass, and the list stands at the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO, TextIO

from parsers import KeyLog, decode_batches
from parsers.records import Record

from ..analysis.exchange_filter import ExchangeFilter
from ..analysis.outcomes import Outcome, Outcomes, outcomes
from ..text.escape import escape
from ..text.wording import count
from ..views.exchange_list import open_table

MANY = 4
"""Exchanges from which on a capture has a list."""
MAX_LISTED = 100
"""Lines of a list; more are counted."""
SMALL = 4 * 1024 * 1024
"""Bytes of a file that is read twice: a second at most."""


class Contents:
    """Lists the exchanges of a capture named ``source``."""

    def __init__(self, source: str, wanted: ExchangeFilter, keylog: KeyLog | None = None) -> None:
        self._keylog = keylog
        self._source = source
        self._wanted = wanted
        self._found: list[Outcome] = []
        self._count = 0

    def is_read_first(self, stream: BinaryIO) -> bool:
        """Read a file to its end and go back to its beginning, if it is small; return if it is."""
        if os.fstat(stream.fileno()).st_size > SMALL:
            return False
        self._take(outcomes(decode_batches(stream, keylog=self._keylog), self._wanted))
        stream.seek(0)
        return True

    def beside(self, batches: Iterable[list[Record]]) -> Iterator[list[Record]]:
        """Yield batches, and take their records."""
        found = Outcomes(self._wanted)
        for records in batches:
            self._take(found.add(records))
            yield records
        self._take(found.finish())

    def show(self, text: TextIO) -> None:
        """Print the list, if there are many exchanges."""
        if self._count < MANY:
            return
        table = open_table(text, named=False)
        for outcome in self._found:
            table.add(self._source, outcome.listed)
        table.close()
        if more := self._count - len(self._found):
            source = escape(self._source)
            text.write(f"… {count(more, 'exchange')} more: wireproof ls {source}\n")
        text.write("\n")

    def _take(self, found: Iterable[Outcome]) -> None:
        for outcome in found:
            self._count += 1
            if len(self._found) < MAX_LISTED:
                self._found.append(outcome)
