"""``make bench``: wireproof beside its peers, and explain beside decode, as ratios in the same run.

Every command is timed as a whole process, start-up included, from capture file to printed facts.
tshark prints the same facts (chunk sizes and data; opcode, mask and payload), pyshark the chunk
sizes, tcpflow only puts the streams together, which is the floor that C++ sets.
"""

from __future__ import annotations

import json
import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from .machine import facts
from .measure import Result, compare
from .workloads import KEYS, WORKLOADS, make

PEERS = ("tshark", "tcpflow", "pyshark")
HTTP_FIELDS = ("http.chunk_size", "http.chunk_data", "http.response.code", "http.request.uri")
WEBSOCKET_FIELDS = ("websocket.opcode", "websocket.mask", "websocket.payload.text")
HTTP2_FIELDS = ("http2.streamid", "http2.length", "http2.data.data", "http2.headers.status")
FIELDS = {"c": WEBSOCKET_FIELDS, "h": HTTP2_FIELDS}
"""What tshark is asked for, by workload; HTTP_FIELDS otherwise."""
WITHOUT_DATA = {"d"}
"""Workloads decoded with ``--no-data``: what is asked for is sizes and digests."""
EXPLAIN = "explain"
"""The other command of ours: what answers cost beside records."""
ANY = ("--fail-on", "never")
"""Whatever it finds, the command has done its work."""
FOR_PYSHARK = {"small"}
"""It takes milliseconds for each packet: the others would take it minutes."""
SLOW_FOR_TSHARK = {"b10", "chat"}
"""Left out for tshark, whose time grows with the square of the stream."""


def commands(name: str, capture: Path, folder: Path) -> dict[str, list[str]]:
    """Return what to run on a workload, by the peer's name; only what is installed."""
    wireproof = [sys.executable, "-m", "wireproof", "decode", str(capture), "--format", "ndjson"]
    found = {"wireproof": wireproof + (["--no-data"] if name in WITHOUT_DATA else [])}
    found[EXPLAIN] = [sys.executable, "-m", "wireproof", "explain", str(capture), *ANY]
    if shutil.which("tshark") and name not in SLOW_FOR_TSHARK:
        fields = FIELDS.get(name, HTTP_FIELDS)
        found["tshark"] = ["tshark", "-n", "-r", str(capture), "-T", "fields"]
        for field in ("frame.number", "tcp.stream", *fields):
            found["tshark"] += ["-e", field]
    if shutil.which("tcpflow") and name not in KEYS:  # it decrypts nothing
        found["tcpflow"] = ["tcpflow", "-r", str(capture), "-o", str(folder / "flows")]
    if name in FOR_PYSHARK:
        found["pyshark"] = [sys.executable, "-m", "benchmarks.pyshark_fields", str(capture)]
    return found


def explained(results: dict[str, Result]) -> str:
    """Say how much processor time explain takes beside decode: other processes take none of it."""
    ratio = results[EXPLAIN].cpu / results["wireproof"].cpu
    return f"{results[EXPLAIN].cpu:.2f} s ({ratio:.2f}x), {results[EXPLAIN].peak_mib:.0f} MiB"


def row(results: dict[str, Result], peer: str) -> str:
    if peer not in results:
        return "-"
    ratio = results[peer].wall / results["wireproof"].wall
    return f"{results[peer].wall:.2f} s ({ratio:.1f}x)"


def told(measured: dict[str, dict[str, Result]], rounds: int) -> dict[str, object]:
    """Return results for programs: medians in seconds, peaks in MiB, and the machine."""
    return {
        "machine": facts(),
        "rounds": rounds,
        "workloads": {
            name: {
                command: {"wall": one.wall, "cpu": one.cpu, "peak_mib": one.peak_mib}
                for command, one in results.items()
            }
            for name, results in measured.items()
        },
    }


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=", ".join(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=3, help="runs of each command (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    chosen = parser.parse_args()
    if unknown := set(chosen.workloads) - WORKLOADS.keys():
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    table = Table("", "workload", "wireproof", "peak", EXPLAIN, *PEERS)
    measured: dict[str, dict[str, Result]] = {}
    with TemporaryDirectory(prefix="wireproof-bench-") as temporary:
        folder = Path(temporary)
        for name in chosen.workloads or WORKLOADS:
            print(f"{name}: {WORKLOADS[name][0]} ...", file=sys.stderr)
            capture = make(name, folder)
            results = compare(commands(name, capture, folder), chosen.rounds)
            own = results["wireproof"]
            measured[name] = results
            table.add_row(
                name,
                WORKLOADS[name][0],
                f"{own.wall:.2f} s",
                f"{own.peak_mib:.0f} MiB",
                explained(results),
                *(row(results, peer) for peer in PEERS),
            )
            capture.unlink()
            shutil.rmtree(folder / "flows", ignore_errors=True)
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    if chosen.json:
        chosen.json.write_text(json.dumps(told(measured, chosen.rounds), indent=2) + "\n")
    print(
        "(2.0x): the peer takes twice as long as wireproof. Medians of wall time, whole processes;"
        " of explain, processor time beside decode's."
    )


if __name__ == "__main__":
    main()
