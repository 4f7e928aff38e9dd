"""Data sets: a file for each table of each part, whole or not there, and done once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.capture_files import Blocks
from support.corpus import ROOT

from wireproof.cli import run
from wireproof.tables import TableOptions, dataset, parts, read, writing
from wireproof.tables.dataset import DataSet
from wireproof.tables.exporting import ExportJob
from wireproof.tables.exporting import run as run_job
from wireproof.tables.files import Capture, capture_of, found
from wireproof.tables.kinds import KINDS
from wireproof.tables.parts import grouped, name_of
from wireproof.tables.reading import Tables

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
        assert metadata[b"wireproof.part"] == name_of([str(PLAIN)], None).encode()
        [interface] = json.loads(metadata[b"wireproof.interfaces"])
        assert interface["link_type"] == 1


def test_what_a_ring_says_of_its_host(tmp_path: Path) -> None:
    """What dumpcap writes into each file: a comment, the machine, its system, its own name."""
    blocks, files = Blocks("<"), []
    told = [(1, b"host: web1"), (2, b"Xeon"), (3, b"Linux 6.8"), (4, b"Dumpcap 4.2.2")]
    options = b"".join(blocks.option(*one) for one in told)
    for number in (1, 2):
        files.append(str(tmp_path / f"eth0_0000{number}_2026013112000{number}.pcapng"))
        header = blocks.section(options=options) + blocks.interface()
        Path(files[-1]).write_bytes(header + blocks.enhanced(number, b"\0" * 60))
    data_set = DataSet(str(tmp_path / "set"))
    made = data_set.make(capture_of(files), TableOptions(kinds=KINDS)).made
    assert made is not None and made.host == "web1"
    assert [one["system"] for one in made.interfaces] == ["Linux 6.8"] * 2
    [path] = data_set.files()["packets"]
    assert pq.read_table(path)["host"].to_pylist() == ["web1"] * 2
    [interface] = json.loads(pq.read_metadata(path).metadata[b"wireproof.interfaces"])
    assert (interface["machine"], interface["application"]) == ("Xeon", "Dumpcap 4.2.2")


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_set = DataSet(str(tmp_path))
    data_set.make(plain(), OPTIONS)
    before = contents(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(dataset, "Tables", None)  # would fail
        assert not data_set.make(plain(), OPTIONS).is_new
    assert contents(tmp_path) == before
    assert data_set.make(plain(), TableOptions(keep_data=True)).is_new
    assert data_set.make(plain(), OPTIONS).is_new
    assert contents(tmp_path) == before
    monkeypatch.setattr(parts, "__version__", "0.0.0")
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
    class Broken(writing.PartFiles):
        def describe(self, interfaces: Any) -> None:
            raise error

    data_set = DataSet(str(tmp_path))
    with monkeypatch.context() as patch, pytest.raises(error):
        patch.setattr(dataset, "PartFiles", Broken)
        data_set.make(plain(), OPTIONS)
    assert contents(tmp_path) == {}
    with pytest.raises(ValueError, match="no data set"):
        data_set.files()
    assert data_set.make(plain(), OPTIONS).is_new


def test_files_without_a_manifest_do_not_count(tmp_path: Path) -> None:
    data_set = DataSet(str(tmp_path))
    for path in (PLAIN, BURST):
        data_set.make(capture_of([str(path)]), OPTIONS)
    manifest = tmp_path / "manifest" / f"{name_of([str(BURST)], None)}.json"
    manifest.unlink()
    assert len(list((tmp_path / "exchanges").iterdir())) == 2
    assert len(data_set.files()["exchanges"]) == 1
    manifest.write_text('{"format": 9}')
    with pytest.raises(ValueError, match="is of format 9; this version of wireproof has"):
        data_set.files()
    with pytest.raises(ValueError, match="is of format 9"):
        data_set.plan([plain()], OPTIONS)
    with pytest.raises(ValueError, match="is of format 9"):
        data_set.make(capture_of([str(BURST)]), OPTIONS)
    assert not data_set.make(plain(), OPTIONS).is_new, "its own part alone is looked at"


def table(place: Path, kind: str) -> Any:
    files = DataSet(str(place)).files()[kind]  # type: ignore[index]
    return pa.concat_tables([pq.read_table(path) for path in files])


def several(folder: Path) -> list[Capture]:
    """Three captures of one data set, in files of their own."""
    folder.mkdir()
    for name, path in (("a", PLAIN), ("b", BURST), ("c", PLAIN)):
        (folder / f"{name}.pcapng").write_bytes(path.read_bytes())
    return found([str(folder)])


def test_many_captures_are_one_part(tmp_path: Path) -> None:
    captures = several(tmp_path / "captures")
    data_set = DataSet(str(tmp_path / "set"))
    [part] = data_set.plan(captures, OPTIONS).parts
    done = data_set.make_part(part, OPTIONS)
    assert [one.capture for one in done] == [one.name for one in captures]
    for kind, paths in data_set.files().items():
        assert len(paths) == 1
        rows = [batch for one in captures for batch in read(one.name, kind)]
        assert table(tmp_path / "set", kind) == pa.Table.from_batches(rows).combine_chunks()
        counts = {one.capture: one.made.rows[kind] for one in done if one.made is not None}
        assert counts == {
            one.name: batch.num_rows for one, batch in zip(captures, rows, strict=True)
        }
    assert [one.is_new for one in data_set.plan(captures, OPTIONS).done] == [False] * 3


def test_a_capture_that_has_changed_leaves_the_others_of_its_part(tmp_path: Path) -> None:
    captures = several(tmp_path / "captures")
    place = tmp_path / "set"
    job = ExportJob([str(tmp_path / "captures")], str(place), OPTIONS)
    run_job(job, print)
    Path(captures[1].name).write_bytes(PLAIN.read_bytes())
    Path(captures[0].name).unlink()  # what is gone stays in the data set
    assert run_job(job, print)[:2] == (2, 1)
    exchanges = table(place, "exchanges").to_pylist()
    assert sorted((row["capture"], row["target"]) for row in exchanges) == [
        (capture.name, "/sse") for capture in captures
    ]
    names = {path.stem for path in place.rglob("*.*")}
    assert names == {name for name, _ in DataSet(str(place)).parts()}, "nothing else is left"


def test_a_part_that_was_replaced_does_not_count(tmp_path: Path) -> None:
    """The process ended after the new manifest, and before the old one was removed."""
    captures = several(tmp_path / "captures")
    place = tmp_path / "set"
    data_set = DataSet(str(place))
    data_set.make_part(captures, OPTIONS)
    [(name, _)] = data_set.parts()
    before = {path: path.read_bytes() for path in place.rglob("*.*")}
    Path(captures[1].name).write_bytes(PLAIN.read_bytes())
    data_set.plan(captures, OPTIONS)
    for path, data in before.items():
        path.write_bytes(data)
    data_set = DataSet(str(place))
    [(other, part)] = data_set.parts()
    assert other != name and part.replaces == name
    assert [one.capture for one in part.captures] == [captures[0].name, captures[2].name]
    data_set.plan(captures[:1], OPTIONS)
    assert not set(before) & set(place.rglob("*.*"))


def test_captures_of_two_hosts_may_have_one_name(tmp_path: Path) -> None:
    data_set = DataSet(str(tmp_path))
    for host in ("web1", "web2"):
        assert data_set.make(plain(), TableOptions(host=host)).is_new
        assert not data_set.make(plain(), TableOptions(host=host)).is_new
    assert sorted(table(tmp_path, "exchanges")["host"].to_pylist()) == ["web1", "web2"]


def test_what_fails_when_rows_are_written_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures = several(tmp_path / "captures")
    data_set = DataSet(str(tmp_path / "set"))

    class Failing(Tables):
        def add(self, opened: Any) -> Any:
            yield from super().add(opened)
            if opened.capture == captures[1]:
                raise OSError(5, "Input/output error")

    monkeypatch.setattr(dataset, "Tables", Failing)
    done = data_set.make_part(captures, OPTIONS)
    assert [(one.capture, one.error) for one in done if one.made is None] == [
        (captures[1].name, "Input/output error")
    ]
    assert table(tmp_path / "set", "exchanges")["capture"].to_pylist() == [
        captures[0].name,
        captures[2].name,
    ]


def test_which_captures_are_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_CAPTURES", 3)
    monkeypatch.setattr(parts, "PART_SIZE", 10)
    sizes = [1, 1, 1, 1, 9, 1, 50, 1]
    captures = [(capture_of([str(number)]), size) for number, size in enumerate(sizes)]
    groups = [[int(one.name) for one in group] for group in grouped(captures)]
    assert groups == [[0, 1, 2], [3, 4], [5], [6], [7]]


def test_a_run_that_broke_off_is_cut_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_CAPTURES", 2)
    captures = several(tmp_path / "captures")
    captures += [capture_of([str(path)]) for path in (PLAIN, BURST)]
    whole, broken = (DataSet(str(tmp_path / name)) for name in ("whole", "broken"))
    plan = whole.plan(captures, OPTIONS).parts
    assert [len(part) for part in plan] == [2, 2, 1]
    for part in plan:
        whole.make_part(part, OPTIONS)
    broken.make_part(plan[1], OPTIONS)  # by a worker that was faster
    assert broken.plan(captures, OPTIONS).parts == [plan[0], plan[2]]
    for part in broken.plan(captures, OPTIONS).parts:
        broken.make_part(part, OPTIONS)
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")
    # Of parts that are there in part, the rest goes together.
    some = DataSet(str(tmp_path / "some"))
    for number in (0, 2):
        some.make(captures[number], OPTIONS)
    rest = some.plan(captures, OPTIONS).parts
    assert rest == [[captures[4]], [captures[1], captures[3]]]


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
    assert data_set.files()["exchanges"] == [
        f"{url}/exchanges/{name_of([str(PLAIN)], None)}.parquet"
    ]


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
    came = f"2 captures, {rows(output)} rows; 1 capture could not be read"
    assert said[1] == f"wireproof: {output}: {came}"
    (captures / "bad.pcap").unlink()
    assert run(["export", f"{captures}/*.pcapng", "-o", output]) == 0
    assert "2 captures, 0 of them new" in capsys.readouterr().err


def rows(place: str) -> int:
    files = DataSet(place).files()
    return sum(pq.read_metadata(path).num_rows for paths in files.values() for path in paths)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--format", "har", "-o", "DIR"], "har holds one capture"),
        ([], "name its folder with -o"),
        (["-o", "DIR", "--status", "5xx"], "select from it with a query"),
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
