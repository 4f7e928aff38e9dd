"""Ends that a proxy made of others, where a capture has both of its legs.

Strategy: a proxy is its server's client and its client's server, so how one of its legs ended says
why the other did: it leaves its server because its own client has left, or because its patience
ended. And one that ends its client's answer in good order, though the server's was cut, hides that
from everybody who looks at the client's leg alone.
"""

from __future__ import annotations

from typing import NamedTuple

from parsers.records import BodyRecord, Sender

from ..exchange import Exchange
from ..text.wording import duration
from .ends import missing_from_capture
from .flaws import is_cut_early
from .legs import leg_before, leg_behind, may_hide_cut
from .premature import KEEP_ALIVE, RAISE, is_idle
from .silence import Silence
from .trace import Trace
from .verdict import Cause

HIDES_CUT = "proxy-hides-cut"
WAIT_FOR_LAST_WORD = (
    "have clients wait for the application's own last word ([DONE], a final event), and look in the"
    " server's log for why it was cut"
)


def hidden_cut(trace: Trace) -> Cause | None:
    """Return that an answer came whole by its framing, and the server's own was cut; None if not.

    Both have the same content: what a proxy made up by itself is another answer.
    """
    leg = leg_behind(trace) if may_hide_cut(trace) else None
    if leg is None or not is_cut_early(leg.about) or missing_from_capture(leg):
        return None
    if not _is_same_content(trace.about.response_body, leg.about.response_body):
        return None
    if left_before_end(trace.about):
        return None  # then the proxy had nobody to pass it on to
    end = _end_of(leg.about)
    where = _place(leg.about.key.connection, end.packet if end else leg.about.last_packet)
    seen = f"the server's own answer was cut {where}"
    if end is not None and end.sender == "client":
        seen = f"the proxy gave up on the server {where}"
    seen += ", and the proxy ended this one in good order"
    return Cause(HIDES_CUT, "certain", seen, WAIT_FOR_LAST_WORD)


def _is_same_content(near: BodyRecord | None, far: BodyRecord | None) -> bool:
    if near is None or far is None or not near.complete:
        return False
    return near.decoded_size is not None and near.decoded_size == far.decoded_size


def why_proxy_left(trace: Trace, silence: Silence | None) -> list[Cause]:
    """Return why a client left that is a proxy, if its own client's leg is in the capture."""
    near, left = leg_before(trace), _end_of(trace.about)
    end = _end_of(near.about) if near is not None else None
    if near is None or left is None or end is None:
        return []
    where = _place(near.about.key.connection, end.packet)
    if end.sender == "client" and end.time <= left.time:
        said = f"the client is a proxy, whose own client had left {where}"
        return [Cause("client-closed", "certain", said, "nothing, if that client meant to leave")]
    body = near.about.response_body
    if end.sender == "client" or (body is not None and body.complete):
        return []
    waited = silence.seconds if silence is not None else 0.0
    if silence is not None and is_idle(trace, waited):
        said = f"the client is a proxy, which gave up after {duration(waited)} of silence and ended"
        return [
            Cause("proxy-idle-timeout", "certain", f"{said} its own answer {where}", KEEP_ALIVE)
        ]
    said = f"the client is a proxy, which gave up while the answer came, and ended its own {where}"
    return [Cause("proxy-total-timeout", "certain", said, RAISE)]


def left_before_end(about: Exchange) -> bool:
    """Whether the client gave its answer up before that came to its end."""
    end, body = _end_of(about), about.response_body
    return (
        end is not None
        and end.sender == "client"
        and body is not None
        and end.time < body.last_time
    )


def ended_by(about: Exchange) -> Sender | None:
    """Return who gave an answer up, or closed its connection first; None if that is not known."""
    if about.reset is not None:
        return about.reset.sender
    return about.connection.closed_by if about.connection is not None else None


class _End(NamedTuple):
    """What ended an exchange before its framing did, or its connection after that."""

    sender: Sender
    packet: int
    time: float


def _end_of(about: Exchange) -> _End | None:
    if (reset := about.reset) is not None:
        return _End(reset.sender, reset.last_packet, reset.last_time)
    if about.connection is None or not about.connection.ends:
        return None
    first = about.connection.ends[0]
    return _End(first["sender"], first["packet"], first["time"])


def _place(connection: int, packet: int) -> str:
    return f"(connection {connection}, packet {packet})"
