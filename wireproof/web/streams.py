"""The streams of one HTTP/2 connection: who asked for what, how each ended, and what held it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from parsers.records import StallRecord

from ..analysis.path import held_by_flow, times_closed
from .exchange import MAX_SHOWN, ExchangeRow, headword
from .index import Index
from .wire import FRAMES, Wire

STREAMS = 500
"""Streams in a page of them."""


def streams(index: Index, wire: Wire, page: int) -> dict[str, Any]:
    """Return a page of the streams, in the order in which they began."""
    some = wire.exchanges(page * STREAMS, (page + 1) * STREAMS)
    return {"total": wire.stream_count, "streams": [_row(index, wire, *one) for one in some]}


def _row(index: Index, wire: Wire, stream_id: int, exchange: ExchangeRow) -> dict[str, Any]:
    request, response, about = exchange.request, exchange.response, exchange.about
    word, tone = (None, None) if exchange.outcome is None else headword(exchange.outcome)
    held = [] if about is None else held_by_flow(about, wire.stalls)
    return {
        "stream": stream_id,
        "key": exchange.name,
        "method": None if request is None else request.method[:MAX_SHOWN],
        "target": None if request is None else request.target[:MAX_SHOWN],
        "status": None if response is None else response.status,
        "word": word,
        "tone": tone,
        "begin": exchange.first_time,
        "size": index.row(exchange)["size"],
        "stalls": times_closed((one.first_time, one.first_time + one.seconds) for one in held),
        "stalled": _seconds(held),
        "end": _end(wire, stream_id, exchange),
    }


def _seconds(stalls: Iterable[StallRecord]) -> float:
    """Return how long stalls took together; those of two windows at once count once."""
    total, upto = 0.0, float("-inf")
    for one in sorted(stalls, key=lambda one: one.first_time):
        end = one.first_time + one.seconds
        total += max(end - max(one.first_time, upto), 0.0)
        upto = max(upto, end)
    return total


def _end(wire: Wire, stream_id: int, exchange: ExchangeRow) -> dict[str, Any] | None:
    """Return what ended a stream, who sent that, and where it is; None if nothing did so far.

    A frame that gave it up says most, else the end of the response's body (RFC 9113 sections 6.4,
    6.8 and 8.1).
    """
    body = None if exchange.about is None else exchange.about.response_body
    given_up = wire.resets.get(stream_id)
    if given_up is None and body is not None and body.ended_by == "goaway":
        given_up = wire.goaway
    if given_up is not None:
        row, frame = given_up
        about = {"packet": frame.last_packet, "key": wire.name, "kind": FRAMES, "row": row}
        return {"by": frame.type, "code": frame.error_code, "sender": frame.sender, **about}
    if body is None:
        return None
    word = "END_STREAM" if body.ended_by == "end-stream" else body.ended_by
    sender = body.sender if body.ended_by == "end-stream" else None
    return {"by": word, "code": None, "sender": sender, "packet": body.last_packet}
