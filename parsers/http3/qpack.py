"""Field sections of one direction (RFC 9204), decoded by pylsqpack.

Strategy: what both sides share is a table that the encoder's stream fills, so a section may have to
wait for instructions that come in another packet: it is blocked until then. pylsqpack keeps the
table and the sections that wait. It has no bound of what one section may decode to, so its lines
are counted before: each may refer to an entry as large as the table.
"""

from __future__ import annotations

from typing import Literal

import pylsqpack

from ..http2.hpack import Field
from ..limits import MAX_BLOCKED_SECTIONS, MAX_HEADER_FIELDS, MAX_QPACK_SECTION, MAX_QPACK_TABLE

Blocked = Literal["blocked"]


class QpackError(ValueError):
    """A section or an instruction that cannot be read; the text says why."""


class SectionDecoder:
    """Decodes the sections that one side sends, by the table that the other allows."""

    def __init__(self) -> None:
        self._capacity = 0
        self._decoder = pylsqpack.Decoder(0, MAX_BLOCKED_SECTIONS)
        self.is_broken = False
        """Whether the table is not known any more: an instruction was wrong or is missing."""
        self.is_allowed = False
        """Whether the other side's SETTINGS have come, without which no instruction is wrong."""

    def allow(self, capacity: int) -> None:
        """Take the other side's SETTINGS_QPACK_MAX_TABLE_CAPACITY: before any entry is added."""
        self.is_allowed = True
        if capacity > MAX_QPACK_TABLE:
            self.is_broken = True
            return
        self._capacity = capacity
        self._decoder = pylsqpack.Decoder(capacity, MAX_BLOCKED_SECTIONS)

    def feed_encoder(self, data: bytes) -> list[int]:
        """Take bytes of the encoder's stream; return the streams that are blocked no more.

        Raises QpackError.
        """
        if self.is_broken:
            return []
        try:
            return list(self._decoder.feed_encoder(data))
        except pylsqpack.EncoderStreamError as error:
            self.is_broken = True
            if not self.is_allowed:
                return []
            raise QpackError("an instruction of the encoder is malformed") from error

    def decode(self, stream_id: int, section: bytes) -> list[Field] | Blocked:
        """Return a section's fields; ``blocked`` if it has to wait. Raises QpackError."""
        count = count_lines(section)
        size = count * max(self._capacity, 1) + 8 * len(section) // 5
        if count > MAX_HEADER_FIELDS or size > MAX_QPACK_SECTION:
            raise QpackError(f"{count:,} fields in {len(section):,} bytes")
        if self.is_broken and section[:2] != b"\0\0":  # it refers to the table
            raise QpackError("the dynamic table is not known")
        try:
            _, fields = self._decoder.feed_header(stream_id, section)
        except pylsqpack.StreamBlocked:
            return "blocked"
        except pylsqpack.DecompressionFailed as error:
            raise QpackError(f"{len(section):,} bytes") from error
        return [Field(name, value) for name, value in fields]

    def resume(self, stream_id: int) -> list[Field]:
        """Return the fields of a section that was blocked. Raises QpackError."""
        try:
            _, fields = self._decoder.resume_header(stream_id)
        except (pylsqpack.DecompressionFailed, pylsqpack.StreamBlocked, ValueError) as error:
            raise QpackError("a section that waited") from error
        return [Field(name, value) for name, value in fields]

    def cancel(self, stream_id: int) -> None:
        """Drop the section that waits in a stream, if one does."""
        self._decoder.cancel_stream(stream_id)


def count_lines(section: bytes) -> int:
    """Return how many field lines a section has at most (RFC 9204 section 4.5).

    Raises QpackError where they are cut.
    """
    pos = _skip_integer(section, _skip_integer(section, 0, 8), 7)
    count = 0
    while pos < len(section):
        count += 1
        first = section[pos]
        if first & 0x80:  # indexed
            pos = _skip_integer(section, pos, 6)
        elif first & 0x40:  # literal, name by reference
            pos = _skip_string(section, _skip_integer(section, pos, 4), 7)
        elif first & 0x20:  # literal name
            pos = _skip_string(section, _skip_string(section, pos, 3), 7)
        elif first & 0x10:  # indexed, after the base
            pos = _skip_integer(section, pos, 4)
        else:  # literal, name by reference after the base
            pos = _skip_string(section, _skip_integer(section, pos, 3), 7)
    return count


def _skip_integer(data: bytes, pos: int, bits: int) -> int:
    return _integer(data, pos, bits)[1]


def _skip_string(data: bytes, pos: int, bits: int) -> int:
    size, pos = _integer(data, pos, bits)
    if size > len(data) - pos:
        raise QpackError("a string is cut")
    return pos + size


def _integer(data: bytes, pos: int, bits: int) -> tuple[int, int]:
    """Return the prefixed integer at ``pos`` and where it ends (section 4.1.1)."""
    if pos >= len(data):
        raise QpackError("a section is cut")
    limit = (1 << bits) - 1
    value, shift = data[pos] & limit, 0
    pos += 1
    if value < limit:
        return value, pos
    while pos < len(data) and shift < 63:
        byte = data[pos]
        value += (byte & 0x7F) << shift
        shift, pos = shift + 7, pos + 1
        if not byte & 0x80:
            return value, pos
    raise QpackError("an integer is malformed")
