"""What a failing assertion tells its test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wireproof.testing import WireFailure


def failure(assertion: Callable[[], Any]) -> str:
    """Return the message with which an assertion fails, as it must."""
    with pytest.raises(WireFailure) as raised:
        assertion()
    return str(raised.value)
