"""Strings of JSON in a text: what they say, and where in the text each of their characters is.

Texts are bytes as Latin-1, as wherever secrets are looked for; what an escape stands for is UTF-8.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from parsers.expressions import every, when_used

from .patterns import Span

# RFC 8259 section 7. A line feed, which no string holds, ends one that is not whole.
STRING = when_used(
    r"\"([^\"\\\x00-\x1f]*+" + every(r"\\[^\r\n][^\"\\\x00-\x1f]*+") + r")\"(\s{0,64}+:)?"
)
JSON_BEGINS = re.compile(r"\s{0,64}+[\[{\"]")
ESCAPE = when_used(
    r"\\(?:u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)", re.DOTALL
)
SHORT_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
BEGIN = itemgetter(0)
MAX_KEY = 64
"""Characters of a key that tell it from others."""
MAX_PATH = 256
"""The same of all that leads to a value: its last ones."""
MAX_DOCUMENT = 16 * 1024
"""Characters of JSON that is read as a whole: what says the next words of a text is short."""


class JsonString(NamedTuple):
    """What a string says, and where that begins in its text."""

    text: str
    start: int
    escapes: list[tuple[int, int, int, int]]
    """Of each: where what it says begins and ends in ``text``, and where it does in what was
    given."""

    def span(self, first: int, last: int) -> Span:
        """Return where ``text[first:last]`` stands, which is not empty."""
        return self._place(first)[0], self._place(last - 1)[1]

    def _place(self, at: int) -> Span:
        """Return where the escape, or the character, is that gives the one at ``at``."""
        index = bisect_right(self.escapes, at, key=BEGIN) - 1
        if index < 0:
            return self.start + at, self.start + at + 1
        begin, end, start, behind = self.escapes[index]
        if begin <= at < end:
            return start, behind
        return behind + at - end, behind + at - end + 1


def json_strings(text: str) -> Iterator[tuple[bool, JsonString]]:
    """Yield the strings in a text, and whether each is the name of a member."""
    for match in STRING.finditer(text):
        yield match[2] is not None, unescaped(match[1], match.start(1))


def unescaped(raw: str, start: int) -> JsonString:
    """Return what the inside of a string says that begins at ``start``."""
    if "\\" not in raw:
        return JsonString(raw, start, [])
    said: list[str] = []
    escapes: list[tuple[int, int, int, int]] = []
    at = size = 0
    for match in ESCAPE.finditer(raw):
        plain = raw[at : match.start()]
        size += len(plain)
        character = _character(match[0])
        said += [plain, character]
        escapes.append((size, size + len(character), start + match.start(), start + match.end()))
        size += len(character)
        at = match.end()
    return JsonString("".join([*said, raw[at:]]), start, escapes)


def _character(escape: str) -> str:
    if escape[1] != "u" or len(escape) < 6:
        return SHORT_ESCAPES.get(escape[1:], escape[1:])
    units = bytes.fromhex(escape.replace("\\u", ""))
    return as_latin1(units.decode("utf-16-be", "surrogatepass"))


def as_latin1(text: str) -> str:
    """Return the bytes of a text in UTF-8 as characters of Latin-1."""
    return text if text.isascii() else text.encode(errors="surrogatepass").decode("latin-1")


def values_by_key(text: str) -> Iterator[tuple[str, str]]:
    """Yield the values of JSON that are strings, each with the name of the member before it."""
    key = ""
    for is_name, string in json_strings(as_latin1(text)):
        if is_name:
            key = string.text[:MAX_KEY]
        elif string.text:
            yield key, string.text


def values_by_path(text: str) -> Iterator[tuple[str, str]]:
    """Yield the strings of JSON, each with the members and numbers that lead to it.

    So those that stand side by side are told apart, whose names may be the same. Yields nothing for
    what is no JSON, too long or too deep.
    """
    if len(text) > MAX_DOCUMENT:
        return
    try:
        yield from _values(json.loads(as_latin1(text)), "")
    except (ValueError, RecursionError):
        return


def _values(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if value:
            yield path, as_latin1(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _values(inner, f"{path}.{name[:MAX_KEY]}"[-MAX_PATH:])
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _values(inner, f"{path}.{number}"[-MAX_PATH:])


def places_of(raw: str, text: str, first: int, last: int) -> list[Span]:
    """Return where in an element, as it came, ``text[first:last]`` stands of what it says.

    That is the string that says so, or those that do together. Where none does, all are masked.
    """
    strings = [string for is_name, string in json_strings(raw) if not is_name and string.text]
    whole = [one for one in strings if one.text == text]
    if whole:
        return [one.span(first, last) for one in whole]
    if not strings:
        return _in_plain(raw, text, first, last)
    if inside := [one for one in strings if text in one.text]:
        return [one.span(at + first, at + last) for one in inside for at in [one.text.index(text)]]
    return _in_several(strings, text, first, last)


def _in_plain(raw: str, text: str, first: int, last: int) -> list[Span]:
    """Return where a text stands in what is no JSON, line by line; what is not found is all."""
    found: list[Span] = []
    at = before = 0
    for line in text.split("\n"):
        begin = raw.find(line, at)
        if begin < 0:
            return [(0, len(raw))]
        start, end = max(first - before, 0), min(last - before, len(line))
        if start < end:
            found.append((begin + start, begin + end))
        at, before = begin + len(line), before + len(line) + 1
    return found


def _in_several(strings: list[JsonString], text: str, first: int, last: int) -> list[Span]:
    """Return where a text stands that several strings say together."""
    found: list[Span] = []
    at = 0
    for one in strings:
        begin = text.find(one.text, at)
        if begin >= 0:
            at = begin + len(one.text)
            if max(first, begin) < min(last, at):
                found.append(one.span(max(first, begin) - begin, min(last, at) - begin))
    covered = sum(end - start for start, end in found)
    if covered >= last - first:
        return found
    return [one.span(0, len(one.text)) for one in strings]
