"""``python -m benchmarks.commands``: workload (l), every other command as a ratio to decode.

Each command is run over the same capture in turn with ``decode --format ndjson``, as a whole
process; what counts is processor time, start-up included. A picture is drawn by matplotlib, whose
own start takes longer than a small decode: so its row says too what it takes to import that.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from .machine import facts
from .measure import Result, compare
from .workloads import WORKLOADS, make

OURS = (sys.executable, "-m", "wireproof")
ANY = ("--fail-on", "never")
DECODE = "decode"
AIMS = {
    "har": 3.0, "plot": 1.2, "annotate": 2.0, "wireshark": 3.0, "report": 4.0, "table": 2.0,
    "csv": 2.0,
}  # fmt: skip
"""How many times a decode each may take."""


def commands(capture: Path, folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Return every command that reads a capture and writes what it holds, by its name."""
    path = str(capture)

    def out(name: str) -> tuple[str, str]:
        return "-o", str(folder / name)

    return {
        DECODE: (*OURS, "decode", path, "--format", "ndjson", "--jobs", "1", *out("x.ndjson")),
        "table": (*OURS, "decode", path, "--format", "table", *out("x.txt")),
        "csv": (*OURS, "decode", path, "--format", "csv", "--jobs", "1", *out("x.csv")),
        "devtools": (*OURS, "decode", path, "--view", "devtools", *out("x.txt")),
        "wireshark": (*OURS, "decode", path, "--view", "wireshark", *out("x.txt")),
        "explain": (*OURS, "explain", path, *ANY),
        "ls": (*OURS, "ls", path),
        "latency": (*OURS, "latency", path),
        "har": (*OURS, "export", path, "--no-redact", *out("x.har")),
        "plot": (*OURS, "plot", path, "--exchange", "0/0", *out("x.png")),
        "matplotlib": (sys.executable, "-c", "import matplotlib.pyplot"),
        "annotate": (*OURS, "annotate", path, *out("x.pcapng")),
        "redact": (*OURS, "redact", path, *out("y.pcapng")),
        "report": (*OURS, "report", path, *out("x.html")),
    }


def ratios(results: Mapping[str, Result]) -> dict[str, float]:
    """Return each command's processor time beside decode's."""
    own = results[DECODE].cpu
    return {name: result.cpu / own for name, result in results.items() if name != DECODE}


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.commands", description=__doc__)
    parser.add_argument("workload", nargs="?", default="a", choices=WORKLOADS)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each command (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="wireproof-bench-") as temporary:
        folder = Path(temporary)
        capture = make(chosen.workload, folder)
        results = compare(commands(capture, folder), chosen.rounds)
    own = results[DECODE]
    table = Table("command", "processor", "of decode", "aim", "peak")
    table.add_row(DECODE, f"{own.cpu:.2f} s", "", "", f"{own.peak_mib:.0f} MiB")
    for name, ratio in ratios(results).items():
        aim = f"{AIMS[name]:.1f}x" if name in AIMS else ""
        taken = results[name]
        table.add_row(name, f"{taken.cpu:.2f} s", f"{ratio:.2f}x", aim, f"{taken.peak_mib:.0f} MiB")
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    if chosen.json:
        found = {
            "machine": facts(),
            "workload": chosen.workload,
            "rounds": chosen.rounds,
            "commands": {
                name: {"cpu": one.cpu, "wall": one.wall, "peak_mib": one.peak_mib}
                for name, one in results.items()
            },
        }
        chosen.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
