"""OpenAI's chat completions, and its older completions, as they are streamed; vLLM's too.

https://platform.openai.com/docs/api-reference/chat-streaming

Strategy: the delta of a choice says one thing. A call's name comes once and its arguments grow, so
the names of calls are kept by their index. Usage stands in a chunk without choices, or in every one
(vLLM's ``continuous_usage_stats``). Servers that imitate the API call reasoning by either of two
names, and put the text into parts.
"""

from __future__ import annotations

from typing import Any

from .decoding import Part, reading, written
from .dialect import REASONS, ROLES, Opening, TextDialect
from .errors import error_payload
from .payload import CONTENT, CONTROL, OTHER, Payload

OBJECTS = frozenset(("chat.completion.chunk", "text_completion"))
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


class Following(Part):
    object: str | None = None
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None


class Chunk(Following):
    id: Any = None
    model: Any = None
    created: Any = None


_chunk = reading(Chunk)
_following = reading(Following)
"""Reads a chunk that nothing is shared of any more: to make texts that nobody wants takes time."""


class OpenAIChat(TextDialect):
    """``chat.completion.chunk`` and ``text_completion``."""

    name = "openai-chat"
    title = "OpenAI chat completions"
    last_word = "[DONE]"
    telling = frozenset(("choices", "error"))
    words = {
        "object": OBJECTS | {"chat.completion"},
        "role": ROLES,
        "finish_reason": REASONS,
        "type": frozenset(("function", "text")),
    }
    has_envelope = True

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
        if chunk.object in OBJECTS:
            return True
        return any(choice.delta is not None and _says(choice) for choice in chunk.choices)

    def read_text(self, text: str) -> Payload:
        chunk = _following(text) if self.shared else self._first(text)
        if chunk is None:
            return OTHER
        choices = chunk.choices
        if chunk.error:
            return error_payload(chunk.error)
        if not choices:
            return OTHER if choices is None else _counted(None, chunk.usage)
        said = self._one(choices[0]) if len(choices) == 1 else self._several(choices)
        return said if chunk.usage is None else _counted(said, chunk.usage)

    def _first(self, text: str) -> Following | None:
        """Return a chunk, and share what all chunks have in common."""
        chunk = _chunk(text)
        if chunk is not None and chunk.choices is not None:
            self.share(id=chunk.id, model=chunk.model, created=chunk.created)
        return chunk

    def _several(self, choices: list[Choice]) -> Payload:
        """Return what several choices say: all of it that is of the kind of the first content."""
        said = [self._one(choice) for choice in choices]
        first = next((one for one in said if one.kind in CONTENT), said[0])
        return first._replace(text="".join(one.text for one in said if one.kind == first.kind))

    def _one(self, choice: Choice) -> Payload:
        """Return what a choice says; its content comes before the reason why it ended."""
        delta, which = choice.delta, str(choice.index) if choice.index else ""
        content = choice.text if delta is None else delta.content
        if type(content) is str and content and not (which or choice.finish_reason):
            return Payload("text", content)
        if type(content) is str and content:
            said = Payload("text", content, "", which)
        elif delta is None:
            said = CONTROL
        else:
            said = self._else(delta, choice.index, which)
        if not choice.finish_reason:
            return said
        reason = written(choice.finish_reason)
        if said.kind in CONTENT:
            return said._replace(extra={"finish": reason})
        return Payload("finish", reason, "", which)

    def _else(self, delta: Delta, choice: int, which: str) -> Payload:
        """Return what a delta says if that is no text as such."""
        if text := _text(delta.reasoning_content or delta.reasoning):
            return Payload("reasoning", text, "", which)
        if text := _text(delta.content):
            return Payload("text", text, "", which)
        if delta.tool_calls:
            return self._call(choice, delta.tool_calls)
        if (function := delta.function_call) is not None:
            return self._call(choice, [Call(function=function)])
        if text := _text(delta.refusal):
            return Payload("text", text, "refusal", which)
        return Payload("role", "", delta.role, which) if delta.role else CONTROL

    def _call(self, choice: int, calls: list[Call]) -> Payload:
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
        return Payload("tool", text, name, number) if text or function.name else CONTROL


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


def _counted(said: Payload | None, usage: Usage | None) -> Payload:
    """Return what a chunk says, if it has choices, with the tokens that it counts."""
    if usage is None:
        return CONTROL if said is None else said
    said = said or Payload("usage")
    known = {} if usage.prompt_tokens is None else {"input_tokens": usage.prompt_tokens}
    return said._replace(tokens=usage.completion_tokens, extra={**said.extra, **known})
