"""Secrets that statements, directives and commands give, and what databases say of them."""

from __future__ import annotations

import json

import pytest

from wireproof.redact.secrets import Finder, mask_spans, mask_text

SECRET = "9fQ2bD7xVtLm4sKp8RwZ"
TEXTS = [
    # hashes by their scheme, whatever stands before
    "userPassword: {SSHA}{}\n",
    "rootpw {SSHA512}{}\n",
    "password={CRYPT}$1$abc${}\n",
    '{"password":"{bcrypt}$2a$10${}"}',
    "anna:{BLF-CRYPT}{}:1000\n",
    "password: '{noop}{}'\n",
    "{xor}{}\n",
    # directives
    "requirepass {}\n",
    'CONFIG SET requirepass "{}"\n',
    "bind 0.0.0.0\nrequirepass {}\nmaxmemory 1gb\n",
    "cd a\nzip -r -P {} a.zip b\n",
    "cd a\nsqlplus scott/{}@db\n",
    "masterauth   {}\n",
    "bindpw {}\n",
    "enable secret 9 {}\n",
    "neighbor 10.0.0.1 password 7 {}\n",
    # commands
    'echo "::add-mask::{}"\n',
    'ConvertTo-SecureString "{}" -AsPlainText -Force\n',
    "ConvertTo-SecureString -String '{}' -AsPlainText\n",
    "jdbc:oracle:thin:scott/{}@db:1521/x",
    "sqlplus -s scott/{}@db\n",
    'curl_setopt($c, CURLOPT_USERPWD, "anna:{}");',
    'jwt.encode(claims, "{}", algorithm="HS256")',
    "mysqli_connect('db', 'anna', '{}', 'main')",
    "openssl enc -aes-256-cbc -k {} -in a\n",
    "zip -r -P {} a.zip b\n",
    "7z a -p{} a.7z b\n",
    "ldapsearch -D cn=a -w '{}' -b b\n",
    "smbclient //a/b -U anna%{}\n",
    "snmpwalk -v3 -A {} a\n",
    "useradd -m -p '{}' anna\n",
    "sudo htpasswd -b file anna {}\n",
    "gh secret set TOKEN --body {}\n",
    # what installers and servers say
    "A temporary password is generated for root@localhost: {}\n",
    "Please use the following password to proceed to installation:\n\n{}\n\nThis may also",
    "Unseal Key 1: {}\nUnseal Key 2: b\n",
    "Authorization header: Bearer {}\n",
    # what databases say
    "DETAIL:  Key (api_key)=({}) already exists.",
    "DETAIL:  Key (tenant, token)=(7, {}) already exists.",
    'E11000 duplicate key error index: token_1 dup key: { a.token: "{}" }',
]


@pytest.mark.parametrize("form", [*TEXTS, *(json.dumps({"a": one}) for one in TEXTS)])
def test_a_secret_is_masked(form: str) -> None:
    """Whole, and cut anywhere inside it and before."""
    before, _, after = form.rpartition("{}")
    whole = before + SECRET + after
    assert SECRET not in mask_text(whole)
    for cut in range(len(before) + len(SECRET) + 1):
        finder = Finder()
        pieces = [mask_spans(one, finder.feed(one)) for one in (whole[:cut], whole[cut:])]
        assert [at for at in range(13) if SECRET[at : at + 8] in "".join(pieces)] == []


@pytest.mark.parametrize(
    "text",
    [
        "The {SSHA} scheme has a salt, {bcrypt} has one too.",
        "The requirepass directive sets a password. Set requirepass.",
        "# requirepass foobared\n",
        "requirepass ${REDIS_PASSWORD}\n",
        '::add-mask::$TOKEN and "::add-mask::${{ steps.a.outputs.token }}"',
        "ConvertTo-SecureString $password -AsPlainText -Force\n",
        "sqlplus user/password@db\n",
        "jwt.encode(claims, secret, algorithm='HS256')",
        "mysqli_connect($host, $user, $password, $db)",
        "Key (id)=(5) already exists.",
        "Duplicate entry 'anna@example.com' for key 'users.email'",
        "zip -r a.zip b, 7z a a.7z b, openssl enc -k $PASSWORD",
        "useradd -m -s /bin/bash anna\n",
        "The temporary password is sent by mail: see the instructions.",
        "secret 5 of 7, password 8 characters long",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_text(text) == text
