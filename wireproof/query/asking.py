"""What ``wireproof query`` does: a question over captures or data sets in, rows out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Any, NamedTuple

from ..output import open_stream, open_text
from ..tables.reading import TableOptions
from ..views.rows import FORMATS
from .database import Database, Say, answered

ENDINGS = {".txt": "table", ".csv": "csv", ".json": "json", ".parquet": "parquet"}
"""The format that an output's name asks for."""


class QueryOptions(NamedTuple):
    """The options of ``wireproof query``."""

    sources: Sequence[str]
    """Captures, folders, patterns, URLs, data sets."""
    sql: str
    format: str = "table"
    """One of FORMATS, or ``parquet``."""
    output: str | None = None
    """A path; None or ``-`` for standard output."""
    tables: TableOptions = TableOptions()


class Asked(NamedTuple):
    """What came of it."""

    rows: int
    left_out: int
    """Captures and parts of data sets that could not be read."""


def run(options: QueryOptions, say: Say) -> Asked:
    """Ask, and write what comes.

    ``say`` is told what is left out. Raises OSError, and ValueError for a query that DuckDB
    refuses, and for nothing to be asked.
    """
    with ExitStack() as stack:
        database, columns, batches = _asked(
            options.sources, options.sql, options.tables, say, stack
        )
        if options.format == "parquet":
            rows = _write_parquet(columns, batches, options.output, stack)
            return Asked(rows, database.left_out)
        is_data = options.format != "table"
        view = FORMATS[options.format](open_text(options.output, stack, is_data=is_data))
        rows = view.write(columns.names, (batch.to_pylist() for batch in batches))
        return Asked(rows, database.left_out)


def ask(source: str | Sequence[str], sql: str, say: Say = print) -> Any:
    """Return the rows of a query as a pyarrow.Table.

    ``source`` is a data set, a capture, a folder, a pattern or a URL, or several. ``say`` is told
    what is left out. Raises OSError, and ValueError for a query that DuckDB refuses,
    and for nothing to be asked.
    """
    import pyarrow as pa

    given = [source] if isinstance(source, str) else list(source)
    with ExitStack() as stack:
        _, columns, batches = _asked(given, sql, TableOptions(), say, stack)
        found = list(batches)
    return pa.Table.from_batches(found, schema=columns)


def _asked(
    sources: Sequence[str], sql: str, tables: TableOptions, say: Say, stack: ExitStack
) -> tuple[Database, Any, Iterator[Any]]:
    """Return a result whose first rows are there: a query that fails costs nobody a file."""
    return answered(sources, tables, say, stack, lambda database: _first(database, sql))


def _first(database: Database, sql: str) -> tuple[Database, Any, Iterator[Any]]:
    columns, batches = database.ask(sql)
    first = next(batches, None)
    return database, columns, batches if first is None else chain([first], batches)


def _write_parquet(
    columns: Any, batches: Iterator[Any], output: str | None, stack: ExitStack
) -> int:
    import pyarrow.parquet as pq

    count = 0
    with pq.ParquetWriter(open_stream(output, stack), columns, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
            count += batch.num_rows
    return count
