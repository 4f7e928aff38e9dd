"""What a capture holds beside the records: told to the user, once, when all is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeGuard

from parsers import NOT_DECODED
from parsers.records import DiagnosticRecord, Record


def is_undecoded(record: Record) -> TypeGuard[DiagnosticRecord]:
    """Whether a record says what was not decoded."""
    return isinstance(record, DiagnosticRecord) and record.code == NOT_DECODED


def noting_undecoded(batches: Iterable[list[Record]], found: list[str]) -> Iterator[list[Record]]:
    """Yield batches; before the last one, add to ``found`` what that says was not decoded.

    It begins with what belongs to no connection, as few others do: only those are looked through.
    """
    for records in batches:
        if records and records[0].connection is None:
            found += [record.summary for record in records if is_undecoded(record)]
        yield records
