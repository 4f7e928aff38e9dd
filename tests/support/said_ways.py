"""Ways in which a text comes: whole, in JSON behind the end of a line, in pieces, in deltas."""

from __future__ import annotations

import json
from collections.abc import Iterator

from wireproof.redact.content import ContentFinder
from wireproof.redact.secrets import mask_spans

SIZES = (1, 3, 5, 12)
"""Characters of pieces, and of deltas."""


def shown_ways(text: str) -> Iterator[tuple[str, str]]:
    """Yield how a text comes, and what is shown of it."""
    yield "whole", _shown([text])
    yield "in JSON", _shown([json.dumps({"a": f"b\n{text}"})])
    yield "in JSON in JSON", _shown([json.dumps({"a": json.dumps({"b": f"c\n{text}"})})])
    for size in SIZES:
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        yield f"in pieces of {size}", _shown(pieces)
        yield f"in deltas of {size}", _joined(pieces, is_together=True)
        yield f"in deltas of {size}, one by one", _joined(pieces, is_together=False)


def cut_anywhere(text: str) -> Iterator[str]:
    """Yield what is shown of a text in two pieces."""
    for at in range(1, len(text)):
        yield _shown([text[:at], text[at:]])


def is_left(secret: str, shown: str) -> bool:
    """Return whether eight characters of a secret are in a text, or all of a shorter one."""
    size = min(len(secret), 8)
    return any(secret[at : at + size] in shown for at in range(len(secret) - size + 1))


def _shown(pieces: list[str]) -> str:
    finder = ContentFinder(is_event_stream=False)
    return "".join(mask_spans(one, finder.feed(one)) for one in pieces)


def _joined(pieces: list[str], *, is_together: bool) -> str:
    """Return what deltas say that are read together, or one by one."""
    events = [
        f"data: {json.dumps({'choices': [{'delta': {'content': one}}]})}\n\n" for one in pieces
    ]
    finder = ContentFinder(is_event_stream=True)
    if is_together:
        shown = mask_spans("".join(events), finder.feed(*events))
    else:
        shown = "".join(mask_spans(one, finder.feed(one)) for one in events)
    said = [json.loads(line[6:]) for line in shown.split("\n\n") if line]
    return "".join(one["choices"][0]["delta"]["content"] for one in said)
