"""Views: records in, a format on a stream out.

Strategy: a view is made with its stream and gets records in batches of any size, a single one
when they come live. Nothing is collected: what a view keeps is bounded and stated in its
module. Which views there are, :mod:`.kinds` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from parsers.records import Record

Buffer = bytes | memoryview
"""Bytes, wherever they lie."""


class View(Protocol):
    """What every view of records is."""

    def write(self, records: Sequence[Record]) -> None:
        """Take the next records, in order."""

    def flush(self) -> None:
        """Write out all that the records so far give."""

    def close(self) -> None:
        """Write what ends the format. The stream stays open."""


class Export(View, Protocol):
    """A view for programs: each record can be encoded by itself, wherever that is done."""

    def __init__(self, stream: BinaryIO) -> None: ...

    @staticmethod
    def encode(records: Sequence[Record], /) -> tuple[bytes, list[int]]:
        """Return records in the format, one after the other, and where each of them ends."""

    def write_encoded(self, parts: Sequence[Buffer]) -> None:
        """Take the next records, encoded: one or several in each part."""
