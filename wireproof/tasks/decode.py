"""What ``wireproof decode`` does: a capture in, a view on a stream out.

Strategy: records go from the decoder to the view in batches, and nothing else is kept. A pipe
may be fed by a recording that goes on: its packets are decoded one by one, and before it is
read, which may block, all records that came so far are written and flushed, so that what has
arrived is always seen. A file may be decoded by several processes (:mod:`.jobs`): then records
come encoded.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedWriter, RawIOBase, TextIOWrapper
from itertools import chain
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, BinaryIO, Literal, TextIO, TypeVar, cast

from parsers.decode.packets import BATCH, decode_batches
from parsers.files.reader import CaptureReader
from parsers.records import Record, Transport

from ..analysis.selection import Clue, Selection, select
from ..views import ExportFormat, Format, View, open_view
from .jobs import Task, Team, is_undecoded, noting_undecoded

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
Say = Callable[[str], object]
ToolView = Literal["wireshark", "devtools"]

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
    jobs: int = 1
    """How many processes decode, at most: more than there are cores are of no use."""
    view: ToolView | None = None
    """Not a format but the view of another tool: its format is that tool's."""
    filters: bool = False
    """Whether the view says which display filter selects each element."""


class _LiveSource:
    """A stream that may be written to while it is read: before it waits, it says so."""

    def __init__(self, stream: BinaryIO) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self.before_read: Callable[[], None] = lambda: None

    def read(self, size: int = -1) -> bytes:
        self.before_read()
        return cast(bytes, self._read(size))


def run(wanted: Wanted, say: Say = lambda _: None) -> bool:
    """Decode as wanted; return whether there was anything to show.

    ``say`` takes what a user should know beside it. Raises OSError for what cannot be read or
    written, ValueError for what is no capture, and for an output that is the input; WorkerDied.
    """
    check_output(wanted.source, wanted.output)
    with ExitStack() as stack:
        stream = _open_input(wanted.source, stack)
        if wanted.view == "wireshark":
            return _list_packets(wanted, stream, stack)
        form = _form(wanted)
        workers = _workers(wanted, stream, say)
        if workers > 1 and form != "table":
            return _run_together(wanted, form, workers, stream, stack, say)
        return _run_alone(wanted, form, stream, stack, say)


def _workers(wanted: Wanted, stream: BinaryIO, say: Say) -> int:
    """Return how many processes decode: one, if there is work for one only."""
    if wanted.jobs == 1 or wanted.connection is not None:
        return 1
    if not hasattr(os, "fork"):
        say("this system cannot fork: the capture is decoded in one process")
        return 1
    if not _is_file(stream):
        name = "standard input" if wanted.source == "-" else wanted.source
        say(f"{name} is no regular file: it is decoded in one process")
        return 1
    return min(wanted.jobs, usable_cores())


def usable_cores() -> int:
    """Return how many processors this process may use; not every system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run_alone(wanted: Wanted, form: Format, stream: BinaryIO, stack: ExitStack, say: Say) -> bool:
    live = None if _is_file(stream) else _LiveSource(stream)
    batches = decode_batches(
        stream if live is None else live,
        keep_data=wanted.keep_data,
        batch=BATCH if live is None else 1,
        # A fault of the file itself belongs to no connection and concerns them all.
        wanted=None if wanted.connection is None else {wanted.connection, None}.__contains__,
    )
    undecoded: list[str] = []
    batches = noting_undecoded(batches, undecoded)
    if wanted.transport is not None:
        batches = _batched(select(chain.from_iterable(batches), wanted.transport))
    # The first records before the output is opened: what is no capture costs nobody a file.
    first = next(filter(None, batches), [])
    view = _open_output(wanted, form, stack)
    if live is not None:
        live.before_read = view.flush
    _pump(chain([first], batches), view, view.write)
    _say_undecoded(wanted, undecoded, say)
    return len(first) > sum(map(is_undecoded, first))


def _list_packets(wanted: Wanted, stream: BinaryIO, stack: ExitStack) -> bool:
    """Print the packet list, which is made of packets beside the records."""
    from ..views.packet_list import PacketList

    live = None if _is_file(stream) else _LiveSource(stream)
    reader = CaptureReader(stream if live is None else live)
    text = _open_text(wanted.output, stack)
    view = PacketList(
        text,
        _width_of(text),
        connection=wanted.connection,
        filters=wanted.filters,
        keep_data=wanted.keep_data,
    )
    if live is not None:
        live.before_read = view.flush
    return bool(view.show(reader))


def _run_together(
    wanted: Wanted, form: ExportFormat, workers: int, stream: BinaryIO, stack: ExitStack, say: Say
) -> bool:
    task = Task(form, wanted.keep_data, wanted.transport, workers)
    team = stack.enter_context(Team(task, stream.fileno()))
    found = team.batches()
    batches: Iterator[list[bytes]] = (records for records, _ in found)
    if wanted.transport is not None:
        batches = _chosen(found, wanted.transport)
    first = next(filter(None, batches), [])
    view = open_view(form, open_stream(wanted.output, stack))
    is_empty = len(first) <= len(team.undecoded)
    _pump(chain([first], batches), view, view.write_encoded)
    _say_undecoded(wanted, team.undecoded, say)
    return not is_empty


def _say_undecoded(wanted: Wanted, undecoded: Sequence[str], say: Say) -> None:
    """Name what the capture holds that is in no record."""
    source = "standard input" if wanted.source == "-" else wanted.source
    for summary in undecoded:
        say(f"{source}: {summary}")


def _batched(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Yield each record as a batch of its own: a choice decides one at a time."""
    for record in records:
        yield [record]


def _chosen(
    batches: Iterable[tuple[list[bytes], list[Clue]]], transport: Transport
) -> Iterator[list[bytes]]:
    """Yield the records of a transport, in batches, from records that are encoded already."""
    selection: Selection[bytes] = Selection(transport)
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


def _is_file(stream: BinaryIO) -> bool:
    return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)


def _open_input(source: str, stack: ExitStack) -> BinaryIO:
    if source == "-":
        return sys.stdin.buffer
    return stack.enter_context(Path(source).open("rb"))


def check_output(source: str, output: str | None) -> None:
    """Raise ValueError if writing to ``output`` would overwrite the capture that is read."""
    if output in (None, "-") or source == "-" or not Path(output).exists():
        return
    if Path(source).samefile(output):
        raise ValueError("the output is the capture itself")


def _form(wanted: Wanted) -> Format:
    if wanted.view is not None:
        return "table"
    if wanted.format is not None:
        return wanted.format
    if wanted.output in (None, "-"):
        return "table" if sys.stdout.isatty() else "ndjson"
    return FORMATS.get(Path(wanted.output).suffix.lower(), "ndjson")


def _open_output(wanted: Wanted, form: Format, stack: ExitStack) -> View:
    if wanted.view == "devtools":
        from ..views.devtools import DevToolsView

        text = _open_text(wanted.output, stack)
        return DevToolsView(text, _width_of(text), filters=wanted.filters)
    if form != "table":
        return open_view(form, open_stream(wanted.output, stack))
    if wanted.output in (None, "-"):
        return open_table(wanted.source)
    return open_table(wanted.source, _open_text(wanted.output, stack))


def open_stream(output: str | None, stack: ExitStack) -> BinaryIO:
    """Return what an output is written to; None and ``-`` are standard output."""
    if output not in (None, "-"):
        return stack.enter_context(Path(output).open("wb"))
    stream = sys.stdout.buffer
    if not isinstance(stream, RawIOBase):
        return stream
    # With PYTHONUNBUFFERED it is a raw file, whose write() may write a part and leave it at that.
    buffered = BufferedWriter(stream)
    stack.callback(buffered.detach)  # not closed with it
    return buffered


def _open_text(output: str | None, stack: ExitStack) -> TextIO:
    if output in (None, "-"):
        return sys.stdout
    return stack.enter_context(TextIOWrapper(open_stream(output, stack), encoding="utf-8"))


def _width_of(text: TextIO) -> int | None:
    """Return how many cells a line may take on a terminal; None, no limit, for anything else."""
    if not text.isatty():
        return None
    return max(get_terminal_size().columns, 40)


def open_table(source: str, stream: TextIO | None = None) -> View:
    """Return a table on standard output or on a text stream; ``source`` names the capture."""
    from rich.console import Console

    from ..views.table import TableView

    console = Console(file=stream or sys.stdout)
    return TableView(console, source, width_for(console))


def width_for(console: Console) -> int | None:
    """Return how many cells a table takes, None for as many as the terminal has."""
    return None if console.is_terminal else int(os.environ.get("COLUMNS", TABLE_WIDTH))
