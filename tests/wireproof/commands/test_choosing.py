"""The options that choose exchanges are the same everywhere, and say what is wrong with a value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.reports import answers
from support.talk import Talk, Tape

from parsers import CaptureReader
from wireproof.analysis.exchange_filter import EVERYTHING, ExchangeFilter, ExchangeNumber
from wireproof.cli import run
from wireproof.commands.choosing import Status, exchange_filter
from wireproof.commands.view import view

READING = (
    *("annotate", "compare", "decode", "explain", "export", "hops", "latency", "ls"),
    *("plot", "report", "view"),
)
"""Commands for which choosing exchanges of a file has a meaning."""
OPTIONS = (
    *("--transport", "--connection", "--exchange", "--path", "--method", "--status"),
    *("--port", "--min-gap", "--verdict", "--grep"),
)
EMPTY = dict.fromkeys(("transport", "path", "method", "status"))


@pytest.mark.parametrize("command", READING)
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


@pytest.mark.parametrize("value", ["100", "999", "1xx", "5XX", "2xx,404, 5xx"])
def test_every_code_and_class_is_a_status(value: str) -> None:
    """Codes above 599 are invalid, and yet seen (RFC 9110 section 15): they may be looked for."""
    wanted = tuple(part.strip().lower() for part in value.split(","))
    assert Status().convert(value, None, None) == wanted


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--status", "abc", "not a status"),
        ("--status", "5xx,99", "not a status"),
        ("--status", "099", "not a status"),
        ("--status", "1000", "not a status"),
        ("--status", "0xx", "not a status"),
        ("--status", "6xx", "a class from 1xx to 5xx"),
        ("--status", "404,9xx", "a class from 1xx to 5xx"),
        ("--exchange", "x", "not an exchange"),
        ("--exchange", "1/2/3", "not an exchange"),
        ("--port", "70000", "range"),
        ("--port", "65536", "range"),
        ("--port", "0", "range"),
        ("--min-gap", "-1", "range"),
        ("--min-gap", "nan", "not a time"),
        ("--min-gap", "inf", "not a time"),
        ("--method", "G@T", "not a method"),
        ("--method", "", "not a method"),
        ("--verdict", ",", "no word"),
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


VALUES = {
    **{"--transport": "chunked", "--connection": "0", "--exchange": "0/1", "--path": "/b"},
    **{"--method": "GET", "--status": "404", "--port": "40001", "--min-gap": "0"},
    **{"--verdict": "ok", "--grep": "/b"},
}
REFUSED = [
    *(("redact", option) for option in VALUES),
    *(("follow", option) for option in VALUES if option not in ("--connection", "--exchange")),
    *(("watch", option) for option in ("--min-gap", "--verdict", "--grep")),
]
"""Where an option can have no meaning: that is said, with what to do instead."""


def shown(
    command: str, capture: Path, options: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> str:
    """What a command shows or writes of the exchanges that are chosen."""
    suffix = {"annotate": ".pcapng", "export": ".har", "plot": ".svg", "report": ".html"}
    output = capture.with_suffix(".out" + suffix.get(command, ""))
    arguments = [command, str(capture), *options]
    if command in suffix:
        arguments += ["-o", str(output)]
    code = run(arguments)
    said = capsys.readouterr()
    nothing = command == "plot" and "no matching exchange" in said.err
    assert code in (0, 1) or nothing, said.err
    if command == "annotate":
        with output.open("rb") as stream:
            reader = CaptureReader(stream)
            list(reader)
        return "\n".join(text for _, text in reader.comments)
    if command == "report":
        found = answers(output.read_text())
        return json.dumps([found[path] for path in found if not path.startswith("packet")])
    if command == "plot":
        return said.err
    return output.read_text() if command in suffix else said.out


@pytest.mark.parametrize("option", VALUES)
@pytest.mark.parametrize("command", [one for one in READING if one not in ("view", "compare")])
def test_every_option_chooses_for_every_command(
    command: str, option: str, capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shown(command, capture, [option, VALUES[option]], capsys)
    if command in ("hops", "latency", "plot"):
        return  # two legs, streams or marks: which exchange was chosen is tested of each by itself
    run(["ls", str(capture), "--format", "json", option, VALUES[option]])
    wanted = {one["target"] for one in json.loads(capsys.readouterr().out)}
    assert {target for target in ("/a", "/b", "/c?d") if target in found} == wanted
    assert len(wanted) < 3 or option in ("--min-gap", "--verdict")


@pytest.mark.parametrize("option", VALUES)
def test_the_inspector_chooses_too(option: str, capture: Path, tmp_path: Path) -> None:
    """The page of ``view`` is that of ``report``; its command serves until it is interrupted."""
    context = view.make_context("view", [str(capture), option, VALUES[option]])
    reading = context.params
    assert reading[option.removeprefix("--").replace("-", "_")] is not None


@pytest.mark.parametrize(("command", "option"), REFUSED)
def test_what_has_no_meaning_is_refused(
    command: str, option: str, capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.pcapng"
    own = ["--port", "80"] if command == "watch" else [str(capture), "-o", str(output)]
    assert run([command, *own, option, VALUES[option]]) == 2
    line = capsys.readouterr().err
    assert f"{option}: " in line and line.count("\n") == 1
    assert not output.exists()


def test_a_plot_is_of_the_exchange_that_is_chosen(
    capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = capture.with_suffix(".svg")
    assert run(["plot", str(capture), "--exchange", "2", "-o", str(output)]) == 0
    assert run(["plot", str(capture), "--connection", "0", "-o", str(output)]) == 0
    assert "connection 0 exchange 0, of 2 matching exchanges" in capsys.readouterr().err
    assert run(["plot", str(capture), "--grep", "nowhere", "-o", str(output)]) == 2
    assert "no matching exchange" in capsys.readouterr().err
