"""``wireproof explain``: exit codes, several files, formats, and whoever stops reading."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from support.corpus import ROOT
from support.sarif_schema import SARIF
from support.talk import Talk, Tape

from wireproof.cli import run
from wireproof.commands.explain import FORMATS
from wireproof.tasks import judged
from wireproof.views import verdicts

WHOLE = ROOT / "fixtures" / "sse" / "plain.pcapng"
CUT = ROOT / "fixtures" / "sse" / "truncated.pcapng"
COMMAND = [sys.executable, "-m", "wireproof", "explain"]


def test_the_formats_of_the_option_are_those_there_are() -> None:
    assert set(FORMATS) == set(verdicts.FORMATS)


@pytest.mark.parametrize(
    ("files", "options", "code"),
    [
        ([WHOLE], [], 0),
        ([CUT], [], 1),
        ([WHOLE, CUT], [], 1),
        ([CUT], ["--fail-on", "never"], 0),
        ([CUT], ["--fail-on", "error"], 1),
        ([CUT], ["--fail-on", "cut"], 1),
        ([CUT], ["--fail-on", "streaming,gap"], 0),
        ([CUT], ["--fail-on", "streaming, ending"], 1),
        ([CUT], ["--path", "/other"], 0),
        (["/nowhere/a.pcapng"], [], 2),
        ([WHOLE, "/nowhere/a.pcapng"], [], 2),
        ([WHOLE], ["--format", "yaml"], 2),
        ([], [], 2),
    ],
    ids=str,
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_the_exit_code_is_the_answer(
    capsys: pytest.CaptureFixture[str],
    files: list[Path | str],
    options: list[str],
    code: int,
    form: str,
) -> None:
    assert run(["explain", *map(str, files), "--format", form, *options]) == code
    assert (capsys.readouterr().err == "") is (code < 2 and "--path" not in options)


def test_what_cannot_be_read_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text, output = tmp_path / "notes.txt", tmp_path / "out.xml"
    text.write_text("no capture")
    assert run(["explain", str(text), "--format", "junit", "-o", str(output)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"wireproof: {text}: ")
    assert captured.err.count("\n") == 1
    assert not output.exists()


def test_the_capture_is_not_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    copy = tmp_path / "a.pcapng"
    copy.write_bytes(WHOLE.read_bytes())
    assert run(["explain", str(copy), "-o", str(copy)]) == 2
    assert "the output is the capture itself" in capsys.readouterr().err
    assert copy.read_bytes() == WHOLE.read_bytes()


def test_nothing_wanted_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", str(WHOLE), "--grep", "nothing has this"]) == 0
    assert "no matching exchange" in capsys.readouterr().err


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_goes_to_a_file(tmp_path: Path, form: str) -> None:
    output = tmp_path / "out"
    code = run(["explain", str(WHOLE), str(CUT), "--format", form, "-o", str(output)])
    assert code == 1
    text = output.read_text()
    match form:
        case "json":
            schema = json.loads((ROOT / "docs" / "explain.schema.json").read_text())
            jsonschema.validate(json.loads(text), schema)
        case "sarif":
            jsonschema.validate(json.loads(text), SARIF)
        case "junit":
            assert ElementTree.fromstring(text).get("failures") == "1"
        case "github":
            assert text.count("::error file=") == 1
        case "ndjson":
            found = [json.loads(line) for line in text.splitlines()]
            assert {one["record"] for one in found} == {"verdict"}
        case "table":
            assert "2 files, 2 exchanges:" in text


def test_standard_input_is_a_file_among_others(capsys: pytest.CaptureFixture[str]) -> None:
    with CUT.open("rb") as stream:
        ran = subprocess.run(
            [*COMMAND, "-", str(WHOLE)], stdin=stream, capture_output=True, text=True, cwd=ROOT
        )
    assert ran.returncode == 1
    assert "-: 1 exchange:" in ran.stdout
    assert "2 files, 2 exchanges:" in ran.stdout


def test_stored_records_are_explained_as_their_capture_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stored = tmp_path / "records"
    assert run(["decode", str(CUT), "--format", "ndjson", "-o", str(stored)]) == 0
    assert run(["explain", str(CUT), "--format", "ndjson"]) == 1
    captured = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert run(["explain", str(stored), "--format", "ndjson"]) == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one | {"file": ""} for one in found] == [one | {"file": ""} for one in captured]


@pytest.mark.parametrize("form", ["json", "sarif", "junit"])
def test_what_breaks_off_leaves_a_whole_document(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, form: str
) -> None:
    stored, output = tmp_path / "records", tmp_path / "out"
    assert run(["decode", str(CUT), "--format", "ndjson", "-o", str(stored)]) == 0
    with stored.open("ab") as stream:
        stream.write(stored.read_bytes() * 200 + b'{"record"')  # more than a batch of records
    assert run(["explain", str(stored), "--format", form, "-o", str(output)]) == 2
    assert "not wireproof records" in capsys.readouterr().err
    assert not output.exists()  # a file is there when it is whole
    assert run(["explain", str(stored), "--format", form]) == 2
    text = capsys.readouterr().out
    assert ElementTree.fromstring(text) if form == "junit" else json.loads(text)


def hostile(path: Path) -> Path:
    tape = Tape()
    talk = Talk(tape).open()
    talk.client(b"GET /\x1b]0;owned\x07 HTTP/1.1\r\nHost: x\r\nX-Session-Id: \x1b[2J\r\n\r\n")
    talk.server(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1a\r\ndata: \x1b[31m\r::error::x\n\n\r\n",
        b"zz\r\n",
    )
    talk.reset("server")
    path.write_bytes(tape.file())
    return path


@pytest.mark.parametrize("command", ["explain", "ls"])
@pytest.mark.parametrize("form", FORMATS)
def test_no_capture_commands_whoever_reads(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, form: str
) -> None:
    if command == "ls" and form not in ("table", "json"):
        return
    run([command, str(hostile(tmp_path / "hostile.pcapng")), "--format", form])
    text = capsys.readouterr().out
    assert text
    assert "\x1b" not in text
    assert "\x07" not in text
    assert not any(line.startswith("::error::x") for line in text.splitlines())


def test_whoever_stops_reading_ends_it(tmp_path: Path) -> None:
    path = many(tmp_path / "many.pcapng", 3_000)
    with subprocess.Popen(
        [*COMMAND, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=240) == 141
        assert process.stderr.read() == b""


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(
        [*COMMAND, str(fifo)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        with fifo.open("wb") as stream:  # it has been opened: the command reads
            stream.write(WHOLE.read_bytes()[:2_000])
            stream.flush()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=240) == 130
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


def many(path: Path, count: int) -> Path:
    """A capture of so many short connections."""
    tape = Tape()
    for number in range(count):
        talk = Talk(tape, client_port=1_024 + number % 60_000, client_isn=1_000 + number).open()
        talk.client(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
        talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        talk.close()
    path.write_bytes(tape.file())
    return path


def test_it_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    @contextmanager
    def reading(
        source: str, doing: str, _: object, **__: object
    ) -> Iterator[Iterator[list[object]]]:
        asked.append(f"{doing} {source}")
        yield iter([[]])

    monkeypatch.setattr(judged, "reading", reading)
    assert run(["explain", "a.pcapng"]) == 0
    assert asked == ["explaining a.pcapng"]
