"""Which verdicts make the answer "no"."""

from __future__ import annotations

import pytest
from support.outcomes import HELD, SLOW, STREAMED, WHOLE

from wireproof.analysis.fail_on import FailOn
from wireproof.analysis.verdict import Verdict

WARNED = Verdict("hazard", "found", "warning", "x")
ALL = (WHOLE, STREAMED, SLOW, WARNED, HELD)


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        (["error"], [HELD]),
        (["warning"], [WARNED, HELD]),
        (["note"], [SLOW, WARNED, HELD]),
        (["never"], []),
        ([], []),
        (["error", "note"], [SLOW, WARNED, HELD]),
        (["streaming"], [HELD]),
        (["ending"], []),
        (["held"], [HELD]),
        (["whole"], [WHOLE]),
        (["proxy-buffer"], [HELD]),
        (["never", "streamed"], [STREAMED]),
        (["gap"], []),
        (["sender-silent"], [SLOW]),
    ],
)
def test_words_choose_verdicts(words: list[str], taken: list[Verdict]) -> None:
    assert [verdict for verdict in ALL if FailOn(words).takes(verdict)] == taken
