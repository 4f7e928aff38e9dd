"""``wireproof hops``: its answer, its formats, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.legs import Side, far_of, later, tokens

from wireproof.cli import run

EVENTS = tokens(24)
LAST = EVENTS[-1][0]
HELD = Side([(LAST + 0.001, b"".join(data for _, data in EVENTS))], answered=LAST)
PASSED = Side(later(EVENTS, 0.0003))


def write(folder: Path, name: str, side: Side) -> str:
    path = folder / name
    path.write_bytes(side.tape().file())
    return str(path)


@pytest.fixture
def held(tmp_path: Path) -> list[str]:
    return [
        write(tmp_path, "client.pcapng", HELD),
        write(tmp_path, "server.pcapng", far_of(EVENTS)),
    ]


@pytest.fixture
def passed(tmp_path: Path) -> list[str]:
    far = write(tmp_path, "server.pcapng", far_of(EVENTS))
    return [write(tmp_path, "client.pcapng", PASSED), far]


def test_the_answer_comes_first(held: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hops", *held]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("The hop between 127.0.0.1:9000 and 127.0.0.1:8000 held 23 of 24")
    text = "\n".join(lines)
    assert "proxy-buffer" in text
    assert "proxy_buffering off" in text
    assert "the first token comes later and the gaps shrink" in text
    rows = text.partition("element by element\n")[2].splitlines()[1:]
    assert [row.split()[0] for row in rows] == [
        *map(str, range(20)),
    ]


def test_of_many_elements_the_first_and_the_slowest_are_shown(
    held: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["hops", *reversed(held), "--elements", "4"]) == 1
    rows = capsys.readouterr().out.partition("element by element\n")[2].splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["0", "1", "2", "3"]


def test_a_hop_that_passes_on_is_a_yes(
    passed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["hops", *passed, "--elements", "0"]) == 0
    text = capsys.readouterr().out
    assert "passes everything on: 300 µs added at the median" in text
    assert "element by element" not in text


def test_json_has_verdicts_hops_and_delays(
    held: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["hops", *held, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["is_fault"], found["hop"]) == ("holds", True, 1)
    [hop] = found["exchanges"][0]["hops"]
    assert hop["near"]["server"] == "127.0.0.1:9000"
    assert hop["far"]["elements"] == 24
    assert hop["delays"][0]["added_ms"] == pytest.approx(1_381, abs=2)
    assert hop["verdict"] == found["hops"][0]
    assert found["hops"][0]["numbers"]["pattern"] == "until-end"


def test_ndjson_is_a_record_of_the_contract_for_each_hop(
    passed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["hops", *passed, "--format", "ndjson"]) == 0
    [record] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (record["record"], record["question"]) == ("verdict", "hop")
    assert (record["answer"], record["is_fault"]) == ("transparent", False)
    contract = ("pattern", "added_first", "added_p50", "added_p95", "added_max", "clock_offset")
    assert all(name in record["numbers"] for name in (*contract, "clock_uncertainty", "drift_ppm"))


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        (["--path", "/chat"], 1),
        (["--path", "/other"], 1),
        (["--port", "8000"], 1),
        (["--port", "8001"], 1),
        (["--verdict", "holds"], 1),
        (["--verdict", "loses"], 1),
        (["--grep", "23 xxxx"], 1),
        (["--grep", "nowhere"], 1),
        (["--min-gap", "1"], 1),
        (["--min-gap", "9"], 1),
    ],
)
def test_exchanges_are_chosen(
    choice: list[str], code: int, held: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["hops", *held, *choice]) == code
    out, error = capsys.readouterr()
    is_wanted = choice[1] in ("/chat", "8000", "holds", "23 xxxx", "1")
    assert out.startswith("The hop") == is_wanted
    assert ("no matching exchange" in error) != is_wanted


def test_an_exchange_that_was_seen_once_is_no_answer(
    held: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["hops", held[0]]) == 1
    assert "no exchange was seen on more than one leg (1 on one)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hops"], "Missing argument 'FILE...'"),
        (["hops", "no-such-file"], "no-such-file: "),
        (["hops", str(ROOT / "README.md")], "README.md: "),
        (["hops", "{capture}", "-o", "{capture}"], "the output is the capture itself"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    arguments: list[str], said: str, held: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([argument.format(capture=held[0]) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_what_the_wire_says_is_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    near = Side(
        later(EVENTS, 0.0003),
        target="/\x1b[31m",
        fields=b"Server: \x1b]0;proxy\x07\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: text/event-stream\r\n",
    )
    files = [write(tmp_path, "a", near), write(tmp_path, "b", far_of(EVENTS))]
    assert run(["hops", *files]) in (0, 1)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
