"""How many streams each side may open, and when it might open no more (RFC 9000 section 4.6).

Strategy: a sender's own STREAMS_BLOCKED says that it waits, and MAX_STREAMS of the other side that
it may go on. Without the first nothing is told: who opens no stream may not want any.
"""

from __future__ import annotations

from typing import NamedTuple

from ..diagnostics import Diagnostic, diagnose
from ..provenance import Completion
from ..records import Sender
from .frames import MaxStreams, StreamsBlocked

Kind = tuple[Sender, bool]
"""Who opens the streams, and whether they are of one direction."""


class Wait(NamedTuple):
    """A side waits for leave to open another stream."""

    limit: int
    since: Completion


class StreamLimits:
    """The waits of both sides."""

    def __init__(self) -> None:
        self._waits: dict[Kind, Wait] = {}

    def block(self, sender: Sender, frame: StreamsBlocked, came: Completion) -> None:
        """Take a side's word that it may open no further stream; said again it is no other wait."""
        known = self._waits.get((sender, frame.is_one_way))
        if known is None or known.limit < frame.limit:
            self._waits[sender, frame.is_one_way] = Wait(frame.limit, came)

    def rise(self, sender: Sender, frame: MaxStreams, came: Completion) -> Diagnostic | None:
        """Take leave for ``sender`` to open more; return what is to be said of a wait it ends."""
        kind = sender, frame.is_one_way
        wait = self._waits.get(kind)
        if wait is None or frame.limit <= wait.limit:
            return None
        del self._waits[kind]
        lasted = f"for {came[1] - wait.since[1]:.3f} s, until MAX_STREAMS in packet {came[0]}"
        return _said(kind, wait, lasted)

    def end(self) -> list[tuple[Sender, Diagnostic]]:
        """Return what is to be said of the waits that nothing ended."""
        waits, self._waits = self._waits, {}
        return [
            (kind[0], _said(kind, wait, "and no MAX_STREAMS came")) for kind, wait in waits.items()
        ]


def _said(kind: Kind, wait: Wait, lasted: str) -> Diagnostic:
    sender, is_one_way = kind
    which = "of one direction" if is_one_way else "of both directions"
    detail = f"the {sender}, after {wait.limit:,} {which} (packet {wait.since[0]}), {lasted}"
    return diagnose("quic-streams-blocked", 0, 0, detail)
