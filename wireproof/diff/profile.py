"""What a run came to, as much of it as a comparison needs: small enough for a repository.

Strategy: exchanges of one method and target (without its query) are one group. Of a group there
are counts of what was said of its exchanges, and samples of times, in order and thinned to
MAX_SAMPLES by taking each n-th: so their spread stays. Packets are counted over the whole run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..tables.faulty import Faulty

FORMAT = 1
MAX_GROUPS = 10_000
OTHERS = "other targets"
MAX_SAMPLES = 2_000
"""Values of one metric of one group that are kept."""
ONCE = ("capture", "connection", "exchange", "question", "answer")
"""What is said several times of one exchange counts once."""
METRICS = ("first_token", "first", "last", "gap_p50", "gap_max", "headers_after")
"""Times of an exchange, in seconds, of which more is worse."""
READ: dict[str, list[str]] = {
    "connections": ["packets", "retransmissions"],
    "exchanges": ["method", "target", "status", "count", "end", *METRICS],
    "verdicts": [*ONCE, "method", "target", "is_fault"],
}
"""The columns that are read of each table."""


class Group(msgspec.Struct, frozen=True):
    """The exchanges of one method and target."""

    exchanges: int
    faults: dict[str, int]
    """By question and answer, ``streaming: held``: of how many exchanges it is said as a fault."""
    endings: dict[str, int]
    """How they ended, in a word."""
    failed: int
    """Those with status 500 or more."""
    counts: list[float]
    """How many elements came, of each."""
    times: dict[str, list[float]]
    """Samples of METRICS, the shortest first."""


class Profile(msgspec.Struct, frozen=True):
    """A run."""

    format: int
    groups: dict[str, Group]
    packets: int
    retransmissions: int
    faults: dict[str, int] = {}
    """How many captures are not whole, by codes of diagnostics."""


@dataclass
class _Gathered:
    exchanges: int = 0
    failed: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    counts: list[float] = field(default_factory=list)
    times: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in METRICS})

    def group(self) -> Group:
        times = {name: thinned(values) for name, values in self.times.items() if values}
        return Group(
            self.exchanges,
            dict(sorted(self.faults.items())),
            dict(sorted(self.endings.items())),
            self.failed,
            thinned(self.counts),
            times,
        )


class Gathering:
    """Takes rows of the tables ``exchanges``, ``verdicts`` and ``connections``, in any order."""

    def __init__(self) -> None:
        self._groups: dict[str, _Gathered] = {}
        self._packets = self._retransmissions = 0
        self.faulty = Faulty()

    def add(self, kind: str, batch: Any) -> None:
        """Take a pyarrow.RecordBatch of a table."""
        if kind not in READ:
            return
        rows = batch.select(READ[kind]).to_pylist()
        if kind == "connections":
            self._packets += sum(row["packets"] for row in rows)
            self._retransmissions += sum(row["retransmissions"] for row in rows)
        elif kind == "exchanges":
            for row in rows:
                self._add_exchange(row)
        else:
            self._add_verdicts(rows)

    def _add_exchange(self, row: dict[str, Any]) -> None:
        if row["method"] is None:
            return  # nothing to be matched by
        found = self._group(row)
        found.exchanges += 1
        found.failed += (row["status"] or 0) >= 500
        found.counts.append(float(row["count"]))
        if row["end"]:
            found.endings[row["end"]] += 1
        for name in METRICS:
            if row[name] is not None:
                found.times[name].append(round(row[name], 6))

    def _add_verdicts(self, rows: Iterable[dict[str, Any]]) -> None:
        said = {
            tuple(row[name] for name in ONCE): row
            for row in rows
            if row["is_fault"] and row["method"] is not None
        }
        for row in said.values():  # an exchange may have several gaps of one kind
            self._group(row).faults[f"{row['question']}: {row['answer']}"] += 1

    def _group(self, row: dict[str, Any]) -> _Gathered:
        name = f"{row['method']} {(row['target'] or '').partition('?')[0]}"
        if name not in self._groups and len(self._groups) >= MAX_GROUPS:
            name = OTHERS
        return self._groups.setdefault(name, _Gathered())

    def profile(self) -> Profile:
        groups = {name: found.group() for name, found in sorted(self._groups.items())}
        faults = dict(sorted(self.faulty.codes.items()))
        return Profile(FORMAT, groups, self._packets, self._retransmissions, faults)


def thinned(values: Sequence[float]) -> list[float]:
    """Return values in order, MAX_SAMPLES of them at most, evenly over their ranks."""
    ordered = sorted(values)
    if len(ordered) <= MAX_SAMPLES:
        return ordered
    step = (len(ordered) - 1) / (MAX_SAMPLES - 1)
    return [ordered[round(number * step)] for number in range(MAX_SAMPLES)]


def decoded(data: bytes) -> Profile:
    """Return a profile that was stored. Raises ValueError for what is none."""
    try:
        found = msgspec.json.decode(data, type=Profile)
    except msgspec.MsgspecError as error:
        raise ValueError(f"no baseline of wireproof: {error}") from error
    if found.format != FORMAT:
        raise ValueError(f"a baseline of format {found.format}: this version has {FORMAT}")
    return found


def encoded(profile: Profile) -> bytes:
    """Return a profile as JSON, a line for each group, so that a change of it can be read."""
    return msgspec.json.format(msgspec.json.encode(profile), indent=1) + b"\n"
