"""Which exchanges of different connections belong together: reconnects, and the legs of a proxy.

Strategy: a client that comes back asks for the same target, and so does a proxy of the server
behind it. So the last MAX_PAST exchanges are remembered by what they asked for, as digests without
their columns, and each request is given those before it; which of them it follows its judge says.
A proxy asks while its client still waits for an answer: then the one is the other's upstream leg,
if both are in the capture.
"""

from __future__ import annotations

from collections import deque

from parsers.records import RequestRecord

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
        for past in reversed(trace.before):
            if past.trace is not None and _is_waiting(past, request):
                past.trace.upstream = trace
                break
        past = trace.past = Past(trace)
        known.append(past)
        self._order.append((asked, past))
        if len(self._order) > MAX_PAST:
            self._forget(*self._order.popleft())

    def over(self, trace: Trace) -> None:
        """Let go of an exchange that has been judged; its digest stays."""
        if trace.past is not None:
            trace.past.end(trace)
        trace.before, trace.upstream = (), None

    def _forget(self, asked: Asked, past: Past[Trace]) -> None:
        known = self._by_target[asked]
        known.remove(past)
        if not known:
            del self._by_target[asked]


def _is_waiting(past: Past[Trace], request: RequestRecord) -> bool:
    """Whether an exchange of another connection has been asked, and was not answered yet."""
    about = past.about
    return about.key.connection != request.connection and about.response is None
