"""What is lost or damaged in a data set: found, told, left out, and made again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from errno import EACCES
from pathlib import Path
from typing import BinaryIO

import pytest
from support.corpus import ROOT

from wireproof.cli import run
from wireproof.query import ask
from wireproof.tables.checking import Checking, is_whole
from wireproof.tables.dataset import DataSet
from wireproof.tables.stores import Folder, place_of

SSE = ROOT / "fixtures" / "sse"
PLAIN = str(SSE / "plain.pcapng")
Damage = Callable[[Path], object]


def remove(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def contents(place: Path) -> dict[str, bytes]:
    files = sorted(path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A data set of two captures, a part each."""
    for name in ("plain", "burst"):
        assert run(["export", str(SSE / f"{name}.pcapng"), "-o", f"{tmp_path}/set/"]) == 0
    return tmp_path / "set"


def file_of(place: Path, kind: str, name: str) -> Path:
    [path] = (place / kind).glob(f"{name}*")
    return path


def export(place: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    capsys.readouterr()
    names = [str(SSE / f"{name}.pcapng") for name in ("plain", "burst")]
    assert run(["export", *names, "-o", str(place), *options]) == 0
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("damage", "said", "option"),
    [
        (remove, "is missing", []),
        (cut, "has ", []),
        (flip, "has other bytes than were written", ["--check"]),
    ],
)
def test_an_export_makes_again_what_was_damaged(
    damage: Damage,
    said: str,
    option: list[str],
    two: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = contents(two)
    path = file_of(two, "exchanges", "burst")
    damage(path)
    [told, done] = export(two, capsys, *option)
    assert f"{path} {said}" in told and told.endswith("its captures are made again")
    assert "2 captures, 1 of them new" in done
    assert contents(two) == before
    assert len(export(two, capsys, "--check")) == 1, "it is whole again"


def test_a_damaged_manifest_is_told_and_made_again(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(two)
    manifest = file_of(two, "manifest", "burst")
    cut(manifest)
    capsys.readouterr()
    assert run(["query", str(two), "SELECT count(*) AS n FROM exchanges", "--format", "csv"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "n\n1\n"
    assert f"left out: {manifest} is damaged (Input data was truncated)" in shown.err
    assert "export its captures again" in shown.err
    [told, done] = export(two, capsys)
    assert f"{manifest} is damaged (Input data was truncated) and was removed" in told
    assert "1 of them new" in done and contents(two) == before


@pytest.mark.parametrize("damage", [remove, cut])
def test_what_is_asked_goes_on_without_it(
    damage: Damage, two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(file_of(two, "verdicts", "burst"))
    capsys.readouterr()
    sql = "SELECT DISTINCT parse_filename(capture) AS capture FROM exchanges"
    assert run(["query", str(two), sql, "--format", "csv"]) == 1
    shown = capsys.readouterr()
    assert shown.out.split() == ["capture", "plain.pcapng"]
    assert "verdicts/burst" in shown.err and "export its captures again" in shown.err
    assert run(["diff", str(two), str(two)]) == 1
    assert capsys.readouterr().err.count("verdicts/burst") == 2
    told: list[str] = []
    assert ask(str(two), sql, told.append).num_rows == 1 and len(told) == 1


def blot(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def test_bytes_that_changed_cost_only_their_part(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The size is what it was, so that only whoever reads the file finds out."""
    before = contents(two)
    for name in ("burst", "plain"):  # the first file is read at once, the others when they are due
        path = file_of(two, "exchanges", name)
        blot(path)
        capsys.readouterr()
        assert run(["query", str(two), "SELECT target FROM exchanges", "--format", "csv"]) == 1
        shown = capsys.readouterr()
        assert len(shown.out.splitlines()) == 2
        assert shown.err.startswith(
            f"wireproof: left out: {path} has other bytes than were written"
        )
        assert "export its captures again with --check" in shown.err
        assert run(["diff", str(two), str(two)]) == 1
        shown = capsys.readouterr()
        assert shown.err.count("has other bytes") == 2 and "1 and 1" in shown.out
        told: list[str] = []
        assert ask(str(two), "FROM exchanges", told.append).num_rows == 1 and len(told) == 1
        path.write_bytes(before[str(path.relative_to(two))])


def test_what_is_left_out_is_told_once(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(SSE / "slow.pcapng"), "-o", f"{two}/"]) == 0
    cut(file_of(two, "manifest", "slow"))
    blot(file_of(two, "exchanges", "burst"))
    for command in (["query", str(two), "FROM exchanges"], ["diff", str(two), PLAIN]):
        capsys.readouterr()
        assert run(command) == 1
        told = capsys.readouterr().err.splitlines()
        assert len(told) == len(set(told)) == 2
        assert all(line.startswith("wireproof: left out: ") for line in told)


def test_a_fault_of_the_query_reads_nothing_again(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(file_of(two, "verdicts", "burst"))
    for sql in ("SELEC", "SELECT nothing FROM exchanges", "SELECT target::INT FROM exchanges"):
        capsys.readouterr()
        assert run(["query", str(two), sql]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert "Error" in line


def test_all_of_it_damaged_is_an_error(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("plain", "burst"):
        cut(file_of(two, "exchanges", name))
    capsys.readouterr()
    assert run(["query", str(two), "SELECT 1"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "exchanges/" in line and line.endswith("(and 1 other part)")


def test_what_cannot_be_made_again_stays_and_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part of two captures, of which one is gone."""
    captures, place = tmp_path / "captures", tmp_path / "set"
    captures.mkdir()
    for name in ("plain", "burst"):
        (captures / f"{name}.pcapng").write_bytes((SSE / f"{name}.pcapng").read_bytes())
    assert run(["export", str(captures), "-o", str(place)]) == 0
    [path] = (place / "exchanges").iterdir()
    path.unlink()
    before = contents(place)
    (captures / "burst.pcapng").unlink()
    capsys.readouterr()
    assert run(["export", str(captures), "-o", str(place)]) == 1
    told = capsys.readouterr().err
    assert f"plain.pcapng: {path.relative_to(place)} is missing" in told
    assert f"{captures}/burst.pcapng, not asked for or gone" in told and "/manifest/" in told
    assert contents(place) == before


def test_sizes_tell_by_a_listing_alone(two: Path) -> None:
    place = place_of(str(two))
    for name, part in DataSet(str(two)).parts():
        assert Checking(place, thoroughly=True).fault(name, part) == ""
        assert is_whole(place, name, part)
        flip(two / "elements" / f"{name}.parquet")
        assert Checking(place).fault(name, part) == "" and is_whole(place, name, part)
        assert "elements/" in Checking(place, thoroughly=True).fault(name, part)
        (two / "elements" / f"{name}.parquet").unlink()
        assert not is_whole(place, name, part)


def test_a_file_that_may_not_be_read_is_named_and_left_out(
    two: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(two, "exchanges", "burst")
    path.write_bytes(bytes(path.stat().st_size))  # DuckDB cannot read it: root may read anything
    opened = Folder.open

    def refuse(self: Folder, name: str, stack: ExitStack) -> BinaryIO:
        if name == str(path.relative_to(two)):
            raise PermissionError(EACCES, "Permission denied", str(path))
        return opened(self, name, stack)

    monkeypatch.setattr(Folder, "open", refuse)
    capsys.readouterr()
    for command in (["query", str(two), "SELECT target FROM exchanges"], ["diff", *[str(two)] * 2]):
        assert run(command) == 1
        said = capsys.readouterr().err
        assert f"left out: {path} cannot be read (Permission denied)" in said
    monkeypatch.undo()
    [told, _] = export(two, capsys, "--check")
    assert told.endswith("its captures are made again")
