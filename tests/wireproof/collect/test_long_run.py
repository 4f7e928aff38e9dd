"""Days of ``wireproof collect`` in seconds: a clock that is fast, a store and a disk that fail.

What records and what exports is the real code, and so is the process that exports but for what it
does; the kernel's buffer and the clock are the test's.
"""

from __future__ import annotations

import errno
import gc
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from capture import Recorder, output
from capture.frames import RawPacket
from capture.output import Limits, Output, Source
from parsers import CaptureReader
from wireproof.collect import exporter
from wireproof.collect.exporter import Exports
from wireproof.collect.messages import Order
from wireproof.collect.page import Figures
from wireproof.collect.ring import Ring
from wireproof.redact import Rules

SCRIPT = """
import json, os, sys
order = json.loads(sys.stdin.readline())
for line in sys.stdin:
    if os.path.exists(order["place"]):
        print(json.dumps({"type": "failed", "reason": "no answer"}), flush=True)
    else:
        print(json.dumps({"type": "exported"}), flush=True)
"""
STEP = 100.0
"""Seconds between two packets."""
FILE = 300.0
HOUR, DAY = 3_600, 86_400
BUFFER = 40
"""Packets that the kernel has room for."""
SIZE = 400
"""Bytes of a file of this traffic, about; more than one takes."""
SHARE = 20


class Clock:
    """In place of the module ``time``."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return 1_795_000_000_000_000_000 + int(self.now * 1e9)

    def strftime(self, form: str) -> str:
        return time.strftime(form, time.gmtime(self.time_ns() / 1e9))


class Host:
    """A collector whose packets come from here."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.clock, self.down = clock, folder / "down"
        self.said: list[str] = []
        (folder / "ring").mkdir()
        self.ring = Ring(folder / "ring", SHARE * SIZE, 3 * SIZE, self.said.append)
        order = Order(place=str(self.down), folder=str(folder), host="web1", rules=Rules())
        self.exports = Exports(order, self.ring, self.said.append)
        path, source = folder / "ring" / "web1.pcapng", Source("lo", "port 8000")
        self.recorder = Recorder(path, port=8000, keeper=self.ring)
        limits = Limits(max_time=FILE)
        self.output = Output(path, source, limits=limits, keeper=self.ring)
        self.buffer: deque[RawPacket] = deque()
        self.sent = self.dropped = 0

    def run(self, seconds: int, *, until_exported: bool = True) -> None:
        """Let time pass, with a packet in each STEP."""
        for _ in range(int(seconds / STEP)):
            self.clock.now += STEP
            self.sent += 1
            data = self.sent.to_bytes(60)
            if len(self.buffer) < BUFFER:
                self.buffer.append((self.clock.time_ns(), data, len(data)))
            else:
                self.dropped += 1
            self._record()
            if until_exported:
                self.wait_exported()

    def _record(self) -> None:
        """Do what the thread that records does in one turn."""
        attempt = self.recorder._attempt
        if self.recorder._held is None:
            taken = [self.buffer.popleft() for _ in range(len(self.buffer))]
            attempt(partial(self.output.write, taken))
        self.output.add_dropped(self.dropped - self.told_dropped)
        self.told_dropped = self.dropped
        attempt(self.output.flush)

    told_dropped = 0

    def wait_exported(self) -> None:
        self._wait(lambda: not self.ring.waiting)

    def wait_failed(self) -> None:
        self._wait(lambda: self.exports.fault)

    def _wait(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.0005)

    def metrics(self) -> dict[str, float]:
        found = Figures(lambda: self.output.statistics, self.ring, self.exports).collect()
        return {
            " ".join((one.name.removeprefix("wireproof_collect_"), *sample.labels.values())): (
                sample.value
            )
            for one in found
            for sample in one.samples
        }


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(exporter, "CHILD", [sys.executable, "-S", "-c", SCRIPT])
    monkeypatch.setattr(exporter, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(exporter, "LONGEST_PAUSE", 0.2)
    clock = Clock()
    monkeypatch.setattr(output, "time", clock)
    return Host(tmp_path, clock)


def recorded(path: Path) -> list[int]:
    with path.open("rb") as stream:
        return [int.from_bytes(row[4]) for row in CaptureReader(stream)]


def test_days_with_a_store_and_a_disk_that_fail(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    with host.exports as exports:
        exports.start()

        host.run(DAY)
        first = host.metrics()
        assert first["packets recorded"] == host.sent == DAY / STEP
        assert first["packets dropped"] == first["waiting_files"] == 0
        assert first["files deleted"] > first["files recorded"] - SHARE > 150
        assert first["ring_bytes"] <= SHARE * SIZE and host.said == []
        assert (first["works ring"], first["works data_set"]) == (1, 1)

        host.down.touch()  # the store fails until the ring is full, and then for hours
        host.run(HOUR // 2, until_exported=False)
        host.wait_failed()
        host.run(6 * HOUR, until_exported=False)
        during = host.metrics()
        waiting = sorted(host.ring.folder.iterdir())
        assert during["works data_set"] == during["works ring"] == 0
        assert during["waiting_files"] == len(waiting) and during["ring_bytes"] <= SHARE * SIZE
        assert [line.split(":")[0] for line in host.said] == [
            f"{host.down} cannot be written",
            f"{host.ring.folder} cannot be written",
        ]
        kept = [number for path in waiting for number in recorded(path)]
        assert kept == list(range(kept[0], kept[0] + len(kept))), "no packet among them is lost"

        host.down.unlink()  # both go on; what the buffer had no room for is counted
        host.wait_exported()
        host.run(6 * HOUR)
        after = host.metrics()
        assert after["packets dropped"] == host.dropped > 0
        assert after["packets recorded"] == host.sent - host.dropped
        assert (after["works ring"], after["works data_set"]) == (1, 1)
        assert any("packets are being dropped" in line for line in host.said)
        assert host.said[-1] == "packets are no longer being dropped"

        said = len(host.said)  # a disk that is full for an hour loses nothing
        with monkeypatch.context() as full:
            full.setattr(output, "_create_whole", no_room)
            host.run(HOUR, until_exported=False)
            assert host.metrics()["works ring"] == 0
        host.run(6 * HOUR)
        last = host.metrics()
        assert last["packets dropped"] == after["packets dropped"]
        assert last["packets recorded"] == host.sent - host.dropped
        assert last["files exported"] == last["files recorded"]
        assert [line.partition(": ")[0].rpartition(" ")[2] for line in host.said[said:]] == [
            "written",
            "again",
        ]
        host.output.finish()


def no_room(_: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def held() -> int:
    """Return how many bytes are held; a command in the same process may have had cycles wait."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_memory_is_that_of_the_ring(host: Host) -> None:
    """A thousand files later it holds no more than a hundred files later."""
    with host.exports as exports:
        exports.start()
        host.run(DAY // 2)
        tracemalloc.start()
        try:
            host.run(2 * HOUR)
            before = held()
            host.run(5 * DAY)
            assert held() < before + 16 * 1024
        finally:
            tracemalloc.stop()
        host.output.finish()
    assert host.ring.told.exported > 1_000
