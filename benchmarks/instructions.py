"""``python -m benchmarks.instructions``: machine instructions, which do not depend on the day.

Two whole processes are counted by valgrind: one that decodes next to nothing, which is what
starting takes, and one that decodes a small capture of every usual kind. What the second takes more
is the decoding. Both counts are compared with those that are stored for this Python: one that has
grown by more than TOLERANCE ends this with exit code 1, so that a slow-down is seen in the change
that makes it. ``--store`` stores what is counted, with the change that means it.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from .packets import write
from .workloads import interleaved, json_connection, sse_connection, timed, websocket_connection

STORED = Path(__file__).with_suffix(".json")
TOLERANCE = 0.05
COUNT = re.compile(r"== Collected : (\d+)")
SETTLED = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": ""}
"""Sets and dictionaries are laid out by hashes; and bytecode is kept, as for whoever has
installed the command."""


def python() -> str:
    """Name what runs: another compiler makes other instructions of the same Python."""
    minor = ".".join(platform.python_version_tuple()[:2])
    return f"{platform.python_implementation()} {minor}, {platform.python_compiler()}, " + (
        f"{platform.machine()}"
    )


def small() -> Iterator[bytes]:
    """What most captures hold: events, WebSockets, and short exchanges with JSON."""
    return chain(
        interleaved([sse_connection(number, 150) for number in range(4)]),
        interleaved([websocket_connection(number, 150) for number in range(4, 6)]),
        interleaved([json_connection(number, 3) for number in range(6, 26)]),
    )


def decoding(capture: Path) -> tuple[str, ...]:
    """Return the command that is counted: one process, which is nobody's child."""
    return (
        *(sys.executable, "-m", "wireproof", "decode", str(capture)),
        *("--keep-rights", "--jobs", "1", "--format", "ndjson", "-o", os.devnull),
    )


def counted(capture: Path) -> int:
    """Return the instructions that decoding a capture takes."""
    done = subprocess.run(
        ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *decoding(capture)),
        env=os.environ | SETTLED,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode or (found := COUNT.search(done.stderr)) is None:
        raise SystemExit(f"nothing was counted: {done.stderr[-400:]}")
    return int(found[1])


def measure(folder: Path) -> dict[str, int]:
    """Return the instructions of starting, and of decoding."""
    paths = folder / "nothing.pcapng", folder / "small.pcapng"
    for path, frames in zip(paths, (interleaved([json_connection(0, 1)]), small()), strict=True):
        write(path, timed(frames))
    # What has not been compiled yet is now.
    subprocess.run(decoding(paths[1]), env=os.environ | SETTLED, check=True)
    start, whole = map(counted, paths)
    return {"start": start, "decode": whole - start}


def grown(stored: dict[str, int], found: dict[str, int]) -> list[str]:
    """Return what takes more than is stored, beyond what is tolerated."""
    return [
        f"{name}: {count:,} instructions, {count / stored[name] - 1:+.1%}"
        for name, count in found.items()
        if count > stored[name] * (1 + TOLERANCE)
    ]


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--store", action="store_true", help="store what is counted")
    options = parser.parse_args()
    stored: dict[str, dict[str, int]] = json.loads(STORED.read_text())
    with TemporaryDirectory(prefix="wireproof-instructions-") as folder:
        found = measure(Path(folder))
    before = stored.get(python())
    for name, count in found.items():
        change = "" if before is None else f" ({count / before[name] - 1:+.1%})"
        print(f"{name}: {count:,} instructions{change}")
    if options.store:
        stored[python()] = found
        STORED.write_text(json.dumps(stored, indent=2) + "\n")
    elif before is None:
        print(f"none are stored for {python()}: --store stores them")
    elif said := grown(before, found):
        sys.exit("\n".join(("slower than what is stored:", *said)))


if __name__ == "__main__":
    main()
