"""``wire.assert_no_regression``: a test's captures beside a stored baseline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.runs import run

from wireproof.testing import Wire, WireFailure


@pytest.fixture
def wire(tmp_path: Path) -> Callable[[bool], Wire]:
    def made(update: bool) -> Wire:
        def no_place() -> None:
            raise AssertionError("nothing is recorded")

        return Wire(tmp_path, tmp_path / "test_x.py", "test_x.py::test", no_place, update)  # type: ignore[arg-type]

    return made


def test_a_baseline_is_written_and_held(wire: Callable[[bool], Wire], tmp_path: Path) -> None:
    for name, seed, planted in (("a", 0, ""), ("b", 1, ""), ("c", 2, "slow first token")):
        (tmp_path / f"{name}.pcapng").write_bytes(run(seed, planted))
    without = wire(False)
    without.replay("a.pcapng")
    with pytest.raises(WireFailure, match="no baseline .*--wire-update writes it"):
        without.assert_no_regression("base.json")
    writing = wire(True)
    writing.replay("a.pcapng")
    writing.assert_no_regression("base.json")
    held = wire(False)
    held.assert_no_regression("base.json", held.replay("b.pcapng"))
    with pytest.raises(WireFailure, match="GET /chat: first_token p50: worse: 1[0-9.]+ ms -> "):
        held.assert_no_regression("base.json", held.replay("c.pcapng"))
