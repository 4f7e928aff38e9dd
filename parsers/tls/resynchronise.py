"""Where a record begins after a border was lost: at a header that another one follows.

Strategy: a place is certain if there is a header where its length says that its record ends, or if
the stream ends right there: by chance one place in 2^43 has two headers. Places are judged in
their order, each when all bytes are there that it takes, so that how the input is cut changes
nothing. Kept is what begins with the first place that waits: a record and a header at most.
"""

from __future__ import annotations

import re

from ..limits import MAX_TLS_RECORD

HEADER_SIZE = 5
# ContentType: change_cipher_spec(20) to heartbeat(24); legacy_record_version 3.x; length
# (RFC 8446 section 5.1, RFC 6520 section 3)
HEADER = re.compile(rb"[\x14-\x18]\x03[\x00-\x04]..", re.DOTALL)


def fragment_length(header: bytes | bytearray) -> int | None:
    """Return the length that a record's header says; None if this is no header."""
    return int.from_bytes(header[3:5]) if HEADER.match(header) else None


class RecordSearch:
    """Searches input, whose first byte has the number ``offset``, for a record."""

    __slots__ = ("_kept", "_offset", "_from")

    def __init__(self, offset: int) -> None:
        self._kept = bytearray()
        self._offset = offset  # of the first byte of _kept
        self._from = 0  # where in _kept to search on

    @property
    def open_offset(self) -> int:
        """The first byte that may begin a record."""
        return self._offset

    def receive_data(self, data: bytes) -> tuple[int, bytes] | None:
        """Search on; return the place's offset and all bytes from there on."""
        self._kept += data
        return self._look(is_over=False)

    def receive_eof(self) -> tuple[int, bytes] | None:
        """Take note that nothing follows; return a place that this proves."""
        return self._look(is_over=True)

    def _look(self, *, is_over: bool) -> tuple[int, bytes] | None:
        kept = self._kept
        while (match := HEADER.search(kept, self._from)) is not None:
            pos = match.start()
            end = self._end_of(pos)
            if end is not None:
                if end + HEADER_SIZE > len(kept) and not is_over:
                    self._drop(pos)
                    return None
                if self._is_proven(end):
                    return self._offset + pos, bytes(kept[pos:])
            self._from = pos + 1
        self._drop(max(self._from, len(kept) - HEADER_SIZE + 1))
        return None

    def _end_of(self, pos: int) -> int | None:
        """Return where the record at ``pos`` ends; None if no record is that long, or empty."""
        length = fragment_length(self._kept[pos : pos + HEADER_SIZE]) or 0
        return pos + HEADER_SIZE + length if 0 < length <= MAX_TLS_RECORD else None

    def _is_proven(self, end: int) -> bool:
        """Whether a header stands at ``end``, or the input ends there."""
        following = self._kept[end : end + HEADER_SIZE]
        length = fragment_length(following)
        return end == len(self._kept) or (length is not None and length <= MAX_TLS_RECORD)

    def _drop(self, size: int) -> None:
        del self._kept[:size]
        self._offset += size
        self._from = 0
