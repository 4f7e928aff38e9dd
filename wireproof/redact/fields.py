"""Secrets in header fields, by the field's name and by what its value looks like.

Of a field that is known to hold a secret its structure stays: the scheme of Authorization, the
names of cookies, the attributes of Set-Cookie. What is masked are the values.
"""

from __future__ import annotations

import re

from parsers.records import Fields

from .secrets import Policy, Span, find, mask_spans

SECRET_FIELD = re.compile(
    r"(?:proxy-)?authorization|set-cookie2?|cookie2?"
    r"|.*api-?key|.*subscription-key|.*(?:access|auth|subject|security|session|csrf|xsrf|id|vault|private"
    r"|refresh|deploy|job)-?token|x-token|token|.*secret.*|.*password.*|.*passwd.*"
    r"|x-(?:auth-key|session-id|functions-key|amz-signature|hub-signature(?:-256)?)"
    r"|cf-access-jwt-assertion|x-amzn-oidc-(?:accesstoken|data)|x-goog-iap-jwt-assertion"
    r"|x-forwarded-access-token|x-client-cert|authentication",
    re.IGNORECASE | re.ASCII,
)
"""Names of fields whose values are secret: those of RFC 9110 and RFC 6265, and what APIs use."""

NAME = re.compile(r"[\w-]+(?=\s*:)", re.ASCII)
# RFC 9110 section 11.4: credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
CREDENTIALS = re.compile(r"(?:[!#$%&'*+.^_`|~\w-]+[ \t]+)?(.+)", re.DOTALL | re.ASCII)
# RFC 6265 section 4.2.1: cookie-pair = cookie-name "=" cookie-value, and one without a name.
COOKIE = re.compile(r"[ \t]*(?>(?:[^=;]*=)?)([^;]+);?", re.DOTALL)


def secret_spans(name: str, value: str, policy: Policy) -> list[Span]:
    """Return which parts of a field's value are secret.

    >>> secret_spans("Authorization", "Bearer abc", "headers")
    [(7, 10)]
    """
    if policy == "none" or not value:
        return []
    lower = name.strip().lower()
    if SECRET_FIELD.fullmatch(lower):
        return _known(lower, value)
    return find(value) if policy == "all" else []


def names_secret(text: str) -> bool:
    """Return whether a text that may quote a field quotes one that is known to hold a secret."""
    return any(SECRET_FIELD.fullmatch(name) for name in NAME.findall(text))


def _known(name: str, value: str) -> list[Span]:
    if name.startswith("cookie"):
        return [match.span(1) for match in COOKIE.finditer(value)]
    if name.startswith("set-cookie"):
        match = COOKIE.match(value)
        return [] if match is None else [match.span(1)]
    if name.endswith("authorization") and (match := CREDENTIALS.fullmatch(value)):
        return [match.span(1)]
    return [(0, len(value))]


def mask_fields(fields: Fields, policy: Policy) -> tuple[Fields, int]:
    """Return fields with their secrets masked, and how many places that were."""
    found = 0
    masked: Fields = []
    for name, value in fields:
        if spans := secret_spans(name, value, policy):
            found += len(spans)
            value = mask_spans(value, spans)
        masked.append((name, value))
    return masked, found
