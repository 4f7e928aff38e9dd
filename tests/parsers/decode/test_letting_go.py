"""When the memory is spent some connections are let go, with a word, and the others go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.hostile import (
    MiB,
    answered,
    holes,
    long_events,
    open_connections,
    open_messages,
    streams,
    together,
)
from benchmarks.packets import write
from benchmarks.workloads import sse_connection, timed
from parsers.decode.capture import decode
from parsers.decode.packets import PacketDecoder
from parsers.files.reader import CaptureReader
from parsers.records import ConnectionRecord, DiagnosticRecord, Record, SseEventRecord


def capture(folder: Path, frames: Iterator[bytes]) -> Path:
    path = folder / "made.pcapng"
    write(path, timed(frames))
    return path


def records(path: Path, memory: int) -> list[Record]:
    with path.open("rb") as stream:
        return list(decode(stream, memory=memory))


def let_go(found: list[Record]) -> list[DiagnosticRecord]:
    return [
        one for one in found if isinstance(one, DiagnosticRecord) and one.code == "memory-limit"
    ]


CASES = [
    (open_connections, 300, 2 * MiB, "idle since packet"),
    (open_messages, 4, 8 * MiB, "bytes are held for it"),
    (long_events, 4, 8 * MiB, "bytes are held for it"),
    (holes, 4, 8 * MiB, "bytes are held for it"),
    (streams, 2, 16 * MiB, "bytes are held for it"),
]


@pytest.mark.parametrize(("make", "connections", "memory", "why"), CASES)
def test_each_that_is_let_go_is_named(make, connections, memory, why, tmp_path: Path) -> None:
    found = records(capture(tmp_path, make(connections)), memory)
    said = let_go(found)
    assert 0 < len(said) <= connections
    assert len({one.connection for one in said}) == len(said)
    assert all(why in one.summary and "in packet " in one.summary for one in said)
    ends = Counter(one.connection for one in found if isinstance(one, ConnectionRecord))
    assert ends == dict.fromkeys(range(connections), 1), "each connection has its record, once"


def test_nothing_is_let_go_that_finds_room(tmp_path: Path) -> None:
    path = capture(tmp_path, open_connections(50))
    assert not let_go(records(path, 256 * MiB))


def test_the_largest_goes_and_the_others_do_not_notice(tmp_path: Path) -> None:
    fields = b"content-type: text/event-stream\r\n"
    long = b"data: " + b"a" * MiB + b"\n"

    def one(number: int) -> Iterator[bytes]:
        return answered(0, fields, long * 4) if number == 0 else sse_connection(number, 300)

    path = capture(tmp_path, together(one, 4))
    found = records(path, 8 * MiB)
    assert [one.connection for one in let_go(found)] == [0]
    events = Counter(one.connection for one in found if isinstance(one, SseEventRecord))
    assert events == {0: 1, 1: 300, 2: 300, 3: 300}, "what was there of the long one is shown"
    without = [one for one in records(path, 256 * MiB) if one.connection]
    assert [one for one in found if one.connection] == without


def test_all_is_given_back_at_the_end(tmp_path: Path) -> None:
    for make, connections, memory, _ in CASES:
        decoder = PacketDecoder(memory=memory)
        with capture(tmp_path, make(connections)).open("rb") as stream:
            decoder.receive(list(CaptureReader(stream)))
        assert decoder.held > 0
        decoder.finish()
        assert decoder.held == 0
