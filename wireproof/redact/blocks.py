"""Values in the lines, or the members, below a name: those of YAML, and of Secrets of Kubernetes.

Expressions are as those of :mod:`.names`. A group of theirs holds several values, and
:func:`values_of` says where.
"""

from __future__ import annotations

import re

from parsers.expressions import every, when_used

from .names import OBJECT, WORD_BEGINS

# YAML 1.2 section 8.2: items of a sequence, and members of a mapping, a line each. In a string of
# JSON the ends of lines are escapes.
LINE_END = r"(?:[ \t]{0,8}+(?:\r?\n|(?:\\{1,3}r)?\\{1,3}n))"
_LINE_ENDS = re.compile(LINE_END)
_NEXT = r"(?:(?:\\{1,3}(?:r(?:\\{1,3})?)?n?|\r?\n?)[ \t]{0,32}+-?[ \t]{0,8}+\Z)?"
_PART = r"(?:[^\r\n\\]++|\\{1,7}[\"'])"
_IN_LINE = f"{_PART}{every(_PART)}"
_ITEM = rf"{LINE_END}[ \t]{{0,32}}+-[ \t]{{1,8}}+{_IN_LINE}"
_ENTRY = rf"{LINE_END}[ \t]{{1,32}}+(?![\s-]){_IN_LINE}"
_NAME_ENDS = r"\\{0,7}+[\"']?+:"
_ENTRIES = rf"{_NAME_ENDS}(?P<{{group}}>(?>{_ENTRY}){every(_ENTRY)}{_NEXT})"
SEQUENCE = rf"{_NAME_ENDS}(?P<items>(?>{_ITEM}){every(_ITEM)}{_NEXT})"
"""``passwords:``, and an item with a hyphen in each line below."""
LONG_SEQUENCE = SEQUENCE.replace("<items>", "<long_items>")
ENTRIES = _ENTRIES.replace("{group}", "entries")
"""``stringData:``, and a member in each line below."""
CODED_ENTRIES = rf"(?<![_-]){WORD_BEGINS}data" + _ENTRIES.replace("{group}", "coded_entries")
"""``data:``, and a member in each line below, as a Secret has them in base64: whose they are may be
said before or after."""

_QUOTE = r"\\{0,7}+\""
_COLON = rf"{_QUOTE}\s{{0,4}}+:\s{{0,32}}+"
_NO_DATA = r"(?:[^\"]{0,512}+\"(?!(?:data|kind)\\{0,7}+\"))"
_SECRET = (
    rf"kind{_COLON}{_QUOTE}Secret(?:List)?{_QUOTE}(?>{_NO_DATA}{{0,400}})[^\"]{{0,512}}+\""
    rf"|apiVersion{_COLON}{_QUOTE}v1{_QUOTE}\s{{0,4}}+,\s{{0,32}}+\\{{0,7}}+\""
)
CODED_OBJECT = rf"(?<=\")(?:{_SECRET})data{_COLON}{OBJECT.replace('object', 'coded_object')}"
"""The same in JSON."""
OPENING = '"apiVersion":"v1","data":{'
"""What an object of these that goes on is remembered as."""

ITEM = re.compile(r"-[ \t]{1,8}+\\{0,7}+[\"']?+(?![\w.-]{1,64}+:(?:[ \t]|\Z))([^\r\n\"'\\]++)")
ENTRY = re.compile(
    r"(?:\n|\\n)[ \t]{1,32}+(?>(?:\\{0,7}[\"']?+[\w.-]{1,96}+\\{0,7}[\"']?+:[ \t]{1,8}+)?)"
    r"\\{0,7}+[\"']?+"
    r"(?![|>][-+\d]{0,2}(?:[\r\n\\]|\Z)|[\w.-]{1,96}+:(?:[\r\n\\]|\Z))"
    r"((?<=\")[^\r\n\"\\]++|(?<=')[^\r\n'\\]++|[^\r\n\"'\\]++)"
)
STATEMENT = when_used(
    r"(?:\A|[\"\n=]|\\n)[ \t}]{0,64}(?:async )?"
    r"(?:class|case|(?:else |el)?if|for|while|with|def|match)\b(?:[^\n\\]|\\{1,7}[\"']){0,96}\Z"
)
"""How a line of code begins whose block follows: it is no name that a colon gives values."""
BASE64 = re.compile(r"(?=.{8})(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
BASE64_BEGINS = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def values_of(match: re.Match[str], group: str) -> list[tuple[int, int]]:
    """Return where the values in the lines of a match are."""
    if STATEMENT.search(match.string, max(match.start() - 128, 0), match.start()) is not None:
        return []
    values = ITEM if group.endswith("items") else ENTRY
    found: list[tuple[int, int]] = []
    least = 0
    for one in values.finditer(match.string, *match.span(group)):
        before = match.string[max(one.start() - 40, 0) : one.start(1)]
        line = before[max(before.rfind("\n"), before.rfind("\\n") + 1) + 1 :]
        indent = len(line) - len(line.lstrip(" \t"))
        if indent < least:  # what follows is of the mapping outside
            break
        least = least or indent
        found.append(one.span(1))
    if group != "coded_entries":
        return found
    return [span for span in found if is_coded(match, *span)]


def is_coded(match: re.Match[str], start: int, end: int) -> bool:
    """Return whether a value is in base64, or may become so."""
    expression = BASE64_BEGINS if end == len(match.string) else BASE64
    return expression.fullmatch(match.string, start, end) is not None


def last_line(match: re.Match[str], group: str) -> tuple[str, str]:
    """Return what stands before the lines of a match, and the last of them."""
    start, end = match.span(group)
    ends = [one.start() for one in _LINE_ENDS.finditer(match.string, start, end)]
    last = ends[-1] if ends else start
    return match.string[match.start() : start], match.string[last:end]
