"""What one element of a stream says, in the terms of a person who reads the stream.

Strategy: a dialect turns the data of an element into a payload, and knows nothing of packets; who
shows, judges or measures a stream looks at payloads alone, so that none of them knows a dialect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Kind = Literal[
    "text",
    "reasoning",
    "tool",
    "role",
    "start",
    "usage",
    "finish",
    "ping",
    "error",
    "done",
    "control",
    "other",
]
"""What an element is for. ``text``, ``reasoning`` and ``tool`` (a call's name, or a piece of its
arguments) are content: what a model generates, a token or several. ``role`` opens a message without
content; ``start`` announces something; ``usage`` counts tokens; ``finish`` gives the reason why
generation ended; ``ping`` only keeps the line open; ``error`` says that something went wrong;
``done`` is the last word of the application; ``control`` is the protocol's own; ``other`` is what
an application says of its own in a protocol's envelope, or what no dialect has a word for, which
counts as content where a stream has none."""
CONTENT: frozenset[Kind] = frozenset(("text", "reasoning", "tool"))
Thread = tuple[str, str, str]
"""What tells a text that grows from element to element from others of its stream."""


class Payload(NamedTuple):
    """What one element says; a value per element, made in bulk: keep it small."""

    kind: Kind
    text: str = ""
    """What a person would call the content: a piece of text, of a tool's arguments, the reason of
    the end, the message of an error. Empty if it has none. As the wire has it: not escaped."""
    name: str = ""
    """Of a tool, a role, a channel or an operation; of an event where that is all it says."""
    id: str = ""
    """Of the message, call or operation that it belongs to, where there are several."""
    tokens: int | None = None
    """Output tokens so far, as the stream itself counts them; None if it does not say."""
    extra: Mapping[str, object] = {}  # noqa: RUF012 - read only, shared
    """What else is worth a word: ``input_tokens``; ``finish``, the reason of the end in an element
    that says something else too; else in the dialect's own terms."""
    label: str = ""
    """What the protocol calls it, where that says more than its kind: ``PUBLISH``, ``next``."""


def thread_of(said: Payload) -> Thread | None:
    """Return which text goes on in what is said: a choice's, a call's arguments; None if none."""
    return (said.kind, said.name, said.id) if said.text and said.kind in CONTENT else None


PING = Payload("ping")
DONE = Payload("done", "[DONE]")
OTHER = Payload("other")
CONTROL = Payload("control")

_RANKS = {"error": 0, "done": 2, "finish": 3, "usage": 4, "other": 5, "start": 6, "role": 7}
"""What of several things counts most, after an error: content, which has rank 1."""


def joined(said: Sequence[Payload]) -> Payload:
    """Return what several things that one element says come to.

    It is the first one of the kind that counts most, with the text of all of that kind.
    """
    if len(said) <= 1:
        return said[0] if said else CONTROL
    first = min(said, key=_rank)
    same = [one for one in said if one.kind == first.kind]
    text = "".join(one.text for one in same) if first.kind in CONTENT else first.text
    extra: dict[str, object] = {}
    for one in said:
        extra |= one.extra
        if one.kind == "finish" != first.kind:
            extra["finish"] = one.text
    tokens = next((one.tokens for one in reversed(said) if one.tokens is not None), None)
    return first._replace(text=text, tokens=tokens, extra=extra | {"things": len(said)})


def _rank(said: Payload) -> int:
    return 1 if said.kind in CONTENT else _RANKS.get(said.kind, 8)
