"""What an exchange came to in figures, beside its line: what fleets of them are compared by.

Strategy: all of it follows from the times of :mod:`.latency.times`, by the definitions of ``wire``;
of gaps there are percentiles, so that a row's size does not grow with its stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import msgspec

from .judges import Explained
from .latency.definitions import TTFO, TTFT
from .latency.times import times_of
from .percentiles import percentile
from .recorded import gaps, is_recorded, not_recorded

MAX_AUTHORITY = 255
"""Characters of a name that was asked for (RFC 1035 section 2.3.4)."""


class Measures(msgspec.Struct, frozen=True):
    """Figures of one exchange; times are in seconds."""

    authority: str | None
    """Whom the request names (``Host``, ``:authority``); null if it names nobody."""
    version: str | None
    """Of the response, else of the request: ``HTTP/1.1``."""
    headers_after: float | None
    """From ``asked_time``, the end of the request, to the end of the response's header; null, as
    all that is counted from there, if the capture lacks it."""
    first_token: float | None
    """From there to the first content, ``ttft`` of ``wire``."""
    first_output: float | None
    """The same, to the first content that is no reasoning: ``ttfo``."""
    gap_p50: float | None
    """Of the times between one element with content and the next; null if there are none."""
    gap_p99: float | None
    gap_max: float | None
    gap_max_after: float | None
    """From ``asked_time`` to where the longest one began."""
    not_recorded: float | None
    """How long the waits are in which the capture lacks bytes of the response: none of them is a
    gap. Null if it lacks none."""
    tokens: int | None
    """Output tokens; null if nothing streamed."""
    tokens_from: str | None
    """How they are known."""
    dialect: str
    """Of its elements: ``openai-chat``; empty if none was recognised."""
    is_behind_proxy: bool
    """Whether a proxy asked it for a client whose own exchange is in the capture, too; false also
    where that is not known."""


def measures(explained: Explained) -> Measures:
    """Return the figures of an exchange that is over; whether it is a leg behind a proxy
    :mod:`.leg_pairs` tells, later."""
    exchange, trace, _ = explained
    heads = exchange.response, exchange.request
    times = times_of(trace)
    came = [] if times is None else times.contents
    missing = () if times is None else times.holes
    found = sorted(gaps(came, missing)) if len(came) > 1 else []
    # In their order, for keywords cost as much as all that is looked up.
    return Measures(
        _authority(explained),
        next((head.version for head in heads if head is not None), None),
        None if times is None else times.headers,
        None if times is None else cast("float | None", TTFT.formula(times)),
        None if times is None else cast("float | None", TTFO.formula(times)),
        percentile(found, 0.5) if found else None,
        percentile(found, 0.99) if found else None,
        found[-1] if found else None,
        _began(found[-1], came, missing) if found and times and times.is_asked else None,
        not_recorded(trace),
        None if times is None else times.tokens,
        None if times is None else times.tokens_from,
        trace.dialect_name,
        False,
    )


def _began(gap: float, came: Sequence[float], missing: Sequence[float]) -> float:
    """Return where a gap began, one of those in which nothing is missing."""
    return next(
        before
        for before, after in pairwise(came)
        if after - before == gap and is_recorded(before, after, missing)
    )


def _authority(explained: Explained) -> str | None:
    fields = explained.exchange.request_fields
    found = fields.get(":authority") or fields.get("host")
    return None if found is None else found[:MAX_AUTHORITY]
