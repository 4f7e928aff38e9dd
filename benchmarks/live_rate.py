"""``python -m benchmarks.live_rate``: what ``wireproof watch`` decodes as it arrives, and what not.

Server-sent events of 50 connections, each in a chunk and a packet of its own and each acknowledged,
are sent over the loopback of a network namespace at a rate, and ``watch --format ndjson`` writes
its records into a file. The packets are addressed to nobody, so that the kernel answers none. What
was sent, what the command says it captured and lost, and the events among its records are counted
apart; so is how long it goes on after the last packet.
"""

from __future__ import annotations

import resource
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from capture import Namespace

from .high_rate import NOBODY
from .workloads import sse

PORT = 8_000
CONNECTIONS = 50
RATE = 50_000
SECONDS = 10.0
BATCH = 100
"""Packets that are sent without a look at the clock."""


class Measured(NamedTuple):
    """What a run came to."""

    sent: int
    seconds: float
    events: int
    """That were sent."""
    seen: int
    """Of them, in the command's records."""
    behind: float
    """Seconds from the last packet to the end of the command."""
    cpu: float
    """Seconds of processors that the command took."""
    summary: str


def send(rate: int, events: int) -> None:
    """Send ``events`` of each connection, and print how many packets, in what time."""
    frames = [NOBODY + frame[12:] for frame in sse(CONNECTIONS, events)]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("lo", 0))
        start = time.perf_counter()
        for sent in range(0, len(frames), BATCH):
            early = start + sent / rate - time.perf_counter()
            if early > 0:
                time.sleep(early)
            for frame in frames[sent : sent + BATCH]:
                sock.send(frame)
        print(len(frames), time.perf_counter() - start)


def measure(rate: int, seconds: float) -> Measured:
    """Watch while packets are sent; raises NamespaceUnavailable."""
    events = max(int(rate * seconds / 2 / CONNECTIONS), 1)
    watch = [sys.executable, "-m", "wireproof", "watch", "--port", str(PORT), "--format", "ndjson"]
    sender = [sys.executable, "-m", __spec__.name, "--send", str(rate), str(events)]
    with TemporaryDirectory(prefix="wireproof-bench-") as folder, Namespace() as namespace:
        records = Path(folder, "records.ndjson")
        with records.open("wb") as output:
            watching = namespace.popen(watch, stdout=output, stderr=subprocess.PIPE)
        assert watching.stderr is not None
        watching.stderr.readline()  # it says that it watches
        told = namespace.popen(sender, stdout=subprocess.PIPE).communicate()[0]
        before, since = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        watching.send_signal(signal.SIGINT)
        said = watching.communicate()[1].decode()
        behind = time.perf_counter() - since
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with records.open("rb") as lines:
            seen = sum(line.startswith(b'{"record":"sse_event"') for line in lines)
    sent, took = told.split()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    summary = next(iter(said.splitlines()), "")
    return Measured(int(sent), float(took), events * CONNECTIONS, seen, behind, cpu, summary)


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.live_rate", description=__doc__)
    parser.add_argument("--rate", type=int, default=RATE, help=f"packets a second ({RATE:,})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"({SECONDS:g})")
    parser.add_argument("--send", nargs=2, type=int, metavar=("RATE", "EVENTS"), help="only send")
    chosen = parser.parse_args()
    if chosen.send:
        send(*chosen.send)
        return
    found = measure(chosen.rate, chosen.seconds)
    print(
        f"sent {found.sent:,} packets in {found.seconds:.2f} s"
        f" ({found.sent / found.seconds:,.0f} a second); of {found.events:,} events {found.seen:,}"
        f" are in the records, the last {found.behind:.1f} s after its packet; the command took"
        f" {found.cpu / found.sent * 1e6:.1f} µs of processors for each packet, and says:"
        f" {found.summary}"
    )


if __name__ == "__main__":
    main()
