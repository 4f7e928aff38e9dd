"""What a worker is handed: it comes in order, and nobody waits for the other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from mmap import PAGESIZE
from pathlib import Path
from select import PIPE_BUF

import pytest

from wireproof.tasks import feeds
from wireproof.tasks.feeds import AHEAD, Feed
from wireproof.tasks.workers import PIPE_SIZE, widen

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()
    yield feed
    feed.keep()


def test_messages_come_in_order(feed: Feed) -> None:
    said = [b"one", b"", bytes(3 * PAGESIZE)]
    for data in said:
        assert feed.has_room(data)
        feed.put(data)
    assert feed.waiting == 3
    messages = feed.messages()
    assert [next(messages) for _ in said] == said
    feed.keep(reading=True)
    with pytest.raises(BrokenPipeError):
        next(messages)


def test_few_messages_wait(feed: Feed) -> None:
    for _ in range(AHEAD):
        assert feed.has_room(b"short")
        feed.put(b"short")
    assert not feed.has_room(b"short")
    feed.note_answer()
    assert feed.waiting == AHEAD - 1
    assert feed.has_room(b"short")


def test_what_may_not_fit_waits_for_all_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However small the pipe is: a worker that has answered all is reading."""
    monkeypatch.setattr(feeds, "widen", lambda descriptor: 8 * PAGESIZE)
    feed = Feed()
    assert feed.has_room(bytes(1 << 22))
    feed.put(b"short")
    assert feed.has_room(b"short")
    feed.put(b"short")
    assert not feed.has_room(b"short")
    feed.note_answer()
    assert not feed.has_room(bytes(1 << 22))
    feed.note_answer()
    assert feed.has_room(bytes(1 << 22))
    feed.keep()


def test_a_message_longer_than_the_pipe(feed: Feed) -> None:
    data = os.urandom(3 << 20)
    child = os.fork()
    if not child:
        feed.keep(reading=True)
        os._exit(next(feed.messages()) != data)
    feed.keep(writing=True)
    feed.put(data)
    assert os.waitpid(child, 0)[1] == 0


def test_a_worker_that_is_dead_gets_nothing(feed: Feed) -> None:
    feed.keep(writing=True)
    feed.put(bytes(1 << 22))
    assert feed.waiting == 1


@pytest.mark.parametrize(
    ("refused", "size"), [(set(), PIPE_SIZE), ({"SET"}, None), ({"SET", "GET"}, PIPE_BUF)]
)
def test_how_much_a_pipe_holds(
    monkeypatch: pytest.MonkeyPatch, refused: set[str], size: int | None
) -> None:
    """A user with many pipes may not widen them, and not every system tells."""
    ask = fcntl.fcntl

    def asked(descriptor: int, command: int, *arguments: int) -> int:
        if "SET" in refused and command == fcntl.F_SETPIPE_SZ:
            raise PermissionError
        return ask(descriptor, command, *arguments)

    reading, writing = os.pipe()
    default = ask(writing, fcntl.F_GETPIPE_SZ)
    monkeypatch.setattr(fcntl, "fcntl", asked)
    if "GET" in refused:
        monkeypatch.delattr(fcntl, "F_GETPIPE_SZ")
    assert widen(writing) == (default if size is None else size)
    os.close(reading)
    os.close(writing)


def test_nothing_stays_open() -> None:
    def descriptors() -> set[str]:
        return {entry.name for entry in Path("/proc/self/fd").iterdir() if entry.exists()}

    before = descriptors()
    feed = Feed()
    feed.keep(writing=True)
    feed.keep()
    feed.keep()
    assert descriptors() == before
