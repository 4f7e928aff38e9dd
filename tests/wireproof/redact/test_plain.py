"""What has the name of a secret and is none."""

from __future__ import annotations

import pytest

from wireproof.redact.secrets import mask_text

PLAIN = [
    # names
    '{"public_key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "publicKey": "MIIBIjANBgkqhkiG9w0B"}',
    '{"primary_key": "3f2b8c1e-1111-4222-8333-abcdefabcdef", "sort_key": "created"}',
    '{"partitionKey": "pk", "cache_key": "user:1", "key_type": "rsa"}',
    '{"name": "sort_key", "value": "created"}',
    "foreign_key: user_id\n",
    "secret_name: prod/db\npassword_policy: strong\n",
    "session_timeout: 30m\ncookie_domain: a.example\n",
    # types
    "def f(password: str, api_key: Optional[str] = None) -> None:",
    "password: string;\n",
    "password: str",
    # words
    "authorization: required\n",
    "Authorization: the process of granting access.\n",
    "Session: Monday",
    "session: opening of the fair\n",
    "credentials: see below",
    "api_key: missing, token: invalid",
    # calls
    "password = getpass.getpass()",
    'api_key=os.environ.get("API_KEY")',
]
SECRET = [
    ('{"password": "str"}', '{"password": "***"}'),
    ('{"session": "Monday"}', '{"session": "******"}'),
    ("password=required&a=b", "password=********&a=b"),
    ("password: monday\n", "password: ******\n"),
    ("Authorization: Token abcdef\n", "Authorization: Token ******\n"),
    ("authorization: hunters\n", "authorization: *******\n"),
    ("session: abcd1234\n", "session: ********\n"),
    ('{"primaryKey": "' + "aB3+" * 10 + 'abc="}', '{"primaryKey": "' + "*" * 44 + '"}'),
    ("api_key: a.b1(c\n", "api_key: ****(c\n"),
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_stays(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize("text, masked", SECRET)
def test_what_is_masked_all_the_same(text: str, masked: str) -> None:
    assert mask_text(text) == masked
