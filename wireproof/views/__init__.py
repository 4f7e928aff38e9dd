"""Views: records in, a format on a stream out.

Strategy: a view is made with its stream and gets records in batches of any size, a single one
when they come live. Nothing is collected: what a view keeps is bounded and stated in its
module. Views are imported when they are asked for, because ``table`` needs rich.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Literal, Protocol

from parsers.records import Record

ExportFormat = Literal["ndjson", "json", "csv"]
Format = Literal["table"] | ExportFormat


class View(Protocol):
    """What every format is."""

    def write(self, records: Sequence[Record]) -> None:
        """Take the next records, in order."""

    def flush(self) -> None:
        """Write out all that the records so far give."""

    def close(self) -> None:
        """Write what ends the format. The stream stays open."""


class Export(View, Protocol):
    """A format for programs: each record can be encoded by itself, wherever that is done."""

    def __init__(self, stream: BinaryIO) -> None: ...

    @staticmethod
    def encode(records: Sequence[Record], /) -> list[bytes]:
        """Return each record in the format, without what parts it from others."""

    def write_encoded(self, parts: Sequence[bytes]) -> None:
        """Take the next records, encoded."""


def export(name: ExportFormat) -> type[Export]:
    """Return the class of the view of that name."""
    if name == "ndjson":
        from .ndjson import NdjsonView

        return NdjsonView
    if name == "json":
        from .json import JsonView

        return JsonView
    from .csv import CsvView

    return CsvView


def open_view(name: ExportFormat, stream: BinaryIO) -> Export:
    """Return the view of that name over a binary stream."""
    return export(name)(stream)
