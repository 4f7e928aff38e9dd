"""OpenAI's Responses as they are streamed, and the events of its Realtime API that are alike.

https://platform.openai.com/docs/api-reference/responses-streaming

Strategy: every event says its type in its JSON. What grows is called ``response.<what>.delta``, and
is said once more as a whole in ``response.<what>.done``, which is no content then. Events of tools
that the server runs itself (web search, code interpreter) say how far they are.
"""

from __future__ import annotations

from typing import Any

from .decoding import Part, reading
from .dialect import NO_WORD, ROLES, Opening, TextDialect
from .errors import error_payload
from .payload import OTHER, Kind, Payload

MAX_ITEMS = 1_024
"""Items of one response whose names are kept."""
DELTAS: dict[str, Kind] = {
    "response.output_text.delta": "text",
    "response.text.delta": "text",
    "response.refusal.delta": "text",
    "response.audio_transcript.delta": "text",
    "response.output_audio_transcript.delta": "text",
    "response.audio.transcript.delta": "text",
    "response.reasoning.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary.delta": "reasoning",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.function_call_arguments.delta": "tool",
    "response.mcp_call_arguments.delta": "tool",
    "response.mcp_call.arguments_delta": "tool",
    "response.custom_tool_call_input.delta": "tool",
    "response.code_interpreter_call_code.delta": "tool",
    "response.code_interpreter_call.code.delta": "tool",
}
ENDS = {"response.completed": "", "response.done": "", "response.incomplete": "incomplete"}
"""The events that end a response, and what they say of it."""
STARTS = frozenset(
    ("response.created", "response.queued", "response.output_item.added")
    + ("response.content_part.added", "response.reasoning_summary_part.added")
)


ELSE = frozenset(("response.failed", "response.in_progress", "error"))


class Usage(Part):
    input_tokens: int | None = None
    output_tokens: int | None = None


class Response(Part):
    id: Any = None
    model: Any = None
    created_at: Any = None
    status: Any = None
    usage: Usage | None = None
    error: Any = None
    incomplete_details: Any = None


class Item(Part):
    id: Any = None
    type: str | None = None
    name: str | None = None
    role: str | None = None


class Event(Part):
    type: str | None = None
    item_id: str | None = None
    delta: Any = None
    item: Item | None = None
    response: Response | None = None
    error: Any = None
    code: Any = None
    message: Any = None


_event = reading(Event)
OWN_MEMBERS = frozenset(
    ("sequence_number", "event_id", "item_id", "output_index", "response_id", "response")
)


class OpenAIResponses(TextDialect):
    """``response.created`` to ``response.completed``."""

    name = "openai-responses"
    title = "OpenAI Responses"
    last_word = "response.completed"
    telling = frozenset(("type",))
    words = {
        "type": DELTAS.keys() | ENDS.keys() | STARTS | ELSE,
        "status": frozenset(("completed", "failed", "in_progress", "incomplete")),
        "reason": frozenset(("max_output_tokens", "content_filter")),
        "role": ROLES,
    } | dict.fromkeys(OWN_MEMBERS, NO_WORD)

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._items: dict[str, str] = {}  # the names of calls, by the item's id

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        kind = opening.word("type")
        if kind.startswith("response."):
            return not OWN_MEMBERS.isdisjoint(opening.members) and _event(opening.text) is not None
        return kind == "error" and opening.target.partition("?")[0].endswith("/responses")

    def read_text(self, text: str) -> Payload:
        event = _event(text)
        kind = None if event is None else event.type
        if event is None or kind is None:
            return OTHER
        if (grows := DELTAS.get(kind)) is not None:
            return self._delta(grows, event)
        if kind in ENDS or kind == "response.failed":
            return self._end(kind, event.response or Response())
        if kind == "error":
            return error_payload(event.error or {"message": event.message, "code": event.code})
        if event.response is not None:
            response = event.response
            self.share(id=response.id, model=response.model, created=response.created_at)
        if event.item is not None:
            return self._item(kind, event.item)
        return Payload("start" if kind in STARTS else "control", name=kind)

    def _delta(self, kind: Kind, event: Event) -> Payload:
        if not event.delta or not isinstance(event.delta, str):
            return Payload("control", name=event.type or "")
        item = event.item_id or ""
        name = self._items.get(item, "") if kind == "tool" else ""
        return Payload(kind, event.delta, name, item)

    def _item(self, kind: str, item: Item) -> Payload:
        number = str(item.id or "")
        if item.name and len(self._items) < MAX_ITEMS:
            self._items[number] = item.name
        if kind not in STARTS:
            return Payload("control", name=kind, id=number)
        return Payload("start", item.name or item.role or "", item.type or "", number)

    def _end(self, kind: str, response: Response) -> Payload:
        self.has_ended = True
        self.share(id=response.id, model=response.model)
        usage = response.usage or Usage()
        if kind == "response.failed" or response.status == "failed":
            return error_payload(response.error)._replace(tokens=usage.output_tokens)
        known = {} if usage.input_tokens is None else {"input_tokens": usage.input_tokens}
        details = response.incomplete_details
        reason = details.get("reason") if isinstance(details, dict) else None
        extra = known | ({"finish": str(reason or ENDS[kind])} if reason or ENDS[kind] else {})
        return Payload("done", kind, tokens=usage.output_tokens, extra=extra)
