"""``wireproof diff`` finds what is planted, all of it, and nothing between runs of the same app."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.runs import PLANTED, run

from wireproof.cli import run as wireproof
from wireproof.diff.change import Change
from wireproof.diff.compare import compare, is_regression
from wireproof.diff.profile import Profile
from wireproof.diff.reading import profile_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def profile(folder: Path, seed: int, planted: str = "") -> Profile:
    path = folder / f"{planted or 'same'}-{seed}.pcapng"
    if not path.exists():
        path.write_bytes(run(seed, planted))
    return profile_of([str(path)])


@pytest.fixture(scope="module")
def before(folder: Path) -> Profile:
    return profile(folder, 0)


def worse(changes: list[Change]) -> list[Change]:
    return [one for one in changes if one.answer == "regression"]


@pytest.mark.parametrize("seed", range(1, 6))
def test_runs_of_the_same_app_are_the_same(seed: int, folder: Path, before: Profile) -> None:
    after = profile(folder, seed)
    assert worse(compare(before, after)) == worse(compare(after, before)) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_once(planted: str, folder: Path, before: Profile) -> None:
    found = worse(compare(before, profile(folder, 7, planted)))
    assert [one.what for one in found] == [PLANTED[planted]]
    assert {one.group for one in found} <= {"GET /chat", ""}, "the other path is as it was"


def test_what_became_better_is_no_regression(folder: Path, before: Profile) -> None:
    assert not is_regression(compare(profile(folder, 7, "slow first token"), before))


def test_the_command(folder: Path, before: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    profile(folder, 7, "held")
    profile(folder, 1)
    held, same, first = (str(folder / f"{name}.pcapng") for name in ("held-7", "same-1", "same-0"))
    assert wireproof(["diff", first, held]) == 1
    assert "GET /chat: streaming: held: worse: 0.00% -> 100.00%" in capsys.readouterr().out
    assert wireproof(["diff", first, same]) == 0
    assert capsys.readouterr().out.startswith("0 regressions in")
    baseline = str(folder / "baseline.json")
    assert wireproof(["diff", first, "--write-baseline", baseline]) == 0
    assert wireproof(["diff", same, "--baseline", baseline]) == 0
    capsys.readouterr()
    assert wireproof(["diff", held, "--baseline", baseline, "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["is_regression"] is True
    place = str(folder / "set")
    assert wireproof(["export", first, "-o", f"{place}/"]) == 0
    assert wireproof(["diff", place, held]) == 1
    assert wireproof(["diff", place, same]) == 0


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["a.pcap"], "give A and B"),
        (["a.pcap", "b.pcap", "--baseline", "x.json"], "give A and B"),
        (["none.pcap", "none.pcap"], "none.pcap"),
        (["a.pcap", "b.pcap", "--slower", "nan"], "'--slower': nan is not a finite number"),
        (["a.pcap", "b.pcap", "--slower", "inf"], "'--slower': inf is not a finite number"),
        (["a.pcap", "b.pcap", "--slower", "-1"], "'--slower': -1.0 is not in the range"),
        (["a.pcap", "b.pcap", "--share", "nan"], "'--share': nan is not a finite number"),
        (["a.pcap", "b.pcap", "--chance", "2"], "'--chance': 2.0 is not in the range"),
    ],
)
def test_what_it_refuses(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wireproof(["diff", *arguments]) == 2
    assert said in capsys.readouterr().err
