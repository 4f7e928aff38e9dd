"""What became of one case: the answer beside the expected one, the causes, the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

CauseFound = Literal["first", "contained", "missing", ""]
"""Where the expected cause stands among ours; empty if none is expected."""
NEAR_SECONDS = 0.010
NEAR_SHARE = 0.05
"""A time is right within the larger of the two."""


@dataclass(frozen=True)
class Outcome:
    """One comparison."""

    name: str
    """Of the case."""
    expected: str
    answer: str
    """Empty if the question did not arise."""
    cause: CauseFound = ""
    causes: tuple[str, ...] = ()
    """Ours, the likeliest first."""
    errors: tuple[str, ...] = field(default=())
    """Figures that are wrong, in words."""
    is_control: bool = False
    """Whether nothing is wrong in it: anything that is said against it is a false alarm."""
    is_alarm: bool = False
    """Whether something is said against it."""

    @property
    def is_right(self) -> bool:
        """Whether the answer is the expected one."""
        return self.expected == self.answer

    @property
    def is_false_alarm(self) -> bool:
        return self.is_control and self.is_alarm

    @property
    def is_wrong(self) -> bool:
        """Whether anything of it is not as it should be."""
        bad = bool(self.errors) or self.is_false_alarm or self.cause == "missing"
        return bad or not self.is_right

    def __str__(self) -> str:
        said = f"{self.name}: {self.answer or 'nothing'} ({self.expected} expected)"
        parts = [said, f"causes {', '.join(self.causes) or 'none'}" if self.cause else ""]
        parts += [*self.errors, "FALSE ALARM" if self.is_false_alarm else ""]
        return "; ".join(part for part in parts if part)


def find_cause(expected: Sequence[str], found: Sequence[str]) -> CauseFound:
    """Say where the cause that is expected stands: of several any will do as the first."""
    if not expected:
        return ""
    if found and found[0] in expected:
        return "first"
    return "contained" if set(expected) & set(found) else "missing"


def wrong_time(name: str, expected_ms: float | str, seconds: object) -> str | None:
    """Say that a figure is off, None if it is near enough; ``"200 to 260"`` is a range."""
    if not isinstance(seconds, int | float):
        return f"{name}: no figure, {expected_ms} ms expected"
    low, high = _bounds(expected_ms)
    slack = max(NEAR_SECONDS, NEAR_SHARE * seconds)
    if low / 1000 - slack <= seconds <= high / 1000 + slack:
        return None
    return f"{name}: {seconds * 1000:.1f} ms, {expected_ms} ms expected"


def _bounds(expected_ms: float | str) -> tuple[float, float]:
    if isinstance(expected_ms, str):
        low, _, high = expected_ms.partition(" to ")
        return float(low), float(high)
    return float(expected_ms), float(expected_ms)
