"""The options that choose exchanges are the same everywhere, and say what is wrong with a value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.talk import Talk, Tape

from wireproof.analysis.exchange_filter import EVERYTHING, ExchangeFilter, ExchangeNumber
from wireproof.cli import run
from wireproof.commands.choosing import exchange_filter

COMMANDS = ("decode", "explain", "ls", "hops", "latency")
OPTIONS = (
    *("--transport", "--connection", "--exchange", "--path", "--method", "--status"),
    *("--port", "--min-gap", "--verdict", "--grep"),
)
EMPTY = dict.fromkeys(("transport", "path", "method", "status"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_reading_command_has_them(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert [option for option in OPTIONS if f"  {option} " not in text] == []


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ({}, EVERYTHING),
        ({"method": "get"}, ExchangeFilter(method="GET")),
        ({"exchange": (7, None)}, ExchangeFilter(exchange=ExchangeNumber(7))),
        ({"exchange": (1, 3)}, ExchangeFilter(exchange=ExchangeNumber(1, 3))),
        (
            {"exchange": (1, None), "connection": 3},
            ExchangeFilter(connection=3, exchange=ExchangeNumber(1, 3)),
        ),
        ({"status": ("5xx",), "grep": "x"}, ExchangeFilter(status=("5xx",), grep="x")),
    ],
)
def test_options_become_a_choice(choice: dict[str, object], wanted: ExchangeFilter) -> None:
    assert exchange_filter(EMPTY | choice) == wanted


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--status", "abc", "no status"),
        ("--status", "5xx,99", "no status"),
        ("--exchange", "x", "no exchange"),
        ("--exchange", "1/2/3", "no exchange"),
        ("--port", "70000", "range"),
        ("--min-gap", "-1", "range"),
        ("--transport", "quic", "quic"),
    ],
)
def test_bad_values(capsys: pytest.CaptureFixture[str], option: str, value: str, said: str) -> None:
    assert run(["ls", "x.pcapng", option, value]) == 2
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Two exchanges of one connection, and one of another."""
    tape = Tape()
    first, second = Talk(tape, client_port=40_001).open(), Talk(tape, client_port=40_002).open()
    for talk, target, status in ((first, b"/a", b"200"), (first, b"/b", b"404")):
        talk.client(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % target)
        talk.server(b"HTTP/1.1 %s X\r\nContent-Length: 2\r\n\r\nhi" % status)
    second.client(b"POST /c?d HTTP/1.1\r\nHost: y\r\nContent-Length: 6\r\n\r\nneedle")
    second.server(b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
    first.close()
    second.close()
    path = tmp_path / "three.pcapng"
    path.write_bytes(tape.file())
    return path


CHOICES = [
    (["--connection", "0"], [0, 1]),
    (["--exchange", "2"], [2]),
    (["--exchange", "0/1"], [1]),
    (["--connection", "0", "--exchange", "1"], [1]),
    (["--path", "/[ab]"], [0, 1]),
    (["--path", "/c"], [2]),
    (["--method", "post"], [2]),
    (["--status", "404,5xx"], [1, 2]),
    (["--port", "40002"], [2]),
    (["--grep", "needle"], [2]),
    (["--grep", "Host: x"], [0, 1]),
    (["--min-gap", "60"], []),
    (["--method", "GET", "--status", "2xx"], [0]),
]


@pytest.mark.parametrize(("options", "numbers"), CHOICES, ids=str)
def test_ls_and_explain_choose_alike(
    capture: Path, capsys: pytest.CaptureFixture[str], options: list[str], numbers: list[int]
) -> None:
    run(["ls", str(capture), "--format", "json", *options])
    assert [one["number"] for one in json.loads(capsys.readouterr().out)] == numbers
    run(["explain", str(capture), "--format", "json", *options])
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert [one["number"] for one in file["exchanges"]] == numbers


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("options", "numbers"), CHOICES, ids=str)
def test_decode_gives_the_records_of_the_same_exchanges(
    capture: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    numbers: list[int],
    jobs: str,
) -> None:
    run(["decode", str(capture), "--format", "ndjson", "--jobs", jobs, *options])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    targets = [one["target"] for one in found if one["record"] == "request"]
    assert targets == [["/a", "/b", "/c?d"][number] for number in numbers]
    connections = {one["connection"] for one in found if one["record"] == "connection"}
    assert connections == {0 if number < 2 else 1 for number in numbers}
