"""What ``wireproof decode`` does: a capture in, a view on a stream out.

Strategy: records go from the decoder to the view in batches, and nothing else is kept. A pipe
may be fed by a recording that goes on: its packets are decoded one by one, and before it is
read, which may block, all records that came so far are written and flushed, so that what has
arrived is always seen. A file may be decoded by several processes (:mod:`.jobs`): then records
come encoded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from msgspec import Struct
from parsers import BATCH, Memory, OrderedCapture, decode_batches
from parsers.limits import MAX_MEMORY
from parsers.records import DiagnosticRecord, Record
from parsers.wants import EVERYTHING as ALL_RECORDS
from parsers.wants import Wants

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..opening import end_of, open_input
from ..output import open_stream, open_text
from ..text.progress import shown
from ..views import Buffer, View
from ..views.kinds import (
    VIEWS,
    ExportKind,
    Name,
    PacketsKind,
    RecordsKind,
    default_view,
    open_export,
)
from ..views.target import Target
from .chosen import choosing, is_file
from .undecoded import is_undecoded, noting_undecoded

if TYPE_CHECKING:
    from parsers import KeyLog

    from ..analysis.selection import Clue, Wanted
    from ..dialects.reader import Readers
    from .contents import Contents

LARGE_CAPTURE = 20_000_000
"""Bytes of a file from which on several processes decode it unless told otherwise: below it, what
starting them takes is more than they save."""
MOST_WORKERS = 8
"""What their parent does for all of them takes a fifth of a decode: more hardly save time."""
T = TypeVar("T")
Say = Callable[[str], object]


class DecodeOptions(Struct, frozen=True, gc=False):
    """The options of ``wireproof decode``."""

    source: str
    """A path, or ``-`` for standard input."""
    wanted: ExchangeFilter = EVERYTHING
    """Which exchanges."""
    view: Name | None = None
    """None: a table on a terminal; else what the suffix of the output asks for, or ndjson."""
    output: str | None = None
    """A path; None or ``-`` for standard output."""
    keep_data: bool = True
    shows_records: bool = False
    """Whether TLS records are shown."""
    jobs: int | None = None
    """How many processes decode, at most: more than there are cores are of no use. None: as many as
    help."""
    filters: bool = False
    """Whether the view says which display filter selects each element."""
    readers: Readers | None = None
    """What the rows show of an element; None: what it says in its dialect."""
    keylog: KeyLog | None = None
    """Secrets of TLS, beside those in the capture."""
    wants: Wants = ALL_RECORDS
    """Which records are shown, in a view for programs."""


class _LiveSource:
    """A stream that may be written to while it is read: before it waits, it says so."""

    def __init__(self, stream: BinaryIO) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self.before_read: Callable[[], None] = lambda: None

    def read(self, size: int = -1) -> bytes:
        self.before_read()
        return cast(bytes, self._read(size))


def run(options: DecodeOptions, say: Say = lambda _: None) -> bool:
    """Decode as wanted; return whether there was anything to show.

    ``say`` takes what a user should know beside it. Raises OSError for what cannot be read or
    written, ValueError for what is no capture, and for an output that is the input; WorkerDied.
    """
    check_output(options.source, options.output)
    with ExitStack() as stack:
        stream = open_input(options.source, stack)
        kind = VIEWS[options.view or default_view(options.output)]
        stream, wanted = choosing(stream, options.wanted, stack, options.keylog)
        workers = _workers(options, kind, stream, say)
        if workers == 1 and not _is_seen(options.output):
            stream = stack.enter_context(shown(stream, "decoding"))
        if isinstance(kind, PacketsKind):
            return _list_packets(options, kind, stream, stack)
        if workers > 1 and isinstance(kind, ExportKind):
            return _run_together(options, kind, wanted, workers, stream, stack, say)
        return _run_alone(options, kind, wanted, stream, stack, say)


def _is_seen(output: str | None) -> bool:
    """Whether rows go to a terminal: they show how far it is."""
    return output in (None, "-") and sys.stdout.isatty()


def _workers(
    options: DecodeOptions, kind: ExportKind | RecordsKind | PacketsKind, stream: BinaryIO, say: Say
) -> int:
    """Return how many processes decode: one, if there is work for one only."""
    if options.jobs == 1 or options.wanted.only_connection is not None:
        return 1
    if options.wants != ALL_RECORDS and options.wanted.needs_heads:
        return 1  # which of them are shown is only known once they are chosen
    if options.jobs is None:
        is_possible = hasattr(os, "fork") and is_file(stream) and isinstance(kind, ExportKind)
        is_possible &= Memory.usual == MAX_MEMORY  # another one is of all of them together
        if not is_possible or os.fstat(stream.fileno()).st_size < LARGE_CAPTURE:
            return 1
        return min(MOST_WORKERS, usable_cores())
    if not hasattr(os, "fork"):
        say("this system cannot fork: decoding the capture in one process")
        return 1
    if not is_file(stream):
        name = "standard input" if options.source == "-" else options.source
        say(f"{name} is not a regular file: decoding it in one process")
        return 1
    return min(options.jobs, usable_cores())


def usable_cores() -> int:
    """Return how many processors this process may use; not every system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run_alone(
    options: DecodeOptions,
    kind: ExportKind | RecordsKind,
    wanted: Wanted | None,
    stream: BinaryIO,
    stack: ExitStack,
    say: Say,
) -> bool:
    live = None if is_file(stream) else _LiveSource(stream)
    only = options.wanted.only_connection
    batches = decode_batches(
        stream if live is None else live,
        keep_data=options.keep_data,
        shows_records=options.shows_records,
        keylog=options.keylog,
        batch=None if live is None else 1,
        is_live=live is not None,
        # A fault of the file itself belongs to no connection and concerns them all.
        wanted=None if only is None else {only, None}.__contains__,
        # A choice by heads has to see them.
        wants=ALL_RECORDS if wanted is not None else options.wants.also(DiagnosticRecord),
    )
    undecoded: list[str] = []
    batches = noting_undecoded(batches, undecoded)
    contents = _contents(options, kind)
    comes_first = contents is not None and live is None and contents.is_read_first(stream)
    if contents is not None and not comes_first:
        batches = contents.beside(batches)
    if wanted is not None:
        from ..analysis.selection import select

        batches = _batched(select(chain.from_iterable(batches), wanted))
    batches = map(options.wants.of, batches)
    # The first records before the output is opened: what is no capture costs nobody a file.
    first = next(filter(None, batches), [])
    target = _target(options, stack)
    view = kind.open(target)
    if live is not None:
        live.before_read = view.flush
    if contents is not None and comes_first:
        contents.show(target.text())
    _pump(chain([first], batches), view, view.write)
    if contents is not None and not comes_first:
        contents.show(target.text())
    _say_undecoded(options, undecoded, say)
    return options.wants != ALL_RECORDS or len(first) > sum(map(is_undecoded, first))


def _list_packets(
    options: DecodeOptions, kind: PacketsKind, stream: BinaryIO, stack: ExitStack
) -> bool:
    """Print a view that is made of packets beside the records."""
    live = None if is_file(stream) else _LiveSource(stream)
    capture = OrderedCapture(
        stream if live is None else live, is_live=live is not None, keylog=options.keylog
    )
    view = kind.open(_target(options, stack))
    if live is not None:
        live.before_read = view.flush
    return bool(view.show(capture, BATCH if live is None else 1))


def _run_together(
    options: DecodeOptions,
    kind: ExportKind,
    wanted: Wanted | None,
    workers: int,
    stream: BinaryIO,
    stack: ExitStack,
    say: Say,
) -> bool:
    from .jobs import DecodingTeam, Task

    task = Task(
        workers,
        options.keep_data,
        options.shows_records,
        options.keylog,
        Memory.usual,
        options.wants,
        form=kind.name,
        has_clues=wanted is not None,
    )
    team = stack.enter_context(DecodingTeam(task, stream.fileno(), end=end_of(stream)))
    found = team.batches()
    batches: Iterator[list[Buffer]] = (records for records, _ in found)
    if wanted is not None:
        batches = _chosen(found, wanted)
    first = next(filter(None, batches), [])
    view = open_export(kind.name, open_stream(options.output, stack, source=options.source))
    count = team.count if wanted is None else len(first)
    is_empty = options.wants == ALL_RECORDS and count <= len(team.undecoded)
    _pump(chain([first], batches), view, view.write_encoded)
    _say_undecoded(options, team.undecoded, say)
    return not is_empty


def _say_undecoded(options: DecodeOptions, undecoded: Sequence[str], say: Say) -> None:
    """Name what the capture holds that is in no record."""
    source = "standard input" if options.source == "-" else options.source
    for summary in undecoded:
        say(f"{source}: {summary}")


def _batched(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Yield each record as a batch of its own: a choice decides one at a time."""
    for record in records:
        yield [record]


def _chosen(
    batches: Iterable[tuple[list[Buffer], list[Clue]]], wanted: Wanted
) -> Iterator[list[Buffer]]:
    """Yield the records that are wanted, in batches, from records that are encoded already."""
    from ..analysis.selection import Selection

    selection: Selection[Buffer] = Selection(wanted)
    for records, clues in batches:
        yield list(chain.from_iterable(map(selection.add, records, clues)))
    yield list(selection.finish())


def _pump(batches: Iterable[list[T]], view: View, write: Callable[[list[T]], None]) -> None:
    """Move records to the view."""
    try:
        for batch in batches:
            write(batch)
    finally:
        # An interrupted decode leaves what it had, in the form that the format needs.
        view.close()


def _contents(options: DecodeOptions, kind: ExportKind | RecordsKind) -> Contents | None:
    """Return what lists the exchanges beside their tables, None for other views."""
    if kind.name != "table":
        return None
    from .contents import Contents

    return Contents(options.source, options.wanted, options.keylog)


def check_output(source: str, output: str | None) -> None:
    """Raise ValueError if writing to ``output`` would overwrite the capture that is read."""
    if output in (None, "-") or source == "-" or not os.path.exists(output):  # noqa: PTH110
        return
    if os.path.samefile(source, output):  # noqa: PTH121
        raise ValueError("the output is the capture itself")


def _target(options: DecodeOptions, stack: ExitStack) -> Target:
    return Target(
        lambda: open_stream(options.output, stack, source=options.source),
        cache(lambda: open_text(options.output, stack, source=options.source)),
        options.source,
        options.filters,
        options.wanted.only_connection,
        options.keep_data,
        options.shows_records,
        options.readers,
    )
