"""Parquet: the same rows as ndjson, in pyarrow's own reading."""

from __future__ import annotations

import json
from datetime import UTC
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.attack import attack
from support.corpus import ROOT
from support.http2 import GET, OK, Http2Talk, data
from support.stored import SMALL, name

from parsers import decode_batches
from parsers.decode.capture import decode
from parsers.records import Record
from wireproof.analysis.stored import read_parquet
from wireproof.arrow import rows as module
from wireproof.export.parquet import TABLE, ParquetTable

PAIRS = [column.name for column in TABLE.columns if column.has_pairs]
TLS = ROOT / "fixtures" / "field" / "tls-to-tls.pcap"


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
        # What is left out of a line because it goes without saying has its cell in a table.
        place = {"layer": "tcp"} if line["record"] != "connection" else {}
        rest = {field: value for field, value in row.items() if field not in line}
        assert {field: value for field, value in rest.items() if value is not None} == place


def test_an_attack_is_only_data() -> None:
    assert table_of(attack()).num_rows > 900


PAIR = pa.struct([("name", pa.string()), ("value", pa.string())])


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("record", pa.string()),
        ("connection", pa.int64()),
        ("sender", pa.string()),
        ("first_time", pa.float64()),
        ("headers", pa.list_(PAIR)),
        ("trailers", pa.list_(PAIR)),
        ("fin", pa.bool_()),
        ("chunks", pa.int64()),
        ("close_reason", pa.string()),
        ("time", pa.timestamp("us", tz="UTC")),
    ],
)
def test_columns_have_the_types_of_the_fields(column: str, kind: pa.DataType) -> None:
    assert TABLE.schema.field(column).type == kind


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


def test_tls_and_http2_are_read_back() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, OK), data(1, b"all", ends=True))
    records = talk.records()
    with TLS.open("rb") as stream:
        records += [one for batch in decode_batches(stream, shows_records=True) for one in batch]
    assert {"http2_frame", "http2_data", "tls", "tls_record"} <= {one.record for one in records}
    written = BytesIO()
    with ParquetTable(written) as table:
        table.write(records)
    assert list(read_parquet(BytesIO(written.getvalue()))) == records
