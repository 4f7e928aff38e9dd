"""Which files are one capture: the names that recorders give, and what is missing among them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.rings import parts

from wireproof.tables.files import capture_of, found, host_of

DUMPCAP = [f"web1_{number:05}_202601311200{number:02}.pcapng" for number in (1, 2, 4, 7)]


def touch(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).write_bytes(b"")


def grouped(folder: Path) -> list[tuple[str, list[str]]]:
    return [
        (Path(one.name).name, [Path(path).name for path in one.files])
        for one in found([str(folder)])
    ]


def test_files_of_a_ring_are_one_capture(tmp_path: Path) -> None:
    touch(tmp_path, [*DUMPCAP, "other.pcap", "x.txt", ".hidden.pcap"])
    assert grouped(tmp_path) == [
        ("other.pcap", ["other.pcap"]),
        ("web1_*.pcapng", DUMPCAP),
    ]
    [_, ring] = found([str(tmp_path)])
    assert [file.missing for file in ring.recorders[0]] == [
        "",
        "",
        "1 file is missing, number 3",
        "2 files are missing, numbers 5 to 6",
    ]
    assert host_of(ring) == "web1"
    assert len(found([str(tmp_path)], together=False)) == 5


def test_a_recorder_that_was_started_anew_is_another_ring(tmp_path: Path) -> None:
    names = [
        "a_00001_20260101000000.pcap",
        "a_00002_20260101000100.pcap",
        "a_00001_20260102000000.pcap",
        "a_00002_20260102000100.pcap",
    ]
    touch(tmp_path, names)
    assert grouped(tmp_path) == [
        ("a_*.pcap from 20260101000000", names[:2]),
        ("a_*.pcap from 20260102000000", names[2:]),
    ]


def test_the_other_order_of_dumpcap(tmp_path: Path) -> None:
    names = ["a_20260101000000_00001.pcap.gz", "a_20260101000100_00002.pcap.gz"]
    touch(tmp_path, names)
    assert grouped(tmp_path) == [("a_*.pcap.gz", names)]


@pytest.mark.parametrize("names", [["x.pcap", "x.pcap1", "x.pcap2"], ["x.pcap00", "x.pcap01"]])
def test_files_of_tcpdump(names: list[str], tmp_path: Path) -> None:
    touch(tmp_path, names)
    assert grouped(tmp_path) == [("x.pcap*", names)]


def test_a_ring_that_went_round_begins_with_its_oldest_file(tmp_path: Path) -> None:
    for name, part in zip(("x.pcap1", "x.pcap2", "x.pcap0"), parts(3), strict=True):
        (tmp_path / name).write_bytes(part)
    assert grouped(tmp_path) == [("x.pcap*", ["x.pcap1", "x.pcap2", "x.pcap0"])]


def test_numbered_runs_are_no_ring(tmp_path: Path) -> None:
    touch(tmp_path, ["run1.pcap", "run2.pcap"])
    assert len(found([str(tmp_path)])) == 2


def test_a_pattern_of_folders_stands_for_what_is_in_them(tmp_path: Path) -> None:
    for name in ("ring1", "ring2", "other"):
        (tmp_path / name).mkdir()
        touch(tmp_path / name, [f"{name}.pcap", "x.txt"])
    touch(tmp_path, ["ring.pcap"])
    for of in (str(tmp_path), f"file://{tmp_path}"):
        names = [Path(one.name).name for one in found([f"{of}/ring*"])]
        assert names == ["ring.pcap", "ring1.pcap", "ring2.pcap"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    for name in (tmp_path / "none.pcap", tmp_path / "*.pcap", tmp_path):
        with pytest.raises(FileNotFoundError):
            found([str(name)])


@pytest.mark.parametrize(
    "name, host",
    [
        ("/a/web1_00003_20260131120000.pcapng.gz", "web1"),
        ("web-2-20260131T120000.pcap", "web-2"),
        ("proxy.pcap12", "proxy"),
        ("s3://bucket/eu/gateway.pcap.zst", "gateway"),
        ("20260131.pcap", "20260131.pcap"),
    ],
)
def test_hosts_by_name(name: str, host: str) -> None:
    assert host_of(capture_of([name])) == host


def test_several_recorders_are_merged_when_asked(tmp_path: Path) -> None:
    touch(tmp_path, ["a.pcap", "b.pcap"])
    [one] = found([str(tmp_path)], merged=True)
    assert one.name == f"{tmp_path}/a.pcap + {tmp_path}/b.pcap"
    assert [len(recorder) for recorder in one.recorders] == [1, 1] and host_of(one) == "a+b"
