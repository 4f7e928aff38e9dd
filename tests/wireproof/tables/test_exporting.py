"""A data set of many captures: what it came to, and what could not be read."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack
from errno import ENOSPC
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.corpus import ROOT
from support.rings import parts, stream

from wireproof.tables import KINDS, TableOptions
from wireproof.tables import parts as tables_parts
from wireproof.tables.dataset import DataSet
from wireproof.tables.exporting import ExportJob, ExportTally, progress, run
from wireproof.tables.kinds import Origin
from wireproof.tables.stores import Folder
from wireproof.tasks import several

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


def test_the_files_of_a_ring_hold_what_one_file_does(ring: Path) -> None:
    whole = ring.parent / "whole.pcapng"
    whole.write_bytes(stream().file())
    of_whole, of_ring = ExportJob([str(whole)], f"{ring}-whole", TableOptions(KINDS)), job(ring)
    run(of_whole, print)
    run(of_ring._replace(options=TableOptions(KINDS)), print)
    assert rows_of(of_whole) == rows_of(of_ring)
    assert set(rows_of(of_ring)) >= {"exchanges", "elements", "connections", "packets"}


def rows_of(done: ExportJob) -> dict[str, list[dict[str, object]]]:
    """What each table holds, but for whose it is."""
    return {
        kind: pa.concat_tables(map(pq.read_table, files))
        .drop_columns(list(Origin._fields))
        .to_pylist()
        for kind, files in DataSet(done.place).files().items()
    }


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
    assert run(job(ring), said.append)[2:4] == (20, 1)
    assert said[0].startswith(f"{ring}/bad.pcap: not a capture file")


def fill(monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
    """Let the disk be full once so many files are there."""
    create, made = Folder.create, iter(range(after))

    def create_while_there_is_room(self: Folder, name: str, stack: ExitStack) -> BinaryIO:
        stream = create(self, name, stack)
        if next(made, None) is None:
            raise OSError(ENOSPC, "No space left on device", name)
        return stream

    monkeypatch.setattr(Folder, "create", create_while_there_is_room)


def test_a_full_disk_has_no_empty_folders(ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = job(ring)._replace(place=str(ring.parent / "new" / "set"))
    fill(monkeypatch, after=0)
    with pytest.raises(OSError, match="No space left"):
        run(wanted, print)
    assert not (ring.parent / "new").exists()
    (ring.parent / "new" / "set").mkdir(parents=True)
    with pytest.raises(OSError, match="No space left"):
        run(wanted, print)
    assert list((ring.parent / "new" / "set").iterdir()) == []


def test_a_full_disk_keeps_what_is_there(ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = job(ring)
    run(wanted, print)
    before = sorted(path for path in Path(wanted.place).rglob("*") if path.is_file())
    other = wanted._replace(sources=[str(next(ring.iterdir()))])
    fill(monkeypatch, after=0)
    with pytest.raises(OSError, match="No space left"):
        run(other, print)
    assert sorted(path for path in Path(wanted.place).rglob("*") if path.is_file()) == before


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(10) as advance:
        advance()
    assert capsys.readouterr() == ("", "")


EXPORT = """
import os, signal, sys
from wireproof.tables import TableOptions, parts, writing
from wireproof.tables.exporting import ExportJob, run

class Dying(writing.PartFiles):
    left = int(sys.argv[1])
    def write(self, kind, batch):
        super().write(kind, batch)
        Dying.left -= 1
        if not Dying.left:
            os.kill(os.getpid(), signal.SIGKILL)

parts.PART_CAPTURES = 2
sys.modules["wireproof.tables.dataset"].PartFiles = Dying
run(ExportJob(sys.argv[2:-1], sys.argv[-1], TableOptions()), print)
"""
"""An export that is killed when it has written so many record batches; 0: it is not."""


@pytest.mark.slow
def test_a_run_that_is_killed_twice_ends_with_the_same_data_set(tmp_path: Path) -> None:
    sources = [str(ROOT / "fixtures" / name) for name in ("sse", "chunked")]
    whole, broken = tmp_path / "whole", tmp_path / "broken"

    def export(batches: int, place: Path) -> int:
        command = [sys.executable, "-c", EXPORT, str(batches), *sources, str(place)]
        return subprocess.run(command, check=False).returncode

    assert export(0, whole) == 0
    for batches in (7, 10):
        assert export(batches, broken) == -signal.SIGKILL
    there, all_of_them = (len(list(place.glob("manifest/*"))) for place in (broken, whole))
    assert 1 < there < all_of_them
    assert export(0, broken) == 0
    assert contents(broken) == contents(whole)


def contents(place: Path) -> dict[str, bytes]:
    files = [path for path in place.rglob("*") if path.is_file()]
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_processes_of_our_own_write_the_same(ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is made by one process, whichever it is; what cannot be read is told in its turn."""
    monkeypatch.setattr(several, "usable_cores", lambda: 64)
    monkeypatch.setattr(tables_parts, "PART_CAPTURES", 1)
    (ring / RING[1]).write_text("no capture")
    written = []
    for jobs in (1, 3):
        said: list[str] = []
        place = ring.with_name(f"jobs-{jobs}")
        wanted = ExportJob([str(ring)], str(place), TableOptions(), together=False, jobs=jobs)
        assert run(wanted, said.append)[0] == 3
        assert len(said) == 1 and RING[1] in said[0]
        written.append((said, rows_below(place)))
    assert written[0] == written[1]
    assert len(written[0][1]) > 3


def rows_below(place: Path) -> dict[str, list[object]]:
    files = place.rglob("*.parquet")
    return {str(one.relative_to(place)): pq.read_table(one).to_pylist() for one in files}
