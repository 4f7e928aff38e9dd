"""A data set of many captures: what it came to, and what could not be read."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.rings import parts

from wireproof.tables import TableOptions
from wireproof.tables.dataset import DataSet
from wireproof.tables.exporting import ExportJob, ExportTally, progress, run

RING = [f"web1_{number:05}_202601311200{number:02}.pcapng" for number in (1, 2, 3)]


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    folder = tmp_path / "ring"
    folder.mkdir()
    for name, part in zip(RING, parts(3), strict=True):
        (folder / name).write_bytes(part)
    return folder


def job(folder: Path, *, together: bool = True, merged: bool = False) -> ExportJob:
    place = str(folder.with_name(f"set-{together}-{merged}"))
    return ExportJob([str(folder)], place, TableOptions(), merged, together)


def exchanges(done: ExportJob) -> list[tuple[str, str, int]]:
    files = DataSet(done.place).files()["exchanges"]
    rows = [row for path in files for row in pq.read_table(path).to_pylist()]
    return [(Path(row["capture"]).name, row["end"], row["count"]) for row in rows]


def test_a_connection_that_spans_files_is_whole(ring: Path) -> None:
    wanted = job(ring)
    assert run(wanted, print) == ExportTally(1, 1, 20, 0)
    assert exchanges(wanted) == [("web1_*.pcapng", "whole", 12)]
    [made] = DataSet(wanted.place).captures()
    assert made.host == "web1" and len(made.stamp) == 3


def test_apart_they_are_three_captures(ring: Path) -> None:
    wanted = job(ring, together=False)
    assert run(wanted, print).captures == 3
    assert "whole" not in [end for _, end, _ in exchanges(wanted)][:1]


def test_a_file_that_came_makes_the_ring_anew(ring: Path) -> None:
    (ring / RING[2]).rename(ring.parent / "later")
    wanted = job(ring)
    run(wanted, print)
    assert exchanges(wanted)[0][1] != "whole"
    (ring.parent / "later").rename(ring / RING[2])
    assert run(wanted, print).made == 1
    assert exchanges(wanted) == [("web1_*.pcapng", "whole", 12)]


def test_a_missing_file_is_a_diagnostic(ring: Path) -> None:
    (ring / RING[1]).unlink()
    wanted = job(ring)
    run(wanted, print)
    [path] = DataSet(wanted.place).files()["diagnostics"]
    faults = {row["code"]: row["summary"] for row in pq.read_table(path).to_pylist()}
    assert "1 file is missing, number 2" in faults["capture-file-missing"]


def test_what_cannot_be_read_is_told_and_left_out(ring: Path) -> None:
    (ring / "bad.pcap").write_bytes(b"bad")
    said: list[str] = []
    assert run(job(ring), said.append)[2:] == (20, 1)
    assert said[0].startswith(f"{ring}/bad.pcap: not a capture file")


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(10) as advance:
        advance()
    assert capsys.readouterr() == ("", "")
