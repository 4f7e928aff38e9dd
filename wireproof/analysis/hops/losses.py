"""What of an exchange did not come through a hop, or came otherwise than it went in.

Strategy: what is missing at the nearer point was lost by the hop only if that point would have seen
it: what came before a capture began, in bytes that it lacks, after the client had left, or past a
bound of ours, was not.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from ..ends import LEAST_AGAIN, sent_in_vain
from ..flaws import is_cut_early
from ..relayed import ended_by, left_before_end
from ..undelivered import LEAST_HOLE
from .clocks import Clock
from .leg import Leg
from .passage import Passage


class Losses(NamedTuple):
    """Positions of elements; those of the farther leg where they are lost, else of the nearer."""

    lost: list[int]
    unseen: int
    """Elements that the nearer capture could not have seen."""
    doubled: list[int]
    moved: list[int]
    added: list[int]
    changed: list[int]
    """Those that have other content than they had."""
    unheard: list[int]
    """What the client said and the server did not hear, in the middle of what it heard; positions
    of the nearer leg."""
    is_cut: bool
    """Whether the nearer leg ended before the answer did, and the client had not left."""
    is_given_up: bool
    """Whether what lies between ended both connections before the answer was whole."""
    hides_cut: bool
    """Whether the answer came whole to the client, and the server's own was cut."""
    left_at: float | None
    """When the client left before the answer was whole, by the nearer clock; None if it stayed."""
    wasted: int
    """Elements that the server still sent after that."""
    wasted_for: float
    """Seconds that it went on."""


def losses(near: Leg, far: Leg, passage: Passage, up: Passage, clock: Clock) -> Losses:
    """Return what did not come through as it was, of what the server and the client sent."""
    left_at = _left_at(near)
    after = [] if left_at is None else _after(far, clock, left_at)
    lost, unseen = _lost(near, far, passage, left_at)
    alignment = passage.alignment
    is_seen = far.is_whole and near.about.response is not None and not near.down.gaps
    return Losses(
        lost,
        unseen,
        alignment.doubled if is_seen else [],
        [one for one, _ in alignment.moved],
        alignment.added if is_seen else [],
        [one for one, _ in alignment.changed],
        _unheard(far, up),
        bool(lost) and not near.is_whole,
        _is_given_up(near, far),
        _hides_cut(near, far),
        left_at,
        len(after),
        after[-1] - left_at if after and left_at is not None else 0.0,
    )


class LostBytes(NamedTuple):
    """The last bytes of a server's, which a path lost for good."""

    length: int
    times: int
    """How often any of them was sent again."""
    is_sure: bool
    """Whether the nearer capture goes on after that, and shows its client leave without them."""


def lost_bytes(near: Leg, far: Leg, clock: Clock) -> LostBytes | None:
    """Return which last bytes a path lost; None if it lost none, or nobody knows.

    Of both captures the one that goes on longer says what the client acknowledged. Later exchanges
    of the connection have bytes of their own, and so have other streams of HTTP/2. What is sent
    once the client has left says nothing of the path.
    """
    here, there, head = near.connection, far.connection, far.about.response
    if here is None or there is None or head is None or head.stream_id is not None:
        return None
    known = here.client_acknowledged, there.client_acknowledged
    acknowledged = max((one for one in known if one is not None), default=None)
    if None in known or acknowledged is None or not far.about.is_last:
        return None
    left = next((end["time"] for end in here.ends if end["sender"] == "client"), inf)
    again = [one for one in sent_in_vain(there, acknowledged) if clock.nearer(one["time"]) < left]
    if len(again) < LEAST_AGAIN or again[-1]["time"] - again[0]["time"] < LEAST_HOLE:
        return None
    return LostBytes(there.server_bytes - acknowledged, len(again), left < inf)


def _lost(near: Leg, far: Leg, passage: Passage, left_at: float | None) -> tuple[list[int], int]:
    lost = passage.alignment.lost
    pairs = passage.alignment.pairs
    if not lost or not pairs:
        return [], len(lost)
    first, last = pairs[0][1], pairs[-1][1]
    sees_head = near.about.response is not None and not near.down.gaps
    is_cut = not near.is_whole and _ended(near) and left_at is None and far.is_whole
    sees_end = (near.is_whole or is_cut) and near.down.count == len(near.down)
    found = [
        place
        for place in lost
        if (sees_head if place < first else sees_end if place > last else not near.down.gaps)
    ]
    return found, len(lost) - len(found)


def _is_given_up(near: Leg, far: Leg) -> bool:
    """Whether the hop closed towards its client as a server, and towards the server as a client."""
    if near.is_finished or far.is_finished or near.connection is None or far.connection is None:
        return False
    return ended_by(near.about) == "server" and ended_by(far.about) == "client"


def _hides_cut(near: Leg, far: Leg) -> bool:
    """Whether the hop ended in good order what was cut, and made up nothing of its own."""
    if not near.is_whole or far.down.gaps or not is_cut_early(far.about):
        return False
    if left_before_end(near.about):
        return False
    here, there = near.about.response, far.about.response
    return here is not None and there is not None and here.status == there.status


def _unheard(far: Leg, up: Passage) -> list[int]:
    pairs = up.alignment.pairs
    if not pairs or far.up.gaps:
        return []
    return [place for place in up.alignment.lost if pairs[0][1] < place < pairs[-1][1]]


def _ended(leg: Leg) -> bool:
    """Whether the connection ended, so that nothing more could come."""
    return leg.connection is not None and leg.connection.close not in ("open", "refused")


def _left_at(near: Leg) -> float | None:
    """Return when the client closed before the answer was whole."""
    if near.is_whole or near.connection is None or near.about.transport == "websocket":
        return None
    ends = near.connection.ends
    if not ends or ends[0]["sender"] != "client":
        return None
    return ends[0]["time"]


def _after(far: Leg, clock: Clock, left_at: float) -> list[float]:
    return [time for time in map(clock.nearer, far.down.times) if time > left_at]
