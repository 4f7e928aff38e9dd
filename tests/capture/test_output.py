"""The files of a recording: one, or a ring of them, each whole."""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from support.exchanges import frames
from support.frames import SYN, ipv4, tcp

from capture.errors import Statistics
from capture.output import Limits, Output, Source
from parsers.files.reader import CaptureReader
from wireproof import decode

FRAME = ipv4(tcp(40_000, 8_000, SYN, payload=bytes(946)))
SOURCE = Source("lo", "tcp port 8000", "about it", "made of wood")
NOW = 1_700_000_000_000_000_000


def packets(count: int) -> list[tuple[int, bytes, int]]:
    return [(NOW + number, FRAME, len(FRAME)) for number in range(count)]


def written(path: Path, count: int, limits: Limits, at_once: int = 1) -> Output:
    output = Output(path, SOURCE, comment="why", limits=limits)
    made = packets(count)
    for start in range(0, count, at_once):
        output.write(made[start : start + at_once])
        output.flush()
    output.finish()
    return output


def test_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    output = written(path, 5, Limits())
    assert output.statistics == (5, 0)
    assert frames(path) == packets(5)
    with path.open("rb") as stream:
        reader = CaptureReader(stream)
        assert len(list(reader)) == 5
        (interface,) = reader.interfaces
    assert (interface.description, interface.hardware) == ("about it", "made of wood")


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_a_ring_without_an_end(tmp_path: Path, at_once: int) -> None:
    output = written(tmp_path / "a.pcapng", 100, Limits(10_000), at_once)
    assert output.statistics == (100, 0)
    made = sorted(tmp_path.iterdir())
    assert len(made) == 12
    for number, path in enumerate(made, 1):
        assert re.fullmatch(rf"a_{number:05}_\d{{14}}\.pcapng", path.name)
        assert 8_900 < path.stat().st_size <= 10_000 or number == len(made)
        assert path.stat().st_mode & 0o777 == 0o600
        assert [record.record for record in decode(path)], "it decodes alone"
    assert [packet for path in made for packet in frames(path)] == packets(100)


def test_the_oldest_goes(tmp_path: Path) -> None:
    (tmp_path / "a_00000_20200101000000.pcapng").write_text("not ours")
    output = written(tmp_path / "a.pcapng", 100, Limits(10_000, 3))
    assert output.statistics == (100, 0), "those that are gone count too"
    names = [path.name[:8] for path in sorted(tmp_path.iterdir())]
    assert names == ["a_00000_", "a_00010_", "a_00011_", "a_00012_"]


def test_one_that_is_gone_already(tmp_path: Path) -> None:
    with closing(Output(tmp_path / "a.pcapng", SOURCE, limits=Limits(2_000, 1))) as output:
        output.write(packets(1))
        for path in tmp_path.iterdir():
            path.unlink()
        output.write(packets(3))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_packet_that_is_larger_than_a_file(tmp_path: Path) -> None:
    written(tmp_path / "a.pcapng", 3, Limits(100))
    assert [len(frames(path)) for path in sorted(tmp_path.iterdir())] == [1, 1, 1]


def test_what_is_missing_stands_in_the_file_in_which_it_is_missing(tmp_path: Path) -> None:
    output = Output(tmp_path / "a.pcapng", SOURCE, limits=Limits(2_000))
    output.write(packets(1))
    output.add_dropped(7)
    output.write(packets(1))
    output.write(packets(1))
    output.finish()
    assert output.statistics == (3, 7)
    dropped = []
    for path in sorted(tmp_path.iterdir()):
        with path.open("rb") as stream:
            reader = CaptureReader(stream)
            list(reader)
            dropped += [interface.dropped for interface in reader.interfaces]
    assert dropped[0] == 7
    assert set(dropped[1:]) == {0}


# --- a ring that is looked after ---


class Looking:
    """A keeper that notes what it is told, and has room or not."""

    def __init__(self) -> None:
        self.full: str | None = None
        self.told: list[tuple[int, int]] = []
        self.paths: list[Path] = []

    def make_room(self) -> str | None:
        return self.full

    def ended(self, path: Path, found: Statistics) -> None:
        self.paths.append(path)
        self.told.append((found.captured, found.dropped))

    def held(self, reason: str) -> None:
        raise AssertionError(reason)

    def goes_on(self) -> None:
        raise AssertionError


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Have the kernel refuse what files would grow beyond, as a disk that is full does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_ends_when_its_time_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("capture.output.time.monotonic", lambda: now[0])
    keeper = Looking()
    output = Output(tmp_path / "a.pcapng", SOURCE, limits=Limits(max_time=60), keeper=keeper)
    now[0] = 100
    output.flush()
    assert (output.due, keeper.told) == (None, []), "a file without packets is not ended"
    output.write(packets(2))
    assert output.due == 60
    output.add_dropped(3)
    output.flush()
    assert keeper.told == [(2, 3)]
    assert len(list(tmp_path.iterdir())) == 1, "the next packet begins another"
    output.write(packets(1))
    assert output.due == 160
    output.finish()
    assert keeper.told == [(2, 3), (1, 0)]
    assert output.statistics == (3, 3)
    assert [len(frames(path)) for path in keeper.paths] == [2, 1]


@pytest.mark.parametrize("size", [0, 100, 5_000, 8_000])
def test_what_a_full_disk_refuses_waits(tmp_path: Path, size: int) -> None:
    keeper = Looking()
    output = Output(tmp_path / "a.pcapng", SOURCE, limits=Limits(10_000), keeper=keeper)
    output.write(packets(3))
    output.flush()
    made = packets(100)
    with files_no_larger_than(size):
        for _ in range(3):
            with pytest.raises(OSError, match="File too large"):
                output.write(made[3:])
                output.flush()
            made[3:] = []
        for path in tmp_path.iterdir():
            assert len(frames(path)) % 3 == 0, "it ends at a block's end"
    output.flush()
    output.finish()
    assert output.statistics == (100, 0)
    assert [packet for path in keeper.paths for packet in frames(path)] == packets(100)
    assert [path.name[:8] for path in keeper.paths] == [f"a_{n:05}_" for n in range(1, 13)]
    assert sorted(keeper.paths) == sorted(tmp_path.iterdir())


def test_what_never_fits_counts_as_dropped(tmp_path: Path) -> None:
    output = Output(tmp_path / "a.pcapng", SOURCE, limits=Limits(10_000), keeper=Looking())
    output.write(packets(2))
    output.flush()
    with files_no_larger_than(3_000):
        with pytest.raises(OSError, match="File too large"):
            output.write(packets(20))
        output.close()
    assert output.statistics == (2, 20)


def test_without_room_no_file_is_begun(tmp_path: Path) -> None:
    keeper = Looking()
    output = Output(tmp_path / "a.pcapng", SOURCE, limits=Limits(2_000), keeper=keeper)
    output.write(packets(1))
    keeper.full = "all is full"
    with pytest.raises(OSError, match="all is full"):
        output.write(packets(3))
    output.add_dropped(4)
    keeper.full = None
    output.flush()
    output.finish()
    assert keeper.told == [(1, 0), (1, 4), (1, 0), (1, 0)]


def test_no_other_recorder_s_file_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.output.time.strftime", lambda _: "20260131120000")
    monkeypatch.setattr("capture.output.NAME_PATIENCE", 0.0)
    path = tmp_path / "a_00001_20260131120000.pcapng"
    path.write_text("not ours")
    with pytest.raises(FileExistsError):
        Output(tmp_path / "a.pcapng", SOURCE, limits=Limits(2_000), keeper=Looking())
    assert path.read_text() == "not ours"


def test_another_second_gives_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(("20260131120000", "20260131120000", "20260131120001"))
    monkeypatch.setattr("capture.output.time.strftime", lambda _: next(seconds))
    monkeypatch.setattr("capture.output.NAME_PATIENCE", 0.0)
    (tmp_path / "a_00001_20260131120000.pcapng").write_text("of one that was killed")
    Output(tmp_path / "a.pcapng", SOURCE, limits=Limits(2_000), keeper=Looking()).close()
    assert (
        len(list(tmp_path.iterdir())) == 1 + (tmp_path / "a_00001_20260131120001.pcapng").exists()
    )
