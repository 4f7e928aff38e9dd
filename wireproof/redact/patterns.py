"""What secrets and their names look like: a table of how they begin, and expressions of the rest.

Each expression accepts the end of what has come so far in place of what is missing, so that a text
that ends inside a secret is masked up to its end. All quantifiers are possessive, atomic or
bounded: time is linear.
"""

from __future__ import annotations

import re
from collections import deque

from parsers.expressions import every

Span = tuple[int, int]

MAX_OPEN = 128
"""Characters kept of a secret that has begun: its rest is of the same kind, however long."""

# Where a key may begin: not inside a word, but after an escape of JSON (\n, \u000a) or of a URL.
_WORD_BEGINS = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"

_KEYS = (
    # prefixes, what follows them, how much of that there is at least
    ("sk-", r"[\w-]", 12),  # OpenAI, Anthropic, OpenRouter, DeepSeek, ...
    ("sk_live_ sk_test_ pk_live_ rk_live_ rk_test_", r"\w", 10),  # Stripe
    ("ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\w", 20),  # GitHub
    ("glpat-", r"[\w-]", 12),  # GitLab
    ("xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-", r"[\w-]", 10),  # Slack
    ("AKIA ASIA AGPA AIDA ANPA AROA", r"[A-Z0-9]", 12),  # AWS
    ("AIza", r"[\w-]", 20),  # Google
    ("ya29.", r"[\w.-]", 12),
    ("hf_ gsk_ r8_ npm_ dop_v1_ shpat_ shpca_ shppa_ shpss_", r"\w", 16),  # Hugging Face, ...
    ("xai- pplx- pypi-", r"[\w-]", 16),
    ("SG.", r"[\w.-]", 16),  # SendGrid
    ("eyJ", r"[\w.-]", 12),  # JSON Web Tokens (RFC 7519 section 3): base64url of {"
)

# RFC 7468 section 2; in JSON its line ends are escapes.
_PEM = r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----([^-]*+)"
# RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_BEARER = r"(?i:bearer)(?:[ +]|%20)([\w.~+/=-]{8,}+|[\w.~+/=-]++\Z)"
# RFC 3986 section 3.2.1: userinfo, of which the password is the secret.
_USERINFO = r"://[^/\s:@\"'\\]{1,64}+:([^/\s:@\"'\\]{1,256}+)@"

# What may stand between a name and its value, in JSON, in a form, in a header, in any of them
# inside another.
# A name may stand for several: then its value is an array.
_PLURAL = "[sS]?+"
_BETWEEN = r"(?>(?:\\{0,3}+[\"'])?)\s{0,4}+(?:[:=]|%3[Aa]|%3[Dd])\s{0,4}+"
_SPACE = r"(?:\s|\+|%20)"
_SCHEME = rf"(?>(?:(?i:bearer|basic|token|apikey){_SPACE}{every(_SPACE)})?)"
_BARE = r"[^\s\x00-\x1f\"'\\&,;<>#(){}\[\]]"
_IN_STRING = r"[^\"\\\x00-\x1f]++|\\(?:.|\Z)"
_ANY_VALUE = (
    rf"(?:\\++\"({_SCHEME}[^\"\\\x00-\x1f]++)"  # a string of JSON inside a string of JSON
    rf"|\"({_SCHEME}(?>{_IN_STRING}){every(_IN_STRING)})"
    rf"|'([^'\\\x00-\x1f]++)"
    r"|\[(?P<array>{array})"
    rf"|{_SCHEME}((?!(?:null|true|false|None)\b){_BARE}++))"
)
# What an array holds: what is no string, strings of JSON inside a string of JSON, strings, and the
# border of two arrays in an array.
_ARRAY_PART = rf"[^\]\"\\]++|\\++\"?+|\"{every(_IN_STRING)}(?:\"|\Z)|\][ \t\r\n]*+,[ \t\r\n]*+\["
_ARRAY = rf"(?>{_ARRAY_PART}){every(_ARRAY_PART)}"
_ANY_VALUE = _ANY_VALUE.replace("{array}", _ARRAY)
_STRING_OF_ARRAY = re.compile(rf"(\\*+\")({every(_IN_STRING)})(\"?+)", re.DOTALL)
_LINE_VALUE = _ANY_VALUE.replace(_BARE, r"[^\x00-\x1f\"'\\]")  # of a field with several words
_LONG = rf"{_BARE}{{12,}}+|{_BARE}++\Z"
_LONG_VALUE = rf"(?:\[(?P<long_array>{_ARRAY})|\\*+[\"']?+({_LONG}))"
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
    ("pass", r"pass(?:word|wd|phrase)[\w-]{0,24}"),
    ("subscription", r"subscription[-_]?key"),
    ("x-amz-", r"x-amz-(?:signature|credential)"),
)
_LINES = ("authorization", "cookie")
"""Names of header fields, which stand in logs and in what servers echo."""
_WEAK = (
    *("token", "signature", "sig", "sid", "key", "code", "jwt", "pwd", "auth"),
    *("session", "credential"),
)
"""Names whose values are secret if they are long."""

# RFC 7578 section 4.2: each part names its form field; its value ends with the next delimiter.
_NAME_OF_FIELD = r"(?>(?i:form-data);[^\r\n]{0,128}?[; \t](?i:name)=)"
_HEADER_ENDS = r"[^\r\n]{0,256}+\r?\n(?>(?:[^\r\n]{1,256}+\r?\n){0,8})\r?\n"
_FIELD_VALUE = every(r"[^\r\n]++|\r?+\n(?!--)|\r(?!\n)")


def _form_field() -> str:
    """Return the expression of a form field with a secret, from ``form-data;`` on."""
    strong = "|".join([*(name for _, name in _STRONG), *_LINES])
    weak = "|".join(_WEAK)
    return (
        rf"{_NAME_OF_FIELD}(?:"
        rf"(?>\"?[^\"\r\n;]{{0,32}}?(?i:{strong})){_HEADER_ENDS}(?P<form>{_FIELD_VALUE})"
        rf"|\"?(?i:{weak})\"?(?=[\r\n; \t]){_HEADER_ENDS}(?P<long_form>{_LONG}))"
    )


OPENINGS = {
    "form": "form-data; name=password\n\n",
    "long_form": "form-data; name=token\n\n",
}
"""What a form field that goes on is remembered as, whatever its header was."""


def _triggers() -> list[tuple[bytes, re.Pattern[str]]]:
    """Return how a secret or its name begins, in lower case, and what it must be from there."""
    found = [
        (prefix, rf"{_WORD_BEGINS}{re.escape(prefix)}{rest}{{{least},}}+"
         rf"|{_WORD_BEGINS}{re.escape(prefix)}{rest}*+\Z")
        for prefixes, rest, least in _KEYS
        for prefix in prefixes.split()
    ]  # fmt: skip
    found = [(prefix, f"({pattern})") for prefix, pattern in found]
    found += [("-----begin ", _PEM), ("bearer", _BEARER), ("://", _USERINFO)]
    found += [("form-data;", _form_field())]
    found += [(begins, f"(?i:{name}){_PLURAL}{_BETWEEN}{_ANY_VALUE}") for begins, name in _STRONG]
    found += [(name, f"(?i:{name}){_PLURAL}{_BETWEEN}{_LINE_VALUE}") for name in _LINES]
    weak = rf"(?:{_BETWEEN}{_LONG_VALUE}|[sS]{_BETWEEN}\[(?P<long_arrays>{_ARRAY}))"
    found += [
        (name, f"(?:{_WORD_BEGINS}|(?<=_)|(?<=[a-z])(?=[A-Z]))(?i:{name}){weak}") for name in _WEAK
    ]
    return [(begins.lower().encode(), re.compile(pattern, re.ASCII)) for begins, pattern in found]


TRIGGERS = _triggers()
"""Each pattern has one group that matches: the secret, or by its name an array of them."""


# What must follow a beginning before a secret can, in lower case: most of them are words as well.
_AFTER_NAME = rb"s?+(?>(?:\\{0,3}+[\"'])?)\s{0,4}+(?:[:=]|%3a|%3d)"
_AFTER = (
    {b"bearer": rb"(?:[ +]|%20)", b"://": rb"[^/\s:@\"'\\]{1,64}+:[^/\s:@\"'\\]{1,256}+@"}
    | {begins.encode(): name[len(begins) :].encode() + _AFTER_NAME for begins, name in _STRONG}
    | {name.encode(): _AFTER_NAME for name in (*_LINES, *_WEAK)}
)


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


POSSIBLE = re.compile(r"[-_.:=%AJ]")
"""Whatever is secret has one of these in it or before it, but for what follows ``bearer``."""
LIKELY = re.compile(_any_of({begins: _AFTER.get(begins, b"") for begins, _ in TRIGGERS}))
"""Finds out whether there can be a secret at all, which mostly there cannot: a text in which it
finds nothing has no secret, cut anywhere or not."""


def spans_of(match: re.Match[str]) -> list[Span]:
    """Return where a match of one of TRIGGERS has secrets."""
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
    if kind is None:
        return _cut(match[0])
    if kind in OPENINGS:
        value = match[kind]
        return OPENINGS[kind] + (value[:MAX_OPEN] if kind == "long_form" else value[-2:])
    before = match.string[match.start() : match.start(kind)]
    strings = _STRING_OF_ARRAY.finditer(match.string, *match.span(kind))
    last = next(iter(deque(strings, maxlen=1)), None)
    if last is None or last[3] or last.end() < match.end():
        return before + " "
    return before + last[1] + _cut(last[2])


def _cut(text: str) -> str:
    if len(text) <= MAX_OPEN:
        return text
    backslashes = len(text) - len(text.rstrip("\\"))
    return text[:MAX_OPEN].rstrip("\\") + "\\" * (backslashes % 2)
