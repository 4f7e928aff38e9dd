"""Several values under a name that is a plural: in a tuple, a set, a call, or with commas between.

Expressions are as those of :mod:`.names`. Arrays of JSON and lists of YAML have expressions of
their own; here are those of code and of variables, whose strings may have either quote.
"""

from __future__ import annotations

import re
from collections import deque

from parsers.expressions import every

from .names import NO_BORDER

_BLANK = r"(?:\s|\\{1,3}[nrt])"
_IS_PLURAL = r"(?:(?<=[sS])|(?<=[-_](?i:list))|(?<=[-_](?i:set)))"
_NAME_ENDS = r"(?:\\{0,7}[\"']|\[\])?"
_TYPE = r"(?:[ ]?:[ ]?[\w.&<][\w.&<>,\[\] ]{0,24}(?=[ ]=))?"
# What makes a list: List.of(, listOf(, []string{, new List<string> {, vec![, qw(, %w[, dict(.
_MAKES = (
    r"(?:[A-Z][A-Za-z]{1,16}\.(?:of|asList)|(?:mutable)?(?:list|set|array|map)Of|Seq|List|Set|Array"
    r"|Vector|array|list|set|tuple|frozenset|dict|qw|vec!|%[wW]|\[\][a-z]{1,8}"
    r"|new(?:[ ][\w<>.]{1,24})?(?:\[\])?|&)"
)
_BRACE = (
    rf"\{{{NO_BORDER}(?={_BLANK}{{0,32}}(?:\\{{0,7}}\"[^\"\\]{{1,64}}+\\{{0,7}}\"{_BLANK}{{0,4}}[,}}]"
    r"|'|\w{1,32}+[ ]?=[ ]))"
)
_OPENS = rf"(?:{_MAKES}[ ]?[\[({{]{{1,2}}|'?\([\[({{]?|{_BRACE})"
_SIGN = r"(?:[ ]{0,4}(?::=|=>?|:|<-)[ ]{0,4}|[ ](?='\())"
_PART = (
    r"\\{0,7}\"[^\"\\\x00-\x1f]*+(?>(?:\\{0,7}\"|\Z)?)|\\{0,7}'[^'\\\x00-\x1f]*+"
    r"(?>(?:\\{0,7}'|\Z)?)"
    r"|[^\[\](){}\"'\\]++|\\++"
)
_WORD = r"[^\s\"'\\&,;|<>(){}\[\]]"
_MIXED = rf"(?=[^\s\d,=]{{0,64}}\d)(?>(?:(?!=){_WORD}){{6,64}})=*+(?=[,;|\s\\\"']|\Z)"
_NEXT = rf"[,;|](?!\w{{1,32}}=[^=,;|\s])(?:[ ](?={_MIXED}|\Z))?{_WORD}*+"
LISTED = (
    rf"{_IS_PLURAL}{_NAME_ENDS}(?:{_TYPE}{_SIGN}{_OPENS}(?P<listed>(?>{_PART}){every(_PART)})"
    rf"|(?:=(?={_WORD}{{2,64}}+[,;|])|[ ]?[=:][ ](?={_MIXED},))"
    rf"(?P<listed_words>{_WORD}++(?>{_NEXT}){every(_NEXT)}))"
)
"""``passwords = ("...", '...')``, ``PASSWORDS=...,...``."""
STRING = re.compile(
    r"(?P<opens>\\{0,7}(?P<quote>[\"']))(?P<value>" + every(r"(?!(?P=quote))[^\\\x00-\x1f]") + r")"
    r"(?P<closes>\\{0,7}[\"'])?(?P<is_name>\s{0,4}+(?::|=>))?"
)
LISTED_WORD = re.compile(rf"{_WORD}++")
LAST_WORD = re.compile(rf"{_WORD}++\Z")
SAMPLE = {"listed": "x1 ", "listed_words": "sample1,"}
SAMPLE_STRING = '"x1",'
"""What stands for all but the last value of one that goes on."""
MOST_KEPT = 64
"""Characters that are kept of what came last of it."""


def strings_of(match: re.Match[str], group: str) -> list[tuple[int, int]]:
    """Return where the values of a list are."""
    span = match.span(group)
    strings = list(STRING.finditer(match.string, *span)) if group == "listed" else []
    if strings:
        return [one.span("value") for one in strings if one["value"] and one["is_name"] is None]
    return [one.span() for one in LISTED_WORD.finditer(match.string, *span)]


def rest_of_list(match: re.Match[str], group: str) -> tuple[str, str]:
    """Return how a list that goes on begins, and what of its last value has come."""
    start, end = match.span(group)
    before = match.string[match.start() : start]
    strings = STRING.finditer(match.string, start, end) if group == "listed" else iter(())
    last = next(iter(deque(strings, maxlen=1)), None)
    if last is not None or before.endswith("{"):
        rest = end if last is None else last.end() if last["closes"] else last.start()
        return before + SAMPLE_STRING, match.string[rest:end]
    word = LAST_WORD.search(match.string, max(start, end - MOST_KEPT), end)
    return before + SAMPLE[group], "" if word is None else word[0]
