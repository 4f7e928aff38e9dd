"""Which exchanges are legs behind a proxy, so that what a client asked for counts once.

Strategy: a proxy asks while its client waits. So each request is held against those that wait for
an answer when it comes: the latest MAX_ALIKE whose paths end alike, for a proxy may rewrite what
stands before, and the latest MAX_OTHERS. One of these that is over has what was asked for it: what
lies within its time, as ``wireproof hops`` has it (:mod:`.hops.proof`), carried the same, and has
no other yet; of several, what was asked for first, which leaves most for the others. Memory is that
of the exchanges that are open, however long their connections go on.

What counts has to be right in number: of several clients that ask for the same at once, it does not
matter whose leg is whose. Who explains one exchange by another has to know that (:mod:`.legs`). So
where one finds that others have what it would fit, these move on to what they fit as well, as long
as one of them finds something free (an augmenting path of a bipartite matching).
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import inf
from operator import attrgetter, itemgetter

from ..exchange import Exchange
from ..heads import is_final
from .firsts import Firsts
from .hops.pairing import ENOUGH
from .hops.proof import SLACK, nests
from .legs import (
    GATEWAY_ERROR,
    agrees,
    have_same_body,
    host_and_port,
    is_over_before,
    may_pass_on,
    shows_proxy,
)
from .trace import Trace

MAX_ALIKE = 64
"""Exchanges that wait for an answer and are compared, of those whose path ends as the request's."""
MAX_OTHERS = 8
"""The same, whatever their paths."""
MAX_WAYS = 1_024
"""Pairs of servers of which it is known which one asks the other."""
MAX_MOVABLE = 128
"""Legs that may move on to another exchange when one more needs theirs, the latest ones."""
MAX_TRIED = 64
"""Exchanges that are tried for one leg by moving theirs."""
Key = tuple[str, str]
"""A method, and the last segment of a path."""


class Seen:
    """An exchange, as far as it is known; a :class:`.hops.proof.Passage`."""

    __slots__ = (
        *("about", "key", "path", "server", "nears", "followers", "legs", "is_known"),
        *("is_behind", "_trace", "_firsts"),
    )

    def __init__(self, trace: Trace) -> None:
        self.about: Exchange = trace.about
        request = trace.about.request
        assert request is not None  # it is what begins it
        self.path = _path(request.target)
        self.key: Key = request.method, self.path.rpartition("/")[2]
        self.server = ""
        """The address of its server, once that is known."""
        self.name()
        self.nears: tuple[Seen, ...] = ()
        """Those that waited when it was asked for, the latest first."""
        self.followers: list[Seen] = []
        """Those that were asked for while it waited, and are not decided."""
        self.legs: list[Seen] = []
        """What was asked for it; several, if a proxy asked again."""
        self.is_known = False
        """Whether it is over, and its addresses are known."""
        self.is_behind: bool | None = None
        """Whether it is a leg behind a proxy; None: that is not decided."""
        self._trace: Trace | None = trace
        self._firsts: Firsts = ()

    def name(self) -> None:
        """Take note of its server, if that is known."""
        if (peers := self.about.peers) is not None:
            self.server = peers[1]

    def end(self) -> None:
        """Take note that it is over."""
        self._firsts, self._trace = self.firsts, None

    @property
    def is_over(self) -> bool:
        return self._trace is None

    @property
    def can_be_told(self) -> bool:
        """Whether it is undecided, and no address is missing of those that are over."""
        return self.is_behind is None and all(
            near.is_known or not near.is_over for near in self.nears
        )

    @property
    def firsts(self) -> Firsts:
        return self._firsts if self._trace is None else self._trace.firsts

    @property
    def is_waiting(self) -> bool:
        """Whether its answer has not come yet."""
        response = self.about.response
        return not self.is_over and (response is None or not is_final(response))

    @property
    def asked_at(self) -> float | None:
        return self.about.request.last_time if self.about.request is not None else None

    @property
    def begun_at(self) -> float:
        return self.about.first_time

    @property
    def first_time(self) -> float:
        return self.about.first_time if self.asked_at is None else self.asked_at

    @property
    def last_time(self) -> float:
        """Of one that was given up before its answer came, when its connection ended."""
        return max(self.about.last_time, self.answered_until)

    @property
    def answered_until(self) -> float:
        about = self.about
        answer = about.response_body or about.response
        if answer is not None:
            return answer.last_time
        return inf if about.connection is None else about.connection.last_time

    def arrivals(self) -> Iterable[tuple[int, float]]:
        return ((first.checksum, first.time) for first in self.firsts)

    def may_have(self, leg: Seen) -> bool:
        """Whether it has no leg yet, or only such as had failed before this one was asked for."""
        return all(one.has_failed and is_over_before(one.about, leg.about) for one in self.legs)

    @property
    def has_failed(self) -> bool:
        """Whether a proxy may ask again."""
        response = self.about.response
        return response is None or response.status >= GATEWAY_ERROR


class LegPairs:
    """Takes requests as they come, and exchanges that are over."""

    def __init__(self) -> None:
        self._seen: dict[int, Seen] = {}
        """Those that nobody has asked for yet, by the number of the exchange."""
        self._waiting: dict[int, Seen] = {}
        """Those without an answer, the first one first; some may have one by now."""
        self._alike: dict[Key, dict[int, Seen]] = {}
        """The same, by what they asked for."""
        self._servers: Counter[str] = Counter()
        """How many of those that are not over were asked of each server: mostly there is one."""
        self._decided: list[int] = []
        """Those of which it has become known since that was asked for."""
        self._ways: Counter[tuple[str, str]] = Counter()
        """How often the second of two servers was asked for the first."""
        self._movable: deque[Seen] = deque()
        """The latest legs, which still know what they may have been asked for."""
        self._nameless: defaultdict[int, list[Seen]] = defaultdict(list)
        """Those that are over, and whose addresses only the end of their connection tells."""

    def ask(self, trace: Trace) -> None:
        """Take note of the request of an exchange."""
        one = Seen(trace)
        alike = self._alike.setdefault(one.key, {})
        is_only_server = bool(one.server) and self._servers.keys() <= {one.server}
        one.nears = () if is_only_server else self._nears_of(one, alike)
        for near in one.nears:
            near.followers.append(one)
        if not one.nears:
            one.is_behind = False
        number = trace.about.number
        self._seen[number] = self._waiting[number] = alike[number] = one
        self._servers[one.server] += 1

    def _nears_of(self, one: Seen, alike: dict[int, Seen]) -> tuple[Seen, ...]:
        """Return those that wait, and may have had a request asked for them."""
        found = dict(islice(self._latest(alike), MAX_ALIKE))
        found |= dict(islice(self._latest(self._waiting), MAX_OTHERS))
        connection, server = one.about.key.connection, one.server
        others = [item for item in found.items() if item[1].server != server or not server]
        return tuple(
            near
            for _, near in sorted(others, key=itemgetter(0), reverse=True)
            if near.about.key.connection != connection
        )

    def _latest(self, waiting: dict[int, Seen]) -> Iterator[tuple[int, Seen]]:
        """Yield those that wait, the latest first; forget those that do so no more."""
        answered = []
        try:
            for number in reversed(waiting):
                if waiting[number].is_waiting:
                    yield number, waiting[number]
                else:
                    answered.append(number)
        finally:
            for number in answered:
                del waiting[number]

    def answer(self, trace: Trace) -> None:
        """Take note of the head or the end of an answer."""
        about = trace.about
        if about.response_body is not None or about.is_bodiless:
            self.over(trace)

    def over(self, trace: Trace) -> None:
        """Take note that an exchange is over, if its answer did not say so."""
        number = trace.about.number
        if (one := self._seen.get(number)) is None or one.is_over:
            return
        one.end()
        self._servers[one.server] -= 1
        if not self._servers[one.server]:
            del self._servers[one.server]
        self._waiting.pop(number, None)
        alike = self._alike.get(one.key, {})
        alike.pop(number, None)
        if not alike:
            self._alike.pop(one.key, None)
        if one.about.peers is None:
            self._nameless[one.about.key.connection].append(one)
        else:
            self._know(one)

    def end(self, connection: int) -> None:
        """Take note that a connection has ended."""
        for one in self._nameless.pop(connection, ()):
            self._know(one)

    def decided(self) -> list[int]:
        """Return of which exchanges it has become known since this was asked for last."""
        decided, self._decided = self._decided, []
        return decided

    def known(self, number: int) -> bool | None:
        """Return whether an exchange is a leg behind a proxy; None if that is not decided."""
        one = self._seen.get(number)
        return False if one is None else one.is_behind

    def take(self, number: int) -> bool:
        """Return the same of an exchange that nobody asks for again, by what is known now."""
        one = self._seen.pop(number, None)
        if one is None:
            return False
        if one.is_behind is None:
            near = self._near_of(one, one.nears) or self._near_made_free(one, {})
            if near is not None:
                self._pair(near, one)
        return bool(one.is_behind)

    def _know(self, one: Seen) -> None:
        """Take note that all is known of an exchange; decide what waited for that."""
        one.name()
        one.is_known = True
        followers, one.followers = one.followers, []
        waiting = [leg for leg in followers if leg.is_known and leg.can_be_told]
        fitting = [leg for leg in waiting if self._fit(one, leg)]
        same = [leg for leg in fitting if _carry_same(one, leg)] or fitting
        for leg in sorted(same, key=_turn):
            if one.may_have(leg):
                self._pair(one, leg)
        for leg in waiting:
            if leg.is_behind is None and _is_failed_try(one, leg):
                self._pair(one, leg)
        for leg in (one, *waiting):
            if leg.can_be_told:
                self._look_back(leg)

    def _look_back(self, leg: Seen) -> None:
        """Say of what is over whether it was asked for one of those that are."""
        near = self._known_near_of(leg)
        if near is None and all(near.is_known for near in leg.nears):
            tried: dict[int, Seen] = {}
            near = self._near_made_free(leg, tried)
            if near is None and not _wait_longer(leg, tried.values()):
                self._settle(leg, is_behind=False)
        if near is not None:
            self._pair(near, leg)

    def _near_made_free(self, leg: Seen, tried: dict[int, Seen]) -> Seen | None:
        """Return an exchange that fits and has no leg any more, because that moved to another."""
        for near in leg.nears:
            number = near.about.number
            if len(tried) == MAX_TRIED or number in tried or len(near.legs) != 1:
                continue
            if not (near.is_known and self._fit(near, leg)):
                continue
            tried[number] = near
            held = near.legs[0]
            other = self._known_near_of(held) or self._near_made_free(held, tried)
            if other is not None:
                self._take_from(near, held)
                self._give(other, held)
                return near
        return None

    def _known_near_of(self, leg: Seen) -> Seen | None:
        return self._near_of(leg, [near for near in leg.nears if near.is_known])

    def _near_of(self, leg: Seen, nears: Sequence[Seen]) -> Seen | None:
        """Return the exchange that another was asked for: one that carried the same, or else one of
        which nothing says that it did not."""
        fitting = [near for near in nears if near.may_have(leg) and self._fit(near, leg)]
        same = [near for near in fitting if _carry_same(near, leg)] or fitting
        return min(same, key=attrgetter("last_time"), default=None)

    def _pair(self, near: Seen, leg: Seen) -> None:
        self._give(near, leg)
        self._settle(leg, is_behind=True)
        self._movable.append(leg)
        if len(self._movable) > MAX_MOVABLE:
            self._movable.popleft().nears = ()

    def _give(self, near: Seen, leg: Seen) -> None:
        near.legs.append(leg)
        way = _way(near, leg)
        if len(self._ways) < MAX_WAYS or way in self._ways:
            self._ways[way] += 1

    def _take_from(self, near: Seen, leg: Seen) -> None:
        near.legs.remove(leg)
        way = _way(near, leg)
        if way in self._ways:
            self._ways[way] -= 1

    def _settle(self, leg: Seen, *, is_behind: bool) -> None:
        leg.is_behind = is_behind
        if not is_behind:
            leg.nears = ()
        self._decided.append(leg.about.number)

    def _fit(self, near: Seen, leg: Seen) -> bool:
        """Whether one may have been asked for the other, and not the other way round."""
        is_reverse = self._ways[_way(leg, near)] > self._ways[_way(near, leg)]
        return not is_reverse and _fits(near, leg)


def _wait_longer(leg: Seen, tried: Iterable[Seen]) -> bool:
    """Wait also for what others may move to, of those whose exchange a leg would fit."""
    room = MAX_ALIKE + MAX_OTHERS - len(leg.nears)
    helds = (held for near in tried for held in near.legs)
    still_open = {
        near.about.number: near for held in helds for near in held.nears if not near.is_known
    }
    others = tuple(islice(still_open.values(), max(room, 0)))
    for near in others:
        near.followers.append(leg)
    leg.nears += others
    return bool(others)


def _way(near: Seen, leg: Seen) -> tuple[str, str]:
    return near.server, leg.server


def _turn(leg: Seen) -> tuple[bool, float]:
    """Return when it is a leg's turn: those first that came from where another was asked, and of
    these the one that was asked for first."""
    asking = _host(leg, 0)
    return all(_host(near, 1) != asking for near in leg.nears), leg.first_time


def _host(one: Seen, end: int) -> str:
    return "" if one.about.peers is None else host_and_port(one.about.peers[end])[0]


def _fits(near: Seen, leg: Seen) -> bool:
    """Whether one may have been asked for the other."""
    if not _lies_within(near, leg) or agrees(near, leg) is False or _differ(near, leg):
        return False
    if not _has_path_of(near, leg):
        return min(len(near.firsts), len(leg.firsts)) >= ENOUGH
    return agrees(near, leg) is True or shows_proxy(near.about, leg.about)


def _is_failed_try(near: Seen, leg: Seen) -> bool:
    """Whether a proxy asked here in vain, and then elsewhere for what it passed on."""
    if not leg.has_failed or not _lies_within(near, leg) or not _has_path_of(near, leg):
        return False
    is_before = any(
        is_over_before(leg.about, one.about) and not one.has_failed for one in near.legs
    )
    return is_before and shows_proxy(near.about, leg.about)


def _lies_within(near: Seen, leg: Seen) -> bool:
    """Whether one may have been asked for the other by its method, its addresses and its time."""
    is_possible = near.key[0] == leg.key[0] and may_pass_on(near.about, leg.about)
    return is_possible and nests(near, leg, SLACK)


def _differ(near: Seen, leg: Seen) -> bool:
    """Whether what both answered is known in whole, and is not the same: a service that another
    one asked for what it needs itself is no leg of its way. A proxy may say itself that
    something failed."""
    if near.has_failed:
        return False
    one, other = near.about.response_body, leg.about.response_body
    if one is None or other is None or not (one.complete and other.complete):
        return False
    return _is_read(near) and _is_read(leg) and one.sha256 != other.sha256


def _is_read(one: Seen) -> bool:
    """Whether the digest is of the content, and not of what a coding makes of it."""
    body, response = one.about.response_body, one.about.response
    is_coded = response is not None and bool(response.codings)
    return body is not None and (body.content_encoding is not None or not is_coded)


def _carry_same(near: Seen, leg: Seen) -> bool:
    """Whether they have the same elements, or the same content."""
    if (is_same := agrees(near, leg)) is not None:
        return is_same
    return have_same_body(near.about.response_body, leg.about.response_body)


def _has_path_of(near: Seen, leg: Seen) -> bool:
    """Whether one path is the other, or what is left of it when a part before it is dropped."""
    return near.path.endswith(leg.path) or leg.path.endswith(near.path)


def _path(target: str) -> str:
    """Return the path of a target; of a forward proxy's clients it is a whole URL (RFC 9112 section
    3.2.2)."""
    path = target.partition("?")[0]
    if "://" not in path:
        return path
    return "/" + path.partition("://")[2].partition("/")[2]
