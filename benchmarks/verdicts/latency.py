"""Latency metrics beside those of the app's own log, by each definition.

The log says when the app wrote, the capture when the kernel sent: they lie 0.3 ms apart here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wireproof.analysis.latency.definitions import FAMILIES, Family, Value, measure
from wireproof.analysis.latency.times import Times, times_of

from .outcome import Outcome
from .truth import Truth, explained

OURS: Mapping[str, Family] = {"wireproof": "wire", **{name: name for name in FAMILIES}}
"""Our name for each definition of a truth."""
NEAR_MS = 1.0
COUNTS = ("output_tokens", "content_events", "tokens_per_event")


def concerns(truth: Truth) -> bool:
    """Whether a case says something of this."""
    return "metrics_ms" in truth.expected


def check(truth: Truth) -> list[Outcome]:
    """Compare every metric of the leg where the app is: its log is the truth."""
    times = _app_leg(truth)
    if times is None:
        return [Outcome(truth.name, "measured", "")]
    expected = truth.expected["metrics_ms"]
    errors = [error for name in COUNTS for error in _wrong_count(name, expected[name], times)]
    for theirs, metrics in expected.items():
        if isinstance(metrics, dict):
            found = measure(times, OURS[theirs])
            for name, value in metrics.items():
                errors += _wrong(f"{theirs} {name}", value, found.get(name))
    return [Outcome(truth.name, "measured", "measured", errors=tuple(errors), is_control=True)]


def _app_leg(truth: Truth) -> Times | None:
    """Return the times of the exchange whose content came first: of a chain, the app's."""
    found = (times_of(one.trace) for path in truth.files for one in explained(path))
    known = [times for times in found if times is not None]
    return min(known, key=lambda times: times.contents[0], default=None)


def _wrong_count(name: str, expected: float, times: Times) -> Iterator[str]:
    found = {
        "output_tokens": times.tokens,
        "content_events": len(times.contents),
        "tokens_per_event": times.tokens_per_event,
    }[name]
    if abs(found - expected) > 0.005:
        yield f"{name}: {found}, {expected} expected"


def _wrong(name: str, expected: Any, found: Value) -> Iterator[str]:
    theirs = expected if isinstance(expected, list) else [expected]
    ours = [found] if isinstance(found, float | int) else list(found or ())
    if len(theirs) != len(ours):
        yield f"{name}: {len(ours)} values, {len(theirs)} expected"
        return
    worst = max((abs(a - b * 1000) for a, b in zip(theirs, ours, strict=True)), default=0.0)
    if worst > NEAR_MS:
        yield f"{name}: {worst:.1f} ms off"
