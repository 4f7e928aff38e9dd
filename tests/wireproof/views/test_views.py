"""Formats by name."""

from __future__ import annotations

from io import BytesIO

import pytest

from wireproof.views import open_view
from wireproof.views.csv import CsvView
from wireproof.views.json import JsonView
from wireproof.views.ndjson import NdjsonView


@pytest.mark.parametrize(
    ("name", "view"), [("ndjson", NdjsonView), ("json", JsonView), ("csv", CsvView)]
)
def test_open_view(name: str, view: type) -> None:
    assert isinstance(open_view(name, BytesIO()), view)  # type: ignore[arg-type]
