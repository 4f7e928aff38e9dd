"""Whether an event stream went on where the one before it ended (WHATWG HTML section 9.2.4).

Strategy: the IDs on the wire are compared, by the rules that verdicts have too
(:mod:`.resumption_rules`).
"""

from __future__ import annotations

from ..text.escape import preview
from ..text.wording import duration
from .evidence import Evidence
from .finding import Finding, not_recorded
from .recorded import COMPLETE, Lacks
from .resumption_rules import is_too_soon, known_to_client, left_out

ID_WIDTH = 60
OF_EARLIER = "of the earlier stream"


def find_bad_resumption(
    exchange: Evidence,
    previous: Evidence,
    respecting_retry: bool,
    exact: bool,
    lacks: tuple[Lacks, Lacks] = (COMPLETE, COMPLETE),
) -> Finding | None:
    """Return why a stream does not go on where ``previous`` ended, None if it does.

    ``lacks`` is what the captures lack of it and of ``previous``.
    """
    last = exchange.request_header("last-event-id")
    sent = [event.id for event in previous.events if event.id]
    if fault := _wrong_id(exchange, last, sent, exact):
        if last is not None and last not in sent and lacks[1].server:
            said = f"whether Last-Event-ID {_shown(last)} was sent is unknown"
            return not_recorded(said, fault.packets, fault.hints, of=OF_EARLIER)
        return fault
    if exact and lacks[1].is_after(previous.events[-1].last_time):
        return not_recorded("which event ID was sent last is unknown", of=OF_EARLIER)
    assert last is not None  # or it would be wrong
    known = known_to_client(sent, last)
    again = [event for event in exchange.events if event.id in known]
    if again:
        summary = (
            f"event {_shown(again[0].id)} came again (packet {again[0].last_packet}):"
            f" the client had said that it had everything up to {_shown(last)}"
        )
        return Finding("events-again", summary, [event.last_packet for event in again])
    missing = lacks[0].server
    if missing and (not exchange.events or missing[0] <= exchange.events[0].last_time):
        return not_recorded(f"which event came first after {_shown(last)} is unknown")
    return _left_out(exchange, last) or (
        _too_soon(exchange, previous) if respecting_retry else None
    )


def _wrong_id(exchange: Evidence, last: str | None, sent: list[str], exact: bool) -> Finding | None:
    where = [exchange.request.last_packet] if exchange.request else []
    if last is None:
        said = "the request has no Last-Event-ID"
        return Finding("no-last-event-id", said, where, [f"last sent: {_tail(sent)}"])
    if last not in sent:
        summary = f"Last-Event-ID {_shown(last)} was never sent"
        return Finding("unknown-last-event-id", summary, where, [f"last sent: {_tail(sent)}"])
    if exact and last != sent[-1]:
        summary = f"Last-Event-ID is {_shown(last)}, but {_shown(sent[-1])} was the last one sent"
        return Finding("stale-last-event-id", summary, where)
    return None


def _left_out(exchange: Evidence, last: str) -> Finding | None:
    """Return the hole after the last ID, where IDs are numbers."""
    first = exchange.events[0] if exchange.events else None
    missing = left_out(last, first.id) if first is not None else range(0)
    if first is None or not missing:
        return None
    summary = (
        f"events {missing[0]} to {missing[-1]} are missing:"
        f" the stream resumes with {first.id} (packet {first.last_packet})"
    )
    return Finding("events-left-out", summary, [first.last_packet])


def _too_soon(exchange: Evidence, previous: Evidence) -> Finding | None:
    """Return how long the client waited, if that is less than it was told."""
    retries = [block.retry for block in previous.blocks if block.retry is not None]
    end = previous.connection.last_time if previous.connection else None
    if not retries or end is None:
        return None
    waited = exchange.start_time - end
    if not is_too_soon(waited, retries[-1]):
        return None
    summary = f"the client reconnected after {duration(waited)}, but retry said {retries[-1]:,} ms"
    where = [exchange.request.last_packet] if exchange.request else []
    return Finding("retry-ignored", summary, where)


def _tail(sent: list[str]) -> str:
    return ", ".join(map(_shown, sent[-3:])) or "no ID at all"


def _shown(identifier: str) -> str:
    return repr(preview(identifier, "utf-8", ID_WIDTH))
