"""``--format ndjson``: one JSON object a line, as the contract has it.

Strategy: msgspec encodes a batch of records into one bytes object, which is written at once;
nothing is kept. A record costs its encoding and no Python call of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from parsers.records import Record

ENCODER = msgspec.json.Encoder()


class NdjsonView:
    """Writes each record as a line of JSON in UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    @staticmethod
    def encode(records: Sequence[Record], /) -> list[bytes]:
        """Return the line of each record: nothing else in JSON is a line end."""
        return ENCODER.encode_lines(records).splitlines(keepends=True)

    def write(self, records: Sequence[Record]) -> None:
        """Write the records; the encoded batch is all that stands in memory."""
        self._stream.write(ENCODER.encode_lines(records))

    def write_encoded(self, parts: Sequence[bytes]) -> None:
        """Write lines."""
        self._stream.write(b"".join(parts))

    def flush(self) -> None:
        """Hand what is written to the system."""
        self._stream.flush()

    def close(self) -> None:
        """Flush: a line needs no end but its own."""
        self._stream.flush()
