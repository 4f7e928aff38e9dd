"""Labels, prose and messages that tell a secret by what stands between its name and it."""

from __future__ import annotations

import json

import pytest
from support.said_ways import cut_anywhere, is_left, shown_ways

from wireproof.redact.secrets import mask_text

SECRETS = ("S0mmer2026", "9fQ2bD7xVtLm4sKp8RwZ")
TAGS = [
    "<b>Password:</b> {}",
    "<b>Password</b>: {}",
    "<strong>API key:</strong> <code>{}</code>",
    "<p><strong>Password:</strong> {}</p>",
    "<dt>Password</dt><dd>{}</dd>",
    "<dt>Password</dt>\n<dd>{}</dd>",
    "<dt><b>API key</b></dt><dd><code>{}</code></dd>",
    "<tr><td>Password</td><td>{}</td></tr>",
    "<td>Password:</td><td>{}</td>",
    "<th>Password</th>\n  <td>{}</td>",
    "<td>DB_PASSWORD</td><td>{}</td>",
    "<li>Password: {}</li>",
    "<label>Password</label><span>{}</span>",
    "<span>Password</span>: <span>{}</span>",
    '<password value="{}"/>',
    "<password value='{}' />",
    '<setting name="password" value="{}"/>',
    '<setting name="password"><value>{}</value></setting>',
    '<setting name="DbPassword" serializeAs="String">\n  <value>{}</value>\n</setting>',
    '<password type="plain">{}</password>',
    '<db-password value="{}"></db-password>',
    '<secret key="{}"/>',
    '<apiKey value="{}" />',
    '<param name="password" value="{}"/>',
    '<entry key="password" value="{}"/>',
    '<entry key="password">{}</entry>',
    '<Parameter Name="password">{}</Parameter>',
    '<user name="anna" password="{}"/>',
    "<p>Your password is <b>{}</b></p>",
    "<p>Your new password is: <code>{}</code></p>",
    "<p>The API key for the test is <code>{}</code>.</p>",
    "Password:<br/>\n{}",
    "Password:<br />{}<br />",
]
SIGNS = [
    "Password → {}",
    "Password => {}",
    "Password -> {}",
    "- **Password** - {}",
    "- **Password** – {}",
    "- **Password** — {}",
    "- Password - {}",
    "**Password** → {}",
    "`DB_PASSWORD` → `{}`",
    "DB_PASSWORD → {}",
    "API key → {}",
    "| Password | {} |",
    "| password | {} | of the database |",
    "|Password|{}|",
    "| **Password** | `{}` |",
    "Password:\n    {}\n",
    "Password:\n\n    {}\n",
    "Password:\n  {}",
    "Your password:\n\n    {}\n\nbye",
    "**Password:**\n\n    {}\n",
    "Admin password:\n\t{}\n",
    "* Password: {}",
    "1. Password: {}",
    "Password .......: {}",
    "Password........ {}",
    "Password     : {}",
    "Password = {}",
]
PROSE = [
    "password set to {}",
    "Password reset to {}.",
    "Please set OPENAI_API_KEY to {}",
    "Set `API_KEY` to `{}`",
    'set "DB_PASSWORD" to "{}".',
    "my password's {}",
    "the admin password's {}, please change it",
    "Password (temporary): {}",
    "Password (for root): {}",
    "Password [staging]: {}",
    "API key [test-2]: {}",
    "*Password:* {}",
    "_Password:_ {}",
    "*API key:* {}",
    "The API key is:\n\n{}\n\nBye",
    "The password is:\n{}\n",
    "The API key for the test is:\n\n    {}\n",
    "Here is the password for the portal:\n\n```\n{}\n```\n",
    "Your new password is:\n\n```text\n{}\n```\n",
]
PROSE += [
    "The password is now {}.",
    "Your password is now {}",
    "The new password is {}.",
    "log in as anna with password {}",
    "log in as anna with the password {}.",
    "Sign in as admin / password {}",
    "The password has been changed to {}.",
    "the password was changed to {}",
    "I changed the password to {}",
    "I set the password to {}",
    "We have reset your password to {}.",
    "pass phrase: {}",
    "passphrase: {}",
    "Passphrase = {}",
    "pass-phrase: {}",
    "The passphrase is {}",
    "The pass phrase is {}.",
    "user anna, password {}",
    "username: anna, password: {}",
    "Username: anna Password: {}",
    "password will be {}",
    "the password should be {}",
    'password "{}"',
    "password of the database: {}",
    "password for anna: {}",
    "Password for user anna is {}",
    "The root password equals {}",
    "with the password {} and",
    "using password {}",
    "using the API key {}",
    "your temporary password {} expires soon",
]
FORMS = TAGS + SIGNS + PROSE


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_left(form: str, secret: str) -> None:
    text = form.replace("{}", secret)
    in_json = json.dumps({"a": f"b\n{text} and more"})
    in_utf8 = text.encode().decode("latin-1")
    assert not is_left(secret, mask_text(in_json))
    assert not is_left(secret, mask_text(json.dumps({"b": in_json})))
    for way, shown in shown_ways(in_utf8) if text.isascii() else [("whole", mask_text(in_utf8))]:
        assert not is_left(secret, shown), way
    for shown in cut_anywhere(in_utf8):
        assert not is_left(secret, shown)


@pytest.mark.parametrize(
    "form",
    [
        "Login with {} as password.",
        "Use {} as your new password",
        "{} is the password.",
        "{} is your new password",
        "Take {} as the API key",
    ],
)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_value_before_its_name(form: str, secret: str) -> None:
    text = form.replace("{}", secret)
    for one in (text, json.dumps({"a": f"b\n{text}"})):
        assert mask_text(one) == one.replace(secret, "*" * len(secret))


@pytest.mark.parametrize(
    "text",
    [
        "<label>Password</label><input type=password name=p>",
        "<dt>Password</dt><dd>At least 12 characters.</dd>",
        "<th>Password</th><th>Created</th>",
        "<b>Password:</b> required, <b>Token:</b> sha256",
        '<password type="string"/> <password minLength="12"/>',
        '<input name="password" placeholder="Password"/> <secret name="db2"/>',
        "- **Password** - at least 12 characters\n- **Token** - HS256\n",
        "Password -> bcrypt, password => argon2",
        "| Password | Token |\n|---|---|\n| required | string |\n",
        "| password | varchar(255) | 2026-11-30 |",
        "The password is now stored in the vault. The token is now 30minutes old.",
        "The password has been changed to something longer.",
        "Log in with the password that you set. Log in with password authentication.",
        "GET /reset-password HTTP/1.1",
        "a password of the database: none, a password for anna: unknown",
        "Password123 is a bad password; sha256 is the password hash.",
        "Password authentication failed for user: anna2024",
        "Password:\n\n    at least eight\n",
        "- **Session** - PyCon2026\n- **Signature** - RSA-PSS-2048\n",
        "<b>Password</b> field2name, <h3>Token</h3><p>Base64url encoded</p>",
        '<secret key="db1"/> <password value="${db.password}"/>',
        "with secret db-credentials2 in namespace prod2",
        "Password:* required\nConfirm password:* required\n",
        "Password (8-20 characters): required, password (optional): none\n",
        "The password is:\n\n    at least eight\n",
        "The private key is:\n\n    /etc/app/key1234.pem\n",
        "The API key is:\n\n    config.v2.json\n",
        "The password's 12characters long. The secret's SHA-256 is below.",
        "the password's level2hash is wrong",
        "<p>Your password is <b>12 characters</b> long, <b>AES-256</b> encrypted</p>",
        "password set to expire, password reset to default",
        "Set PASSWORD_HASHER to argon2id",
        "new password policy2026 applies",
        "OAuth2.1 is your new password flow.",
        "credentials are in /etc/app1, login: see page/42",
        "ssh login -p 2222, login page -p option2",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_text(text) == text
    in_json = json.dumps({"a": text})
    assert mask_text(in_json) == in_json
