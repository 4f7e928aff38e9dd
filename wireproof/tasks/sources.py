"""Where records come from: captures, or records that were stored as ndjson, JSON or Parquet.

Strategy: the first byte tells. No capture begins with ``{``, ``[`` or the ``P`` of Parquet, be it
plain or compressed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from itertools import islice
from typing import BinaryIO, cast

import msgspec
from parsers import KeyLog, decode_batches
from parsers.records import Record
from parsers.wants import EVERYTHING, Wants

from ..analysis.stored import read_json, read_ndjson, read_parquet
from ..opening import open_input
from ..text.progress import shown
from .undecoded import noting_undecoded
from .unread import Unread

Say = Callable[[str], object]


class UnreadableSource(Exception):
    """A source that cannot be read, or is neither a capture nor records."""

    def __init__(self, source: str, error: OSError | ValueError) -> None:
        super().__init__(source, error)
        self.source = source
        self.error = error


TO_JUDGE = Wants(digests=False, request_digests=True, opened=False)
"""What is to be decoded for what judges exchanges, and shows nothing of their bodies."""
BATCH = 2_048
"""Stored records that are handed on together."""
STORED = (b"{", b"[", b"P")
"""How ndjson, JSON and Parquet begin."""


@contextmanager
def reading(
    source: str,
    doing: str | None,
    say: Say,
    *,
    shows_records: bool = False,
    keylog: KeyLog | None = None,
    wants: Wants = EVERYTHING,
) -> Iterator[Iterator[list[Record]]]:
    """Give the records of a path, or of standard input if that is ``-``, in batches.

    ``doing`` is what the progress bar says, None for no bar; ``say`` is told at the end what the
    source holds beside its records. With ``shows_records`` a capture gives TLS records too; with
    ``keylog`` TLS is decrypted; ``wants`` says which records there are of a capture. The iterator
    raises UnreadableSource.
    """
    undecoded: list[str] = []
    unread = Unread()
    with ExitStack() as stack:
        found = _batches(source, doing, stack, shows_records, keylog, wants)
        yield noting_undecoded(unread.noting(found), undecoded)
    for summary in (*undecoded, *unread.sentences()):
        say(f"{'standard input' if source == '-' else source}: {summary}")


def _batches(
    source: str,
    doing: str | None,
    stack: ExitStack,
    shows_records: bool,
    keylog: KeyLog | None,
    wants: Wants,
) -> Iterator[list[Record]]:
    try:
        stream, first = _opened(source, doing, stack)
        if first in STORED:
            yield from _stored(first, stream)
        else:
            yield from decode_batches(
                stream,
                shows_records=shows_records,
                keylog=keylog,
                wants=wants,
            )
    except (OSError, ValueError) as error:
        raise UnreadableSource(source, error) from error


def _opened(source: str, doing: str | None, stack: ExitStack) -> tuple[BinaryIO, bytes]:
    """Return a source with its first byte, which is still to be read."""
    stream = open_input(source, stack)
    first = cast(BufferedReader, stream).peek(1)[:1]
    return stream if doing is None else stack.enter_context(shown(stream, doing)), first


def _stored(first: bytes, stream: BinaryIO) -> Iterator[list[Record]]:
    try:
        yield from _batched(_records(first, stream))
    except msgspec.MsgspecError as error:
        raise ValueError(f"not wireproof records: {error}") from error


def _records(first: bytes, stream: BinaryIO) -> Iterator[Record]:
    if first == b"{":
        return read_ndjson(stream)
    if first == b"[":
        return iter(read_json(stream.read()))
    if not stream.seekable():
        raise ValueError("Parquet cannot be read from a pipe: name the file")
    return read_parquet(stream)


def _batched(records: Iterator[Record]) -> Iterator[list[Record]]:
    while batch := list(islice(records, BATCH)):
        yield batch
