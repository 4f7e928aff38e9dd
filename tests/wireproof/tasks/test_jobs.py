"""Several processes: the bytes of one, whatever the capture, and none left behind."""

from __future__ import annotations

import errno
import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.corpus import ROOT
from support.merged import merged
from support.stored import SMALL
from support.talk import Tape
from support.unnamed import unnamed

from benchmarks.packets import write
from benchmarks.workloads import damaged, interleaved, sse, timed, websocket_connection
from parsers import Indivisible, Portion, Seekable, divided
from parsers.decode.capture import decode_batches
from parsers.records import Transport
from wireproof import cli
from wireproof.analysis import selection
from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.tasks import decode as decoding
from wireproof.tasks import jobs, workers
from wireproof.tasks.decode import DecodeOptions, run
from wireproof.tasks.jobs import DecodingTeam, Failure, Message, Part, SharedFile, Task
from wireproof.tasks.worker_died import WorkerDied
from wireproof.tasks.workers import Worker
from wireproof.views.kinds import ExportName, export

# A test that runs beside others in one process has threads; a worker uses none of them.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]

TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
PLAIN = ROOT / "fixtures" / "chunked" / "plain.pcapng"
PATIENCE = 60
"""Seconds for what takes less than one on an idle machine."""


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are asked for."""
    monkeypatch.setattr(decoding, "usable_cores", lambda: 64)


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    before = children()  # other tests' libraries keep helpers of their own
    yield
    assert children() <= before


def children() -> set[int]:
    """The processes that this one has started and not waited for, the dead ones too."""
    threads = Path("/proc/self/task").iterdir()
    return {int(child) for at in threads for child in (at / "children").read_text().split()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captures of several batches and many connections, in every state."""
    folder = tmp_path_factory.mktemp("captures")
    frames = merged(copies=5)
    write(folder / "whole.pcapng", timed(iter(frames)))
    write(folder / "damaged.pcapng", timed(damaged(iter(frames), seed=2)))
    write(folder / "midstream.pcapng", timed(iter(frames[700:])))
    whole = (folder / "whole.pcapng").read_bytes()
    (folder / "cut.pcapng").write_bytes(whole[: len(whole) * 3 // 4 + 1])
    (folder / "compressed.pcapng.gz").write_bytes(gzip.compress(whole, 1))
    (folder / "odd.pcapng").write_bytes(odd().file())
    streams = [sse(3, 400), *(websocket_connection(number, 200) for number in (7, 8, 9))]
    write(folder / "streams.pcapng", timed(interleaved(streams)))
    return folder


CAPTURES = ("whole", "damaged", "midstream", "cut", "compressed", "odd", "streams")


def capture(folder: Path, name: str) -> Path:
    (found,) = folder.glob(f"{name}.pcapng*")
    return found


def odd() -> Tape:
    """What no connection carries, and faults before any bytes."""
    from support.talk import Talk

    tape = Tape()
    talks = [Talk(tape, client_port=50_000 + number).open() for number in range(6)]
    for talk in talks:
        talk.client(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
    tape.add(b"\x45" * 14 + bytes(20))
    for talk in reversed(talks):
        talk.segment("server", b"x", flags=0)
    # Cut by a snapshot length: the first is a fault of the file's, and a gap of its connection.
    tape.add(talks[3].frame("client", b"GET / HTTP/1.1\r\n"), captured=60)
    for talk in talks:
        talk.server(b"HTTP/1.1 200 OK\r\n\r\n", b"until close")
    return tape


def decoded(path: Path, form: ExportName, output: Path, **options: Any) -> bytes:
    output.unlink(missing_ok=True)
    run(DecodeOptions(str(path), view=form, output=str(output), **options))
    return output.read_bytes()


# --- the same bytes ---


@pytest.mark.parametrize(
    ("name", "form"),
    [*((name, "ndjson") for name in CAPTURES), ("damaged", "json"), ("damaged", "csv")],
)
def test_the_output_does_not_depend_on_jobs(
    folder: Path, tmp_path: Path, name: str, form: ExportName
) -> None:
    path = capture(folder, name)
    expected = decoded(path, form, tmp_path / "1")
    assert expected.count(b"\n") > 10
    for count in (2, 3):
        assert decoded(path, form, tmp_path / f"{count}", jobs=count) == expected


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("held", [selection.MAX_HELD_RECORDS, 3])
def test_a_transport_is_chosen_as_by_one_process(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    transport: Transport,
    held: int,
) -> None:
    """Also where too much waits for a response: what is judged early is what one would judge."""
    monkeypatch.setattr(selection, "MAX_HELD_RECORDS", held)
    path = capture(folder, "damaged")
    wanted = ExchangeFilter(transport=transport)
    expected = decoded(path, "ndjson", tmp_path / "1", wanted=wanted)
    assert expected
    assert expected != decoded(path, "ndjson", tmp_path / "all")
    assert decoded(path, "ndjson", tmp_path / "2", wanted=wanted, jobs=2) == expected


def test_payloads_can_be_left_out(folder: Path, tmp_path: Path) -> None:
    path = capture(folder, "whole")
    expected = decoded(path, "csv", tmp_path / "1", keep_data=False)
    assert decoded(path, "csv", tmp_path / "2", keep_data=False, jobs=2) == expected
    assert len(expected) < len(decoded(path, "csv", tmp_path / "3"))


def told(data: bytes, share: int, task: Task) -> Iterator[Portion]:
    """What a share is told of a capture."""
    return (portions[share] for portions in divided(BytesIO(data), task.workers))


def joined(parts: Iterable[Part]) -> bytes:
    """What is put out of a batch."""
    return b"".join(jobs.merged([(part, part.data) for part in parts])[0])


def together(task: Task, data: bytes) -> bytes:
    """Run every share of a task here, and return what its team would.

    Raises Indivisible with what came before as ``done``.
    """
    shares = [
        task.parts(share, BytesIO(data), told(data, share, task)) for share in range(task.workers)
    ]
    done = b""
    batches = 0
    try:
        for parts in zip(*shares, strict=True):
            done += joined(parts)
            batches += 1
    except Indivisible as found:
        whole = replace(task, is_divided=False, workers=1 if found.is_for_one else task.workers)
        rest = [whole.parts(share, BytesIO(data)) for share in range(whole.workers)]
        for parts in islice(zip(*rest, strict=True), batches, None):
            done += joined(parts)
    return done


def is_divided(data: bytes, workers: int = 2) -> bool:
    """Whether each worker follows its own connections alone."""
    try:
        for share in range(workers):
            task = Task(workers)
            list(task.parts(share, BytesIO(data), told(data, share, task)))
    except Indivisible:
        return False
    return True


def messages(data: bytes) -> list[Any]:
    found: list[Message] = []
    while data:
        (length,) = workers.LENGTH.unpack(data[: workers.LENGTH.size])
        data = data[workers.LENGTH.size :]
        found.append(jobs.DECODER.decode(data[:length]))
        data = data[length:]
    return found


def alone(data: bytes, memory: int | None = None) -> bytes:
    encode = export("ndjson").encode
    batches = decode_batches(BytesIO(data), memory=memory)
    return b"".join(encode(records)[0] for records in batches)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1 << 32), workers=st.integers(2, 5))
def test_every_share_of_any_damage(
    tmp_path_factory: pytest.TempPathFactory, seed: int, workers: int
) -> None:
    """Some captures, some of their packets, lost, doubled, late and cut."""
    seeded = random.Random(seed)
    frames = merged(2, seeded.sample(SMALL, 6))
    frames = frames[seeded.randrange(40) :]
    path = tmp_path_factory.mktemp("damage") / "it.pcapng"
    write(path, timed(damaged(iter(frames), seed)))
    data = path.read_bytes()
    data = data[: seeded.randint(len(data) // 2, len(data))]
    task = Task(workers)
    assert together(task, data) == alone(data)


# --- what cannot be divided ---


@pytest.mark.parametrize(
    ("name", "forks"), [("streams", 2), ("whole", 2), ("odd", 4), ("damaged", 4)]
)
def test_workers_begin_again_where_a_capture_cannot_be_divided(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, forks: int
) -> None:
    """Packets that were cut, or are captured twice: then each worker follows all connections."""
    fork, forked = os.fork, []

    def counted() -> int:
        forked.append(fork())
        return forked[-1]

    path = capture(folder, name)
    expected = decoded(path, "ndjson", tmp_path / "1")
    monkeypatch.setattr(os, "fork", counted)
    assert decoded(path, "ndjson", tmp_path / "2", jobs=2) == expected
    assert len(forked) == forks


def test_what_was_put_out_stays_where_workers_begin_again(tmp_path: Path) -> None:
    """Several batches before the first packet that was captured twice."""
    frames = list(sse(3, 700))
    path = tmp_path / "late.pcapng"
    event = max(index for index, frame in enumerate(frames) if len(frame) > 100)
    write(path, timed(iter([*frames[: event + 1], *frames[event:]])))
    data = path.read_bytes()
    found = together(Task(2), data)
    assert not is_divided(data)
    assert found == alone(data)
    expected = decoded(path, "csv", tmp_path / "1")
    assert decoded(path, "csv", tmp_path / "2", jobs=3) == expected


@pytest.mark.parametrize("memory", [1, 200_000])
def test_little_memory_is_one_processs(tmp_path: Path, memory: int) -> None:
    """Whom to let go depends on all connections: so one process has them all."""
    path = tmp_path / "many.pcapng"
    write(path, timed(sse(12, 30)))
    data = path.read_bytes()
    task = Task(2, memory=memory)
    assert together(task, data) == alone(data, memory)
    assert together(replace(task, is_divided=False), data) == together(task, data)


# --- their messages ---


def test_every_record_has_a_packet_for_its_place(folder: Path) -> None:
    """Faults before any bytes too: of each connection one."""
    records = [
        record
        for batch in decode_batches(BytesIO(capture(folder, "odd").read_bytes()))
        for record in batch
    ]
    places = [record.last_packet for record in records]
    assert places == sorted(places)
    faults = [one for one in records if getattr(one, "code", "") == "tcp-no-ack-flag"]
    assert [one.connection for one in faults] == [5, 4, 3, 2, 1, 0]
    assert [one.last_packet for one in faults] == list(range(26, 32))


def found(places: str, data: bytes = b"", clues: list[selection.Clue] | None = None) -> Any:
    """A worker's records of a byte each at these places, and where they lie."""
    numbers = list(map(int, places))
    return Part(numbers, list(range(1, len(data) + 1)), b"", clues or []), memoryview(data)


def test_what_belongs_to_no_connection_stands_before_what_its_packet_completes() -> None:
    pieces, _ = jobs.merged([found("47", b"ad"), found(""), found("45", b"bc")])
    assert pieces == [b"a", b"b", b"c", b"d"]


def test_a_batch_of_one_worker_stays_as_it_is() -> None:
    """Faults of the file come in the file's order."""
    assert jobs.merged([found("74", b"ab"), found("")]) == ([b"ab"], [])
    assert jobs.merged([found(""), found("")]) == ([], [])


def test_records_of_one_place_go_together(folder: Path) -> None:
    data = capture(folder, "whole").read_bytes()
    task = Task(2)
    parts = list(task.parts(0, BytesIO(data), told(data, 0, task)))
    each = list(replace(task, has_clues=True).parts(0, BytesIO(data), told(data, 0, task)))
    assert [part.data for part in parts] == [part.data for part in each]
    for part, other in zip(parts, each, strict=True):
        assert part.places == sorted(set(other.places))
        assert other.count == part.count == len(other.clues) == len(other.places)
        pieces = other.pieces(other.data)
        assert part.pieces(part.data) == [
            b"".join(piece for piece, at in zip(pieces, other.places, strict=True) if at == place)
            for place in part.places
        ]


def test_clues_go_with_their_records() -> None:
    """These are kept until they are chosen, wherever they came from."""

    def part(numbers: str) -> Any:
        clues = [selection.Clue(int(number), 0, "other", None, 0) for number in numbers]
        return found(numbers, numbers.encode(), clues)

    records, clues = jobs.merged([part("23"), part("14")])
    assert records == [b"1", b"2", b"3", b"4"]
    assert {type(record) for record in records} == {bytes}
    assert [clue.connection for clue in clues] == [1, 2, 3, 4]


# --- the input ---


def test_a_shared_file_ends_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"0123456789")
    with path.open("rb") as stream:
        os.lseek(stream.fileno(), 2, os.SEEK_SET)
        first, second = SharedFile(stream.fileno()), SharedFile(stream.fileno())
        path.write_bytes(b"0123456789abc")
        assert first.read(3) == b"234"
        assert second.read(100) == b"23456789"
        assert first.read(100) == b"56789"
        assert first.read(100) == b""
        path.write_bytes(b"01")
        assert SharedFile(stream.fileno()).read(100) == b""
        os.lseek(stream.fileno(), 9, os.SEEK_SET)
        assert SharedFile(stream.fileno()).read(100) == b""


def test_a_redirected_file_is_read_from_where_it_stands(folder: Path, tmp_path: Path) -> None:
    path = capture(folder, "whole")
    after = tmp_path / "after"
    after.write_bytes(b"a line\n" + path.read_bytes())
    with after.open("rb") as stream:
        stream.seek(7)
        os.lseek(stream.fileno(), 7, os.SEEK_SET)
        done = subprocess.run(
            [sys.executable, "-m", "wireproof", "decode", "-", "--jobs", "2"],
            stdin=stream,
            capture_output=True,
            check=True,
        )
    assert done.stderr == b""
    assert done.stdout == decoded(path, "ndjson", tmp_path / "1")


# --- what goes wrong ---


def test_what_is_no_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("this is no capture file, whatever it is")
    lines = []
    for count in ("1", "2"):
        assert cli.run(["decode", str(text), "--jobs", count, "-o", str(tmp_path / "out")]) == 2
        lines.append(capsys.readouterr().err)
    assert lines[0] == lines[1]
    assert lines[0].startswith(f"wireproof: {text}: not a capture file")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(self: SharedFile, size: int, /) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(SharedFile, "read", broken)
    path = capture(folder, "whole")
    assert cli.run(["decode", str(path), "--jobs", "2"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"wireproof: {path}: Input/output error\n"


class Unreadable(BytesIO):
    """A capture that fails with an error when it is read."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        raise self._error


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (OSError(errno.EIO, "it is broken"), Failure("it is broken", errno.EIO)),
        (OSError("it is broken"), Failure("it is broken", None)),
        (ValueError("it is wrong"), Failure("it is wrong")),
    ],
)
def test_what_keeps_a_worker_from_reading_is_its_last_message(
    error: Exception, failure: Failure
) -> None:
    stream = BytesIO()
    task = Task(2)
    task.run(1, Unreadable(error), stream)
    assert messages(stream.getvalue()) == [failure]


def test_nobody_reads_any_more(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    task = Task(2, has_clues=True)
    data = capture(folder, "whole").read_bytes()
    with pytest.raises(BrokenPipeError), os.fdopen(writing, "wb", buffering=0) as stream:
        task.run(0, BytesIO(data), stream, told(data, 0, task))


ODD_CONNECTION = re.compile(rb'"connection":[0-9]*[13579],')


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
    path = capture(folder, "streams")
    expected = decoded(path, "ndjson", tmp_path / "1")
    Mishap(monkeypatch, after)
    assert cli.run(["decode", str(path), "--format", "ndjson", "--jobs", "2"]) == 137
    found = capfd.readouterr()
    line = "worker 1 was killed by SIGKILL: the output stops before the capture does"
    assert found.err == f"wireproof: {path}: {line}\n"
    assert (len(found.out) > 0) == bool(after)
    assert len(found.out) < len(expected) and expected.startswith(found.out.encode())


@pytest.mark.parametrize("after", [0, 1])
def test_a_file_of_which_a_worker_is_killed_is_not_there(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    after: int,
) -> None:
    """Outputs appear whole or not at all, and what was there before stays."""
    path, output = capture(folder, "streams"), tmp_path / "out"
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
        capture(folder, "streams").open("rb") as stream,
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
    decoded(capture(folder, "whole"), "json", tmp_path / "out", jobs=3)
    assert open_descriptors() == before


def test_without_so_much_memory_for_pipes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PIPE_SIZE", 1 << 31)
    path = capture(folder, "streams")
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


def test_ctrl_c_keeps_what_was_written(folder: Path, tmp_path: Path) -> None:
    """A terminal sends it to workers too."""
    output = tmp_path / "out.json"
    path = capture(folder, "streams")
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
    found = json.loads(output.read_bytes())
    whole = json.loads(decoded(path, "json", tmp_path / "whole.json"))
    assert 0 < len(found) < len(whole)
    assert found == whole[: len(found)]


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
    path = capture(folder, "streams")
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
