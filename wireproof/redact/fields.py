"""Secrets in header fields, by the field's name and by what its value looks like.

Of a field that is known to hold a secret its structure stays: the scheme of Authorization, the
names of cookies, the attributes of Set-Cookie. What is masked are the values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from parsers.expressions import when_used
from parsers.records import Fields

from .encoded_text import find_encoded
from .patterns import Patterns, Span
from .rules import Rules
from .secrets import Policy, mask_spans, merged

SECRET_FIELD = re.compile(
    r"(?!(?:sec-websocket-key|access-control-allow-credentials)\Z)(?:.*token|.*-key|.*api-?key"
    r"|.*authorization.*|.*cookie.*|.*secret.*|.*passw(?:or)?d.*|.*session.*|.*signature.*"
    r"|.*credential.*|.*jwt.*|.*hmac.*|.*-sig|.*crumb|x-(?:\w+-)?access|.*pass(?:code|phrase|key)|.*appcheck|x-honeycomb-team"
    r"|(?:.*-)?auth|dpop|.*-otp|x-amzn-oidc-data|x-client-cert|.*bearer.*|.*ticket|.*sessid|.*-s(?:id|as)"
    r"|x-auth-(?:data|code|hash|sign)"
    r"|.*authentication(?!-results).*|(?:.*-)?(?:pass|pwd|pw|pin)|.*-(?:mfa|2fa|totp|otp)-?code)"
    r"(?:-bin)?",  # binary metadata of gRPC
    re.IGNORECASE | re.ASCII,
)
"""Names of fields whose values are secret, by what they say: no list of them is ever whole. Those
that are not secret though they say so are the handshake's, and a switch of CORS."""

SUBPROTOCOLS = "sec-websocket-protocol"
"""A browser's WebSocket can set no other field: so tokens are sent in it, and known by a word that
stands in the same element (bearer.TOKEN) or is the one before (bearer, TOKEN)."""
_WORD = r"(?:bearer|authorization|access[-_]?token|token|api[-_]?key|auth|jwt|secret|password)"
SAID_TOKEN = when_used(
    rf"[\w.-]*?(?<![a-z0-9]){_WORD}(?:[._-](?:{_WORD}|k8s\.io|v\d))*(?:[._:=-](.+))?",
    re.IGNORECASE | re.ASCII,
)
ELEMENT = re.compile(r"[^,\s](?:[^,]*[^,\s])?")

MAX_KNOWN_HEADS = 256
"""Heads that are known by the names of their fields; then all are forgotten at once."""
MAX_KNOWN_SIZE = 2_048
"""Characters of the names of one."""

MAX_KNOWN_VALUES, MAX_KNOWN_VALUE = 1_024, 256
"""Values that are remembered with what is secret in them, and characters of one."""

NAME = re.compile(r"[\w-]+(?=\s*:)", re.ASCII)
# RFC 9110 section 11.4: credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
# There may be an obs-fold after the scheme (RFC 9112 section 5.2).
CREDENTIALS = re.compile(r"(?:[!#$%&'*+.^_`|~\w-]+[ \t\r\n]+)?(.+)", re.DOTALL | re.ASCII)
# RFC 6265 section 4.2.1: cookie-pair = cookie-name "=" cookie-value, and one without a name.
COOKIE = re.compile(r"[ \t]*(?>(?:[^=;]*=)?)([^;]+);?", re.DOTALL)
SECRET_COOKIE = re.compile(
    r"(?:\A|;)[ \t]*((?=[^\s\d=]{0,32}\d)(?=[^\sa-z=]{0,32}[a-z])(?=[^\sA-Z=]{0,32}[A-Z])"
    r"[A-Za-z0-9]{16,128})=[^;]{0,3}(?=;|\Z)"
)
"""A cookie whose name is random, and whose value says no more than that it is there."""


def secret_spans(name: str, value: str, policy: Policy | Rules) -> list[Span]:
    """Return which parts of a field's value are secret.

    >>> secret_spans("Authorization", "Bearer abc", "headers")
    [(7, 10)]
    """
    rules = Rules.of(policy)
    lower = name.strip().lower()
    if rules.policy == "none" or not value or lower in rules.keep:
        return []
    if rules.masks_field(lower):
        return [(0, len(value))]
    if SECRET_FIELD.fullmatch(lower):
        return _known(lower, value)
    spans = list(found_in(value, rules.patterns)) if rules.is_thorough else []
    if lower == SUBPROTOCOLS:
        return merged(_of_subprotocols(value) + spans)
    return spans


def found_in(value: str, patterns: Patterns) -> Sequence[Span]:
    """Return where a field's value, or a target, has secrets by what it looks like."""
    if len(value) > MAX_KNOWN_VALUE or patterns.known is not None:
        return find_encoded(value, patterns)
    return _found_in_usual(value, patterns)


@lru_cache(MAX_KNOWN_VALUES)  # the same few come again and again
def _found_in_usual(value: str, patterns: Patterns) -> Sequence[Span]:
    return tuple(find_encoded(value, patterns))


def is_plain(name: str, rules: Rules) -> bool:
    """Whether no value of a field of this name is masked, unless values are looked into."""
    lower = name.strip().lower()
    if rules.policy == "none" or lower in rules.keep:
        return True
    is_secret = rules.masks_field(lower) or SECRET_FIELD.fullmatch(lower) is not None
    return not is_secret and lower != SUBPROTOCOLS


class PlainHeads:
    """Knows heads by the names of their fields: the same ones come again and again."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._known: dict[tuple[str, ...], bool] = {}

    def has(self, fields: Fields) -> bool:
        """Whether nothing in a head is masked by the names of its fields."""
        names = tuple([name for name, _ in fields])
        found = self._known.get(names)
        if found is None:
            found = all(is_plain(name, self._rules) for name in names)
            if sum(map(len, names)) <= MAX_KNOWN_SIZE:
                if len(self._known) >= MAX_KNOWN_HEADS:
                    self._known.clear()
                self._known[names] = found
        return found


def names_secret(text: str) -> bool:
    """Return whether a text that may quote a field quotes one that is known to hold a secret."""
    return any(SECRET_FIELD.fullmatch(name) for name in NAME.findall(text))


def _of_subprotocols(value: str) -> list[Span]:
    """Return the tokens among subprotocols (RFC 6455 section 11.3.4)."""
    spans: list[Span] = []
    is_next = False
    for match in ELEMENT.finditer(value):
        said = SAID_TOKEN.fullmatch(match[0])
        if said is not None and said[1]:
            start, end = said.span(1)
            spans.append((match.start() + start, match.start() + end))
        elif is_next and said is None:
            spans.append(match.span())
        is_next = is_next or (said is not None and not said[1])
    return spans


def _known(name: str, value: str) -> list[Span]:
    if name.startswith("cookie"):
        names = [match.span(1) for match in SECRET_COOKIE.finditer(value)]
        return names + [match.span(1) for match in COOKIE.finditer(value)]
    if name.startswith("set-cookie"):
        match = COOKIE.match(value)
        return [] if match is None else [match.span(1)]
    if name.endswith("authorization") and (match := CREDENTIALS.fullmatch(value)):
        return [match.span(1)]
    return [(0, len(value))]


def mask_fields(fields: Fields, policy: Policy | Rules) -> tuple[Fields, int]:
    """Return fields with their secrets masked, and how many places that were."""
    found = 0
    masked: Fields = []
    for name, value in fields:
        if spans := secret_spans(name, value, policy):
            found += len(spans)
            value = mask_spans(value, spans)
        masked.append((name, value))
    return masked, found
