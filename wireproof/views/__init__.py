"""Views: records in, a format on a stream out.

Strategy: a view is made with its stream and gets records in batches of any size, a single one
when they come live. Nothing is collected: what a view keeps is bounded and stated in its
module. Views are imported when they are asked for, because ``table`` needs rich.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Literal, Protocol

from parsers.records import Record

Format = Literal["table", "ndjson", "json", "csv"]


class View(Protocol):
    """What every format is."""

    def write(self, records: Sequence[Record]) -> None:
        """Take the next records, in order."""

    def flush(self) -> None:
        """Write out all that the records so far give."""

    def close(self) -> None:
        """Write what ends the format. The stream stays open."""


def open_view(name: Literal["ndjson", "json", "csv"], stream: BinaryIO) -> View:
    """Return the view of that name over a binary stream."""
    if name == "ndjson":
        from .ndjson import NdjsonView

        return NdjsonView(stream)
    if name == "json":
        from .json import JsonView

        return JsonView(stream)
    from .csv import CsvView

    return CsvView(stream)
