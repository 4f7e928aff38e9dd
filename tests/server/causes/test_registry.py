"""Every cause is whole: a fault, a cure, and words that verdicts have."""

from __future__ import annotations

import pytest

from server.causes.registry import CAUSES, NAMES, Shown, cause


@pytest.mark.parametrize("shown", CAUSES, ids=lambda shown: shown.name)
def test_a_cause_is_whole(shown: Shown) -> None:
    assert shown.fault != shown.cure
    assert shown.fault.proxy == shown.cure.proxy
    assert shown.answer != shown.cured or shown.is_note
    assert not shown.summary.endswith(".")
    assert not shown.remedy.endswith(".")
    assert cause(shown.name) is shown


def test_names_are_used_once() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_what_there_is_not_is_said_with_what_there_is() -> None:
    with pytest.raises(LookupError, match="no cause is named 'gremlins': compressor-not-flushed"):
        cause("gremlins")
