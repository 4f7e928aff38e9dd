"""What can be shown of HTTP/2: each by its name, and no two alike."""

from __future__ import annotations

import pytest

from server.http2.scenarios import NAMES, SCENARIOS, http2_scenario


@pytest.mark.parametrize("name", NAMES)
def test_each_is_found_by_its_name(name: str) -> None:
    found = http2_scenario(name)
    assert found.name == name and found.summary and found.path.startswith("/")


def test_no_two_are_alike() -> None:
    assert len(set(NAMES)) == len(SCENARIOS)
    assert len({one.summary for one in SCENARIOS}) == len(SCENARIOS)


def test_what_there_is_not() -> None:
    with pytest.raises(LookupError, match="no scenario of HTTP/2 is named 'x': sse, window-stall"):
        http2_scenario("x")
