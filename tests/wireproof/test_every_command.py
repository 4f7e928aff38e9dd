"""Every command over captures that do harm, and where its output has no place to go.

Whatever the bytes are, a command ends with 0, 1 or 2; with 2 one line says what was wrong with
which file, and nothing half-written is left.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import TemporaryFile, gettempdir
from typing import Any

import httpx
import pytest
from click import Context
from support.beside import without_pyshark
from support.browser import PATIENCE, running
from support.command_lines import (
    HARMFUL,
    QUERY,
    READERS,
    TWICE,
    WRITERS,
    harmful,
    making,
    reading,
    small,
    writing,
)
from support.corpus import ROOT
from support.damage import damaged
from support.exchanges import served
from support.forked import Forked
from support.stored import SMALL
from support.talk import Talk, Tape
from support.terminal import TERMINAL, Terminal

from parsers import CaptureReader, Memory, PacketDecoder, UnreadableCapture, decode_stream
from parsers.files.packets import Packet
from parsers.limits import MAX_MEMORY
from parsers.wants import KINDS
from wireproof.cli import cli, run
from wireproof.live.verdicts import LiveVerdicts
from wireproof.metrics.observing import Observer
from wireproof.metrics.prometheus import PrometheusPage
from wireproof.text.progress import WORTH_SHOWING
from wireproof.web.fleet import QUESTIONS
from wireproof.web.server import InspectorServer, PageServer
from wireproof.web.viewing import Page

SEED = 20_261_129
FEW, MANY = 150, 2_000
"""Mutants of a quick run and of a whole one; WIREPROOF_MUTANTS says how many of a fuzzing."""
COMMAND = [sys.executable, "-m", "wireproof"]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "small.pcapng"
    path.write_bytes(small())
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for outputs."""
    path = tmp_path / "outputs"
    path.mkdir()
    return path


def check(arguments: list[str], output: Path | None, capsys: pytest.CaptureFixture[str]) -> int:
    """Run a command in process: it ends as it may, and leaves what it may."""
    code = run(arguments)
    said = capsys.readouterr().err
    assert code in (0, 1, 2), said
    assert "Traceback" not in said
    if code == 2:
        assert said.count("\n") == 1 and said.startswith("wireproof: "), said
    if output is not None:
        left = {path.name for path in output.parent.iterdir()}
        assert left <= {output.name} if code < 2 else not left
        for path in output.parent.iterdir():
            path.unlink()
    return code


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


# --- where output has no place to go ---


def ended(command: list[str], stdout: int | None = None) -> tuple[int, str]:
    """Run a command as a process; return its code and what it said."""
    done = subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=240, check=False
    )
    return done.returncode, done.stderr


NO_SPACE = "standard output: No space left on device"
CLOSED = "standard output: Bad file descriptor"
ALSO = {
    "help": ["decode", "--help"],
    "version": ["--version"],
    "doctor": ["doctor"],
    "causes": ["demo", "--cause", "list"],
}


def to_standard_output(name: str, capture: Path) -> list[str]:
    """The arguments of what writes to standard output."""
    if name in ALSO:
        return ALSO[name]
    if name in READERS:
        return reading(name, capture)
    return [*writing(name, capture, capture.parent)[0][:-1], "-"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [*READERS, *ALSO, *(name for name in WRITERS if name != "plot svg")]
)
def test_standard_output_that_is_full_or_closed(name: str, capture: Path, commands: Forked) -> None:
    arguments = to_standard_output(name, capture)
    with Path("/dev/full").open("wb") as full:
        found = commands.came_to(arguments, full.fileno())
    assert found == (2, f"wireproof: {NO_SPACE}\n")
    assert commands.came_to(arguments, None) == (2, f"wireproof: {CLOSED}\n")


LIVE = {
    "capture": ["capture", "sse", "-o", "-", "--backend", "relay"],
    "serve": ["serve", "--port", "0"],
}
"""What records and serves, and writes to standard output."""


@pytest.mark.slow
@pytest.mark.parametrize("name", LIVE)
def test_what_records_and_serves_names_its_output(name: str) -> None:
    arguments = LIVE[name]
    with Path("/dev/full").open("wb") as full:
        code, said = ended([*COMMAND, *arguments], full.fileno())
    assert (code, said) == (2, f"wireproof: {NO_SPACE}\n")
    if name == "capture":
        closed = ["sh", "-c", '"$@" >&-', "sh", *COMMAND, *arguments]
        assert ended(closed) == (2, f"wireproof: {CLOSED}\n")


ASKS = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as client:
    client.sendall(b"GET /a HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    client.shutdown(socket.SHUT_WR)
    while client.recv(100):
        pass
"""
ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"


@pytest.mark.slow
@pytest.mark.packets
def test_watch_names_its_output() -> None:
    with served(ANSWER) as port, Path("/dev/full").open("wb") as full:
        words = ["watch", "--port", str(port), "--backend", "packet-socket", "--format", "ndjson"]
        command = ["--", sys.executable, "-c", ASKS, str(port)]
        code, said = ended([*COMMAND, *words, *command], full.fileno())
    assert code == 2 and f"wireproof: {NO_SPACE}\n" in said and "Traceback" not in said


def test_a_standard_output_that_is_full_or_closed_from_the_start(capture: Path) -> None:
    """By an interpreter that starts so, and flushes at its end."""
    command = [*COMMAND, "decode", str(capture)]
    with Path("/dev/full").open("wb") as full:
        assert ended(command, full.fileno()) == (2, f"wireproof: {NO_SPACE}\n")
    closed = ["sh", "-c", '"$@" >&-', "sh", *command]
    assert ended(closed) == (2, f"wireproof: {CLOSED}\n")


@pytest.fixture
def no_room() -> Iterator[None]:
    """No file may become larger than 64 bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_what_was_there(
    name: str, folder: Path, no_room: None, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = ROOT / "fixtures" / "sse" / "plain.pcapng"
    arguments, output = writing(name, capture, folder)
    output.write_text("what was there")
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    temporary = "wireproof: temporary file in ", f"wireproof: {gettempdir()}/wireproof-"
    assert said.startswith((f"wireproof: {output}: ", *temporary))
    assert [path.read_text() for path in folder.iterdir()] == ["what was there"]


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_is_not_there_or_cannot_be_written_to(
    name: str, capture: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (folder / "nowhere", Path("/proc/self")):
        arguments, output = writing(name, capture, place)
        assert run(arguments) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"wireproof: {output}: ") and said.count("\n") == 1


@pytest.mark.parametrize("name", WRITERS)
def test_an_output_keeps_its_permissions_and_a_link_its_target(
    name: str, capture: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, output = writing(name, capture, folder)
    target = folder / "target"
    target.write_text("old")
    target.chmod(0o640)
    output.symlink_to(target)
    assert run(arguments) in (0, 1)
    assert output.is_symlink() and target.stat().st_mode & 0o777 == 0o640
    assert target.read_bytes() != b"old"
    assert len(list(folder.iterdir())) == 2
    output.unlink()
    assert run(arguments) in (0, 1)
    assert output.stat().st_mode & 0o777 == 0o600, "a new one is its owner's alone"


NEEDS_ROOM = ("export har", "report", "redact", "query parquet", "explain junit", "diff baseline")


@pytest.mark.parametrize("name", WRITERS)
def test_no_place_for_temporary_files(
    name: str,
    capture: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(folder / "nowhere"))
    arguments, output = writing(name, capture, folder)
    code = check(arguments, output, capsys)
    assert code == 2 if name in NEEDS_ROOM else code in (0, 1)


# --- a data set, which is many files ---


@pytest.mark.parametrize("place", ["nowhere", "full", "file", "not ours"])
def test_a_data_set_that_cannot_be_written(
    place: str, folder: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the file, and no capture counts as made."""
    wanted = {"nowhere": Path("/proc/self/set"), "full": folder, "file": folder / "file"}
    output = wanted.get(place, Path("/proc/self"))
    if place == "file":
        output.write_text("what was there")
    capture = ROOT / "fixtures" / "sse" / "plain.pcapng"
    if place == "full":
        request.getfixturevalue("no_room")
    assert run(making(capture, output)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith(f"wireproof: {output}"), said
    left = [path for path in folder.rglob("*") if path.is_file() and path != output]
    assert not left, "no half-written file, and no manifest"


def test_a_data_set_of_what_does_harm(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "harmful.pcap"
    for number, (_, data) in enumerate(harmful()):
        path.write_bytes(data)
        code = run(making(path, folder / str(number)))
        said = capsys.readouterr().err
        assert code in (0, 1) and "Traceback" not in said
        assert said.count("\n") <= 2, said
        assert not list(folder.rglob("*.part"))


# --- Ctrl-C ---


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of six thousand packets, an exchange in every eight."""
    tape = Tape()
    for port in range(20_000, 20_750):
        talk = Talk(tape, client_port=port).open()
        talk.client(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        talk.close()
    path = tmp_path_factory.mktemp("long") / "long.pcapng"
    path.write_bytes(tape.file())
    return path


@pytest.fixture
def interrupted(long: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A capture in whose reading Ctrl-C is pressed, after thousands of packets."""
    read = CaptureReader.__iter__

    def packets(self: CaptureReader) -> Iterator[Packet]:
        for packet in read(self):
            yield packet
            if packet[0] == 5_500:
                raise KeyboardInterrupt

    monkeypatch.setattr(CaptureReader, "__iter__", packets)
    return long


KEPT = ("decode json", "decode ndjson", "decode csv", "ls json", "ls csv", "explain json")
"""Of these what was done before Ctrl-C is shown, in a form that is whole."""


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_an_interrupted_reader(
    name: str, interrupted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(reading(name, interrupted)) == 130
    said = capsys.readouterr()
    assert said.err == ""
    if name in KEPT:
        assert "/a" in said.out
    if name in ("decode json", "ls json", "explain json"):
        assert json.loads(said.out)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_an_interrupted_writer(
    name: str, interrupted: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, output = writing(name, interrupted, folder)
    assert run(arguments) == 130
    assert capsys.readouterr().err == ""
    left = [path.name for path in folder.iterdir()]
    assert left == ([output.name] if name in ("decode", "explain", "export csv") else left)
    assert set(left) <= {output.name}


# --- on a terminal ---


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture that takes so long that one wants to know how long."""
    talk = Talk(Tape()).open()
    talk.client(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (16_000 * 250))
    talk.server(*[b"x" * 16_000] * 250)
    talk.close()
    path = tmp_path_factory.mktemp("large") / "large.pcapng"
    path.write_bytes(talk.tape.file())
    assert path.stat().st_size > WORTH_SHOWING
    return path


def on_a_terminal(commands: Forked, arguments: list[str]) -> tuple[int, str, str]:
    """Run a command whose standard error is a terminal; return its code, and both outputs."""
    with TemporaryFile() as output, Terminal() as terminal:
        with terminal.theirs() as stderr:
            commands.start(arguments, stdout=output.fileno(), stderr=stderr, **TERMINAL)
        shown = terminal.shown()
        code = commands.code()
        output.seek(0)
        return code, output.read().decode(), shown.decode()


BY_CAPTURE = ("query parquet", "diff baseline")
"""What counts captures on the way, and has nothing to show of one."""
SLOW = ["decode ndjson", "decode grep", "ls json", "explain json", "hops json", "latency json"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SLOW, *(name for name in WRITERS if name not in BY_CAPTURE)])
def test_progress_shows_on_a_terminal_alone(
    name: str, large: Path, tmp_path: Path, commands: Forked
) -> None:
    arguments = reading(name, large) if name in SLOW else writing(name, large, tmp_path)[0]
    code, written, shown = on_a_terminal(commands, arguments)
    assert code in (0, 1), shown
    assert "MB" in shown and "\x1b[" in shown
    assert "\x1b" not in written  # which is a file
    with TemporaryFile() as output:
        code, said = commands.came_to(arguments, output.fileno())
    assert code in (0, 1) and "\x1b" not in said and "MB" not in said


# --- all of them ---

BY_THEMSELVES = {
    "collect": test_captures_that_do_harm_are_collected,
    "compare": test_captures_that_do_harm_are_compared,
    "view": test_captures_that_do_harm_are_viewed,
    "watch": test_watch_names_its_output,
}
"""Commands that have a test of their own here."""


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
