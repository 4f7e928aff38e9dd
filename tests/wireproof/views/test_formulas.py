"""Cells that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import pytest
from support.attack import PROBES
from support.handmade import Wire

from wireproof.views.csv import CsvView, RawCsvView, without_formula


def cells(text: str, *, raw_cells: bool = False) -> list[str]:
    stream = BytesIO()
    table = (RawCsvView if raw_cells else CsvView)(stream)
    table.write([Wire().chunk(text)])
    table.close()
    header, row = csv.reader(StringIO(stream.getvalue().decode(), newline=""))
    return [cell for cell in row if cell and cell not in header]


@pytest.mark.parametrize("probe", PROBES["spreadsheet"])
def test_formulas_get_an_apostrophe(probe: str) -> None:
    begins = probe.lstrip(" ")[0] not in "a"
    assert (f"'{probe}" if begins else probe) in cells(probe)
    assert probe in cells(probe, raw_cells=True)


def test_other_texts_and_numbers_stay() -> None:
    assert without_formula("a = b") == "a = b"
    assert without_formula(-1) == -1
    assert "'- a list" in cells("- a list") and "'  =1" in cells("  =1")
