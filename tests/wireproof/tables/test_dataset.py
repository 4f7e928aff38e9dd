"""Data sets: a file for each table of each capture, whole or not there, and done once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.corpus import ROOT

from wireproof.cli import run
from wireproof.tables import TableOptions, read
from wireproof.tables import dataset as module
from wireproof.tables.dataset import DataSet, key_of
from wireproof.tables.files import Capture, capture_of, found

PLAIN = ROOT / "fixtures" / "sse" / "plain.pcapng"
BURST = ROOT / "fixtures" / "chunked" / "burst.pcapng"
OPTIONS = TableOptions()


def contents(place: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }


def plain() -> Capture:
    return capture_of([str(PLAIN)])


def test_its_files_hold_what_read_gives(tmp_path: Path) -> None:
    data_set = DataSet(str(tmp_path))
    done = data_set.make(plain(), OPTIONS)
    assert done.made is not None and done.is_new
    assert set(done.made.rows) == {"exchanges", "elements", "verdicts", "connections"}
    for kind, [path] in data_set.files().items():
        [batch] = read(PLAIN, kind)  # type: ignore[arg-type]
        written = pq.read_table(path)
        assert written.to_batches() == [batch]
        metadata = pq.read_metadata(path).metadata
        assert metadata[b"wireproof.capture"] == str(PLAIN).encode()
        [interface] = json.loads(metadata[b"wireproof.interfaces"])
        assert interface["link_type"] == 1


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_set = DataSet(str(tmp_path))
    data_set.make(plain(), OPTIONS)
    before = contents(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(module, "CaptureTables", None)  # would fail
        assert not data_set.make(plain(), OPTIONS).is_new
    assert contents(tmp_path) == before
    assert data_set.make(plain(), TableOptions(keep_data=True)).is_new
    assert data_set.make(plain(), OPTIONS).is_new
    assert contents(tmp_path) == before
    monkeypatch.setattr(module, "__version__", "0.0.0")
    assert data_set.make(plain(), OPTIONS).is_new


def test_a_capture_that_has_changed_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    data_set = DataSet(str(tmp_path / "set"))
    path.write_bytes(PLAIN.read_bytes())
    data_set.make(capture_of([str(path)]), OPTIONS)
    path.write_bytes(BURST.read_bytes())
    done = data_set.make(capture_of([str(path)]), OPTIONS)
    assert done.is_new and done.made is not None and done.made.rows["exchanges"] == 1
    [exchanges] = data_set.files()["exchanges"]
    assert pq.read_table(exchanges)["target"].to_pylist() == ["/stream/burst"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RuntimeError])
def test_what_breaks_off_leaves_nothing(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(module._Writer):
        def describe(self, facts: Any) -> None:
            raise error

    data_set = DataSet(str(tmp_path))
    with monkeypatch.context() as patch, pytest.raises(error):
        patch.setattr(module, "_Writer", Broken)
        data_set.make(plain(), OPTIONS)
    assert contents(tmp_path) == {}
    with pytest.raises(ValueError, match="no data set"):
        data_set.files()
    assert data_set.make(plain(), OPTIONS).is_new


def test_files_without_a_manifest_do_not_count(tmp_path: Path) -> None:
    data_set = DataSet(str(tmp_path))
    for path in (PLAIN, BURST):
        data_set.make(capture_of([str(path)]), OPTIONS)
    (tmp_path / "manifest" / f"{key_of(str(BURST))}.json").unlink()
    assert len(list((tmp_path / "exchanges").iterdir())) == 2
    assert len(data_set.files()["exchanges"]) == 1
    (tmp_path / "manifest" / f"{key_of(str(BURST))}.json").write_text("{}")
    with pytest.raises(ValueError, match="is none of this version"):
        data_set.files()


def test_a_store_holds_the_same(tmp_path: Path) -> None:
    import fsspec

    url = f"memory://{tmp_path.name}/set"
    DataSet(str(tmp_path)).make(plain(), OPTIONS)
    data_set = DataSet(url)
    assert data_set.make(plain(), OPTIONS).is_new and not data_set.make(plain(), OPTIONS).is_new
    filesystem, place = fsspec.core.url_to_fs(url)
    stored = {
        path.removeprefix(f"{place}/"): filesystem.cat_file(path) for path in filesystem.find(place)
    }
    assert stored == contents(tmp_path)
    assert data_set.files()["exchanges"] == [f"{url}/exchanges/{key_of(str(PLAIN))}.parquet"]


def test_captures_in_a_store_give_the_same_rows(tmp_path: Path) -> None:
    import fsspec

    url = f"memory://{tmp_path.name}/captures"
    filesystem, place = fsspec.core.url_to_fs(url)
    filesystem.makedirs(place)
    filesystem.pipe_file(f"{place}/plain.pcapng", PLAIN.read_bytes())
    [capture] = found([url])
    assert capture.name == f"{url.replace('://', ':///')}/plain.pcapng"
    done = DataSet(str(tmp_path)).make(capture, OPTIONS)
    assert done.made is not None and done.made.rows["elements"] == 28
    assert found([f"{url}/*.pcapng"]) == found([url])
    with pytest.raises(FileNotFoundError):
        found([f"{url}/none.pcapng"])


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    captures = tmp_path / "captures"
    captures.mkdir()
    for path in (PLAIN, BURST):
        (captures / path.name).write_bytes(path.read_bytes())
    (captures / "bad.pcap").write_bytes(b"bad")
    (captures / "notes.txt").write_text("no capture")
    output = str(tmp_path / "set")
    assert run(["export", str(captures), "--format", "parquet", "-o", output]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith(f"wireproof: {captures}/bad.pcap: not a capture file")
    assert said[1] == f"wireproof: {output}: 3 captures, 2 of them new, {rows(output)} rows"
    (captures / "bad.pcap").unlink()
    assert run(["export", f"{captures}/*.pcapng", "-o", output]) == 0
    assert "2 captures, 0 of them new" in capsys.readouterr().err


def rows(place: str) -> int:
    files = DataSet(place).files()
    return sum(pq.read_metadata(path).num_rows for paths in files.values() for path in paths)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--format", "har", "-o", "DIR"], "har is of one capture"),
        ([], "name its folder with -o"),
        (["-o", "DIR", "--status", "5xx"], "choose from it with a query"),
    ],
)
def test_what_a_data_set_refuses(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", str(PLAIN), str(BURST), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_options_of_a_data_set_want_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(PLAIN), "-o", "x.parquet", "--packets"]) == 2
    assert "give a folder" in capsys.readouterr().err


def test_packets_and_payloads_on_request(tmp_path: Path) -> None:
    output = f"{tmp_path}/"
    assert run(["export", str(PLAIN), "-o", output, "--packets", "--data", "--host", "web1"]) == 0
    files = DataSet(output).files()
    assert pq.read_metadata(files["packets"][0]).num_rows == 36
    assert pq.read_table(files["elements"][0])["data"].null_count < 28
    assert set(pq.read_table(files["exchanges"][0])["host"].to_pylist()) == {"web1"}


def test_an_output_that_cannot_be_written_ends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "exchanges").write_text("in the way")
    assert run(["export", str(PLAIN), "-o", str(tmp_path)]) == 2
    assert "exchanges" in capsys.readouterr().err
