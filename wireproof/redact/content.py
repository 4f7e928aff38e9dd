"""Secrets in content as it comes: as it stands, in what an event stream puts together, in JSON.

Strategy: a stream of content is read as several texts at once, each with a finder of its own:
the content itself; the values of ``data`` lines, one after the other, since a key may go on in
the next event; and the strings of JSON, those of each key one after the other, since a model
writes a key token by token (``"content": "sk-ab"``, then ``"content": "cd12"``); and the same in
what stands in base64, UTF-16 and percent encoding. Pieces may be cut anywhere. What is kept is
a few hundred characters for each finder, of which there are at most three times MAX_KEYS and seven.

Pieces are small and many, and hardly any holds a secret or a word that may begin one. So all that
come at once are looked at as one: with one search in the whole, one in each key's values, and only
where something is found more closely. So what one piece ends in is told by what the next ones say:
``password: `` and ``required``. What the last one ends in is masked, if it may become a secret.
"""

from __future__ import annotations

import re
from operator import attrgetter

from parsers.expressions import every

from .base64_runs import Base64Runs
from .encoded_text import EncodedText
from .json_bounds import JsonBounds
from .json_strings import JsonStrings
from .logins import FirstLogins
from .patterns import MAX_CONTEXT, USUAL, Patterns, Span
from .secrets import Finder, Named, Scattered, merged
from .wide_runs import WideRuns

DATA_VALUES = re.compile(r"data:(?<![^\r\n]data:)(?: |(?! ))([^\r\n]++)")
MEMBER_BEGINS = re.compile(r"\"[^\"\\\r\n]{1,64}\"\s{0,8}(?::\s{0,8}(?:\"[^\"\\\r\n]{0,64})?)?\Z")
"""A name whose value has not come yet, or not all of it."""
LINE_PIECE = re.compile(r"[^\r\n]+|[\r\n]+")
SEVERAL_LINES = re.compile(
    r"data:[^\r\n]*+(?:\r\n|\r|\n)" + every(r"(?!data:)[^\r\n]++(?:\r\n|\r|\n)") + "data:"
)
"""An event with several lines of data, which an LF joins."""
GOES_ON = re.compile(r"(?=[^\d]{0,64}\d)[\w.~+/=-]{8,}", re.ASCII)
"""A line of data that may be the rest of a secret in the one before it."""
EVENT_ENDS = ("\n\n", "\r\n\r\n", "\r\r")
LINE_ENDS = ("\n", "\r\n", "\r")
LONGEST_END = 4
DATA_LINE = re.compile(r"data:(?<![^\r\n]data:)[^\r\n]*+")
DATA_BEGINS = re.compile(r"data:(?<![^\r\n]data:) ?")
DATA_FIELD = re.compile(r"data(?:: ?|\Z)")


class EventLines:
    """Finds secrets in the lines of an event stream: in what its ``data`` says, which may go on in
    the next event, and in all lines as they stand, one below the other."""

    __slots__ = (
        *("_data", "_ends", "_has_data", "_head", "_is_data", "_lines", "goes_on", "named"),
    )

    def __init__(self, patterns: Patterns = USUAL) -> None:
        self._data = Finder(patterns)
        self._lines = Finder(patterns)
        self.goes_on = False
        """Whether it is known that data goes on in the next event: then it is no line."""
        self._head = ""
        """The beginning of a line, as long as it may become ``data: ``."""
        self._is_data: bool | None = None
        """Of the line that is read; None while its beginning does not tell."""
        self._has_data = False
        """Whether the event at hand has such a line."""
        self._ends = ""
        """Line ends that came last."""
        self.named: list[Named] = []
        """What was found last."""

    @property
    def is_open(self) -> bool:
        return self._data.is_open or self._lines.is_open

    def go_on_behind(self, context: str) -> None:
        """Remember this alone of what came."""
        self._data.go_on_behind(context)
        self._lines.go_on_behind(context)

    def feed_fast(self, text: str) -> list[Span]:
        """Take the next text, as :meth:`Finder.feed_fast` does."""
        is_between = self._is_data is None and not self._head and not self._has_data
        if is_between and text.endswith(EVENT_ENDS) and SEVERAL_LINES.search(text) is None:
            data = self._data.context_behind("".join(DATA_VALUES.findall(text)))
            no_line = DATA_LINE if self.goes_on else DATA_BEGINS
            lines = self._lines.context_behind(no_line.sub("", text))
            if data is not None and lines is not None:
                self._data.go_on_behind(data)
                self._lines.go_on_behind(lines)
                self._ends = text[-LONGEST_END:]
                self.named = []
                return []
        return self.feed(text)

    def feed(self, text: str) -> list[Span]:
        """Take the next text of content; return which parts of it are secret."""
        data, lines = Scattered(), Scattered()
        for match in LINE_PIECE.finditer(text):
            if text[match.start()] in "\r\n":
                self._end_line(match, lines)
            else:
                self._read_line(match, data, lines)
        self.named = []
        for finder, said in ((self._data, data), (self._lines, lines)):
            if said.text:
                finder.feed(said.text)
                for name, span in finder.named:
                    self.named += [Named(said.place(name), one) for one in said.places([span])]
        return [span for _, span in self.named]

    def _end_line(self, ends: re.Match[str], lines: Scattered) -> None:
        if self._is_data is None and not self._head.startswith("data:"):
            lines.add(self._head, None)
        lines.add(ends[0], ends.start())
        self._head, self._is_data = "", None
        self._ends = (self._ends + ends[0])[-LONGEST_END:]
        self._has_data = self._has_data and self._ends in LINE_ENDS

    def _read_line(self, part: re.Match[str], data: Scattered, lines: Scattered) -> None:
        """Read a line, or the next part of one."""
        start, end = part.span()
        self._ends = ""
        if self._is_data is None:
            head = self._head
            start = self._begin(part[0], start)
            if self._is_data and self._has_data and not GOES_ON.fullmatch(part.string, start, end):
                data.add("\n", None)  # as lines of one event are joined
            elif self._is_data is False:
                lines.add(head, None)
            self._has_data = self._has_data or self._is_data is True
        if self._is_data and start < end:
            data.add(part.string[start:end], start)
        if self._is_data is not None and start < end and not (self._is_data and self.goes_on):
            lines.add(part.string[start:end], start)

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


Reader = Finder | EventLines | EncodedText
Part = Reader | JsonStrings | Base64Runs | WideRuns | FirstLogins
IS_OPEN = attrgetter("is_open")


class ContentFinder:
    """Finds secrets in the content of one body, or in what one side of a WebSocket sends.

    ``may_log_in`` is whether that may begin as another protocol does.
    """

    __slots__ = (
        "_bounds",
        "_is_event_stream",
        "_made",
        "_readers",
        "_may_log_in",
        "_patterns",
        "numbers",
        "strings_go_on",
    )

    def __init__(
        self, *, is_event_stream: bool, may_log_in: bool = False, patterns: Patterns = USUAL
    ) -> None:
        self._is_event_stream = is_event_stream
        self._may_log_in = may_log_in
        self._patterns = patterns
        self._made: list[Part] = []
        self._readers: list[Reader] = []
        """Those of them that go on behind what came."""
        self._bounds = JsonBounds()
        self.strings_go_on = False
        """Whether it is known that strings of one member are one text, as a model streams it."""
        self.numbers: list[Span] = []
        """What of the spans that were returned last are digits of numbers of JSON."""

    @property
    def parts(self) -> list[Part]:
        """What reads the content; made when there is any, which many heads have none behind."""
        if not self._made:
            patterns = self._patterns
            self._made = [
                EventLines(patterns) if self._is_event_stream else Finder(patterns),
                JsonStrings(patterns),
                Base64Runs(patterns),
                WideRuns(patterns),
                EncodedText(patterns),
            ]
            if self._may_log_in:
                self._made.append(FirstLogins())
            self._readers = [one for one in self._made if isinstance(one, Reader)]
        return self._made

    def feed(self, *pieces: str) -> list[Span]:
        """Take the next pieces; return which parts of them are secret, not in order.

        Places are those in all pieces together, which are read as one.
        """
        text = "".join(pieces)
        spans: list[Span] = []
        for part in self.parts:
            if isinstance(part, EventLines):
                part.goes_on = self.strings_go_on
            found = part.feed_fast(text)
            if found and isinstance(part, Finder | EventLines):
                found = self._bounds.own(text, part.named, goes_on=self.strings_go_on)
            spans += found
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
