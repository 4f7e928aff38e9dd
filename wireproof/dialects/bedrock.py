"""Amazon Bedrock's event streams: ``converse-stream`` and ``invoke-with-response-stream``.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html

Strategy: the headers of a message name its event. Those of ``converse-stream`` are Bedrock's own;
``invoke-with-response-stream`` has what the model's maker defined, in base64: it is asked of that
dialect, and of what the smaller makers have in common.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from parsers.records import AwsEventRecord

from .anthropic import Anthropic
from .decoding import Part, reading, written
from .dialect import REASONS, ROLES, Dialect, Element, Opening, TextDialect
from .errors import error_payload
from .openai_chat import OpenAIChat
from .payload import CONTROL, OTHER, Kind, Payload

MAX_BLOCKS = 1_024
"""Content blocks whose names are kept."""


class ToolUse(Part, rename="camel"):
    tool_use_id: str | None = None
    name: str | None = None
    input: Any = None


class Reasoning(Part):
    text: str | None = None


class Delta(Part, rename="camel"):
    text: str | None = None
    tool_use: ToolUse | None = None
    reasoning_content: Reasoning | None = None


class Usage(Part, rename="camel"):
    input_tokens: int | None = None
    output_tokens: int | None = None


class Event(Part, rename="camel"):
    role: str | None = None
    content_block_index: int | None = None
    start: Delta | None = None
    delta: Delta | None = None
    stop_reason: str | None = None
    usage: Usage | None = None


class Chunk(Part):
    bytes: str = ""


class Metrics(Part, rename="camel"):
    input_token_count: int | None = None
    output_token_count: int | None = None


class Inner(Part):
    """What the models of smaller makers say: Amazon's, Meta's, Cohere's, Mistral's."""

    outputText: str | None = None  # noqa: N815 - as it is called
    generation: str | None = None
    completion: str | None = None
    text: str | None = None
    outputs: list[Inner] | None = None
    completionReason: str | None = None  # noqa: N815
    stop_reason: str | None = None
    finish_reason: str | None = None


class Counted(Part, rename={"metrics": "amazon-bedrock-invocationMetrics"}):
    metrics: Metrics | None = None


_event = reading(Event)
_chunk = reading(Chunk)
_inner = reading(Inner)
_counted = reading(Counted)
_any = reading(Any)
CONVERSE = frozenset(
    ("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop")
    + ("messageStop", "metadata")
)
CARRIED: tuple[type[TextDialect], ...] = (Anthropic, OpenAIChat)


class Bedrock(Dialect):
    """Messages of ``application/vnd.amazon.eventstream`` that are a model's."""

    name = "bedrock"
    title = "Amazon Bedrock"
    last_word = "messageStop"
    words = {"stopReason": REASONS, "role": ROLES}

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._blocks: dict[int | None, tuple[str, str]] = {}  # of tools: name and id
        self._about = opening.about
        self._carried: TextDialect | None = None

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        element = opening.element
        if not isinstance(element, AwsEventRecord):
            return False
        kind = _header(element, ":event-type")
        if kind == "chunk":
            return opening.has("bytes")
        return kind in CONVERSE or opening.target.endswith(("-stream", "/stream"))

    def read(self, element: Element) -> Payload:
        if not isinstance(element, AwsEventRecord) or element.encoding != "utf-8":
            return OTHER
        text = element.data or ""
        if _header(element, ":message-type") in ("exception", "error"):
            name = _header(element, ":exception-type") or _header(element, ":error-code")
            return _failed(text, name or "", _header(element, ":error-message"))
        kind = _header(element, ":event-type") or ""
        if kind == "chunk":
            return self._chunk(element, text)
        event = _event(text) if kind in CONVERSE else None
        return OTHER if event is None else self._converse(kind, event)

    def _converse(self, kind: str, event: Event) -> Payload:
        match kind:
            case "messageStart":
                return Payload("start", "", event.role or "")
            case "contentBlockStart":
                return self._begin(event)
            case "contentBlockDelta":
                return self._delta(event)
            case "messageStop":
                self.has_ended = True
                return Payload("finish", event.stop_reason or "")
            case "metadata":
                usage = event.usage or Usage()
                return Payload(
                    "usage", tokens=usage.output_tokens, extra=_known(usage.input_tokens)
                )
        return Payload("control", name=kind)

    def _begin(self, event: Event) -> Payload:
        tool = event.start.tool_use if event.start is not None else None
        if tool is None:
            return Payload("start", "", "contentBlockStart")
        name, number = tool.name or "", tool.tool_use_id or ""
        if len(self._blocks) < MAX_BLOCKS:
            self._blocks[event.content_block_index] = name, number
        return Payload("start", name, "toolUse", number)

    def _delta(self, event: Event) -> Payload:
        delta = event.delta or Delta()
        if delta.text:
            return Payload("text", delta.text)
        if delta.reasoning_content is not None and delta.reasoning_content.text:
            return Payload("reasoning", delta.reasoning_content.text)
        if delta.tool_use is not None and delta.tool_use.input:
            name, number = self._blocks.get(event.content_block_index, ("", ""))
            return Payload("tool", written(delta.tool_use.input), name, number)
        return CONTROL

    def _chunk(self, element: AwsEventRecord, text: str) -> Payload:
        """Return what a model's own event says, which base64 carries."""
        chunk = _chunk(text)
        try:
            carried = b64decode(chunk.bytes).decode() if chunk is not None else ""
        except ValueError:
            return OTHER
        if self._carried is None:
            opening = Opening(self._about, element, carried)
            spoken = next((one for one in CARRIED if one.is_spoken(opening)), None)
            self._carried = None if spoken is None else spoken(opening)
        said = OTHER if self._carried is None else self._carried.read_text(carried)
        if self._carried is not None:
            self.shared = self._carried.shared
            self.has_ended = self.has_ended or self._carried.has_ended
        return self._with_metrics(carried, self._plain(carried) if said is OTHER else said)

    def _plain(self, text: str) -> Payload:
        told = _inner(text)
        if told is None:
            return OTHER
        told = told.outputs[0] if told.outputs else told
        reason = told.completionReason or told.stop_reason or told.finish_reason
        self.has_ended = self.has_ended or bool(reason)
        said = told.outputText or told.generation or told.completion or told.text
        extra = {"finish": reason} if reason else {}
        if said:
            return Payload("text", said, extra=extra)
        return Payload("finish", reason) if reason else OTHER

    @staticmethod
    def _with_metrics(text: str, said: Payload) -> Payload:
        """Return what is said with the tokens that Bedrock adds to the last event."""
        if "amazon-bedrock-invocationMetrics" not in text:
            return said
        counted = _counted(text)
        metrics = None if counted is None else counted.metrics
        if metrics is None:
            return said
        extra = {**said.extra, **_known(metrics.input_token_count)}
        kind: Kind = "usage" if said is OTHER else said.kind
        return said._replace(kind=kind, tokens=metrics.output_token_count, extra=extra)


def _failed(text: str, name: str, message: str | None) -> Payload:
    found = _any(text)
    if isinstance(found, dict) and isinstance(found.get("message"), str):
        return Payload("error", found["message"], name)
    said = error_payload(message or text)
    return said._replace(name=name)


def _known(tokens: int | None) -> dict[str, object]:
    return {} if tokens is None else {"input_tokens": tokens}


def _header(element: AwsEventRecord, name: str) -> str | None:
    return next((value for key, value in element.headers if key == name), None)
