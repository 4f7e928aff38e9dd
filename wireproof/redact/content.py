"""Secrets in content as it comes: as it stands, in what an event stream puts together, in JSON.

Strategy: a stream of content is read as several texts at once, each with a finder of its own:
the content itself; the values of ``data`` lines, one after the other, since a key may go on in
the next event; and the strings of JSON, those of each key one after the other, since a model
writes a key token by token (``"content": "sk-ab"``, then ``"content": "cd12"``); and the same in
what stands in base64, UTF-16 and percent encoding. Pieces may be cut anywhere. What is kept is
a few hundred characters for each finder, of which there are at most three times MAX_KEYS and seven.

Pieces are small and many, and hardly any holds a secret or a word that may begin one. So many are
looked at together first: one search in the whole, one in each key's values. Only where something is
found they are read one by one; a test shows that both come to the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import attrgetter

from .base64_runs import Base64Runs
from .encoded_text import EncodedText
from .json_bounds import JsonBounds
from .json_strings import JsonStrings
from .logins import FirstLogins
from .patterns import MAX_CONTEXT, USUAL, Patterns, Span
from .secrets import Finder, fed_one_by_one, merged
from .wide_runs import WideRuns

DATA_VALUES = re.compile(r"data:(?<![^\r\n]data:)(?: |(?! ))([^\r\n]++)")
MEMBER_BEGINS = re.compile(r"\"[^\"\\\r\n]{1,64}\"\s{0,8}(?::\s{0,8}(?:\"[^\"\\\r\n]{0,64})?)?\Z")
"""A name whose value has not come yet, or not all of it."""
LINE_PIECE = re.compile(r"[^\r\n]+|[\r\n]+")
DATA_FIELD = re.compile(r"data(?:: ?|\Z)")


class DataLines:
    """Finds secrets in the ``data`` lines of an event stream that go on in the next such line."""

    __slots__ = ("_finder", "_head", "_is_data")

    def __init__(self, patterns: Patterns = USUAL) -> None:
        self._finder = Finder(patterns)
        self._head = ""
        """The beginning of a line, as long as it may become ``data: ``."""
        self._is_data: bool | None = None
        """Of the line that is read; None while its beginning does not tell."""

    @property
    def is_open(self) -> bool:
        return self._finder.is_open

    def go_on_behind(self, context: str) -> None:
        """Remember this alone of what came."""
        self._finder.go_on_behind(context)

    def feed_all(self, pieces: Sequence[str], text: str) -> list[Span]:
        """Take the next pieces, as :meth:`Finder.feed_all` does."""
        is_between = self._is_data is None and not self._head
        if is_between and text[-1:] in ("\r", "\n"):
            values = "".join(DATA_VALUES.findall(text))
            if (context := self._finder.context_behind(values)) is not None:
                self._finder.go_on_behind(context)
                return []
        return fed_one_by_one(self.feed, pieces)

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece of content; return which parts of it are secret."""
        spans: list[Span] = []
        for match in LINE_PIECE.finditer(piece):
            start, end = match.span()
            if piece[start] in "\r\n":
                self._head, self._is_data = "", None
                continue
            if self._is_data is None:
                start = self._begin(match[0], start)
            if self._is_data and start < end:
                found = self._finder.feed(piece[start:end])
                spans += [(start + first, start + last) for first, last in found]
        return spans

    def _begin(self, text: str, start: int) -> int:
        """Read a line's beginning; return where its value begins in the piece."""
        before = len(self._head)
        self._head += text[: 6 - before]
        match = DATA_FIELD.match(self._head)
        if match is not None and len(self._head) >= 6:
            self._is_data = True
            return start + match.end() - before
        if not "data: ".startswith(self._head[:6]) and not match:
            self._is_data = False
        return start


Reader = Finder | DataLines | EncodedText
Part = Reader | JsonStrings | Base64Runs | WideRuns | FirstLogins
IS_OPEN = attrgetter("is_open")


class ContentFinder:
    """Finds secrets in the content of one body, or in what one side of a WebSocket sends.

    ``may_log_in`` is whether that may begin as another protocol does.
    """

    __slots__ = (
        "_bounds",
        "_finder",
        "_is_event_stream",
        "_made",
        "_readers",
        "_may_log_in",
        "_patterns",
        "numbers",
    )

    def __init__(
        self, *, is_event_stream: bool, may_log_in: bool = False, patterns: Patterns = USUAL
    ) -> None:
        self._is_event_stream = is_event_stream
        self._may_log_in = may_log_in
        self._patterns = patterns
        self._finder = Finder(patterns)
        self._made: list[Part] = []
        self._readers: list[Reader] = []
        """Those of them that go on behind what came."""
        self._bounds = JsonBounds()
        self.numbers: list[Span] = []
        """What of the spans that were returned last are digits of numbers of JSON."""

    @property
    def parts(self) -> list[Part]:
        """What reads the content; made when there is any, which many heads have none behind."""
        if not self._made:
            patterns = self._patterns
            self._made = [
                self._finder,
                JsonStrings(patterns),
                Base64Runs(patterns),
                WideRuns(patterns),
                EncodedText(patterns),
            ]
            if self._is_event_stream:
                self._made.append(DataLines(patterns))
            if self._may_log_in:
                self._made.append(FirstLogins())
            self._readers = [one for one in self._made if isinstance(one, Reader)]
        return self._made

    def feed(self, *pieces: str) -> list[Span]:
        """Take the next pieces; return which parts of them are secret, not in order.

        Places are those in all pieces together. Whether it gets them at once or one by one makes no
        difference to what its parts find, but in speed.
        """
        text = "".join(pieces)
        parts = self.parts
        if len(pieces) > 1:
            context = self._finder.context_behind(text)
            if context is None:
                return self._one_by_one(pieces)
            self._finder.go_on_behind(context)
            parts = parts[1:]
        spans: list[Span] = []
        for part in parts:
            spans += part.feed_all(pieces, text)
        self.numbers = []
        if not spans and not any(map(IS_OPEN, self._readers)):
            self._bounds.skip(text)
            return spans
        strings, self.numbers, is_closed = self._bounds.clip(text, merged(spans))
        if is_closed:
            member = MEMBER_BEGINS.search(text, max(len(text) - MAX_CONTEXT, 0))
            for reader in self._readers:
                reader.go_on_behind("" if member is None else member[0])
        return strings + self.numbers

    def _one_by_one(self, pieces: Sequence[str]) -> list[Span]:
        """Take pieces that may hold a secret: where the JSON of one ends, nothing goes on."""
        spans: list[Span] = []
        numbers: list[Span] = []
        base = 0
        for piece in pieces:
            spans += [(base + start, base + end) for start, end in self.feed(piece)]
            numbers += [(base + start, base + end) for start, end in self.numbers]
            base += len(piece)
        self.numbers = numbers
        return spans
