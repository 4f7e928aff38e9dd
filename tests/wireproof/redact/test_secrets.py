"""What is taken for a secret, in one piece and in many."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.redact.secrets import Finder, find, mask_spans, mask_text, merged

KEY = "sk-proj-abcdefghijklmnop"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl_-"
STARS = "*" * len(KEY)

FIELD = "--B\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n--B--\r\n"
"""A part of a form (RFC 7578)."""

SECRET = [
    (KEY, STARS),
    (f"my key is {KEY}, ok", f"my key is {STARS}, ok"),
    (f'{{"text":"a\\n{KEY}"}}', f'{{"text":"a\\n{STARS}"}}'),
    (f'"\\u000a{KEY}"', f'"\\u000a{STARS}"'),
    (f"?u=x%3D{KEY}&a=b", f"?u=x%3D{STARS}&a=b"),
    (f"say {JWT}.", "say " + "*" * len(JWT) + "*"),
    ('{"api_key": "my secret, yes", "n": 1}', '{"api_key": "**************", "n": 1}'),
    ('{"password":"a\\"b"}', '{"password":"****"}'),
    ('{\\"api_key\\": \\"abcde\\", \\"b\\": 1}', '{\\"api_key\\": \\"*****\\", \\"b\\": 1}'),
    ("/x?api_key=12345&b=2", "/x?api_key=*****&b=2"),
    ("OPENAI_API_KEY=abc", "OPENAI_API_KEY=***"),
    ("https%3A%2F%2Fx%3Fapi_key%3Dabc", "https%3A%2F%2Fx%3Fapi_key%3D***"),
    ("Authorization: Bearer abc.def", "Authorization: Bearer *******"),
    ("bearer abcdefgh12", "bearer **********"),
    ("Cookie: a=1; b=2\nHost: x", "Cookie: ********\nHost: x"),
    ("https://user:pw@host/", "https://user:**@host/"),
    ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END", "-----BEGIN PRIVATE KEY-----******-----END"),
    ("accessToken: 'a b'", "accessToken: '***'"),
    ("token=abcdefghijkl", "token=************"),
    ("secret: ключ", "secret: ********"),
    ('{"api_key": ["abc", "d]e"], "n": ["x"]}', '{"api_key": ["***", "***"], "n": ["x"]}'),
    ('{"passwords":["a\\"b",\n "c"],"n":1}', '{"passwords":["****",\n "*"],"n":1}'),
    ('{"secret": [["a"], ["b", "c"]], "n": "x"}', '{"secret": [["*"], ["*", "*"]], "n": "x"}'),
    ('{"cookies": [{"name": "a", "v": "bc"}]}', '{"cookies": [{"name": "*", "v": "**"}]}'),
    ('{"token": ["short", "abcdefghijkl"]}', '{"token": ["short", "************"]}'),
    ('{"api_tokens": ["abcdefghijkl", "b"]}', '{"api_tokens": ["************", "b"]}'),
    ('{\\"api_key\\": [\\"abc\\", \\"d\\"], 1}', '{\\"api_key\\": [\\"***\\", \\"*\\"], 1}'),
    (FIELD.format('name="password"', "hunter2"), FIELD.format('name="password"', "*******")),
    (
        FIELD.format('name="user[api_key]"; filename="a"\r\nContent-Type: x/y', "a\r\n-b"),
        FIELD.format('name="user[api_key]"; filename="a"\r\nContent-Type: x/y', "*****"),
    ),
    (FIELD.format("NAME=Secret; x", "a b"), FIELD.format("NAME=Secret; x", "***")),
    ('{"user_token": "ab", "n": 1}', '{"user_token": "**", "n": 1}'),
    ('{"sessionState":"ab","sortKey":"cd"}', '{"sessionState":"**","sortKey":"cd"}'),
    ("?x_signature=ab&my-credentials=c+d", "?x_signature=**&my-credentials=***"),
    (
        "<login><user>a</user><Password>b c</Password></login>",
        "<login><user>a</user><Password>***</Password></login>",
    ),
    (
        "<w:my-password Type='x'>b c</w:my-password> <n>d</n>",
        "<w:my-password Type='x'>***</w:my-password> <n>d</n>",
    ),
    ("<secret><![CDATA[b c]]></secret>", "<secret><![CDATA[***]]></secret>"),
    (
        "<token>abcdefghijkl</token><token>short</token>",
        "<token>************</token><token>short</token>",
    ),
    (FIELD.format("name=token", "abcdefghijkl"), FIELD.format("name=token", "*" * 12)),
    (FIELD.format("name*=utf-8''password", "ab"), FIELD.format("name*=utf-8''password", "**")),
    ("user[password]=abc&user[n]=1", "user[password]=***&user[n]=1"),
    ("a%5Bpassword%5D=abc&b=1", "a%5Bpassword%5D=***&b=1"),
    ("?next=%252Fa%253Fsecret%253Dabc", "?next=%252Fa%253Fsecret%253D***"),
    ('Parameters: {"password"=>"a b"}', 'Parameters: {"password"=>"***"}'),
    ("password: >-\n  a b c\nport: 1", "password: >-\n  *****\nport: 1"),
    ("password: |\n    a\n", "password: |\n    *\n"),
    ('secret = """\nabc"""\nn = 1', 'secret = """\n***"""\nn = 1'),
    ("secret = '''abc'''", "secret = '''***'''"),
    (
        '{"apiKeys": {"n": 1, "a": "bc", "d":"e\\"f"}, "g": "h"}',
        '{"apiKeys": {"n": 1, "a": "**", "d":"****"}, "g": "h"}',
    ),
    (
        '{"client_secret": {"value": "abc", "expires": 1}, "g": "h"}',
        '{"client_secret": {"value": "***", "expires": 1}, "g": "h"}',
    ),
    ("curl -u anna:abc http://a", "curl -u anna:*** http://a"),
    ("--user 'anna:abc' -v", "--user 'anna:***' -v"),
    ("machine a login anna password abc\n", "machine a login anna password ***\n"),
    (
        '<input name="csrf_token" type="hidden" value="abc">',
        '<input name="csrf_token" type="hidden" value="***">',
    ),
    ("<meta name='csrf-token' content='abc' />", "<meta name='csrf-token' content='***' />"),
    ('<add key="Db.Password" value="abc"/>', '<add key="Db.Password" value="***"/>'),
    ('<property name="db.password">a b</property>', '<property name="db.password">***</property>'),
    ('<input name="token" value="abcdefghijkl">', '<input name="token" value="************">'),
    ("otp=123456&a=b", "otp=******&a=b"),
    ("code_verifier=abc&client_assertion_type=urn", "code_verifier=***&client_assertion_type=urn"),
    ("redis://:abc@h:1/0", "redis://:***@h:1/0"),
    ("u=https%3A%2F%2Fanna%3Aabc%40h", "u=https%3A%2F%2Fanna%3A***%40h"),
    ("token[]=abcdefghijkl&secret%5B%5D=ab", "token[]=************&secret%5B%5D=**"),
    ("ALTER USER anna PASSWORD 'abc';", "ALTER USER anna PASSWORD '***';"),
    ("tool --db-password abc --token 'def'", "tool --db-password *** --token '***'"),
    (
        '{"Key": "db_password",\n                 "Value": "abc"}',
        '{"Key": "db_password",\n                 "Value": "***"}',
    ),
    (
        '{"key":"http.header.authorization","value":{"stringValue":"a b"}}',
        '{"key":"http.header.authorization","value":{"stringValue":"***"}}',
    ),
    (
        '[{"op":"add","path":"/a/password","value":"abc"}]',
        '[{"op":"add","path":"/a/password","value":"***"}]',
    ),
    ("- name: DB_PASSWORD\n  value: abc\n", "- name: DB_PASSWORD\n  value: ***\n"),
    ("<key>password</key>\n <string>a b</string>", "<key>password</key>\n <string>***</string>"),
    (
        "<name>api_key</name><value><string>ab</string>",
        "<name>api_key</name><value><string>**</string>",
    ),
    ('h.set("X-Api-Key", "abcdef123456")', 'h.set("X-Api-Key", "************")'),
    ("\x81\xa8password\xa5abcde\xa1n", "\x81\xa8password\xa5*****\xa1n"),
    ("\x02password\0\x06\0\0\0abcde\0", "\x02password\0\x06\0\0\0*****\0"),
    ("\n\x08password\x12\x05abcde\n", "\n\x08password\x12\x05*****\n"),
]

HARMLESS = [
    '{"session_count": 12, "retry_token": 5.5, "cache-key": null}',
    "<b>secret</b> <password/> <passwords></passwords>\n<user>bob</user>",
    "This is a large language model being streamed.",
    "task-force-of-many-people and disk-utilisation",
    "sk-learn is a library",
    '{"max_tokens": 100, "token": " hello", "tokens": ["a"]}',
    '{"password": null, "secret": false}',
    "http://localhost:8000/stream?key=short&x=1",
    "Basic information about bearers of news",
    '{"usage": {"completion_tokens": 12}, "finish_reason": "stop"}',
    "eyJ is how JSON begins in base64 ",
    '{"token": ["short", "and some words with spaces"], "keys": ["a"], "api_key": []}',
    FIELD.format('name="key"', "short"),
    FIELD.format('name="note"; filename="password.txt"', "read me"),
    FIELD.format('name="password"', ""),
    '{"session": {"id": "a", "model": "b"}, "apiKeys": {}, "secrets": {"n": 1}}',
    "docker run -u 1000:1000 nginx",
    "<label name=\"password\">Password</label> <input type='password' name='password'>",
    '<input name="token" value="short"> <a name="key" href="/value">b</a>',
    "please login with your password today",
    "passwords \xe4 la carte",
    '{"required": ["password", "email_address", "api_key", "query"]}',
    "https://a.example/@anna and http://localhost:8000/b@c, anna@example.org",
    "--- a long -- dash --and an --option with --key",
    '{"name": "city", "value": "Oslo"}, {"path": "/a", "value": "b"}',
    "<key>name</key><string>a</string>",
]


@pytest.mark.parametrize("text, masked", SECRET)
def test_what_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked
    assert len(masked.encode()) == len(text.encode())


def test_a_token_that_is_all_of_userinfo() -> None:
    """Only the "@" after it tells."""
    assert (
        mask_text(f"git clone https://{'ab' * 8}@h/a.git")
        == f"git clone https://{'*' * 16}@h/a.git"
    )


def test_an_address_that_is_a_secret() -> None:
    """Its beginning is everyone's."""
    hook = "hooks.slack.com/services/T0/B0/abcdefghijklmnopq"
    assert mask_text(f"https://{hook} ") == f"https://{'*' * len(hook)} "


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_not(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize("text, masked", SECRET)
def test_a_secret_cut_anywhere_is_masked_in_both_pieces(text: str, masked: str) -> None:
    for cut in range(1, len(text)):
        finder = Finder()
        pieces = text[:cut], text[cut:]
        found = "".join(mask_spans(piece, finder.feed(piece)) for piece in pieces)
        shown = _shown(text, masked, found)
        # What shows is at most the prefix of a key, or a password whose "@" comes later.
        assert len(shown) <= 7, (cut, found)


@pytest.mark.parametrize("text, masked", SECRET)
def test_a_secret_that_comes_byte_by_byte(text: str, masked: str) -> None:
    finder = Finder()
    found = "".join(mask_spans(char, finder.feed(char)) for char in text)
    assert len(_shown(text, masked, found)) <= 7


def _shown(text: str, masked: str, found: str) -> str:
    if len(masked) != len(text):  # characters of several bytes
        return "" if "ключ" not in found else "ключ"
    return "".join(
        seen for seen, wanted, was in zip(found, masked, text, strict=True)
        if wanted == "*" and seen == was
    )  # fmt: skip


def test_what_follows_a_secret_that_was_cut_is_shown() -> None:
    finder = Finder()
    pieces = ["x " + KEY[:10], KEY[10:], " and more ", "text"]
    found = [mask_spans(piece, finder.feed(piece)) for piece in pieces]
    assert "".join(found) == f"x {STARS} and more text"


def test_a_long_array_is_masked_to_its_end() -> None:
    """However it is cut, and though it is longer than what is remembered of it."""
    strings = [f'"{"a1" * (number % 90)}"' for number in range(200)]
    text = '{"api_keys": [' + ", ".join(strings) + '], "n": "open"}'
    for size in (3, 7, 60, 1_000):
        finder = Finder()
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        found = "".join(mask_spans(piece, finder.feed(piece)) for piece in pieces)
        assert "a1" not in found, size
        assert found == text.replace("a1", "**"), size


def test_a_long_form_field_is_masked_to_its_end() -> None:
    value = "\r\n".join(["some long line", "-- no delimiter"[2:]] * 300)
    text = FIELD.format('name="private_key"; filename="long"', value) + "the end"
    for size in (1, 2, 7, 60, 1_000):
        finder = Finder()
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        found = "".join(mask_spans(piece, finder.feed(piece)) for piece in pieces)
        assert "long line" not in found and "no delimiter" not in found, size
        assert found.endswith("-B--\r\nthe end"), size


def test_a_long_secret_is_masked_to_its_end() -> None:
    finder = Finder()
    pieces = ["x sk-", *["a1" * 500] * 20, " end"]
    found = "".join(mask_spans(piece, finder.feed(piece)) for piece in pieces)
    assert found == "x " + "*" * 20_003 + " end"


@pytest.mark.parametrize("end", ['x"', '\\"x"', '\\\\"'])
def test_a_quoted_secret_ends_at_its_quote_wherever_it_is_cut(end: str) -> None:
    text = '{"password": "' + "a" * 200 + end + ', "n": "open"}'
    for cut in range(15, len(text)):
        finder = Finder()
        pieces = text[:cut], text[cut:]
        found = "".join(mask_spans(piece, finder.feed(piece)) for piece in pieces)
        assert found.endswith('"open"}') and "aa" not in found


@given(st.lists(st.text(alphabet="sk-_apitoken:=\"' \\\nxyz1", max_size=30), max_size=8))
def test_spans_lie_in_their_piece(pieces: list[str]) -> None:
    finder = Finder()
    for piece in pieces:
        for start, end in finder.feed(piece):
            assert 0 <= start < end <= len(piece)


def test_spans_that_touch_become_one() -> None:
    assert merged([(5, 9), (0, 2), (2, 4), (6, 7)]) == [(0, 4), (5, 9)]
    assert merged([]) == []


HOSTILE = [
    "sk-", "eyJ", '"api_key', "://a:", "token=", "-----BEGIN ", 'api_key:"', "bearer ", "\\",
    "api_key=\\", "cookie: ", "secret=bearer ", "x_token'", '"api_key":["', '"token":[',
    '"key":["a",', "form-data;", 'form-data; name="', 'form-data; name="password"',
    "form-data; name=token\n", "passwords=(", "passwords=a,", 'passwords = ("a", ',
    "passwords={'a':", "<password value=", "<dt>password</dt>", "password</b>", "password - ",
    "password:\n\n ", "password has been ", "with password ", " as the password", "creds: a/",
    "mongosh -p", "login ", "<password>", "<password a", "password>", "<a:secret x='",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_time_is_linear(text: str) -> None:
    """Ten times as much takes less than fifty times as long: square would be a hundred."""

    def cost(size: int) -> float:
        whole = text * (size // len(text))
        start = process_time()
        find(whole)
        return process_time() - start

    small = min(cost(20_000) for _ in range(3))
    assert any(cost(200_000) < 50 * max(small, 0.0005) for _ in range(2))
