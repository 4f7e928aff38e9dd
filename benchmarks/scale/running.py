"""``python -m benchmarks.scale.running decode|explain|export FOLDER``: one way through captures.

Each is a process of its own, so that its memory is its own: what the decoder gives, what the judges
say besides, and the data set of both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from parsers import decode_capture
from wireproof.analysis.outcomes import Outcomes
from wireproof.collector import collect_rarely
from wireproof.tables.exporting import ExportJob, run
from wireproof.tables.files import Capture, found
from wireproof.tables.reading import Opened, TableOptions

OPTIONS = TableOptions()
LIBRARIES = ("pyarrow", "pyarrow.compute", "pyarrow.parquet")
"""What an export loads, and costs as much however little is exported."""


def decode(capture: Capture) -> int:
    with Opened(capture, OPTIONS) as opened:
        return sum(map(len, decode_capture(opened.packets)))


def explain(capture: Capture) -> int:
    outcomes, count = Outcomes(with_measures=True), 0
    with Opened(capture, OPTIONS) as opened:
        for records in decode_capture(opened.packets, shows_records=True):
            count += sum(1 for _ in outcomes.add(records))
    return count + sum(1 for _ in outcomes.finish())


def export(folder: str) -> None:
    with TemporaryDirectory(prefix="wireproof-scale-") as place:
        run(ExportJob([folder], place, OPTIONS), print)


def each(way: Callable[[Capture], int], folder: str) -> None:
    for capture in found([folder]):
        way(capture)


def main(way: str, folder: str) -> None:
    collect_rarely()
    if way == "export":
        export(folder)
    elif way == "load":
        for name in LIBRARIES:
            import_module(name)
    elif way != "nothing":
        each({"decode": decode, "explain": explain}[way], folder)


if __name__ == "__main__":
    main(sys.argv[1], str(Path(sys.argv[2])))
