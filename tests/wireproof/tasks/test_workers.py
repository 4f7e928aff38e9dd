"""Processes that work for this one: how they end, whoever ends them, and what is said of it."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.corpus import ROOT
from support.divisible import found
from support.unnamed import unnamed

from benchmarks.packets import write
from benchmarks.workloads import sse, timed
from parsers import Portion, Seekable
from wireproof import cli
from wireproof.tasks import decode as decoding
from wireproof.tasks import jobs, workers
from wireproof.tasks.decode import DecodeOptions, run
from wireproof.tasks.jobs import DecodingTeam, Message, Part, Task
from wireproof.tasks.worker_died import WorkerDied
from wireproof.tasks.workers import Worker
from wireproof.views.kinds import ExportName

# A test that runs beside others in one process has threads; a worker uses none of them.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("no_process_is_left"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]

PLAIN = ROOT / "fixtures" / "chunked" / "plain.pcapng"
PATIENCE = 60
"""Seconds for what takes less than one on an idle machine."""
ODD_CONNECTION = re.compile(rb'"connection":[0-9]*[13579],')


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are asked for."""
    monkeypatch.setattr(decoding, "usable_cores", lambda: 64)


def decoded(path: Path, form: ExportName, output: Path, **options: Any) -> bytes:
    output.unlink(missing_ok=True)
    run(DecodeOptions(str(path), view=form, output=str(output), **options))
    return output.read_bytes()


class Mishap:
    """What befalls the second of two workers when it has sent ``after`` messages."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int = 1) -> None:
        self._after = after
        self._sent = 0
        self._send = jobs._send
        self._data = b""
        monkeypatch.setattr(jobs, "_send", self.send)
        parts = Task.parts

        def kept(*arguments: Any) -> Iterator[Part]:
            for part in parts(*arguments):
                self._data = part.data
                yield part

        monkeypatch.setattr(Task, "parts", kept)

    def send(self, stream: Any, message: Message) -> None:
        assert isinstance(message, Part)
        if self._sent == self._after and ODD_CONNECTION.search(self._data):
            self.happen()
        self._sent += 1
        self._send(stream, message)

    def happen(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("after", [0, 1])
def test_a_worker_that_is_killed(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    after: int,
) -> None:
    """One line, and the exit code that the shell gives for a command that died so."""
    path = found(folder, "streams")
    expected = decoded(path, "ndjson", tmp_path / "1")
    Mishap(monkeypatch, after)
    assert cli.run(["decode", str(path), "--format", "ndjson", "--jobs", "2"]) == 137
    captured = capfd.readouterr()
    line = "worker 1 was killed by SIGKILL: the output stops before the capture does"
    assert captured.err == f"wireproof: {path}: {line}\n"
    assert (len(captured.out) > 0) == bool(after)
    assert len(captured.out) < len(expected) and expected.startswith(captured.out.encode())


@pytest.mark.parametrize("after", [0, 1])
def test_a_file_of_which_a_worker_is_killed_is_not_there(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    after: int,
) -> None:
    """Outputs appear whole or not at all, and what was there before stays."""
    path, output = found(folder, "streams"), tmp_path / "out"
    output.write_bytes(b"before")
    Mishap(monkeypatch, after)
    assert cli.run(["decode", str(path), "--jobs", "2", "-o", str(output)]) == 137
    line = f"worker 1 was killed by SIGKILL: {output} was not written"
    assert capfd.readouterr().err == f"wireproof: {path}: {line}\n"
    assert [left.name for left in tmp_path.iterdir() if left.is_file()] == ["out"]
    assert output.read_bytes() == b"before"


def test_a_worker_that_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(self: Mishap) -> None:
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(Mishap, "happen", fail)
    Mishap(monkeypatch, 0)
    task = Task(2)
    with (
        found(folder, "streams").open("rb") as stream,
        DecodingTeam(task, stream.fileno()) as team,
        pytest.raises(WorkerDied) as died,
    ):
        list(team.batches())
    assert "worker 1 failed with exit code 1" in str(died.value)
    assert died.value.exit_code == 1
    assert "RuntimeError: a defect of ours" in capfd.readouterr().err


def test_a_worker_that_dies_within_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def half(stream: Any, message: Message) -> None:
        data = jobs.ENCODER.encode(message)
        stream.write(workers.LENGTH.pack(len(data)) + data[: len(data) // 2])
        stream.flush()
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(jobs, "_send", half)
    with (
        PLAIN.open("rb") as stream,
        DecodingTeam(Task(2), stream.fileno()) as team,
        pytest.raises(WorkerDied, match="worker 0 was killed by SIGTERM") as died,
    ):
        list(team.batches())
    assert died.value.exit_code == 128 + signal.SIGTERM


def test_workers_that_do_not_end_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the capture is made shorter while it is read: all is taken that comes."""
    counts = (1, 3)

    def parts(
        self: Task, share: int, capture: Seekable, portions: Iterable[Portion]
    ) -> Iterator[Part]:
        for number in range(counts[share]):
            yield Part([number], [2], b"%d%d" % (share, number))

    monkeypatch.setattr(Task, "parts", parts)
    task = Task(2)
    with PLAIN.open("rb") as stream, DecodingTeam(task, stream.fileno()) as team:
        batches = [list(map(bytes, records)) for records, _ in team.batches()]
    assert batches == [[b"00", b"10"], [b"11"], [b"12"]]


def test_a_team_that_cannot_be_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system has no process left for the second worker: the first is ended too."""
    fork, forked = os.fork, []

    def fork_once() -> int:
        if forked:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        forked.append(fork())
        return forked[0]

    before = open_descriptors()
    monkeypatch.setattr(os, "fork", fork_once)
    with PLAIN.open("rb") as stream, pytest.raises(BlockingIOError):
        DecodingTeam(Task(2), stream.fileno()).__enter__()
    assert forked
    assert open_descriptors() == before


def open_descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir() if entry.exists()}


def test_nothing_is_left_open(folder: Path, tmp_path: Path) -> None:
    before = open_descriptors()
    decoded(found(folder, "whole"), "json", tmp_path / "out", jobs=3)
    assert open_descriptors() == before


def test_without_so_much_memory_for_pipes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PIPE_SIZE", 1 << 31)
    path = found(folder, "streams")
    expected = decoded(path, "ndjson", tmp_path / "1")
    assert decoded(path, "ndjson", tmp_path / "2", jobs=2) == expected


# --- the end of a worker, as it is in its own process ---


class Ended(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (None, 0, ""),
        (BrokenPipeError(), 0, ""),
        (RuntimeError("a defect"), 1, "RuntimeError: a defect"),
        (KeyboardInterrupt(), 1, "KeyboardInterrupt"),
    ],
)
def test_nothing_leaves_a_worker(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException | None,
    code: int,
    said: str,
) -> None:
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        raise Ended

    def work(stream: Any) -> None:
        stream.write(b"done")
        if error is not None:
            raise error

    monkeypatch.setattr(os, "_exit", end)
    reading, writing = os.pipe()
    unneeded, other = os.pipe()
    with pytest.raises(Ended):
        workers._work(work, writing, [unneeded])
    assert codes == [code]
    assert os.read(reading, 9) == b"done"
    for descriptor in (unneeded, writing):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
    os.close(reading)
    os.close(other)
    assert said in capsys.readouterr().err


def test_the_parent_is_not_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the child, fork returns 0: from there only the end of the process is left."""

    def work(run: Any, writing: int, unneeded: list[int]) -> None:
        for descriptor in (writing, *unneeded):
            os.close(descriptor)
        raise Ended

    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(workers, "_work", work)
    with pytest.raises(Ended):
        Worker(0, lambda stream: None, [])


# --- Ctrl-C, and other ends ---


SLOW = """
import sys, time
from wireproof import cli
from wireproof.tasks import decode, jobs
send, sent = jobs._send, []
def slow(stream, message):
    if len(sent) == 1:
        time.sleep(600)
    sent.append(message)
    send(stream, message)
jobs._send = slow
decode.usable_cores = lambda: 2
sys.exit(cli.run(sys.argv[1:]))
"""
"""A decode whose workers stop after their first messages."""


def until_no_process_is_left(group: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    os.killpg(group, signal.SIGKILL)
    pytest.fail("a worker is left behind")


def test_ctrl_c_leaves_nothing_half_written(folder: Path, tmp_path: Path) -> None:
    """A terminal sends it to workers too."""
    output = tmp_path / "out.json"
    path = found(folder, "streams")
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, "decode", str(path), "-o", str(output), "--jobs", "2"],
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        while not any(unnamed(tmp_path)):
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr.read() == b""
    assert process.returncode == 130
    until_no_process_is_left(process.pid)
    assert not any(unnamed(tmp_path)) and not output.exists()


def test_ctrl_c_while_workers_are_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits until all of them are known, so that none is forgotten."""
    started: list[Worker] = []
    start = Worker.__init__

    def interrupted(self: Worker, *arguments: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        start(self, *arguments)
        started.append(self)

    monkeypatch.setattr(Worker, "__init__", interrupted)
    with PLAIN.open("rb") as stream, pytest.raises(KeyboardInterrupt):
        DecodingTeam(Task(2), stream.fileno()).__enter__()
    assert [worker.number for worker in started] == [0, 1]
    assert all(worker.stream.closed for worker in started)


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """It is killed while nobody reads its output: all of them wait for one another."""
    path = tmp_path / "long.pcapng"
    write(path, timed(sse(10, 700)))
    with subprocess.Popen(
        [
            *(sys.executable, "-c", SLOW.replace("== 1", "< 0"), "decode", str(path)),
            *("--jobs", "2"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        time.sleep(0.5)
        process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL
        until_no_process_is_left(process.pid)
        assert process.stderr.read() == b""


def test_a_reader_that_has_enough_is_no_error(folder: Path) -> None:
    path = found(folder, "streams")
    with subprocess.Popen(
        [sys.executable, "-c", SLOW.replace("== 1", "< 0"), "decode", str(path), "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
    until_no_process_is_left(process.pid)
