"""What ``wireproof decode`` does with its options."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from support.corpus import ROOT
from support.frames import ipv4, udp
from support.talk import Talk

from parsers import Memory
from wireproof import decode
from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.cli import run as cli
from wireproof.tasks import decode as decoding
from wireproof.tasks import jobs
from wireproof.tasks.decode import DecodeOptions, run
from wireproof.tasks.jobs import DecodingTeam, Task

PLAIN = ROOT / "fixtures" / "chunked" / "plain.pcapng"
ASKED = ("sse_event", "body")
EVENTS = ROOT / "fixtures" / "sse" / "plain.pcapng"
WEBSOCKETS = ExchangeFilter(transport="websocket")


class Output:
    """Standard output, which is a pipe."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    @property
    def text(self) -> str:
        return self._captured.readouterr().out


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    return Output(capsys)


class Terminal(TextIOWrapper):
    def isatty(self) -> bool:
        return True


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_pipe_gets_ndjson(output: Output) -> None:
    assert run(DecodeOptions(str(PLAIN)))
    found = records(output.text)
    assert [record["record"] for record in found] == [r.record for r in decode(PLAIN)]
    assert [r["data"] for r in found if r["record"] == "chunk"][0] == "This is"


def test_a_terminal_gets_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(BytesIO(), encoding="utf-8")
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "90")
    assert run(DecodeOptions(str(PLAIN)))
    terminal.seek(0)
    text = terminal.read()
    assert "Connection 0 " in text
    assert "\x1b[" in text


@pytest.mark.parametrize("form", ["ndjson", "table"])
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("has_tcp", [True, False])
def test_what_is_not_decoded_is_named_at_the_end(
    has_tcp: bool, jobs: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = Talk().open() if has_tcp else Talk()
    for _ in range(21):
        talk.tape.add(ipv4(b"\x40\0\x08\0" + bytes(40), 47))
    talk.tape.add(ipv4(udp(1, 53, bytes(20)), 17))
    path = tmp_path / "tunnels.pcapng"
    path.write_bytes(talk.tape.file())
    assert cli(["decode", str(path), "--format", form, "--jobs", jobs]) == 0
    captured = capsys.readouterr()
    named = "21 packets of protocol 47 (GRE) were not decoded"
    assert f"wireproof: {path}: {named}" in captured.err.splitlines()
    assert named in " ".join(captured.out.split())
    assert ("UDP port 53 (DNS)" in captured.err) is not has_tcp
    assert (f"wireproof: {path}: no TCP connection" in captured.err) is not has_tcp


@pytest.mark.parametrize(("columns", "width"), [(None, 100), ("70", 70)])
def test_a_table_in_a_pipe_has_a_width(
    output: Output, monkeypatch: pytest.MonkeyPatch, columns: str | None, width: int
) -> None:
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    assert run(DecodeOptions(str(PLAIN), view="table"))
    text = output.text
    assert max(map(len, text.splitlines())) == width
    assert "\x1b" not in text


@pytest.mark.parametrize("form", ["ndjson", "json", "csv"])
def test_formats(output: Output, form: Any) -> None:
    assert run(DecodeOptions(str(PLAIN), view=form))
    text = output.text
    kinds = {
        "ndjson": lambda: [record["record"] for record in records(text)],
        "json": lambda: [record["record"] for record in json.loads(text)],
        "csv": lambda: [row["record"] for row in csv.DictReader(StringIO(text, newline=""))],
    }[form]()
    assert kinds == [record.record for record in decode(PLAIN)]


@pytest.mark.parametrize(
    ("name", "form", "begin"),
    [
        ("a.json", None, "[\n{"),
        ("a.CSV", None, "record,connection"),
        ("a.ndjson", None, '{"record"'),
        ("a", None, '{"record"'),
        ("a.json", "ndjson", '{"record"'),
        ("a.txt", "table", "Connection 0"),
    ],
)
def test_an_output_file_has_the_format_of_its_suffix(
    tmp_path: Path, output: Output, name: str, form: Any, begin: str
) -> None:
    path = tmp_path / name
    assert run(DecodeOptions(str(PLAIN), view=form, output=str(path)))
    assert path.read_text().startswith(begin)
    assert output.text == ""


def test_a_dash_is_standard_output(output: Output) -> None:
    assert run(DecodeOptions(str(PLAIN), output="-"))
    assert records(output.text)


def test_standard_output_without_a_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    with TextIOWrapper(path.open("wb", buffering=0), write_through=True) as raw:  # type: ignore[type-var]
        monkeypatch.setattr("sys.stdout", raw)
        assert run(DecodeOptions(str(PLAIN)))
        assert not raw.closed
    assert len(records(path.read_text())) == len(list(decode(PLAIN)))


def test_payloads_can_be_left_out(output: Output) -> None:
    assert run(DecodeOptions(str(PLAIN), keep_data=False))
    chunk = next(record for record in records(output.text) if record["record"] == "chunk")
    assert chunk["data"] is None
    assert chunk["size"] == 7


def test_one_transport(output: Output) -> None:
    assert run(DecodeOptions(str(EVENTS), wanted=ExchangeFilter(transport="sse")))
    assert {record["record"] for record in records(output.text)} >= {"sse_event", "chunk"}


@pytest.mark.parametrize("wanted", [WEBSOCKETS, ExchangeFilter(connection=7)])
def test_nothing_to_show_is_said(output: Output, wanted: ExchangeFilter) -> None:
    assert not run(DecodeOptions(str(EVENTS), wanted=wanted))
    assert output.text == ""


def test_one_connection(output: Output) -> None:
    assert run(DecodeOptions(str(PLAIN), wanted=ExchangeFilter(connection=0)))
    assert {record["connection"] for record in records(output.text)} == {0}


def test_faults_of_the_file_concern_every_connection(tmp_path: Path, output: Output) -> None:
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(PLAIN.read_bytes()[:-100])
    assert run(DecodeOptions(str(cut), wanted=ExchangeFilter(connection=0)))
    assert "capture-cut" in {record.get("code") for record in records(output.text)}


def test_the_capture_is_not_overwritten(tmp_path: Path) -> None:
    capture = tmp_path / "a.pcapng"
    capture.write_bytes(PLAIN.read_bytes())
    link = tmp_path / "b.pcapng"
    link.symlink_to(capture)
    with pytest.raises(ValueError, match="the output is the capture itself"):
        run(DecodeOptions(str(capture), output=str(link)))
    assert capture.read_bytes() == PLAIN.read_bytes()


def test_an_output_that_exists_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("before")
    assert run(DecodeOptions(str(PLAIN), output=str(path)))
    assert "before" not in path.read_text()


def test_what_is_no_capture_leaves_no_output(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("this is no capture file, whatever it is")
    with pytest.raises(ValueError, match="capture"):
        run(DecodeOptions(str(text), output=str(tmp_path / "out.json")))
    assert not (tmp_path / "out.json").exists()


def test_missing_input_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        run(DecodeOptions("/nowhere/a.pcapng"))


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard input as a pipe; its writing end."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, TextIOWrapper(stream) as text:
        monkeypatch.setattr("sys.stdin", text)
        yield writing


def test_a_pipe_shows_what_has_come_before_it_waits(
    pipe: int, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = PLAIN.read_bytes()
    seen = threading.Event()
    flush = BytesIO.flush

    class Watched(BytesIO):
        def flush(self) -> None:
            flush(self)
            if b'"chunk"' in self.getvalue():
                seen.set()

    stream = TextIOWrapper(Watched(), encoding="utf-8")
    monkeypatch.setattr("sys.stdout", stream)
    thread = threading.Thread(target=run, args=(DecodeOptions("-"),))
    thread.start()
    try:
        os.write(pipe, data[: len(data) * 2 // 3])
        assert seen.wait(20), "nothing is shown while the recording goes on"
        os.write(pipe, data[len(data) * 2 // 3 :])
    finally:
        os.close(pipe)
        thread.join(20)
    text = stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert [r["record"] for r in records(text)] == [r.record for r in decode(PLAIN)]


class Interrupted(BytesIO):
    """A pipe that is interrupted when all of its data has been read."""

    def __init__(self, data: bytes, descriptor: int) -> None:
        super().__init__(data)
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def read1(self, size: int | None = -1) -> bytes:
        data = super().read1(size)
        if not data:
            raise KeyboardInterrupt
        return data


def test_an_interrupted_decode_leaves_a_whole_array(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    data = PLAIN.read_bytes()
    stream = Interrupted(data[: len(data) // 2], reading)
    monkeypatch.setattr("sys.stdin", TextIOWrapper(stream))
    try:
        with pytest.raises(KeyboardInterrupt):
            run(DecodeOptions("-", view="json"))
    finally:
        os.close(reading)
        os.close(writing)
    kinds = [record["record"] for record in json.loads(output.text)]
    assert kinds[:3] == ["request", "response", "chunk"]
    assert "connection" not in kinds


# --- several processes ---

# A test that runs beside others in one process has threads; a worker uses none of them.
several = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many workers were asked for, each time; there are three cores."""
    found: list[int] = []

    class Counted(DecodingTeam):
        def __init__(self, task: Task, descriptor: int, *, end: int) -> None:
            found.append(task.workers)
            super().__init__(task, descriptor, end=end)

    monkeypatch.setattr(jobs, "DecodingTeam", Counted)
    monkeypatch.setattr(decoding, "usable_cores", lambda: 3)
    return found


@several
@pytest.mark.parametrize(
    "options",
    [{}, {"wanted": ExchangeFilter(transport="sse")}, {"wanted": WEBSOCKETS}],
)
def test_the_output_does_not_depend_on_jobs(
    output: Output, asked: list[int], options: dict[str, Any]
) -> None:
    """More of them than cores are of no use."""
    found = [
        (run(DecodeOptions(str(EVENTS), jobs=jobs, **options)), output.text)
        for jobs in (1, 2, 3, 1_000)
    ]
    assert found == found[:1] * 4
    assert found[0][0] == (options.get("wanted") != WEBSOCKETS)
    assert asked == [2, 3, 3]


@pytest.mark.parametrize(
    "options",
    [{"wanted": ExchangeFilter(connection=0)}, {"view": "table"}, {"jobs": 1}],
    ids=["one connection", "a table", "one job"],
)
def test_where_one_process_is_enough(
    output: Output, asked: list[int], options: dict[str, Any]
) -> None:
    said: list[str] = []
    wanted = {"view": "ndjson", "jobs": 8, **options}
    assert run(DecodeOptions(str(EVENTS), **wanted), said.append)
    text = output.text
    assert run(DecodeOptions(str(EVENTS), **{**wanted, "jobs": 1}))
    assert output.text == text
    assert asked == []
    assert said == []


@several
def test_a_large_file_has_one_process_a_core(
    output: Output, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless told otherwise; nothing is said of it where it is not so."""
    said: list[str] = []
    for options in ({}, {"jobs": 1}, {"view": "table"}):
        wanted = {"view": "ndjson", **options}
        monkeypatch.setattr(decoding, "LARGE_CAPTURE", 1 << 30)
        assert run(DecodeOptions(str(EVENTS), **wanted), said.append)
        expected = output.text
        monkeypatch.setattr(decoding, "LARGE_CAPTURE", 1)
        assert run(DecodeOptions(str(EVENTS), **wanted), said.append)
        assert output.text == expected
    monkeypatch.setattr(Memory, "usual", 1 << 27)
    assert run(DecodeOptions(str(EVENTS), view="ndjson"), said.append)
    assert asked == [3]
    assert said == []


def test_a_pipe_is_decoded_in_one_process_and_that_is_said(output: Output) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wireproof", "decode", "-", "--jobs", "2"],
        input=PLAIN.read_bytes(),
        capture_output=True,
        check=True,
    )
    note = b"wireproof: standard input is not a regular file: decoding it in one process\n"
    assert done.stderr == note
    run(DecodeOptions(str(PLAIN)))
    assert done.stdout.decode() == output.text


def test_a_named_pipe_is_no_file_either(tmp_path: Path, output: Output, asked: list[int]) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    said: list[str] = []
    with subprocess.Popen(["cp", str(PLAIN), str(fifo)]):
        run(DecodeOptions(str(fifo), jobs=2), said.append)
    assert said == [f"{fifo} is not a regular file: decoding it in one process"]
    assert asked == []
    assert records(output.text)


def test_a_system_that_cannot_fork(
    output: Output, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.delattr(os, "fork")
    assert run(DecodeOptions(str(PLAIN), jobs=2), said.append)
    assert said == ["this system cannot fork: decoding the capture in one process"]
    assert asked == []
    assert records(output.text)


def test_a_system_that_lacks_what_only_workers_need() -> None:
    code = f"""
import os, signal, sys
sys.modules["fcntl"] = None
del os.fork, os.pread, os.sched_getaffinity, os.waitpid, signal.pthread_sigmask
from wireproof import cli
sys.exit(cli.run(["decode", {str(PLAIN)!r}, "--jobs", "2"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert records(done.stdout)
    assert done.stderr.startswith("wireproof: this system cannot fork: ")


def test_not_every_system_tells_how_many_cores_may_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 1 <= decoding.usable_cores() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert decoding.usable_cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert decoding.usable_cores() == 1


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("form", ["ndjson", "json", "csv"])
@pytest.mark.parametrize("options", [(), ("--transport", "sse"), ("--connection", "0")])
def test_only_some_kinds(
    jobs: str, form: str, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["decode", str(EVENTS), "--format", "ndjson", *options]
    assert cli(line) == 0
    expected = [one for one in records(capsys.readouterr().out) if one["record"] in ASKED]
    assert expected
    line += ["--only", ", ".join(ASKED), "--jobs", jobs]
    assert cli(line) == 0
    assert records(capsys.readouterr().out) == expected
    assert cli([*line, "--format", form]) == 0
    assert capsys.readouterr().out.count("sse_event") == sum(
        one["record"] == "sse_event" for one in expected
    )


def test_only_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["decode", str(EVENTS), "--only", "sse_events"]) == 2
    said = capsys.readouterr().err
    assert "--only: 'sse_events' is not a kind of record: expected connection, " in said
    assert cli(["decode", str(EVENTS), "--format", "table", "--only", "body"]) == 2
    assert "--only works with ndjson, json and csv, not with table" in capsys.readouterr().err
    assert cli(["decode", str(EVENTS), "--only", "quic"]) == 0
    assert capsys.readouterr().out == ""
