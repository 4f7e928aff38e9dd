"""GraphQL over WebSocket, in both protocols, and over server-sent events.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md (``graphql-transport-ws``),
https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md (``graphql-ws``)

Strategy: the older protocol's names are the newer one's with other words: ``start`` is
``subscribe``, ``data`` is ``next``, ``stop`` is the client's ``complete``, ``ka`` is a ping. Of a
result ``data`` is shown, of errors their messages.
"""

from __future__ import annotations

from typing import Any

from parsers.records import WebSocketMessageRecord

from .decoding import Part, reading, written
from .dialect import NO_WORD, Opening, TextDialect
from .payload import OTHER, Payload

PROTOCOLS = frozenset(("graphql-transport-ws", "graphql-ws"))
CONNECTION = frozenset(
    ("connection_init", "connection_ack", "connection_terminate", "connection_keep_alive")
)
PINGS = frozenset(("ping", "pong", "ka", "connection_keep_alive"))
REQUESTS = frozenset(("subscribe", "start"))
RESULTS = frozenset(("next", "data"))
ENDS = frozenset(("complete", "stop"))
ERRORS = frozenset(("error", "connection_error"))
RESULT_MEMBERS = frozenset(("query", "data", "errors"))
"""What a request or a result of GraphQL's has one of."""


class Message(Part):
    type: str | None = None
    id: Any = None
    payload: Any = None


_message = reading(Message)


class GraphQL(TextDialect):
    """``graphql-transport-ws`` and ``graphql-ws``."""

    name = "graphql"
    title = "GraphQL over WebSocket"
    telling = frozenset(("type",))
    words = {"type": CONNECTION | PINGS | REQUESTS | RESULTS | ENDS | ERRORS} | dict.fromkeys(
        RESULT_MEMBERS, NO_WORD
    )

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        if not isinstance(opening.element, WebSocketMessageRecord):
            return False
        kind = opening.word("type")
        if opening.subprotocol in PROTOCOLS:
            return bool(kind)
        if kind in ("connection_init", "connection_ack"):
            return True
        return kind in REQUESTS | RESULTS and opening.has("id", "payload") and _is_graphql(opening)

    def read_text(self, text: str) -> Payload:
        message = _message(text)
        kind = None if message is None else message.type
        if message is None or kind is None:
            return OTHER
        number = "" if message.id is None else written(message.id)
        payload = message.payload
        if kind in PINGS:
            return Payload("ping", label=kind)
        if kind in RESULTS:
            return _result(kind, number, payload)
        if kind in REQUESTS:
            return _request(kind, number, payload)
        if kind in ENDS:
            return Payload("finish", "", "", number, label=kind)
        if kind in ERRORS:
            return Payload("error", _messages(payload), "", number, label=kind)
        text = "" if payload is None else written(payload)
        return Payload("control", text, "", number, label=kind)


def _is_graphql(opening: Opening) -> bool:
    """Whether a payload is a request or a result of GraphQL's."""
    message = _message(opening.text)
    payload = None if message is None else message.payload
    return isinstance(payload, dict) and not payload.keys().isdisjoint(RESULT_MEMBERS)


def _request(kind: str, number: str, payload: Any) -> Payload:
    if not isinstance(payload, dict):
        return Payload("start", "", "", number, label=kind)
    name = payload.get("operationName")
    query = payload.get("query")
    text = "" if query is None else " ".join(written(query).split())
    return Payload("start", text, written(name) if name else "", number, label=kind)


def _result(kind: str, number: str, payload: Any) -> Payload:
    if not isinstance(payload, dict):
        return Payload("other", "" if payload is None else written(payload), "", number, label=kind)
    if payload.get("errors"):
        return Payload("error", _messages(payload["errors"]), "", number, label=kind)
    data = payload.get("data")
    return Payload("other", written(payload if data is None else data), "", number, label=kind)


def _messages(errors: Any) -> str:
    """Return the messages of errors; GraphQL gives a list of them, older servers one object."""
    listed = errors if isinstance(errors, list) else [errors]
    found = [one.get("message") if isinstance(one, dict) else None for one in listed]
    texts = [one for one in found if isinstance(one, str)]
    return "; ".join(texts) if texts else written(errors)
