"""A signal that ends a command leaves nothing half-written, and no secret."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import httpx
import pytest
from support.corpus import ROOT

COMMAND = [sys.executable, "-m", "wireproof"]
PLAIN = ROOT / "fixtures" / "sse" / "plain.pcapng"
PATIENCE = 60.0
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


def is_waiting(process: int) -> bool:
    """Whether a process sleeps (proc_pid_stat(5)): a signal that comes right before it does is seen
    only after it."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].startswith("S")


NUMBERS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL]


@pytest.mark.parametrize("has_names", [False, True])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_file_that_is_being_written(
    number: signal.Signals, has_names: bool, tmp_path: Path
) -> None:
    """What there was stays; Ctrl-C keeps what was done of what comes from standard input."""
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
        wait_until(lambda: is_waiting(process.pid))  # for the rest of its input
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


@contextmanager
def begun(words: list[str], temporary: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command, which does not outlive a test that has failed."""
    with subprocess.Popen(
        [*COMMAND, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def number_said(output: IO[bytes]) -> int:
    """The number of the command, which it says on a line of its own."""
    before = []
    for line in output:
        if line.strip().isdigit():
            return int(line)
        before.append(line)
    raise AssertionError(f"the command has not begun: {before}")


def children(process: int) -> list[int]:
    """What any thread of a process has started."""
    texts = (path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children"))
    return [int(word) for text in texts for word in text.split()]


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
        if (who, recording) != ("others", "view")  # whose page stays: see below
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
        words = [*RECORDINGS[recording], str(output), "--port", "9", "--backend", backend]
        with begun([*words, "--", sys.executable, "-c", RECORDED], temporary) as process:
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


@pytest.mark.packets
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", ["recorder", "exporter", "both"])
def test_twenty_kills_of_each_process_of_a_collector(who: str, tmp_path: Path) -> None:
    """What one exports dies with the one that records, and is started anew for the next file. The
    files of the ring are whole, or go on with what was left; the data set has none half-written."""
    temporary, ring, place = tmp_path / "tmp", tmp_path / "ring", tmp_path / "set"
    temporary.mkdir()
    ring.mkdir()
    words = ["collect", "--port", "9", "-i", "lo", "--ring", str(ring), "-o", str(place)]
    for turn in range(1, FEW + 1):
        shutil.copy(PLAIN, ring / f"web1_{turn:05}_20260131120000.pcapng")
        with begun([*words, "--host", "web1"], temporary) as process:
            assert process.stdout is not None
            line_with("recording port 9", process.stdout)
            wait_until(lambda pid=process.pid: children(pid))
            (exporter,) = children(process.pid)
            killed = {"recorder": [process.pid], "exporter": [exporter]}
            for one in killed.get(who, [process.pid, exporter]):
                os.kill(one, signal.SIGKILL)
            if who == "exporter":
                # Another one takes its place, or in the end the file is left to the next start.
                process.terminate()
                is_left = b" left in " in process.stdout.read()
                assert process.wait(PATIENCE) == int(is_left)
            else:
                assert process.wait(PATIENCE) == -signal.SIGKILL
            wait_until(lambda exporter=exporter: not is_running(exporter))
            assert not left_in(temporary)
            assert list(place.rglob("*.part")) == []
    with begun([*words, "--host", "web1"], temporary) as process:
        assert process.stdout is not None
        line_with("recording port 9", process.stdout)
        process.terminate()
        line_with(" 0 dropped; ", process.stdout)
        assert process.wait(PATIENCE) == 0
    # Beside what was left each that was killed has left a file without packets.
    assert len(list((place / "manifest").glob("web1_*_20260131120000.*.json"))) == FEW
    assert {path.name.partition("_")[0] for path in ring.iterdir()} == {"web1"}


def line_with(words: str, output: IO[bytes]) -> str:
    """The next line with these words."""
    for line in output:
        if words in line.decode():
            return line.decode()
    raise AssertionError(f"it has not said: {words}")


def summary(url: str) -> dict[str, object]:
    """What the page says of its capture as a whole."""
    address, _, token = url.strip().partition("/?token=")
    with httpx.Client(base_url=address, timeout=PATIENCE) as client:
        client.get("/", params={"token": token})  # which a cookie takes the place of
        found: dict[str, object] = client.get("/answers/summary").raise_for_status().json()
    return found


@pytest.mark.packets
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("has_command", [True, False])
@pytest.mark.parametrize("backend", ["packet-socket", "tcpdump", "dumpcap"])
def test_twenty_kills_of_what_records_for_a_page(
    backend: str, has_command: bool, tmp_path: Path
) -> None:
    """The page says at once that the recording broke off, and why, and stays; when it is ended, by
    Ctrl-C or SIGTERM in turn, nothing is left.

    A packet socket is the page's own: what is killed beside it then is the remover of key logs.
    """
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = ["view", "--live", "--no-browser", "--port", "9", "--backend", backend]
    command = ["--", sys.executable, "-c", RECORDED] if has_command else []
    for turn in range(FEW):
        kept = ["--keep", str(tmp_path / "out.pcapng")]
        with begun([*words, *kept, *command], temporary) as process:
            assert process.stdin is not None and process.stdout is not None
            url = line_with("/?token=", process.stdout)
            number = number_said(process.stdout) if has_command else 0
            ours = [child for child in children(process.pid) if child != number]
            assert ours or (backend, has_command) == ("packet-socket", False)
            for one in ours:
                os.kill(one, signal.SIGKILL)
            if backend != "packet-socket":
                why = line_with("the recording broke off after 0 packets: ", process.stdout)
                assert f"{backend} has ended" in why
                wait_until(lambda url=url: summary(url)["state"] == "ended")
                assert str(summary(url)["problem"]) in why
            if has_command:
                process.stdin.close()
                line_with("the page stays until Ctrl-C", process.stdout)
            assert process.poll() is None and summary(url)["state"]
            process.send_signal((signal.SIGINT, signal.SIGTERM)[turn % 2])
            process.stdout.read()
            process.wait(PATIENCE)
            assert not left_in(temporary)
            assert not any(map(is_running, ours))


@pytest.mark.packets
@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGINT, ["watch"]),
        (signal.SIGTERM, ["capture", "-o"]),
        (signal.SIGTERM, ["view", "--live", "--keep"]),
    ],
)
def test_a_signal_while_a_recording_begins(
    number: signal.Signals, words: list[str], tmp_path: Path
) -> None:
    """One that comes with the start of any of its threads leaves none of them behind."""
    place = [str(tmp_path / "out.pcapng")] if words[-1].startswith("-") else []
    options = ["--no-browser"] if words[0] == "view" else []
    for count in range(1, 8):
        done = subprocess.run(
            [sys.executable, "-c", STRUCK, str(count), str(int(number)), *words, *place]
            + ["--port", "9", "--backend", "packet-socket", *options],
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr
        if b"struck" not in done.stdout:
            break
        assert done.returncode in (0, 130, -number)
    assert count > 1, "it starts a thread at least"


STRUCK = """
import signal, sys, threading, time
from wireproof.__main__ import main
count, number = int(sys.argv.pop(1)), int(sys.argv.pop(1))
start, started, last = threading.Thread.start, 0, 0.0
def strike(thread):
    global started, last
    start(thread)
    started, last = started + 1, time.monotonic()
    if started == count:
        print("struck", flush=True)
        signal.raise_signal(number)
threading.Thread.start = strike
def end():
    while not started or time.monotonic() < last + 2.0:
        time.sleep(0.05)
    signal.pthread_kill(threading.main_thread().ident, 2)
start(threading.Thread(target=end, daemon=True))
main()
"""
"""Gets a signal with the start of its thread of a number; one that is idle for 2 s is ended."""


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
        assert f"with {backend}" in process.stderr.readline()
        tool = next(child for child in children(process.pid) if name_of(child) == backend)
        os.kill(tool, signal.SIGKILL)
        assert "the recording broke off after 0 packets: " in process.stderr.readline()
        process.stdin.close()
        process.stderr.read()
        assert process.wait(PATIENCE) != 0


def name_of(process: int) -> str:
    return Path(f"/proc/{process}/comm").read_text().strip()
