"""Times that fit a known limit, and those beside them."""

from __future__ import annotations

import pytest

from wireproof.analysis.time_limits import LIMITS, LimitKind, find_limits, next_limit, such_as


def named(seconds: float, kind: LimitKind, answered: str = "") -> list[str]:
    return [limit.component for limit in find_limits(seconds, kind, answered)]


@pytest.mark.parametrize(
    ("seconds", "is_nginx"),
    [(59.64, False), (59.66, True), (60.0, True), (60.09, True), (60.2, False)],
)
def test_the_window_reaches_from_early_to_a_little_late(seconds: float, is_nginx: bool) -> None:
    assert ("nginx" in named(seconds, "idle")) == is_nginx


def test_envoy_closes_a_second_later() -> None:
    assert "envoy" in named(16.0, "total")
    assert "envoy" not in named(15.0, "total")
    assert named(15.0, "idle") == []


def test_who_answered_comes_first() -> None:
    assert named(60.0, "idle", "varnish 7.1")[0] == "varnish"
    assert such_as(find_limits(60.0, "idle", "Varnish"), "Varnish").startswith("varnish's")
    assert such_as(find_limits(60.0, "idle"), "").startswith("such as ")


def test_silence_before_a_head_may_be_idle_too() -> None:
    assert {"heroku", "varnish"} & set(named(30.0, "head")) == {"heroku"}
    assert "nginx" in named(60.0, "head")


def test_the_next_limit_is_above() -> None:
    assert next_limit(29.0).seconds == 30.0
    assert next_limit(51.0).seconds == 55.0


def test_no_limit_stands_twice() -> None:
    assert len(set(LIMITS)) == len(LIMITS)
