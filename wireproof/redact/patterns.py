"""What secrets and their names look like: a table of how they begin, and expressions of the rest.

Each expression accepts the end of what has come so far in place of what is missing, so that a text
that ends inside a secret is masked up to its end. All quantifiers are possessive, atomic or
bounded: time is linear.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from parsers.expressions import every, when_used

from .personal import PERSONAL, Scan
from .shapes import token_shapes

Span = tuple[int, int]

MAX_OPEN = 128
"""Characters kept of a secret that has begun: its rest is of the same kind, however long."""

# Where a key may begin: not inside a word, but after an escape of JSON (\n, \u000a) or of a URL.
_WORD_BEGINS = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"

# RFC 7468 section 2; in JSON its line ends are escapes.
_PEM = r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----([^-]*+)"
# RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_BEARER = r"(?i:bearer)(?:[ +]|%20)([\w.~+/=-]{8,}+|[\w.~+/=-]++\Z)"
# RFC 3986 section 3.2.1: userinfo, of which the password is the secret.
_USERINFO = r"://[^/\s:@\"'\\]{1,64}+:([^/\s:@\"'\\]{1,256}+)@"

# A user's name and password among the arguments of a command; two numbers are a user and a group.
_COMMAND = r"(?<![\w-])--?u(?:ser)?\s{1,4}+[\"']?+[^\s:\"']{1,64}+:(?!\d++\b)([^\s\"'\\]++)"
# .netrc: "machine a login b password c", in lines or not.
_NETRC = r"(?i:login)\s{1,4}+\S{1,64}+\s{1,4}+(?i:password)\s{1,4}+(\S++)"

# What may stand between a name and its value, in JSON, in a form, in a header, in any of them
# inside another.
# A name may stand for several: then its value is an array.
_PLURAL = "[sS]?+"
# A name in brackets (user[password]=) ends with one; a query in a query is encoded twice.
_QUOTE = r"(?>(?:\\{0,3}+[\"'])?(?:\]|%5[Dd])?)"
_BETWEEN = rf"{_QUOTE}\s{{0,4}}+(?:=>|:=|[:=]|%(?:25){{0,3}}3[AaDd])\s{{0,4}}+"
_SPACE = r"(?:\s|\+|%20)"
_SCHEME = rf"(?>(?:(?i:bearer|basic|token|apikey){_SPACE}{every(_SPACE)})?)"
_BARE = r"[^\s\x00-\x1f\"'\\&,;<>#(){}\[\]]"
_IN_STRING = r"[^\"\\\x00-\x1f]++|\\(?:.|\Z)"
# YAML 1.2 section 8.1 (block scalars), and strings of TOML and Python that have three quotes.
_BLOCK = r"[|>][-+\d]{0,2}+[ \t]{0,4}+\r?\n[ \t]{1,32}+([^\r\n]++)"
_THREE_QUOTES = r"\"\"\"\s{0,4}+([^\"\\]++)|'''\s{0,4}+([^'\\]++)"
_ANY_VALUE = (
    rf"(?:{_BLOCK}|{_THREE_QUOTES}"
    rf"|\\++\"({_SCHEME}[^\"\\\x00-\x1f]++)"  # a string of JSON inside a string of JSON
    rf"|\"({_SCHEME}(?>{_IN_STRING}){every(_IN_STRING)})"
    rf"|'([^'\\\x00-\x1f]++)"
    r"|\[(?P<array>{array})"
    r"{object}"
    rf"|{_SCHEME}((?!(?:null|true|false|None)\b){_BARE}++))"
)
# What an array holds: what is no string, strings of JSON inside a string of JSON, strings, and the
# border of two arrays in an array.
_ARRAY_PART = rf"[^\]\"\\]++|\\++\"?+|\"{every(_IN_STRING)}(?:\"|\Z)|\][ \t\r\n]*+,[ \t\r\n]*+\["
_ARRAY = rf"(?>{_ARRAY_PART}){every(_ARRAY_PART)}"
_ANY_VALUE = _ANY_VALUE.replace("{array}", _ARRAY)
# What an object holds: all strings that stand after a colon.
_OBJECT_PART = rf"[^{{}}\"\\]++|\\++\"?+|\"{every(_IN_STRING)}(?:\"|\Z)"
_OBJECT = rf"\{{(?P<object>(?>{_OBJECT_PART}){every(_OBJECT_PART)})"
_ANY_MEMBER = _ANY_VALUE.replace("{object}", f"|{_OBJECT}")
_ANY_VALUE = _ANY_VALUE.replace("{object}", "")
# An element of XML: a name, attributes, text or CDATA. What its tag begins with is looked at later.
_ELEMENT = r"(?:\s[^<>]{0,128}+)?>(?:<!\[CDATA\[)?"
_XML = _ELEMENT + r"(?P<xml>(?=\s*+[^<\s])[^<\]]++)"
_TAG = re.compile(r"<[\w:.-]{0,64}\Z", re.ASCII)
"""How a tag begins that opens an element."""
_NAME_BEFORE = re.compile(r"[<\\%]?[\w:.-]{0,64}\Z", re.ASCII)
"""A name's beginning, or an escape that it follows."""
_STRING_OF_OBJECT = re.compile(rf":\s*+(\\*+\")({every(_IN_STRING)})(\"?+)", re.DOTALL)
_STRING_OF_ARRAY = re.compile(rf"(\\*+\")({every(_IN_STRING)})(\"?+)", re.DOTALL)
_LINE_VALUE = _ANY_VALUE.replace(_BARE, r"[^\x00-\x1f\"'\\]")  # of a field with several words
_LONG = rf"{_BARE}{{12,}}+|{_BARE}++\Z"
_LONG_VALUE = rf"(?:\[(?P<long_array>{_ARRAY})|\\*+[\"']?+({_LONG}))"
_LONG_XML = _ELEMENT + rf"(?P<xml>{_LONG})"
_NO_NUMBER = r"(?!-?\d++(?:\.\d++)?[\s,}\]&;<])"
"""Not what counts or measures: a number."""
_WORD = re.compile(rf"{_BARE}++", re.ASCII)

_STRONG = (
    # how the name begins, and the whole of it: its value is secret whatever it looks like
    ("api", r"api[-_]?key"),
    ("access", r"access[-_]?token"),
    ("refresh", r"refresh[-_]?token"),
    ("auth", r"auth[-_]?token"),
    ("session", r"session[-_]?(?:token|id)"),
    ("csrf", r"csrf[-_]?token"),
    ("xsrf", r"xsrf[-_]?token"),
    ("security", r"security[-_]?token"),
    ("id_token", r"id_token"),
    ("idtoken", r"idtoken"),
    ("secret", r"secret[\w-]{0,24}"),
    ("private", r"private[-_]?key"),
    ("pass", r"pass(?:word|wd|phrase|code)[\w-]{0,24}"),
    ("subscription", r"subscription[-_]?key"),
    ("x-amz-", r"x-amz-(?:signature|credential)"),
)
_RULES = (
    # the same of names of which only a part is given, and of values that are no numbers
    ("token", r"(?<=[\w-])token"),
    ("key", r"(?:(?<=[-_])key|(?<=[a-z])(?-i:Key))"),
    ("session", r"session[\w-]{0,24}"),
    ("signature", r"signature[\w-]{0,24}"),
    ("credential", r"credential[\w-]{0,24}"),
)
_LINES = (("authorization", r"authorization[\w-]{0,24}"), ("cookie", r"cookie[\w-]{0,24}"))
"""Names of header fields, which stand in logs and in what servers echo."""
_WEAK = ("token", "sig", "sid", "key", "code", "jwt", "pwd", "auth", "pass")
"""Names whose values are secret if they are long."""

# RFC 7578 section 4.2: each part names its form field; its value ends with the next delimiter.
_NAME_OF_FIELD = r"(?>(?i:form-data);[^\r\n]{0,128}?[; \t](?i:name)\*?=)"
_HEADER_ENDS = r"[^\r\n]{0,256}+\r?\n(?>(?:[^\r\n]{1,256}+\r?\n){0,8})\r?\n"
_FIELD_VALUE = every(r"[^\r\n]++|\r?+\n(?!--)|\r(?!\n)")


def _form_field(names: Sequence[str]) -> str:
    """Return the expression of a form field with a secret, from ``form-data;`` on."""
    known = (name for _, name in (*_STRONG, *_RULES, *_LINES))
    strong = "|".join([*known, *map(re.escape, names)])
    weak = "|".join(_WEAK)
    return (
        rf"{_NAME_OF_FIELD}(?:"
        rf"(?>\"?[^\"\r\n;]{{0,32}}?(?i:{strong})){_HEADER_ENDS}(?P<form>{_FIELD_VALUE})"
        rf"|\"?(?i:{weak})\"?(?=[\r\n; \t]){_HEADER_ENDS}(?P<long_form>{_LONG}))"
    )


_STRING_BEGINS = r"\s{0,4}+\\{0,3}+\""


def _named(names: Sequence[str]) -> str:
    """Return the expression of a member that gives a value to the name that stands before it:
    ``{"name": "x-api-key", "value": "..."}``, as HAR and lists of variables have it."""
    known = (name for _, name in (*_STRONG, *_RULES, *_LINES))
    secret = "|".join([*known, *map(re.escape, names)])
    colon = rf"\\{{0,3}}+\"\s{{0,4}}+:{_STRING_BEGINS}"
    value = rf"\\{{0,3}}+\"\s{{0,4}}+,{_STRING_BEGINS}value{colon}"
    return rf"(?<=\")name{colon}[\w-]{{0,32}}?(?i:{secret}){value}([^\"\\\x00-\x1f]++)"


_ATTRIBUTE_TEXT = re.compile(
    r"<(?:property|string|entry|item|param|parameter|setting|field|data|key|value)\s[^<>]{0,64}\Z",
    re.IGNORECASE,
)
"""Tags whose text is the value of what they name."""


def _named_in_tag(names: Sequence[str]) -> str:
    """Return the expression of an attribute that names what another one, or the text, gives:
    ``<input name="csrf_token" value="...">``, ``<property name="db.password">...``."""
    known = "|".join([name for _, name in (*_STRONG, *_RULES, *_LINES)] + [*map(re.escape, names)])
    weak = "|".join(_WEAK)
    quote = r"\\{0,3}+[\"']"
    value = rf"[^<>]{{0,128}}?(?i:value|content)={quote}"
    return (
        rf"(?<![\w-])(?i:name|key)={quote}(?:"
        rf"[\w.:-]{{0,32}}?(?i:{known})[\w.:-]{{0,32}}+{quote}"
        rf"(?:{value}([^\"'<>\\]++)|[^<>]{{0,128}}+>(?P<text>(?=\s*+[^<\s])[^<]++))"
        rf"|(?i:{weak}){quote}{value}({_LONG}))"
    )


# The name of a member in what is no text, and its value: of MessagePack (its strings of 4 to 255
# bytes), BSON (5 to 255), and a map of Protocol Buffers (up to 127).
_IN_BINARY = r"(?:[\xa4-\xbf]|\xd9[\x04-\xff]|\x12[\x04-\x7f]|\x00[\x05-\xff]\x00{3})([!-~]++)"

OPENINGS = {
    "form": "form-data; name=password\n\n",
    "long_form": "form-data; name=token\n\n",
}
"""What a form field that goes on is remembered as, whatever its header was."""


class Trigger(NamedTuple):
    """How a secret or its name begins, in lower case, and what it must be from there."""

    begins: bytes
    pattern: re.Pattern[str]
    """Has one group that matches: the secret, or by its name an array of them."""
    is_name: bool


def _triggers(names: Sequence[str]) -> list[Trigger]:
    """Return how secrets and their names begin; ``names`` are those of a user."""
    shapes = [
        (prefix, f"({_WORD_BEGINS}{re.escape(prefix)}{rest}{{{least},}}+"
         rf"|{_WORD_BEGINS}{re.escape(prefix)}{rest}*+\Z)")
        for _, prefixes, rest, least, *_ in token_shapes()
        for prefix in prefixes
    ]  # fmt: skip
    shapes += [("-----begin ", _PEM), ("bearer", _BEARER), ("://", _USERINFO)]
    shapes += [("-u ", _COMMAND), ("--user ", _COMMAND), ("login", _NETRC)]
    found = [("form-data;", _form_field(names)), ("name", _named(names))]
    found += [(begins, _named_in_tag(names)) for begins in ("name=", "key=")]
    whole = [(name, rf"(?<![\w-]){re.escape(name)}(?![\w-])") for name in names]
    either = f"(?:{_BETWEEN}{_ANY_MEMBER}|{_XML}|{_IN_BINARY})"
    found += [(begins, f"(?i:{name}){_PLURAL}{either}") for begins, name in _STRONG]
    found += [(begins, f"(?i:{name}){either}") for begins, name in whole]
    either = f"(?:{_BETWEEN}{_NO_NUMBER}{_ANY_VALUE}|{_XML})"
    found += [(begins, f"(?i:{name}){either}") for begins, name in _RULES]
    either = f"(?:{_BETWEEN}{_LINE_VALUE}|{_XML})"
    found += [(begins, f"(?i:{name}){either}") for begins, name in _LINES]
    weak = rf"(?:{_BETWEEN}{_LONG_VALUE}|{_LONG_XML}|[sS]{_BETWEEN}\[(?P<long_arrays>{_ARRAY}))"
    found += [
        (name, f"(?:{_WORD_BEGINS}|(?<=_)|(?<=[a-z])(?=[A-Z]))(?i:{name}){weak}") for name in _WEAK
    ]
    return [
        Trigger(begins.lower().encode("latin-1", "replace"), when_used(pattern, re.ASCII), is_name)
        for is_name, group in ((False, shapes), (True, found))
        for begins, pattern in group
    ]


# What must follow a beginning before a secret can, in lower case: most of them are words as well.
_AFTER_NAME = (
    rb"s?+(?:(?>(?:\\{0,3}+[\"'])?(?:\]|%5d)?)\s{0,4}+(?:[:=]|%(?:25){0,3}3[ad])"
    rb"|[\x00\x12\xa4-\xbf\xd9]"
)
_AFTER_TAG = rb"|(?:\s[^<>]{0,128}+)?>"


def _afters(names: Sequence[str], in_tags: bytes) -> dict[bytes, bytes]:
    """Return what must follow each beginning of which more is known.

    ``in_tags`` is what may follow it in a text that has tags.
    """
    rests: dict[bytes, list[bytes]] = {}
    for begins, name in (*_STRONG, *_LINES, *_RULES, *((name, name) for name in (*_WEAK, *names))):
        rest = name[len(begins) :] if name.startswith(begins) else ""
        rests.setdefault(begins.lower().encode("latin-1", "replace"), []).append(rest.encode())
    after = {
        begins: b"(?:" + b"|".join(dict.fromkeys(found)) + b")" + _AFTER_NAME + in_tags + b")"
        for begins, found in rests.items()
    }
    return {
        b"bearer": rb"(?:[ +]|%20)",
        b"name": rb"\\{0,3}+\"\s{0,4}+:\s{0,4}+\\{0,3}+\"[\w-]{1,64}+\\{0,3}+\"\s{0,4}+,"
        rb"\s{0,4}+\\{0,3}+\"value\\{0,3}+\"",
        b"-u ": rb"\s{0,3}+[\"']?+[^\s:\"']{1,64}+:",
        b"--user ": rb"\s{0,3}+[\"']?+[^\s:\"']{1,64}+:",
        b"name=": rb"\\{0,3}+[\"'][\w.:-]{1,64}+\\{0,3}+[\"']",
        b"key=": rb"\\{0,3}+[\"'][\w.:-]{1,64}+\\{0,3}+[\"']",
        b"login": rb"\s{1,4}+\S{1,64}+\s{1,4}+password",
        b"://": rb"[^/\s:@\"'\\]{1,64}+:[^/\s:@\"'\\]{1,256}+@",
    } | after


def _any_of(words: dict[bytes, bytes]) -> bytes:
    """Return a pattern of all words, each with what follows it, that shares their beginnings."""
    rests: dict[bytes, dict[bytes, bytes]] = {}
    for word, after in words.items():
        if word:
            rests.setdefault(word[:1], {})[word[1:]] = after
    found = [words[b""]] if b"" in words else []
    if found == [b""]:  # whatever follows: the shortest one is enough
        return b""
    found += [re.escape(first) + _any_of(rest) for first, rest in sorted(rests.items())]
    return found[0] if len(found) == 1 else b"(?:" + b"|".join(found) + b")"


POSSIBLE = re.compile(r"[-_.:=%AJ>\x00\x12\xa4-\xbf\xd9]")
"""Whatever is secret has one of these in it or before it, but for what follows ``bearer`` and
``login``."""


@dataclass(frozen=True, eq=False)
class Patterns:
    """What is looked for in texts."""

    triggers: Sequence[Trigger]
    names: tuple[str, ...] = ()
    """Names of secrets, beside those of the table."""
    kept: frozenset[str] = frozenset()
    """Names, in lower case, whose values are no secrets."""
    scans: tuple[Scan, ...] = ()

    def may_hold_secret(self, text: str) -> bool:
        """Return whether there can be a secret in a text, or in one that it is the beginning of."""
        lower = lowered(text)
        is_possible = POSSIBLE.search(text) is not None or b"bearer" in lower or b"login" in lower
        if is_possible and self._is_likely(lower):
            return True
        return any(scan.pattern.search(text) is not None for scan in self.scans)

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """Yield every match of every trigger.

        Beginnings are looked for as bytes of lower case, of which a character has one: one regular
        expression of all alternatives takes 200 times as long.
        """
        lower = lowered(text)
        if not self._is_likely(lower):
            return
        for begins, pattern, is_name in self.triggers:
            position = lower.find(begins)
            while position >= 0:
                match = pattern.match(text, position)
                if match is not None and not (is_name and self._is_none(match)):
                    yield match
                position = lower.find(begins, position + 1 if match is None else match.end())

    def _is_likely(self, lower: bytes) -> bool:
        """Return whether there can be a secret at all, which mostly there cannot.

        A text of which this is false has no secret that a trigger finds, cut anywhere or not.
        """
        likely = self._in_tags if b">" in lower else self._outside_tags
        return likely.search(lower) is not None

    @cached_property
    def _in_tags(self) -> re.Pattern[bytes]:
        return self._likely(_AFTER_TAG)

    @cached_property
    def _outside_tags(self) -> re.Pattern[bytes]:
        """Of texts in which no element can be: at two thirds of the cost."""
        return self._likely(b"")

    def _likely(self, in_tags: bytes) -> re.Pattern[bytes]:
        afters = _afters(self.names, in_tags)
        return re.compile(
            _any_of({begins: afters.get(begins, b"") for begins, *_ in self.triggers})
        )

    def scanned(self, text: str) -> Iterator[Span]:
        """Yield what else is looked for, whose places do not depend on names."""
        for pattern, is_right in self.scans:
            for match in pattern.finditer(text):
                if is_right(match[0]):
                    yield match.span(match.lastindex or 0)

    def _is_none(self, match: re.Match[str]) -> bool:
        """Return whether what has the name of a secret is none: kept, or after an element's end."""
        start = match.start()
        tag = _TAG.search(match.string, max(start - 65, 0), start)
        if match.lastgroup == "xml" and tag is None:
            return True
        if match.lastgroup == "text":
            before = match.string[max(start - 96, 0) : start]
            return _ATTRIBUTE_TEXT.search(before) is None
        if not self.kept:
            return False
        if match.lastgroup in OPENINGS:
            said = _FORM_NAME.search(match[0])
            return said is not None and said[1].lower() in self.kept
        if (member := _MEMBER.match(match[0])) is not None:
            return member[1].lower() in self.kept
        here = _NAME_HERE.match(match.string, start)
        assert here is not None
        name = (name_before(match).lstrip("<\\%") + here[0]).lower()
        return name in self.kept or name.rpartition(":")[2] in self.kept


_MEMBER = re.compile(r"name\\*\"\s*:\s*\\*\"([\w-]*)", re.ASCII)
_NAME_HERE = re.compile(r"[\w-]{0,64}", re.ASCII)
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
    return Patterns(_triggers(names), names, frozenset(map(str.lower, keep)), scans)


def lowered(text: str) -> bytes:
    """Return a text in lower case, a byte for each character."""
    return text.encode("latin-1", "replace").lower()


def name_before(match: re.Match[str]) -> str:
    """Return what of a name, a tag or an escape stands before a match, which may depend on it."""
    found = _NAME_BEFORE.search(match.string, max(match.start() - 65, 0), match.start())
    return "" if found is None else found[0]


def spans_of(match: re.Match[str]) -> list[Span]:
    """Return where a match of a trigger has secrets."""
    if match.lastgroup == "object":
        found = _STRING_OF_OBJECT.finditer(match.string, *match.span("object"))
        return [one.span(2) for one in found]
    if match.lastgroup is None or "array" not in match.lastgroup:
        assert match.lastindex is not None
        return [match.span(match.lastindex)]
    found = _STRING_OF_ARRAY.finditer(match.string, *match.span(match.lastgroup))
    return [one.span(2) for one in found if match.lastgroup == "array" or _is_long(one)]


def _is_long(string: re.Match[str]) -> bool:
    """Return whether a string of an array may be secret by its length, or is cut."""
    return _WORD.fullmatch(string[2]) is not None and (len(string[2]) >= 12 or not string[3])


def opening_of(match: re.Match[str]) -> str:
    """Return what is remembered of a match that goes on: as much as tells how it does.

    The beginning of a secret, and whether an escape is open at its end. The rest is of the same
    kind, however long.
    """
    kind = match.lastgroup
    if kind in (None, "xml", "text"):
        return name_before(match) + _cut(match[0])
    if kind in OPENINGS:
        value = match[kind]
        return OPENINGS[kind] + (value[:MAX_OPEN] if kind == "long_form" else value[-2:])
    before = name_before(match) + match.string[match.start() : match.start(kind)]
    if kind == "object":
        return before + _rest_of_object(match)
    strings = _STRING_OF_ARRAY.finditer(match.string, *match.span(kind))
    last = next(iter(deque(strings, maxlen=1)), None)
    if last is None or last[3] or last.end() < match.end():
        return before + " "
    return before + last[1] + _cut(last[2])


def _rest_of_object(match: re.Match[str]) -> str:
    """Return what of an object's members tells how it goes on: its last value, if that is open, or
    what comes after it."""
    strings = _STRING_OF_OBJECT.finditer(match.string, *match.span("object"))
    last = next(iter(deque(strings, maxlen=1)), None)
    if last is not None and not last[3]:
        return ":" + last[1] + _cut(last[2])
    return match.string[match.start("object") if last is None else last.end() : match.end()][
        -MAX_OPEN:
    ]


def _cut(text: str) -> str:
    if len(text) <= MAX_OPEN:
        return text
    backslashes = len(text) - len(text.rstrip("\\"))
    return text[:MAX_OPEN].rstrip("\\") + "\\" * (backslashes % 2)


USUAL = patterns()
"""What is looked for unless a user says otherwise."""
