"""Which exchanges of a capture are legs of one way: a client asks a proxy, and that asks a server.

Strategy: a proxy asks while its client waits, and so do other clients of the same server. Whom they
asked tells them apart, which is known once their connections are. Where several waited for the same
at once, that one is taken whose body came through, who has no leg yet, or whose field lines came
through. If that decides nothing, no leg is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ..exchange import Exchange
from .flaws import is_cut_early
from .links import MAX_BEFORE
from .past import Past
from .trace import Trace

MAX_AT_ONCE = 4
"""Of more that waited at once, bodies alone tell whose a leg is: there may be more of them yet."""
MAX_LOOKED_AT = 64
"""Other exchanges that are looked at to know whose a leg is, and who has one already."""
Leg = Past[Trace]
Owners = dict[int, Leg | None]
"""By the number of a leg's exchange, who waited for its answer: None if nobody did."""


class _Unsure(Exception):
    """Whose a leg is cannot be told."""


def leg_behind(trace: Trace) -> Trace | None:
    """Return the leg behind a proxy on which the answer was asked for; the last, if it asked again.

    None if none is known.
    """
    for leg in reversed(trace.asked_meanwhile):
        if leg.past is not None and _owner(leg.past) is trace.past:
            return leg
    return None


def leg_before(trace: Trace) -> Leg | None:
    """Return the leg of the client for whom a proxy asked this; None if none is known."""
    return None if trace.past is None else _owner(trace.past)


def may_hide_cut(trace: Trace) -> bool:
    """Whether an answer that may be this one's, behind a proxy, was cut."""
    return any(is_cut_early(leg.about) for leg in trace.asked_meanwhile)


def connections_to_come(trace: Trace) -> list[int]:
    """Return the connections that go on, and may have a leg of the same way."""
    others = [leg.about for leg in trace.asked_meanwhile]
    others += [past.about for past in trace.past.waiting] if trace.past is not None else []
    return [about.key.connection for about in others if about.connection is None]


def _owner(leg: Leg) -> Leg | None:
    """Return who waited for the answer to what a proxy asked; None if nobody is known to.

    That depends on whose earlier legs are, so it is asked of these first, in their order.
    """
    owners: Owners = {}
    for one in _with_those_before(leg):
        if _is_known(one):
            with suppress(_Unsure):
                owners[one.about.number] = _find(one, owners)
    return owners.get(leg.about.number)


def _with_those_before(leg: Leg) -> list[Leg]:
    """Return a leg, and before it the earlier ones whose owners matter, MAX_LOOKED_AT at most."""
    found = {leg.about.number: leg}
    rest = [leg]
    while rest and len(found) < MAX_LOOKED_AT:
        one = rest.pop()
        if len(one.waiting) > MAX_AT_ONCE:
            continue
        asked = (other for near in one.waiting for other in near.asked_meanwhile)
        for other in (*one.waiting, *asked):
            number = other.about.number
            if number < one.about.number and number not in found:
                found[number] = other
                rest.append(other)
    return [found[number] for number in sorted(found)]


def _is_known(leg: Leg) -> bool:
    """Whether the connections are, which tell who asked whom."""
    known = [leg.about, *(one.about for one in leg.waiting)]
    return not leg.is_forgotten and all(about.connection is not None for about in known)


def _find(leg: Leg, owners: Owners) -> Leg | None:
    """Return whose a leg is, None if nobody's. Raises _Unsure."""
    waiting = [one for one in leg.waiting if _may_pass_on(one.about, leg.about)]
    same = [one for one in waiting if _have_same_body(one.about, leg.about)]
    if len(same) == 1 or not waiting:
        return same[0] if same else None
    if len(leg.waiting) > MAX_AT_ONCE:
        raise _Unsure
    waiting = [one for one in same or waiting if not _leads_back(one, leg, owners)]
    if len(waiting) < 2:
        return waiting[0] if waiting else None
    left = [one for one in waiting if not _has_leg(one, leg, owners)]
    return left[0] if len(left) == 1 else _by_fields(leg.about, left or waiting)


def _leads_back(one: Leg, leg: Leg, owners: Owners) -> bool:
    """Whether a leg leads back to a server that passed the request on. Raises _Unsure."""
    way: Leg | None = one
    while way is not None:
        way = _known(way.about.number, owners)
        if way is not None and _server(way.about) == _server(leg.about):
            return True
    return False


def _has_leg(one: Leg, leg: Leg, owners: Owners) -> bool:
    """Whether something was asked for who waits before a leg was. Raises _Unsure."""
    numbers = [other.about.number for other in one.asked_meanwhile]
    before = [number for number in numbers if number < leg.about.number]
    if any(owners.get(number) is one for number in before):
        return True
    if one.is_forgotten or len(numbers) == MAX_BEFORE:
        raise _Unsure
    return any(_known(number, owners) is one for number in before)


def _known(number: int, owners: Owners) -> Leg | None:
    """Return whose a leg is that was looked at before. Raises _Unsure."""
    if number not in owners:
        raise _Unsure
    return owners[number]


def _server(about: Exchange) -> str:
    return about.connection.server if about.connection is not None else ""


def _may_pass_on(near: Exchange, leg: Exchange) -> bool:
    """Whether the server of one may be the client of the other, by their addresses.

    A proxy that asks from another address than the one it is asked at is not told from a client
    that asks two servers at once, or one at two addresses: by its client's address, and by ports.
    """
    if near.connection is None or leg.connection is None or _server(near) == _server(leg):
        return False
    asked, port = _host_and_port(near.connection.server)
    asking, _ = _host_and_port(leg.connection.client)
    client, _ = _host_and_port(near.connection.client)
    _, behind = _host_and_port(leg.connection.server)
    return asking == asked or (asking != client and port != behind)


def _host_and_port(address: str) -> tuple[str, str]:
    host, _, port = address.rpartition(":")
    return host, port


def _have_same_body(one: Exchange, other: Exchange) -> bool:
    first, second = one.request_body, other.request_body
    if first is None or second is None or not first.size:
        return False
    return first.sha256 == second.sha256


def _by_fields(leg: Exchange, waiting: Sequence[Leg]) -> Leg:
    """Return the one who shares more field lines with a leg than all others. Raises _Unsure."""
    shared = [len(_lines(one.about) & _lines(leg)) for one in waiting]
    most = max(shared)
    if shared.count(most) > 1:
        raise _Unsure
    return waiting[shared.index(most)]


def _lines(about: Exchange) -> set[tuple[str, str]]:
    return set(about.request.headers) if about.request is not None else set()
