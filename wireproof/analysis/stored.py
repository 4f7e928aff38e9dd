"""Records read back from where they were stored: ndjson, JSON, Parquet.

Strategy: msgspec reads each row as the kind of record that it says it is, with the types that the
records declare, so that what is read back equals what was written. One row stands in memory, of
Parquet one batch, and of a JSON array all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, get_args

import msgspec
from parsers.records import Record, field_names

FIELDS = {kind.record: field_names(kind) for kind in get_args(Record)}
"""The fields of each kind of record, by its name."""


def read_ndjson(lines: Iterable[bytes]) -> Iterator[Record]:
    """Yield the records of ndjson. Raises msgspec.ValidationError (a ValueError) for other JSON."""
    decoder = msgspec.json.Decoder(Record)
    return (decoder.decode(line) for line in lines if line.strip())


def read_json(data: bytes) -> list[Record]:
    """Return the records of a JSON array; raises as :func:`read_ndjson` does."""
    return msgspec.json.decode(data, type=list[Record])


def read_parquet(stream: BinaryIO) -> Iterator[Record]:
    """Yield the records of a Parquet file. Raises ImportError without pyarrow."""
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(stream).iter_batches():
        for row in batch.to_pylist():
            yield _record(row)


def _record(row: dict[str, Any]) -> Record:
    """Return the record of a row, which has a cell for every field of every kind."""
    cells = {name: _value(row[name]) for name in FIELDS[row["record"]] if name in row}
    found: Record = msgspec.convert(cells, type=Record)
    return found


def _value(cell: Any) -> Any:
    """Return a field as JSON has it: a list of pairs for a list of names and values."""
    if isinstance(cell, list) and cell and isinstance(cell[0], dict) and "name" in cell[0]:
        return [(pair["name"], pair["value"]) for pair in cell]
    return cell
