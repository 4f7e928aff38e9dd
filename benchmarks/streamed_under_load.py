"""``python -m benchmarks.streamed_under_load``: is assert_streamed right on a busy machine?

Strategy: an app that streams and the same app collecting first, in each usual way, are asked RUNS
times each, while processes that only spin take the cores, and by a reader that sleeps before it
reads: nothing of what it sees shows a stream. Every verdict must be right: a stream that fails or a
collection that passes is named, and the exit code is 1.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from wireproof.testing import Exchange, Wire
from wireproof.testing.environments import choose

from .streaming_app import EVENTS, app

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT = 60.0
"""Seconds that no answer takes."""
BURN = [sys.executable, "-c", "while True: pass"]


@contextmanager
def spinning(number: int) -> Iterator[None]:
    """Keep the cores busy."""
    processes = [subprocess.Popen(BURN) for _ in range(number)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def read_late(url: str, path: str, sleep: float) -> int:
    """Ask for ``path``, sleep, read to the end; return how many times something was read."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), TIMEOUT) as client:
        head = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode())
        time.sleep(sleep)
        reads = 0
        while client.recv(65_536):
            reads += 1
    return reads


def passes(exchange: Exchange) -> bool:
    """Whether the exchange is taken for a stream."""
    try:
        exchange.assert_streamed(min_events=EVENTS // 2, max_events_per_segment=1)
    except AssertionError:
        return False
    return True


def verdicts(paths: Sequence[str], runs: int, sleep: float, at_once: int) -> dict[str, list[bool]]:
    """Return of each path which of its exchanges passed."""
    asked = [paths[number % len(paths)] for number in range(runs)]
    with TemporaryDirectory() as folder:
        place = choose("auto")
        wire = Wire(Path(folder), Path(folder, "t.py"), "t.py::load", lambda: place, update=False)
        try:
            with (
                wire.serve("benchmarks.streaming_app:app", cwd=ROOT) as server,
                ThreadPoolExecutor(at_once) as readers,
            ):
                url = server.url
                reads = list(readers.map(lambda path: read_late(url, path, sleep), asked))
            print(f"  the readers read {min(reads)} to {max(reads)} times each", flush=True)
            found = {
                path: [passes(exchange) for exchange in wire.exchanges(path)] for path in paths
            }
        finally:
            wire.close(keep=False)
            place.close()
    assert sum(map(len, found.values())) == runs, "an exchange is missing"
    return found


def report(kind: str, found: dict[str, list[bool]], wanted: bool) -> bool:
    """Print how many verdicts are right, and which are not; return whether all are."""
    right = sum(verdict == wanted for verdicts in found.values() for verdict in verdicts)
    total = sum(map(len, found.values()))
    print(f"{kind}: {right} of {total} {'pass' if wanted else 'fail'}")
    for path, given in found.items():
        if wrong := sum(verdict != wanted for verdict in given):
            print(f"  {path}: {wrong} of {len(given)} decided wrong")
    return right == total


def main(arguments: Sequence[str] | None = None) -> int:
    parser = ArgumentParser(prog="python -m benchmarks.streamed_under_load", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="of each kind (%(default)s)")
    parser.add_argument("--spinners", type=int, default=4, help="busy processes (%(default)s)")
    parser.add_argument("--sleep", type=float, default=0.6, help="of a reader, in s (%(default)s)")
    parser.add_argument("--at-once", type=int, default=4, help="readers (%(default)s)")
    chosen = parser.parse_args(arguments)
    targets = [str(getattr(route, "path", "")) for route in app.routes]
    kinds = {
        "streamed": ([path for path in targets if path.startswith("/streamed")], True),
        "collected": ([path for path in targets if path.startswith("/collected")], False),
    }
    all_right = True
    with spinning(chosen.spinners):
        for kind, (paths, wanted) in kinds.items():
            found = verdicts(paths, chosen.runs, chosen.sleep, chosen.at_once)
            all_right &= report(kind, found, wanted)
    return 0 if all_right else 1


if __name__ == "__main__":
    sys.exit(main())
