"""Where the secrets are in a match: one, those of an array, object or lines, or what is before it.

Strategy: what only describes a secret, stands in the place of one or is said about it is none, by
the name that it has of its own, or by what it says.
"""

from __future__ import annotations

import re

from parsers.expressions import when_used

from . import blocks, plurals
from .given import EXACT
from .names import (
    BARE,
    DESCRIBES,
    IS_FLOW,
    IS_SCHEMA,
    LONG_WORD,
    OF_LONG_OBJECT,
    SECRET_NAME,
    STRING_OF_ARRAY,
    STRING_OF_OBJECT,
    WORD,
    WORD_OF_ARRAY,
)
from .patterns import LINES, LISTS, MAX_CONTEXT, MEMBER_NAME, OBJECTS, Span, name_of
from .plain import LOOSER, STATE, is_of_pages, is_other_name, is_placeholder, is_plain_name
from .plain import WORD as WORD_OF_PROSE
from .sentences import is_sentence
from .statements import BEFORE

IDENTIFIER = re.compile(rf"(?=[^\s\d]{{0,64}}\d){BARE}{{8,}}+")
"""What may be a secret by its length and its digits."""
SAYS_NOTHING = when_used(
    r"(?<![\w-])(?:name|kind|type|title|description|label|provider|in|scheme|region|namespace"
    r"|placeholder|errors?|hint|help(?:[-_]?text)?|tooltip|messages?|caption|example|autocomplete"
    r"|m(?:in|ax)(?:[-_]?[Ll]ength)?|required|invalid|mismatch|too[-_]?(?:short|long|weak)|submit|button|heading|subtitle|aria[-_]?label)"
    r"(?:\\*\")?\Z"
)
"""How a member's name ends whose value tells no secret, though an object named after one has it."""
OF_FILE = re.compile(r"file|external|driver|target|source|mode|uid|gid|optional")
"""What Compose says of a secret, beside its name."""
TITLE = re.compile(r"[A-Z][a-z]{2,14}(?: [A-Za-z]{1,14}){0,6}")
"""Of a session among sessions."""
IS_KEY_SET = re.compile(r"\"kty\\*+\"\s*+:")
"""RFC 7517 section 5: of its keys, only the private members are secret, each by its name."""
LINE_NAME = re.compile(r"([\w.-]{1,64})[\"']?:[ \t]{1,8}[\"']?\Z", re.ASCII)
DESCRIBES_LINES = re.compile(
    r"[ ](?:type:[ ]{1,4}(?:string|number|integer|boolean|array|object)|\$ref:)(?=[\s\\]|\Z)"
)
"""The same of a schema in YAML."""
VARIABLE_NAME = re.compile(r"[A-Z]{2,16}(?:_[A-Z]{2,16}){0,4}_(?:KEY|TOKEN|PASSWORD|SECRET)S?\d?")
"""That of another secret, in a list of those."""
BEFORE_JOINT = re.compile(r"[\w.~]+\Z", re.ASCII)
"""The part of a token before what tells it."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)")
"""When a secret that a list only names was made (RFC 3339)."""
ALGORITHM = re.compile(r"[RHEP]S(?:256|384|512)|ES256K|EdDSA|Ed(?:25519|448)")
"""One of RFC 7518 section 3.1 or RFC 8037 section 3.1; lists are named after what they make."""


def spans_of(match: re.Match[str]) -> list[Span]:
    """Return where a match of a trigger has secrets."""
    if match.lastgroup in LINES:
        values = blocks.values_of(match, match.lastgroup)
        is_schema = DESCRIBES_LINES.search(match.string, *match.span(match.lastgroup)) is not None
        return [span for span in values if not _is_plain_line(match, *span, is_schema=is_schema)]
    if match.lastgroup in LISTS:
        values = plurals.strings_of(match, match.lastgroup)
        return [span for span in values if not _is_plain_listed(match, *span)]
    if match.lastgroup in OBJECTS:
        return _strings_of_object(match, match.lastgroup)
    if match.lastgroup == "coded_object":
        found = STRING_OF_OBJECT.finditer(match.string, *match.span("coded_object"))
        spans = [one.span("value") for one in found]
        return [span for span in spans if blocks.is_coded(match, *span)]
    if match.lastgroup == "before":
        start = match.start()
        expression = BEFORE[match["before"][0]]
        password = expression.search(match.string, max(start - MAX_CONTEXT, 0), start)
        return [] if password is None else [password.span()]
    if match.lastgroup == "joint":
        start, end = match.span("joint")
        before = BEFORE_JOINT.search(match.string, max(start - MAX_CONTEXT, 0), start)
        return [(start if before is None else before.start(), end)]
    if match.lastgroup is None or "array" not in match.lastgroup:
        assert match.lastindex is not None
        return [match.span(match.lastindex)]
    return _strings_of_array(match, match.lastgroup)


def _is_plain_line(match: re.Match[str], start: int, end: int, *, is_schema: bool) -> bool:
    """Return whether a value among lines is none by its own name, or is said about one."""
    text, value = match.string, match.string[start:end].rstrip(" \t")
    found = LINE_NAME.search(text, max(start - 72, 0), start)
    name = "" if found is None else found[1]
    if name:
        says_nothing = SAYS_NOTHING.match(f'{name}"') and IDENTIFIER.fullmatch(value) is None
        is_described = is_schema and DESCRIBES.match(f'{name}"') is not None
        if says_nothing or is_described or OF_FILE.fullmatch(name):
            return True
        if is_plain_name(name.lower(), value):
            return True
    names = (name_of(match), name.lower())
    if match.lastgroup == "long_items" and end < len(text) and not _is_long_word(value):
        return True
    return end < len(text) and (
        is_placeholder(value) or any(is_sentence(value, one) for one in names if one)
    )


def _is_plain_listed(match: re.Match[str], start: int, end: int) -> bool:
    """Return whether one among several values of a plural is a word, or the name of another one."""
    value, name = match.string[start:end], name_of(match)
    is_word = value.isdigit() or WORD_OF_PROSE.fullmatch(value) is not None
    if is_word or VARIABLE_NAME.fullmatch(value) or is_placeholder(value) or is_other_name(value):
        return True
    is_exact = EXACT.fullmatch(name) is not None
    is_long = is_exact or _is_long_word(value)
    is_cut = end == len(match.string) and IDENTIFIER.fullmatch(value) is not None
    return not (is_long or is_cut) or is_sentence(value, name)


def _strings_of_array(match: re.Match[str], kind: str) -> list[Span]:
    """Return where the values in an array are, but for the names of members."""
    text, span = match.string, match.span(kind)
    if IS_KEY_SET.search(text, *span) is not None:
        return []
    strings = list(STRING_OF_ARRAY.finditer(text, *span))
    if not strings:  # of YAML, or as Go prints it
        words = [one.span() for one in WORD_OF_ARRAY.finditer(text, *span)]
        words = [(a, b) for a, b in words if not is_other_name(text[a:b])]
        is_array = kind == "array"
        return [(a, b) for a, b in words if is_array or b - a >= LONG_WORD or b == len(text)]
    values = [one for one in strings if not one["is_name"]]
    if len(values) < len(strings) and LOOSER.match(text, match.start()):
        # Sessions are listed as well, with their titles.
        values = [one for one in values if IDENTIFIER.fullmatch(one["value"])]
    if text[match.start() : match.start() + 6].lower() != "cookie":
        values = [one for one in values if not _is_named_so(one)]
    if text[match.start() : match.start() + 7].lower() == "session":
        values = [one for one in values if not one["closes"] or not TITLE.fullmatch(one["value"])]
    return [
        one.span("value")
        for one in values
        if (kind == "array" or _is_long(one)) and not _is_said(one["value"], one["closes"], match)
    ]


def _is_named_so(one: re.Match[str]) -> bool:
    """Return whether a string is that of a member of an object whose name says no secret."""
    before = one.string[max(one.start() - 64, 0) : one.start()].rstrip(" ")
    if not before.endswith(":") or not one["closes"]:
        return False
    return _says_nothing(before[:-1], one["value"])


def _says_nothing(before: str, value: str) -> bool:
    """Return whether the name of a member says no secret, which ends what stands before it."""
    return SAYS_NOTHING.search(before) is not None and IDENTIFIER.fullmatch(value) is None


def _strings_of_object(match: re.Match[str], kind: str) -> list[Span]:
    """Return where an object's values are, but for what a schema says of one."""
    text, (start, end) = match.string, match.span(kind)
    if IS_FLOW.search(text, start, end) is not None:
        return []
    is_schema = IS_SCHEMA.search(text, start, end) is not None
    found: list[Span] = []
    for one in STRING_OF_OBJECT.finditer(text, start, end):
        before = text[max(one.start() - 64, start) : one.start()]
        name = MEMBER_NAME.search(before)
        value, is_closed = one["value"], one["closes"] is not None
        is_type = DESCRIBES.search(before) is not None or WORD_OF_PROSE.fullmatch(value) is not None
        says_nothing = _says_nothing(before, value)
        is_none = (is_schema and is_type) or (is_closed and says_nothing)
        is_of_secret = name is not None and SECRET_NAME.fullmatch(name[1]) is not None
        is_none = is_none or (is_closed and not is_of_secret and STATE.fullmatch(value) is not None)
        is_none = is_none or (name is not None and is_plain_name(name[1].lower(), value))
        if kind == "long_object":
            is_of_it = name is not None and OF_LONG_OBJECT.fullmatch(name[1]) is not None
            is_none = is_none or not is_of_it or (len(value) < LONG_WORD and is_closed)
        if not is_none and not _is_said(value, one["closes"], match):
            found.append(one.span("value"))
    return found


def _is_said(value: str, quote: str | None, match: re.Match[str]) -> bool:
    """Return whether a whole string among those of one name stands for a secret, or is about it."""
    if not quote:
        return False
    is_about = any((is_placeholder(value), TIME.fullmatch(value), ALGORITHM.fullmatch(value)))
    name = name_of(match)
    return is_about or is_of_pages(name, value) or is_sentence(value, name)


def _is_long_word(value: str) -> bool:
    return len(value) >= LONG_WORD and IDENTIFIER.fullmatch(value) is not None


def _is_long(string: re.Match[str]) -> bool:
    """Return whether a string of an array may be secret by its length, or is cut."""
    value = string["value"]
    return WORD.fullmatch(value) is not None and (len(value) >= 12 or not string["closes"])
