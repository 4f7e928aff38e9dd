"""The table of tokens: each entry says whence it is, and finds what is made as its source says."""

from __future__ import annotations

import re
from datetime import date
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.redact import patterns
from wireproof.redact.patterns import USUAL
from wireproof.redact.secrets import mask_text
from wireproof.redact.shapes import Shape, token_shapes

HEX = "7f3a09d1c2b85e64" * 4
LETTERS = "Q7ZK2MWRX4NVB3JHTD6C5PLAYGFSE9U8" * 3
ALIKE = {shape.vendor: shape for shape in token_shapes()}


MIXED = "k3J9mZ0qW7x5T2bV8nR4" * 4
SHAPED = {
    "Microsoft Entra ID: client secrets": MIXED[:3] + "8Q~" + LETTERS[:34],
    "Azure DevOps: personal access tokens": MIXED[:52] + "AAAA" + "AZDO4kJ2",
    "Azure: identifiable keys of its services": MIXED[:52] + "JQQJ99" + MIXED[:26],
    "Azure: keys of storage, Cosmos DB, Service Bus and others": MIXED[:76] + "+AStx4kJ2Q==",
    "Google: FCM server keys": "AAAA" + MIXED[:7] + ":APA91b" + MIXED + MIXED[:50],
    "Dagster": "dagster_agent_" + MIXED[:30],
    "Mollie, GoCardless, Lob": "live_" + MIXED[:30],
    "Paystack, ElevenLabs, Novita and others": "sk_" + HEX[:48],
    "Mercado Pago": "APP_USR-4934588586838432-112233-" + HEX[:32],
    "Alchemy, Coinbase": "alcht_" + MIXED[:28],
    "crates.io": "cio" + MIXED[:32],
    "Terraform Cloud": MIXED[:14] + ".atlasv1." + MIXED[:67],
    "HashiCorp Vault: before 1.10": "s." + MIXED[:24],
    "Infisical": "st." + HEX[:24] + "." + HEX[:32] + "." + HEX[:32],
    "Harness": "pat." + MIXED[:22] + "." + HEX[:24] + "." + MIXED[:20],
    "Authress": "scauth_" + MIXED[:24] + ".k3j9." + "acc_" + MIXED[:16] + "." + MIXED[:60],
    "Salesforce: sessions": "00D" + MIXED[:12] + "!AQ" + MIXED[:60] + "." + MIXED[:30],
    "Airtable": "pat" + MIXED[:14] + "." + HEX[:64],
    "ClickUp, Klaviyo, Courier": "pk_" + "12345678_" + LETTERS[:32],
    "Asana": "1/" + "1201234567890123:" + HEX[:32],
    "Mailchimp": HEX[:32] + "-us" + "14",
    "Mailchimp Transactional": "md-" + MIXED[:22],
    "Resend": "re_" + MIXED[:8] + "_" + MIXED[:24],
    "MaxMind": MIXED[:6] + "_" + MIXED[:29] + "_mmk",
    "New Relic: license keys": HEX[:32] + "FFFFNRAL",
    "Checkly, incident.io": "cu_" + HEX[:32],
    "LaunchDarkly": "sdk-" + "3f9a1c7e-5b2d-4e8f-9a6b-7c1d2e3f4a5b",
    "Statsig": "secret-" + MIXED[:43],
    "Retool, n8n, Pipedream": "retool_" + MIXED[:30],
    "Dify": "app-" + MIXED[:24],
    "Modal": "ak-" + MIXED[:22],
    "Nomic": "nk-" + MIXED[:43],
    "Upstage": "up_" + MIXED[:29],
    "Cursor, Factory, Warp": "wk-1." + HEX[:64],
    "Pangea, Arcade": "pts_" + MIXED[:32],
    "Pipedream: addresses of webhooks": "eo" + MIXED[:13].lower() + ".m.pipedream.net",
    "Dropbox": "sl." + "u." + MIXED + MIXED[:50],
    "Convex": "prod:adjective-animal-123|" + MIXED,
    "Macaroons of version 1": "MDAxY2xvY2F0aW9u" + MIXED,
    "Chroma Cloud": "ck-" + MIXED[:44],
    "Composio": "ak_" + MIXED[:20],
    "Rancher: tokens of its API": "token-k3j9m:" + HEX[:54],
    "Matrix: Synapse": "syt_YW5uYQ_" + LETTERS[:20] + "_0aB1cD",
    "Twitch: chat": "oauth:" + HEX[:30],
    "Okta": "00" + MIXED[:40],
    "Bitwarden Secrets Manager": "0.3f9a1c7e-5b2d-4e8f-9a6b-7c1d2e3f4a5b."
    + MIXED[:30]
    + ":"
    + MIXED[:22]
    + "==",
    "Lambda Cloud": "secret_anna_" + HEX[:32] + "." + MIXED[:32],
    "Docker Hub: addresses that start builds": "hub.docker.com/api/build/v1/source/"
    + HEX[:36]
    + "/trigger/"
    + HEX[:36]
    + "/call",
    "Render: addresses that deploy": "api.render.com/deploy/srv-d4l1bs2li9vc?key=4pfh8qK4Br0",
    "Sentry: addresses of monitors": "ingest.sentry.io/api/45/cron/nightly/" + HEX[:32],
    "Discord: bots and users": "MTA" + MIXED[:23] + ".G" + MIXED[:5] + "." + MIXED[:38],
}
"""Tokens of a shape that more than a prefix and a length tell."""


@pytest.mark.parametrize("shape", token_shapes(), ids=list(ALIKE))
def test_each_entry_is_dated_and_finds_its_tokens(shape: Shape) -> None:
    assert shape.source.startswith(("https://", "the help of "))
    assert shape.seen in ("page", "rules", "reports")
    assert date(2026, 11, 1) <= date.fromisoformat(shape.date) <= date(2030, 1, 1)
    assert (shape.vendor in SHAPED) == bool(shape.shape or shape.before)
    for prefix in shape.prefixes:
        assert mask_text(f"is {prefix}, they say") == f"is {prefix}, they say"
        if shape.shape or shape.before:
            continue
        letters = next(
            one for one in (LETTERS, HEX) if re.fullmatch(f"(?:{shape.rest})+", one[:30])
        )
        for size in (shape.least, shape.least + 30):
            token = prefix + (letters * 2)[:size]
            assert mask_text(f"is {token}, they say") == f"is {'*' * len(token)}, they say"
            padding = " filler" * 99  # a long text is looked at in another way
            assert mask_text(f"{token}{padding}") == "*" * len(token) + padding


@pytest.mark.parametrize("vendor", SHAPED)
def test_tokens_of_a_shape_of_their_own(vendor: str) -> None:
    token = SHAPED[vendor]
    assert any(prefix in token for prefix in ALIKE[vendor].prefixes)
    assert mask_text(f"is {token}, they say") == f"is {'*' * len(token)}, they say"
    assert mask_text(f'{{"a":"{token}"}}') == f'{{"a":"{"*" * len(token)}"}}'
    padding = " filler" * 99
    assert mask_text(f"{token}{padding}") == "*" * len(token) + padding


@pytest.mark.parametrize(
    "text",
    [
        "please fetch the 1/2 cup, test_that_works_with_live_data; a pattern. en-US,en;q=0.9",
        "a task-management-system-with-long-name and a self_attention_output_layer",
        "msg_01XFDUDYJgAACzvnptvVoYEL call_abc123ABCdef456GHIjkl789 fp_44709d6fcb",
        "chatcmpl-9xYabc123ABCdef456GHIjkl7890 toolu_01A09q90qw90lq917835lq9",
        "resp_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b in_1MtHbELkdIwHu7ixl4OzzPMv",
        "the pattern of an Asian attack, an exotic social canvas, an attachment",
        "api-reference-documentation, console-output-of-everything, local-first-software",
        "release-v1.0-rc1, sdk-for-python-and-javascript, app-store-connect-and-more",
        "re_that_is_no_token_at_all_but_a_name, co_operation_of_many_people_in_this_house",
    ],
)
def test_words_and_identifiers_are_no_tokens(text: str) -> None:
    assert mask_text(text) == text


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


@pytest.mark.parametrize(
    "before",
    [
        *("\n", "\x12", "\xd9", "\x00\x00\x00", "\x01"),  # a tag, and how long the token is
        *("\x1b[32m", "\\u001b[1m", "\x1b[0m"),  # a colour
    ],
)
def test_tokens_behind_what_is_no_word(before: str) -> None:
    for prefix in ("ghp_", "gsk_", "sk-ant-api03-", "xai-"):
        token = prefix + MIXED[: 108 - len(prefix)]
        tag = before if before.endswith("m") else before + chr(len(token))
        assert mask_text(tag + token) == tag + "*" * len(token)


def test_words_behind_a_line_end_are_no_tokens() -> None:
    for text in ("\nask-somebody-who-knows-it-better", "\nblue[12m] a\ntask-list-of-the-week"):
        assert mask_text(text) == text


@pytest.mark.parametrize("token", MADE_UP)
def test_tokens_as_they_are_described(token: str) -> None:
    assert mask_text(f"({token})") == f"({'*' * len(token)})"


RUNS = st.sampled_from(
    ["a", "A", "A" * 9, "A" * 130, "a" * 300, "1", "\n", " ", "%AA", "\\uAAAA", '"', "\x1b[3m"]
    + ["AAAA" + "b7_-" * 35, "AAAAbX7:APA91b" + "b7" * 67, "A" * 22 + "%2F" + "c8" * 40]
)


@given(st.lists(RUNS, max_size=9))
def test_in_runs_of_one_character_each_place_counts(parts: list[str]) -> None:
    """Base64 of zeros looks like the beginning of a token at each place."""
    text = "".join(parts)
    found = [match.span() for match in USUAL.matches(text)]
    with patch.object(patterns, "_after_run", lambda _, __, position: position):
        assert found == [match.span() for match in USUAL.matches(text)]
