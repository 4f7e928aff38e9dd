"""Gemini's ``streamGenerateContent``: server-sent events, or one JSON array that grows.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse

Strategy: an element is a whole response whose parts are new: text, thoughts, calls. The last one
gives the reason of the end; there is no word after it. Tokens are counted in every element, for
all so far.
"""

from __future__ import annotations

from typing import Any

from .decoding import Part as Object
from .decoding import reading, written
from .dialect import REASONS, ROLES, Opening, TextDialect
from .errors import error_payload
from .payload import CONTROL, OTHER, Kind, Payload


class Call(Object, rename="camel"):
    name: str | None = None
    args: Any = None
    id: Any = None


class Part(Object, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    function_call: Call | None = None


class Content(Object, rename="camel"):
    parts: list[Part] | None = None
    role: str | None = None


class Candidate(Object, rename="camel"):
    content: Content | None = None
    finish_reason: str | None = None
    index: int | None = None


class Usage(Object, rename="camel"):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None


class Response(Object, rename="camel"):
    candidates: list[Candidate] | None = None
    usage_metadata: Usage | None = None
    model_version: Any = None
    response_id: Any = None
    prompt_feedback: Any = None
    error: Any = None


_response = reading(Response)
METHOD = ":streamgeneratecontent"
OWN_MEMBERS = frozenset(("candidates", "promptFeedback", "error"))


class Gemini(TextDialect):
    """``GenerateContentResponse``, one after the other."""

    name = "gemini"
    title = "Gemini"
    last_word = "finishReason"
    telling = OWN_MEMBERS
    words = {"finishReason": REASONS, "blockReason": REASONS, "role": ROLES}

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        response = _response(opening.text) if opening.members else None
        if response is None:
            return False
        if METHOD in opening.target:
            return not OWN_MEMBERS.isdisjoint(opening.members)
        return any(
            candidate.finish_reason is not None
            or (candidate.content is not None and candidate.content.parts is not None)
            for candidate in response.candidates or []
        )

    def read_text(self, text: str) -> Payload:
        response = _response(text)
        if response is None:
            return OTHER
        if not self.shared:
            self.share(id=response.response_id, model=response.model_version)
        if response.error:
            return error_payload(response.error)
        usage = response.usage_metadata
        extra: dict[str, object] = {}
        candidates = response.candidates or []
        reasons = [one.finish_reason for one in candidates if one.finish_reason]
        self.has_ended = self.has_ended or bool(reasons)
        parts = [
            part
            for one in candidates
            if one.content is not None
            for part in one.content.parts or []
        ]
        said = _said(parts)
        if reasons and said is CONTROL:
            said = Payload("finish", reasons[0])
        elif reasons:
            extra["finish"] = reasons[0]
        elif not candidates and response.prompt_feedback:
            said = _refused(response.prompt_feedback)
        elif not candidates and usage is None:
            return OTHER
        elif not candidates:
            said = Payload("usage")
        return _counted(said, usage, extra)


def _said(parts: list[Part]) -> Payload:
    """Return what the parts say: all of the kind that the first with content has."""
    said = CONTROL
    for part in parts:
        found = _part(part)
        if said is CONTROL:
            said = found
        elif found.kind == said.kind != "tool":
            said = said._replace(text=said.text + found.text)
    return said


def _part(part: Part) -> Payload:
    if part.text:
        kind: Kind = "reasoning" if part.thought else "text"
        return Payload(kind, part.text)
    if (call := part.function_call) is not None:
        arguments = "" if call.args is None else written(call.args)
        return Payload("tool", arguments, call.name or "", str(call.id or ""))
    return CONTROL


def _refused(feedback: Any) -> Payload:
    """Return why a prompt was not answered."""
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    return Payload("error", written(reason or feedback), "promptFeedback")


def _counted(said: Payload, usage: Usage | None, extra: dict[str, object]) -> Payload:
    if usage is None:
        return said._replace(extra=extra) if extra else said
    if usage.prompt_token_count is not None:
        extra["input_tokens"] = usage.prompt_token_count
    if usage.thoughts_token_count is not None:
        extra["reasoning_tokens"] = usage.thoughts_token_count
    return said._replace(tokens=usage.candidates_token_count, extra=extra)
