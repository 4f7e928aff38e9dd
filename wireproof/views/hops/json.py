"""``hops`` for scripts: one JSON document, or the contract's verdict record for each hop."""

from __future__ import annotations

from typing import TextIO

import msgspec

from ...analysis.hops.leg import Leg
from ...analysis.hops.report import Judged, Passed, Report
from ...analysis.verdict import VerdictRecord, verdict_record
from .words import delays


class LegFound(msgspec.Struct, frozen=True):
    """One exchange as one point of its way saw it."""

    file: str
    connection: int
    exchange: int
    client: str
    server: str
    elements: int
    """How many came of the response, or from the server."""


class ElementDelay(msgspec.Struct, frozen=True):
    """One element on both sides of a hop."""

    element: int
    """From 0, as the server sent them."""
    far_packet: int
    near_packet: int
    added_ms: float


class HopFound(msgspec.Struct, frozen=True):
    """What lies between two legs, and what it did."""

    number: int
    """From 1, the nearest to the client first."""
    near: LegFound
    far: LegFound
    verdict: VerdictRecord
    is_fault: bool
    changes: dict[str, list[str]]
    """What else is not the same on both sides, by its kind."""
    delays: list[ElementDelay]


class ExchangeFound(msgspec.Struct, frozen=True):
    """An exchange that was seen on several legs."""

    method: str | None
    target: str | None
    hops: list[HopFound]


class HopsFound(msgspec.Struct, frozen=True):
    """What ``wireproof hops --format json`` prints."""

    verdict: str
    """The answer on the worst hop: ``transparent``, ``holds``, ``loses`` or ``rewrites``."""
    is_fault: bool
    summary: str
    hop: int | None
    """The number of the hop that is at fault, null if none is."""
    files: list[str]
    exchanges: list[ExchangeFound]
    hops: list[VerdictRecord]
    """All verdicts, in the order of the exchanges and their hops."""
    seen_once: int
    """Exchanges that were seen on one leg alone."""


def write_json(report: Report, stream: TextIO, elements: int) -> None:
    """Write a :class:`HopsFound`."""
    worst = report.worst
    assert worst is not None
    found = HopsFound(
        worst.verdict.answer,
        report.is_fault,
        worst.verdict.summary,
        worst.hop.number if report.is_fault else None,
        [*report.names],
        [_exchange(passed, elements) for passed in report.passed],
        [_record(judged) for judged in report.hops],
        report.alone,
    )
    stream.write(msgspec.json.encode(found).decode() + "\n")
    stream.flush()


def write_ndjson(report: Report, stream: TextIO) -> None:
    """Write a verdict record for each hop, of the exchange as its nearer leg has it."""
    for judged in report.hops:
        fields = msgspec.to_builtins(_record(judged)) | {"file": judged.hop.near.name}
        stream.write(msgspec.json.encode(fields).decode() + "\n")
    stream.flush()


def _record(judged: Judged) -> VerdictRecord:
    return verdict_record(judged.verdict, *judged.hop.near.about.key)


def _exchange(passed: Passed, elements: int) -> ExchangeFound:
    request = next((leg.about.request for leg in passed.way.legs if leg.about.request), None)
    found = [_hop(judged, elements) for judged in passed.hops]
    if request is None:
        return ExchangeFound(None, None, found)
    return ExchangeFound(request.method, request.target, found)


def _hop(judged: Judged, elements: int) -> HopFound:
    hop = judged.hop
    changed: dict[str, list[str]] = {}
    for change in hop.changes:
        changed.setdefault(change.code, []).append(change.summary)
    shown = [
        ElementDelay(one.element, one.came_packet, one.left_packet, one.added * 1e3)
        for one in delays(hop, elements)
    ]
    return HopFound(
        hop.number,
        _leg(hop.near),
        _leg(hop.far),
        _record(judged),
        judged.verdict.is_fault,
        changed,
        shown,
    )


def _leg(leg: Leg) -> LegFound:
    key = leg.about.key
    return LegFound(leg.name, *key, leg.client, leg.server, leg.down.count)
