"""Several processes: the bytes of one, whatever the capture, and none left behind."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.corpus import ROOT
from support.divisible import NAMES, found
from support.merged import merged
from support.stored import SMALL

from benchmarks.packets import write
from benchmarks.workloads import damaged, sse, timed
from parsers import Indivisible, Portion, divided
from parsers.decode.capture import decode_batches
from parsers.records import Transport
from wireproof import cli
from wireproof.analysis import selection
from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.opening import open_input
from wireproof.tasks import decode as decoding
from wireproof.tasks import jobs, workers
from wireproof.tasks.decode import DecodeOptions, run
from wireproof.tasks.jobs import Failure, Message, Part, SharedFile, Task
from wireproof.views.kinds import ExportName, export

# A test that runs beside others in one process has threads; a worker uses none of them.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("no_process_is_left"),
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


def decoded(path: Path, form: ExportName, output: Path, **options: Any) -> bytes:
    output.unlink(missing_ok=True)
    run(DecodeOptions(str(path), view=form, output=str(output), **options))
    return output.read_bytes()


# --- the same bytes ---


@pytest.mark.parametrize(
    ("name", "form"),
    [*((name, "ndjson") for name in NAMES), ("damaged", "json"), ("damaged", "csv")],
)
def test_the_output_does_not_depend_on_jobs(
    folder: Path, tmp_path: Path, name: str, form: ExportName
) -> None:
    path = found(folder, name)
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
    path = found(folder, "damaged")
    wanted = ExchangeFilter(transport=transport)
    expected = decoded(path, "ndjson", tmp_path / "1", wanted=wanted)
    assert expected
    assert expected != decoded(path, "ndjson", tmp_path / "all")
    assert decoded(path, "ndjson", tmp_path / "2", wanted=wanted, jobs=2) == expected


def test_payloads_can_be_left_out(folder: Path, tmp_path: Path) -> None:
    path = found(folder, "whole")
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

    path = found(folder, name)
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
        for batch in decode_batches(BytesIO(found(folder, "odd").read_bytes()))
        for record in batch
    ]
    places = [record.last_packet for record in records]
    assert places == sorted(places)
    faults = [one for one in records if getattr(one, "code", "") == "tcp-no-ack-flag"]
    assert [one.connection for one in faults] == [5, 4, 3, 2, 1, 0]
    assert [one.last_packet for one in faults] == list(range(26, 32))


def part_of(places: str, data: bytes = b"", clues: list[selection.Clue] | None = None) -> Any:
    """A worker's records of a byte each at these places, and where they lie."""
    numbers = list(map(int, places))
    return Part(numbers, list(range(1, len(data) + 1)), b"", clues or []), memoryview(data)


def test_what_belongs_to_no_connection_stands_before_what_its_packet_completes() -> None:
    pieces, _ = jobs.merged([part_of("47", b"ad"), part_of(""), part_of("45", b"bc")])
    assert pieces == [b"a", b"b", b"c", b"d"]


def test_a_batch_of_one_worker_stays_as_it_is() -> None:
    """Faults of the file come in the file's order."""
    assert jobs.merged([part_of("74", b"ab"), part_of("")]) == ([b"ab"], [])
    assert jobs.merged([part_of(""), part_of("")]) == ([], [])


def test_records_of_one_place_go_together(folder: Path) -> None:
    data = found(folder, "whole").read_bytes()
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
        return part_of(numbers, numbers.encode(), clues)

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


@pytest.mark.parametrize("wanted", [ExchangeFilter(), ExchangeFilter(min_gap=0.0)])
def test_a_file_that_grows_gives_what_it_had_when_it_was_opened(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: ExchangeFilter
) -> None:
    whole = found(folder, "whole").read_bytes()
    path = tmp_path / "growing.pcapng"

    def opened(source: str, stack: ExitStack) -> BinaryIO:
        stream = open_input(source, stack)
        with path.open("ab") as more:
            more.write(whole)
        return stream

    path.write_bytes(whole[: len(whole) // 2])
    expected = decoded(path, "ndjson", tmp_path / "0", wanted=wanted)
    monkeypatch.setattr(decoding, "open_input", opened)
    for count in (1, 2):
        path.write_bytes(whole[: len(whole) // 2])
        output = tmp_path / f"{count}"
        assert decoded(path, "ndjson", output, jobs=count, wanted=wanted) == expected
    assert decoded(path, "ndjson", tmp_path / "3", wanted=wanted) != expected


def test_a_redirected_file_is_read_from_where_it_stands(folder: Path, tmp_path: Path) -> None:
    path = found(folder, "whole")
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
    path = found(folder, "whole")
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
    data = found(folder, "whole").read_bytes()
    with pytest.raises(BrokenPipeError), os.fdopen(writing, "wb", buffering=0) as stream:
        task.run(0, BytesIO(data), stream, told(data, 0, task))
