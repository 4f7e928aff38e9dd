"""Moments as people and other programs write them; a capture may claim any time at all."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

OUT_OF_RANGE = "out of range"
LATEST = datetime.max.replace(tzinfo=UTC)
"""Stands for what is later than any calendar goes: the last microsecond of the year 9999."""
MICROSECONDS = (-62_135_596_800_000_000, 253_402_300_799_999_999)
"""The first and the last that a calendar has, since the epoch: of the years 1 to 9999. What reads a
column of times, as Python and pandas do, fails at any other."""


def moment(seconds: float, zone: tzinfo | None = UTC) -> datetime | None:
    """Return a time of a capture, None if no calendar has it; ``zone`` None is the local one."""
    try:
        return datetime.fromtimestamp(seconds, zone)
    except (ValueError, OverflowError, OSError):  # by how far it is out of range, and the system
        return None


def clock(seconds: float, form: str = "%H:%M:%S.%f", zone: tzinfo | None = UTC) -> str:
    """Return the time of day, in UTC unless ``zone`` is another."""
    when = moment(seconds, zone)
    return OUT_OF_RANGE if when is None else when.strftime(form)


def timestamp(seconds: float) -> str:
    """Return a time as ISO 8601 has it, to the microsecond, and LATEST for what is out of range."""
    when = moment(seconds) or LATEST
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
