"""What ``wireproof export`` does: a capture in, another program's format out.

Strategy: records go from the decoder to the writer batch by batch. HAR needs the bytes of bodies
too, so there the packets are followed beside (:mod:`..bytes.stream_tap`); tables need records
alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO

from parsers import BATCH, KeyLog, OrderedCapture, decode_batches
from parsers.records import Record

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.selection import Wanted, select
from ..opening import open_input
from ..output import open_stream
from ..redact import Policy, Redactor, Report, Rules
from ..tasks.chosen import choosing
from ..tasks.decode import check_output
from ..tasks.unread import CaptureFaults
from ..text.progress import shown
from . import ExportFormat


@dataclass(frozen=True)
class ExportOptions:
    """The options of ``wireproof export``."""

    source: str
    """A path, or ``-`` for standard input."""
    format: ExportFormat
    output: str | None = None
    """A path; None or ``-`` for standard output."""
    policy: Policy | Rules = "headers"
    wanted: ExchangeFilter = EVERYTHING
    """Which exchanges."""
    keylog: KeyLog | None = None
    """Secrets of TLS, beside those in the capture."""
    raw_cells: bool = False
    """Whether cells of a CSV file are left as they are, formulas of a spreadsheet or not."""


@dataclass
class Exported:
    """What was written."""

    written: int = 0
    """Entries or rows."""
    report: Report = field(default_factory=Report)
    faults: CaptureFaults = field(default_factory=CaptureFaults)
    """What is wrong with the capture itself."""


def run(wanted: ExportOptions) -> Exported:
    """Export as wanted.

    Raises OSError for what cannot be read or written, ValueError for what is no capture, for an
    output that is the input, and for a table on a terminal.
    """
    check_output(wanted.source, wanted.output)
    if wanted.format == "parquet" and wanted.output in (None, "-") and sys.stdout.isatty():
        raise ValueError("Parquet is not for a terminal: name a file with -o")
    with ExitStack() as stack:
        source = open_input(wanted.source, stack)
        source, choice = choosing(source, wanted.wanted, stack, wanted.keylog)
        source = stack.enter_context(shown(source, "exporting"))
        if wanted.format == "har":
            return _export_har(wanted, choice, source, stack)
        return _export_table(wanted, choice, source, stack)


def _export_har(
    wanted: ExportOptions, choice: Wanted | None, source: BinaryIO, stack: ExitStack
) -> Exported:
    from .har import HarWriter

    capture = OrderedCapture(source, keylog=wanted.keylog)
    only = wanted.wanted.only_connection
    writer = HarWriter(wanted.policy, only, choice, capture.sort, keys=capture.keys)
    stack.enter_context(writer)
    for batch in capture.batches(BATCH, lambda: writer.room):
        writer.add(batch)
    writer.finish()
    faults = CaptureFaults()
    faults.note(writer.faults(capture.faults))
    # Opened when all is read: entries are put into the order in which they began.
    writer.write(open_stream(wanted.output, stack))
    return Exported(writer.written, writer.report, faults)


def _export_table(
    wanted: ExportOptions, choice: Wanted | None, source: BinaryIO, stack: ExitStack
) -> Exported:
    only = wanted.wanted.only_connection
    decoded = None if only is None else {only, None}.__contains__
    faults = CaptureFaults()
    batches = faults.noting(decode_batches(source, wanted=decoded, keylog=wanted.keylog))
    if choice is not None:
        chosen = select(chain.from_iterable(batches), choice)
        batches = ([record] for record in chosen)
    first = next(filter(None, batches), [])
    redactor = Redactor(wanted.policy)
    done = Exported(report=redactor.report, faults=faults)
    write = _table_writer(wanted, stack)
    for batch in chain([first], batches):
        write([redactor.redact(record) for record in batch])
        done.written += len(batch)
    return done


def _table_writer(wanted: ExportOptions, stack: ExitStack) -> Callable[[list[Record]], None]:
    stream = open_stream(wanted.output, stack, source=wanted.source)
    if wanted.format == "parquet":
        from .parquet import ParquetTable

        return stack.enter_context(ParquetTable(stream)).write
    from ..views.csv import CsvView, RawCsvView

    table = (RawCsvView if wanted.raw_cells else CsvView)(stream)
    stack.callback(table.close)
    return table.write
