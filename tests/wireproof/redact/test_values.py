"""Where in a match its secrets are."""

from __future__ import annotations

import pytest

from wireproof.redact.patterns import USUAL
from wireproof.redact.values import spans_of


def values(text: str) -> list[str]:
    """Return what is secret in a text, by each match that says so."""
    found = [text[a:b] for match in USUAL.matches(text) for a, b in spans_of(match)]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(
    "text, found",
    [
        ('{"password":"a1b2c3"}', ["a1b2c3"]),
        ('{"passwords":["a1b2c3",null,"d4e5f6"]}', ["a1b2c3", "d4e5f6"]),
        ('{"secret":{"type":"a","value":"a1b2c3","name":"the one"}}', ["a1b2c3"]),
        ("passwords:\n  - a1b2c3\n  - ${B}\n", ["a1b2c3"]),
        ("stringData:\n  port: 80\n  dsn: a1b2c3\n", ["80", "a1b2c3"]),
        ("passwords: [secret2026]\n", ["secret2026"]),
        ("secrets: [db_password]\n", []),
        ("secretKey: mysecret2026\n", ["mysecret2026"]),
        ("anna:s3cret@tcp(db:3306)", ["s3cret"]),
        ("user:password@tcp(db:3306)", []),
        ('{"keys":[{"kty":"RSA","n":"abcdefghijkl0"}]}', []),
        ('{"secrets":[{"name":"A","created_at":"2026-01-10T14:59:22Z"}]}', []),
        ('{"sessions":[{"id":"a","title":"Of tokens"}]}', []),
    ],
)
def test_values_of_a_match(text: str, found: list[str]) -> None:
    assert values(text) == found
