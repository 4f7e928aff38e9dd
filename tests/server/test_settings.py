from __future__ import annotations

import pytest

from server.settings import Settings


def test_defaults_can_be_read_off_the_class() -> None:
    assert Settings() == Settings(
        delay=Settings.delay,
        ping_interval=Settings.ping_interval,
        idle_timeout=Settings.idle_timeout,
        deflate=Settings.deflate,
    )
    assert Settings.idle_timeout == 60


@pytest.mark.parametrize("name", ["delay", "ping_interval", "idle_timeout"])
@pytest.mark.parametrize("value", [-0.001, float("nan"), float("-inf")])
def test_a_time_is_not_negative(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be 0 or more seconds, not {value}"):
        Settings(**{name: value})
