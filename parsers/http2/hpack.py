"""Header blocks of one direction (RFC 7541): their fields, and the dynamic table that they share.

Strategy: a block is read representation by representation; each is one of five (section 6). The
table is that of the encoder as far as it is known. Indices count from the newest entry, so entries
that were added since the capture began, or since a block was lost, are certain, and older ones are
not: a field that refers to one is unknown, in its name, its value or both, and nothing else is.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ..limits import MAX_HEADER_FIELDS, MAX_HEADER_LIST, MAX_HEADER_TABLE
from .huffman import HuffmanError
from .huffman import decode as decode_huffman

ENTRY_OVERHEAD = 32
"""What an entry counts beside its name and value, in bytes (RFC 7541 section 4.1)."""
DEFAULT_TABLE_SIZE = 4_096
"""SETTINGS_HEADER_TABLE_SIZE before any is sent (RFC 9113 section 6.5.2)."""
MAX_INTEGER_BYTES = 6
"""Bytes after the prefix of an integer: more than 2^42 nothing can mean (section 5.1)."""

_STATIC = b"""\
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate
"""
STATIC_TABLE = tuple(
    (name, value) for name, _, value in (line.partition(b" ") for line in _STATIC.splitlines())
)
"""RFC 7541 appendix A; its first entry has the index 1."""


class Field(NamedTuple):
    """One field line of a block."""

    name: bytes | None
    """None if it is an entry of the dynamic table that the capture does not hold."""
    value: bytes | None
    """None if it is an entry of the dynamic table that the capture does not hold."""
    is_secret: bool = False
    """Whether its sender let no one put it in a table (section 6.2.3)."""


class StringLiteral(NamedTuple):
    """Where in a block a string literal's data lies (RFC 7541 section 5.2)."""

    field: int
    """Which field it is of, from 0 in its block."""
    is_value: bool
    start: int
    end: int
    is_coded: bool
    """Whether it is in the Huffman code."""


class HpackError(ValueError):
    """A block that cannot be decoded: ``code`` is that of its fault."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class DynamicTable:
    """The entries that are known, the newest first."""

    def __init__(self) -> None:
        self.entries: deque[tuple[bytes | None, bytes | None]] = deque()
        self.is_partial = False
        """Whether older entries may exist that are not known."""
        self.max_size = DEFAULT_TABLE_SIZE
        self._size = 0

    def forget(self) -> None:
        """Take note that entries were added, or its size changed, which is not known."""
        self.entries.clear()
        self._size = 0
        self.is_partial = True
        self.max_size = MAX_HEADER_TABLE  # to keep more than its encoder does no harm

    def resize(self, size: int) -> None:
        """Set the table's maximum size (section 4.3); at 0 all of it is known: nothing."""
        self.max_size = size
        if not size:
            self.is_partial = False
        self._evict(0)

    def add(self, name: bytes | None, value: bytes | None) -> None:
        """Add an entry (section 4.4); one that is larger than the table empties it."""
        size = _entry_size(name, value)
        self._evict(size)
        if size <= self.max_size:
            self.entries.appendleft((name, value))
            self._size += size

    def get(self, index: int) -> tuple[bytes | None, bytes | None]:
        """Return the entry of an index, 1 is the static table's first. Raises HpackError."""
        if not index:
            raise HpackError("hpack-index-zero", "")
        if index <= len(STATIC_TABLE):
            return STATIC_TABLE[index - 1]
        place = index - len(STATIC_TABLE) - 1
        if place < len(self.entries):
            return self.entries[place]
        if self.is_partial:
            return None, None
        raise HpackError(
            "hpack-index-invalid", f"{index}, of {len(STATIC_TABLE) + len(self.entries)} entries"
        )

    def _evict(self, room: int) -> None:
        while self.entries and self._size + room > self.max_size:
            self._size -= _entry_size(*self.entries.pop())


def _entry_size(name: bytes | None, value: bytes | None) -> int:
    return len(name or b"") + len(value or b"") + ENTRY_OVERHEAD


class HeaderDecoder:
    """Decodes the blocks of one direction, in their order on the wire over all streams."""

    def __init__(self) -> None:
        self.table = DynamicTable()
        self._allowed = DEFAULT_TABLE_SIZE
        """The largest table that the receiver has ever allowed."""

    def allow(self, size: int) -> None:
        """Take note of SETTINGS_HEADER_TABLE_SIZE of the receiver of these blocks.

        When the sender takes note of it cannot be seen, so a size that was allowed stays so.
        """
        self._allowed = max(self._allowed, min(size, MAX_HEADER_TABLE))

    def forget(self) -> None:
        """Take note that blocks may be missing."""
        self.table.forget()
        self._allowed = MAX_HEADER_TABLE

    def decode(self, block: bytes, literals: list[StringLiteral] | None = None) -> list[Field]:
        """Return the fields of a whole block, one that pushes the table further.

        ``literals`` takes where its strings lie. Raises HpackError; the table is then what it was
        up to there, and further blocks are none that a peer would decode.
        """
        reader = _Reader(block, literals)
        fields: list[Field] = []
        size = 0
        while reader.pos < len(block):
            first = block[reader.pos]
            if first & 0x80:  # section 6.1
                fields.append(Field(*self.table.get(reader.integer(7))))
            elif first & 0x40:  # section 6.2.1
                field = self._literal(reader, 6, len(fields))
                self.table.add(field.name, field.value)
                fields.append(field)
            elif first & 0x20:  # section 6.3
                self._resize(reader.integer(5), is_first=not fields)
            else:  # sections 6.2.2 and 6.2.3
                field = self._literal(reader, 4, len(fields))
                fields.append(field._replace(is_secret=bool(first & 0x10)))
            if fields:
                size += _entry_size(fields[-1].name, fields[-1].value)
            if size > MAX_HEADER_LIST or len(fields) > MAX_HEADER_FIELDS:
                detail = f"more than {MAX_HEADER_LIST:,} bytes or {MAX_HEADER_FIELDS:,} fields"
                raise HpackError("http2-header-limit", detail)
        return fields

    def _literal(self, reader: _Reader, prefix: int, number: int) -> Field:
        index = reader.integer(prefix)
        name = self.table.get(index)[0] if index else reader.string(number, is_value=False)
        return Field(name, reader.string(number, is_value=True))

    def _resize(self, size: int, *, is_first: bool) -> None:
        if not is_first:
            raise HpackError("hpack-size-update-invalid", "after a field")
        if size > self._allowed:
            detail = f"{size:,} bytes, {self._allowed:,} allowed"
            raise HpackError("hpack-size-update-invalid", detail)
        self.table.resize(size)


class _Reader:
    """Reads integers and strings of a block (RFC 7541 section 5)."""

    def __init__(self, block: bytes, literals: list[StringLiteral] | None) -> None:
        self.pos = 0
        self._block = block
        self._literals = literals

    def integer(self, prefix: int) -> int:
        """Read an integer whose prefix has so many bits of the next byte, which is there (section
        5.1)."""
        block, mask = self._block, (1 << prefix) - 1
        value = block[self.pos] & mask
        self.pos += 1
        if value < mask:
            return value
        for shift in range(0, 7 * MAX_INTEGER_BYTES, 7):
            if self.pos >= len(block):
                raise HpackError("hpack-integer-invalid", "without an end")
            byte = block[self.pos]
            self.pos += 1
            value += (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
        raise HpackError("hpack-integer-invalid", f"more than {MAX_INTEGER_BYTES} bytes")

    def string(self, field: int, *, is_value: bool) -> bytes:
        """Read a string literal (section 5.2) of the field with a number."""
        if self.pos >= len(self._block):
            raise HpackError("hpack-block-cut", "")
        is_coded = self._block[self.pos] & 0x80
        size = self.integer(7)
        start, self.pos = self.pos, self.pos + size
        if self.pos > len(self._block):
            detail = f"{len(self._block) - start:,} of {size:,} bytes of a string"
            raise HpackError("hpack-block-cut", detail)
        data = self._block[start : self.pos]
        if self._literals is not None:
            self._literals.append(StringLiteral(field, is_value, start, self.pos, bool(is_coded)))
        if not is_coded:
            return data
        try:
            return decode_huffman(data)
        except HuffmanError as error:
            raise HpackError("hpack-huffman-invalid", str(error)) from error
