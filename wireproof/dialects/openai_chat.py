"""OpenAI's chat completions, and its older completions, as they are streamed; vLLM's too.

https://platform.openai.com/docs/api-reference/chat-streaming

Strategy: the delta of a choice says one thing. A call's name comes once and its arguments grow, so
the names of calls are kept by their index. Usage stands in a chunk without choices, or in every one
(vLLM's ``continuous_usage_stats``). Servers that imitate the API call reasoning by either of two
names, and put the text into parts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .decoding import Part, reading, written
from .dialect import JsonDialect, Opening
from .errors import error_payload
from .payload import CONTROL, OTHER, Kind, Payload

MAX_CALLS = 128
"""Calls of one response whose names are kept; the API allows 128 functions."""


class Function(Part):
    name: str | None = None
    arguments: Any = None


class Call(Part):
    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(Part):
    role: str | None = None
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: list[Call] | None = None
    function_call: Function | None = None


class Choice(Part):
    index: int = 0
    delta: Delta | None = None
    text: str | None = None
    finish_reason: Any = None


class Usage(Part):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(Part):
    object: str | None = None
    id: Any = None
    model: Any = None
    created: Any = None
    system_fingerprint: Any = None
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None


class Said(NamedTuple):
    """What one choice says."""

    kind: Kind
    text: str = ""
    name: str = ""
    id: str = ""


_chunk = reading(Chunk)


class OpenAIChat(JsonDialect):
    """``chat.completion.chunk`` and ``text_completion``."""

    name = "openai-chat"
    title = "OpenAI chat completions"
    last_word = "[DONE]"

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._calls: dict[tuple[int, int], tuple[str, str]] = {}  # name and id by their indices

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        if not opening.has("choices"):
            return opening.has("error") and "/completions" in opening.target
        chunk = _chunk(opening.text)
        if chunk is None or chunk.choices is None:
            return False
        if chunk.object in ("chat.completion.chunk", "text_completion"):
            return True
        return any(choice.delta is not None and _says(choice) for choice in chunk.choices)

    def read_json(self, text: str) -> Payload:
        chunk = _chunk(text)
        if chunk is None:
            return OTHER
        if not self.shared and chunk.choices is not None:
            self.share(id=chunk.id, model=chunk.model, created=chunk.created)
        if chunk.error:
            return error_payload(chunk.error)
        usage = chunk.usage
        if not chunk.choices:
            return OTHER if chunk.choices is None else CONTROL if usage is None else _usage(usage)
        said = self._said(chunk.choices)
        reasons = [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
        reason = written(reasons[0]) if reasons else ""
        if reason and said.kind in ("control", "role"):
            said, reason = Said("finish", reason, id=said.id), ""
        extra: dict[str, object] = {"finish": reason} if reason else {}
        if usage is None:
            return Payload(*said, None, extra)
        if usage.prompt_tokens is not None:
            extra["input_tokens"] = usage.prompt_tokens
        return Payload(*said, usage.completion_tokens, extra)

    def _said(self, choices: list[Choice]) -> Said:
        """Return what the choices say: if several say something of one kind, all of it."""
        if len(choices) == 1:
            return self._one(choices[0])
        said = [self._one(choice) for choice in choices]
        first = next((one for one in said if one.kind not in ("control", "role")), said[0])
        return first._replace(text="".join(one.text for one in said if one.kind == first.kind))

    def _one(self, choice: Choice) -> Said:
        which = str(choice.index) if choice.index else ""
        delta = choice.delta
        if delta is None:
            return Said("text" if choice.text else "control", choice.text or "", id=which)
        if text := _text(delta.content):
            return Said("text", text, id=which)
        if text := _text(delta.reasoning_content or delta.reasoning):
            return Said("reasoning", text, id=which)
        if delta.tool_calls:
            return self._call(choice.index, delta.tool_calls)
        if (function := delta.function_call) is not None:
            return self._call(choice.index, [Call(function=function)])
        if text := _text(delta.refusal):
            return Said("text", text, "refusal", which)
        return Said("role" if delta.role else "control", "", delta.role or "", which)

    def _call(self, choice: int, calls: list[Call]) -> Said:
        """Return the name of a call, or a piece of its arguments with the name that it has."""
        key = choice, calls[0].index or 0
        name, number = self._calls.get(key, ("", ""))
        function = calls[0].function or Function()
        if function.name or calls[0].id:
            name, number = function.name or name, calls[0].id or number
            if len(self._calls) < MAX_CALLS:
                self._calls[key] = name, number
        pieces = [one.function.arguments for one in calls if one.function is not None]
        text = "".join(written(piece) for piece in pieces if piece)
        kind: Kind = "tool" if text or function.name else "control"
        return Said(kind, text, name, number)


def _says(choice: Choice) -> bool:
    """Whether a delta has a member that is the API's own."""
    delta = choice.delta
    return delta is not None and any(
        one is not None
        for one in (delta.role, delta.content, delta.reasoning_content, delta.tool_calls)
    )


def _text(content: Any) -> str:
    """Return text that is given as such, or in parts of ``{"type": "text", "text": ...}``."""
    if isinstance(content, str) or content is None:
        return content or ""
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def _usage(usage: Usage) -> Payload:
    known = {"input_tokens": usage.prompt_tokens} if usage.prompt_tokens is not None else {}
    return Payload("usage", "", "", "", usage.completion_tokens, known)
