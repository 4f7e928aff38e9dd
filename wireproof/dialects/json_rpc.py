"""JSON-RPC 2.0, and the Model Context Protocol over it, whatever carries them.

https://www.jsonrpc.org/specification, https://modelcontextprotocol.io/specification

Strategy: a message is a request (method and id), a notification (method), a result or an error;
several may come in one array. MCP's are told apart by its fields and the names of its methods.
"""

from __future__ import annotations

from typing import Any

from .decoding import Part, reading, written
from .dialect import Opening, TextDialect
from .errors import error_payload
from .payload import OTHER, Payload, joined

MAX_BATCH = 1_000
"""Messages of one array that are read."""


class Message(Part):
    jsonrpc: str | None = None
    method: str | None = None
    id: Any = None
    params: Any = None
    result: Any = None
    error: Any = None


_messages = reading(Message | list[Message])  # type: ignore[arg-type]
MCP_METHODS = ("initialize", "notifications/", "tools/", "resources/", "prompts/", "sampling/")
METHODS = frozenset(
    ("initialize", "ping", "notifications/initialized", "notifications/progress")
    + ("notifications/cancelled", "notifications/message", "tools/list", "tools/call")
    + ("resources/list", "resources/read", "prompts/list", "prompts/get", "sampling/createMessage")
)
"""MCP's own."""


class JsonRpc(TextDialect):
    """Any JSON-RPC 2.0."""

    name = "json-rpc"
    title = "JSON-RPC"
    telling = frozenset(("jsonrpc",))
    words = {"jsonrpc": frozenset(("2.0",)), "method": METHODS}

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        if opening.text.lstrip()[:1] not in ("{", "["):
            return False
        found = _messages(opening.text)
        first = found[0] if isinstance(found, list) and found else found
        if not isinstance(first, Message) or first.jsonrpc != "2.0":
            return False
        return first.method is not None or first.id is not None

    def read_text(self, text: str) -> Payload:
        found = _messages(text)
        if found is None:
            return OTHER
        if isinstance(found, list):
            return joined([_said(one) for one in found[:MAX_BATCH]]) if found else OTHER
        return _said(found)


class Mcp(JsonRpc):
    """JSON-RPC as the Model Context Protocol has it."""

    name = "mcp"
    title = "MCP"

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        if not super().is_spoken(opening):
            return False
        about = opening.about
        for name in ("mcp-session-id", "mcp-protocol-version"):
            if about.header(name) is not None or about.request_header(name) is not None:
                return True
        return opening.word("method").startswith(MCP_METHODS)


def _said(message: Message) -> Payload:
    number = "" if message.id is None else written(message.id)
    if message.method is not None:
        return _asked(message.method, message, number)
    if message.error is not None:
        return error_payload(message.error)._replace(id=number)
    if message.jsonrpc is None and message.result is None:
        return OTHER
    return Payload("other", _result(message.result), "", number, label="result")


def _asked(method: str, message: Message, number: str) -> Payload:
    if method == "ping":
        return Payload("ping", "", method, number)
    params = message.params
    if method == "notifications/progress" and isinstance(params, dict):
        return Payload("control", _progress(params), "", number, label="progress")
    text = "" if params is None else written(params)
    return Payload("other", text, method, number, label="" if number else "notification")


def _progress(params: dict[str, Any]) -> str:
    """Return ``3/10 reading files``."""
    so_far = written(params.get("progress", ""))
    total = params.get("total")
    of = "" if total is None else f"/{written(total)}"
    message = params.get("message")
    return f"{so_far}{of} {'' if message is None else written(message)}".strip()


def _result(result: Any) -> str:
    """Return a result: the text of an MCP tool's content if that is all it says, else its JSON."""
    content = result.get("content") if isinstance(result, dict) else None
    if not isinstance(content, list) or not content:
        return "" if result is None else written(result)
    texts = [part.get("text") if isinstance(part, dict) else None for part in content]
    whole = [text for text in texts if isinstance(text, str)]
    return "".join(whole) if len(whole) == len(texts) else written(result)
