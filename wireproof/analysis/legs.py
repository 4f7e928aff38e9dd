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

from ..exchange import Exchange
from .firsts import is_passed_on
from .flaws import is_cut_early
from .past import Past
from .trace import Trace

GATEWAY_ERROR = 500
"""Status from which on an answer may be the proxy's own (RFC 9110 section 15.6)."""
Leg = Past[Trace]


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
    able = _able_to_pass_on(leg)
    if not able:
        return None  # as with nearly every exchange
    waiting = [one for one in leg.waiting if not _is_over_before(one.about, leg.about)]
    possible = [one for one in able if one in waiting]
    fitting = [(one, _agree(one, leg)) for one in possible]
    proven = [one for one, agrees in fitting if agrees]
    same = [one for one in proven if _have_same_body(one.about, leg.about)] or proven
    if same:
        return same[-1] if _are_chain(same) else None
    if not fitting or len(possible) < len(waiting) or any(agrees is False for _, agrees in fitting):
        return None
    if not _are_chain(possible) or not _shows_proxy(possible[0].about, leg.about):
        return None
    near = possible[-1]
    asked = near.asked_meanwhile
    return near if _are_chain(asked) or _asked_in_turn(asked) else None


def connection_to_come(leg: Leg) -> int | None:
    """Return a connection that has to end before :func:`near_leg` knows; None if it knows now, or
    never will."""
    if not leg.waiting:
        return None
    for one in (leg, *leg.waiting):
        if one.about.connection is None:
            return one.about.key.connection
    if leg.asked_meanwhile and _able_to_pass_on(leg):
        for one in leg.asked_meanwhile:
            if one.about.connection is None:
                return one.about.key.connection
    return None


def _able_to_pass_on(leg: Leg) -> list[Leg]:
    """Return those that wait and whose server may have asked this one."""
    return [one for one in leg.waiting if _may_pass_on(one.about, leg.about)]


def _are_chain(legs: Sequence[Leg]) -> bool:
    """Whether each was asked while the one before it waits, and its answer may be passed on."""
    return all(
        one in other.waiting
        and _may_pass_on(one.about, other.about)
        and _agree(one, other) is not False
        for one, other in pairwise(legs)
    )


def may_hide_cut(trace: Trace) -> bool:
    """Whether an answer that may be this one's, behind a proxy, was cut."""
    return any(is_cut_early(leg.about) for leg in trace.asked_meanwhile)


def connections_to_come(trace: Trace) -> list[int]:
    """Return the connections that go on, and may have a leg of the same way."""
    others = [leg.about for leg in trace.asked_meanwhile]
    others += [past.about for past in trace.past.waiting] if trace.past is not None else []
    return [about.key.connection for about in others if about.connection is None]


def _are_over(legs: Sequence[Leg]) -> bool:
    """Whether the connections are known, which tell who asked whom."""
    return all(leg.about.connection is not None for leg in legs)


def _asked_in_turn(legs: Sequence[Leg]) -> bool:
    return all(_is_over_before(one.about, other.about) for one, other in pairwise(legs))


def _is_before(one: Trace, other: Trace) -> bool:
    return _is_over_before(one.about, other.about)


def _is_over_before(one: Exchange, other: Exchange) -> bool:
    """Whether an answer was over before another was asked for."""
    ends = [time for time in (_first_end(one), _body_end(one)) if time is not None]
    return other.request is not None and bool(ends) and min(ends) <= other.request.last_time


def _first_end(about: Exchange) -> float | None:
    connection = about.connection
    return connection.ends[0]["time"] if connection is not None and connection.ends else None


def _body_end(about: Exchange) -> float | None:
    return about.response_body.last_time if about.response_body is not None else None


def _may_pass_on(near: Exchange, leg: Exchange) -> bool:
    """Whether the server of one may be the client of the other, by their addresses.

    A proxy that asks from another address than the one it is asked at is not told from a client
    that asks two servers at once, or one at two addresses: by its client's address, and by ports.
    """
    here, there = near.connection, leg.connection
    if here is None or there is None or here.server == there.server:
        return False
    asked, port = _host_and_port(here.server)
    asking, _ = _host_and_port(there.client)
    client, _ = _host_and_port(here.client)
    _, behind = _host_and_port(there.server)
    return asking == asked or (asking != client and port != behind)


def _agree(near: Leg, leg: Leg) -> bool | None:
    """Whether the answer of one is that of the other, passed on; None if they do not tell."""
    here, there = near.about.response, leg.about.response
    if there is None:
        if here is not None and here.status < GATEWAY_ERROR:
            return False
        came = _first_end(near.about) if here is None else here.first_time
        ended = _first_end(leg.about)
        return False if came is not None and ended is not None and came < ended else None
    if here is not None:
        if here.first_time < there.first_time:
            return False
        if here.status != there.status:
            return None if here.status >= GATEWAY_ERROR else False
    return is_passed_on(near.firsts, leg.firsts)


def _shows_proxy(near: Exchange, leg: Exchange) -> bool:
    """Whether a request was passed on, by its head: a client that asks two servers gives each the
    name of that one, and says nothing else that differs."""
    if near.request is None or leg.request is None:
        return True
    if near.request_header("host") == leg.request_header("host"):
        return True
    return near.request.version != leg.request.version or _lines(near) != _lines(leg)


def _lines(about: Exchange) -> set[tuple[str, str]]:
    """Return the field lines of a request but for the host, which a proxy may set anew."""
    lines = about.request.headers if about.request is not None else ()
    return {(name, value) for name, value in lines if name.lower() != "host"}


def _host_and_port(address: str) -> tuple[str, str]:
    host, _, port = address.rpartition(":")
    return host, port


def _have_same_body(one: Exchange, other: Exchange) -> bool:
    first, second = one.request_body, other.request_body
    if first is None or second is None or not first.size:
        return False
    return first.sha256 == second.sha256
