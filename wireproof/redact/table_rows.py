"""Values of columns that name a secret, in what PostgreSQL answers: RowDescription and DataRow.

Strategy: a description of rows is known by its length, which is that of what it says. The rows
after it have a value for each column; other messages in between are passed over, and what is no
message ends it. PostgreSQL's documentation, section 55.7 (Message Formats).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from parsers.expressions import when_used

from .names import SECRET_NAME
from .plain import is_plain_name

Span = tuple[int, int]
DESCRIPTION = when_used(rb"T\x00[\x00-\x0f][\x00-\xff]{2}\x00[\x01-\xff][\w ?.-]{1,64}\x00")
"""How a RowDescription begins: a length, how many columns, the name of the first one."""
HEADER_SIZE = 5
"""Of a message: a byte that says what it is, and a length that counts itself."""
COLUMN = 18
"""Bytes that describe a column, after its name."""
KINDS = b"TDCZSN123nstEIAtKGHWcd"
"""Messages of a server."""
LONGEST = 1 << 30
"""Bytes of a message (its section on limits)."""
LONGEST_DESCRIPTION = 64 << 10
"""Bytes of one that is put together."""
LONGEST_BEGINNING = 76
"""Bytes in which a description shows that it is one."""
SIZE = 4
"""Bytes of what says how long a value is; -1 is null."""
MOST_COLUMNS = 1_664
"""Of a row (its section on limits)."""
MOST_FALSE = 64
"""Places that look like a description and are none; then it is another protocol's stream."""
SHORTEST_VALUE = 6
"""Bytes of one that may be secret by its column: what counts or measures is shorter."""


class TableRows:
    """Reads rows in what a server sends, which comes in pieces of any size.

    A value is passed over, or masked, as it comes; only what describes one is put together.
    """

    __slots__ = ("_columns", "_false", "_held", "_is_secret", "_left", "_message", "_secret")

    def __init__(self) -> None:
        self._secret: list[bool] = []
        """Of the columns of the rows at hand, which have secrets; empty if none are."""
        self._columns: Iterator[bool] = iter(())
        """Of the row at hand, those whose values are still to come."""
        self._message = 0
        """Bytes of the message at hand that are still to come, of which a row has values."""
        self._left = 0
        """Bytes that are still to come of a value, or of what is passed over."""
        self._is_secret = False
        """Whether these are secret."""
        self._held = b""
        """The beginning of what is put together."""
        self._false = 0

    def feed(self, data: bytes, start: int) -> list[Span]:
        """Take the next bytes, at ``start`` of their stream; return what is secret in it."""
        found: list[Span] = []
        base = start - len(self._held)
        data, self._held = self._held + data, b""
        at = 0
        while at < len(data) and self._false < MOST_FALSE:
            if self._left:
                size = min(self._left, len(data) - at)
                if self._is_secret:
                    found.append((base + at, base + at + size))
                self._left -= size
            else:
                size = self._size(data, at)
                if not size:
                    self._held = data[at:]
                    break
            at += size
        return [(max(a, start), b) for a, b in found if b > start]

    def _size(self, data: bytes, at: int) -> int:
        """Return how many bytes are read of what begins at ``at``; 0 if more have to come."""
        if self._message:
            return self._value(data, at)
        if not self._secret:
            begins = DESCRIPTION.search(data, at)
            if begins is None:
                return max(len(data) - LONGEST_BEGINNING, at) - at
            if begins.start() > at:
                return begins.start() - at
        if len(data) < at + HEADER_SIZE + 2:
            return 0
        return self._head(data, at)

    def _head(self, data: bytes, at: int) -> int:
        """Read the head of a message, or all of a description."""
        size = int.from_bytes(data[at + 1 : at + HEADER_SIZE]) - HEADER_SIZE + 1
        if data[at] not in KINDS or not 0 <= size <= LONGEST:
            return self._is_none()
        if data[at] == ord("T"):
            if size > LONGEST_DESCRIPTION:
                return self._is_none()
            if len(data) < at + HEADER_SIZE + size:
                return 0
            self._secret = list(_columns(data[at + HEADER_SIZE : at + HEADER_SIZE + size]))
            return HEADER_SIZE + size if self._secret else self._is_none()
        count = int.from_bytes(data[at + HEADER_SIZE : at + HEADER_SIZE + 2])
        if data[at] == ord("D") and size > 2 and count == len(self._secret):
            self._columns, self._message = iter(self._secret), size - 2
            return HEADER_SIZE + 2
        self._left, self._is_secret = size, False
        return HEADER_SIZE

    def _value(self, data: bytes, at: int) -> int:
        """Read the size of the next value of a row."""
        is_secret = next(self._columns, None)
        if is_secret is None or self._message < SIZE:
            self._left, self._is_secret, self._message = self._message, False, 0
            return self._passed(data, at)
        if len(data) < at + SIZE:
            self._columns = chain((is_secret,), self._columns)
            return 0
        size = max(int.from_bytes(data[at : at + SIZE], signed=True), 0)
        self._left = min(size, self._message - SIZE)
        self._message -= SIZE + self._left
        self._is_secret = is_secret and size >= SHORTEST_VALUE
        return SIZE

    def _passed(self, data: bytes, at: int) -> int:
        """Pass over what is left at once."""
        size = min(self._left, len(data) - at)
        self._left -= size
        return size

    def _is_none(self) -> int:
        """Go on behind a byte that begins no message."""
        self._secret = []
        self._false += 1
        return 1


def _columns(body: bytes) -> Iterator[bool]:
    """Yield of each column whether it names a secret; nothing if this is no description."""
    names: list[bytes] = []
    at = 2
    count = int.from_bytes(body[:2])
    for _ in range(count if count <= MOST_COLUMNS else 0):
        end = body.find(b"\x00", at)
        if end < 0 or end + 1 + COLUMN > len(body):
            return
        names.append(body[at:end])
        at = end + 1 + COLUMN
    if at == len(body):
        yield from map(names_secret, names)


def names_secret(name: bytes) -> bool:
    """Return whether a column, or a level of a topic, names a secret."""
    text = name.decode("latin-1").lower()
    return SECRET_NAME.fullmatch(text) is not None and not is_plain_name(text, "")
