"""Parquet for pandas, DuckDB and such: one row an element, the contract's fields as columns.

Strategy: the schema is fixed, so every capture gives the same columns in the same order: those of
all kinds of records, of the types that these declare, null where a kind has none. Rows are
collected column by column up to GROUP_ROWS or GROUP_SIZE, and written as a row group; nothing else
is kept. Lists of [name, value] are lists of structs, times are both seconds, as in the records, and
a ``time`` for plotting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, BinaryIO, cast, get_args

import msgspec
from msgspec import inspect
from parsers.limits import MiB
from parsers.records import Record, SseEventRecord

from ..text.moments import MICROSECONDS
from ..views.csv import COLUMNS

GROUP_ROWS = 16_384
"""Rows of one row group, at most: enough for a scan to skip by, few enough to hold, each
of a hundred columns, while they are written."""
GROUP_SIZE = 8 * MiB
"""Characters of text in one row group, about: Arrow and Parquet hold them some more times."""


def _types() -> dict[str, inspect.Type]:
    """Return the type of each column, as the records declare it, without null."""
    kinds = inspect.multi_type_info(get_args(Record))
    fields = [field for kind in kinds for field in cast(inspect.StructType, kind).fields]
    return {"record": inspect.StrType()} | {
        field.name: without_null(field.type) for field in fields
    }


def without_null(found: inspect.Type) -> inspect.Type:
    if not isinstance(found, inspect.UnionType):
        return found
    kinds = [kind for kind in found.types if not isinstance(kind, inspect.NoneType)]
    if all(isinstance(kind, inspect.LiteralType) for kind in kinds):
        return kinds[0]  # words of several lists are words
    (only,) = kinds
    return only


def is_pairs(found: inspect.Type) -> bool:
    """Return whether a column has lists of [name, value]."""
    match found:
        case inspect.ListType(item_type=inspect.TupleType(item_types=(first, _))):
            return isinstance(first, inspect.StrType)
    return False


TYPES = _types()
PAIRS = {name for name, found in TYPES.items() if is_pairs(found)}


def schema() -> Any:
    """Return the columns and their types."""
    import pyarrow as pa

    columns = [pa.field(name, arrow_type(TYPES[name])) for name in COLUMNS]
    return pa.schema([*columns, pa.field("time", pa.timestamp("us", tz="UTC"))])


def arrow_type(found: inspect.Type) -> Any:
    """Return Arrow's type for a type of the records."""
    import pyarrow as pa

    match found:
        case inspect.BoolType():
            return pa.bool_()
        case inspect.IntType():
            return pa.int64()
        case inspect.FloatType():
            return pa.float64()
        case inspect.StrType() | inspect.LiteralType():
            return pa.string()
        case inspect.ListType(item_type=inspect.TupleType(item_types=(_, value))) if is_pairs(
            found
        ):
            return pa.list_(pa.struct([("name", pa.string()), ("value", arrow_type(value))]))
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return pa.list_(arrow_type(item))
        case inspect.TypedDictType(fields=fields) | inspect.StructType(fields=fields):
            return pa.struct([(each.name, arrow_type(without_null(each.type))) for each in fields])
        case inspect.TupleType(item_types=items):  # of one type: [start, end]
            return pa.list_(arrow_type(items[0]), len(items))
    raise TypeError(f"no column for {found}")


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

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what is left and the file's end, of an interrupted export too."""
        if kind is None or issubclass(kind, KeyboardInterrupt):
            self._write_group()
            self._writer.close()
        else:
            self._writer.is_open = False  # what failed is given up: no one closes it later

    def write(self, records: Sequence[Record]) -> None:
        """Take the next rows."""
        columns = self._columns
        for record in records:
            _append(columns, record)
            self._size += payload_size(record) + 64
            if self._size >= GROUP_SIZE or len(columns["time"]) >= GROUP_ROWS:
                self._write_group()

    def _write_group(self) -> None:
        if not self._columns["time"]:
            return
        self._writer.write_table(_table(self._columns, self._schema))
        self._columns = {name: [] for name in self._schema.names}
        self._size = 0


def payload_size(record: msgspec.Struct) -> int:
    """Return how many characters a record's payload has, about.

    Those of an event's fields, some of which are its data; one that was not dispatched has no data.
    """
    if isinstance(record, SseEventRecord):
        return sum(len(value) for _, value in record.fields or ()) + len(record.data or "")
    return len(getattr(record, "data", None) or "")


def arrow_table(records: Iterable[Record]) -> Any:
    """Return records as one table in memory, with the columns of Parquet."""
    import pyarrow as pa

    found = schema()
    tables = [found.empty_table()]
    rest = iter(records)
    while some := list(islice(rest, GROUP_ROWS)):
        columns: dict[str, list[Any]] = {name: [] for name in found.names}
        for record in some:
            _append(columns, record)
        tables.append(_table(columns, found))
    return pa.concat_tables(tables)


def _append(columns: dict[str, list[Any]], record: Record) -> None:
    """Add a row."""
    for name in COLUMNS:
        columns[name].append(cell(name, getattr(record, name, None)))
    time = round(record.last_time * 1_000_000)
    first, last = MICROSECONDS
    columns["time"].append(time if first <= time <= last else None)


def _table(columns: dict[str, list[Any]], found: Any) -> Any:
    import pyarrow as pa

    arrays = [pa.array(columns[field.name], type=field.type) for field in found]
    return pa.Table.from_arrays(arrays, schema=found)


def cell(name: str, value: Any) -> Any:
    """Return a field as its column has it."""
    if name in PAIRS and value is not None:
        return [{"name": key, "value": text} for key, text in value]
    return value
