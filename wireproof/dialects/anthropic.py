"""Anthropic's messages as they are streamed; also as Bedrock and Vertex carry them.

https://docs.anthropic.com/en/docs/build-with-claude/streaming

Strategy: every event says its type in its JSON too. A content block is announced, grows by deltas
and stops; a tool's name comes in its announcement, so it is kept by the block's index. The tokens
of ``message_start`` are a first count, those of ``message_delta`` the last word.
"""

from __future__ import annotations

from typing import Any

from .decoding import Part, reading
from .dialect import REASONS, ROLES, Opening, TextDialect
from .errors import error_payload
from .payload import OTHER, PING, Kind, Payload

MAX_BLOCKS = 1_024
"""Content blocks of one message whose names are kept."""


class Usage(Part):
    input_tokens: int | None = None
    output_tokens: int | None = None


class Message(Part):
    id: Any = None
    model: Any = None
    role: str | None = None
    usage: Usage | None = None


class Block(Part):
    type: str | None = None
    id: Any = None
    name: str | None = None


class Delta(Part):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


class Event(Part):
    type: str | None = None
    index: int | None = None
    message: Any = None
    content_block: Block | None = None
    delta: Delta | None = None
    usage: Usage | None = None
    error: Any = None


class Start(Part):
    message: Message


_event = reading(Event)
_start = reading(Start)
OWN_MEMBERS = {
    "message_start": "message",
    "content_block_start": "content_block",
    "content_block_delta": "delta",
    "message_delta": "delta",
}
"""What an event of each type has, by which a stream is known also in its middle."""
ELSE = frozenset(("ping", "content_block_stop", "message_stop", "error"))
KINDS = frozenset(
    ("message", "text", "thinking", "tool_use", "text_delta", "thinking_delta")
    + ("input_json_delta", "signature_delta")
)
"""Types of blocks, and of their deltas."""


class Anthropic(TextDialect):
    """``message_start`` to ``message_stop``."""

    name = "anthropic"
    title = "Anthropic messages"
    last_word = "message_stop"
    telling = frozenset(("type",))
    words = {"type": OWN_MEMBERS.keys() | ELSE | KINDS, "role": ROLES, "stop_reason": REASONS}
    has_envelope = True

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._blocks: dict[int | None, tuple[str, str]] = {}  # of tools: name and id

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        kind = opening.word("type")
        if (own := OWN_MEMBERS.get(kind)) is not None:
            event = _event(opening.text) if opening.has(own) else None
            return event is not None and (kind.startswith("m") or event.index is not None)
        return kind in ELSE and "/messages" in opening.target

    def read_text(self, text: str) -> Payload:
        event = _event(text)
        if event is None:
            return OTHER
        match event.type:
            case "content_block_delta":
                return self._delta(event)
            case "ping":
                return PING
            case "message_start":
                return self._start(text)
            case "content_block_start":
                return self._begin(event)
            case "content_block_stop":
                return Payload("control", name="content_block_stop")
            case "message_delta":
                return _finish(event)
            case "message_stop":
                self.has_ended = True
                return Payload("done", "message_stop")
            case "error":
                return error_payload(event.error)
        return OTHER

    def _start(self, text: str) -> Payload:
        start = _start(text)
        if start is None:
            return Payload("start", name="message_start")
        message = start.message
        self.share(id=message.id, model=message.model)
        known = {} if message.usage is None else {"input_tokens": message.usage.input_tokens}
        return Payload("start", name=message.role or "", extra=_known(known))

    def _begin(self, event: Event) -> Payload:
        block = event.content_block or Block()
        number = str(block.id or "")
        if block.name and len(self._blocks) < MAX_BLOCKS:
            self._blocks[event.index] = block.name, number
        return Payload("start", block.name or "", block.type or "", number)

    def _delta(self, event: Event) -> Payload:
        delta = event.delta
        if delta is None:
            return OTHER
        if delta.text:
            return Payload("text", delta.text)
        if delta.thinking:
            return Payload("reasoning", delta.thinking)
        if delta.partial_json:
            name, number = self._blocks.get(event.index, ("", ""))
            return Payload("tool", delta.partial_json, name, number)
        return Payload("control", name=delta.type or "")


def _finish(event: Event) -> Payload:
    usage = event.usage or Usage()
    reason = (None if event.delta is None else event.delta.stop_reason) or ""
    known = _known({"input_tokens": usage.input_tokens})
    kind: Kind = "finish" if reason else "usage"
    return Payload(kind, reason, tokens=usage.output_tokens, extra=known)


def _known(values: dict[str, int | None]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
