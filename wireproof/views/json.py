"""``--format json``: one JSON array of the same objects as in ``ndjson``, streamed.

Strategy: the array is opened with the first record and closed at the end, one record a line,
so that it never stands in memory and can still be read by eye and by ``diff``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import BinaryIO

import msgspec
from parsers.records import Record

from . import Buffer

ENCODER = msgspec.json.Encoder()
BETWEEN = b",\n"


class JsonView:
    """Writes all records as one JSON array in UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._has_begun = False

    @staticmethod
    def encode(records: Sequence[Record], /) -> tuple[bytes, list[int]]:
        """Return the JSON object of each record, with what parts it from the one before."""
        parts = [BETWEEN + ENCODER.encode(record) for record in records]
        return b"".join(parts), list(accumulate(map(len, parts)))

    def write(self, records: Sequence[Record]) -> None:
        """Write the records, with what parts them from those before."""
        self.write_encoded([self.encode(records)[0]])

    def write_encoded(self, parts: Sequence[Buffer]) -> None:
        """Write JSON objects, with what parts them from those before."""
        data = b"".join(parts)
        if not data:
            return
        if not self._has_begun:
            data = b"[\n" + data[len(BETWEEN) :]
        # Before it is written: Ctrl-C is noticed after the call, and close() must know.
        self._has_begun = True
        self._stream.write(data)

    def flush(self) -> None:
        """Hand what is written to the system."""
        self._stream.flush()

    def close(self) -> None:
        """Close the array, which is empty if there was no record."""
        self._stream.write(b"\n]\n" if self._has_begun else b"[]\n")
        self._stream.flush()
