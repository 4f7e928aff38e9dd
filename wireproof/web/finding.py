"""Which elements of an exchange hold a text, and which packets of its connection hold its bytes.

Strategy: most elements are passed over by a look at their encoded records; of the others what was
sent is looked through, never the names that we gave its parts. It takes the lock for some hundreds
of elements at a time, so that the page goes on while 200,000 are looked through.

Case does not matter. What begins with ``0x`` is bytes in hex, and looked for in packets alone.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import msgspec

from .exchange import ExchangeRow
from .index import ENCODER, Index

KINDS = "qrexmfktd"
"""What is looked through, in this order."""
CONTENT = ("data", "event", "id", "fields", "method", "target", "reason", "headers")
MORE_CONTENT = ("trailers", "close_reason", "code", "summary")
MAX_FOUND = 20_000
"""Elements of a kind, or packets, that are named; more are counted."""
STEP = 500
"""Elements that are looked through in one go."""
BASE64 = b'"encoding":"base64"'


def find(index: Index, exchange: ExchangeRow, text: str) -> dict[str, Any]:
    """Return the rows that hold a text, kind by kind, packets as ``p``; and how many there are."""
    found: dict[str, list[int]] = {}
    total = 0
    for kind, hits in _hits(index, exchange, text):
        rows = found[kind] = []
        for row in hits:
            total += 1
            if len(rows) < MAX_FOUND:
                rows.append(row)
    return {"found": {kind: rows for kind, rows in found.items() if rows}, "total": total}


def _hits(index: Index, exchange: ExchangeRow, text: str) -> Iterator[tuple[str, Iterator[int]]]:
    raw = _hex(text)
    if raw is None:
        for kind in KINDS:
            if kind in exchange.elements:
                yield kind, _elements(index, exchange, kind, text.lower())
    yield "p", _packets(index, exchange, text.lower().encode() if raw is None else raw, raw is None)


def _hex(text: str) -> bytes | None:
    if not text.lower().startswith("0x"):
        return None
    try:
        return bytes.fromhex(text[2:]) or None
    except ValueError:
        return None


def _elements(index: Index, exchange: ExchangeRow, kind: str, wanted: str) -> Iterator[int]:
    elements = exchange.elements[kind]
    encoded = ENCODER.encode(wanted)[1:-1]
    for first in range(0, len(elements), STEP):
        with index.changed:
            some = [index.stored(elements, row) for row in _range(first, len(elements))]
        for row, (record, said) in enumerate(some, first):
            may_hold = encoded in record.lower() or encoded in said.lower() or BASE64 in record
            if may_hold and (_holds(record, wanted) or _says(said, wanted)):
                yield row


def _range(first: int, total: int) -> range:
    return range(first, min(first + STEP, total))


def _holds(encoded: bytes, wanted: str) -> bool:
    """Whether what was sent of a record holds a text."""
    record = msgspec.json.decode(encoded)
    if record.get("encoding") == "base64" and record.get("data"):
        data = b64decode(record["data"])
        if wanted.encode() in data.lower():
            return True
    return any(
        wanted in part.lower()
        for name in (*CONTENT, *MORE_CONTENT)
        for part in _texts(record.get(name))
    )


def _says(said: bytes, wanted: str) -> bool:
    return bool(said) and any(wanted in part.lower() for part in _texts(msgspec.json.decode(said)))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _packets(index: Index, exchange: ExchangeRow, wanted: bytes, folds_case: bool) -> Iterator[int]:
    """Yield the connection's packets whose bytes hold some, as they were captured."""
    connection = exchange.key.connection
    known = index.tracer.connections
    if connection is None or connection >= len(known):
        return
    numbers = list(known[connection].packets)
    for first in range(0, len(numbers), STEP):
        with index.changed:
            some = [(number, index.data(number)) for number in numbers[first : first + STEP]]
        for number, data in some:
            if wanted in (data.lower() if folds_case else data):
                yield number
