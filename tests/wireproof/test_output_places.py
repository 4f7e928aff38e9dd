"""Output that has no place to go: one line names it, and nothing half-written is left."""

from __future__ import annotations

import gc
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir

import pytest
from support.command_lines import (
    ALSO,
    COMMAND,
    LIVE,
    READERS,
    WRITERS,
    check,
    harmful,
    making,
    reading,
    writing,
)
from support.corpus import ROOT
from support.exchanges import served
from support.forked import Forked

from wireproof.cli import run

# --- where output has no place to go ---


def ended(command: list[str], stdout: int | None = None) -> tuple[int, str]:
    """Run a command as a process; return its code and what it said."""
    done = subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=240, check=False
    )
    return done.returncode, done.stderr


NO_SPACE = "standard output: No space left on device"
CLOSED = "standard output: Bad file descriptor"


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
    # A writer of Arrow's that failed closes its file when it is collected, and formats a traceback
    # of what fails then. Python 3.11 does that with its parser, and not while a module is parsed.
    gc.collect()
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


NEEDS_ROOM = (
    *("export har", "report", "redact", "query parquet", "explain junit"),
    *("diff", "diff baseline"),
)


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
