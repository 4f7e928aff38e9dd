"""Which exchanges are of one session: those whose header fields say so.

Strategy: nothing is guessed from times or addresses. A field of the table names a session, a
conversation or a trace, and two exchanges belong together if the same field has the same value in
both, whatever connection they took. A response's field counts as a request's does: a server that
opens a session tells its name there, and the client sends it back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..exchange import Exchange

FIELDS = frozenset(
    (
        "mcp-session-id",  # Model Context Protocol, Streamable HTTP transport
        *("session-id", "session_id", "x-session-id", "x-session-affinity"),
        *("conversation-id", "conversation_id", "x-conversation-id", "openai-conversation-id"),
        *("thread-id", "x-thread-id", "x-agent-id", "x-claude-code-session-id"),
        *("x-correlation-id", "x-trace-id", "x-b3-traceid", "x-datadog-trace-id"),
    )
)
"""Fields, in lower case, whose whole value is the name of a session."""
PARTS = {
    # version "-" trace-id "-" parent-id "-" trace-flags (W3C Trace Context section 3.2)
    "traceparent": re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}"),
    # trace-id "-" span-id, then perhaps more (B3 single header)
    "b3": re.compile(r"([0-9a-f]{16}(?:[0-9a-f]{16})?)-.*"),
    # "TRACE_ID/SPAN_ID;o=OPTIONS"
    "x-cloud-trace-context": re.compile(r"([0-9a-f]{32})(?:/.*)?"),
    # "Root=1-58406520-a006649127e371903a2de979;Parent=...;Sampled=1"
    "x-amzn-trace-id": re.compile(r"(?:.*;)?Root=([0-9a-f-]+)(?:;.*)?"),
}
"""Fields of which a part names the trace: that part is the group."""
NAMING = FIELDS | PARTS.keys()
MAX_NAME = 200
"""Characters of a session's name that are looked at."""


class Session(NamedTuple):
    """What an exchange says that it belongs to."""

    field: str
    """What says it: a header field, in lower case, or a member of the payload."""
    id: str
    """The session's name, as that has it."""


def sessions_of(exchange: Exchange) -> list[Session]:
    """Return the sessions that the fields of an exchange name, each once, in wire order."""
    found: dict[Session, None] = {}
    heads = (exchange.request, exchange.response)
    if NAMING.isdisjoint(exchange.request_fields) and NAMING.isdisjoint(exchange.response_fields):
        return []  # as of most
    for fields in (head.headers for head in heads if head is not None):
        for name, value in fields:
            session = _session(name.lower(), value[:MAX_NAME])
            if session is not None:
                found[session] = None
    return list(found)


def _session(field: str, value: str) -> Session | None:
    if field in FIELDS:
        return Session(field, value) if value else None
    if field in PARTS and (part := PARTS[field].fullmatch(value)):
        return Session(field, part[1])
    return None


MAX_SESSIONS = 1_024
"""Sessions that are kept apart at once; the one that was seen least lately is forgotten."""
MAX_MEMBERS = 64
"""Exchanges of one that are named; more are counted."""


class Group:
    """The exchanges of one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.numbers: list[int] = []
        """The first MAX_MEMBERS, as the capture counts exchanges."""
        self.count = 0

    def add(self, number: int) -> None:
        self.count += 1
        if len(self.numbers) < MAX_MEMBERS:
            self.numbers.append(number)


class Sessions:
    """Groups exchanges by what they say that they belong to."""

    def __init__(self) -> None:
        self._groups: dict[Session, Group] = {}

    def add(self, number: int, sessions: Iterable[Session]) -> None:
        """Take an exchange."""
        for session in sessions:
            group = self._groups.pop(session, None) or Group(session)
            self._groups[session] = group  # the last one now
            group.add(number)
            if len(self._groups) > MAX_SESSIONS:
                del self._groups[next(iter(self._groups))]

    def groups(self) -> list[Group]:
        """Return the sessions that have several exchanges, in the order in which they began.

        Of two that have the same exchanges, such as a trace and a session, the first alone.
        """
        found: dict[tuple[int, ...], Group] = {}
        for group in sorted(self._groups.values(), key=lambda one: one.numbers[0]):
            if group.count > 1:
                found.setdefault((group.count, *group.numbers), group)
        return list(found.values())
