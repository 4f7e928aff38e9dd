"""Headers of an AWS event stream's message, of all ten types.

Source: the event stream encoding as Amazon documents it for Transcribe and S3 Select, and as the
SDKs read it. A header is the length of its name (1 byte), its name, its type (1 byte), its value.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

TRUE, FALSE, BYTE, SHORT, INTEGER, LONG, BYTES, STRING, TIMESTAMP, IDENTIFIER = range(10)
_SIZES = {TRUE: 0, FALSE: 0, BYTE: 1, SHORT: 2, INTEGER: 4, LONG: 8, TIMESTAMP: 8, IDENTIFIER: 16}
"""Bytes of a value by its type; byte arrays and strings have a length of 2 bytes before them."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Headers = list[tuple[str, str]]


def read_headers(data: bytes) -> tuple[Headers, str]:
    """Return names and values, as text, and what is wrong with them: empty if nothing is.

    Numbers are decimal, byte arrays in base64, timestamps as ISO 8601 in UTC.
    """
    headers: Headers = []
    pos = 0
    while pos < len(data):
        name_end = pos + 1 + data[pos]
        if name_end >= len(data):
            return headers, f"a name of {data[pos]:,} bytes, {len(data) - pos - 1:,} are left"
        kind = data[name_end]
        start = name_end + 1
        size = _SIZES.get(kind, -1)
        if kind in (BYTES, STRING):
            size = int.from_bytes(data[start : start + 2])
            start += 2
        if size < 0:
            return headers, f"type {kind}"
        if start + size > len(data):
            return headers, f"a value of {size:,} bytes, {max(0, len(data) - start):,} are left"
        name = data[pos + 1 : name_end].decode(errors="replace")
        headers.append((name, _text(kind, data[start : start + size])))
        pos = start + size
    return headers, ""


def _text(kind: int, value: bytes) -> str:
    """Return a header's value as text."""
    if kind in (TRUE, FALSE):
        return "true" if kind == TRUE else "false"
    if kind == STRING:
        return value.decode(errors="replace")
    if kind == BYTES:
        return b64encode(value).decode("ascii")
    if kind == IDENTIFIER:
        return str(UUID(bytes=value))
    number = int.from_bytes(value, signed=True)
    return _timestamp(number) if kind == TIMESTAMP else str(number)


def _timestamp(milliseconds: int) -> str:
    """Return milliseconds since the epoch as ISO 8601; as they are if no calendar goes so far."""
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return str(milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
