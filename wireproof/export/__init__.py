"""Captures in the formats of other programs: HAR for browsers, Parquet and CSV for tables.

Strategy: a file is decoded batch by batch, records lose their secrets (:mod:`..redact`) before
anything else sees them, and each format writes what it is given. Formats are imported when they are
asked for: Parquet needs pyarrow, of the extra ``parquet``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

ExportFormat = Literal["har", "csv", "parquet"]

SUFFIXES: dict[str, ExportFormat] = {
    ".har": "har",
    ".json": "har",  # which HAR is
    ".csv": "csv",
    ".parquet": "parquet",
}
"""The format that an output's name asks for."""


def format_of(output: str | None) -> ExportFormat:
    """Return the format that an output's name asks for: HAR if it has no suffix, or no name.

    Raises ValueError for any other suffix: what is called .xlsx should not hold HAR.
    """
    suffix = Path(output or "").suffix.lower()
    if suffix and suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise ValueError(f"{suffix} is not one of the formats {known}: name one with --format")
    return SUFFIXES.get(suffix, "har")
