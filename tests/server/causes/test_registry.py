"""Every cause is whole: a fault, a cure, and words that verdicts have."""

from __future__ import annotations

import pytest

from server.causes.registry import CAUSES, NAMES, Shown, cause
from server.causes.unshown import UNSHOWN
from wireproof.analysis import gaps, holders
from wireproof.analysis.hops import causes
from wireproof.analysis.vocabulary import CAUSES as CAUSES_OF_ALL


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
    with pytest.raises(LookupError, match="nagle has no scenario: the wait that nagle-delayed-ack"):
        cause("nagle")


def test_whatever_may_be_said_is_shown_or_has_a_reason() -> None:
    """Of streaming, gaps and hops; who ends a stream is another matter."""
    may_be = {*holders.REMEDIES, *gaps.REMEDIES, *causes.REMEDIES}
    may_be |= {word for word in CAUSES_OF_ALL if word.startswith(("drops-", "adds-", "doubles-"))}
    may_be |= {"reorders-events", "rewrites", "re-chunked", "loss", "rate", "clock-offset"}
    may_be |= {"too-few-events", "no-waits", "rewrites-content", "renames-ids", "proxy-cut"}
    shown = {one.cause for one in CAUSES}
    assert sorted(may_be - shown - UNSHOWN.keys()) == []
    assert sorted(shown & UNSHOWN.keys()) == []
    assert sorted(UNSHOWN.keys() - may_be) == []
