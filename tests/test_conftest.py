"""How many examples the tests draw, and which: the same always, or new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CONFTEST = Path(__file__).with_name("conftest.py")
DRAWS = """
from pathlib import Path
from hypothesis import example, given, settings
from hypothesis import strategies as st

@settings(max_examples=7)
@given(st.integers(0, 2**64))
def test_draws(number):
    with Path("drawn.txt").open("a") as file:
        print(number, file=file)
"""


def draw(pytester: pytest.Pytester, times: str | None, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the numbers that a test draws under the conftest.py beside this file."""
    if times is None:
        monkeypatch.delenv("WIREPROOF_EXAMPLES", raising=False)
    else:
        monkeypatch.setenv("WIREPROOF_EXAMPLES", times)
    pytester.makeini(f"[pytest]\npythonpath = {CONFTEST.parent} {CONFTEST.parent.parent}")
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makepyfile(test_draws=DRAWS)
    drawn = pytester.path / "drawn.txt"
    drawn.unlink(missing_ok=True)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
    return set(drawn.read_text().split())


def test_the_same_examples_each_time(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = draw(pytester, None, monkeypatch)
    assert first == draw(pytester, None, monkeypatch)
    assert 0 < len(first) <= 7
    assert not (pytester.path / ".hypothesis" / "examples").exists()


def test_fuzzing_draws_more_and_others(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = draw(pytester, "5", monkeypatch)
    assert 7 < len(first) <= 35
    assert first != draw(pytester, "5", monkeypatch)
