"""Secrets in coloured logs: raw, and escaped in JSON, C and shells."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support.said_ways import cut_anywhere, is_left, shown_ways

from wireproof.redact.colours import has_colours, without_colours
from wireproof.redact.secrets import find, mask_text

SECRETS = ("9fQ2bD7xVtLm4sKp8RwZ", "S0mmer2026")
TEXTS = [
    "\x1b[32mAPI_KEY\x1b[0m=\x1b[33m{}\x1b[0m\n",
    "\x1b[36mINFO\x1b[0m[0000] login  \x1b[36mpassword\x1b[0m={} \x1b[36muser\x1b[0m=anna\n",
    '    \x1b[35mapiKey\x1b[39m: \x1b[32m"{}"\x1b[39m\n',
    "{ user: \x1b[32m'anna'\x1b[39m, password: \x1b[32m'{}'\x1b[39m }",
    "\x1b[38;5;208mpassword\x1b[m\x1b[K: {}\n",
    "\x1b[1mmysql://anna\x1b[0m:{}@db/a",
]
WRITTEN: dict[str, Callable[[str], str]] = {
    "raw": str,
    "JSON": lambda text: json.dumps({"a": text}),
    "C": lambda text: text.replace("\x1b", "\\x1b"),
    "octal": lambda text: text.replace("\x1b", "\\033"),
    "a shell": lambda text: text.replace("\x1b", "\\e"),
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_left(text: str, way: str, secret: str) -> None:
    whole = WRITTEN[way](text.replace("{}", secret))
    assert mask_text(whole) == whole.replace(secret, "*" * len(secret))
    for carrier, shown in shown_ways(whole):
        assert not is_left(secret, shown), carrier
    for shown in cut_anywhere(whole):
        assert not is_left(secret, shown)


def test_a_text_without_its_colours() -> None:
    text = "\x1b[1;31ma\x1b[0m\\u001b[Kb\\\\x1B(B c[0m"
    assert has_colours(text) and without_colours(text).text == "ab c[0m"
    assert not has_colours("a[0m]")


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mERROR\x1b[0m password is required\n",
        "\x1b[36mpassword\x1b[0m: \x1b[33mrequired\x1b[0m",
        "\x1b[33mtoken\x1b[39m: \x1b[2mexpired\x1b[22m",
        "const \x1b[33mpassword\x1b[0m = \x1b[36mgetpass\x1b[0m()",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert find(text) == []
    assert mask_text(json.dumps({"a": text})) == json.dumps({"a": text})
