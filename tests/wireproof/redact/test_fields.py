"""Which header fields are secret, and what of them stays."""

from __future__ import annotations

import pytest

from wireproof.redact.fields import (
    MAX_KNOWN_HEADS,
    MAX_KNOWN_SIZE,
    PlainHeads,
    mask_fields,
    secret_spans,
)
from wireproof.redact.rules import Rules
from wireproof.redact.secrets import mask_spans

FIELDS = [
    ("Authorization", "Bearer abc", "Bearer ***"),
    ("authorization", "abc", "***"),
    ("PROXY-AUTHORIZATION", "Basic dTpw", "Basic ****"),
    ("Authorization", 'Digest username="u", response="r"', "Digest " + "*" * 26),
    ("Cookie", "a=1; b=22;c=3", "a=*; b=**;c=*"),
    ("Cookie", "no-name", "*******"),
    ("Cookie", "a=", "a="),
    ("Cookie", "Zq7vLw9xKt3nPb5s=1; a=2", "****************=*; a=*"),
    ("Cookie", "wordpress_logged_in_7f3a09d1c2b85e64=1", "wordpress_logged_in_7f3a09d1c2b85e64=*"),
    ("Set-Cookie", "sid=abc; Path=/; HttpOnly", "sid=***; Path=/; HttpOnly"),
    ("X-Api-Key", "abc", "***"),
    ("x-goog-api-key", "abc", "***"),
    ("X-CSRF-Token", "abc", "***"),
    ("Ocp-Apim-Subscription-Key", "abc", "***"),
    ("X-Client-Secret", "abc", "***"),
    ("Sec-WebSocket-Protocol", "graphql-ws, chat.v2", "graphql-ws, chat.v2"),
    ("Sec-WebSocket-Protocol", "v4.channel.k8s.io", "v4.channel.k8s.io"),
    ("Sec-WebSocket-Protocol", "author.example", "author.example"),
    (
        "Sec-WebSocket-Protocol",
        "base64url.bearer.authorization.k8s.io.dG9r.x, base64.binary.k8s.io",
        "base64url.bearer.authorization.k8s.io.******, base64.binary.k8s.io",
    ),
    ("Sec-WebSocket-Protocol", "bearer, abc.def , chat", "bearer, ******* , ****"),
    ("Sec-WebSocket-Protocol", "chat,Access_Token,abc", "chat,Access_Token,***"),
    (
        "sec-websocket-protocol",
        "realtime, openai-insecure-api-key.abc-def, openai-beta.realtime-v1",
        "realtime, openai-insecure-api-key.*******, openai-beta.realtime-v1",
    ),
    ("Sec-WebSocket-Protocol", "jwt_abc,auth-token-xyz", "jwt_***,auth-token-***"),
    ("Host", "example.org", "example.org"),
    ("Content-Type", "text/event-stream", "text/event-stream"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="),
]


@pytest.mark.parametrize("name, value, masked", FIELDS)
def test_fields_that_are_known(name: str, value: str, masked: str) -> None:
    for policy in ("headers", "all"):
        assert mask_spans(value, secret_spans(name, value, policy)) == masked
    assert secret_spans(name, value, "none") == []


def test_other_fields_are_looked_into_under_the_whole_policy_only() -> None:
    fields = [("Referer", "https://x/?api_key=abc"), ("Host", "x")]
    assert mask_fields(fields, "headers") == (fields, 0)
    assert mask_fields(fields, "all") == ([("Referer", "https://x/?api_key=***"), ("Host", "x")], 1)


RULES = [
    Rules("headers"),
    Rules("headers", names=("host",)),
    Rules("headers", keep=frozenset(("cookie", "x-api-key"))),
    Rules("none"),
]


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_plain_heads_are_those_of_which_no_value_can_be_secret(rules: Rules) -> None:
    heads, bearer = PlainHeads(rules), "bearer, abc"  # secret wherever a value may be
    for name in [*dict.fromkeys(name for name, _, _ in FIELDS), " Cookie ", "accept"]:
        fields = [("Accept", bearer), (name, bearer)]
        is_plain = mask_fields(fields, rules) == (fields, 0)
        assert [heads.has(fields), heads.has(fields)] == [is_plain, is_plain], name
        assert heads.has([(name, "")]) == is_plain


def test_plain_heads_are_forgotten_when_there_are_many() -> None:
    heads = PlainHeads(Rules())
    for number in range(2 * MAX_KNOWN_HEADS):
        assert heads.has([(f"x-{number}", "")]) and not heads.has([(f"x-{number}-token", "")])
    assert not heads.has([("a" * MAX_KNOWN_SIZE, ""), ("cookie", "")])
    assert len(heads._known) <= MAX_KNOWN_HEADS


SECRET_NAMES = (
    *("X-Shopify-Hmac-Sha256", "X-PayPal-Transmission-Sig", "Jenkins-Crumb", "X-Passcode"),
    *("X-Access", "X-Firebase-AppCheck", "X-Honeycomb-Team"),
    *("X-Subject-Token", "AccessToken", "X-Vendor-Key", "Ocp-Apim-Subscription-Key", "X-ApiKey"),
    *("X-Original-Authorization", "Authorization-Info", "My-Client-Secret-Value", "X-Passwd"),
    *("X-Old-Passwords", "Mcp-Session-Id", "X-Session", "X-Hub-Signature-256", "Signature-Input"),
    *("Aws-Credentials", "X-My-Cookie-Jar", "Cf-Access-Jwt-Assertion", "X-Pass", "X-User-Pwd"),
    *("X-Authentication", "Authentication-Info", "X-MFA-Code", "X-Pin"),
)
PLAIN_NAMES = (
    *("Sec-WebSocket-Key", "Sec-WebSocket-Accept", "Access-Control-Allow-Credentials", "Via"),
    *("Content-Type", "Host", "X-Ratelimit-Remaining-Tokens", "Keep-Alive", "WWW-Authenticate"),
    *("X-Request-Id", "Etag"),
)


def test_names_say_by_rule_whether_a_field_is_secret() -> None:
    assert [name for name in SECRET_NAMES if not secret_spans(name, "abcdef", "headers")] == []
    assert [name for name in PLAIN_NAMES if secret_spans(name, "abcdef", "headers")] == []
