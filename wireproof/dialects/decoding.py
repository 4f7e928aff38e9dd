"""JSON into what a dialect wants of it: typed, in one pass, and never with an exception.

Strategy: msgspec checks and converts while it reads, and skips what no field asks for: a tenth of
what dictionaries cost, and nothing is built of a long element but what is shown. Text that is no
JSON, of another shape, or nested deeper than the reader goes gives None.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Part(msgspec.Struct, gc=False):
    """The base of what is read: an object of JSON, some of whose members are wanted."""


def reading(kind: type[T]) -> Callable[[str | bytes], T | None]:
    """Return a function from JSON to ``kind``, or to None."""
    decode = msgspec.json.Decoder(kind).decode

    def read(text: str | bytes) -> T | None:
        try:
            return decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None

    return read


def to_json(value: object) -> str:
    """Return a value that came out of JSON as compact JSON again.

    What is nested as deep as it can just be read may not be written: that is ``…``.
    """
    try:
        return msgspec.json.encode(value).decode()
    except OverflowError:  # a number of more than 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return "…"


def written(value: object) -> str:
    """Return a value that came out of JSON as compact JSON again, a text as it is."""
    return value if isinstance(value, str) else to_json(value)
