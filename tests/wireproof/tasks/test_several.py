"""Several captures by several processes: what one process finds, in the order given."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from wireproof.tasks import several
from wireproof.tasks.decode import Say
from wireproof.tasks.several import SeveralTeam, jobs_for, shared_out
from wireproof.tasks.worker_died import WorkerDied

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*multi-threaded.*fork:DeprecationWarning"  # tests that run beside this one
)

LONG = "x" * 100_000
"""Of what is found: more of it than a pipe holds."""
FOUND = [0, 7, 40, 3, 11]
"""How much each capture holds."""


def find(index: int, say: Say) -> Iterator[list[str]]:
    """Find what a capture holds; some of them end otherwise."""
    if index == 100:
        raise OSError(errno.EIO, "it is broken", "a disk")
    if index == 101:
        raise ValueError("it is wrong")
    if index == 102:
        os.kill(os.getpid(), signal.SIGKILL)
    if index == 103:
        os._exit(0)
    if index == 104:
        raise RuntimeError("a defect of ours")
    for number in range(FOUND[index]):
        yield [f"{index} {number}", LONG]
    say(f"{index} is done")


def team(captures: list[int], workers: int = 2) -> SeveralTeam[int, list[str]]:
    sizes = [FOUND[one] if one < len(FOUND) else 1 for one in captures]
    return SeveralTeam(captures, sizes, workers, find, list[str])


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are asked for."""
    monkeypatch.setattr(several, "usable_cores", lambda: 64)


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_what_is_found_is_in_the_order_given(workers: int) -> None:
    """Though the largest is read first, and nobody waits for those before it."""
    captures = list(range(len(FOUND)))
    said: list[str] = []
    with team(captures, workers) as readers:
        found = [list(readers.found(at, said.append)) for at in captures]
    assert found == [[[f"{one} {at}", LONG] for at in range(FOUND[one])] for one in captures]
    assert said == [f"{one} is done" for one in captures]


@pytest.mark.parametrize(
    ("capture", "error", "text"),
    [(100, OSError, "it is broken: 'a disk'"), (101, ValueError, "it is wrong")],
)
def test_what_cannot_be_read_is_told_in_its_turn(
    capture: int, error: type[Exception], text: str
) -> None:
    with team([1, capture, 3]) as readers:
        assert len(list(readers.found(0, print))) == FOUND[1]
        with pytest.raises(error) as told:
            list(readers.found(1, print))
    assert text in str(told.value)


@pytest.mark.parametrize(
    ("capture", "ended", "code"),
    [
        (102, "was killed by SIGKILL", 137),
        (103, "failed with exit code 1", 1),
        (104, "failed with exit code 1", 1),
    ],
)
def test_a_worker_that_dies_is_an_error(
    capture: int, ended: str, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with team([2, capture, 1]) as readers:
        assert len(list(readers.found(0, print))) == FOUND[2]
        with pytest.raises(WorkerDied, match=ended) as died:
            list(readers.found(1, print))
    assert died.value.exit_code == code
    assert ("a defect of ours" in capfd.readouterr().err) == (capture == 104)


def test_nothing_is_left_open() -> None:
    def descriptors() -> set[str]:
        return {entry.name for entry in Path("/proc/self/fd").iterdir() if entry.exists()}

    before = descriptors()
    with team([2, 1]) as readers:
        next(readers.found(0, print))
    assert descriptors() == before


@pytest.mark.parametrize(
    ("sizes", "workers", "shares"),
    [
        ([5], 2, [0]),
        ([1, 9, 3, 4], 2, [1, 0, 1, 1]),
        ([0, 0, 0], 3, [0, 1, 2]),
        ([7, 7, 7, 7], 1, [0, 0, 0, 0]),
    ],
)
def test_captures_are_shared_out_by_size(sizes: list[int], workers: int, shares: list[int]) -> None:
    assert shared_out(sizes, workers) == shares


def files(folder: Path, *sizes: int) -> list[str]:
    paths = [folder / f"{at}" for at in range(len(sizes))]
    for path, size in zip(paths, sizes, strict=True):
        path.touch()
        os.truncate(path, size)
    return list(map(str, paths))


@pytest.mark.parametrize(
    ("sizes", "jobs", "workers"),
    [
        ((30_000_000,), None, 1),
        ((30_000_000,), 4, 1),
        ((9_000_000, 9_000_000), None, 1),
        ((9_000_000, 9_000_000, 9_000_000), None, 3),
        ((9_000_000,) * 12, None, 8),
        ((9_000_000,) * 12, 9, 9),
        ((1, 1, 1), 2, 2),
        ((1, 1, 1), 7, 3),
        ((30_000_000, 1), 1, 1),
    ],
)
def test_how_many_read(
    sizes: tuple[int, ...], jobs: int | None, workers: int, tmp_path: Path
) -> None:
    said: list[str] = []
    assert jobs_for(files(tmp_path, *sizes), jobs, said.append) == workers
    assert not said


def test_what_must_be_read_where_it_stands(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    large, other = files(tmp_path, 30_000_000, 1)
    stands, no_file = "standard input is read where it stands", f"{pipe} is not a regular file"
    for name, why in (("-", stands), (str(pipe), no_file)):
        said: list[str] = []
        assert jobs_for([large, name], None, said.append) == 1
        assert not said
        assert jobs_for([large, name], 2, said.append) == 1
        assert said == [f"{why}: reading the captures in one process"]
    assert jobs_for([large, other, "/nowhere/x"], 2, said.append) == 2


def test_a_system_that_cannot_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = files(tmp_path, 30_000_000, 30_000_000)
    monkeypatch.delattr(os, "fork")
    said: list[str] = []
    assert jobs_for(paths, None, said.append) == 1
    assert not said
    assert jobs_for(paths, 2, said.append) == 1
    assert said == ["this system cannot fork: reading the captures in one process"]
