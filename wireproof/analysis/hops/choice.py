"""Which exchanges are wanted, by what any of their legs is and what is said of their hops.

Strategy: the criteria are those of every command (:mod:`..exchange_filter`). An exchange has
several legs here, and is wanted if one of them meets all that is asked of it.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from ..exchange_filter import ExchangeFilter, has_port, heads_of
from ..verdict import Verdict, words_of
from .leg import Leg


def is_wanted(
    wanted: ExchangeFilter,
    legs: Sequence[Leg],
    verdicts: Sequence[Verdict],
    holds_text: Container[int],
) -> bool:
    """Whether an exchange is wanted; ``holds_text`` has the ``id()`` of legs with the text."""
    if wanted.verdict is not None and wanted.verdict not in words_of(verdicts):
        return False
    return any(_is_wanted(wanted, leg, holds_text) for leg in legs)


def _is_wanted(wanted: ExchangeFilter, leg: Leg, holds_text: Container[int]) -> bool:
    return (
        wanted.takes_heads(heads_of(leg.about))
        and (wanted.port is None or has_port(leg.connection, wanted.port))
        and (wanted.min_gap is None or leg.longest_gap >= wanted.min_gap)
        and (wanted.grep is None or id(leg) in holds_text)
    )
