"""When cycles are looked for."""

from __future__ import annotations

import gc
from weakref import ref

import pytest

from wireproof.collector import MUCH, collect_much


class Knot:
    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize(("held", "is_left"), [(MUCH + 1, False), (MUCH, True)])
def test_cycles_are_looked_for_when_much_was_let_go(held: int, is_left: bool) -> None:
    gc.disable()
    try:
        found = ref(Knot())
        collect_much(held)
        assert (found() is not None) is is_left
    finally:
        gc.enable()
