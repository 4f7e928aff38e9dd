"""Records read back are those that were written, and verdicts on them are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from support.stored import SMALL, name

from parsers.decode.capture import decode
from parsers.decode.packets import PacketDecoder
from parsers.files.reader import CaptureReader
from parsers.records import Record
from wireproof.analysis.endings import find_unclean_end
from wireproof.analysis.evidence import Evidence, collect
from wireproof.analysis.finding import Finding
from wireproof.analysis.judges import explain
from wireproof.analysis.keepalive import find_other_close
from wireproof.analysis.resumption import find_bad_resumption
from wireproof.analysis.stored import read_json, read_ndjson, read_parquet
from wireproof.analysis.streaming import Wanted, find_collected, find_gap, find_late_start
from wireproof.analysis.trace import Trace
from wireproof.export.parquet import ParquetTable
from wireproof.testing.captures import StoredCapture
from wireproof.views.kinds import open_export

STRICT: list[Callable[[Evidence, Trace], Finding | None]] = [
    lambda evidence, _: find_unclean_end(evidence, None),
    lambda evidence, trace: find_collected(evidence, trace, Wanted(3, 1, 0.05)),
    lambda evidence, trace: find_collected(evidence, trace, Wanted(1, 4)),
    lambda evidence, _: find_gap(evidence, 0.01, keep_alives=False),
    lambda evidence, _: find_late_start(evidence, 0.0),
    lambda evidence, _: find_other_close(evidence, 4000, "client"),
    lambda evidence, _: find_bad_resumption(evidence, evidence, respecting_retry=True, exact=True),
]
"""Checks that find something in nearly every exchange."""


def records_of(path: Path) -> list[Record]:
    with path.open("rb") as stream:
        return list(decode(stream))


def as_ndjson(records: list[Record]) -> list[Record]:
    stream = BytesIO()
    open_export("ndjson", stream).write(records)
    return list(read_ndjson(stream.getvalue().splitlines(keepends=True)))


def as_json(records: list[Record]) -> list[Record]:
    stream = BytesIO()
    view = open_export("json", stream)
    view.write(records)
    view.close()
    return read_json(stream.getvalue())


def as_parquet(records: list[Record]) -> list[Record]:
    stream = BytesIO()
    with ParquetTable(stream) as table:
        table.write(records)
    return list(read_parquet(BytesIO(stream.getvalue())))


def found(records: Iterable[Record]) -> list[list[Finding]]:
    some = list(records)
    traces = {one.exchange.number: one.trace for one in explain(some)}
    return [verdicts(one, traces[one.about.number]) for one in collect(some, Evidence)]


def verdicts(evidence: Evidence, trace: Trace) -> list[Finding]:
    return [finding for check in STRICT if (finding := check(evidence, trace))]


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_what_is_read_back_is_what_was_written(path: Path) -> None:
    records = records_of(path)
    assert as_ndjson(records) == records
    assert as_json(records) == records
    assert as_parquet(records) == records


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_live_stored_and_in_a_test_verdicts_are_the_same(path: Path) -> None:
    records = records_of(path)
    findings = found(records)
    assert any(findings)
    with path.open("rb") as stream:  # one packet at a time, as they arrive
        decoder = PacketDecoder()
        live = [record for packet in CaptureReader(stream) for record in decoder.receive([packet])]
        live += decoder.finish()
    assert found(live) == findings
    assert found(as_ndjson(records)) == findings
    assert found(as_parquet(records)) == findings
    in_a_test = StoredCapture(path, lambda _: "", lambda *_: None).exchanges()
    traces = [one.source.explained(one).trace for one in in_a_test]
    assert [*map(verdicts, in_a_test, traces)] == findings


@pytest.mark.parametrize("line", [b"{}", b'{"record": "other"}', b"[]", b"no JSON"])
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises((msgspec.ValidationError, msgspec.DecodeError)):
        list(read_ndjson([line]))


def test_blank_lines_are_none() -> None:
    assert list(read_ndjson([b"\n", b"  \n"])) == []
