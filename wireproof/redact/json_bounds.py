"""Where the strings and numbers of JSON end: what is secret is masked inside of them alone.

Strategy: secrets are looked for in text as it stands, in which a quote may open a value or close
one: the text of a string may end as if a value followed (``"set API_KEY="``). Where a line is JSON
up to something that was found, its strings and numbers tell what of that is masked, so that what
was JSON stays so. A line is read only then; as long as it goes on in the next piece it is kept, or
how far it was read. In a number nines take the place of digits.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

from parsers.expressions import every, when_used

from .patterns import Span
from .secrets import Named

MAX_LINE = 16_384
"""Characters of a line that are kept, as long as it goes on; then it is known how far it was read.
"""
LONGEST_NUMBER = 64
"""Characters of one that are kept."""
_BEFORE = r"(?:data: ?|[0-9a-f]:|\d{1,8}+(?=\[)|\x1e)?(?=[ \t]{0,64}+"
LINE_BEGINS = re.compile(_BEFORE + r"(?:[\[{\"\]}\d-]|(?:true|false|null)\b))")
"""What stands before the JSON of an event, of a line of a data stream, of a message of Socket.IO,
of a text sequence (RFC 7464 section 2.2)."""
MESSAGE_BEGINS = re.compile(_BEFORE + r"[\[{])")
"""The same where no line begins."""
MAY_BEGIN = re.compile(r"d(?:a(?:t(?:a(?:: ?)?)?)?)?|[0-9a-f]:?|\x1e|[ \t]{0,64}")
# RFC 8259: white space and structure, strings, numbers, words; at the end of what has come also
# their beginnings.
TOKEN = when_used(
    r"[ \t\x1e\[\]{},:]++"
    r"|\"([^\"\\\x00-\x1f]*+" + every(r"\\(?:[^\x00-\x1f]|\Z)[^\"\\\x00-\x1f]*+") + r")(?:\"|\Z)"
    r"|(-?+\d[\d.eE+-]*+(?=[ \t\r\n,\]}]|\Z)|-\Z)"
    r"|(?:true|false|null)\b|(?:t(?:r(?:u)?)?|f(?:a(?:ls?)?)?|n(?:ul?)?)\Z"
)
IN_ESCAPE = when_used(r"(?<!\\)(?:\\\\)*+\\(u[0-9A-Fa-f]{0,3})?\Z")
"""What of an escape ends where something begins."""
LONGEST_ESCAPE = 6
LONGEST_RUN = 256
"""Characters before that which are looked at: of backslashes."""
_VALUE_BEFORE = re.compile(r":[ \t]{0,60}\"\Z")
_NAME_HERE = re.compile(r"(?:[\w.\x80-\xff' -]|\\{1,3}u[0-9A-Fa-f]{4})*", re.ASCII)
IS_NAME = re.compile(r"\"[ \t]{0,64}+:")
START = itemgetter(0)
DIGITS = re.compile(r"\d+")
LINE_END = re.compile(r"[\r\n]")


class Clipped(NamedTuple):
    """What is masked."""

    spans: list[Span]
    numbers: list[Span]
    """Digits of numbers among them."""
    is_closed: bool
    """Whether what seemed to go on in the next text ends in this one."""


class JsonBounds:
    """Keeps what was found in one stream of text inside of strings and numbers of its JSON."""

    __slots__ = ("_line", "_is_json")

    def __init__(self) -> None:
        self._line = ""
        """What has come of the line at hand, or the token that it goes on in."""
        self._is_json = True
        """Whether that may be JSON."""

    def skip(self, text: str) -> None:
        """Take the next text, in which nothing was found."""
        last = max(text.rfind("\n"), text.rfind("\r"))
        if last >= 0:
            self._line, self._is_json, text = "", True, text[last + 1 :]
        elif not self._is_json and MESSAGE_BEGINS.match(text):
            self._line, self._is_json = "", True
        if not self._is_json or not text:
            return
        self._line += text
        if not _may_be_json(self._line):
            self._line, self._is_json = "", False
        elif len(self._line) > MAX_LINE:
            self._go_on()

    def _go_on(self) -> None:
        """Keep the token at the end of a long line, instead of all of that."""
        tokens, end = _read(self._line)
        if end < len(self._line):
            self._line, self._is_json = "", False
            return
        rest = ""
        if tokens and tokens[-1][1] == len(self._line):
            start, end, is_string = tokens[-1]
            rest = self._line[max(start, end - LONGEST_NUMBER) : end]
            if is_string:  # its last character may be half of an escape
                rest = '"' + rest[len(rest) - (len(rest) - len(rest.rstrip("\\"))) % 2 :]
        self._line = "[" + rest

    def clip(self, text: str, spans: Iterable[Span]) -> Clipped:
        """Take the next text; return what of ``spans`` is masked in it."""
        strings: list[Span] = []
        numbers: list[Span] = []
        is_closed = False
        left = sorted(spans)
        at = 0
        for start, end in _lines(text):
            if at == len(left) or left[at][0] >= end:
                continue
            line, base = self._line_at(text, start, end)
            tokens, end_of_json = _read(line)
            while at < len(left) and left[at][0] < end:
                first, last = left[at]
                if first - base < end_of_json:  # the rest of it is structure
                    found = list(_clipped(line, tokens, first - base, last - base))
                    strings += [(base + a, base + b) for a, b, is_string in found if is_string]
                    numbers += [(base + a, base + b) for a, b, is_string in found if not is_string]
                    goes_on = any(start <= last - base <= end for start, end, _ in tokens[-1:])
                    string = _string_at(line, tokens, first - base)
                    runs_over = string is not None and last - base > string[1]
                    is_last = at == len(left) - 1
                    is_closed = not goes_on and (last == len(text) or (runs_over and is_last))
                    at += 1
                    continue
                said = first + len(text[first : min(last, end)].rstrip("\r\n"))
                if first < said and not line.isspace():
                    strings.append((first, said))
                if last > end:
                    left[at] = end, last
                    break
                at += 1
        is_closed = is_closed or self._ends_whole(text)
        self.skip(text)
        return Clipped(strings, numbers, is_closed)

    def own(self, text: str, found: Iterable[Named], *, goes_on: bool) -> list[Span]:
        """Return what of the next text is secret by a name in the same text: what a string of JSON
        says gives no name to what stands outside of it.

        ``goes_on`` is whether what a value says goes on in the next line's, and is read so: what it
        ends in here may be the beginning of a word.
        """
        lines = list(_lines(text))
        read: dict[int, tuple[str, int, list[Token]]] = {}
        spans: list[Span] = []
        for name, (start, end) in found:
            index = bisect_right(lines, name, key=START) - 1
            if index >= 0 and index not in read:
                line, base = self._line_at(text, *lines[index])
                read[index] = line, base, _read(line)[0]
            line, base, tokens = read.get(index, ("", 0, []))
            string = _string_at(line, tokens, name - base) if tokens else None
            if string is not None and not _may_name(line, base, string, name, start, goes_on):
                continue
            spans.append((start, end))
        return spans

    def _ends_whole(self, text: str) -> bool:
        """Whether a text ends behind an object or array of JSON that is a line by itself."""
        end = len(text.rstrip("\r\n"))
        if end == len(text):
            return False
        start = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1
        line, _ = self._line_at(text, start, end)
        return is_whole(line)

    def _line_at(self, text: str, start: int, end: int) -> tuple[str, int]:
        """Return a line of a text, and where it begins: before that, if it goes on in it."""
        line = text[start:end]
        if start:
            return line, start
        if self._is_json:
            return self._line + line, -len(self._line)
        return (line if MESSAGE_BEGINS.match(line) else "", 0)


def is_whole(line: str) -> bool:
    """Whether a line is an object or array of JSON, from its beginning to its end."""
    tokens, end = _read(line)
    begins = MESSAGE_BEGINS.match(line)
    if begins is None or end < len(line) or line.rstrip()[-1:] not in ("]", "}"):
        return False
    depth, at = 0, begins.end()
    for first, last, _ in [*tokens, (end, end, False)]:
        between = line[at:first]
        depth += sum(map(between.count, "[{")) - sum(map(between.count, "]}"))
        at = last
    return depth == 0


def _may_be_json(line: str) -> bool:
    return LINE_BEGINS.match(line) is not None or MAY_BEGIN.fullmatch(line) is not None


def _lines(text: str) -> Iterator[Span]:
    """Yield where lines are, each with its end."""
    start = 0
    for match in LINE_END.finditer(text):
        yield start, match.end()
        start = match.end()
    yield start, len(text)


Token = tuple[int, int, bool]
"""Where a string or a number is, without quotes, and whether it is a string."""


def _read(line: str) -> tuple[list[Token], int]:
    """Return the strings and numbers of a line, and up to where it is JSON."""
    tokens: list[Token] = []
    begins = LINE_BEGINS.match(line)
    if begins is None:
        return [], 0
    at = begins.end()
    while (match := TOKEN.match(line, at)) is not None:
        if match.lastindex is not None:
            tokens.append((*match.span(match.lastindex), match.lastindex == 1))
        at = match.end()
    return tokens, at


def _clipped(line: str, tokens: list[Token], first: int, last: int) -> Iterator[Token]:
    """Yield what of [first, last) of a line is masked: of the string that it begins in, or of all
    values; of numbers that is their digits."""
    index = max(bisect_right(tokens, first, key=START) - 1, 0)
    is_inside = _string_at(line, tokens, first) is not None or (
        bool(tokens) and tokens[index][0] <= first < tokens[index][1]
    )
    for at in range(index, index + 1 if is_inside else len(tokens)):
        start, end, is_string = tokens[at]
        if start >= last:
            return
        begin, upto = max(first, start), min(last, end)
        if begin >= upto or (not is_inside and is_string and IS_NAME.match(line, end)):
            continue
        if is_string:
            begin += _rest_of_escape(line, start, begin)
            if begin < upto:
                yield begin, upto, True
        else:
            yield from ((*digits.span(), False) for digits in DIGITS.finditer(line, begin, upto))


def _may_name(line: str, base: int, string: Token, name: int, start: int, goes_on: bool) -> bool:
    """Return whether a name in a string tells of a secret that begins at ``start``."""
    first, end, _ = string
    if start - base < end:
        is_value = _VALUE_BEFORE.search(line, max(first - 64, 0), first) is not None
        return not (goes_on and is_value)
    here = _NAME_HERE.match(line, name - base, end)
    return here is None or here.end() == end


def _string_at(line: str, tokens: list[Token], at: int) -> Token | None:
    """Return the string that a place is in, or at the end of; None if it is in none."""
    index = bisect_right(tokens, at, key=START) - 1
    if index < 0:
        return None
    _, end, is_string = tokens[index]
    is_in = is_string and (at < end or (at == end and line[end : end + 1] == '"'))
    return tokens[index] if is_in else None


def _rest_of_escape(line: str, start: int, at: int) -> int:
    """Return how much of an escape of a string, which began at ``start``, is left at ``at``."""
    if "\\" not in line[max(start, at - LONGEST_ESCAPE) : at]:
        return 0
    match = IN_ESCAPE.search(line, max(start, at - LONGEST_RUN), at)
    if match is None:
        return 0
    if match[1]:
        return 5 - len(match[1])
    return 5 if line[at : at + 1] == "u" else 1
