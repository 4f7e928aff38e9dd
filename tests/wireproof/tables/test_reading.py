"""``wireproof.tables.read``: the rows of a capture, table by table."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from support.corpus import ROOT
from support.planted import in_headers, planted
from support.stored import SMALL, name

from parsers.decode.capture import decode
from parsers.records import ConnectionRecord, DiagnosticRecord
from wireproof.analysis.outcomes import outcomes
from wireproof.arrow import rows as rows_module
from wireproof.tables import KINDS, read, schema
from wireproof.tables.kinds import DATA, Kind

PLAIN = ROOT / "fixtures" / "sse" / "plain.pcapng"


def table(path: Path, kind: Kind, **options: Any) -> Any:
    return pa.Table.from_batches(list(read(path, kind, **options)), schema=schema(kind))


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_every_record_is_a_row_in_order(path: Path) -> None:
    records = list(decode(BytesIO(path.read_bytes())))
    connections = [one for one in records if isinstance(one, ConnectionRecord)]
    faults = [one for one in records if isinstance(one, DiagnosticRecord)]
    elements = [one for one in records if type(one) not in (ConnectionRecord, DiagnosticRecord)]
    for kind, expected in (("connections", connections), ("diagnostics", faults)):
        found = table(path, kind).to_pylist()  # type: ignore[arg-type]
        assert [(row["connection"], row["last_packet"]) for row in found] == [
            (one.connection, one.last_packet) for one in expected
        ]
    found = table(path, "elements", keep_data=True, policy="none").to_pylist()
    assert [(row["record"], row["last_packet"], row["data"]) for row in found] == [
        (one.record, one.last_packet, getattr(one, "data", None)) for one in elements
    ]


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_outcomes_are_those_of_explain(path: Path) -> None:
    expected = list(outcomes([list(decode(BytesIO(path.read_bytes()), shows_records=True))]))
    lines = table(path, "exchanges").to_pylist()
    assert [(row["number"], row["verdict"], row["end"], row["first"]) for row in lines] == [
        (one.listed.number, one.listed.verdict, one.listed.end, one.listed.first)
        for one in expected
    ]
    verdicts = table(path, "verdicts").to_pylist()
    said = [verdict for one in expected for verdict in one.verdicts]
    assert [(row["question"], row["answer"], row["summary"]) for row in verdicts] == [
        (one.question, one.answer, one.summary) for one in said
    ]
    assert [set(json.loads(row["numbers"])) for row in verdicts] == [
        set(one.numbers) for one in said
    ]


def test_what_every_row_says_of_its_capture() -> None:
    for kind in KINDS:
        for row in table(PLAIN, kind, host="web1").to_pylist():
            assert row["capture"] == str(PLAIN) and row["host"] == "web1"
            assert len(row["capture_sha256"]) == 64
    [row] = table(PLAIN, "exchanges").to_pylist()
    assert row["host"] == "plain"
    assert abs(row["time"].timestamp() - row["start_time"]) < 1e-6
    assert row["first_token"] == pytest.approx(row["first"])
    assert 0 < row["gap_p50"] <= row["gap_p99"] <= row["gap_max"] < 0.02
    assert (row["tokens"], row["authority"], row["version"]) == (9, "127.0.0.1:46399", "HTTP/1.1")


def test_packets_are_those_of_the_file() -> None:
    packets = table(PLAIN, "packets").to_pylist()
    assert [row["number"] for row in packets] == list(range(1, 37))
    first = packets[0]
    assert (first["flags"], first["source"], first["length"]) == (2, "127.0.0.1", 74)


def test_payloads_only_when_they_are_asked_for() -> None:
    kept, left = (table(PLAIN, "elements", keep_data=wanted) for wanted in (True, False))
    assert kept.schema == left.schema
    for column in DATA:
        assert left[column].null_count == left.num_rows > kept[column].null_count
    assert left.drop_columns(sorted(DATA)) == kept.drop_columns(sorted(DATA))


def test_secrets_are_masked(tmp_path: Path) -> None:
    tape, secrets = planted()
    path = tmp_path / "planted.pcapng"
    path.write_bytes(tape.file())
    shown = {
        policy: json.dumps(
            [table(path, kind, policy=policy, keep_data=True).to_pylist() for kind in KINDS],
            default=str,
        )
        for policy in ("none", "headers", "all")
    }
    fields = set(in_headers(secrets))
    assert fields & set(secrets.found_in(shown["none"]))
    assert not fields & set(secrets.found_in(shown["headers"]))
    assert secrets.found_in(shown["all"]) == []
    quick = json.dumps([table(path, kind).to_pylist() for kind in KINDS], default=str)
    assert not fields & set(secrets.found_in(quick))


def test_batches_of_any_size_hold_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {kind: table(PLAIN, kind) for kind in KINDS}
    monkeypatch.setattr(rows_module, "GROUP_ROWS", 3)
    for kind, expected in whole.items():
        batches = list(read(PLAIN, kind))
        assert all(batch.num_rows <= 3 for batch in batches)
        assert pa.Table.from_batches(batches, schema=schema(kind)) == expected


def test_what_is_no_capture(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="not a capture file"):
        list(read(path, "exchanges"))
    with pytest.raises(FileNotFoundError):
        list(read(tmp_path / "none.pcap", "exchanges"))
