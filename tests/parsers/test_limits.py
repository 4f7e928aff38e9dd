"""Every limit is defended where it stands, and used; those that depend on one another fit."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

from parsers import limits

SOURCE = Path(limits.__file__)
NAMES = [name for name in vars(limits) if name.isupper()]


def documented() -> dict[str, str]:
    """Each limit and the text under it."""
    found = {}
    for statement, following in pairwise(ast.parse(SOURCE.read_text()).body):
        if isinstance(statement, ast.Assign) and isinstance(following, ast.Expr):
            (name,) = statement.targets
            assert isinstance(name, ast.Name)
            assert isinstance(following.value, ast.Constant)
            found[name.id] = str(following.value.value)
    return found


def test_every_limit_says_why() -> None:
    assert set(documented()) == set(NAMES)
    assert all(text.endswith(".") for text in documented().values())


@pytest.mark.parametrize("name", NAMES)
def test_every_limit_is_positive_and_used(name: str) -> None:
    assert getattr(limits, name) > 0
    others = (path for path in SOURCE.parent.rglob("*.py") if path != SOURCE)
    assert any(re.search(rf"\b{name}\b", path.read_text()) for path in others)


def test_limits_that_depend_on_one_another() -> None:
    assert limits.MAX_LINE <= limits.MAX_HEAD, "a line of the greatest length fits into a head"
    assert limits.MAX_SSE_LINE <= limits.MAX_SSE_EVENT
    assert limits.MAX_KEPT_FRAME <= limits.MAX_MESSAGE
    assert limits.MAX_HISTORY <= limits.MAX_OUT_OF_ORDER
    assert limits.MAX_UNDECIDED < limits.MAX_LINE, "an unfinished line does not wait for ever"
    assert limits.MAX_ZSTD_WINDOW <= limits.MAX_ZSTD_FILE_WINDOW
