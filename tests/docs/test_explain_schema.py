"""The schema of ``explain --format json`` is what the source says."""

from __future__ import annotations

import runpy
from typing import Any

from support.corpus import ROOT

WRITTEN: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "explain_schema.py"))


def test_the_schema_is_fresh() -> None:
    assert WRITTEN["SCHEMA"].read_text() == WRITTEN["text"]()


def test_every_object_of_it_is_described() -> None:
    assert set(WRITTEN["schema"]()["$defs"]) == set(WRITTEN["DESCRIBED"])
