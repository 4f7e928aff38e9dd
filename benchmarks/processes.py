"""``python -m benchmarks.processes``: one capture in one process, and in two, wall and processor.

Workload (k), a gigabyte of all kinds, is made for it and removed after it, unless another is named.
Wall time tells something only where two cores are free.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

from .measure import compare
from .workloads import WORKLOADS, make

WALL, CPU = 0.62, 1.25
"""What two processes may take of one's time, and of its processor's."""


def command(name: str, capture: Path, jobs: int) -> tuple[str, ...]:
    """Return what is timed."""
    read = (sys.executable, "-m", "wireproof", name, str(capture), "--format", "ndjson")
    return *read, "--jobs", str(jobs), "-o", os.devnull


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.processes", description=__doc__)
    parser.add_argument("workload", nargs="?", default="k", choices=WORKLOADS)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--command", default="decode", choices=("decode", "explain"))
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="wireproof-bench-") as folder:
        capture = make(chosen.workload, Path(folder))
        size = capture.stat().st_size
        results = compare(
            {str(jobs): command(chosen.command, capture, jobs) for jobs in (1, 2)}, chosen.rounds
        )
    one, two = results["1"], results["2"]
    print(
        f"{chosen.command} of ({chosen.workload}), {size / 1e6:,.0f} MB:"
        f" one process {one.wall:.2f} s, {one.cpu:.2f} s of a processor, {one.peak_mib:.0f} MiB;"
        f" two {two.wall:.2f} s ({two.wall / one.wall:.2f}x, aim {WALL}),"
        f" {two.cpu:.2f} s of processors ({two.cpu / one.cpu:.2f}x, aim {CPU});"
        f" load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
