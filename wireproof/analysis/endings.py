"""How a response ended, and whether that is how it should.

Strategy: what is not whole is found where verdicts find it too (:mod:`.flaws`); this adds what only
a test can know, its application's last word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from parsers.records import EndedBy, Sender, WebSocketFrameRecord

from ..exchange import SAID
from ..heads import is_final
from ..text.escape import preview
from ..text.wording import body_end, connection_end, recorded_end
from .evidence import Evidence
from .finding import Finding, not_recorded
from .flaws import find_flaws
from .recorded import COMPLETE, Lacks
from .websocket import CLEAN_CLOSES

ENDINGS = get_args(EndedBy)
SIDES: tuple[Sender, ...] = get_args(Sender)
DATA_WIDTH = 60
"""Cells of an event's data in a message."""


def find_other_end(
    exchange: Evidence, ended_by: str, closed_by: str | None, lacks: Lacks = COMPLETE
) -> Finding | None:
    """Return how a body or its connection ended otherwise, None if it ended so."""
    if ended_by not in ENDINGS:
        raise ValueError(f"ended_by={ended_by!r}: expected one of {', '.join(ENDINGS)}")
    found = "none of these" if exchange.body is None else exchange.body.ended_by
    shown = _last_packets(exchange), _how_it_ended(exchange, lacks)
    if lacks.is_answer and found not in SAID:
        return not_recorded(f"what ended the body is unknown, {ended_by} expected", *shown)
    if found != ended_by:
        summary = f"the body was ended by {found}, {ended_by} expected"
        return Finding("ended-otherwise", summary, *shown)
    first = exchange.connection.closed_by if exchange.connection else None
    if closed_by is not None and first != closed_by:
        summary = f"the connection was closed by {first or 'nobody'} first, {closed_by} expected"
        return Finding("closed-otherwise", summary, *shown)
    return None


def find_unclean_end(
    exchange: Evidence, app_terminator: str | None, lacks: Lacks = COMPLETE
) -> Finding | None:
    """Return what is wrong with the end, None if nothing is."""
    wrong = list(_wrong(exchange, lacks))
    if app_terminator is not None:
        wrong += filter(None, [_other_terminator(exchange, app_terminator, lacks)])
    if not wrong:
        return None
    shown = _last_packets(exchange), _how_it_ended(exchange, lacks)
    if lacks.is_answer:
        return not_recorded("; ".join(wrong), *shown)
    return Finding("unclean-end", "; ".join(wrong), *shown)


def _wrong(exchange: Evidence, lacks: Lacks) -> Iterator[str]:
    if exchange.is_websocket and exchange.response is not None and is_final(exchange.response):
        yield from _wrong_close(exchange, lacks)
    for flaw in find_flaws(exchange.about, exchange.diagnostics, is_lacking=lacks.is_answer):
        yield flaw.summary


def _wrong_close(exchange: Evidence, lacks: Lacks) -> Iterator[str]:
    frames = exchange.closing
    if len(frames) < 2 and may_lack_close(frames, lacks):
        yield "whether the closing handshake was held is unknown"
    elif len(frames) < 2:
        seen = "none" if not frames else f"the {frames[0].sender}'s only"
        yield f"the closing handshake was not held: of two Close frames there was {seen}"
    elif frames[0].close_code not in CLEAN_CLOSES:
        yield f"the {frames[0].sender} closed with {frames[0].close_code}"


def may_lack_close(frames: Sequence[WebSocketFrameRecord], lacks: Lacks) -> bool:
    """Whether the Close frame of a side that sent none may be missing from the capture."""
    closed = {frame.sender for frame in frames}
    return any(lacks.of(side) for side in SIDES if side not in closed)


def _other_terminator(exchange: Evidence, wanted: str, lacks: Lacks) -> str | None:
    """Return what stands in the place of the app's last word, None if it does."""
    elements = exchange.elements
    if lacks.server and (not elements or lacks.is_after(elements[-1].last_time)):
        return f"whether the last data is {wanted!r} is unknown"
    if not elements:
        return f"the last data should be {wanted!r}, but there was none"
    last = elements[-1]
    found = (last.data or "").strip()
    if found == wanted:
        return None
    shown = preview(found, getattr(last, "encoding", "utf-8"), DATA_WIDTH)
    return f"the last data should be {wanted!r}, but is {shown!r} (packet {last.last_packet})"


def _last_packets(exchange: Evidence) -> list[int]:
    found = {record.last_packet for record in (*exchange.elements[-1:], *exchange.frames[-2:])}
    if exchange.body is not None:
        found.add(exchange.body.last_packet)
    if exchange.connection is not None:
        connection = exchange.connection
        fins = {connection.client_fin, connection.server_fin} - {None}
        found |= {fin for fin in fins if fin is not None}
        if connection.close == "reset":
            found.add(connection.last_packet)
    return sorted(found)


def _how_it_ended(exchange: Evidence, lacks: Lacks) -> list[str]:
    said = []
    if (body := exchange.body) is not None:
        is_unknown = lacks.is_answer and not body.complete
        said.append(f"body {recorded_end(body) if is_unknown else body_end(body)}")
    if exchange.connection is not None:
        said.append(f"connection {connection_end(exchange.connection)}")
    return said
