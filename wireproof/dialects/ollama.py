"""Ollama's ``/api/chat`` and ``/api/generate``: JSON lines, the last of which is ``done``.

https://github.com/ollama/ollama/blob/main/docs/api.md

Strategy: a line says a piece of a message, or of a response without messages. The last line counts
the tokens, and most often says nothing else; there is no word after it.
"""

from __future__ import annotations

from typing import Any

from .decoding import Part, reading, written
from .dialect import REASONS, ROLES, Opening, TextDialect
from .errors import error_payload
from .payload import CONTROL, OTHER, Payload


class Function(Part):
    name: str | None = None
    arguments: Any = None


class Call(Part):
    id: Any = None
    function: Function | None = None


class Message(Part):
    role: str | None = None
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None


class Line(Part):
    model: Any = None
    message: Message | None = None
    response: str | None = None
    thinking: str | None = None
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None


_line = reading(Line)


class Ollama(TextDialect):
    """Lines with ``done``."""

    name = "ollama"
    title = "Ollama"
    last_word = '"done":true'
    telling = frozenset(("done", "error"))
    words = {"done_reason": REASONS, "role": ROLES}

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        if not opening.has("done"):
            at_home = opening.target.endswith(("/api/chat", "/api/generate"))
            return at_home and opening.has("error")
        says = opening.has("message") or opening.has("response")
        line = _line(opening.text) if says and opening.has("model") else None
        return line is not None and line.done is not None

    def read_text(self, text: str) -> Payload:
        line = _line(text)
        if line is None:
            return OTHER
        if line.error:
            return error_payload(line.error)
        if line.done is None:
            return OTHER
        if not self.shared:
            self.share(model=line.model)
        said = _said(line)
        if not line.done:
            return said
        self.has_ended = True
        return _last(line, said)


def _said(line: Line) -> Payload:
    message = line.message or Message()
    if text := message.content or line.response:
        return Payload("text", text)
    if text := message.thinking or line.thinking:
        return Payload("reasoning", text)
    for call in message.tool_calls or []:
        function = call.function or Function()
        arguments = "" if function.arguments is None else written(function.arguments)
        return Payload("tool", arguments, function.name or "", str(call.id or ""))
    return CONTROL


def _last(line: Line, said: Payload) -> Payload:
    extra: dict[str, object] = {}
    if line.prompt_eval_count is not None:
        extra["input_tokens"] = line.prompt_eval_count
    reason = line.done_reason or ""
    if said is CONTROL:
        extra |= {"finish": reason} if reason else {}
        return Payload("done", "", tokens=line.eval_count, extra=extra)
    extra["finish"] = reason or "done"
    return said._replace(tokens=line.eval_count, extra=extra)
