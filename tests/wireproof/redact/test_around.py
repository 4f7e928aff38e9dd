"""Values that are none by what stands around them."""

from __future__ import annotations

import json

import pytest

from wireproof.redact.around import Value, is_plain_around
from wireproof.redact.secrets import mask_text

PLAIN = [
    "PWD=/home/anna\n",
    "OLDPWD=/home/anna/src\nPWD=/home/anna/src/app2\n",
    "export PWD=/srv/app1\n",
    "HOME=/home/anna\nPWD=/home/anna\nSHELL=/bin/bash\n",
    "Reset password: https://a.example/account/settings2\n",
    "Reset password: https://app.example.com/help/reset-password",
    "Change password: https://a.example/profile",
    "Password reset link: https://a.example/login?next=%2F",
    "Forgot your password? Reset password: https://a.example/users/password/new\n",
    "$ ssh anna@host1\nEnter password:\nanna@host1:~$ ls\n",
    "Enter password:\nWelcome to the MariaDB monitor.\n",
    "Enter password:\nmysql> show tables;\n",
    "Password:\nLast login: Mon Nov 30 08:00:12 2026 from 10.0.0.1\n",
    "Password: \nanna@web01:~$ uptime\n",
    "Enter password: \nEnter password again: \nok\n",
    "[sudo] password for anna: \nReading package lists... Done\n",
    "Enter password:\nERROR 1045 (28000): Access denied for user 'anna'@'localhost'\n",
    "Password:\n$ ls -la\n",
    "Password:\nroot@web01:/etc# cat hosts\n",
    "Password for user anna:\npsql (16.1)\n",
    "Enter passphrase for key '/home/anna/.ssh/id_ed25519':\nLinux web01 6.1.0\n",
    "Enter password: C:\\Users\\anna> dir\n",
    "Enter password:\n>>> import os\n",
    "Password:\nPS C:\\Users\\anna> whoami\n",
    "Cookies: we use cookies to remember your session and to count visits.",
    "Cookie: a small text that a site stores in a browser.\n",
    "Session: the time between login and logout, stored as a cookie named sid.",
    "Set-Cookie: the header that a server uses to store cookies.",
    "The cookie: what it holds, how long it lives, and who reads it.",
    "Session cookies: deleted when the browser closes. Persistent cookies: kept for 30 days.",
    "cookies: essential, analytics, marketing",
    "Cookie policy: we use session cookies only, for 24 hours.",
    "The session is kept in Redis for 30 minutes; the cookie is called connect.sid.",
    "Sessions: 12 active, 3 idle",
    "session: kept for 7 days, then deleted",
    "aws secretsmanager get-secret-value --secret-id prod/db2",
    "aws secretsmanager get-secret-value --secret-id prod/db2 --query SecretString\n",
    "aws secretsmanager describe-secret --secret-id my-app-secret2\n",
    "gcloud secrets versions access latest --secret=db-password2",
    "gcloud secrets versions access latest --secret db-pass-v2\n",
    "kubectl get secret db-password-v2 -o yaml",
    "vault kv get secret/prod/db2",
    "az keyvault secret show --name db-password2 --vault-name kv1",
    "aws ssm get-parameter --name /prod/db2/password --with-decryption",
    "op read op://prod/db2/password",
    'def make_key() -> PublicKey:\n    """Return the public key of user 1."""\n',
    'def make_key() -> PublicKey:\n    """..."""\n',
    'def session_key(self) -> SessionKey:\n    """Derive it with HKDF-SHA256."""\n    return 1\n',
    'def get_api_key() -> ApiKey:\n    """Return the key of tenant 12."""\n',
    'def token() -> Token:\n    """Return a token that lives 15min."""\n',
    'class ApiKey(Key):\n    """A key for v2 of the API."""\n    id: int\n',
    'def password() -> SecretStr:\n    """The password of the db1 host."""\n',
    'def load_private_key() -> PrivateKey:\n    """Load key1.pem."""\n    return x\n',
    "Primary key -> users.id2",
    "Foreign key -> orders_2026.id",
    "tokens.map(token -> token.text1)",
    "token => token.value2",
    "items.forEach(session => session.user2.id);",
    "Password -> SHA256-hash column in users_table2",
    "password | utf8mb4_general_ci | YES",
    "<td>api_key</td><td>char(36)</td>",
    "<td>token</td><td>VARCHAR2(255)</td>",
    "<td>password</td><td>utf8mb4_general_ci</td>",
    "f(cookies=cookies, auth=auth)",
    "    r = get(\n        cookies=cookies,\n        auth=auth,\n    )\n",
    "  if n > _MAX_COOKIES_PER_REQUEST:\n    break\n",
    "password: !Ref DbPassword2",
    "  MasterUserPassword: !Ref DbPassword2\n  Port: 1",
    "secret: !ImportValue NetworkStack2-Secret\n",
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_stays(text: str) -> None:
    assert mask_text(text) == text
    for in_json in (json.dumps({"a": text}), json.dumps({"a": json.dumps({"b": text})})):
        assert mask_text(in_json) == in_json


@pytest.mark.parametrize(
    "text, secret",
    [
        ("Enter password:\nP@ssw0rd1\n", "P@ssw0rd1"),
        ("Password:\nhunter2#x\n", "hunter2"),
        ("Password:\nS0mmer2026 (expires soon)\n", "S0mmer2026"),
        ("password:\ncorrecthorse\n", "correcthorse"),
        ("vault write auth/login --secret-id 3f9a1c7e-5b2d-4e8f-9a6b\n", "3f9a1c7e-5b2d-4e8f-9a6b"),
        ("tool --secret correct-horse-battery\n", "correct-horse-battery"),
        ("Reset password: https://a.example/9fQ2bD7x\n", "https://a.example/9fQ2bD7x"),
        ("Password: https9fQ2bD7x\n", "https9fQ2bD7x"),
        ("Primary key -> 9fQ2bD7xVtLm4sKp8RwZ\n", "9fQ2bD7xVtLm4sKp8RwZ"),
        ("Access key -> a1.9fQ2bD7xVtLm4sKp8RwZ\n", "a1.9fQ2bD7xVtLm4sKp8RwZ"),
        ("f(cookies=cookies, token=9fQ2bD7xVtLm4s)\n", "9fQ2bD7xVtLm4s"),
        ("cookies=cookies; sid=9fQ2bD7xVtLm\n", "cookies; sid=9fQ2bD7xVtLm"),
        ("password: !vault S0mmer2026\n", "S0mmer2026"),
        ("<td>password</td><td>utf8mb4S0mmer</td>", "utf8mb4S0mmer"),
        ("Cookie: sid=9fQ2bD7xVtLm and some more words\n", "sid=9fQ2bD7xVtLm and some more words"),
    ],
)
def test_what_is_masked_all_the_same(text: str, secret: str) -> None:
    assert mask_text(text) == text.replace(secret, "*" * len(secret))


def test_a_directory_has_the_name_of_a_password() -> None:
    text = "PWD=/home/anna\n"
    assert is_plain_around(Value(text, 4, 14, "pwd", 0), "/home/anna")
    assert not is_plain_around(Value(text, 4, 14, "pwd", 0), "9fQ2bD7xVtLm")
