"""How long after its packet a row of ``wireproof watch`` is there, and whether it keeps up.

A server of ours sends events over loopback, each in a packet of its own. The kernel says when each
packet came (the times of the kept capture); this process, which reads what the command writes,
notes when its row could be read. The difference holds everything: what the ring waits for, three
threads, the pipe, and the reader's own turn.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from parsers import CaptureReader
from rich.console import Console
from rich.table import Table

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
ROW = re.compile("^ *\\d+ │ +(?:\\d+-)?(\\d+) ← .* chunk \\d+ ".encode())
END = re.compile(b'"record":"connection"|closed by the')
RUNS = ((100, 500), (1_000, 5_000), (10_000, 50_000))
"""Events a second, and how many."""


class Outcome(NamedTuple):
    """Milliseconds from a packet to its row, sorted; and what the command said at its end."""

    delays: list[float]
    summary: str

    def at(self, share: float) -> float:
        return self.delays[min(int(share * len(self.delays)), len(self.delays) - 1)]


def packet_of(line: bytes, form: str) -> int | None:
    """Return the packet of an event's row, None for any other line."""
    if form == "table":
        found = ROW.match(line)
        return None if found is None else int(found[1])
    record = json.loads(line)
    return int(record["last_packet"]) if record["record"] == "sse_event" else None


def serve(listener: socket.socket, rate: int, count: int) -> None:
    """Answer one request with events at a rate."""
    connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.recv(65_536)
        connection.sendall(HEAD)
        due = time.perf_counter()
        for number in range(count):
            data = b'id: %d\ndata: {"token": "number %d"}\n\n' % (number, number)
            connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
            due += 1 / rate
            if (wait := due - time.perf_counter()) > 0:
                time.sleep(wait)
        connection.sendall(b"0\r\n\r\n")


def ask(port: int) -> None:
    """Ask, and read to the end."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /events HTTP/1.1\r\nHost: bench\r\n\r\n")
        while client.recv(1 << 20):
            pass


def measure(rate: int, count: int, form: str, folder: Path) -> Outcome:
    """Watch ``count`` events at ``rate`` a second."""
    kept = folder / "kept.pcapng"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "wireproof", "watch", "--port", str(port)]
        with subprocess.Popen(
            [*command, "--format", form, "-w", str(kept)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stderr.readline()  # it says that it watches
            # The server in a process of its own: this one must be free to read.
            server = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.latency", "--serve", str(listener.fileno())]
                + [str(rate), str(count)],
                pass_fds=[listener.fileno()],
            )
            client = threading.Thread(target=ask, args=(port,))
            client.start()
            seen = []
            for line in process.stdout:
                now = time.time()
                packet = packet_of(line, form)
                if packet is not None:
                    seen.append((packet, now))
                if END.search(line):
                    break
            process.send_signal(signal.SIGINT)
            summary = process.communicate()[1].decode().splitlines()[0]
            server.wait()
            client.join()
    with kept.open("rb") as stream:
        times = {row[0]: row[1] or 0 for row in CaptureReader(stream)}
    return Outcome(sorted(now * 1e3 - times[packet] / 1e6 for packet, now in seen), summary)


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--serve", nargs=3, type=int, metavar=("FD", "RATE", "COUNT"))
    chosen = parser.parse_args()
    if chosen.serve:
        descriptor, rate, count = chosen.serve
        serve(socket.socket(fileno=descriptor), rate, count)
        return
    table = Table("events a second", "format", "events", "p50", "p99", "max", "packets lost")
    with TemporaryDirectory(prefix="wireproof-bench-") as temporary:
        for rate, count in RUNS:
            for form in ("ndjson", "table"):
                print(f"watch: {rate:,} events a second, {form} ...", file=sys.stderr)
                found = measure(rate, count, form, Path(temporary))
                shown = (f"{found.at(share):.1f} ms" for share in (0.5, 0.99, 1))
                events = f"{len(found.delays):,} of {count:,}"
                lost = found.summary.partition("captured, ")[2]
                table.add_row(f"{rate:,}", form, events, *shown, lost)
    Console(width=None if sys.stdout.isatty() else 110).print(table)


if __name__ == "__main__":
    main()
