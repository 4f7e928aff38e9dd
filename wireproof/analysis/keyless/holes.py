"""What of a TLS connection the capture lacks: the judge of its question.

Strategy: TCP counts its bytes, so what is missing is certain without keys, and where. What it held
is not: it may have been events, and the numbers of records and gaps are those of the rest.
"""

from __future__ import annotations

from parsers.records import ConnectionRecord, Hole

from ...text.wording import count
from ..verdict import Verdict
from .records import TLS

LACKS = "lacks-packets"
MAX_CITED = 64
"""Packets after holes that are cited."""


def holes_of(connection: ConnectionRecord) -> list[Hole]:
    """Return the holes that nothing filled."""
    return [hole for hole in connection.holes if hole["filled_by"] is None]


def missing_of(connection: ConnectionRecord) -> int:
    """Return how many bytes of a connection the capture is known to lack."""
    return sum(hole["length"] for hole in holes_of(connection))


def judge_holes(connection: ConnectionRecord) -> Verdict | None:
    """Say what is missing, and before which packets; None if nothing is known to be."""
    holes = holes_of(connection)
    if not holes:
        return None
    sides = sorted({hole["sender"] for hole in holes})
    whose = " and ".join(f"the {side}'s" for side in sides)
    where = f"before packet {holes[0]['packet']}"
    if len(holes) > 1:
        where = f"in {count(len(holes), 'place')}, first {where}"
    missing = count(missing_of(connection), "byte")
    return Verdict(
        "capture",
        LACKS,
        "note",
        f"the capture lacks {missing} of {whose} {where}: what they held is not counted here",
        tuple(hole["packet"] for hole in holes[:MAX_CITED]),
        basis=TLS.basis,
    )
