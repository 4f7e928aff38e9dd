"""What is looked for in texts: beginnings of secrets and of their names, and what comes after them.

Strategy: :mod:`.triggers` has the table. What a match means is told here: whether it is a secret at
all, where in it the secrets are, and what is remembered of one that the end of a text cuts.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from parsers.expressions import when_used

from . import blocks
from .forms import ATTRIBUTE_TEXT, MEMBER, OPENINGS
from .found import LEAST, FoundSecrets
from .given import is_given
from .names import (
    BARE,
    BEFORE_NAME,
    DESCRIBES,
    IN_NAME,
    IN_QUOTES,
    IS_FLOW,
    IS_SCHEMA,
    LONG_WORD,
    MAX_NAME,
    OF_LONG_OBJECT,
    SECRET_NAME,
    SPELLED,
    STRING_OF_ARRAY,
    STRING_OF_OBJECT,
    TAG,
    WORD,
    WORD_OF_ARRAY,
)
from .personal import PERSONAL, Scan
from .plain import (
    LOOSER,
    STATE,
    Value,
    is_placeholder,
    is_plain_name,
    is_plain_token,
    is_plain_value,
)
from .plain import WORD as WORD_OF_PROSE
from .sentences import is_sentence
from .triggers import POSSIBLE, WORDS, Trigger, likely, prefixes_in, triggers

Span = tuple[int, int]
OBJECTS = ("object", "long_object")
LINES = ("items", "entries", "coded_entries")
"""Groups of several lines, each of which has a value."""

MAX_CONTEXT = 96
"""Characters kept of what came before: the names and prefixes of the table are shorter."""
SHORT_TEXT = 512
"""Bytes of a text whose pairs of bytes are looked up at once."""
MAX_OPEN = 128
"""Characters kept of a secret that has begun: its rest is of the same kind, however long."""


@dataclass(frozen=True, eq=False)
class Patterns:
    """What is looked for in texts."""

    triggers: Sequence[Trigger]
    names: tuple[str, ...] = ()
    """Names of secrets, beside those of the table."""
    kept: frozenset[str] = frozenset()
    """Names, in lower case, whose values are no secrets."""
    scans: tuple[Scan, ...] = ()
    known: FoundSecrets | None = None
    """Secrets that have been found before, which are looked for in all their forms."""

    def may_hold_secret(self, text: str) -> bool:
        """Return whether there can be a secret in a text, or one that begins in it."""
        lower = lowered(text)
        is_possible = POSSIBLE.search(text) is not None or any(word in lower for word in WORDS)
        if is_possible and self._is_likely(lower):
            return True
        if any(scan.pattern.search(text) is not None for scan in self.scans):
            return True
        return self.known is not None and bool(self.known_in(text))

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """Yield every match of every trigger.

        Beginnings are looked for as bytes of lower case, of which a character has one: one regular
        expression of all alternatives takes 200 times as long.
        """
        lower = lowered(text)
        if not self._is_likely(lower):
            return
        for begins, pattern, is_name, _ in self._possible(lower):
            position = lower.find(begins)
            while position >= 0:
                match = pattern.match(text, position)
                if match is not None and not self._is_none(match, is_name=is_name):
                    yield match
                position = lower.find(begins, position + 1 if match is None else match.end())

    def _is_likely(self, lower: bytes) -> bool:
        """Return whether there can be a secret at all, which mostly there cannot.

        A text of which this is false has no secret that a trigger finds, nor ends in one.
        """
        likely = self._in_tags if b">" in lower else self._outside_tags
        return likely.search(lower) is not None

    def _possible(self, lower: bytes) -> Iterable[Trigger]:
        """Return the triggers that may be in a text, in order: of a short one those whose first
        two bytes are in it, which takes a third of the time of a search for each. Of a long one
        one pass tells the prefixes of tokens that are in it."""
        if len(lower) > SHORT_TEXT:
            prefixes = {match[0] for match in self._prefixes.finditer(lower)}
            return [*self._others, *(one for key in sorted(prefixes) for one in self._alike[key])]
        found: list[int] = []
        for pair in self._by_pair.keys() & set(zip(lower, lower[1:], strict=False)):
            found += self._by_pair[pair]
        return [self.triggers[index] for index in sorted(found)]

    @cached_property
    def _by_pair(self) -> dict[tuple[int, int], list[int]]:
        """Where in the table triggers are, by their first two bytes."""
        found: dict[tuple[int, int], list[int]] = {}
        for index, trigger in enumerate(self.triggers):
            first, second = trigger.begins[:2]
            found.setdefault((first, second), []).append(index)
        return found

    @cached_property
    def _prefixes(self) -> re.Pattern[bytes]:
        return prefixes_in(self.triggers)

    @cached_property
    def _others(self) -> list[Trigger]:
        """Triggers that are no prefixes of tokens."""
        return [one for one in self.triggers if not one.is_prefix]

    @cached_property
    def _alike(self) -> dict[bytes, list[Trigger]]:
        """Those that are, by the shortest one that each begins with."""
        found: dict[bytes, list[Trigger]] = {}
        for one in self.triggers:
            if one.is_prefix and (match := self._prefixes.match(one.begins)) is not None:
                found.setdefault(match[0], []).append(one)
        return found

    @cached_property
    def _in_tags(self) -> re.Pattern[bytes]:
        return likely(self.triggers, self.names, has_tags=True)

    @cached_property
    def _outside_tags(self) -> re.Pattern[bytes]:
        return likely(self.triggers, self.names, has_tags=False)

    def scanned(self, text: str) -> Iterator[Span]:
        """Yield what else is looked for, whose places do not depend on names."""
        for pattern, is_right in self.scans:
            for match in pattern.finditer(text):
                if is_right(match[0]):
                    yield match.span(match.lastindex or 0)
        yield from self.known_in(text)

    def known_in(self, text: str) -> list[Span]:
        """Return where secrets stand in a text that have been found before."""
        if self.known is None or len(text) < LEAST:
            return []
        left = self.known.left_in(text.encode("latin-1", "replace"))
        return [(start, end) for start, end, _ in left]

    def _is_none(self, match: re.Match[str], *, is_name: bool) -> bool:
        """Return whether what looks like a secret, or has the name of one, is none: kept, plain, or
        after an element's end."""
        if not is_name:
            assert match.lastindex is not None
            is_cut = match.end() == len(match.string)
            return is_plain_token(match[match.lastindex], match[0], is_cut=is_cut)
        start = match.start()
        if match.lastgroup == "xml" and (not _is_element(match) or _is_spelled(match)):
            return True
        if match.lastgroup in ("xml", "cell") and self._is_text_about(match):
            return True
        if match.lastgroup == "text":
            before = match.string[max(start - 96, 0) : start]
            return ATTRIBUTE_TEXT.search(before) is None or self._is_text_about(match)
        if match.lastgroup in ("form", "long_form"):
            said = _FORM_NAME.search(match[0])
            return said is not None and said[1].lower() in self.kept
        if match.lastgroup in ("first", "unquoted"):
            value = match[match.lastgroup]
            is_about = is_placeholder(value) or is_sentence(value, "")
            return is_about or match[0].rpartition('"')[2].lower() in self.kept
        if match.lastgroup in ("member", "long_member"):
            member = MEMBER.match(match[0])
            name = "" if member is None else member[1].lower()
            value = match[match.lastgroup]
            is_cut = match.end() == len(match.string)
            return (
                name in self.kept
                or is_plain_name(name, value)
                or (not is_cut and (is_placeholder(value) or is_sentence(value, name)))
            )
        here = _NAME_HERE.match(match.string, start)
        assert here is not None
        name = _name_of(match)
        if match.lastgroup == "given" and not is_given(match, name, here[0]):
            return True
        if self.kept and (name in self.kept or name.rpartition(":")[2] in self.kept):
            return True
        said_here = match.string[start + len(here[0]) : match.end()]
        if is_plain_name(name, said_here):
            return True
        if match.lastgroup is not None or match.lastindex is None:
            return False
        value = Value(match.string, *match.span(match.lastindex), name, start)
        return is_plain_value(value, here[0])

    @staticmethod
    def _is_text_about(match: re.Match[str]) -> bool:
        """Return whether the text of an element stands for a secret, or is about it."""
        assert match.lastgroup is not None
        text = match[match.lastgroup].strip()
        is_cut = match.end() == len(match.string)
        is_type = match.lastgroup == "cell" and WORD_OF_PROSE.fullmatch(text) is not None
        if match.lastgroup == "cell":
            text = match.string[match.start("cell") :][:512].partition("<")[0]
        return not is_cut and (is_type or is_placeholder(text) or is_sentence(text, ""))


SECRET_CODE = re.compile(r"(?=\D{0,64}\d)(?=[^a-zA-Z]{0,64}[a-zA-Z])[\w~-]{16,}+", re.ASCII)
"""What OAuth gives as a code (RFC 6749 section 4.1.2), and no path, file or word is."""
_NAME_HERE = re.compile(r"[\w-]{0,64}", re.ASCII)
IDENTIFIER = re.compile(rf"(?=[^\s\d]{{0,64}}\d){BARE}{{8,}}+")
"""What may be a secret by its length and its digits."""
IN_PLACE = re.compile(
    r"(?:(--[\w-]{1,48}[ =]|(?i:bearer|basic|token)[ ])|[:=][ ]?)[\"'`]?<[\w-]{0,48}\Z"
)
"""What stands before a word in brackets that is no tag: ``--password <password>``."""
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
BEFORE_JOINT = re.compile(r"[\w.~]+\Z", re.ASCII)
"""The part of a token before what tells it."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)")
"""When a secret that a list only names was made (RFC 3339)."""
MEMBER_NAME = re.compile(r"([\w.-]{1,64})\\*\"\s*\Z", re.ASCII)
"""How a member begins that has a value."""
_FORM_NAME = re.compile(r"\bname=\"?([^\"\r\n;]*)", re.IGNORECASE)


@lru_cache(16)
def patterns(
    keep: frozenset[str] = frozenset(),
    names: tuple[str, ...] = (),
    expressions: tuple[str, ...] = (),
    is_personal: bool = False,
) -> Patterns:
    """Return what is looked for, beside what is by default, or but for it.

    ``keep`` and ``names`` are names, the latter of secrets; ``expressions`` are what is secret.
    Raises re.error for what is no expression.
    """
    scans = tuple(Scan(re.compile(one), bool) for one in expressions)
    scans += PERSONAL if is_personal else ()
    return Patterns(triggers(names), names, frozenset(map(str.lower, keep)), scans)


def lowered(text: str) -> bytes:
    """Return a text in lower case, a byte for each character."""
    return text.encode("latin-1", "replace").lower()


def _is_element(match: re.Match[str]) -> bool:
    """Return whether a name stands in the tag that opens an element, and not in brackets."""
    start = match.start()
    if (
        TAG.search(match.string, max(start - 65, 0), start) is None
        or match["xml"][:1] in "\"'`),\\"
    ):
        return False
    after = match.string[match.end() : match.end() + 2]
    place = IN_PLACE.search(match.string, max(start - 65, 0), start)
    is_known = place is not None and (place[1] is not None or match["xml"][:1] == "\n")
    if place is not None and after != "</" and (after or is_known):
        return False
    return after in ("", "<", "</", "]", "]]")


def _is_spelled(match: re.Match[str]) -> bool:
    """Return whether an element is HTML's code, or an error's or a list's, and says no secret."""
    value = match["xml"].strip()
    return _name_of(match) in SPELLED and SECRET_CODE.fullmatch(value) is None


def name_before(match: re.Match[str]) -> str:
    """Return what of a name, a tag or an escape stands before a match, which may depend on it."""
    before = match.string[max(match.start() - MAX_NAME - 1, 0) : match.start()]
    rest = before.rstrip(IN_NAME)
    if rest and rest[-1] in BEFORE_NAME:
        return before[len(rest) - 1 :]
    return before[len(rest) :][-MAX_NAME:]


def _name_of(match: re.Match[str]) -> str:
    """Return the whole name, in lower case, that a match of a trigger begins in."""
    here = _NAME_HERE.match(match.string, match.start())
    assert here is not None
    return (name_before(match).lstrip('<\\%"-') + here[0]).lower()


def text_before(match: re.Match[str]) -> str:
    """Return what stands before a match, which may be inside another that is not known yet."""
    return match.string[max(match.start() - MAX_CONTEXT, 0) : match.start()]


def spans_of(match: re.Match[str]) -> list[Span]:
    """Return where a match of a trigger has secrets."""
    if match.lastgroup in LINES:
        values = blocks.values_of(match, match.lastgroup)
        is_schema = DESCRIBES_LINES.search(match.string, *match.span(match.lastgroup)) is not None
        return [span for span in values if not _is_plain_line(match, *span, is_schema=is_schema)]
    if match.lastgroup in OBJECTS:
        return _strings_of_object(match, match.lastgroup)
    if match.lastgroup == "coded_object":
        found = STRING_OF_OBJECT.finditer(match.string, *match.span("coded_object"))
        spans = [one.span("value") for one in found]
        return [span for span in spans if blocks.is_coded(match, *span)]
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
    names = (_name_of(match), name.lower())
    return end < len(text) and (
        is_placeholder(value) or any(is_sentence(value, one) for one in names if one)
    )


def _strings_of_array(match: re.Match[str], kind: str) -> list[Span]:
    """Return where the values in an array are, but for the names of members."""
    text, span = match.string, match.span(kind)
    if IS_KEY_SET.search(text, *span) is not None:
        return []
    strings = list(STRING_OF_ARRAY.finditer(text, *span))
    if not strings:  # of YAML, or as Go prints it
        words = [one.span() for one in WORD_OF_ARRAY.finditer(text, *span)]
        return [(a, b) for a, b in words if kind == "array" or b - a >= LONG_WORD]
    values = [one for one in strings if not one["is_name"]]
    if len(values) < len(strings) and LOOSER.match(text, match.start()):
        # Sessions are listed as well, with their titles.
        values = [one for one in values if IDENTIFIER.fullmatch(one["value"])]
    if text[match.start() : match.start() + 7].lower() == "session":
        values = [one for one in values if not one["closes"] or not TITLE.fullmatch(one["value"])]
    return [
        one.span("value")
        for one in values
        if (kind == "array" or _is_long(one)) and not _is_said(one["value"], one["closes"], match)
    ]


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
        says_nothing = (
            SAYS_NOTHING.search(before) is not None and IDENTIFIER.fullmatch(value) is None
        )
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
    is_about = is_placeholder(value) or TIME.fullmatch(value) is not None
    return is_about or is_sentence(value, _name_of(match))


def _is_long(string: re.Match[str]) -> bool:
    """Return whether a string of an array may be secret by its length, or is cut."""
    value = string["value"]
    return WORD.fullmatch(value) is not None and (len(value) >= 12 or not string["closes"])


def opening_of(match: re.Match[str]) -> str:
    """Return what is remembered of a match that goes on: as much as tells how it does.

    The beginning of a secret, and whether an escape is open at its end. The rest is of the same
    kind, however long.
    """
    kind = match.lastgroup
    if kind in (None, "xml", "text", "cell", "joint", "given"):
        return text_before(match) + _cut(match[0])
    if kind in OPENINGS:
        value = match[kind]
        return OPENINGS[kind] + (value[:MAX_OPEN] if kind.startswith("long") else value[-2:])
    if kind == "coded_object":
        return blocks.OPENING + _rest_of_object(match, kind)
    if kind in LINES:
        first, last_line = blocks.last_line(match, kind)
        return name_before(match) + first + _cut(last_line)
    before = text_before(match) + match.string[match.start() : match.start(kind)]
    if kind in OBJECTS:
        return before + _rest_of_object(match, kind)
    if len(match[0]) <= MAX_OPEN:
        return text_before(match) + match[0]
    strings = STRING_OF_ARRAY.finditer(match.string, *match.span(kind))
    last = next(iter(deque(strings, maxlen=1)), None)
    if last is None or last["closes"]:
        return before + " "
    return before + last["opens"] + _cut(match.string[last.start("value") : match.end()])


def _rest_of_object(match: re.Match[str], kind: str) -> str:
    """Return what of an object's members tells how it goes on: its last value, if that is open, or
    what comes after it; and how deep in objects that is."""
    start, end = match.span(kind)
    strings = STRING_OF_OBJECT.finditer(match.string, start, end)
    last = next(iter(deque(strings, maxlen=1)), None)
    if last is not None and not last["closes"]:
        before = match.string[start : last.start()]
        name = MEMBER_NAME.search(before[-MAX_NAME:])
        named = "" if name is None else f'"{name[1]}":'
        value = last["opens"] + _cut(match.string[last.start("value") : end])
        return "{" * _depth(before) + (named or ":") + value
    rest = match.string[start if last is None else last.end() : end][-MAX_OPEN:]
    return "{" * max(_depth(match[kind]) - _depth(rest), 0) + rest


def _depth(text: str) -> int:
    """Return how many objects are open at the end of a part of one."""
    plain = IN_QUOTES.sub("", text)
    return max(plain.count("{") - plain.count("}"), 0)


def _cut(text: str) -> str:
    if len(text) <= MAX_OPEN:
        return text
    backslashes = len(text) - len(text.rstrip("\\"))
    return text[:MAX_OPEN].rstrip("\\") + "\\" * (backslashes % 2)


USUAL = patterns()
"""What is looked for unless a user says otherwise."""
