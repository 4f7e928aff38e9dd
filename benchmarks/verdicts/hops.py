"""Which hop held, changed or lost what.

Each case is compared twice: by the one capture that saw all legs, and by a capture a leg. What the
hops of an element added together is held against the logs: it lies within what passed from writing
to reading. And what was added by two clocks is held against what was by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wireproof import decode
from wireproof.analysis.hops.report import Judged, Report, hops

from .outcome import Outcome, find_cause, wrong_time
from .truth import Truth

LEGS = ("client", "middle", "server")
EXACT = ("pattern", "released_per_flush", "aligned", "ttfe_grows", "gaps_shrink", "lost_events")
TRUE = ("rechunked", "header_hold", "rewritten")
MAX_ERROR = 0.001
"""Seconds by which a hop's delay may be off, besides what reading and writing takes."""
NOT_CAUSES = frozenset(("none",))


def concerns(truth: Truth) -> bool:
    """Whether a case says something of this."""
    return truth.family == "hop"


def check(truth: Truth) -> list[Outcome]:
    """Compare the hops of each set of captures that saw the case."""
    reports = [(paths, report_on(paths)) for paths in captures(truth)]
    exact = next((added(report) for paths, report in reports if len(paths) == 1), [])
    return [_compare(truth, paths, report, exact) for paths, report in reports]


def added(report: Report) -> list[float]:
    """Return what each hop added to each element, in seconds, hop after hop."""
    return [seconds for judged in report.hops for seconds in judged.hop.down.added]


def captures(truth: Truth) -> list[list[Path]]:
    """Return each set of captures that saw all legs."""
    legs = [path for path in truth.files if _leg(path)]
    whole = [[path] for path in truth.files if not _leg(path)]
    return [*whole, *([sorted(legs, key=lambda path: LEGS.index(_leg(path)))] if legs else [])]


def _leg(path: Path) -> str:
    part = path.name.split(".")[-2]
    return part if part in LEGS else ""


def report_on(paths: Sequence[Path]) -> Report:
    """Return what is said of the hops between captures."""
    return hops((path.name, decode(path)) for path in paths)


def _compare(
    truth: Truth, paths: Sequence[Path], report: Report, exact: Sequence[float]
) -> Outcome:
    worst = report.worst
    codes = tuple(one.code for one in worst.verdict.causes) if worst else ()
    wanted = [] if truth.cause in NOT_CAUSES else [truth.cause]
    expected = truth.expected["verdict"]
    errors = _errors(truth, worst, len(paths) > 1) if worst else []
    errors += _wrong_delays(truth, report, exact)
    return Outcome(
        truth.name if len(paths) == 1 else f"{truth.name}, a capture a leg",
        expected,
        worst.verdict.answer if worst else "",
        find_cause(wanted, codes),
        codes,
        tuple(errors),
        is_control=expected == "transparent",
        is_alarm=report.is_fault,
    )


def _errors(truth: Truth, worst: Judged, has_clocks: bool) -> list[str]:
    numbers, expected = worst.verdict.numbers, truth.expected
    found = [
        f"{name}: {numbers.get(name)}, {expected[name]} expected"
        for name in EXACT
        if name in expected and numbers.get(name) != expected[name]
    ]
    found += [f"{name} is not seen" for name in TRUE if expected.get(name) and not numbers[name]]
    for name in ("period_ms", "added_ms"):
        if name in expected:
            found.append(wrong_time(name, expected[name], _seconds(numbers, name)) or "")
    if numbers.get("max_added_ms", 0.0) > expected.get("max_added_ms", float("inf")):
        found.append(f"max_added_ms: {numbers['max_added_ms']:.1f}")
    if has_clocks:
        found += _wrong_clock(expected, numbers)
    return [one for one in found if one]


def _seconds(numbers: Mapping[str, Any], name: str) -> float | None:
    return numbers[name] / 1e3 if isinstance(numbers.get(name), int | float) else None


def _wrong_clock(expected: Mapping[str, Any], numbers: Mapping[str, Any]) -> list[str]:
    found = []
    if "clock_offset_s" in expected:
        error = abs(numbers["clock_offset"] - expected["clock_offset_s"])
        if error > numbers["clock_uncertainty"] + MAX_ERROR:
            found.append(f"clock_offset: off by {error * 1e3:.1f} ms")
    if "drift_ppm" in expected:
        error = abs(numbers["drift_ppm"] - expected["drift_ppm"])
        if error > 0.05 * expected["drift_ppm"]:
            found.append(f"drift: off by {error:.0f} ppm")
    return found


def _wrong_delays(truth: Truth, report: Report, exact: Sequence[float]) -> list[str]:
    found = added(report)
    off = max((abs(one - two) for one, two in zip(found, exact, strict=True)), default=0.0)
    errors = [f"a delay is off by {off * 1e3:.1f} ms"] if off > MAX_ERROR else []
    logged = truth.said.get("added_ms_write_to_read")
    if logged and len(report.passed) == 1:
        whole = [sum(every) for every in zip(*(_by_hop(report)), strict=True)]
        more = max(one - two / 1e3 for one, two in zip(whole, logged, strict=True))
        if more > MAX_ERROR:
            errors.append(f"hops added {more * 1e3:.1f} ms more than passed")
    return errors


def _by_hop(report: Report) -> list[Sequence[float]]:
    return [judged.hop.down.added for judged in report.hops]
