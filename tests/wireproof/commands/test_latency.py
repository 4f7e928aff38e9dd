"""``wireproof latency``: its answer, its formats, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.talk import Talk
from support.timed import Stream, TimedTape

from wireproof.cli import run


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    tape: TimedTape = Stream().events(4, every=0.25).end().tape
    path = tmp_path / "stream.pcap"
    path.write_bytes(tape.file())
    return path


def test_two_definitions_of_one_capture(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["latency", str(capture), "--as", "wire", "--as", "otel"]) == 0
    text = capsys.readouterr().out
    assert "then one every 250.0 ms" in text
    assert "time_to_first_chunk" in text


def test_a_log_beside_the_wire(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["latency", str(capture), "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)["answers"][0]
    assert answer["skew"] is None
    log = tmp_path / "times.txt"
    log.write_text("\n".join(f'{{"t": {1_700_000_000 + n}}}' for n in range(4)))
    assert run(["latency", str(capture), "--format", "json", "--log", str(log)]) == 0
    found = json.loads(capsys.readouterr().out)["answers"][0]["skew"]
    assert found["unmatched"] == 0
    assert found["spread"]["max"] - found["least"] == pytest.approx(2.25, abs=0.01)


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv"])
def test_it_says_whether_nothing_is_wanted_or_nothing_streamed(
    form: str, capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, empty = tmp_path / "plain.pcap", tmp_path / "empty.pcap"
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
    plain.write_bytes(talk.tape.file())
    empty.write_bytes(Talk().open().tape.file())
    cases: list[tuple[Path, list[str], str]] = [
        (capture, ["--status", "404"], "no matching exchange"),
        (capture, ["--path", "/no-such"], "no matching exchange"),
        (plain, ["--status", "204"], "nothing streamed: "),
        (plain, [], "nothing streamed: "),
        (empty, [], "no exchange\n"),
    ]
    for path, arguments, said in cases:
        assert run(["latency", str(path), "--format", form, *arguments]) == 1
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["latency"], 2, "Missing argument 'FILE...'"),
        (["latency", "no-such-file"], 2, "no-such-file: "),
        (["latency", "{capture}", "--log", "no-such-log"], 2, "no-such-log: "),
        (["latency", "{capture}", "--as", "genai"], 2, "Invalid value for '--as'"),
        (["latency", str(ROOT / "README.md")], 2, "README.md: "),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    arguments: list[str], code: int, said: str, capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([argument.format(capture=capture) for argument in arguments]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_capture_without_a_stream_is_a_no(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = Stream(fields=b"Content-Length: 0\r\n")
    stream.talk.close()
    path = tmp_path / "empty.pcap"
    path.write_bytes(stream.tape.file())
    assert run(["latency", str(path)]) == 1
    assert "nothing streamed" in capsys.readouterr().err
