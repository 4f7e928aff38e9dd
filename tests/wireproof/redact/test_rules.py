"""What a user keeps and masks beside what is masked by default: in packets, records and exports."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.attack import request, response
from support.http2 import GET, OK, Http2Talk
from support.talk import Talk, Tape

from wireproof.cli import run
from wireproof.redact import Redactor, Rules, secret_spans
from wireproof.redact.patterns import patterns
from wireproof.redact.secrets import Finder, find, mask_spans

PERSONAL = [
    ("write to ann.lee+x@example.org now", "write to *********************** now"),
    ("?to=ann%40example.org&n=1", "?to=*****************&n=1"),
    ("card 4111 1111 1111 1111, ok", "card *******************, ok"),
    ("DE89 3704 0044 0532 0130 00.", "***************************."[:27] + "."),
    ("call +49 30 901820-123 soon", "call ***************** soon"),
    ("or (212) 555-0100.", "or **************."),
    ('{"ip":"203.0.113.9"}', '{"ip":"***********"}'),
    ("from 2001:db8::7 port", "from ************ port"),
    ("https://shop.example.org:8000/x", "https://****************:8000/x"),
    ('"https:\\/\\/a.example\\/x"', '"https:\\/\\/*********\\/x"'),
]
NOT_PERSONAL = [
    "1764398399123 1764398399123456789 4111 1111 1111 1112 and version 1.2.3",
    "at 12:34:56 std::vector<int> a::b DE88 3704 0044 0532 0130 00",
    "300.1.1.1 and 1.2.3.4.5",
]
EVERYTHING = patterns(is_personal=True)


@pytest.mark.parametrize("text, masked", PERSONAL)
def test_what_is_personal(text: str, masked: str) -> None:
    assert find(text) == []
    found = mask_spans(text, find(text, EVERYTHING))
    assert len(found) == len(text)
    assert re.sub(r"\*+", "*", found) == re.sub(r"\*+", "*", masked)


@pytest.mark.parametrize("text", NOT_PERSONAL)
def test_what_is_not(text: str) -> None:
    assert find(text, EVERYTHING) == []


@pytest.mark.parametrize("text", [text for text, _ in PERSONAL])
def test_personal_data_in_a_stream(text: str) -> None:
    finder = Finder(EVERYTHING)
    spans = finder.feed_fast(text)
    assert set(find(text, EVERYTHING)) <= set(_merged(spans))


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    from wireproof.redact.secrets import merged

    return merged(spans)


@pytest.mark.parametrize(
    "text",
    ["anna@a.example", "DE89370400440532013000", "(555) 123-4567", "192.0.2.9", "2001:db8::9"],
)
@pytest.mark.parametrize("before", ["\\n", "\\r\\n", "\\\\n", "\\u000a", "%0A"])
def test_personal_data_behind_an_escape(text: str, before: str) -> None:
    whole = f"a{before}{text} b"
    assert mask_spans(whole, find(whole, EVERYTHING)) == f"a{before}{'*' * len(text)} b"


@pytest.mark.parametrize(
    "text", ["a@", "+1", "4 ", "1.", "::", "a.", "://a", "%40", "AB12 ", "-", "(1"]
)
def test_long_texts_of_what_begins_personal_data(text: str) -> None:
    """Each is looked at in time that does not depend on what came before."""
    assert find(text * 20_000, EVERYTHING) is not None


def test_names() -> None:
    rules = Rules.wanted("all", ["Session_ID"], ["account", "x-tenant"], is_personal=False)
    text = '{"session_id": "abc", "user_session_id": "def", "account": "ghi", "accounts": "j"}'
    assert mask_spans(text, find(text, rules.patterns)) == (
        '{"session_id": "abc", "user_session_id": "***", "account": "***", "accounts": "j"}'
    )
    assert secret_spans("X-Tenant", "blue", rules) == [(0, 4)]
    assert secret_spans("Session_Id", "abc", rules) == []
    assert secret_spans("Cookie", "a=b", rules) == [(2, 3)]
    text = "<account>ghi</account><session_id>abc</session_id>"
    assert mask_spans(text, find(text, rules.patterns)) == text.replace("ghi", "***")


def test_a_kept_name_that_comes_byte_by_byte() -> None:
    finder = Finder(patterns(keep=frozenset(["session_id"])))
    text = '{"session_id": "abc", "my_session_id": "def"}'
    found = "".join(mask_spans(char, finder.feed(char)) for char in text)
    assert found == text.replace("def", "***")


def test_a_kept_name_does_not_keep_what_has_the_shape_of_a_token() -> None:
    found = patterns(keep=frozenset(["api_key"]))
    text = 'api_key="sk-proj-abcdefghijklmnop" api_key="abc"'
    assert mask_spans(text, find(text, found)) == text.replace("sk-proj-abcdefghijklmnop", "*" * 24)


@pytest.mark.parametrize("wrong", ["(", "a*", "(?:x)?"])
def test_expressions_that_are_none(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a regular expression|empty text"):
        Rules.wanted("all", [], [wrong], is_personal=False)


def capture(tmp_path: Path) -> Path:
    tape = Tape()
    talk = Talk(tape).open()
    body = json.dumps({"account": "blue-otter", "session_id": "kept-one", "by": "a@b.example"})
    fields = ("X-Forwarded-For: 203.0.113.9", f"Content-Length: {len(body)}", "X-Order: N-12345-6")
    talk.client(request("/?account=blue-otter", *fields, method="POST") + body.encode())
    talk.server(response("200 OK", "Content-Length: 0"))
    talk.close()
    path = tmp_path / "in.pcapng"
    path.write_bytes(tape.file())
    return path


SAID = (b"blue-otter", b"a@b.example", b"203.0.113.9", b"N-12345-6")
OPTIONS = ["--keep", "session_id", "--mask", "account", "--mask", r"N-\d{5}-\d", "--personal"]


@pytest.mark.parametrize(
    "command",
    [
        ["redact", "{in}", "-o", "{out}"],
        ["export", "{in}", "--redact", "--format", "har", "-o", "{out}"],
        ["export", "{in}", "--redact", "--format", "csv", "-o", "{out}"],
        ["report", "{in}", "--redact", "-o", "{out}"],
    ],
)
def test_every_output_obeys_the_same_rules(command: list[str], tmp_path: Path) -> None:
    source, output = capture(tmp_path), tmp_path / "out"
    words = [word.format(**{"in": source, "out": output}) for word in command]
    assert run([*words, *OPTIONS]) == 0
    text = output.read_bytes()
    assert [one for one in SAID if one in text] == []
    assert b"kept-one" in text or command[0] == "report"  # whose bodies are compressed


def test_http2_obeys_them_too(tmp_path: Path) -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, [*GET, ("x-tenant", "blue-otter")], ends=True))
    talk.say("server", talk.server.head(1, OK, ends=True))
    talk.talk.close()
    source, output = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    source.write_bytes(talk.talk.tape.file())
    assert run(["redact", str(source), "--mask", "x-tenant", "-o", str(output)]) == 0
    from wireproof import decode

    assert "blue-otter" in str(list(decode(source)))
    assert "blue-otter" not in str(list(decode(output)))


@pytest.mark.parametrize(
    "options, said",
    [
        (["--mask", "("], "--mask: '(' is not a regular expression"),
        (["--mask", "a b", "--headers-only"], "--mask: it looks into content"),
        (["--all-content", "--headers-only"], "--headers-only masks less than --all-content"),
        (["--personal", "--headers-only"], "--personal: it looks into content"),
    ],
)
def test_what_cannot_be_obeyed(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["redact", str(capture(tmp_path)), "-o", str(tmp_path / "out"), *options]
    assert run(words) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_records_obey_them_by_their_fields() -> None:
    rules = Rules.wanted("headers", ["authorization"], ["x-tenant"], is_personal=False)
    assert Redactor(rules).rules.masks_field("x-tenant")
    assert secret_spans("Authorization", "Bearer abc", rules) == []
