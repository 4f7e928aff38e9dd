"""``--format json``: one JSON array of the same objects as in ``ndjson``, streamed.

Strategy: the array is opened with the first record and closed at the end, one record a line,
so that it never stands in memory and can still be read by eye and by ``diff``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import msgspec
from parsers.records import Record

ENCODER = msgspec.json.Encoder()


class JsonView:
    """Writes all records as one JSON array in UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._before = b"[\n"  # what stands before the next record

    @staticmethod
    def encode(records: Sequence[Record], /) -> list[bytes]:
        """Return the JSON object of each record."""
        return list(map(ENCODER.encode, records))

    def write(self, records: Sequence[Record]) -> None:
        """Write the records, with what parts them from those before."""
        self.write_encoded(self.encode(records))

    def write_encoded(self, parts: Sequence[bytes]) -> None:
        """Write JSON objects, with what parts them from those before."""
        if not parts:
            return
        data = self._before + b",\n".join(parts)
        # Before it is written: Ctrl-C is noticed after the call, and close() must know.
        self._before = b",\n"
        self._stream.write(data)

    def flush(self) -> None:
        """Hand what is written to the system."""
        self._stream.flush()

    def close(self) -> None:
        """Close the array, which is empty if there was no record."""
        self._stream.write(b"[]\n" if self._before == b"[\n" else b"\n]\n")
        self._stream.flush()
