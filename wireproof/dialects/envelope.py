"""Elements that differ in one text alone, told without reading their JSON again.

Strategy: a model's answer comes in hundreds of objects that are the same, byte by byte, but for the
text. When one was read and said a text and nothing else, what stands before that text and after it
is kept; an element that begins and ends so says what stands between, if that needs no escape in
JSON (RFC 8259 section 7) and holds none. Two other texts in the same place are read first: only
where they come out too it is the text that stands there, and not a copy of it elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .payload import Payload

PROBES = ("wireproof", "~ \N{CJK UNIFIED IDEOGRAPH-8A9E}")
MAX_LEARNT = 16
"""Envelopes that are looked at in one stream: where each is another there is nothing to learn."""


class Envelope:
    """What the latest elements of a stream have around their text.

    ``read`` reads an element. What it returns of a text must not depend on earlier elements.
    """

    __slots__ = ("_read", "_before", "_after", "_left")

    def __init__(self, read: Callable[[str], Payload]) -> None:
        self._read = read
        self._before = self._after = ""
        self._left = MAX_LEARNT

    def learn(self, text: str, said: Payload) -> None:
        """Take an element and what it says, in case that is a text and nothing else."""
        if not self._left or said != Payload("text", said.text) or not _is_literal(said.text):
            return
        self._left -= 1
        before, _, after = text.partition(f'"{said.text}"')
        before, after = before + '"', '"' + after
        if all(self._read(before + probe + after) == Payload("text", probe) for probe in PROBES):
            self._before, self._after = before, after

    def texts(self, elements: Sequence[str | None]) -> list[str] | None:
        """Return what several elements say, None unless each is this envelope with a text."""
        before, after = self._before, self._after
        if not before:
            return None
        start, end, least = len(before), -len(after), len(before) + len(after)
        found = [
            one[start:end]
            for one in elements
            if one and len(one) > least and one.startswith(before) and one.endswith(after)
        ]
        return found if len(found) == len(elements) and _is_literal("".join(found)) else None


def _is_literal(text: str) -> bool:
    """Whether a text stands in JSON as it is: control characters are not printable."""
    return text.isprintable() and '"' not in text and "\\" not in text
