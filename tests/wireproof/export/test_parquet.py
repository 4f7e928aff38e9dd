"""Parquet: the same rows as ndjson, in pyarrow's own reading."""

from __future__ import annotations

import json
from datetime import UTC
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import msgspec
import pyarrow.parquet as pq
import pytest
from support.attack import attack
from support.stored import SMALL, name

from parsers.decode.packets import decode
from parsers.records import Record
from wireproof.export import parquet as module
from wireproof.export.parquet import BOOLEANS, PAIRS, TEXTS, TIMES, ParquetTable, schema


def table_of(data: bytes) -> Any:
    stream = BytesIO()
    with ParquetTable(stream) as table:
        for record in decode(BytesIO(data)):
            table.write([record])
    return pq.read_table(BytesIO(stream.getvalue()))


def rows_of(table: Any) -> list[dict[str, Any]]:
    """Rows as ndjson has them: without what a kind has not."""
    kinds = {kind.__struct_fields__[-1]: kind for kind in get_args(Record)}
    assert kinds
    rows = []
    for row in table.to_pylist():
        row.pop("time")
        for field in PAIRS:
            if row[field] is not None:
                row[field] = [[pair["name"], pair["value"]] for pair in row[field]]
        rows.append(row)
    return rows


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_rows_are_those_of_ndjson(path: Path) -> None:
    data = path.read_bytes()
    lines = msgspec.json.Encoder().encode_lines(list(decode(BytesIO(data)))).splitlines()
    rows = rows_of(table_of(data))
    assert len(rows) == len(lines)
    for row, line in zip(rows, map(json.loads, lines), strict=True):
        assert {field: row[field] for field in line} == line
        assert not [
            field for field, value in row.items() if field not in line and value is not None
        ]


def test_an_attack_is_only_data() -> None:
    assert table_of(attack()).num_rows > 900


def test_every_column_has_its_type() -> None:
    """A field that is added must be given one here: a text would not fit into a number's column."""
    found = {field.name: str(field.type) for field in schema()}
    for kind in get_args(Record):
        for field in msgspec.structs.fields(kind):
            said = str(field.type)
            wanted = (
                "bool" if "bool" in said and "str" not in said
                else "double" if field.name in TIMES
                else "list" if field.name in PAIRS
                else "string" if "str" in said or "Literal" in said
                else "int64"
            )  # fmt: skip
            assert found[field.name].startswith(wanted), field.name
    assert set(found) - {"time"} >= BOOLEANS | TIMES | PAIRS | TEXTS


def test_times_can_be_plotted() -> None:
    path = next(path for path in SMALL if path.stem == "plain")
    for row in table_of(path.read_bytes()).to_pylist():
        assert row["time"].tzinfo is not None
        assert row["time"].astimezone(UTC).timestamp() == pytest.approx(row["last_time"], abs=1e-6)


def test_rows_come_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUP_ROWS", 7)
    path = next(path for path in SMALL if path.stem == "plain")
    stream = BytesIO()
    with ParquetTable(stream) as table:
        for record in decode(BytesIO(path.read_bytes())):
            table.write([record])
    file = pq.ParquetFile(BytesIO(stream.getvalue()))
    assert file.metadata.num_row_groups == -(-file.metadata.num_rows // 7)


def test_an_empty_table() -> None:
    stream = BytesIO()
    with ParquetTable(stream):
        pass
    assert pq.read_table(BytesIO(stream.getvalue())).num_rows == 0
