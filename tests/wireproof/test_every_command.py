"""Every command over captures that do harm, and where its output has no place to go.

Whatever the bytes are, a command ends with 0, 1 or 2; with 2 one line says what was wrong with
which file, and nothing half-written is left.
"""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import TemporaryFile, gettempdir
from typing import Any

import pytest
from support.command_lines import (
    HARMFUL,
    QUERY,
    READERS,
    WRITERS,
    harmful,
    making,
    reading,
    small,
    writing,
)
from support.corpus import ROOT
from support.damage import damaged
from support.stored import SMALL
from support.talk import Talk, Tape

from parsers import CaptureReader, Memory, PacketDecoder, UnreadableCapture, decode_stream
from parsers.files.packets import Packet
from parsers.limits import MAX_MEMORY
from parsers.wants import KINDS
from wireproof.cli import run
from wireproof.live.verdicts import LiveVerdicts
from wireproof.metrics.observing import Observer
from wireproof.metrics.prometheus import PrometheusPage
from wireproof.text.progress import WORTH_SHOWING

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


@pytest.mark.parametrize("name", [*READERS, *WRITERS])
def test_captures_that_do_harm(
    name: str, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "harmful.pcap"
    for _, data in harmful():
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
    assert limits and set(limits) == {Memory(1 << 20).limit}
    assert Memory().limit == Memory(MAX_MEMORY).limit


def test_data_sets_of_captures_that_do_harm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A data set is written whole or not at all, and what reads it reads what is there."""
    path, place = tmp_path / "harmful.pcap", tmp_path / "set"
    for data in (small(), *HARMFUL.values()):
        path.write_bytes(data)
        if check(["export", str(path), "--data", "--packets", "-o", f"{place}/"], None, capsys) < 2:
            check(["query", str(place), QUERY, "--format", "json"], None, capsys)
            check(["diff", str(place), str(place)], None, capsys)
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


@pytest.mark.tshark
def test_captures_that_do_harm_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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
    """Run one command for each mutant, each in its turn."""
    names = [*READERS, *WRITERS]
    path = tmp_path / "mutant.pcapng"
    for number, data in mutants(len(numbers), numbers.start):
        path.write_bytes(data)
        name = names[number % len(names)]
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
def test_standard_output_that_is_full_or_closed(name: str, capture: Path) -> None:
    arguments = to_standard_output(name, capture)
    with Path("/dev/full").open("wb") as full:
        found = ended([*COMMAND, *arguments], full.fileno())
    assert found == (2, "wireproof: standard output: No space left on device\n")
    closed = ["sh", "-c", '"$@" >&-', "sh", *COMMAND, *arguments]
    assert ended(closed) == (2, "wireproof: standard output: Bad file descriptor\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["capture", "sse", "-o", "-", "--backend", "relay"], ["serve", "--port", "0"]]
)
def test_what_records_and_serves_names_its_output(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        code, said = ended([*COMMAND, *arguments], full.fileno())
    assert (code, said) == (2, "wireproof: standard output: No space left on device\n")
    if arguments[0] == "capture":
        closed = ["sh", "-c", '"$@" >&-', "sh", *COMMAND, *arguments]
        assert ended(closed) == (2, "wireproof: standard output: Bad file descriptor\n")


def test_a_full_standard_output_is_named(capture: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        found = ended([*COMMAND, "decode", str(capture)], full.fileno())
    assert found == (2, "wireproof: standard output: No space left on device\n")


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


NEEDS_ROOM = ("export har", "report", "redact", "query parquet", "explain junit")


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


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A capture in whose reading Ctrl-C is pressed, after thousands of packets."""
    read = CaptureReader.__iter__

    def packets(self: CaptureReader) -> Iterator[Packet]:
        for packet in read(self):
            yield packet
            if packet[0] == 11_000:
                raise KeyboardInterrupt

    path = tmp_path / "long.pcapng"
    path.write_bytes(long())
    monkeypatch.setattr(CaptureReader, "__iter__", packets)
    return path


def long() -> bytes:
    """Twelve thousand packets, an exchange in every eight."""
    tape = Tape()
    for port in range(20_000, 21_500):
        talk = Talk(tape, client_port=port).open()
        talk.client(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        talk.close()
    return tape.file()


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
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (16_000 * 300))
    talk.server(*[b"x" * 16_000] * 300)
    talk.close()
    path = tmp_path_factory.mktemp("large") / "large.pcapng"
    path.write_bytes(talk.tape.file())
    assert path.stat().st_size > WORTH_SHOWING
    return path


def on_a_terminal(arguments: list[str]) -> tuple[int, str, str]:
    """Run a command whose standard error is a terminal; return its code, and both outputs."""
    ours, theirs = pty.openpty()
    with (
        TemporaryFile() as output,
        subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=output,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
        ) as process,
    ):
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the other end is closed
            while data := os.read(ours, 65_536):
                shown += data
        process.wait()
        output.seek(0)
        written = output.read().decode()
    os.close(ours)
    return process.returncode, written, shown.decode()


BY_CAPTURE = ("query parquet", "diff baseline")
"""What counts captures on the way, and has nothing to show of one."""
SLOW = ["decode ndjson", "decode grep", "ls json", "explain json", "hops json", "latency json"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SLOW, *(name for name in WRITERS if name not in BY_CAPTURE)])
def test_progress_shows_on_a_terminal_alone(name: str, large: Path, tmp_path: Path) -> None:
    arguments = reading(name, large) if name in SLOW else writing(name, large, tmp_path)[0]
    code, written, shown = on_a_terminal(arguments)
    assert code in (0, 1), shown
    assert "MB" in shown and "\x1b[" in shown
    assert "\x1b" not in written  # which is a pipe
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert "\x1b" not in done.stderr and "MB" not in done.stderr
