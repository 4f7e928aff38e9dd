"""Which hop held, changed or lost what.

Each case is compared twice: by the one capture that saw all legs, and by a capture a leg. Delays are
compared with the logs, from what the application wrote to what the client read, of which the hops
are the greatest part.
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
    return [_compare(truth, paths) for paths in captures(truth)]


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


def _compare(truth: Truth, paths: Sequence[Path]) -> Outcome:
    report = report_on(paths)
    worst = report.worst
    codes = tuple(one.code for one in worst.verdict.causes) if worst else ()
    wanted = [] if truth.cause in NOT_CAUSES else [truth.cause]
    expected = truth.expected["verdict"]
    return Outcome(
        truth.name if len(paths) == 1 else f"{truth.name}, a capture a leg",
        expected,
        worst.verdict.answer if worst else "",
        find_cause(wanted, codes),
        codes,
        tuple(_errors(truth, worst, len(paths) > 1)) if worst else (),
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
