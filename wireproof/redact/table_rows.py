"""Values of columns that name a secret, in what PostgreSQL answers: RowDescription and DataRow.

Strategy: a description of rows is known by its length, which is that of what it says. The rows
after it have a value for each column; other messages in between are passed over, and what is no
message ends it. PostgreSQL's documentation, section 55.7 (Message Formats).
"""

from __future__ import annotations

from collections.abc import Iterator

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
LONGEST = 1 << 20
"""Bytes of a message, of which as many are waited for."""
MOST_COLUMNS = 1_664
"""Of a row (its section on limits)."""
MOST_FALSE = 64
"""Places that look like a description and are none; then it is another protocol's stream."""
SHORTEST_VALUE = 6
"""Bytes of one that may be secret by its column: what counts or measures is shorter."""


class TableRows:
    """Reads rows in what a server sends, which comes in pieces."""

    __slots__ = ("_false", "_rest", "_secret")

    def __init__(self) -> None:
        self._secret: list[bool] = []
        """Of the columns of the rows at hand, which have secrets; empty if none are."""
        self._rest = b""
        """The beginning of a message."""
        self._false = 0

    def feed(self, data: bytes, start: int) -> list[Span]:
        """Take the next bytes, at ``start`` of their stream; return what is secret in it."""
        base = start - len(self._rest)
        data, self._rest = self._rest + data, b""
        found: list[Span] = []
        at = 0
        while at < len(data) and self._false < MOST_FALSE:
            if not self._secret:
                begins = DESCRIPTION.search(data, at)
                if begins is None:
                    break
                at = begins.start()
            size = int.from_bytes(data[at + 1 : at + HEADER_SIZE])
            end = at + 1 + size
            is_message = data[at] in KINDS and 4 <= size <= LONGEST
            if len(data) < at + HEADER_SIZE or (is_message and end > len(data)):
                self._rest = data[at:]
                break
            body = data[at + HEADER_SIZE : end]
            if is_message and data[at] == ord("T"):
                self._secret = list(_columns(body))
            elif is_message and data[at] == ord("D"):
                values = _values(body, self._secret)
                found += [
                    (base + at + HEADER_SIZE + a, base + at + HEADER_SIZE + b) for a, b in values
                ]
            elif not is_message:
                self._secret = []
            is_read = is_message and (data[at] != ord("T") or self._secret)
            self._false += not is_read
            at = end if is_read else at + 1
        return [(max(a, start), b) for a, b in found if b > start]


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


def _values(body: bytes, secret: list[bool]) -> Iterator[Span]:
    """Yield where the secrets of a row are."""
    at = 2
    for is_secret in secret if int.from_bytes(body[:2]) == len(secret) else ():
        if at >= len(body):
            return
        size = int.from_bytes(body[at : at + 4], signed=True)
        at += 4
        if is_secret and size >= SHORTEST_VALUE:
            yield at, min(at + size, len(body))
        at += max(size, 0)
