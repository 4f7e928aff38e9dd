"""Parquet for pandas, DuckDB and such: one row an element, the contract's fields as columns.

Strategy: the schema is fixed, so every capture gives the same columns in the same order: those of
all kinds of records, null where a kind has none. Rows are collected column by column up to
GROUP_ROWS or GROUP_SIZE, and written as a row group; nothing else is kept. Lists of [name, value]
are lists of structs, times are both seconds, as in the records, and a ``time`` for plotting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from parsers.limits import MiB
from parsers.records import Record

from ..views.csv import COLUMNS
from . import NotInstalled

GROUP_ROWS = 65_536
"""Rows of one row group, at most."""
GROUP_SIZE = 32 * MiB
"""Characters of text in one row group, about."""

BOOLEANS = {"complete", "fin", "rsv1", "rsv2", "rsv3", "masked", "midstream", "dispatched",
            "compressed"}  # fmt: skip
TIMES = {"first_time", "last_time"}
PAIRS = {"headers", "trailers", "fields"}
TEXTS = {"record", "sender", "data", "encoding", "client", "server", "protocol", "closed_by",
         "close", "method", "target", "version", "reason", "framing", "extension",
         "content_encoding", "sha256", "ended_by", "event", "id", "opcode_name", "masking_key",
         "close_reason", "type", "severity", "code", "summary", "reference",
         "recorded_by"}  # fmt: skip


def check_installed() -> None:
    """Raise NotInstalled if pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise NotInstalled(
            "Parquet needs pyarrow, which is not installed: pip install 'wireproof[parquet]'"
        ) from None


def schema() -> Any:
    """Return the columns and their types."""
    import pyarrow as pa

    pairs = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))

    def kind(name: str) -> Any:
        if name in BOOLEANS:
            return pa.bool_()
        if name in TIMES:
            return pa.float64()
        if name in PAIRS:
            return pairs
        return pa.string() if name in TEXTS else pa.int64()

    columns = [pa.field(name, kind(name)) for name in COLUMNS]
    return pa.schema([*columns, pa.field("time", pa.timestamp("us", tz="UTC"))])


class ParquetTable:
    """Writes rows to a stream, in row groups."""

    def __init__(self, stream: BinaryIO) -> None:
        import pyarrow.parquet as pq

        self._schema = schema()
        self._writer = pq.ParquetWriter(stream, self._schema, compression="zstd")
        self._columns: dict[str, list[Any]] = {name: [] for name in self._schema.names}
        self._size = 0

    def __enter__(self) -> ParquetTable:
        return self

    def __exit__(self, *_: object) -> None:
        """Write what is left and the file's end, of an interrupted export too."""
        self._write_group()
        self._writer.close()

    def write(self, records: Sequence[Record]) -> None:
        """Take the next rows."""
        columns = self._columns
        for record in records:
            for name in COLUMNS:
                columns[name].append(cell(name, getattr(record, name, None)))
            columns["time"].append(round(record.last_time * 1_000_000))
            self._size += len(getattr(record, "data", None) or "") + 64
            if self._size >= GROUP_SIZE or len(columns["time"]) >= GROUP_ROWS:
                self._write_group()

    def _write_group(self) -> None:
        import pyarrow as pa

        if not self._columns["time"]:
            return
        arrays = [pa.array(self._columns[field.name], type=field.type) for field in self._schema]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._columns = {name: [] for name in self._schema.names}
        self._size = 0


def cell(name: str, value: Any) -> Any:
    """Return a field as its column has it."""
    if name in PAIRS and value is not None:
        return [{"name": key, "value": text} for key, text in value]
    return value
