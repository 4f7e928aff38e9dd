"""Tables are as wide here as on no terminal, whatever a process of pytest-xdist says of its own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
