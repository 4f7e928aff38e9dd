"""The tables of ``docs/security.md``: their cases and commands, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .hostile_cases import CASES, MiB
from .verdicts.report import put

SHOWN = {
    "decode": "`decode`",
    "ls": "`ls`",
    "explain": "`explain`",
    "hops": "`hops`, of twice the same",
    "latency": "`latency`",
    "follow": "`follow`",
    "diff": "`diff`, of twice the same",
    "query": "`query`",
    "data-set": "`export` (data set)",
    "parquet": "`export` (Parquet)",
    "har": "`export` (HAR)",
    "redact": "`redact`",
    "annotate": "`annotate`",
    "report": "`report`",
    "plot": "`plot`",
    "compare": "`compare`",
    "view": "`view`",
    "metrics": "`metrics`",
}
"""The commands of the tables, as they are named there."""
ALL = tuple(SHOWN)
HOLDING = ("decode", "ls", "data-set", "har", "redact", "report", "view")
"""Those that hold the most of what takes its size from many bytes and not from what they unfold to:
the others take what ``ls`` does."""
BY = "python -m benchmarks.hostile --page docs/security.md"


class Column(NamedTuple):
    """A case as a table shows it, and by which commands it is read."""

    case: str
    commands: tuple[str, ...] = ALL
    asked: int | None = None
    """Connections, where it is not as many as by default."""
    size: int = 0
    """Bytes of the capture, once it was made."""

    @property
    def connections(self) -> int:
        return self.asked or CASES[self.case].connections

    @property
    def title(self) -> str:
        usual = CASES[self.case]
        return usual.what.replace(f"{usual.connections:,}", f"{self.connections:,}", 1)


class Cell(NamedTuple):
    """What a command took of a case."""

    peak_mib: float = 0.0
    nanoseconds: float = 0.0
    """Of the processor, for each captured byte."""
    failure: str = ""

    def __str__(self) -> str:
        if self.failure:
            return f"failed: {self.failure}"
        return f"{self.peak_mib:.0f} MiB, {self.nanoseconds:,.0f} ns/B"

    @property
    def short(self) -> str:
        """Both figures, as a table says them."""
        return self.failure or f"{self.peak_mib:.0f}, {self.nanoseconds:,.0f}"


PLAN: tuple[tuple[Column, ...], ...] = (
    tuple(
        map(
            Column,
            (
                *("brotli-streams", "brotli-bombs", "open-messages", "whole-messages"),
                *("long-events", "small-bombs", "gzip-members"),
            ),
        )
    ),
    (
        *(Column("connections", asked=16_000), Column("connections"), Column("streams")),
        Column("fragments"),
    ),
    tuple(
        Column(case, HOLDING)
        for case in ("open-chunks", "open-heads", "holes", "small-holes", "tls-records")
    ),
)
"""The tables, each of these columns."""
NAMES = ("unfolding", "open", "bytes")
"""What the tables are called in the page."""


def tables(found: Mapping[Column, Mapping[str, Cell]]) -> list[str]:
    """Return the tables as Markdown, in the order of :data:`PLAN`."""
    by_title = {column.title: (column, cells) for column, cells in found.items()}
    return [_table([by_title[one.title] for one in plan]) for plan in PLAN]


def _table(columns: Sequence[tuple[Column, Mapping[str, Cell]]]) -> str:
    titles = [f"{column.title}, {column.size / MiB:.1f} MiB" for column, _ in columns]
    lines = [["MiB, ns", *titles], ["---"] * (len(columns) + 1)]
    for command, name in SHOWN.items():
        cells = [cells.get(command) for _, cells in columns]
        if any(cells):
            lines.append([name, *("" if one is None else one.short for one in cells)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def written(page: str, found: Sequence[str]) -> str:
    """Return the page with these tables in it."""
    for name, text in zip(NAMES, found, strict=True):
        page = put(page, name, text, BY)
    return page
