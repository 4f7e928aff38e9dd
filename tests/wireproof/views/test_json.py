"""One JSON array."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from msgspec import to_builtins
from support.handmade import chunked

from parsers.records import Record
from wireproof.views.json import JsonView


def written(*batches: list[Record]) -> bytes:
    stream = BytesIO()
    view = JsonView(stream)
    for batch in batches:
        view.write(batch)
        view.flush()
    view.close()
    assert not stream.closed
    return stream.getvalue()


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_the_array_holds_every_record(count: int) -> None:
    records = chunked()[:count]
    assert json.loads(written(records)) == [
        json.loads(json.dumps(to_builtins(record))) for record in records
    ]


def test_a_record_takes_a_line() -> None:
    assert written(chunked()).count(b"\n") == len(chunked()) + 2
    assert written() == b"[]\n"


def test_batches_make_no_difference() -> None:
    records = chunked()
    assert written(records) == written(records[:2], [], records[2:])
