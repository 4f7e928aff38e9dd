"""Secrets as agents, their tools and their frameworks write them, and what looks like one."""

from __future__ import annotations

import pytest

from wireproof.redact.fields import secret_spans
from wireproof.redact.logins import login_spans
from wireproof.redact.patterns import patterns
from wireproof.redact.secrets import MAX_CONTEXT, Finder, mask_spans, mask_text

SECRET = "9fQ2bD7xVtLm4sKp8RwZ"
TEXTS = {
    # what FastAPI says of a value that is not valid
    "a value that is not valid": '{"type":"string_too_short","loc":["body","password"],'
    '"msg":"String should have at least 32 characters","input":"{}","ctx":{"min_length":32}}',
    "the same in a string": '{"detail":"[{\\"loc\\":[\\"query\\",\\"api_key\\"], '
    '\\"msg\\":\\"Value error\\", \\"input\\": \\"{}\\"}]"}',
    # members between a name and its value
    "a variable with a description": '{"name":"API_KEY","description":"Yours","isSecret":true,'
    '"value":"{}"}',
    "a cookie": '{"name":"session","path":"/","value":"{}"}',
    "a token by its short name": '{"key":"token","value":"{}","type":"string"}',
    "a variable with much about it": '{"name":"API_KEY","description":"'
    + "Where to find it. " * 6
    + '","format":"text","default":null,"isRequired":true,"value":"{}"}',
    # how names and values are apart
    "JSON in columns": '{"password"          :            "{}"}',
    "a value on its own line": '{"client_secret":\n                "{}"}',
    "Gson": '{"url":"https://a/?token\\u003d{}\\u0026a\\u003db"}',
    "bold text": "**Password:** {}\n",
    "code in Markdown": "`API_KEY`: `{}`",
    "Rust": 'Config { api_key: Some("{}") }',
    "a block of two lines": "db:\n  private_key: |\n    first line\n    {}\n  port: 1\n",
    "a field for passwords": '<input type="password" id="p" value="{}">',
    # names
    "a hint": "/logout?id_token_hint={}",
    "an assertion": "grant_type=jwt-bearer&assertion={}",
    "a token against forgery": '{"csrf":"{}"}',
    "metadata of an authorization server": '{"authorization":"{}","authorization_endpoint":"https://a"}',
}


@pytest.mark.parametrize("place", TEXTS)
def test_a_secret_is_masked(place: str) -> None:
    """Whole, and cut anywhere inside it, and before it if its name is near."""
    before, _, after = TEXTS[place].partition("{}")
    whole = before + SECRET + after
    shown = mask_text(whole)
    assert shown.startswith(before[:6]) and "*" * len(SECRET) in shown
    is_far = len(before) > MAX_CONTEXT
    for cut in range(len(before) + is_far, len(whole) + 1):
        finder = Finder()
        pieces = [mask_spans(one, finder.feed(one)) for one in (whole[:cut], whole[cut:])]
        assert [at for at in range(12) if SECRET[at : at + 8] in "".join(pieces)] == []


def test_the_password_of_a_url_in_pieces() -> None:
    finder = Finder()
    text = f'{{"connection": "postgres://anna:{SECRET}@db:5432/a"}}'
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
    shown = "".join(mask_spans(one, finder.feed(one)) for one in pieces)
    assert shown == text.replace(SECRET, "*" * len(SECRET))


@pytest.mark.parametrize(
    "text",
    [
        '{"error":{"code":"context_length_exceeded","type":"invalid_request_error"}}',
        '{"properties":{"password":{"type":"string","description":"At least eight"},'
        '"api_key":{"description":"Of the account","type":"string"}},"required":["password"]}',
        '{"authorization_endpoint":"https://a/b","authorization_servers":["https://a"]}',
        '{"loc":["body","password"],"msg":"Field required","input":{"user":"anna"}}',
        '{"loc":["body","name"],"msg":"too short","input":"Annabelle Smithson"}',
        '{"name":"password","type":"string","required":true}',
        "http://localhost:8000",
        "ws://127.0.0.1:9000/a",
        '<input type="text" name="q" value="hello there, everyone">',
        "db:\n  port: |\n    1234\n  host: a\n",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_text(text) == text


def test_a_schema_may_hold_a_secret_all_the_same() -> None:
    text = f'{{"db_password":{{"value":"{SECRET}","type":"string","sensitive":true}}}}'
    assert mask_text(text) == text.replace(SECRET, "*" * len(SECRET))


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"api_key","path":"/","value":"%s"}',
        '{"loc":["body","api_key"],"msg":"too short","input":"%s"}',
    ],
)
def test_a_name_apart_from_its_value_may_be_kept(text: str) -> None:
    text %= SECRET
    assert mask_text(text, patterns(keep=frozenset({"api_key"}))) == text
    keeps_another = Finder(patterns(keep=frozenset({"password"})))
    cut = text.index(SECRET) + 5
    pieces = [mask_spans(one, keeps_another.feed(one)) for one in (text[:cut], text[cut:])]
    assert "".join(pieces) == text.replace(SECRET, "*" * len(SECRET))


def test_a_block_ends_with_its_indentation() -> None:
    text = "a:\n  password: |\n    one\n    two\n  port: 1234\n"
    assert mask_text(text).replace("*", "") == "a:\n  password: |\n    \n  port: 1234\n"


def test_binary_metadata_of_grpc() -> None:
    assert secret_spans("x-auth-token-bin", "YWJj", "headers") == [(0, 4)]


def test_the_password_that_redis_is_to_require() -> None:
    command = b"*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$11\r\nrequirepass\r\n$20\r\n%s\r\n"
    said = command % SECRET.encode()
    assert [said[start:end] for start, end in login_spans(said)] == [SECRET.encode()]
