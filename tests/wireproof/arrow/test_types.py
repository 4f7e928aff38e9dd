"""The types of fields as Arrow has them."""

from __future__ import annotations

import pytest
from msgspec import inspect

from wireproof.arrow.types import arrow_type


def test_a_type_without_a_column_is_refused() -> None:
    with pytest.raises(TypeError, match="no column for"):
        arrow_type(inspect.type_info(dict[str, int]))
