"""A data set as its page asks for it, and where its captures are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.corpus import ROOT

from wireproof.cli import run
from wireproof.query.named import NAMED
from wireproof.web.fleet import QUESTIONS, Fleet, Known, command, looked_at, to_do

SSE = ROOT / "fixtures" / "sse"
SHA = "ab" * 32


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with looked_at(str(SSE), (), print) as found:
        yield found


def test_a_folder_of_captures_is_looked_at_like_a_data_set(fleet: Fleet) -> None:
    summary = fleet.answer("summary")
    captures = len(list(SSE.glob("*.pcapng")))
    assert (summary["name"], summary["captures"]) == ("sse", captures)
    assert summary["since"] <= summary["until"]


def test_answers_are_those_of_named_queries(fleet: Fleet) -> None:
    assert set(QUESTIONS) <= set(NAMED)
    for name in QUESTIONS:
        assert fleet.answer(name), name
    shares = fleet.answer("verdict-shares")
    for question in ("streaming", "ending"):
        of_it = [row["share"] for row in shares if row["question"] == question]
        assert sum(of_it) == pytest.approx(1, abs=1e-4)
    assert all(row["tone"] == row["severity"] for row in shares)  # none of them is undecided
    gaps = fleet.answer("longest-gaps")
    assert [row["up_to"] for row in gaps] == sorted(row["up_to"] for row in gaps)
    assert fleet.answer("hazards") is None and fleet.answer("../x") is None


def test_what_is_undecided_is_in_no_colour_of_good_news(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"question": "streaming", "answer": "undecided", "severity": "ok"}
    monkeypatch.setitem(fleet._answers, "verdict-shares", [row])
    assert fleet.answer("verdict-shares") == [row | {"tone": "note"}]


def test_worst_exchanges_come_first_and_lead_to_their_captures(fleet: Fleet) -> None:
    rows = fleet.answer("worst-exchanges")
    grave = [["ok", "note", "warning", "error"].index(row["severity"]) for row in rows]
    assert grave == sorted(grave, reverse=True) and grave[0] == 3
    assert rows[0]["answer"] in ("held", "cut") and rows[0]["summary"]
    for row in rows:
        key = row["opens"].split("/")[1]
        known = fleet.known(key)
        assert known is not None and known.name == row["capture"]
        assert row["opens"] == f"capture/{key}/#c{row['connection']}.{row['exchange']}"
    assert fleet.known("0" * 32) is None


def test_a_capture_may_be_in_another_folder_by_now(fleet: Fleet, tmp_path: Path) -> None:
    gone = Known("/nowhere/plain.pcapng", SHA, "web1")
    assert fleet.path_of(gone) is None
    moved = Fleet("x", fleet.database, (tmp_path, SSE))
    assert moved.path_of(gone) == str(SSE / "plain.pcapng")
    stored = Known("s3://bucket/plain.pcapng", SHA, "web1")
    assert fleet.path_of(stored) == stored.name


def test_what_to_do_where_a_capture_is_not_at_hand() -> None:
    file = Known("/var/ring/web 1_00001_20260131120000.pcapng", SHA, "web1")
    assert to_do(file).startswith(f"It was {file.name}, on web1 when it was exported. Copy it")
    name = "'web 1_00001_20260131120000.pcapng'"
    assert command(file, "#c0.2") == f"wireproof view {name}   # then #c0.2"
    ring = Known("rings/web1_*.pcapng from 20260131120000", SHA, "web1")
    assert "mergecap" in to_do(ring)
    assert command(ring, "#c0") == "wireproof view web1_joined.pcapng   # then #c0"


def test_what_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(OSError), looked_at(str(tmp_path / "none"), (), print):  # noqa: PT011
        raise AssertionError


@pytest.mark.parametrize("name", ["burst", "plain"])
def test_a_part_whose_bytes_changed_is_left_out_and_said(name: str, tmp_path: Path) -> None:
    """The first file is read at once, the others when they are asked for."""
    for one in ("burst", "plain"):
        assert run(["export", str(SSE / f"{one}.pcapng"), "-o", f"{tmp_path}/"]) == 0
    [path] = (tmp_path / "exchanges").glob(f"{name}*")
    path.write_bytes(bytes(path.stat().st_size))
    told: list[str] = []
    with looked_at(str(tmp_path), (), told.append) as fleet:
        summary = fleet.answer("summary")
        assert (summary["captures"], summary["left_out"]) == (1, 1)
        assert len(fleet.answer("worst-exchanges")) == 1
    [line] = told
    assert line.startswith(f"left out: {path} has other bytes than were written")
