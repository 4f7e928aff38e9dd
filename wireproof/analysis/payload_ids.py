"""Which session calls belong to by the ids in their payloads, as the APIs define these.

Strategy: each rule has its reason in an API's own words, and nothing is guessed. A request may name
its session outright (NAMED); or it answers what an earlier response gave out: that response itself,
or a tool call of it. So a response's ids are remembered with the session that they lead to, in the
order of the capture, and whoever names one later belongs there. Only JSON that is in the clear is
looked at, up to MAX_BODY a body; of event streams the first events, and those that name a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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


class Ids(NamedTuple):
    """What a body or an event of an exchange says of sessions."""

    key: Key
    named: Sequence[Session] = ()
    """Those that a request names outright."""
    answered: Sequence[tuple[str, str]] = ()
    """What of earlier responses it answers: of which kind, and its id."""
    given: Sequence[tuple[str, str]] = ()
    """What a response gives out, for whoever names it later."""


class _Open:
    """What is read of an exchange that goes on."""

    __slots__ = ("bodies", "events", "is_json")

    def __init__(self) -> None:
        self.bodies: dict[Sender, bytearray | None] = {}
        """None: too long, or not in the clear."""
        self.events = 0
        self.is_json = False
        """Whether its response is JSON, and no stream."""


class PayloadReader:
    """Looks at records as they pass, and reads the ids in what they carry.

    ``max_held`` bounds the bytes of all bodies that go on at once, ``max_open`` these exchanges.
    """

    def __init__(self, max_held: int, max_open: int) -> None:
        self._open: dict[Key, _Open] = {}
        self._max_held, self._max_open = max_held, max_open
        self._held = 0
        self.has_lost = False
        """Whether something was not looked at because there was too much."""

    def add(self, record: Record) -> Ids | None:
        """Look at the next record; return what it says."""
        if isinstance(record, ConnectionRecord) or record.connection is None:
            return None
        if record.exchange is None or type(record) not in LOOKED_AT:
            return None
        key = Key(record.connection, record.exchange)
        found = self._find(key)
        match record:
            case ResponseRecord():
                kind = next((v for n, v in record.headers if n.lower() == "content-type"), "")
                found.is_json = "json" in kind.lower() and record.transport != "sse"
            case SseEventRecord() if record.data and record.sender == "server":
                return self._event(key, found, record.data)
            case ChunkRecord() | DataRecord():
                self._piece(found, record)
            case BodyRecord():
                return self._body(key, found, record.sender)
        return None

    def forget(self, key: Key) -> None:
        """Let go of an exchange that is over."""
        found = self._open.pop(key, None)
        if found is not None:
            self._held -= sum(map(len, filter(None, found.bodies.values())))

    def _find(self, key: Key) -> _Open:
        found = self._open.get(key)
        if found is None:
            if len(self._open) >= self._max_open:
                self.has_lost = True
                self.forget(next(iter(self._open)))
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
        has_room = self._held < self._max_held
        self.has_lost |= not has_room
        is_looked_at = piece and len(body) + len(piece) <= MAX_BODY and has_room
        self._held += len(piece) if is_looked_at else -len(body)
        if is_looked_at:
            body += piece
        else:
            found.bodies[sender] = None

    def _body(self, key: Key, found: _Open, sender: Sender | None) -> Ids | None:
        """Read what a side has sent."""
        body = None if sender is None else found.bodies.pop(sender, None)
        if not body:
            return None
        self._held -= len(body)
        value = _json(bytes(body))
        return _asked(key, value) if sender == "client" else _given(key, value)

    def _event(self, key: Key, found: _Open, data: str) -> Ids | None:
        found.events += 1
        if found.events <= FIRST_EVENTS or TOOL in data or CALL in data:
            return _given(key, _json(data))
        return None


def _asked(key: Key, value: object) -> Ids | None:
    """Return what a request says: whose it is, and what it answers."""
    named = [(rule, _text(_at(value, rule.path))) for rule in NAMED]
    sessions = [Session(".".join(rule.path), name) for rule, name in named if name is not None]
    previous = _text(_at(value, (ANSWERED,)))
    answered = [("response", previous)] if previous else []
    answered += [("call", name) for name in _members(value, TOOL_CALLS)]
    return Ids(key, sessions, answered) if sessions or answered else None


def _given(key: Key, value: object) -> Ids | None:
    """Return what a response gives out."""
    given = list(_ids(value))
    return Ids(key, given=given) if given else None


class _Sessions:
    """Those of an exchange that goes on."""

    __slots__ = ("found", "chain")

    def __init__(self) -> None:
        self.found: dict[Session, None] = {}
        self.chain: Session | None = None
        """The one that its request goes on with."""

    def add(self, session: Session) -> None:
        if len(self.found) < MAX_SESSIONS:
            self.found[session] = None


class PayloadIds:
    """Knows the sessions of each exchange at its end, by the ids that were read."""

    def __init__(self) -> None:
        self._reader = PayloadReader(MAX_HELD, MAX_OPEN)
        self._open: dict[Key, _Sessions] = {}
        """Of the exchanges in which an id was read."""
        self._leads: dict[tuple[str, str], Session] = {}
        """From what a response gave out to the session that it leads to."""

    def add(self, record: Record) -> None:
        """Look at the next record."""
        if (ids := self._reader.add(record)) is not None:
            self.note(ids)

    def note(self, ids: Ids) -> None:
        """Take the next ids that were read, here or by somebody else."""
        found = self._open.get(ids.key)
        if found is None:
            if len(self._open) >= MAX_OPEN:
                del self._open[next(iter(self._open))]
            found = self._open[ids.key] = _Sessions()
        for session in ids.named:
            found.add(session)
        for one in ids.answered:
            if (known := self._leads.get(one)) is not None:
                found.add(known)
                found.chain = found.chain or known
        self._give_out(found, ids.given)

    def take(self, key: Key) -> list[Session]:
        """Return the sessions of an exchange that is over, and forget it."""
        self._reader.forget(key)
        found = self._open.pop(key, None)
        return [] if found is None else list(found.found)

    def _give_out(self, found: _Sessions, given: Iterable[tuple[str, str]]) -> None:
        """Remember what a response gives out, with the session that it leads to."""
        for kind, name in given:
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
