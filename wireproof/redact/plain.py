"""What has the name of a secret and is none, by the whole of its name or by what stands there.

Words are taken for words only where no string of a format is: after a colon and a space, without a
quote. ``password: str`` is an annotation; ``{"password": "str"}`` is a password.
"""

from __future__ import annotations

import re
from functools import lru_cache

NAME = re.compile(
    r".*(?:public|primary|foreign|cache|sort|partition|row|unique|composite|object|range"
    r"|surrogate|idempotency|translation)[-_]?keys?"
    r"|.*(?:secret|passw(?:or)?d)[-_]?(?:names?|types?|refs?|version|polic(?:y|ies)|length|strength"
    r"|m(?:in|ax)[-_]?length|required|enabled|expires[-_]?(?:at|in|on)?"
    r"|(?:last[-_]?)?(?:changed|updated|created|set)[-_]?at)"
    r"|.*session[-_]?(?:count|name|type|duration|length|timeout|ttl|start|end)"
    r"|.*signature[-_]?(?:version|method|algorithm|type)"
    r"|.*credential[-_]?(?:type|name)s?"
    r"|.*cookie[-_]?(?:name|domain|path|policy|consent)"
)
"""Names, in lower case, that only end or begin as those of secrets do."""
ACCOUNT_KEY = re.compile(r"[\"'\s:=\[\\]*[A-Za-z0-9+/]{40,}={0,2}")
"""Of a service of Azure, which calls it primary: 256 or 512 bits in base64, and no UUID."""

_TYPES = (
    "str|string|int|integer|bool|boolean|bytes|bytearray|number|float|object|any|none|null|nil"
    "|undefined|optional|unknown|never|void|secretstr|text|varchar|char|uuid|list|dict|array|enum"
)
_STATES = (
    "required|missing|invalid|expired|empty|unset|enabled|disabled|failed|failure|denied|granted"
    "|unavailable|yes|no|on|off|true|false|hidden|redacted|removed|omitted|changed|optional"
)
_DAYS = (
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may"
    "|june|july|august|september|october|november|december|today|tomorrow"
)
WORD = re.compile(rf"(?:{_TYPES}|{_STATES})[.,;:!?)]{{0,2}}", re.IGNORECASE)
"""A value that no secret has."""
LOOSE_WORD = re.compile(rf"(?:{_TYPES}|{_STATES}|{_DAYS})[.,;:!?)]{{0,2}}", re.IGNORECASE)
"""One that no secret has of a name that is a word of prose too:"""
LOOSE = re.compile(r"(?:session|signature|credential|authorization|cookie)", re.IGNORECASE)
LOOSER = re.compile(r"(?:session|signature|credential)", re.IGNORECASE)
"""One of which no value has letters alone."""
COLON_BEFORE = re.compile(r":[ \t]{1,4}\Z")
PROSE = re.compile(
    r"(?!(?:bearer|basic|digest|token|apikey|negotiate|ntlm|hawk|key|dpop|aws)\b)"
    r"[A-Za-z]{1,14}(?:[,;]? [A-Za-z]{1,14}){2,}[.,;:!?]?",
    re.IGNORECASE,
)
"""Three words and more, the first of which is no scheme of authentication."""
LETTERS = re.compile(r"[A-Za-z]{1,14}")
CALL = re.compile(r"[A-Za-z_]{1,24}(?:\.[A-Za-z_]{1,24}){1,4}")
"""``os.environ.get``, which a parenthesis follows."""


@lru_cache(1_024)  # the same few come again and again
def _ends_as_plain(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def is_plain_name(name: str, value: str) -> bool:
    """Return whether a name, in lower case, is that of no secret, whose value follows."""
    if not _ends_as_plain(name):
        return False
    return "primary" not in name or ACCOUNT_KEY.match(value) is None


def is_plain_value(text: str, start: int, end: int, name: str) -> bool:
    """Return whether ``text[start:end]`` only says something, after ``name:`` and a space."""
    value, after = text[start:end], text[end : end + 1]
    if after == "(" and CALL.fullmatch(value):
        return True
    if COLON_BEFORE.search(text, max(start - 6, 0), start) is None:
        return False
    if LOOSE.match(name) is None:
        return WORD.fullmatch(value) is not None
    if LOOSE_WORD.fullmatch(value) is not None or PROSE.fullmatch(value.strip()) is not None:
        return True
    return bool(after) and LOOSER.match(name) is not None and LETTERS.fullmatch(value) is not None
