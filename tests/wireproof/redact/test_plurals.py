"""Several values under a name that is a plural."""

from __future__ import annotations

import re

import pytest
from support.said_ways import cut_anywhere, is_left, shown_ways

from wireproof.redact.plurals import LISTED, rest_of_list, strings_of
from wireproof.redact.secrets import Finder, mask_spans, mask_text

SECRETS = ("S0mmer2026", "9fQ2bD7xVtLm4sKp8RwZ")
FORMS = [
    'psk="{}"',
    "psk={}",
    'wpa_psk="{}"',
    '  psk="{}"',
    "PASSWORDS={},b",
    "PASSWORDS=abcdef12,{}",
    "PASSWORDS=abcdef12,{},Zq7vLw9x",
    "API_KEYS={},Zq7vLw9xKt3n",
    "API_KEYS=Zq7vLw9xKt3n,{}",
    "API_KEYS=Zq7vLw9xKt3n;{}",
    'export API_KEYS="Zq7vLw9xKt3n,{}"',
    "api_keys: Zq7vLw9xKt3n, {}",
    'passwords = ["abcdef12", "{}"]',
    'passwords = ("abcdef12", "{}")',
    'passwords = {"abcdef12", "{}"}',
    "passwords = (\"abcdef12\", '{}')",
    "passwords = ['abcdef12', '{}']",
    "passwords = [\n  'abcdef12',\n  '{}',\n]",
    'passwords = [\n  "abcdef12",\n  "{}",\n]',
    "API_KEYS = ('Zq7vLw9xKt3n', '{}')",
    "API_KEYS = {'Zq7vLw9xKt3n', '{}'}",
    "$passwords = array('abcdef12', '{}');",
    "$passwords = ['abcdef12', '{}'];",
    'passwords := []string{"abcdef12", "{}"}',
    'String[] passwords = {"abcdef12", "{}"};',
    'var passwords = new[] { "abcdef12", "{}" };',
    'List<String> passwords = List.of("abcdef12", "{}");',
    'passwords = new List<string> { "abcdef12", "{}" };',
    'let passwords = vec!["abcdef12", "{}"];',
    'const PASSWORDS: &[&str] = &["abcdef12", "{}"];',
    "passwords = %w[abcdef12 {}]",
    "my @passwords = qw(abcdef12 {});",
    'val passwords = listOf("abcdef12", "{}")',
    'val passwords = Seq("abcdef12", "{}")',
    "passwords: [abcdef12, {}]",
    'passwords: ["abcdef12", "{}"]',
    "passwords:\n- abcdef12\n- {}\n",
    'passwords:\n  - "abcdef12"\n  - "{}"\n',
    "api_keys:\n  - Zq7vLw9xKt3n\n  - {}\n",
    '{"passwords": ["abcdef12", "{}"]}',
    '{"passwords":"abcdef12,{}"}',
    '{"API_KEYS": "Zq7vLw9xKt3n,{}"}',
    'passwords=("abcdef12" "{}")',
    'declare -a passwords=("abcdef12" "{}")',
    '(setq passwords \'("abcdef12" "{}"))',
    'secrets = { db = "{}" }',
    'passwords = { anna = "{}" }',
    "passwords = { 'anna': '{}' }",
    'PASSWORDS = {"anna": "{}", "bob": "abcdef12"}',
    'passwords = dict(anna="{}")',
    'passwords = frozenset({"{}"})',
    'passwords = set(["{}"])',
    'passwords = {\n    "anna": "{}",\n}',
]
LONG = [
    'tokens = ("{}", "Zq7vLw9xKt3n")',
    "tokens = ['{}']",
    "tokens:\n  - Zq7vLw9xKt3n\n  - {}\n",
    'tokens = new[] { "{}" };',
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_left(form: str, secret: str) -> None:
    text = form.replace("{}", secret)
    for way, shown in shown_ways(text):
        assert not is_left(secret, shown), way
    for shown in cut_anywhere(text):
        assert not is_left(secret, shown)


@pytest.mark.parametrize("form", LONG)
def test_values_of_names_that_are_words_are_long(form: str) -> None:
    text = form.replace("{}", SECRETS[1])
    assert SECRETS[1] not in mask_text(text)
    assert not is_left(SECRETS[1], "".join(shown for way, shown in shown_ways(text)))


@pytest.mark.parametrize(
    "opens, border, closes",
    [
        ("passwords = (", '"{}", ', ")"),
        ("PASSWORDS=", "{},", "\n"),
        ("passwords = qw(", "{} ", ")"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 7, 16, 97])
def test_long_lists_that_are_cut_anywhere(opens: str, border: str, closes: str, size: int) -> None:
    items = "".join(border.replace("{}", f"item{number:04}") for number in range(60))
    text = f"a {opens}{items}{closes} b"
    finder = Finder()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    shown = "".join(mask_spans(one, finder.feed(one)) for one in pieces)
    assert re.search(r"item\d\d", shown) is None
    assert shown.endswith(" b") and "item" not in mask_text(text)


def test_what_tells_how_a_list_goes_on() -> None:
    for text, kept in (
        ('s = ("a", "b', ("s = (", '"x1","b')),
        ('s = ("a", ', ("s = (", '"x1",, ')),
        ("s=ab,cd", ("s=", "sample1,cd")),
        ("s = qw(ab cd", ("s = qw(", "x1 cd")),
    ):
        match = re.compile(f"s{LISTED}").match(text)
        assert match is not None and match.lastgroup is not None
        before, last = rest_of_list(match, match.lastgroup)
        assert before + last == "".join(kept)
        assert strings_of(match, match.lastgroup)


@pytest.mark.parametrize(
    "text",
    [
        'passwords = get_passwords("a.txt")',
        'SECRETS = ("DB_PASSWORD", "API_KEY")',
        "max_tokens=1024, stop=5",
        "max_tokens=1024,2048",
        'required = ("password", "tokens")',
        "PASSWORDS=${A},${B}\n",
        'tokens = ("a", "bc", "hello")',
        "sessions=12,3\n",
        'secrets = ("DB_PASSWORD", "API_KEY2")',
        "api_keys=None,timeout=30\n",
        "keys=id,name,email2\n",
        'passwords = ("string", "required")',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_text(text) == text
