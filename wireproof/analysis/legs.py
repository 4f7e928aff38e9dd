"""Which exchanges of a capture are legs of one way: a client asks a proxy, and that asks a server.

Strategy: a proxy asks while its client waits, and so do other clients. Whom they asked tells them
apart, which is known once their connections are, and what came: an answer that is passed on has
the same elements on both legs, each later on the client's. Where there are no elements to compare,
two exchanges are legs of one way if nobody else asked meanwhile. If several fit, none is known,
unless they are legs of one way themselves: behind a chain of proxies the last of them is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

from parsers.records import BodyRecord

from ..exchange import Exchange
from .firsts import Firsts, is_passed_on
from .flaws import is_cut_early
from .past import Past
from .trace import Trace

GATEWAY_ERROR = 500
"""Status from which on an answer may be the proxy's own (RFC 9110 section 15.6)."""
DEFAULT_PORTS = ("80", "443")
Leg = Past[Trace]


class Answered(Protocol):
    """An exchange, and the first elements of its answer."""

    @property
    def about(self) -> Exchange: ...

    @property
    def firsts(self) -> Firsts: ...


def leg_behind(trace: Trace) -> Trace | None:
    """Return the leg behind a proxy on which the answer was asked for; the last, if it asked again.

    None if none is known.
    """
    owned = [leg for leg in trace.asked_meanwhile if trace.past is leg_before(leg) is not None]
    overlap = any(not _is_before(one, other) for one, other in pairwise(owned))
    return None if overlap or not owned else owned[-1]


def leg_before(trace: Trace) -> Leg | None:
    """Return the leg of the client for whom a proxy asked this; None if none is known."""
    return None if trace.past is None else near_leg(trace.past)


def near_leg(leg: Leg) -> Leg | None:
    """Return the same of an exchange that may have been judged long ago."""
    if leg.is_forgotten or not _are_over([leg, *leg.waiting]):
        return None
    able = [one for one in leg.waiting if may_pass_on(one.about, leg.about)]
    if not able:
        return None  # as with nearly every exchange
    waiting = [one for one in leg.waiting if not is_over_before(one.about, leg.about)]
    possible = [one for one in able if one in waiting]
    fitting = [(one, agrees(one, leg)) for one in possible]
    proven = [one for one, is_same in fitting if is_same]
    same = [one for one in proven if _ask_the_same(one.about, leg.about)] or proven
    if same:
        return same[-1] if _are_chain(same) else None
    if (
        not fitting
        or len(possible) < len(waiting)
        or any(is_same is False for _, is_same in fitting)
    ):
        return None
    if not _are_chain(possible) or not shows_proxy(possible[0].about, leg.about):
        return None
    near = possible[-1]
    asked = near.asked_meanwhile
    return near if _are_chain(asked) or _asked_in_turn(asked) else None


def _are_chain(legs: Sequence[Leg]) -> bool:
    """Whether each was asked while the one before it waits, and its answer may be passed on."""
    return all(
        one in other.waiting
        and may_pass_on(one.about, other.about)
        and agrees(one, other) is not False
        for one, other in pairwise(legs)
    )


def may_hide_cut(trace: Trace) -> bool:
    """Whether an answer that may be this one's, behind a proxy, was cut."""
    return bool([leg for leg in trace.asked_meanwhile if is_cut_early(leg.about)])


def connections_to_come(trace: Trace) -> list[int]:
    """Return the connections that go on, and may have a leg of the same way."""
    waiting = () if trace.past is None else trace.past.waiting
    if not waiting and not trace.asked_meanwhile:
        return []  # as nearly always
    others = [leg.about for leg in trace.asked_meanwhile] + [past.about for past in waiting]
    return [about.key.connection for about in others if about.end.record is None]


def _are_over(legs: Sequence[Leg]) -> bool:
    """Whether the connections are known, which tell who asked whom."""
    return all(leg.about.connection is not None for leg in legs)


def _asked_in_turn(legs: Sequence[Leg]) -> bool:
    return all(is_over_before(one.about, other.about) for one, other in pairwise(legs))


def _is_before(one: Trace, other: Trace) -> bool:
    return is_over_before(one.about, other.about)


def is_over_before(one: Exchange, other: Exchange) -> bool:
    """Whether an answer was over before another was asked for."""
    ends = [time for time in (_first_end(one), _body_end(one)) if time is not None]
    return other.request is not None and bool(ends) and min(ends) <= other.request.last_time


def _first_end(about: Exchange) -> float | None:
    connection = about.connection
    return connection.ends[0]["time"] if connection is not None and connection.ends else None


def _has_client_left(about: Exchange) -> bool:
    connection = about.connection
    if connection is None or not connection.ends:
        return False
    return connection.ends[0]["sender"] == "client"


def _body_end(about: Exchange) -> float | None:
    return about.response_body.last_time if about.response_body is not None else None


def may_pass_on(near: Exchange, leg: Exchange) -> bool:
    """Whether the server of one may be the client of the other, by their addresses.

    A proxy that asks from another address than the one it is asked at is not told from a client
    that asks two servers at once, or one at two addresses: by its client's address, and by ports.
    """
    here, there = near.peers, leg.peers
    if here is None or there is None or here[1] == there[1]:
        return False
    client, _ = host_and_port(here[0])
    asked, port = host_and_port(here[1])
    asking, _ = host_and_port(there[0])
    _, behind = host_and_port(there[1])
    return asking == asked or (asking != client and port != behind)


def agrees(near: Answered, leg: Answered) -> bool | None:
    """Whether the answer of one is that of the other, passed on; None if they do not tell."""
    here, there = near.about.response, leg.about.response
    if there is None:
        if here is not None and here.status < GATEWAY_ERROR:
            return False
        if here is None and _has_client_left(near.about):
            return None
        came = _first_end(near.about) if here is None else here.first_time
        ended = _first_end(leg.about)
        return False if came is not None and ended is not None and came < ended else None
    if here is not None:
        if here.first_time < there.first_time:
            return False
        if here.status != there.status:
            return None if here.status >= GATEWAY_ERROR else False
    return is_passed_on(near.firsts, leg.firsts)


def shows_proxy(near: Exchange, leg: Exchange) -> bool:
    """Whether a request was passed on, by its head: a client that asks two servers gives each the
    name of that one, and says nothing else that differs."""
    if near.request is None or leg.request is None:
        return True
    asked, named = near.request_header("host"), leg.request_header("host")
    if asked == named or (named is not None and not _may_name(named, leg)):
        return True
    return near.request.version != leg.request.version or _lines(near) != _lines(leg)


def _may_name(named: str, about: Exchange) -> bool:
    """Whether a client that asks a server calls it by this name: with its port, but for the default
    ones (RFC 9110 section 7.2)."""
    if about.peers is None:
        return True
    _, asked = host_and_port(about.peers[1])
    _, _, port = named.rpartition(":")
    return asked in (DEFAULT_PORTS if not port.isdecimal() or port == named else (port,))


def _lines(about: Exchange) -> set[tuple[str, str]]:
    """Return the field lines of a request but for the host, which a proxy may set anew."""
    lines = about.request.headers if about.request is not None else ()
    return {(name, value) for name, value in lines if name.lower() != "host"}


def host_and_port(address: str) -> tuple[str, str]:
    host, _, port = address.rpartition(":")
    return host, port


def _ask_the_same(one: Exchange, other: Exchange) -> bool:
    return have_same_body(one.request_body, other.request_body)


def have_same_body(one: BodyRecord | None, other: BodyRecord | None) -> bool:
    """Whether two bodies have the same content, and some."""
    if one is None or other is None or not one.size:
        return False
    return one.sha256 == other.sha256
