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


def test_the_schema_of_hops_is_fresh_and_described() -> None:
    assert WRITTEN["HOPS_SCHEMA"].read_text() == WRITTEN["hops_text"]()
    found = WRITTEN["schema"](WRITTEN["HopsFound"], "hops", WRITTEN["HOPS_DESCRIBED"])
    assert set(found["$defs"]) == set(WRITTEN["HOPS_DESCRIBED"])
