"""What the process that records and the one that exports say to one another: a line of JSON each.

Strategy: the first line says what is wanted of all files, each further one names a file, and each
answer says what came of it: the numbers of its metrics too, which are kept where they are served.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import msgspec

from ..metrics.observing import Labels
from ..redact import Rules


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of all files."""

    place: str
    """The data set: a folder, or a URL that fsspec opens."""
    folder: str
    """Where the files are."""
    host: str
    rules: Rules
    """What is masked."""
    keep_data: bool = False
    keylog: str | None = None
    """A file with secrets of TLS."""
    memory: int | None = None
    """Bytes that may be held for all connections of a file together."""
    models: Sequence[str] = ()
    """Names of models that metrics have been told of."""
    most_files: int = 16
    """Through how many files an exchange may go, to be one: the ring has them."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be exported, and its neighbours in the ring, as far as there are any."""

    path: str
    following: str | None = None
    """The one after it, which is whole."""
    before: str | None = None
    """The one that was exported before it, which may be gone by now."""
    is_next: bool = True
    """Whether the recorder of that one wrote this one after it."""
    missing: str = ""
    """What it wrote in between and is not there, in words."""


class Numbers(msgspec.Struct):
    """What is to be added to metrics: a sink, which holds what it was told."""

    counts: dict[tuple[str, ...], int] = {}
    """By the name of an instrument, and its labels."""
    values: dict[tuple[str, ...], list[float]] = {}

    def count(self, name: str, number: int, labels: Labels) -> None:
        """Add to a counter."""
        key = (name, *labels)
        self.counts[key] = self.counts.get(key, 0) + number

    def observe(self, name: str, values: Sequence[float], labels: Labels) -> None:
        """Take the values of a histogram."""
        self.values.setdefault((name, *labels), []).extend(filter(isfinite, values))


Counted = list[tuple[list[str], int]]
Observed = list[tuple[list[str], list[float]]]


class Exported(msgspec.Struct, frozen=True, kw_only=True, tag="exported"):
    """A file is in the data set, or cannot be read, and never will be."""

    error: str = ""
    """Why it cannot be read."""
    is_new: bool = True
    """Whether it was put there now, and not before."""
    counts: Counted = []
    values: Observed = []
    models: list[str] = []


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The data set could not be written."""

    reason: str


Answer = Exported | Failed
ORDERS: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
FILES: msgspec.json.Decoder[File] = msgspec.json.Decoder(File)
ANSWERS: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


def line(message: Order | Answer | File) -> bytes:
    """Return a message as one line."""
    return msgspec.json.encode(message) + b"\n"
