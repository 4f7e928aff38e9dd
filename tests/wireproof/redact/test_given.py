"""Short secrets that are given beside their names: to functions, after options, in pairs."""

from __future__ import annotations

import pytest
from support.said_ways import cut_anywhere, is_left, shown_ways

from wireproof.redact.secrets import mask_text

SECRETS = ("S0mmer2026", "Wq4e!9x.K", "correcthorse")
ANY = [
    "define('DB_PASSWORD', '{}');",
    "define( 'DB_PASSWORD', '{}' );",
    'props.put("sasl.password", "{}");',
    'dataSource.setPassword("{}");',
    "user.set_password('{}')",
    'builder.withPassword("{}")',
    'localStorage.setItem("access_token", "{}")',
    'request.Header.Set("X-API-Key", "{}")',
    'client.DefaultRequestHeaders.Add("X-Api-Key", "{}");',
    'env::set_var("API_TOKEN", "{}");',
    'form.append("password", "{}")',
    'page.fill("#password", "{}")',
    '{password, "{}"}',
    '{:password, "{}"}',
    '["--password", "{}"]',
    '{"args":["-y","--api-key","{}"]}',
    '{"args": ["--password", "{}", "--verbose"]}',
    'new NetworkCredential("anna", "{}")',
]
WITH_DIGITS = [
    "('password', '{}')",
    '[["user", "anna"], ["password", "{}"]]',
    'client.apiKey("{}")',
    'put("password", "{}");',
    'headers.set("x-key", "{}")',
    "user anna password {}\n",
    "Log in with username anna and password {}.",
]
FORMS = [(form, secret) for form in ANY for secret in SECRETS]
FORMS += [(form, secret) for form in WITH_DIGITS for secret in SECRETS[:2]]


@pytest.mark.parametrize("form, secret", FORMS)
def test_no_secret_is_left(form: str, secret: str) -> None:
    text = form.replace("{}", secret)
    for way, shown in shown_ways(text):
        assert not is_left(secret, shown), way
    for shown in cut_anywhere(text):
        assert not is_left(secret, shown)


@pytest.mark.parametrize(
    "text",
    [
        't("password", "Password")',
        'getattr(x, "password", "")',
        'required: ["password", "email"]',
        'fields = ("password", "username")',
        'fields = ("username", "password1", "password2")',
        'errors.add("password", "is too short")',
        'form.add("password", "text")',
        'add_argument("--password", "-p", help="Of the account")',
        'click.option("--api-key", "api_key", default=None)',
        '.option("--token <token>", "Of the account")',
        '["--password", "--verbose"]',
        '["--password", "${PASSWORD}"]',
        'props.put("sasl.password", System.getenv("PASSWORD"));',
        'set("x-key", "value")',
        'headers.set("token-type", "oauth2")',
        'setPasswordEncoder("bcrypt")',
        'setPassword("required")',
        'setPassword("")',
        'session.get("token", "none")',
        'z.password("too short")',
        '{password, "Password"}',
        'f(password, "anna1234")',
        "('token', 'sha256')",
        'where("password", "varchar255")',
        '["session", "python3"]',
        "the user anna password reset, username and password combination",
        "user anna password authentication failed",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_text(text) == text
