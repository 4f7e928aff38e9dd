"""Parquet for pandas, DuckDB and such: one row an element, the contract's fields as columns.

Strategy: the schema is fixed, so every capture gives the same columns in the same order: those of
all kinds of records, of the types that these declare, null where a kind has none. A row group is
written as soon as its rows are there (:mod:`~wireproof.arrow.rows`); nothing else is kept. Lists of
[name, value] are lists of structs, times are both seconds, as in the records, and a ``time`` for
plotting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, BinaryIO, get_args

from parsers.records import Record

from ..arrow.layouts import Table
from ..arrow.rows import STEP_ROWS, Rows
from ..views.csv import COLUMNS

TABLE = Table(
    [(kind,) for kind in get_args(Record)], time="last_time", order=COLUMNS, is_tagged=True
)
"""All records."""


class ParquetTable:
    """Writes rows to a stream, in row groups."""

    def __init__(self, stream: BinaryIO) -> None:
        import pyarrow.parquet as pq

        self._writer = pq.ParquetWriter(stream, TABLE.schema, compression="zstd")
        self._rows = Rows(TABLE)

    def __enter__(self) -> ParquetTable:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what is left and the file's end, of an interrupted export too."""
        if kind is None or issubclass(kind, KeyboardInterrupt):
            self._write(self._rows.finish())
            self._writer.close()
        else:
            self._writer.is_open = False  # what failed is given up: no one closes it later

    def write(self, records: Sequence[Record]) -> None:
        """Take the next rows."""
        self._write(self._rows.extend(records))

    def _write(self, batches: Iterable[Any]) -> None:
        for batch in batches:
            self._writer.write_batch(batch, row_group_size=batch.num_rows)


def arrow_table(records: Iterable[Record]) -> Any:
    """Return records as one table in memory, with the columns of Parquet."""
    import pyarrow as pa

    rows, rest = Rows(TABLE), iter(records)
    batches: list[Any] = []
    while some := list(islice(rest, STEP_ROWS)):
        batches += rows.extend(some)
    return pa.Table.from_batches([*batches, *rows.finish()], schema=TABLE.schema)
