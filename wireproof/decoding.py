"""What ``wireproof decode`` does: a capture in, a view on a stream out.

Strategy: records go from the decoder to the view in batches, and nothing else is kept. A pipe
may be fed by a recording that goes on: its packets are decoded one by one, and before it is
read, which may block, all records that came so far are written and flushed, so that what has
arrived is always seen.
"""

from __future__ import annotations

import gc
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedWriter, RawIOBase, TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from parsers.decode import decode_batches
from parsers.records import Record

from .selection import Transport, select
from .views import Format, View, open_view

COLLECT_EVERY = 50_000
"""New objects before the collector looks for cycles, instead of 700: records have none, and a
tenth of the time went into looking."""
TABLE_WIDTH = 100
"""Cells of a table that goes to no terminal, unless COLUMNS says otherwise."""

FORMATS: dict[str, Format] = {".json": "json", ".csv": "csv"}
"""The format that a suffix of an output file asks for; others get ndjson."""


@dataclass(frozen=True)
class Wanted:
    """The options of ``wireproof decode``."""

    source: str
    """A path, or ``-`` for standard input."""
    transport: Transport | None = None
    connection: int | None = None
    format: Format | None = None
    output: str | None = None
    """A path; None or ``-`` for standard output."""
    keep_data: bool = True


class _LiveSource:
    """A stream that may be written to while it is read: before it waits, it says so."""

    def __init__(self, stream: BinaryIO) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self.before_read: Callable[[], None] = lambda: None

    def read(self, size: int = -1) -> bytes:
        self.before_read()
        return cast(bytes, self._read(size))


def run(wanted: Wanted) -> bool:
    """Decode as wanted; return whether there was anything to show.

    Raises OSError for what cannot be read or written, ValueError for what is no capture, and
    for an output that is the input.
    """
    _check_output(wanted)
    gc.set_threshold(COLLECT_EVERY)
    with ExitStack() as stack:
        stream = _open_input(wanted.source, stack)
        live = None if _is_file(stream) else _LiveSource(stream)
        if live is None:
            batches = decode_batches(stream, keep_data=wanted.keep_data)
        else:
            batches = decode_batches(live, keep_data=wanted.keep_data, batch=1)
        if wanted.connection is not None or wanted.transport is not None:
            batches = _batched(_chosen(chain.from_iterable(batches), wanted))
        # The first records before the output is opened: what is no capture costs nobody a file.
        first = next(filter(None, batches), [])
        _pump(chain([first], batches), live, _open_output(wanted, stack))
    return bool(first)


def _chosen(records: Iterator[Record], wanted: Wanted) -> Iterator[Record]:
    if (number := wanted.connection) is not None:
        # A fault of the file itself belongs to no connection and concerns them all.
        records = (record for record in records if record.connection in (number, None))
    return records if wanted.transport is None else select(records, wanted.transport)


def _batched(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Yield each record as a batch of its own: a choice decides one at a time."""
    for record in records:
        yield [record]


def _pump(batches: Iterable[list[Record]], live: _LiveSource | None, view: View) -> None:
    """Move records to the view, and on from there before a live source waits."""
    if live is not None:
        live.before_read = view.flush
    try:
        for batch in batches:
            view.write(batch)
    finally:
        # An interrupted decode leaves what it had, in the form that the format needs.
        view.close()


def _is_file(stream: BinaryIO) -> bool:
    return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)


def _open_input(source: str, stack: ExitStack) -> BinaryIO:
    if source == "-":
        return sys.stdin.buffer
    return stack.enter_context(Path(source).open("rb"))


def _check_output(wanted: Wanted) -> None:
    source, output = wanted.source, wanted.output
    if output in (None, "-") or source == "-" or not Path(output).exists():
        return
    if Path(source).samefile(output):
        raise ValueError("the output is the capture itself")


def _open_output(wanted: Wanted, stack: ExitStack) -> View:
    if wanted.output in (None, "-"):
        form = wanted.format or ("table" if sys.stdout.isatty() else "ndjson")
        return (
            open_table(wanted.source)
            if form == "table"
            else open_view(form, _standard_output(stack))
        )
    path = Path(wanted.output)
    stream = stack.enter_context(path.open("wb"))
    form = wanted.format or FORMATS.get(path.suffix.lower(), "ndjson")
    if form == "table":
        text = stack.enter_context(TextIOWrapper(stream, encoding="utf-8"))
        return open_table(wanted.source, text)
    return open_view(form, stream)


def _standard_output(stack: ExitStack) -> BinaryIO:
    stream = sys.stdout.buffer
    if not isinstance(stream, RawIOBase):
        return stream
    # With PYTHONUNBUFFERED it is a raw file, whose write() may write a part and leave it at that.
    buffered = BufferedWriter(stream)
    stack.callback(buffered.detach)  # not closed with it
    return buffered


def open_table(source: str, stream: TextIOWrapper | None = None) -> View:
    """Return a table on standard output or on a text stream; ``source`` names the capture."""
    from rich.console import Console

    from .views.table import TableView

    console = Console(file=stream or sys.stdout)
    width = None if console.is_terminal else int(os.environ.get("COLUMNS", TABLE_WIDTH))
    return TableView(console, source, width)
