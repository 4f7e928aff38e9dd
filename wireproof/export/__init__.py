"""Captures in the formats of other programs: HAR for browsers, Parquet and CSV for tables.

Strategy: a file is decoded batch by batch, records lose their secrets (:mod:`..redact`) before
anything else sees them, and each format writes what it is given. Formats are imported when they are
asked for: Parquet needs pyarrow, of the extra ``parquet``.
"""

from __future__ import annotations

from typing import Literal

from ..output import format_by_ending

ExportFormat = Literal["har", "csv", "parquet"]

ENDINGS: dict[str, ExportFormat] = {
    ".har": "har",
    ".json": "har",  # which HAR is
    ".csv": "csv",
    ".parquet": "parquet",
}
"""The format that an output's name asks for."""


def format_of(output: str | None) -> ExportFormat:
    """Return the format that an output's name asks for: HAR if it has no ending, or no name.

    Raises ValueError for any other ending.
    """
    return format_by_ending(output, ENDINGS, "har")
