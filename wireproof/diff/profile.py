"""What a run came to, as much of it as a comparison needs: small enough for a repository.

Strategy: exchanges of one method and target (without its query) are one group. Of a group there
are counts of what was said of its exchanges, and samples of times, in order and thinned to
MAX_SAMPLES by taking each n-th: so their spread stays. Packets are counted over the whole run.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from ..analysis.arrivals import SHORTEST_WAIT, WAIT
from ..tables.faulty import Faulty
from .change import BURSTS, COUNT, FAILED, FAILED_OR_CUT, NEW_CONNECTION, Example
from .statistics import stalls_together
from .worst import Worst

FORMAT = 1
LISTS = re.compile(rb"\[\n([-+.eE0-9,\s]*)\]")
"""A list of numbers in JSON that is indented: strings have no line ends."""
MAX_GROUPS = 10_000
OTHERS = "other targets"
MAX_SAMPLES = 2_000
"""Values of one metric of one group that are kept."""
MAX_LONGEST = 200
"""Of these, those of which it is known when they were: the longest ones."""
OF_ONE = ("capture", "connection", "exchange")
"""Whose verdicts they are, which stand together: what is said several times counts once."""
STEP = 2_048
"""Rows that are objects at a time: they take some KiB each."""
METRICS = ("first_token", "first", "last", "gap_p50", "gap_max", "headers_after")
"""Times of an exchange, in seconds, of which more is worse."""
BEHIND = "is_behind_proxy"
"""The column that tells the legs of an exchange apart; a data set of an older version has none."""
READ: dict[str, list[str]] = {
    "connections": ["capture", "connection", "first_packet", "packets", "retransmissions"],
    "exchanges": [
        *(*OF_ONE, "first_packet", "method", "target", "status", "count", "end", "start_time"),
        *(*METRICS, "gap_max_after", "not_recorded", BEHIND),
    ],
    "verdicts": [
        *(*OF_ONE, "question", "answer", "method", "target", "is_fault", "numbers", "packets"),
        BEHIND,
    ],
}
"""The columns that are read of each table, those of them that it has."""
UNKNOWABLE = "unknowable"
"""How an exchange ended of which the capture lacks bytes."""
GOOD_ENDS = frozenset(("whole", "ws-clean", "open", "close-notify"))
HELD = 0.25
"""An answer that came in a smaller part of the time that its first element took was held, if no gap
in it was a wait."""
IN_PART = ("gap_p50", "gap_max", COUNT)
"""What is known of the part that a capture has, and not of all of an exchange."""
WAITS = frozenset(("first_token", "first", "headers_after"))
"""METRICS that begin with the request; the others are as long as their longest gap makes them."""


class Long(NamedTuple):
    """A time that is among the longest, and when it was, in seconds since the epoch."""

    value: float
    start: float
    end: float


class _Gap(msgspec.Struct):
    """What is read of the numbers of a verdict on a gap."""

    from_packet: int | None = None
    to_packet: int | None = None
    seconds: float | None = None


GAPS: msgspec.json.Decoder[_Gap] = msgspec.json.Decoder(_Gap)


class Group(msgspec.Struct, frozen=True, omit_defaults=True):
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
    opened: int | None = None
    """Exchanges that were the first of their connections; null in older baselines, as the next."""
    failed_or_cut: int | None = None
    """Those that failed, or did not end as they should."""
    longest: dict[str, list[Long]] = {}
    """The longest of METRICS, in no order; a stored baseline has none."""
    stalls: dict[str, int] = {}
    """Of faults that are gaps: how many stalls explain all of them; a baseline has none."""
    apart: dict[str, int] = {}
    """How many of these count where each stall of several requests counts once."""
    bursts: int | None = None
    """Of how many most elements came together with the one before, and some not; null in older
    baselines."""
    lacking: int = 0
    """Of how many the capture lacks bytes: how many elements came is not known."""
    unknown: int = 0
    """Those of them of which it is not known how they ended."""
    untimed: dict[str, int] = {}
    """Of METRICS and COUNT: of how many it is not known, or in part, for that reason."""
    worst: dict[str, list[Example]] = {}
    """The few with most of what is compared, the worst first; a stored baseline has none."""


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run."""

    format: int
    groups: dict[str, Group]
    packets: int
    retransmissions: int
    faults: dict[str, int] = {}
    """How many captures are not whole, by codes of diagnostics."""
    incomplete: dict[str, list[str]] = {}
    """The first of them by name, with their codes; a stored baseline names none."""
    behind: int = 0
    """How many exchanges are left out: a proxy asked them for a client whose own ones count."""
    resent: list[Example] = []
    """The connections of most retransmissions; a stored baseline has none."""

    @property
    def exchanges(self) -> int:
        """How many count."""
        return sum(group.exchanges for group in self.groups.values())


@dataclass
class _Gathered:
    exchanges: int = 0
    failed: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    counts: list[float] = field(default_factory=list)
    times: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in METRICS})
    opened: int = 0
    failed_or_cut: int = 0
    bursts: int = 0
    lacking: int = 0
    unknown: int = 0
    untimed: Counter[str] = field(default_factory=Counter)
    longest: dict[str, list[Long]] = field(default_factory=lambda: {name: [] for name in METRICS})
    gaps: dict[str, list[tuple[str, float, float]]] = field(default_factory=dict)
    """Of faults that are gaps: of which capture, and between which packets."""
    worst: dict[str, Worst] = field(default_factory=lambda: defaultdict(Worst))

    def add(self, row: dict[str, Any]) -> None:
        """Take a row of the table of exchanges."""
        has_failed = (row["status"] or 0) >= 500
        is_lacking, end = _is_lacking(row), row["end"]
        if end == UNKNOWABLE:  # what the capture lacks, no server is blamed for
            self.unknown += 1
            end = ""
        self.exchanges += 1
        self.failed += has_failed
        self.opened += row["exchange"] == 0
        is_cut = bool(end) and end not in GOOD_ENDS
        self.failed_or_cut += has_failed or is_cut
        self.bursts += _is_in_bursts(row)
        self.lacking += is_lacking
        if not is_lacking:
            self.counts.append(float(row["count"]))
            self._worse(COUNT, row, -self.counts[-1], self.counts[-1])
        if end:
            self.endings[end] += 1
        self._behind(row, f"end: {end}" if is_cut else "", has_failed=has_failed)
        is_error = (row["status"] or 0) >= 400
        untold = set(METRICS) if is_error else _untold(row, is_cut=is_cut or is_lacking)
        if is_lacking and not is_error:
            self.untimed.update({*(n for n in METRICS if row[n] is None or n in untold), *IN_PART})
        for name in METRICS:
            if row[name] is not None and name not in untold:
                self.times[name].append(round(row[name], 6))
                self._keep(name, _long(name, row))
                self._worse(name, row, row[name], row[name])

    def _behind(self, row: dict[str, Any], end: str, *, has_failed: bool) -> None:
        """Keep an exchange for what it has, and others have not."""
        if end:
            self._worse(end, row)
        if has_failed:
            self._worse(FAILED, row)
        if end or has_failed:
            self._worse(FAILED_OR_CUT, row)
        if row["exchange"] == 0:
            self._worse(NEW_CONNECTION, row)
        if _is_in_bursts(row):
            self._worse(BURSTS, row, row["gap_max"], row["gap_max"])

    def _worse(
        self, what: str, row: dict[str, Any], much: float = 0.0, value: float | None = None
    ) -> None:
        self.worst[what].add(much, row, value, row["first_packet"])

    def _keep(self, name: str, one: Long) -> None:
        found = self.longest[name]
        if len(found) < MAX_LONGEST:
            heappush(found, one)
        else:
            heappushpop(found, one)

    def fault(self, row: dict[str, Any]) -> None:
        """Take a row of the table of verdicts."""
        name = f"{row['question']}: {row['answer']}"
        self.faults[name] += 1
        if row["question"] == "gap":
            numbers = GAPS.decode(row["numbers"] or "{}")
            packets = numbers.from_packet or 0, numbers.to_packet or 0
            self.gaps.setdefault(name, []).append((row["capture"], *packets))
            seconds = numbers.seconds or 0.0
            self.worst[name].add(seconds, row, numbers.seconds, packets[0])
        else:
            self.worst[name].add(0.0, row, None, next(iter(row["packets"]), 0))

    def group(self, apart: dict[str, int]) -> Group:
        times = {name: thinned(values) for name, values in self.times.items() if values}
        return Group(
            self.exchanges,
            dict(sorted(self.faults.items())),
            dict(sorted(self.endings.items())),
            self.failed,
            thinned(self.counts),
            times,
            self.opened,
            self.failed_or_cut,
            {name: found for name, found in self.longest.items() if found},
            {name: _stalls((*gap, 0) for gap in found)[0] for name, found in self.gaps.items()},
            apart,
            self.bursts,
            self.lacking,
            self.unknown,
            dict(sorted(self.untimed.items())),
            {name: found.examples() for name, found in sorted(self.worst.items())},
        )


def _is_lacking(row: dict[str, Any]) -> bool:
    """Whether the capture lacks something of an exchange: on a connection of HTTP/2 a hole may lie
    before or after all of it."""
    return row["end"] == UNKNOWABLE or (row.get("not_recorded") or 0) > 0


def _long(name: str, row: dict[str, Any]) -> Long:
    """Return a time of an exchange with when it was, as closely as is known."""
    value, asked = round(row[name], 6), row["start_time"]
    gap, after = row["gap_max"], row.get("gap_max_after")
    if name in WAITS or not gap or after is None:
        return Long(value, asked, asked + (value if name in WAITS else row["last"] or value))
    return Long(value, asked + after, asked + after + gap)


def _is_in_bursts(row: dict[str, Any]) -> bool:
    """Whether most elements of an exchange came together with the one before, after waits."""
    usual, longest = row["gap_p50"], row["gap_max"]
    return usual is not None and usual < SHORTEST_WAIT and longest >= WAIT


def _untold(row: dict[str, Any], *, is_cut: bool) -> set[str]:
    """Return which times say nothing of how fast an answer is: where they are told, what mends a
    fault seems to make it slower. One that was cut, or of which bytes are missing, has no last
    element, and one that was held, or came in bursts, no usual gap; a failed one has no times."""
    found = {"last"} if is_cut else set()
    first, last, usual = row["first"], row["last"], row["gap_p50"]
    if usual is None or usual >= SHORTEST_WAIT or first is None or last is None:
        return found
    if last - first < HELD * first and row["gap_max"] < WAIT:
        return found | {"gap_p50", "gap_max"}
    return found | {"gap_p50"} if _is_in_bursts(row) else found


def _stalls(gaps: Iterable[tuple[str, float, float, int]]) -> Counter[int]:
    """Return how many stalls explain gaps, of which each lies between packets of a capture, by the
    requests of which they are."""
    captures: dict[str, list[tuple[float, float, int]]] = {}
    for capture, *gap in gaps:
        captures.setdefault(capture, []).append((gap[0], gap[1], int(gap[2])))
    return sum(map(stalls_together, captures.values()), Counter[int]())


class Gathering:
    """Takes rows of the tables ``exchanges``, ``verdicts`` and ``connections``, in any order."""

    def __init__(self) -> None:
        self._groups: dict[str, _Gathered] = {}
        self._packets = self._retransmissions = self._behind = 0
        self._resent = Worst()
        self.faulty = Faulty()

    def add(self, kind: str, batch: Any) -> None:
        """Take a pyarrow.RecordBatch of a table."""
        if kind not in READ:
            return
        there = set(batch.schema.names)
        rows = _rows(batch.select([name for name in READ[kind] if name in there]))
        if kind == "connections":
            for row in rows:
                self._packets += row["packets"]
                self._retransmissions += (resent := row["retransmissions"])
                if resent:
                    self._resent.add(resent, row, resent, row["first_packet"])
        elif kind == "exchanges":
            for row in rows:
                self._add_exchange(row)
        else:
            self._add_verdicts(rows)

    def _add_exchange(self, row: dict[str, Any]) -> None:
        if row["method"] is None:
            return  # nothing to be matched by
        if row.get(BEHIND):
            self._behind += 1
        else:
            self._group(row).add(row)

    def _add_verdicts(self, rows: Iterable[dict[str, Any]]) -> None:
        faults = (row for row in rows if row["is_fault"] and _counts(row))
        for _, of_one in groupby(faults, itemgetter(*OF_ONE)):
            said = {(row["question"], row["answer"]): row for row in of_one}
            for row in said.values():  # an exchange may have several gaps of one kind
                self._group(row).fault(row)

    def _group(self, row: dict[str, Any]) -> _Gathered:
        name = f"{row['method']} {(row['target'] or '').partition('?')[0]}"
        if name not in self._groups and len(self._groups) >= MAX_GROUPS:
            name = OTHERS
        return self._groups.setdefault(name, _Gathered())

    def profile(self) -> Profile:
        apart = dict(zip(self._groups, self._apart(), strict=True))
        groups = {name: found.group(apart[name]) for name, found in sorted(self._groups.items())}
        faults = dict(sorted(self.faulty.codes.items()))
        named = self.faulty.captures
        return Profile(
            FORMAT,
            groups,
            self._packets,
            self._retransmissions,
            faults,
            named,
            self._behind,
            self._resent.examples(),
        )

    def _apart(self) -> list[dict[str, int]]:
        """Return of each request how many stalls of a kind it has, those of several only once."""
        groups = list(self._groups.values())
        apart: list[dict[str, int]] = [{} for _ in groups]
        for kind in {kind for found in groups for kind in found.gaps}:
            gaps = [(*gap, at) for at, one in enumerate(groups) for gap in one.gaps.get(kind, ())]
            found = _stalls(gaps)
            for at in {gap[-1] for gap in gaps}:
                apart[at][kind] = found[at]
        return apart


def _counts(row: dict[str, Any]) -> bool:
    """Whether a verdict is of an exchange that can be matched, and counts."""
    return row["method"] is not None and not row.get(BEHIND)


def _rows(batch: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a pyarrow.RecordBatch."""
    for start in range(0, batch.num_rows, STEP):
        yield from batch.slice(start, STEP).to_pylist()


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
    """Return a profile as JSON, a line for each fact of a group: so a change of it can be read."""
    groups = {
        name: replace(one, longest={}, stalls={}, apart={}, worst={})
        for name, one in profile.groups.items()
    }
    stored = msgspec.json.encode(replace(profile, groups=groups, incomplete={}, resent=[]))
    return LISTS.sub(_in_a_line, msgspec.json.format(stored, indent=1)) + b"\n"


def _in_a_line(found: re.Match[bytes]) -> bytes:
    return b"[" + b", ".join(found[1].replace(b",", b" ").split()) + b"]"
