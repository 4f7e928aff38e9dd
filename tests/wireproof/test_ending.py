"""A signal that ends a command leaves nothing half-written, and no secret."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest
from support.corpus import ROOT

COMMAND = [sys.executable, "-m", "wireproof"]
PLAIN = ROOT / "fixtures" / "sse" / "plain.pcapng"
PATIENCE = 20.0
NAMELESS = "import os; del os.O_TMPFILE; "
RUN = "from wireproof.__main__ import main; main()"
WITH_NAMES = [sys.executable, "-c", NAMELESS + RUN]
"""The same where no file system has files without a name."""


def knows_nameless_files(folder: Path) -> bool:
    """Whether a file system has files without a name."""
    try:
        os.close(os.open(folder, os.O_WRONLY | os.O_TMPFILE))
    except OSError:
        return False
    return True


def wait_until(condition: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_writing(process: int, folder: Path) -> bool:
    """Whether a process has a file of a folder open, with or without a name."""
    for one in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            if str(one.readlink()).startswith(f"{folder}/"):
                return True
    return False


NUMBERS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL]


@pytest.mark.parametrize("has_names", [False, True])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_file_that_is_being_written(
    number: signal.Signals, has_names: bool, tmp_path: Path
) -> None:
    """What there was stays; Ctrl-C keeps what was done."""
    if number == signal.SIGKILL and (has_names or not knows_nameless_files(tmp_path)):
        return  # what has a name stays
    output = tmp_path / "out.ndjson"
    output.write_text("before")
    data = PLAIN.read_bytes()
    command = WITH_NAMES if has_names else COMMAND
    with subprocess.Popen(
        [*command, "decode", "-", "-o", str(output)], stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(data[: len(data) // 2])
        process.stdin.flush()
        wait_until(lambda: is_writing(process.pid, tmp_path))
        if has_names:
            assert len(list(tmp_path.iterdir())) == 2
        process.send_signal(number)
        process.wait(PATIENCE)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert list(tmp_path.iterdir()) == [output]
    assert (output.read_text() == "before") == (number != signal.SIGINT)


def test_a_signal_that_is_ignored_ends_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *COMMAND, "decode", "-", "--format", "json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        data = PLAIN.read_bytes()
        process.stdin.write(data[:-100])
        process.stdin.flush()
        assert process.stdout.readline() == b"[\n"
        process.send_signal(signal.SIGHUP)
        process.stdin.write(data[-100:])
        process.stdin.close()
        assert process.stdout.read().endswith(b"]\n")
    assert process.returncode == 0


SECRET = "CLIENT_RANDOM " + "ab" * 32 + " " + "cd" * 48
RECORDED = f"""
import os, sys
with open(os.environ["SSLKEYLOGFILE"], "a") as log:
    log.write("{SECRET}" + chr(10))
print(os.getpid(), flush=True)
sys.stdin.read()
"""


RECORDINGS = {
    "capture": ["capture", "-o"],
    "watch": ["watch", "--format", "ndjson", "-w"],
    "view": ["view", "--live", "--no-browser", "--keep"],
}
"""Commands that record, with the option of the file that they keep."""
KILLS = 20
FEW = int(os.environ.get("WIREPROOF_KILLS", "2"))
"""Of what is not the usual recording; all with 20."""


def number_said(output: IO[bytes]) -> int:
    """The number of the command, which it says on a line of its own."""
    for line in output:
        if line.strip().isdigit():
            return int(line)
    raise AssertionError("the command has not begun")


def children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(word) for word in text.split()]


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*")]


@pytest.mark.packets
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("who", "recording"),
    [
        (who, recording)
        for who in ("wireproof", "command", "others")
        for recording in RECORDINGS
        # The page stays when the others have ended, and so does what a recording left to it.
        if (who, recording) != ("others", "view")
    ],
)
@pytest.mark.parametrize("backend", ["packet-socket", "tcpdump", "dumpcap"])
def test_twenty_kills_of_each_process_of_a_recording(
    who: str, backend: str, recording: str, tmp_path: Path
) -> None:
    """No key log is left, no temporary file, and no process of ours: the command is the user's."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    output = tmp_path / "out.pcapng"
    is_usual = backend == "packet-socket" and recording == "capture"
    for _ in range(KILLS if is_usual else FEW):
        with subprocess.Popen(
            [*COMMAND, *RECORDINGS[recording], str(output), "--port", "9", "--backend", backend]
            + ["--", sys.executable, "-c", RECORDED],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(temporary)},
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            command = number_said(process.stdout)
            ours = [child for child in children(process.pid) if child != command]
            assert ours and left_in(temporary)
            killed = {"wireproof": [process.pid], "command": [command], "others": ours}[who]
            for one in killed:
                os.kill(one, signal.SIGKILL)
            if who != "command":
                process.stdin.close()  # which ends the command
            elif recording == "view":
                process.kill()  # its page stays when the command has ended
            process.wait(PATIENCE)
            wait_until(lambda: not left_in(temporary))
            wait_until(lambda ours=ours: not any(map(is_running, ours)))


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.packets
@pytest.mark.parametrize("backend", ["tcpdump", "dumpcap"])
@pytest.mark.parametrize("has_command", [False, True])
def test_a_tool_that_dies_is_told_at_once(backend: str, has_command: bool, tmp_path: Path) -> None:
    """While the command goes on; without one there is nothing left to wait for."""
    output = str(tmp_path / "out.pcapng")
    command = ["--", sys.executable, "-c", "import sys; sys.stdin.read()"] if has_command else []
    words = ["capture", "--port", "9", "--backend", backend, "-o", output, *command]
    with subprocess.Popen(
        [*COMMAND, *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stderr is not None
        assert f"by {backend}" in process.stderr.readline()
        tool = next(child for child in children(process.pid) if name_of(child) == backend)
        os.kill(tool, signal.SIGKILL)
        assert "the recording broke off after 0 packets: " in process.stderr.readline()
        process.stdin.close()
        process.stderr.read()
        assert process.wait(PATIENCE) != 0


def name_of(process: int) -> str:
    return Path(f"/proc/{process}/comm").read_text().strip()
