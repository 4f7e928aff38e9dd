"""What runs in a thread: it serves, it fails, or it takes too long."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from wireproof.testing.threads import NotServed, ServingThread


def test_it_serves() -> None:
    over = threading.Event()

    def run(ready: Callable[[], None]) -> None:
        ready()
        over.wait(30)

    serving = ServingThread(run)
    serving.wait(30)
    assert serving.thread.is_alive()
    over.set()
    serving.thread.join()


def test_it_fails_with_what_it_raised() -> None:
    def run(ready: Callable[[], None]) -> None:
        raise SystemExit(3)

    with pytest.raises(NotServed, match=r"SystemExit\(3\)"):
        ServingThread(run).wait(30)


def test_it_ends_or_takes_too_long_before_it_serves() -> None:
    with pytest.raises(NotServed, match="it did not start in time"):
        ServingThread(lambda ready: None).wait(30)
    over = threading.Event()
    slow = ServingThread(lambda ready: over.wait(30))
    with pytest.raises(NotServed, match="it did not start in time"):
        slow.wait(0.01)
    over.set()
    slow.thread.join()
