"""How late an application noticed what was on the wire, or how early it wrote it.

Strategy: a log has a time for each element that its program read or wrote, in the order of the
stream; they are laid beside the elements of the capture one by one, and what is between them is
the skew: positive where the log is later than the wire, as a client's is. Both clocks have to be
one, or synchronised: a difference of clocks looks like a skew that all elements share.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from .report import Spread, spread

NAMES = ("t", "time", "timestamp", "ts", "at")
"""Fields of a JSON line that may hold its time."""
NUMBER = re.compile(r"[0-9]{1,19}(?:\.[0-9]+)?")
LATEST_SECONDS = 1e11
"""A number above it is no seconds since the epoch: then it is milli-, micro- or nanoseconds."""
MAX_TIMES = 1_000_000
"""Times of a log that are read."""


class Skew(NamedTuple):
    """What lies between a log and the wire, in seconds."""

    spread: Spread
    least: float
    unmatched: int
    """Elements of the longer one that the other has no counterpart of."""


def read_times(lines: Iterable[str]) -> list[float]:
    """Return the times of a log, in seconds since the epoch.

    A line is a number (seconds, or milli-, micro- or nanoseconds since the epoch), a date in ISO
    8601, or a JSON object with one of them in a field of NAMES. Blank lines are skipped. Raises
    ValueError that names the line.
    """
    found = list(_times(lines))
    if not found:
        raise ValueError("no time in it")
    return found


def _times(lines: Iterable[str]) -> Iterator[float]:
    read = 0
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        read += 1
        if read > MAX_TIMES:
            raise ValueError(f"line {number}: more than {MAX_TIMES:,} times")
        try:
            yield _time(text)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"line {number}: {error}") from error


def _time(text: str) -> float:
    value: object = text
    if text.startswith("{"):
        fields = json.loads(text)
        value = next((fields[name] for name in NAMES if name in fields), None)
        if value is None:
            raise ValueError(f"none of the fields {', '.join(NAMES)} is in it")
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(f"{value} has no offset to UTC")
        return moment.timestamp()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("its time is neither a number nor a date")
    seconds = float(value)
    while seconds > LATEST_SECONDS:
        seconds /= 1_000
    return seconds


def skew(wire: Sequence[float], log: Sequence[float]) -> Skew | None:
    """Return what lies between the times of a capture and of a log; None if one has none."""
    between = [there - here for here, there in zip(wire, log, strict=False)]
    found = spread(between)
    if found is None:
        return None
    return Skew(found, min(between), abs(len(wire) - len(log)))
