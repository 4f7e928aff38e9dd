"""``wireproof collect`` as people start it: real packets, and stores and disks that fail."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from support.exchanges import exchange, listening, port_of

from wireproof.tables.dataset import DataSet

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
pytestmark = [pytest.mark.slow, pytest.mark.packets]
ASKED = b"GET /chat HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 3000\r\n\r\n"
ANSWER = HEAD + (b"data: " + b"x" * 292 + b"\n\n") * 10
PATIENCE = 40.0


def wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Collector:
    """A collector that runs, the port that it records, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.ring, self.place = folder / "ring", folder / "set"
        self.said: list[str] = []

    def start(self, *options: str, prefix: tuple[str, ...] = ()) -> None:
        words = [*prefix, sys.executable, "-m", "wireproof", "collect", "--port", str(self.port)]
        places = ["--ring", str(self.ring), "-o", str(self.place), "--host", "web1", "-i", "lo"]
        said: list[str] = []
        self.said = said
        self.process = subprocess.Popen(
            [*words, *places, *options], stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, args=(self.process, said))
        self._reader.start()
        wait(lambda: self.has_said("recording port") or self._has_ended(), "it does not begin")

    def _read(self, process: subprocess.Popen[str], said: list[str]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            said.extend(iter(lines.readline, ""))  # each as it comes

    def _has_ended(self) -> bool:
        return self.process.poll() is not None

    def has_said(self, text: str) -> bool:
        return any(text in line for line in self.said)

    def talk(self, count: int = 1) -> None:
        for _ in range(count):
            exchange(self.listener, ASKED, ANSWER)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; return its exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def rows(self) -> list[dict[str, object]]:
        files = DataSet(str(self.place)).files().get("exchanges", [])
        return [row for path in files for row in pq.read_table(path).to_pylist()]

    def written(self, data: bytes) -> int:
        """How often these bytes stand in the ring."""
        return sum(path.read_bytes().count(data) for path in self.files())

    def files(self) -> list[Path]:
        return sorted(self.ring.iterdir())

    def exported(self) -> int:
        return len(list((self.place / "manifest").glob("[!.]*.json")))

    listener: socket.socket

    @property
    def port(self) -> int:
        return port_of(self.listener)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    found = Collector(tmp_path)
    with listening() as found.listener:
        yield found
        if found.process.poll() is None:
            found.process.kill()
        found.ended()


def whole(rows: list[dict[str, object]]) -> list[object]:
    return [row for row in rows if (row["status"], row["end"], row["count"]) == (200, "whole", 10)]


def test_traffic_becomes_a_data_set(collector: Collector) -> None:
    collector.start("--max-size", "20k", "--metrics", "0")
    collector.talk(20)
    wait(lambda: collector.exported() >= 3, "finished files are exported meanwhile")
    collector.process.send_signal(signal.SIGHUP)
    process = collector.process.pid
    threads = [
        Path(f"/proc/{process}/task/{one.name}/status").read_text()
        for one in Path(f"/proc/{process}/task").iterdir()
    ]
    url = next(line for line in collector.said if "metrics are at" in line).split()[-1]
    page = httpx.get(url, timeout=PATIENCE).text
    collector.talk(1)
    assert collector.stop() == 0, collector.said
    asked = collector.rows()
    assert len(asked) == len(whole(asked)) == 21, "one that spans two files too"
    assert {row["host"] for row in asked} == {"web1"}
    assert {row["capture"] for row in asked} <= {str(path) for path in collector.files()}
    assert all(path.stat().st_size <= 20 * 1024 for path in collector.files())
    assert collector.exported() == len(collector.files())
    assert [line for line in collector.said if "cannot" in line] == []
    assert " 0 dropped; " in collector.said[-1]
    assert 'wireproof_collect_packets_total{what="dropped"} 0.0' in page
    assert 'wireproof_exchanges_total{status="2xx",transport="sse"}' in page
    held = {line.split()[1] for text in threads for line in text.splitlines() if "CapEff" in line}
    assert {int(one, 16) & ~0b10 for one in held} == {0}, "but for the ring's folder, root's"


def test_time_ends_a_file_and_room_the_oldest(collector: Collector) -> None:
    collector.start("--max-time", "0.2", "--max-size", "8k", "--disk", "20k")
    for number in range(1, 8):
        collector.talk(1)
        wait(lambda number=number: collector.exported() >= number, "a file whose time is up")
    assert collector.stop(signal.SIGINT) == 0
    assert len(whole(collector.rows())) == 7
    assert len(collector.files()) < 7
    assert sum(path.stat().st_size for path in collector.files()) <= 20 * 1024


def test_a_store_that_fails_and_recovers(collector: Collector) -> None:
    collector.place.mkdir()
    collector.place.chmod(0o500)
    collector.start("--max-time", "0.2")
    collector.talk(1)
    wait(lambda: collector.has_said("cannot be written"), "it says so")
    collector.talk(1)
    wait(lambda: len(collector.files()) >= 2, "files wait")
    collector.place.chmod(0o700)
    wait(lambda: collector.has_said("is written again"), "it says so")
    assert collector.stop() == 0
    assert len(whole(collector.rows())) == 2
    told = [line for line in collector.said if str(collector.place) in line][1:]
    assert len(told) == 2, told
    assert told[0].endswith(f"Permission denied; files wait in {collector.ring}\n")


def test_a_store_that_stays_away_stops_recording_and_deletes_nothing(collector: Collector) -> None:
    collector.place.mkdir()
    collector.place.chmod(0o500)
    collector.start("--max-size", "5k", "--disk", "20k", "--buffer-size", "2M")
    collector.talk(8)
    wait(lambda: collector.has_said("fill its share"), "there is no room")
    assert collector.stop() == 2
    kept = collector.files()
    assert sum(path.stat().st_size for path in kept) <= 20 * 1024
    collector.place.chmod(0o700)
    collector.start("--disk", "64k", "--max-size", "5k")
    wait(lambda: collector.exported() >= len(kept), "what was left is exported")
    collector.talk(1)
    assert collector.stop() == 0
    assert kept[0] in collector.files()


@contextmanager
def disk_full(process: int) -> Iterator[None]:
    """Have the kernel refuse whatever a process adds to files."""
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_and_has_room_again(collector: Collector) -> None:
    collector.start("--max-size", "20k")
    collector.talk(3)
    with disk_full(collector.process.pid):
        collector.talk(3)
        wait(lambda: collector.has_said("cannot be written: File too large"), "it says so")
        time.sleep(1.2)  # it tries again, and does not say so again
    wait(lambda: collector.has_said("is written again"), "it goes on")
    collector.talk(1)
    assert collector.stop() == 0
    asked = [row for row in collector.rows() if row["method"] == "GET"]
    assert len(asked) == 7, "packets that waited are kept"
    assert len(collector.said) == 4, collector.said


def test_killed_and_started_again(collector: Collector) -> None:
    collector.start("--max-size", "20k")
    collector.talk(10)
    # What a kill finds in memory yet is nobody's to keep.
    wait(lambda: len(collector.files()) >= 2 and collector.written(ASKED) == 10, "files")
    assert collector.stop(signal.SIGKILL) == -signal.SIGKILL
    before = collector.files()
    collector.start("--max-size", "20k")
    assert collector.stop() == 0
    asked = collector.rows()
    assert len(asked) == 10 and len(whole(asked)) >= 9, "of the last one packets may be missing"
    assert set(before) <= set(collector.files())
    assert collector.exported() == len(before)


def test_two_in_one_folder_and_a_page_that_is_taken(collector: Collector) -> None:
    collector.start()
    first = collector.process
    collector.start()
    assert collector.ended() == 2
    assert f"{collector.ring}: another collector records here" in collector.said[-1]
    collector.process = first
    assert collector.stop() == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        collector.start("--metrics", str(port_of(taken)))
        assert collector.ended() == 2
    assert "Address already in use" in collector.said[-1]


@as_root
@pytest.mark.tool("setpriv")
def test_one_capability_is_enough(collector: Collector) -> None:
    """With CAP_NET_RAW alone it records, and without it says what is lacking."""
    none = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")
    collector.start(prefix=none)
    assert collector.ended() == 3
    assert "needs permission to open a packet socket" in collector.said[-1]
    collector.start(prefix=(*none[:2], "--bounding-set=-all,+net_raw"))
    collector.talk(1)
    assert collector.stop() == 0, collector.said
    assert len(whole(collector.rows())) == 1
