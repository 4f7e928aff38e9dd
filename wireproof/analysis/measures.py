"""What an exchange came to in figures, beside its line: what fleets of them are compared by.

Strategy: all of it follows from the times of :mod:`.latency.times`, by the definitions of ``wire``;
of gaps there are percentiles, so that a row's size does not grow with its stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec

from ..exchanges import field_value
from .judges import Explained
from .latency.definitions import measure
from .latency.times import times_of
from .percentiles import percentile

MAX_AUTHORITY = 255
"""Characters of a name that was asked for (RFC 1035 section 2.3.4)."""


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one exchange; times are in seconds."""

    authority: str | None
    """Whom the request names (``Host``, ``:authority``); null if it names nobody."""
    version: str | None
    """Of the response, else of the request: ``HTTP/1.1``."""
    headers_after: float | None
    """From ``asked_time``, the end of the request, to the end of the response's header."""
    first_token: float | None
    """From there to the first content, ``ttft`` of ``wire``."""
    first_output: float | None
    """The same, to the first content that is no reasoning: ``ttfo``."""
    gap_p50: float | None
    """Of the times between one element with content and the next; null if there are none."""
    gap_p99: float | None
    gap_max: float | None
    tokens: int | None
    """Output tokens; null if nothing streamed."""
    tokens_from: str | None
    """How they are known."""
    dialect: str
    """Of its elements: ``openai-chat``; empty if none was recognised."""


def measures(explained: Explained) -> Measures:
    """Return the figures of an exchange that is over."""
    exchange, trace, _ = explained
    heads = exchange.response, exchange.request
    times = times_of(trace)
    found = {} if times is None else measure(times, "wire")
    gaps = [] if times is None else _gaps(times.contents)
    return Measures(
        authority=_authority(explained),
        version=next((head.version for head in heads if head is not None), None),
        headers_after=None if times is None else times.headers,
        first_token=cast("float | None", found.get("ttft")),
        first_output=cast("float | None", found.get("ttfo")),
        gap_p50=percentile(gaps, 0.5) if gaps else None,
        gap_p99=percentile(gaps, 0.99) if gaps else None,
        gap_max=gaps[-1] if gaps else None,
        tokens=None if times is None else times.tokens,
        tokens_from=None if times is None else times.tokens_from,
        dialect=trace.reader.name,
    )


def _gaps(times: Sequence[float]) -> list[float]:
    """Return the times between moments, the shortest first."""
    return sorted(after - before for before, after in zip(times, times[1:], strict=False))


def _authority(explained: Explained) -> str | None:
    request = explained.exchange.request
    if request is None:
        return None
    found = field_value(request.headers, ":authority") or field_value(request.headers, "host")
    return None if found is None else found[:MAX_AUTHORITY]
