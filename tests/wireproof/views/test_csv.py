"""A row a record."""

from __future__ import annotations

import csv
import json
from io import BytesIO, StringIO
from typing import get_args

from support.handmade import Wire, chunked

from parsers.records import Record, field_names
from wireproof.views.csv import COLUMNS, CsvView


def written(*batches: list[Record]) -> str:
    stream = BytesIO()
    view = CsvView(stream)
    for batch in batches:
        view.write(batch)
        view.flush()
    view.close()
    assert not stream.closed
    return stream.getvalue().decode()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


def test_the_columns_are_the_fields_of_all_records_common_ones_first() -> None:
    names = {name for kind in get_args(Record) for name in field_names(kind)}
    assert set(COLUMNS) == names
    assert len(COLUMNS) == len(names)
    common = ["first_packet", "last_packet", "first_time", "last_time", "exchange", "sender"]
    assert COLUMNS[:8] == ["record", "connection", *common]


def test_values() -> None:
    wire = Wire()
    found = rows(written([wire.request(), wire.chunk('a\r\n"b",'), wire.end()]))
    request, chunk, connection = found
    assert json.loads(request["headers"]) == [["Host", "127.0.0.1:8000"]]
    assert chunk["data"] == 'a\r\n"b",'
    assert chunk["trailers"] == ""  # null
    assert chunk["index"] == "0"
    assert connection["midstream"] == "false"
    assert connection["method"] == ""  # no such field
    assert float(connection["last_time"]) == wire.end().last_time


def test_a_record_of_every_kind_makes_a_row() -> None:
    wire = Wire()
    records: list[Record] = [
        *chunked(),
        wire.event(("data", "x")),
        wire.frame(),
        wire.message(),
        wire.gap(),
        wire.fault(),
    ]
    assert [row["record"] for row in rows(written(records))] == [r.record for r in records]


def test_lines_end_with_lf_and_batches_make_no_difference() -> None:
    records = chunked()
    text = written(records)
    assert "\r" not in text
    assert text == written(records[:2], [], records[2:])
    assert written() == ",".join(COLUMNS) + "\n"


def test_a_bare_carriage_return_ends_no_row() -> None:
    stream = BytesIO()
    view = CsvView(stream)
    view.write([Wire().chunk("a\r=1+1")])
    assert b'"a\r=1+1"' in stream.getvalue()
    assert b"\r\n" not in stream.getvalue()
