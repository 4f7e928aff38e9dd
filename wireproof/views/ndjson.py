"""``--format ndjson``: one JSON object a line, as the contract has it.

Strategy: msgspec encodes a batch of records into one bytes object, or few, each written at once;
nothing is kept. A record costs its encoding and no Python call of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import msgspec
from parsers.records import Record

from . import Buffer

AT_ONCE = 1_024
"""Records that are encoded at once: half a megabyte of lines."""
ENCODER = msgspec.json.Encoder()
LINE_ENDS = {
    character.encode(): rf"\u{ord(character):04x}".encode() for character in "\x85\u2028\u2029"
}
"""What is a line end to ``str.splitlines`` and no control character to JSON: NEL, LINE SEPARATOR
and PARAGRAPH SEPARATOR, and how JSON may write them (RFC 8259 section 7)."""


def _lines(records: Sequence[Record]) -> bytes:
    """Return a line for each record, which is one to everybody who splits them."""
    return one_line(ENCODER.encode_lines(records))


def one_line(lines: bytes) -> bytes:
    """Return JSON in which no string holds what anybody takes for the end of a line."""
    if lines.isascii():  # nearly always, and told ten times as fast as that three are missing
        return lines
    for character, escaped in LINE_ENDS.items():
        if character in lines:  # they stand in strings only: JSON's own characters are ASCII
            lines = lines.replace(character, escaped)
    return lines


class NdjsonView:
    """Writes each record as a line of JSON in UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    @staticmethod
    def encode(records: Sequence[Record], /) -> tuple[bytes, list[int]]:
        """Return the lines of the records, and where each ends: nothing else is a line end."""
        data = _lines(records)
        ends: list[int] = []
        end = 0
        while end := data.find(b"\n", end) + 1:
            ends.append(end)
        return data, ends

    def write(self, records: Sequence[Record]) -> None:
        """Write the records, of which so many at a time stand encoded in memory."""
        for start in range(0, len(records), AT_ONCE):
            self._stream.write(_lines(records[start : start + AT_ONCE]))

    def write_encoded(self, parts: Sequence[Buffer]) -> None:
        """Write lines."""
        self._stream.write(b"".join(parts))

    def flush(self) -> None:
        """Hand what is written to the system."""
        self._stream.flush()

    def close(self) -> None:
        """Flush: a line needs no end but its own."""
        self._stream.flush()
