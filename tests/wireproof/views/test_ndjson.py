"""One JSON object a line."""

from __future__ import annotations

import json
from io import BytesIO

from msgspec import to_builtins
from msgspec.structs import replace
from support.handmade import Wire, chunked

from parsers.records import Record
from wireproof.views.ndjson import NdjsonView


def written(*batches: list[Record]) -> bytes:
    stream = BytesIO()
    view = NdjsonView(stream)
    for batch in batches:
        view.write(batch)
        view.flush()
    view.close()
    assert not stream.closed
    return stream.getvalue()


def test_a_line_holds_all_fields_of_a_record_in_the_contracts_order() -> None:
    records = chunked()
    lines = written(records).splitlines()
    assert [json.loads(line) for line in lines] == [
        json.loads(json.dumps(to_builtins(record))) for record in records
    ]
    assert lines[0].startswith(b'{"record":"request","connection":0,"exchange":0,"sender":"client"')


def test_batches_make_no_difference() -> None:
    records = chunked()
    assert written(records) == written([], *([record] for record in records))


def test_nothing_gives_nothing() -> None:
    assert written() == b""


def test_a_line_is_one_to_whoever_splits_text_into_lines() -> None:
    """``str.splitlines`` ends lines where JSON does not, and where its writers escape nothing."""
    data = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei\r\n é \u2027"
    records: list[Record] = [Wire().chunk(data)]
    text = written(records).decode()
    (line,) = text.splitlines()
    assert json.loads(line)["data"] == data
    assert NdjsonView.encode(records) == (text.encode(), [len(text.encode())])


def test_hostile_text_stays_on_its_line() -> None:
    data = '\x00\n\r\u2028\u202e\x7f"\\'
    (line,) = written([Wire().chunk(data)]).split(b"\n")[:-1]
    assert json.loads(line)["data"] == data


def test_a_microsecond_is_not_lost() -> None:
    chunk = replace(Wire().chunk("x"), last_time=1_790_000_000.123457)
    assert json.loads(written([chunk]))["last_time"] == 1_790_000_000.123457
