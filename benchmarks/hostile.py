"""``python -m benchmarks.hostile``: what small captures that are made to do harm cost.

Each case is made by itself, and read by each command as a whole process. Printed are the highest
resident memory, and the processor's time for each captured byte: both must not depend on what a
capture holds. ``--page docs/security.md`` measures what its tables show and writes them there, all
in one run, two commands at a time: that takes half an hour of two processors that have nothing else
to do.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from .hostile_cases import CASES, MiB
from .hostile_page import PLAN, Cell, Column, tables, written
from .measure import Failed, Run, run, run_alone
from .packets import write
from .workloads import timed

WIREPROOF = (sys.executable, "-m", "wireproof")
COUNT = "SELECT connection, count(*) FROM elements GROUP BY ALL"
COMMANDS = {
    "decode": ("decode", "{capture}", "--format", "ndjson"),
    "no-data": ("decode", "{capture}", "--format", "ndjson", "--no-data"),
    "json": ("decode", "{capture}", "--format", "json"),
    "csv": ("decode", "{capture}", "--format", "csv"),
    "table": ("decode", "{capture}", "--format", "table"),
    "devtools": ("decode", "{capture}", "--view", "devtools"),
    "wireshark": ("decode", "{capture}", "--view", "wireshark"),
    "ls": ("ls", "{capture}"),
    "explain": ("explain", "{capture}"),
    "hops": ("hops", "{capture}", "{capture}"),
    "latency": ("latency", "{capture}"),
    "follow": ("follow", "{capture}", "--connection", "0"),
    "diff": ("diff", "{capture}", "{capture}"),
    "query": ("query", "{capture}", COUNT),
    "data-set": ("export", "{capture}", "--data", "-o", "{folder}/set/"),
    "har": ("export", "{capture}", "--format", "har", "-o", "{folder}/out.har"),
    "redacted-har": ("export", "{capture}", "--redact", "-o", "{folder}/out.har"),
    "export-csv": ("export", "{capture}", "--format", "csv", "-o", "{folder}/out.csv"),
    "parquet": ("export", "{capture}", "--format", "parquet", "-o", "{folder}/out.parquet"),
    "plot": ("plot", "{capture}", "-o", "{folder}/out.svg"),
    "annotate": ("annotate", "{capture}", "-o", "{folder}/out.pcapng"),
    "redact": ("redact", "{capture}", "-o", "{folder}/out.pcapng"),
    "report": ("report", "{capture}", "-o", "{folder}/out.html"),
    "compare": ("compare", "{capture}"),
    "view": ("view", "{capture}"),
    "metrics": ("metrics", "{capture}"),
}
IN_PROCESS = ("view", "metrics")
"""What the benchmark runs by itself: it needs a browser, or a recording."""
ANSWERED = (0, 1)
"""Exit codes of a command that is done: of 1 the answer is no."""


def measure(command: str, capture: Path, folder: Path) -> Run:
    """Run a command on a capture; raises Failed. Of what starts others, what it took itself."""
    words = [word.format(capture=capture, folder=folder) for word in COMMANDS[command]]
    if command in IN_PROCESS:
        return run([sys.executable, "-m", "benchmarks.in_process", *words])
    if command == "compare":
        return run_alone([*WIREPROOF[1:], *words], ANSWERED)
    return run([*WIREPROOF, *words], ANSWERED)


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--command", action="append", choices=COMMANDS, help="all by default")
    parser.add_argument("--connections", type=int, help="of each case, other than by default")
    parser.add_argument("--page", type=Path, help="measure the tables of this page, and write them")
    parser.add_argument("--jobs", type=int, default=2, help="commands at a time (%(default)s)")
    asked = parser.parse_args()
    if asked.page:
        columns = [column for plan in PLAN for column in plan]
    else:
        commands = tuple(asked.command or COMMANDS)
        columns = [Column(one, commands, asked.connections) for one in asked.cases or CASES]
    found = dict(measured(columns, asked.jobs))
    if asked.page:
        asked.page.write_text(written(asked.page.read_text(), tables(found)))
    Console().print(table(found))


def measured(columns: Iterable[Column], jobs: int) -> Iterable[tuple[Column, dict[str, Cell]]]:
    """Yield what each command took of each case."""
    with TemporaryDirectory() as name, ThreadPoolExecutor(jobs) as pool:
        for column in columns:
            capture = Path(name) / f"{column.case}.pcapng"
            write(capture, timed(CASES[column.case].make(column.connections)))

            def one(command: str, column: Column = column, capture: Path = capture) -> Cell:
                found = cell(command, capture)
                print(f"{column.title} {command}: {found}", file=sys.stderr, flush=True)
                return found

            cells = dict(zip(column.commands, pool.map(one, column.commands), strict=True))
            yield column._replace(size=capture.stat().st_size), cells
            capture.unlink()


def cell(command: str, capture: Path) -> Cell:
    """Return what a command took of a capture, with a folder of its own for what it writes."""
    with TemporaryDirectory() as folder:
        try:
            found = measure(command, capture, Path(folder))
        except Failed as error:
            return Cell(failure=str(error)[-60:])
    return Cell(found.peak_mib, found.cpu / capture.stat().st_size * 1e9)


def table(found: dict[Column, dict[str, Cell]]) -> Table:
    """Return what was found: a row for each command."""
    shown = Table("command", *(f"{one.title}: {one.size / MiB:.1f} MiB" for one in found))
    for command in COMMANDS:
        cells = [cells.get(command) for cells in found.values()]
        if any(cells):
            shown.add_row(command, *("" if one is None else str(one) for one in cells))
    return shown


if __name__ == "__main__":
    main()
