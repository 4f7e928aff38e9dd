"""TLS in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from support.http1 import of
from support.talk import Talk
from support.tls import TLS13

from parsers.records import TlsConnectionRecord
from wireproof.text.tls import tls_amounts, tls_ends, tls_facts


def tls(**changes: Any) -> TlsConnectionRecord:
    talk = Talk().open()
    for sender, data in TLS13:
        talk.segment(sender, data)
    talk.close()
    (found,) = of(TlsConnectionRecord, talk.tape.records())
    return msgspec.structs.replace(found, **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "TLS 1.3, api.example.test, h2 or http/1.1 offered, TLS_AES_256_GCM_SHA384"),
        ({"alpn": "h2"}, "TLS 1.3, api.example.test, h2 chosen, TLS_AES_256_GCM_SHA384"),
        ({"version": None, "cipher": None, "sni": None, "alpn_offered": []}, "TLS"),
        (
            {"sni": "a\x1b[31m", "alpn_offered": [], "resumed": True, "early_data": True},
            "TLS 1.3, a\\x1b[31m, TLS_AES_256_GCM_SHA384, resumed, early data",
        ),
    ],
)
def test_facts(changes: dict[str, Any], words: str) -> None:
    assert ", ".join(tls_facts(tls(**changes))) == words


def test_a_long_name_is_cut() -> None:
    assert tls_facts(tls(sni="x" * 9_999))[1] == "x" * 255


def test_amounts() -> None:
    assert tls_amounts(tls()) == "5 records from the client, 7 from the server"


def test_ends() -> None:
    assert tls_ends(tls()) == [
        "most likely close_notify from the client", "most likely close_notify from the server",
    ]  # fmt: skip
    changes = {"client_close_notify": True, "server_close_notify": False}
    assert tls_ends(tls(**changes)) == [
        "close_notify from the client", "no close_notify from the server",
    ]  # fmt: skip
    assert tls_ends(tls(client_ends_with_alert=None, server_ends_with_alert=False)) == [
        "most likely no close_notify from the server"
    ]
