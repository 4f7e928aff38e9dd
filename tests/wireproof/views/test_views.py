"""Formats by name."""

from __future__ import annotations

from io import BytesIO
from typing import get_args

import pytest
from support.handmade import Wire, chunked

from wireproof.views import ExportFormat, export, open_view
from wireproof.views.csv import CsvView
from wireproof.views.json import JsonView
from wireproof.views.ndjson import NdjsonView


@pytest.mark.parametrize(
    ("name", "view"), [("ndjson", NdjsonView), ("json", JsonView), ("csv", CsvView)]
)
def test_open_view(name: str, view: type) -> None:
    assert isinstance(open_view(name, BytesIO()), view)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", get_args(ExportFormat))
def test_records_can_be_encoded_one_by_one_elsewhere(name: ExportFormat) -> None:
    records = [*chunked(), Wire().chunk('a\r\nb\n"\u2028\x85')]
    parts = [part for record in records for part in export(name).encode([record])]
    assert parts == export(name).encode(records)
    assert len(parts) == len(records)
    written = []
    for given, what in (("write", records), ("write_encoded", parts)):
        stream = BytesIO()
        view = open_view(name, stream)
        for batch in (what[:3], [], what[3:]):
            getattr(view, given)(batch)
        view.close()
        written.append(stream.getvalue())
    assert written[0] == written[1]
