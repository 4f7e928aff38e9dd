"""Captures as tables: Arrow in memory, a data set of Parquet files on a disk or in a store.

    from wireproof.tables import read
    batches = read("capture.pcapng", "exchanges")

Strategy: one pure function, :func:`.reading.read`, makes record batches of a capture; a data set is
what it gives of many, a file for each table of each part (:mod:`.dataset`), by one process or by
many (:mod:`.cluster`). Which columns there are, :mod:`.kinds` takes from the types of records.
:func:`.frames.dask` gives a table to Dask.
"""

from __future__ import annotations

from .frames import dask
from .kinds import KINDS, USUAL, Kind, schema
from .reading import TableOptions, read

__all__ = ["KINDS", "USUAL", "Kind", "TableOptions", "dask", "read", "schema"]
