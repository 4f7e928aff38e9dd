"""What every test goes by: which examples are drawn, and that CI skips nothing it could install."""

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


LACKS = """
import pytest

@pytest.mark.tool("no-such-witness")
def test_a_tool(): pass

def test_by_itself(): pytest.skip("no-such-witness is not installed")

@pytest.mark.skipif(True, reason="no-such-witness is not installed")
def test_by_a_mark(): pass

def test_a_corpus(): pytest.skip("no captures at hand: WIREPROOF_CORPUS names their folder")
"""


@pytest.mark.parametrize(
    ("ci", "outcomes"),
    [("", {"skipped": 4}), ("true", {"failed": 1, "errors": 2, "skipped": 1})],
)
def test_ci_does_not_skip_what_can_be_installed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcomes: dict[str, int]
) -> None:
    monkeypatch.setenv("CI", ci)
    markers = "[pytest]\nmarkers = tool(name): runs a program"
    pytester.makeini(f"{markers}\npythonpath = {CONFTEST.parent} {CONFTEST.parent.parent}")
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makepyfile(test_lacks=LACKS)
    pytester.runpytest_subprocess("-q").assert_outcomes(**outcomes)
