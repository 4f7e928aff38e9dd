"""Where TLS records begin on a connection whose start is not in the capture.

Strategy: what a record's header says of its end is held against what is there. Two headers, one
after another, rule chance out wherever they stand. Where each record is alone in its segments, as
where events are written one by one, its header stands where a segment begins, and its end is where
one ends.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..limits import MAX_TLS_RECORD
from .resynchronise import HEADER_SIZE, RecordSearch, fragment_length

# ContentType, and a legacy_record_version that records have after the first one
# (RFC 8446 section 5.1): SSL 3.0 would have 3.0, and nothing has 3.4.
_HEADER = re.compile(rb"[\x14-\x18]\x03[\x01-\x03]", re.DOTALL)
_CHAIN_BITS = 43
"""Five types of 256, five versions of 65,536, and a length of at most MAX_TLS_RECORD: twice."""
_WHOLE_BITS = 30
"""Five types, three versions and a length, and eight bits for an end that is a segment's."""


class RecordPlace(NamedTuple):
    """Where records begin."""

    offset: int
    bits: int
    """Chance has such a place less than once in 2^bits."""


class RecordsSearch:
    """Searches one direction, of which what comes is a segment's; begins at ``offset``."""

    __slots__ = ("_offset", "_chain", "_start", "_left")

    def __init__(self, offset: int) -> None:
        self._offset = offset  # of the next byte
        self._begin()

    def _begin(self) -> None:
        self._chain = RecordSearch(self._offset)
        self._start = self._offset  # of a record that began where a segment did
        self._left = 0  # of its bytes; 0 if there is none

    def receive_data(self, data: bytes) -> RecordPlace | None:
        """Search on; return the place once it is certain."""
        start, self._offset = self._offset, self._offset + len(data)
        found = self._chain.receive_data(data)
        if found is not None:
            return RecordPlace(found[0], _CHAIN_BITS)
        return self._read_alone(start, data)

    def _read_alone(self, start: int, data: bytes) -> RecordPlace | None:
        """Go on with a record that began where a segment did; return it if one ends it."""
        if not self._left and _HEADER.match(data):
            length = fragment_length(data[:HEADER_SIZE]) or 0
            if 0 < length <= MAX_TLS_RECORD:
                self._start, self._left = start, HEADER_SIZE + length
        if self._left and self._left == len(data):
            return RecordPlace(self._start, _WHOLE_BITS)
        self._left = max(0, self._left - len(data))
        return None

    def receive_gap(self, length: int) -> None:
        """Begin anew after missing bytes."""
        self._offset += length
        self._begin()
