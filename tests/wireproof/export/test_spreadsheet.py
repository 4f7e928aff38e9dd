"""Cells that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import pytest
from support.attack import PROBES
from support.handmade import Wire

from wireproof.export.spreadsheet import SafeCsv, without_formulas


def cells(text: str, *, raw_cells: bool = False) -> list[str]:
    stream = BytesIO()
    table = SafeCsv(stream, raw_cells=raw_cells)
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
    record = Wire().chunk("a = b")
    assert without_formulas(record) is record
    assert "'- a list" in cells("- a list") and "'  =1" in cells("  =1")
