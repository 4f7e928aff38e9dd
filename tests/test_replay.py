"""Each stored capture decodes to the transcript beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.corpus import ROOT

from fixtures.record import expected_text
from server import SCENARIOS

FIXTURES = ROOT / "fixtures"
CAPTURES = sorted(FIXTURES.glob("*/*.pcapng"))


@pytest.mark.parametrize(
    "capture", CAPTURES, ids=lambda path: str(path.relative_to(FIXTURES).with_suffix(""))
)
def test_a_capture_decodes_to_its_transcript(capture: Path) -> None:
    assert expected_text(capture) == capture.with_suffix(".txt").read_text()


def test_every_scenario_is_stored() -> None:
    stored = {(path.parent.name, path.stem) for path in CAPTURES}
    known = {(transport, name) for transport, named in SCENARIOS.items() for name in named}
    assert known <= stored


def test_the_readme_has_a_row_for_each_capture() -> None:
    readme = (FIXTURES / "README.md").read_text()
    missing = [path.name for path in CAPTURES if str(path.relative_to(FIXTURES)) not in readme]
    assert not missing
