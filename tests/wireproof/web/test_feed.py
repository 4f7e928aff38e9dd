"""Where packets come from."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.talk import Talk

from parsers.files.packets import Packet, UnreadableCapture
from wireproof.web.feed import FileFeed
from wireproof.web.index import Index

FIXTURE = ROOT / "fixtures/sse/plain.pcapng"
PATIENCE = 60.0


def wait_until(index: Index, is_so: Callable[[], bool]) -> None:
    with index.changed:
        assert index.changed.wait_for(is_so, PATIENCE)


def test_a_file_is_read_in_a_thread(tmp_path: Path) -> None:
    index = Index("plain")
    with FIXTURE.open("rb") as stream:
        FileFeed(index, stream).start()
        wait_until(index, lambda: index.state == "ended")
    assert len(index.order) == 1
    assert index.progress == 1.0
    index.close()


def test_packets_are_rewritten_before_anything_looks_at_them() -> None:
    def masked(packet: Packet) -> Packet:
        return (*packet[:4], packet[4].replace(b"/sse", b"/***"))

    index = Index("plain")
    with FIXTURE.open("rb") as stream:
        FileFeed(index, stream, masked).read_all()
    request = index.order[0].request
    assert request is not None and request.target == "/***"
    assert not any(b"/sse" in index.data(number) for number in range(1, 30))
    index.close()


def test_a_pipe_is_shown_as_it_comes(tmp_path: Path) -> None:
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    file = talk.tape.file()
    read, write = os.pipe()
    index = Index("pipe")
    with os.fdopen(read, "rb") as stream, os.fdopen(write, "wb", buffering=0) as source:
        source.write(file)
        FileFeed(index, stream).start()
        wait_until(index, lambda: len(index.order) == 1)
        assert index.state == "reading" and index.progress is None
        source.close()
        wait_until(index, lambda: index.state == "ended")
    index.close()


def test_what_is_no_capture_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "no-capture"
    path.write_bytes(b"GET / HTTP/1.1\r\n\r\n")
    with (
        closing(Index("none")) as index,
        path.open("rb") as stream,
        pytest.raises(UnreadableCapture),
    ):
        FileFeed(index, stream)


def test_a_cut_file_gives_what_is_whole_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcapng"
    path.write_bytes(FIXTURE.read_bytes()[:-50])
    index = Index("cut")
    with path.open("rb") as stream:
        FileFeed(index, stream).read_all()
    faults = [str(exchange.key) for exchange in index.order if "d" in exchange.elements]
    assert "n.n" in faults
    index.close()


def test_a_fault_of_our_own_ends_the_reading_and_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda raised: told.append(raised.exc_type))

    def broken(packet: Packet) -> Packet:
        raise KeyError("lost")

    with closing(Index("broken")) as index, FIXTURE.open("rb") as stream:
        FileFeed(index, stream, broken).start()
        wait_until(index, lambda: index.state == "ended")
        assert index.problem == "a fault in wireproof ended the reading: KeyError: 'lost'"
        for thread in threading.enumerate():
            if thread.name == "feed":
                thread.join(PATIENCE)
    assert told == [KeyError]


def test_it_stops_between_two_batches() -> None:
    index = Index("large")
    with (ROOT / "fixtures/chunked/large.pcapng").open("rb") as stream:
        feed = FileFeed(index, stream)
        feed.stop()
        feed.read_all()
    assert (index.state, index.version) == ("ended", 1)
    index.close()
