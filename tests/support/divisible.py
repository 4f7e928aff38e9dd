"""Captures of several batches and many connections, in every state that matters to a division."""

from __future__ import annotations

import gzip
from pathlib import Path

from benchmarks.packets import write
from benchmarks.workloads import damaged, interleaved, sse, timed, websocket_connection

from .merged import merged
from .talk import Talk, Tape
from .timed import Stream, TimedTape

NAMES = ("whole", "damaged", "midstream", "cut", "compressed", "odd", "streams", "open")


def make(folder: Path) -> None:
    """Write one of each name into a folder."""
    frames = merged(copies=3)
    write(folder / "whole.pcapng", timed(iter(frames)))
    write(folder / "damaged.pcapng", timed(damaged(iter(frames), seed=2)))
    write(folder / "midstream.pcapng", timed(iter(frames[700:])))
    data = (folder / "whole.pcapng").read_bytes()
    (folder / "cut.pcapng").write_bytes(data[: len(data) * 3 // 4 + 1])
    (folder / "compressed.pcapng.gz").write_bytes(gzip.compress(data, 1))
    (folder / "odd.pcapng").write_bytes(odd().file())
    streams = [sse(3, 400), *(websocket_connection(number, 200) for number in (7, 8, 9))]
    write(folder / "streams.pcapng", timed(interleaved(streams)))
    (folder / "open.pcapng").write_bytes(reconnected().file())


def odd() -> Tape:
    """Return what no connection carries, and faults before any bytes."""
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


def reconnected() -> TimedTape:
    """A client comes back while its first stream seems to go on: one process has to judge that.

    Some exchanges are over by then.
    """
    tape = TimedTape()
    for number in range(3):
        Stream("/before", tape=tape, client_port=41_000 + number).events(3, every=0.01).end()
    first = Stream("/feed", tape=tape).events(3, every=0.05)
    again = Stream("/feed", tape=tape, client_port=40_001, request=b"Last-Event-ID: 3\r\n")
    again.events(3, every=0.05).end()
    first.end()
    return tape


def found(folder: Path, name: str) -> Path:
    """Return the path of the one of a name."""
    (path,) = folder.glob(f"{name}.pcapng*")
    return path
