"""Which files of a ring wait, which may go, and what is said of it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from capture import Statistics
from wireproof.collect.messages import File
from wireproof.collect.ring import Ring, own


def file(folder: Path, number: int, size: int = 100) -> Path:
    path = folder / f"web1_{number:05}_20260131120000.pcapng"
    path.write_bytes(bytes(size))
    return path


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def ring(tmp_path: Path, said: list[str]) -> Ring:
    return Ring(tmp_path, 400, 100, said.append)


def next_path(ring: Ring) -> Path | None:
    found = ring.next()
    return None if found is None else Path(found.path)


def add(ring: Ring, number: int, dropped: int = 0) -> Path:
    path = file(ring.folder, number)
    ring.ended(path, Statistics(1, dropped))
    return path


def test_the_oldest_that_is_exported_goes_when_another_needs_its_room(ring: Ring) -> None:
    paths = [add(ring, number) for number in (1, 2, 3)]
    assert (ring.size, ring.make_room()) == (300, None)
    add(ring, 4)
    assert next_path(ring) == paths[0]
    ring.done()
    assert next_path(ring) == paths[1]
    ring.done(is_readable=False)
    assert ring.make_room() is None
    assert [path.exists() for path in paths] == [False, True, True]
    assert vars(ring.told) == {"recorded": 4, "exported": 1, "unreadable": 1, "deleted": 1}


def test_what_waits_is_never_deleted(ring: Ring) -> None:
    paths = [add(ring, number) for number in (1, 2, 3, 4)]
    assert ring.make_room() == "4 files waiting to be exported fill its share of the disk"
    assert all(path.exists() for path in paths)
    ring.done()
    assert ring.make_room() is None
    assert [path.exists() for path in paths] == [False, True, True, True]


def test_a_file_without_packets_is_no_use(ring: Ring) -> None:
    path = file(ring.folder, 1)
    ring.ended(path, Statistics(0, 0))
    assert (path.exists(), ring.waiting) == (False, 0)


def test_what_an_earlier_start_left_comes_first(tmp_path: Path, said: list[str]) -> None:
    late = tmp_path / "web1_00001_20260131120100.pcapng"
    late.write_bytes(b"")
    early = [file(tmp_path, number) for number in (9, 10)]
    (tmp_path / "notes.txt").write_text("not ours")
    ring = Ring(tmp_path, 400, 100, said.append)
    found = []
    while ring.waiting:
        found.append(next_path(ring))
        ring.done()
    assert found == [*early, late]


def test_whoever_exports_waits_for_a_file(ring: Ring) -> None:
    found: list[Path | None] = []

    def take() -> None:
        while (path := next_path(ring)) is not None:
            found.append(path)
            ring.done()

    thread = threading.Thread(target=take)
    thread.start()
    path = add(ring, 1)
    ring.end()
    thread.join(10)
    assert found == [path]


def test_a_file_comes_with_its_neighbours(tmp_path: Path, said: list[str]) -> None:
    left = file(tmp_path, 9)
    ring = Ring(tmp_path, 1_000, 100, said.append, patience=3_600)
    assert ring.next() == File(path=str(left)), "its recorder wrote no other"
    ring.done()
    first, second = add(ring, 1), add(ring, 2)
    expected = File(path=str(first), following=str(second), before=str(left), is_next=False)
    assert ring.next() == expected, "another recorder's"
    ring.done()
    third = add(ring, 3)
    assert ring.next() == File(path=str(second), following=str(third), before=str(first))
    ring.done(is_readable=False)
    add(ring, 5)
    missing = "1 file is missing, number 2"
    assert ring.next() == File(
        path=str(third),
        following=str(tmp_path / "web1_00005_20260131120000.pcapng"),
        before=str(first),
        missing=missing,
    ), "one that cannot be read is as one that is not there"


@pytest.mark.parametrize("why", ["whole", "over", "held", "time"])
def test_a_file_waits_for_the_next_one(tmp_path: Path, said: list[str], why: str) -> None:
    ring = Ring(tmp_path, 1_000, 100, said.append, patience=0.2 if why == "time" else 3_600)
    path, found = add(ring, 1), list[File | None]()
    thread = threading.Thread(target=lambda: found.append(ring.next()))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive() or why == "time"
    following = str(add(ring, 2)) if why == "whole" else None
    if why == "over":
        ring.end()
    elif why == "held":
        ring.held("no space")
    thread.join(10)
    assert found == [File(path=str(path), following=following)]


def test_changes_are_said_once(ring: Ring, said: list[str]) -> None:
    for number, dropped in enumerate([0, 5, 7, 0, 0], 1):
        add(ring, number, dropped)
    ring.held("no space")
    assert ring.fault == "no space"
    ring.goes_on()
    assert ring.fault is None
    lacking = ring.folder / "web1_00002_20260131120000.pcapng"
    assert said == [
        f"packets are being dropped: {lacking} is missing 5",
        "packets are no longer being dropped",
        f"{ring.folder} cannot be written: no space; packets wait, and will be dropped later",
        f"{ring.folder} is written again",
    ]


def test_a_folder_is_one_collector_s(tmp_path: Path) -> None:
    folder = tmp_path / "ring"
    with own(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        with pytest.raises(OSError, match="another collector records here"), own(folder):
            raise AssertionError
    with own(folder):
        pass
