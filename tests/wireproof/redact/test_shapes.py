"""The table of tokens: each entry says whence it is, and finds what is made as its source says."""

from __future__ import annotations

import re
from datetime import date

import pytest

from wireproof.redact.secrets import mask_text
from wireproof.redact.shapes import Shape, token_shapes

HEX = "7f3a09d1c2b85e64" * 4
LETTERS = "Q7ZK2MWRX4NVB3JHTD6C5PLAYGFSE9U8" * 3
ALIKE = {shape.vendor: shape for shape in token_shapes()}


@pytest.mark.parametrize("shape", token_shapes(), ids=list(ALIKE))
def test_each_entry_is_dated_and_finds_its_tokens(shape: Shape) -> None:
    assert shape.source.startswith(("https://", "the help of "))
    assert shape.seen in ("page", "rules")
    assert date(2026, 11, 1) <= shape.date <= date(2030, 1, 1)
    for prefix in shape.prefixes:
        letters = LETTERS if re.match(shape.rest, "Q") else HEX
        for size in (shape.least, shape.least + 30):
            token = prefix + letters[:size]
            assert mask_text(f"is {token}, they say") == f"is {'*' * len(token)}, they say"
        assert mask_text(f"is {prefix}, they say") == f"is {prefix}, they say"


# As vendors and the public rules of detectors describe them; none of these was ever given out.
MADE_UP = [
    "sk-ant-api03-" + LETTERS[:93] + "AA",
    "sk-proj-" + LETTERS[:74] + "T3BlbkFJ",
    "sk_prod_" + LETTERS[:24],
    "glrt-t1_" + LETTERS[:27] + ".0a" + "1b2c3d4",
    "glcbt-64_" + LETTERS[:20],
    "glffct-" + LETTERS[:20],
    "github_pat_" + LETTERS[:22] + "_" + LETTERS[:59],
    "xapp-1-" + LETTERS[:11] + "-1234567890123-" + LETTERS[:64].lower(),
    "xoxe.xoxp-1-" + LETTERS[:90],
    "SG." + LETTERS[:22] + "." + LETTERS[:43],
    "api_org_" + LETTERS[:34],
    "r8_" + LETTERS[:37],
    "shpss_" + "0123456789abcdef" * 2,
]


@pytest.mark.parametrize("token", MADE_UP)
def test_tokens_as_they_are_described(token: str) -> None:
    assert mask_text(f"({token})") == f"({'*' * len(token)})"
