"""Which exchanges of different connections belong together: reconnects, and the legs of a proxy.

Strategy: a client that comes back asks for the same target, and so does a proxy of the server
behind it. So the last MAX_PAST exchanges are remembered by what they asked for, as digests without
their columns, and each request is given those before it; which of them it follows its judge says.
A proxy asks while its client still waits for an answer, and so may another client: both are noted,
and :mod:`.legs` tells them apart once it is known which servers they asked.
"""

from __future__ import annotations

from collections import deque

from parsers.records import RequestRecord

from ..heads import is_final
from .past import Past
from .trace import Trace

MAX_PAST = 512
"""Exchanges that are remembered, of all connections."""
MAX_BEFORE = 8
"""Those of one target that a request is compared with, the latest."""
Asked = tuple[str, str]


class Links:
    """Remembers exchanges, and links those that follow."""

    def __init__(self) -> None:
        self._by_target: dict[Asked, list[Past[Trace]]] = {}
        self._order: deque[tuple[Asked, Past[Trace]]] = deque()

    def ask(self, trace: Trace, request: RequestRecord) -> None:
        """Take note of the request of an exchange, and link it with those before it."""
        asked = (request.method, request.target)
        known = self._by_target.setdefault(asked, [])
        trace.before = tuple(known[-MAX_BEFORE:])
        past = trace.past = Past(trace)
        _link_legs(trace, past, request)
        known.append(past)
        self._order.append((asked, past))
        if len(self._order) > MAX_PAST:
            self._forget(*self._order.popleft())

    def over(self, trace: Trace) -> None:
        """Let go of an exchange that has been judged; its digest stays."""
        if trace.past is not None:
            trace.past.end(trace)
        trace.before, trace.asked_meanwhile = (), ()

    def _forget(self, asked: Asked, past: Past[Trace]) -> None:
        past.waiting, past.asked_meanwhile, past.is_forgotten = (), (), True
        known = self._by_target[asked]
        known.remove(past)
        if not known:
            del self._by_target[asked]


def _link_legs(trace: Trace, past: Past[Trace], request: RequestRecord) -> None:
    """Link a request with those that wait, one of which it may be asked for."""
    past.waiting = tuple([one for one in trace.before if _is_waiting(one, request)])
    for one in past.waiting:
        if one.trace is not None and len(one.asked_meanwhile) < MAX_BEFORE:
            one.asked_meanwhile = (*one.asked_meanwhile, past)
            one.trace.asked_meanwhile = (*one.trace.asked_meanwhile, trace)


def _is_waiting(past: Past[Trace], request: RequestRecord) -> bool:
    """Whether an exchange of another connection has been asked, and was not answered yet."""
    response = past.about.response
    if response is not None and is_final(response):
        return False
    return past.trace is not None and past.about.key.connection != request.connection
