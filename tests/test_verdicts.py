"""Every labelled capture has its truth and its row, and outcomes are counted as they are."""

from __future__ import annotations

import pytest
from support.corpus import ROOT

from benchmarks.verdicts.__main__ import FOLDER, compare, page
from benchmarks.verdicts.outcome import Outcome, find_cause, wrong_time
from benchmarks.verdicts.report import MATRIX, matrix, put
from benchmarks.verdicts.truth import read_truths

TRUTHS = read_truths(FOLDER)


def test_every_capture_has_a_truth_and_a_row() -> None:
    named = {path.name for truth in TRUTHS for path in truth.files}
    assert named == {path.name for path in FOLDER.glob("*.pcap")}
    readme = (FOLDER / "README.md").read_text()
    assert [name for name in named if f"({name})" not in readme] == []
    assert (ROOT / "fixtures" / "README.md").read_text().count("verdicts/README.md") == 1


def test_the_first_cause_may_be_any_of_those_expected() -> None:
    assert find_cause([], ["a"]) == ""
    assert find_cause(["a", "b"], ["b", "c"]) == "first"
    assert find_cause(["a"], ["b", "a"]) == "contained"
    assert find_cause(["a"], ["b"]) == "missing"


@pytest.mark.parametrize(
    ("expected", "seconds", "is_wrong"),
    [
        (500, 0.509, False),
        (500, 0.53, True),
        (40, 0.0499, False),
        (40, 0.051, True),
        ("200 to 260", 0.23, False),
        ("200 to 260", 0.28, True),
        (500, None, True),
    ],
)
def test_times_are_right_within_10_ms_or_5_percent(
    expected: float | str, seconds: float | None, is_wrong: bool
) -> None:
    assert (wrong_time("period_seconds", expected, seconds) is not None) is is_wrong


def test_what_is_said_against_a_control_is_a_false_alarm() -> None:
    outcome = Outcome("one", "streamed", "streamed", is_control=True, is_alarm=True)
    assert outcome.is_wrong
    assert "FALSE ALARM" in str(outcome)


def test_a_matrix_has_a_row_for_what_was_expected() -> None:
    said = matrix([Outcome("one", "held", "held"), Outcome("two", "held", "")])
    assert said.splitlines()[2] == "| **held** | 1 | 1 |"
    begin, end = "<!-- matrix: make verdicts writes it -->", "<!-- end of matrix -->"
    written = put(f"before {begin}old{end} after", MATRIX, said)
    assert said in written
    assert "old" not in written


def test_a_page_without_the_place_is_refused() -> None:
    with pytest.raises(ValueError, match="the page lacks"):
        put("nothing", MATRIX, "text")


def test_nothing_is_wrong_and_the_page_says_so() -> None:
    found = compare(TRUTHS)
    wrong = [str(one) for outcomes in found.values() for one in outcomes if one.is_wrong]
    assert not wrong
    written = (ROOT / "docs" / "verdicts.md").read_text()
    assert written == page(written, found), "write it anew: make verdicts"
