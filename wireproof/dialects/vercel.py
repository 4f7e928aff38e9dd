"""The data streams of Vercel's AI SDK: lines of ``0:"text"``, and since version 5 events.

https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol (and /v4/docs/ai-sdk-ui/stream-protocol)

Strategy: the lines are plain text in chunks, whose borders are not those of lines: what follows the
last line feed of a chunk waits for the next one, up to MAX_LINE. A chunk says all of its lines.
"""

from __future__ import annotations

from typing import Any

from parsers.records import ChunkRecord, DataRecord

from .decoding import Part, reading, written
from .dialect import REASONS, Dialect, Element, Opening, TextDialect
from .payload import CONTROL, OTHER, Kind, Payload, joined

MAX_LINE = 256 * 1024
"""Characters of a line that waits for its end; a longer one is not read."""
MAX_CALLS = 1_024
"""Calls of tools whose names are kept."""


class Usage(Part, rename="camel"):
    prompt_tokens: Any = None
    completion_tokens: Any = None


class Line(Part, rename="camel"):
    tool_call_id: str | None = None
    tool_name: str | None = None
    args: Any = None
    args_text_delta: str | None = None
    result: Any = None
    message_id: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None


class Event(Part, rename="camel"):
    type: str | None = None
    id: Any = None
    delta: str | None = None
    message_id: Any = None
    tool_call_id: str | None = None
    tool_name: str | None = None
    input: Any = None
    input_text_delta: str | None = None
    output: Any = None
    error_text: str | None = None
    finish_reason: str | None = None
    reason: str | None = None
    data: Any = None


OWN_TYPES = frozenset(
    ("start", "text-start", "text-delta", "reasoning-start", "reasoning-delta")
    + ("tool-input-start", "tool-input-delta", "tool-input-available")
)
"""Types by which a stream is known without its field, if they come with an id."""
ELSE = frozenset(
    ("finish", "abort", "error", "tool-input-error", "tool-output-error", "tool-output-available")
    + ("text-end", "reasoning-end", "start-step", "finish-step")
)

_line = reading(Line)
_event = reading(Event)
_string = reading(str)
_any = reading(Any)
PARTS = {
    "2": "data",
    "8": "annotations",
    "h": "source",
    "i": "redacted_reasoning",
    "j": "reasoning_signature",
    "k": "file",
}
"""Parts whose value is shown as it is."""
CODES = frozenset("0g3bc9afed") | PARTS.keys()
TEXTS: dict[str, Kind] = {"0": "text", "g": "reasoning", "3": "error"}
"""Parts whose value is a string."""


class VercelLines(Dialect):
    """``x-vercel-ai-data-stream: v1``: a code, a colon and JSON in each line."""

    name = "vercel-lines"
    title = "Vercel AI data stream"
    last_word = "d:"
    words = {"finishReason": REASONS}

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._rest: list[str] = []  # of a line whose end has not come
        self._waiting = 0
        self._names: dict[str, str] = {}  # of tools, by call

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        response = opening.about.response
        if not isinstance(opening.element, ChunkRecord | DataRecord) or response is None:
            return False
        if response.codings or opening.element.sender != "server":
            return False
        text = opening.text
        return text[1:2] == ":" and text[0] in CODES and _is_announced(opening)

    def read(self, element: Element) -> Payload:
        if element.data is None or not isinstance(element, ChunkRecord | DataRecord):
            return OTHER
        *lines, rest = (element.data if element.encoding == "utf-8" else "").split("\n")
        if lines:
            lines[0] = "".join([*self._rest, lines[0]])
            self._rest, self._waiting = [], 0
        self._waiting += len(rest)
        if self._waiting <= MAX_LINE:
            self._rest.append(rest)
        return joined([self._said(line) for line in lines if line])

    def _said(self, line: str) -> Payload:
        code, colon, value = line.partition(":")
        if not colon or code not in CODES:
            return OTHER
        if (kind := TEXTS.get(code)) is not None:
            text = _string(value)
            return OTHER if text is None else Payload(kind, text) if text else CONTROL
        if (name := PARTS.get(code)) is not None:
            return Payload("other", value, label=name)
        told = _line(value)
        return OTHER if told is None else self._told(code, told)

    def _told(self, code: str, told: Line) -> Payload:
        if code in "de":
            return self._end(code, told)
        if code == "f":
            return Payload("start", "", "step", told.message_id or "")
        number = told.tool_call_id or ""
        if told.tool_name and len(self._names) < MAX_CALLS:
            self._names[number] = told.tool_name
        name = self._names.get(number, "")
        if code == "a":
            return Payload("other", written(told.result), name, number, label="result")
        text = told.args_text_delta or ("" if told.args is None else written(told.args))
        return Payload("tool", text, name, number)

    def _end(self, code: str, told: Line) -> Payload:
        reason, usage = told.finish_reason or "", told.usage or Usage()
        tokens = usage.completion_tokens if isinstance(usage.completion_tokens, int) else None
        known: dict[str, object] = (
            {"input_tokens": usage.prompt_tokens} if isinstance(usage.prompt_tokens, int) else {}
        )
        if code == "e":
            return Payload("finish", reason, "step", "", tokens, known)
        self.has_ended = True
        return Payload("done", "", "", "", tokens, known | ({"finish": reason} if reason else {}))


def _is_announced(opening: Opening) -> bool:
    """Whether a field of the response names the protocol, or the first line is one for sure."""
    if opening.about.header("x-vercel-ai-data-stream") is not None:
        return True
    first, end, _ = opening.text.partition("\n")
    if not end or (opening.about.header("content-type") or "").partition(";")[0] != "text/plain":
        return False
    code, value = first[0], first[2:]
    if code == "f":
        return (_line(value) or Line()).message_id is not None
    return code == "0" and _string(value) is not None


class VercelEvents(TextDialect):
    """``x-vercel-ai-ui-message-stream: v1``: server-sent events with a ``type``."""

    name = "vercel-ui"
    title = "Vercel AI UI messages"
    last_word = "[DONE]"
    telling = frozenset(("type",))
    words = {"type": OWN_TYPES | ELSE, "finishReason": REASONS}

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._names: dict[str, str] = {}

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        kind = opening.word("type")
        if not kind:
            return False
        if opening.about.header("x-vercel-ai-ui-message-stream") is not None:
            return True
        event = _event(opening.text) if kind in OWN_TYPES else None
        return event is not None and bool(event.id or event.message_id or event.tool_call_id)

    def read_text(self, text: str) -> Payload:
        event = _event(text)
        if event is None or event.type is None:
            return OTHER
        kind, number = event.type, str(event.id or event.tool_call_id or "")
        if kind in ("text-delta", "reasoning-delta"):
            what: Kind = "text" if kind == "text-delta" else "reasoning"
            return Payload(what, event.delta, "", number) if event.delta else CONTROL
        if kind.startswith("tool-input-"):
            return self._tool(event, number)
        if kind in ("error", "tool-input-error", "tool-output-error"):
            return Payload("error", event.error_text or "", self._names.get(number, ""), number)
        if kind == "start":
            self.share(id=event.message_id)
        return _else(event, self._names.get(number, ""), number)

    def _tool(self, event: Event, number: str) -> Payload:
        if event.tool_name and len(self._names) < MAX_CALLS:
            self._names[number] = event.tool_name
        name = self._names.get(number, "")
        if event.type == "tool-input-start":
            return Payload("tool", "", name, number)
        if event.type == "tool-input-delta":
            text = event.input_text_delta
            return Payload("tool", text, name, number) if text else CONTROL
        # The whole input, said once more after its deltas.
        return Payload("control", written(event.input), name, number, label=event.type or "")


def _else(event: Event, name: str, number: str) -> Payload:
    """Return what an event says that is neither content nor an error."""
    kind = event.type or ""
    if kind in ("finish", "abort"):
        return Payload("finish", event.finish_reason or event.reason or "", id=number, label=kind)
    if kind.startswith("data-"):
        return Payload("other", written(event.data), "", number, label=kind)
    if kind == "tool-output-available":
        return Payload("other", written(event.output), name, number, label="result")
    if kind == "start" or kind.endswith("-start"):
        return Payload("start", "", kind, number)
    return Payload("control", "", kind, number)
