"""Captures in the formats of other programs: HAR for browsers, Parquet and CSV for tables.

Strategy: a file is decoded batch by batch, records lose their secrets (:mod:`..redact`) before
anything else sees them, and each format writes what it is given. Formats are imported when they are
asked for: Parquet needs pyarrow, of the extra ``parquet``.
"""

from __future__ import annotations

from typing import Literal

ExportFormat = Literal["har", "csv", "parquet"]

SUFFIXES: dict[str, ExportFormat] = {".har": "har", ".csv": "csv", ".parquet": "parquet"}
"""The format that an output's name asks for."""
