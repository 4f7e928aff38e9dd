"""How a payload is put into words: the one function that every view shows content by.

Strategy: a payload becomes three pieces, each safe to print: what it is (``tool get_weather``),
the content as it came (``{"city":``), and what else it says (``finish stop``, ``12 in, 20 out``).
A view puts styles on them, or one after the other. Text between quotes has blanks that count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..text.escape import escape, preview
from .dialect import Dialect
from .payload import Payload

NAME_WIDTH = 60
"""Cells of a name, an identifier or an error's code."""
QUOTED = frozenset(("text", "reasoning"))
UNSAID = frozenset(("control", "other"))
"""Kinds that say less than a name."""


class Said(NamedTuple):
    """A payload in words."""

    what: str
    text: str
    more: str

    def __str__(self) -> str:
        more = f"({self.more})" if self.more else ""
        return " ".join(piece for piece in (self.what, self.text, more) if piece)


def said(payload: Payload, width: int) -> Said | None:
    """Return a payload in words, its text cut to about ``width`` cells; None if it has none."""
    kind, text, name = payload.kind, payload.text, payload.name
    if kind == "other" and not (text or name or payload.label):
        return None
    what = _what(payload)
    shown = preview(text, "utf-8", width) if text else ""
    if kind in QUOTED:
        shown = f'"{shown}"'
    elif kind == "error" and name:
        shown = f"{_short(name)}: {shown}" if shown else _short(name)
    elif kind == "usage":
        return Said(what, _tokens(payload), "")
    return Said(what, shown, ", ".join(_more(payload)))


def shared(dialect: Dialect) -> str:
    """Return what all elements of a stream have in common, safe to print; empty if nothing."""
    return ", ".join(escape(f"{name} {value}") for name, value in dialect.shared.items())


def _what(payload: Payload) -> str:
    """Return what a payload is: the protocol's word, else its kind, with a name and a number."""
    kind, name = payload.kind, payload.name
    if name == "refusal" and kind == "text":
        return name
    word = _short(payload.label) if payload.label else "" if kind in UNSAID else kind
    number = f"#{_short(payload.id)}" if payload.id and (payload.label or kind == "other") else ""
    name = "" if kind == "error" else _short(name)
    words = " ".join(part for part in (word, name, number) if part)
    return words or ("" if kind == "other" else kind)


def _more(payload: Payload) -> Iterator[str]:
    """Yield what else an element says."""
    if (reason := payload.extra.get("finish")) is not None:
        yield f"finish {_short(str(reason))}"
    if payload.tokens is not None or "input_tokens" in payload.extra:
        yield _tokens(payload)
    if (things := payload.extra.get("things")) is not None:
        yield f"{things} in one"


def _tokens(payload: Payload) -> str:
    """Return ``12 in, 20 out``."""
    counted = (payload.extra.get("input_tokens"), "in"), (payload.tokens, "out")
    return ", ".join(f"{number:,} {way}" for number, way in counted if isinstance(number, int))


def _short(text: str) -> str:
    return preview(text, "utf-8", NAME_WIDTH // 4)
