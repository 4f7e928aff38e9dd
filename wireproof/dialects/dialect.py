"""What a dialect is, and what it sees of an exchange when it is asked whether that speaks it.

Strategy: a dialect is made for one exchange and may remember what later elements only refer to;
what it remembers is bounded. It is recognised by an opening: an element with the members of its
JSON, still undecoded, beside the exchange's target and fields. The target alone decides nothing:
an application may serve what it likes under any path.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Set
from functools import cached_property
from typing import ClassVar

import msgspec
from parsers.records import (
    BodyElementRecord,
    ChunkRecord,
    DataRecord,
    Http2DataRecord,
    Http3DataRecord,
    SseEventRecord,
)
from parsers.records import WebSocketMessageRecord as Message

from ..exchange import Exchange
from .decoding import reading
from .envelope import Envelope
from .payload import OTHER, Payload

Element = SseEventRecord | Message | BodyElementRecord | ChunkRecord | DataRecord
MAX_SHARED = 200
"""Characters that are kept of what all elements of a stream share: an id, a model."""

Words = Mapping[str, Set[str]]
NO_WORD: frozenset[str] = frozenset()
ROLES = frozenset(("assistant", "developer", "function", "model", "system", "tool", "user"))
"""Who speaks, in whichever API."""
REASONS = frozenset(
    ("stop", "length", "tool_calls", "content_filter", "function_call", "tool-calls", "error")
    + ("end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "load")
    + ("STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT")
    + ("FINISH", "LENGTH", "COMPLETE", "unload", "max_output_tokens", "content-filter", "unknown")
)
"""Why generation ended, in whichever API."""

_members = reading(dict[str, msgspec.Raw])
_word = reading(str)


class Opening:
    """An element by which a dialect may be recognised."""

    def __init__(self, about: Exchange, element: Element, carried: str | None = None) -> None:
        self.about = about
        self.element = element
        text = carried  # what another dialect found in it
        if text is None:
            is_text = isinstance(element, SseEventRecord) or element.encoding == "utf-8"
            text = (element.data or "") if is_text else ""
        begins = text.lstrip()[:1]
        self.text = text
        """The element's data, if it is text."""
        self.members: dict[str, msgspec.Raw] = (_members(text) if begins == "{" else None) or {}
        """The members of the object that the element's JSON is, if it is one."""
        self.is_array = begins == "["
        """Whether the element's JSON is an array, or would be."""

    @property
    def target(self) -> str:
        """The request's target in lower case, empty if the request was not captured."""
        request = self.about.request
        return "" if request is None else request.target.lower()

    @property
    def subprotocol(self) -> str:
        """What a WebSocket agreed on, else the first that was offered; in lower case."""
        name = "sec-websocket-protocol"
        agreed = self.about.header(name) or self.about.request_header(name) or ""
        return agreed.partition(",")[0].strip().lower()

    def has(self, *names: str) -> bool:
        """Whether the object has all of these members."""
        return all(name in self.members for name in names)

    def word(self, name: str) -> str:
        """Return the value of a member if that is a string, else nothing."""
        found = self.members.get(name)
        return "" if found is None else _word(bytes(found)) or ""


class Dialect:
    """Reads the elements of one exchange; each dialect is a class of its own."""

    name: ClassVar[str]
    """For programs: ``openai-chat``."""
    title: ClassVar[str]
    """For people: ``OpenAI chat completions``."""
    last_word: ClassVar[str] = ""
    """What the application says last, if the dialect has a word for it: ``[DONE]``."""
    telling: ClassVar[frozenset[str]] = frozenset()
    """Members of JSON objects: one that has none of them does not show this dialect, nor does what
    is no JSON. Empty where something else shows it."""
    words: ClassVar[Words] = {}
    """Values that members of its JSON have by its own definition, and that say what an element is:
    none of them is what somebody wrote. Without a value: a member that is looked for, beside those
    of the :class:`~.decoding.Part`\\ s that it reads."""

    def __init__(self, opening: Opening) -> None:
        self.shared: dict[str, str] = {}
        """What all elements have in common: the response's id, its model."""
        self.has_ended = False
        """Whether the application has said its last word."""

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        """Whether an element shows that its exchange speaks this dialect."""
        raise NotImplementedError

    def read(self, element: Element) -> Payload:
        """Return what an element says; what makes no sense is ``other``."""
        raise NotImplementedError

    def share(self, **values: object) -> None:
        """Remember what all elements have in common, as far as it is known now."""
        for name, value in values.items():
            if value is not None and name not in self.shared:
                self.shared[name] = str(value)[:MAX_SHARED]


class TextDialect(Dialect):
    """A dialect whose elements are text, whatever carries them."""

    has_envelope: ClassVar[bool] = False
    """Whether elements may differ in a text alone, and what that says depends on no other one."""

    def read(self, element: Element) -> Payload:
        data = element.data
        if data is None:
            return OTHER
        is_text = isinstance(element, SseEventRecord) or element.encoding == "utf-8"
        return self.read_text(data) if is_text else OTHER

    def read_text(self, text: str) -> Payload:
        """Return what an element's text says; also where another dialect carries it."""
        raise NotImplementedError

    @cached_property
    def envelope(self) -> Envelope | None:
        """What its elements have around their text, None where texts say more than themselves."""
        return Envelope(self.read_text) if self.has_envelope else None


def content_bytes(element: Element | Http2DataRecord | Http3DataRecord) -> bytes:
    """Return the content of an element as bytes, none if it was not kept."""
    data = element.data or ""
    if isinstance(element, SseEventRecord) or element.encoding != "base64":
        return data.encode()
    return b64decode(data)
