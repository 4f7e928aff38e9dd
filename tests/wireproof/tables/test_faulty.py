"""Captures that are not whole are said with each answer that is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.corpus import ROOT

from wireproof.cli import run
from wireproof.tables.dataset import DataSet
from wireproof.tables.faulty import NAMED, Faulty
from wireproof.tables.parts import Made

PLAIN = ROOT / "fixtures" / "sse" / "plain.pcapng"


def made(name: str, **faults: int) -> Made:
    return Made(
        capture=name, capture_sha256="", host="a", stamp=[], rows={}, interfaces=[],
        faults={code.replace("_", "-"): number for code, number in faults.items()},
    )  # fmt: skip


def told(*captures: Made) -> str:
    faulty = Faulty()
    faulty.add(captures)
    return faulty.told


def test_how_many_and_the_first_names() -> None:
    assert told() == told(made("a.pcap")) == ""
    assert told(made("a.pcap", capture_cut=2)).startswith("not whole: a.pcap (capture-cut): ")
    found = told(made("a.pcap"), made("b.pcap", capture_cut=1, capture_damaged=1))
    assert found.startswith("1 of 2 captures is not whole: b.pcap (capture-cut, capture-damaged)")
    many = told(*(made(f"{number}.pcap", capture_cut=1) for number in range(NAMED + 5)))
    assert f"{NAMED + 5} of {NAMED + 5} captures are not whole: 0.pcap" in many
    assert "and 5 more" in many


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two captures, of which one is cut."""
    data = PLAIN.read_bytes()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "whole.pcapng").write_bytes(data)
    (tmp_path / "in" / "cut.pcapng").write_bytes(data[:-700])
    return tmp_path / "in"


SAID = "1 of 2 captures is not whole: "


@pytest.mark.parametrize("workers", [(), ("--jobs", "2")])
def test_export_says_so_whenever_it_is_asked(
    folder: Path, workers: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(folder.parent / "set")
    for _ in range(2):
        assert run(["export", str(folder), "-o", f"{place}/", *workers]) == 0
        err = capsys.readouterr().err
        assert SAID in err and "cut.pcapng (capture-cut)" in err
    faults = {Path(one.capture).name: one.faults for one in DataSet(place).captures()}
    assert faults == {"whole.pcapng": {}, "cut.pcapng": {"capture-cut": 1}}


def test_query_says_so_of_captures_and_data_sets(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(folder.parent / "set")
    run(["export", str(folder), "-o", f"{place}/"])
    capsys.readouterr()
    sql = "SELECT count(*) AS n FROM exchanges"
    for source in (place, str(folder)):
        assert run(["query", source, sql, "--format", "json"]) == 0
        out, err = capsys.readouterr()
        assert json.loads(out) == [{"n": 2}] and err.count(SAID) == 1


def test_diff_says_so_on_either_side(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["diff", str(folder / "whole.pcapng"), str(folder / "cut.pcapng"), "--format", "json"])
    out, err = capsys.readouterr()
    assert "not whole: " in err and "cut.pcapng (capture-cut)" in err
    assert json.loads(out)["faults"] == {"A": {}, "B": {"capture-cut": 1}}


def test_a_manifest_that_cannot_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its captures are left out of answers; who would write beside it is told what to do."""
    place = folder.parent / "set"
    for name in ("whole", "cut"):
        run(["export", str(folder / f"{name}.pcapng"), "-o", f"{place}/"])
    first, second = sorted((place / "manifest").iterdir())
    kept = {path: path.read_bytes() for path in (first, second)}
    first.unlink()
    first.mkdir()  # root may read all there is
    capsys.readouterr()
    sql = "SELECT count(*) AS n FROM exchanges"
    assert run(["query", str(place), sql, "--format", "json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == [{"n": 1}]
    said = f"left out: {place}/manifest/{first.name} cannot be read (Is a directory): its captures"
    assert said in err
    assert run(["diff", str(place), str(folder / "whole.pcapng")]) == 1
    assert said in capsys.readouterr().err
    assert run(["export", str(folder / "whole.pcapng"), "-o", f"{place}/"]) == 2
    assert first.name in capsys.readouterr().err and second.read_bytes() == kept[second]
    second.unlink()
    second.mkdir()
    assert run(["query", str(place), sql]) == 2
    assert first.name in capsys.readouterr().err
