"""Every command over captures that do harm.

Whatever the bytes are, a command ends with 0, 1 or 2; with 2 one line says what was wrong with
which file, and nothing half-written is left.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import Any

import httpx
import pytest
from click import Context
from support.beside import without_pyshark
from support.browser import PATIENCE, running
from support.command_lines import (
    ALSO,
    COMMAND,
    HARMFUL,
    LIVE,
    QUERY,
    READERS,
    TWICE,
    WRITERS,
    check,
    harmful,
    reading,
    small,
    writing,
)
from support.damage import damaged
from support.stored import SMALL

from parsers import Memory, PacketDecoder, UnreadableCapture, decode_stream
from parsers.limits import MAX_MEMORY
from parsers.wants import KINDS
from wireproof.cli import cli, run
from wireproof.live.verdicts import LiveVerdicts
from wireproof.metrics.observing import Observer
from wireproof.metrics.prometheus import PrometheusPage
from wireproof.web.fleet import QUESTIONS
from wireproof.web.server import InspectorServer, PageServer
from wireproof.web.viewing import Page

pytestmark = pytest.mark.usefixtures("loaded")
SEED = 20_261_129
FEW, MANY = 150, 2_000
"""Mutants of a quick run and of a whole one; WIREPROOF_MUTANTS says how many of a fuzzing."""
EACH = ("query table", "query csv", "query json", "query parquet")
"""What reads a capture into tables, for which it starts a database: each format has its turn."""
DEAR = (*EACH, "export parquet", "plot svg")
"""Commands of which one run takes as long as fifty of others."""


def chosen_for(name: str) -> Iterator[bytes]:
    """The captures that do harm which a command reads: all, but that formats of a query share."""
    turn, turns = (EACH.index(name), len(EACH)) if name in EACH else (0, 1)
    return (data for _, data in islice(harmful(), turn, None, turns))


@pytest.mark.parametrize("name", [*READERS, *WRITERS])
def test_captures_that_do_harm(
    name: str, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "harmful.pcap"
    for data in chosen_for(name):
        path.write_bytes(data)
        if name in READERS:
            check(reading(name, path), None, capsys)
        if name in WRITERS:
            check(*writing(name, path, folder), capsys)


@pytest.mark.parametrize("name", [*READERS, *WRITERS])
def test_no_time_and_no_length_ends_a_command(
    name: str, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is out of range is shown so: these files can be read."""
    path = tmp_path / "harmful.pcapng"
    for kind in list(HARMFUL)[:4]:
        path.write_bytes(HARMFUL[kind])
        if name in READERS:
            assert check(reading(name, path), None, capsys) < 2
        if name in WRITERS:
            assert check(*writing(name, path, folder), capsys) < 2


@pytest.mark.parametrize("name", [*READERS, *WRITERS])
def test_every_command_holds_what_memory_says(
    name: str, capture: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever decodes in a command gets the budget that was asked for, and later ones do not."""
    limits: list[int | None] = []
    begin = PacketDecoder.__init__

    def noting(self: PacketDecoder, **options: Any) -> None:
        begin(self, **options)
        limits.append(self.memory_limit)

    monkeypatch.setattr(PacketDecoder, "__init__", noting)
    arguments = reading(name, capture) if name in READERS else writing(name, capture, folder)[0]
    assert run([*arguments, "--memory", "1M"]) in (0, 1)
    tables = name.split()[0] in ("diff", "query")  # Arrow and DuckDB have the other half
    assert limits and set(limits) == {Memory(1 << 20).limit // (2 if tables else 1)}
    assert Memory().limit == Memory(MAX_MEMORY).limit


def test_data_sets_of_captures_that_do_harm(
    tmp_path: Path, looked_through: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A data set is written whole or not at all, and what reads it reads what is there."""
    path, place = tmp_path / "harmful.pcap", tmp_path / "set"
    for data in (small(), *HARMFUL.values()):
        path.write_bytes(data)
        if check(["export", str(path), "--data", "--packets", "-o", f"{place}/"], None, capsys) < 2:
            check(["query", str(place), QUERY, "--format", "json"], None, capsys)
            check(["diff", str(place), str(place)], None, capsys)
            check(["view", str(place), "--no-browser"], None, capsys)
            for takes_captures_alone in ("hops", "latency"):
                given = [str(place)] * (2 if takes_captures_alone in TWICE else 1)
                assert check([takes_captures_alone, *given], None, capsys) == 2
            rmtree(place)
        assert not place.exists()


def test_captures_that_do_harm_are_drawn_in_pixels(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As ``plot svg``, but for the last step, of which two show what there is to be seen."""
    path, output = tmp_path / "harmful.pcap", folder / "out.png"
    for kind in list(HARMFUL)[:2]:
        path.write_bytes(HARMFUL[kind])
        check(["plot", str(path), "-o", str(output)], output, capsys)


def look_through(server: PageServer, page: Page) -> None:
    """Ask for what a page asks for first, instead of serving until Ctrl-C."""
    with running(server), httpx.Client(timeout=PATIENCE) as client:

        def answer(path: str) -> Any:
            found = client.get(f"http://127.0.0.1:{server.port}/answers/{path}")
            return found.raise_for_status().json()

        client.get(server.url)
        if isinstance(server, InspectorServer):
            while answer("summary")["state"] != "ended":
                time.sleep(0.01)
            keys = [row["key"] for row in answer("exchanges/0")]
            for path in [f"verdicts/{key}" for key in keys[:9]] + ["hops"]:
                answer(path)
        else:
            for path in ("summary", *QUESTIONS):
                answer(path)


@pytest.fixture
def looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wireproof.web.viewing.serve", look_through)


def test_captures_that_do_harm_are_viewed(
    tmp_path: Path, looked_through: None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "harmful.pcap"
    for _, data in harmful():
        path.write_bytes(data)
        check(["view", str(path), "--no-browser"], None, capsys)


@pytest.mark.slow
@pytest.mark.packets
def test_captures_that_do_harm_are_collected(
    tmp_path: Path, looked_through: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are what an earlier start left. All that can be read are in the data set, which others
    read then; the others are named."""
    ring, place = tmp_path / "ring", tmp_path / "set"
    ring.mkdir()
    left = list(harmful())
    for number, (_, data) in enumerate(left, 1):
        (ring / f"web1_{number:05}_20260131120000.pcapng").write_bytes(data)
    words = ["collect", "--port", "9", "-i", "lo", "--ring", str(ring), "-o", str(place)]
    with subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = [process.stderr.readline()]
        assert "recording port 9" in said[0]
        process.terminate()  # what is left is exported nevertheless
        said += list(process.stderr)
    assert process.returncode == 0 and "Traceback" not in "".join(said)
    made = len(list((place / "manifest").glob("[!.]*.json")))
    assert said[-1].endswith(f"; {len(left)} files exported\n"), said[-1]
    assert all(line.startswith("wireproof: ") for line in said)
    unread = {line.partition(": ")[2].partition(": ")[0] for line in said if f"{ring}/" in line}
    assert made + len(unread) == len(left) and made > len(left) // 2
    for arguments in (["query", QUERY, "--format", "json"], ["diff", str(place)], ["view"]):
        options = ["--no-browser"] if arguments == ["view"] else []
        check([arguments[0], str(place), *arguments[1:], *options], None, capsys)


@pytest.mark.tshark
def test_captures_that_do_harm_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_pyshark(monkeypatch)
    path = tmp_path / "harmful.pcap"
    for data in HARMFUL.values():
        path.write_bytes(data)
        check(["compare", str(path)], None, capsys)


def test_captures_that_do_harm_are_counted() -> None:
    """What ``watch --metrics`` counts, over stored captures."""
    observer, verdicts = Observer(PrometheusPage("127.0.0.1", 0)), LiveVerdicts()
    for data in HARMFUL.values():
        for record in decode_stream(BytesIO(data)):
            observer.record(record)
            for one in verdicts.add([record]):
                observer.explained(one)


def mutants(count: int, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Damaged captures, each by its number alone."""
    sources = [small(), *HARMFUL.values(), *(path.read_bytes() for path in SMALL)]
    for number in range(start, start + count):
        seeded = Random(SEED + number)
        yield number, damaged(seeded.choice(sources), seeded, 8)


def run_mutants(
    numbers: range, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run one command for each mutant, each in its turn; what takes long, in every fourth round."""
    names = [*READERS, *WRITERS]
    quick = [name for name in names if name not in DEAR]
    order = names + 3 * quick
    path = tmp_path / "mutant.pcapng"
    for number, data in mutants(len(numbers), numbers.start):
        path.write_bytes(data)
        name = order[number % len(order)]
        try:
            if name in READERS:
                check(reading(name, path), None, capsys)
            else:
                arguments, output = writing(name, path, folder)
                check(arguments, output, capsys)
        except Exception as error:
            pytest.fail(f"mutant {number}, {name}: {error!r}")


def test_few_mutants(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_mutants(range(FEW), tmp_path, folder, capsys)


QUARTERS = 4


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("quarter", range(QUARTERS))
def test_many_mutants(
    quarter: int, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = int(os.environ.get("WIREPROOF_MUTANTS", MANY)) // QUARTERS
    start = FEW + quarter * size  # after the few
    run_mutants(range(start, start + size), tmp_path, folder, capsys)


DECODED = int(os.environ.get("WIREPROOF_MUTANTS", 20_000))


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("quarter", range(QUARTERS))
def test_many_mutants_are_decoded(quarter: int) -> None:
    """Any bytes give records, or it is said why they are no capture."""
    sources = [data for _, data in harmful()] + [small()]
    size = DECODED // QUARTERS
    for number in range(quarter * size, (quarter + 1) * size):
        seeded = Random(SEED + number)
        data = damaged(seeded.choice(sources), seeded, 8)
        try:
            records = list(decode_stream(BytesIO(data)))
        except UnreadableCapture as refusal:
            assert str(refusal)
        except Exception as error:
            pytest.fail(f"mutant {number}: {error!r}")
        else:
            assert all(type(record) in KINDS.values() for record in records)


BY_THEMSELVES = ("collect", "compare", "view", "watch")
"""Commands that have a test of their own, here or, of ``watch``, in ``test_output_places``."""


def test_every_command_is_here() -> None:
    """All that ``--help`` names."""
    tables = (READERS, WRITERS, ALSO, LIVE)
    rows = {words[0] for table in tables for words in table.values()} | {*BY_THEMSELVES}
    assert {name for name in rows if not name.startswith("-")} == {*cli.list_commands(Context(cli))}


READS_FILES_ALONE = ("annotate", "diff", "query", "redact", "report")
"""Commands that say so of standard input."""


@pytest.mark.parametrize("name", [*READERS, *WRITERS])
def test_standard_input(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command reads it, or says in one line that it reads files; none looks for ``-``."""
    capture, output = Path("-"), None
    command = (READERS | WRITERS)[name][0]
    if name in READERS:
        arguments = reading(name, capture)
    else:
        arguments, output = writing(name, capture, tmp_path)
    source = tmp_path / "in.pcapng"
    source.write_bytes(small())
    with source.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        code = run(arguments)
    said = capfd.readouterr().err
    if command in READS_FILES_ALONE:
        assert code == 2 and said.startswith("wireproof: ") and said.count("\n") == 1
        assert "standard input" in said and (output is None or not output.exists())
    else:
        assert "No such file" not in said and (command in TWICE or code in (0, 1)), said
