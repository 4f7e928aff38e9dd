"""Which session calls belong to by the ids in their payloads, as the APIs define these.

Strategy: each rule has its reason in an API's own words, and nothing is guessed. A request may name
its session outright (NAMED); or it answers what an earlier response gave out: that response itself,
or a tool call of it. So a response's ids are remembered with the session that they lead to, in the
order of the capture, and whoever names one later belongs there. Only JSON that is in the clear is
looked at, up to MAX_BODY a body; of event streams the first events, and those that name a call.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from parsers.limits import MiB
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    SseEventRecord,
)

from ..dialects.decoding import reading
from ..open_exchanges import Key
from .sessions import MAX_NAME, Session

MAX_BODY = 4 * MiB
"""Bytes of a body that are looked at; a longer one is not."""
MAX_HELD = 64 * MiB
"""Bytes of all bodies that go on at once; of more, bodies are not looked at."""
MAX_IDS = 16_384
"""Ids that are remembered; the ones that were given out first are forgotten."""
MAX_OPEN = 4_096
"""Exchanges whose sessions are kept until they are asked for."""
MAX_SESSIONS = 16
"""Sessions of one exchange."""
FIRST_EVENTS = 4
"""Events of a stream that name the response or the message."""
TOOL = "tool"
CALL = "call"
"""One of these is in every event that names a tool call: in its type, its member or its id."""

Path = tuple[str, ...]


class Rule(NamedTuple):
    """What in a request names its session."""

    path: Path
    """The member that holds the id."""
    reason: str


NAMED = (
    Rule(("metadata", "user_id"), "Anthropic: one user or session of an application, as it says"),
    Rule(("metadata", "session_id"), "OpenAI: metadata are the application's own names"),
    Rule(("metadata", "thread_id"), "the same"),
    Rule(("metadata", "conversation_id"), "the same"),
    Rule(("conversation", "id"), "OpenAI Responses: the conversation that items are added to"),
    Rule(("conversation",), "the same, as a text"),
    Rule(("conversation_id",), "Dify, Mistral's agents and others: the conversation that goes on"),
    Rule(("thread_id",), "OpenAI Assistants, LangGraph: the thread that a run is of"),
    Rule(("threadId",), "AG-UI: the thread that a run is of"),
    Rule(("session_id",), "an application's own name"),
    Rule(("sessionId",), "the same; AWS Bedrock agents: the session that goes on"),
)
"""Members of a request that say outright which session it is of."""
ANSWERED = "previous_response_id"
"""OpenAI Responses: "the unique ID of the previous response", whose conversation goes on."""
TOOL_CALLS = frozenset(("tool_call_id", "tool_use_id", "call_id"))
"""What results of tools name the call by: OpenAI chat, Anthropic, OpenAI Responses. A call that an
earlier response asked for is answered in its session."""
RESPONSE = frozenset(("response", "chat.completion", "chat.completion.chunk", "message"))
"""What ``object`` or ``type`` says of a response that has an id of its own."""

_json = reading(Any)
LOOKED_AT = frozenset(
    (RequestRecord, ResponseRecord, SseEventRecord, ChunkRecord, DataRecord, BodyRecord)
)
"""Records that say something of it."""


class _Open:
    """An exchange that goes on."""

    __slots__ = ("sessions", "bodies", "events", "chain", "is_json")

    def __init__(self) -> None:
        self.sessions: dict[Session, None] = {}
        self.bodies: dict[Sender, bytearray | None] = {}
        """None: too long, or not in the clear."""
        self.events = 0
        self.chain: Session | None = None
        """The session that its request goes on with."""
        self.is_json = False
        """Whether its response is JSON, and no stream."""

    def add(self, session: Session) -> None:
        if len(self.sessions) < MAX_SESSIONS:
            self.sessions[session] = None


class PayloadIds:
    """Looks at records as they pass, and knows the sessions of each exchange at its end."""

    def __init__(self) -> None:
        self._open: dict[Key, _Open] = {}
        self._leads: dict[tuple[str, str], Session] = {}
        """From what a response gave out to the session that it leads to."""
        self._held = 0

    def add(self, record: Record) -> None:
        """Look at the next record."""
        if isinstance(record, ConnectionRecord) or record.connection is None:
            return
        if record.exchange is None or type(record) not in LOOKED_AT:
            return
        found = self._find(Key(record.connection, record.exchange))
        match record:
            case ResponseRecord():
                kind = next((v for n, v in record.headers if n.lower() == "content-type"), "")
                found.is_json = "json" in kind.lower() and record.transport != "sse"
            case SseEventRecord() if record.data and record.sender == "server":
                self._event(found, record.data)
            case ChunkRecord() | DataRecord():
                self._piece(found, record)
            case BodyRecord():
                self._body(found, record.sender)

    def take(self, key: Key) -> list[Session]:
        """Return the sessions of an exchange that is over, and forget it."""
        found = self._open.pop(key, None)
        if found is None:
            return []
        self._held -= sum(map(len, filter(None, found.bodies.values())))
        return list(found.sessions)

    def _find(self, key: Key) -> _Open:
        found = self._open.get(key)
        if found is None:
            if len(self._open) >= MAX_OPEN:
                self.take(next(iter(self._open)))
            found = self._open[key] = _Open()
        return found

    def _piece(self, found: _Open, record: ChunkRecord | DataRecord) -> None:
        sender = record.sender
        if sender is None or (sender == "server" and not found.is_json) or not record.data:
            return
        body = found.bodies.setdefault(sender, bytearray())
        if body is None:
            return
        piece = record.data.encode() if record.encoding == "utf-8" else b""
        is_looked_at = piece and len(body) + len(piece) <= MAX_BODY and self._held < MAX_HELD
        self._held += len(piece) if is_looked_at else -len(body)
        if is_looked_at:
            body += piece
        else:
            found.bodies[sender] = None

    def _body(self, found: _Open, sender: Sender | None) -> None:
        """Read what a side has sent."""
        body = None if sender is None else found.bodies.pop(sender, None)
        if not body:
            return
        self._held -= len(body)
        value = _json(bytes(body))
        if sender == "client":
            self._request(found, value)
        else:
            self._given_out(found, value)

    def _request(self, found: _Open, value: object) -> None:
        """Take what a request says: whose it is, and what it answers."""
        for rule in NAMED:
            if (name := _text(_at(value, rule.path))) is not None:
                found.add(Session(".".join(rule.path), name))
        previous = _text(_at(value, (ANSWERED,)))
        answered = [("response", previous)] if previous else []
        answered += [("call", name) for name in _members(value, TOOL_CALLS)]
        for given in answered:
            if (session := self._leads.get(given)) is not None:
                found.add(session)
                found.chain = found.chain or session

    def _event(self, found: _Open, data: str) -> None:
        found.events += 1
        if found.events <= FIRST_EVENTS or TOOL in data or CALL in data:
            self._given_out(found, _json(data))

    def _given_out(self, found: _Open, value: object) -> None:
        """Remember what a response gives out, for whoever names it later."""
        for kind, name in _ids(value):
            if (kind, name) in self._leads:
                continue
            field = ANSWERED if kind == "response" else "tool call"
            session = found.chain or Session(field, name)
            found.add(session)
            self._leads[kind, name] = session
            if len(self._leads) > MAX_IDS:
                del self._leads[next(iter(self._leads))]


def _at(value: object, path: Path) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str | None:
    """Return an id as it may name something, None for what is none."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_NAME else None


def _members(value: object, names: frozenset[str]) -> Iterator[str]:
    """Yield the texts of members of these names, however deep they are."""
    for inner in _objects(value):
        for name in names & inner.keys():
            if (text := _text(inner[name])) is not None:
                yield text


def _ids(value: object) -> Iterator[tuple[str, str]]:
    """Yield what a response, or an event of one, gives out: its own id, and those of tool calls."""
    for inner in _objects(value):
        kind = inner.get("object") or inner.get("type")
        own = _text(inner.get("id"))
        if (call := _text(inner.get("call_id"))) is not None:
            yield "call", call
        elif own is not None and isinstance(kind, str):
            if kind in RESPONSE:
                yield "response", own
            elif kind in ("function", "tool_use", "tool_call"):
                yield "call", own


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield every object in a value of JSON; what is nested does not deepen the stack."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found
