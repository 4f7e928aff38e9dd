"""The legs of exchanges that were seen more than once, on one axis, and what each hop did.

Strategy: packets that were put aside are decoded once more when somebody asks, and not before the
captures have ended, for pairing looks at whole exchanges; the answer is kept. What is said of a hop
is what ``wireproof hops`` says; but captures that are looked at together may be of different
times, so that each pair has to prove that it is one. All times are of the clock of the leg nearest
to the client.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

from ..analysis.hops.hop import Hop
from ..analysis.hops.leg import Leg
from ..analysis.hops.report import Judged, Passed, hops
from ..analysis.verdict import verdict_record
from ..text.escape import escape
from ..views.verdicts.words import details
from .exchange import Key, within
from .index import Index

MAX_DRAWN = 20_000
"""Elements of a leg that are drawn."""


class Hops:
    """The hops between what one capture saw, or several."""

    def __init__(self, indexes: Sequence[Index]) -> None:
        self._indexes = indexes
        self._taking_turns = Lock()
        self._passed: list[Passed] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the captures have ended."""
        return all(index.state == "ended" for index in self._indexes)

    def found(self) -> list[Passed]:
        """Return the exchanges that were seen on several legs."""
        with self._taking_turns:
            if not self.is_ready:
                return []
            if self._passed is None:
                self._passed = self._find()
            return self._passed

    def _find(self) -> list[Passed]:
        if sum(len(index.servers) for index in self._indexes) < 2:
            return []  # two legs of an exchange are those to two servers, or of two captures
        captures = [(index.name, index.records()) for index in self._indexes]
        return hops(captures, is_one_way=False).passed

    def list(self) -> list[dict[str, Any]]:
        """Return for each exchange its legs, the nearest to the client first, and the answers."""
        return [
            {
                "legs": [key_of(leg) for leg in passed.way.legs],
                "answers": [judged.verdict.answer for judged in passed.hops],
                "severities": [judged.verdict.severity for judged in passed.hops],
                "summary": escape(worst_of(passed).verdict.summary),
            }
            for passed in self.found()
        ]

    def one(self, number: int) -> dict[str, Any] | None:
        """Return everything of one exchange: its legs' elements, their pairs, what hops did."""
        found = self.found()
        if number >= len(found):
            return None
        passed = found[number]
        clocks = [judged.hop for judged in passed.hops]
        return {
            "legs": [_leg(leg, clocks[:at]) for at, leg in enumerate(passed.way.legs)],
            "hops": [_hop(judged) for judged in passed.hops],
        }


def worst_of(passed: Passed) -> Judged:
    """Return the hop that did most harm to an exchange: the first of the gravest."""
    order = ("loses", "holds", "rewrites", "transparent")
    return min(passed.hops, key=lambda judged: order.index(judged.verdict.answer))


def key_of(leg: Leg) -> str:
    """Return by what the page asks for the exchange of a leg."""
    return within(leg.capture, str(Key(*leg.about.key)))


def _leg(leg: Leg, nearer: Sequence[Hop]) -> dict[str, Any]:
    """Return what a leg saw; ``nearer`` are the hops between it and the client, nearest first."""

    def shown(time: float) -> float:
        for hop in reversed(nearer):
            time = hop.clock.nearer(time)
        return time

    asked, answered = leg.asked_at, leg.answered_at
    return {
        "key": key_of(leg),
        "capture": leg.name,
        "offset": shown(leg.about.first_time) - leg.about.first_time,
        "client": leg.client,
        "server": leg.server,
        "asked": None if asked is None else shown(asked),
        "answered": None if answered is None else shown(answered),
        "ended": shown(leg.about.last_time),
        "elements": leg.down.count,
        "time": [shown(time) for time in leg.down.times[:MAX_DRAWN]],
        "packet": list(leg.down.packets[:MAX_DRAWN]),
    }


def _hop(judged: Judged) -> dict[str, Any]:
    hop, verdict = judged
    down = hop.down
    return {
        "number": hop.number,
        "proxy": escape(hop.proxy),
        "is_path": hop.is_path,
        "record": verdict_record(verdict, *hop.near.about.key),
        "tone": verdict.tone,
        "details": details(verdict),
        "changes": [(change.code, escape(change.summary)) for change in hop.changes],
        "median": down.part(0.5) if len(down) else None,
        "most": down.part(1.0) if len(down) else None,
        "near": list(down.places[:MAX_DRAWN]),
        "far": list(down.origins[:MAX_DRAWN]),
        "added": list(down.added[:MAX_DRAWN]),
        "lost": list(hop.losses.lost)[:MAX_DRAWN],
    }
