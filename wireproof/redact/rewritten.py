"""A text in which parts are replaced, by a character or by nothing, and where each stood."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

Span = tuple[int, int]


class Rewritten:
    """A text from ``at`` on, with what parts of it are replaced by: one character, or none."""

    __slots__ = ("_begin", "_behind", "_ends", "_starts", "text")

    def __init__(self, text: str, parts: Iterable[tuple[Span, str]], at: int = 0) -> None:
        plain: list[str] = []
        self._ends: list[int] = []
        """Where each part ends in ``text``, and where it was in what was given."""
        self._starts: list[int] = []
        self._behind: list[int] = []
        self._begin = at
        size = 0
        for (start, end), said in parts:
            plain += [text[at:start], said]
            size += start - at + len(said)
            self._ends.append(size)
            self._starts.append(start)
            self._behind.append(end)
            at = end
        plain.append(text[at:])
        self.text = "".join(plain)

    def span(self, start: int, end: int) -> Span:
        """Return where ``text[start:end]`` was, which is not empty."""
        return self.place(start)[0], self.place(end - 1)[1]

    def place(self, at: int) -> Span:
        """Return where the character at ``at`` was."""
        index = bisect_right(self._ends, at)
        start = at + (self._behind[index - 1] - self._ends[index - 1] if index else self._begin)
        if index < len(self._ends) and self._starts[index] == start:
            return start, self._behind[index]
        return start, start + 1
