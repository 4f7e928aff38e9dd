"""Percentiles: by one definition in Python and on the page."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright._impl._driver import compute_driver_executable
from support.corpus import ROOT

from wireproof.analysis.percentiles import percentile

PARTS = (0.0, 0.5, 0.9, 0.99, 1.0)
PAGE = ROOT / "wireproof" / "web" / "page" / "format.js"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], [0.0, 0.0, 0.0, 0.0, 0.0]),
        ([7.0], [7.0] * 5),
        ([1.0, 2.0], [1.0, 1.0, 2.0, 2.0, 2.0]),
        ([0.0, 0.0, 3.0], [0.0, 0.0, 3.0, 3.0, 3.0]),
        ([float(n) for n in range(1, 101)], [1.0, 50.0, 90.0, 99.0, 100.0]),
    ],
)
def test_the_nearest_rank(values: list[float], found: list[float]) -> None:
    assert [percentile(values, part) for part in PARTS] == found


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_it_is_one_of_the_values_that_so_many_do_not_exceed(
    values: list[float], part: float
) -> None:
    found = percentile(sorted(values), part)
    assert found in values
    assert sum(value <= found for value in values) >= part * len(values) - 1e-9


def test_the_page_has_the_same() -> None:
    lists = [[float(value) for value in range(size)] for size in range(1, 40)]
    script = (
        f"import {{ percentile }} from {json.dumps(PAGE.as_uri())};"
        f"const lists = {json.dumps(lists)}, parts = {json.dumps(PARTS)};"
        "const found = lists.map((one) => parts.map((part) => percentile(one, part)));"
        "console.log(JSON.stringify(found));"
    )
    node, _ = compute_driver_executable()  # the one that the browsers' driver brings
    command = [node, "--input-type=module", "-e", script]
    told = subprocess.run(command, capture_output=True, check=True, timeout=240).stdout
    assert json.loads(told) == [[percentile(one, part) for part in PARTS] for one in lists]
