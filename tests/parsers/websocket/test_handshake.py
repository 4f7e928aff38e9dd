"""The opening handshake: what is agreed, and every fault of RFC 6455 and RFC 7692."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidHeaderFormat
from websockets.headers import parse_extension

from parsers.diagnostics import FAULTS
from parsers.websocket.deflate import DeflateParameters
from parsers.websocket.handshake import (
    Agreement,
    Extension,
    Headers,
    accept_for,
    agree,
    agree_extended,
    parse_extensions,
)

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
REQUEST: Headers = [
    (b"Host", b"server.example.com"),
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
    (b"Sec-WebSocket-Key", KEY),
    (b"Sec-WebSocket-Version", b"13"),
]
RESPONSE: Headers = [
    (b"upgrade", b"WebSocket"),
    (b"connection", b"keep-alive, Upgrade"),
    (b"sec-websocket-accept", ACCEPT),
]


def without(headers: Headers, name: bytes) -> Headers:
    return [field for field in headers if field[0].lower() != name.lower()]


def replaced(headers: Headers, name: bytes, *values: bytes) -> Headers:
    return without(headers, name) + [(name, value) for value in values]


def codes(agreement: Agreement) -> list[str]:
    for code, detail in agreement.faults:
        assert code in FAULTS
        assert detail
    return [code for code, _ in agreement.faults]


def test_the_example_of_rfc_6455_section_1_3() -> None:
    assert accept_for(KEY) == ACCEPT
    assert agree(REQUEST, RESPONSE) == Agreement(None, None, [])


VERSION = b"Sec-WebSocket-Version"
ACCEPTS = b"sec-websocket-accept"
FAULTY: list[tuple[Headers, Headers, list[str]]] = [
    (without(REQUEST, b"Upgrade"), RESPONSE, ["websocket-handshake-invalid"]),
    (replaced(REQUEST, b"Connection", b"close"), RESPONSE, ["websocket-handshake-invalid"]),
    (REQUEST, without(RESPONSE, b"upgrade"), ["websocket-handshake-invalid"]),
    (REQUEST, without(RESPONSE, b"connection"), ["websocket-handshake-invalid"]),
    (without(REQUEST, b"Sec-WebSocket-Key"), RESPONSE, ["websocket-key-invalid"]),
    (replaced(REQUEST, b"Sec-WebSocket-Key", KEY, KEY), RESPONSE, ["websocket-key-invalid"]),
    (replaced(REQUEST, VERSION, b"8"), RESPONSE, ["websocket-version-unsupported"]),
    (without(REQUEST, VERSION), RESPONSE, ["websocket-version-unsupported"]),
    (REQUEST, without(RESPONSE, ACCEPTS), ["websocket-accept-wrong"]),
    (REQUEST, RESPONSE + [(b"Sec-WebSocket-Accept", ACCEPT)], ["websocket-accept-wrong"]),
    (REQUEST, replaced(RESPONSE, ACCEPTS, ACCEPT.lower()), ["websocket-accept-wrong"]),
]


@pytest.mark.parametrize(("request_", "response", "expected"), FAULTY)
def test_faults(request_: Headers, response: Headers, expected: list[str]) -> None:
    assert codes(agree(request_, response)) == expected


@pytest.mark.parametrize(
    "key",
    [
        b"dGhlIHNhbXBsZSBub25jZQ=",  # a padding is missing
        b"dGhlIHNhbXBsZSBub25jZQ",
        b"dGhlIHNhbXBsZSBub25jZQ==A",
        b"dGhlIHNhbXBsZSBub25jZQAA",  # 18 bytes
        b"dGhlIHNhbXBsZSBub25j!Q==",
        b"dGhlIHNhbXBsZS*ub25jZQ==",
        b"",
        b"\xff" * 24,
    ],
)
def test_keys_that_are_not_16_bytes(key: bytes) -> None:
    request = replaced(REQUEST, b"Sec-WebSocket-Key", key)
    response = replaced(RESPONSE, b"sec-websocket-accept", accept_for(key))
    assert codes(agree(request, response)) == ["websocket-key-invalid"]


# --- subprotocols ---

SUBPROTOCOLS: list[tuple[list[bytes], list[bytes], str | None, list[str]]] = [
    ([b"chat, superchat"], [b"chat"], "chat", []),
    ([b"chat", b"superchat"], [b"superchat"], "superchat", []),
    ([b"chat"], [], None, []),
    ([b"chat"], [b"Chat"], "Chat", ["websocket-subprotocol-unasked"]),
    ([], [b"chat"], "chat", ["websocket-subprotocol-unasked"]),
    ([b"a, b"], [b"a, b"], "a", ["websocket-handshake-invalid"]),
    ([b"a, a"], [b"a"], "a", ["websocket-handshake-invalid"]),
    ([b"a b"], [], None, ["websocket-handshake-invalid"]),
]


@pytest.mark.parametrize(("offered", "chosen", "agreed", "expected"), SUBPROTOCOLS)
def test_subprotocols(
    offered: list[bytes], chosen: list[bytes], agreed: str | None, expected: list[str]
) -> None:
    name = b"Sec-WebSocket-Protocol"
    agreement = agree(replaced(REQUEST, name, *offered), replaced(RESPONSE, name, *chosen))
    assert agreement.subprotocol == agreed
    assert codes(agreement) == expected


# --- the grammar of extensions ---

GRAMMATICAL: list[tuple[str, list[Extension]]] = [
    ("foo", [Extension("foo", [])]),
    ("foo, bar; baz=2", [Extension("foo", []), Extension("bar", [("baz", "2")])]),
    (" foo ;\tbar = 1 , baz ", [Extension("foo", [("bar", "1")]), Extension("baz", [])]),
    ('foo; a="b"; c', [Extension("foo", [("a", "b"), ("c", None)])]),
    (r'foo; a="\b\c"', [Extension("foo", [("a", "bc")])]),
    (",foo,,bar,", [Extension("foo", []), Extension("bar", [])]),
]


@pytest.mark.parametrize(("value", "expected"), GRAMMATICAL)
def test_extensions_that_are_grammatical(value: str, expected: list[Extension]) -> None:
    assert parse_extensions(value) == expected
    assert parse_extensions(", ".join(map(str, expected))) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        " ",
        "foo;",
        "foo; =1",
        "foo; a=",
        "foo bar",
        "foo; a=b c",
        'foo; a="b c"',
        'foo; a=""',
        'foo; a="b',
        'foo; a="b"c',
        "foo; a=é",
        "foo=1",
        "@",
        "foo,;a",
        'foo; a="' + "\\" * 21,
    ],
)
def test_extensions_that_are_not(value: str) -> None:
    with pytest.raises(ValueError, match=r"expected|no extension|no token"):
        parse_extensions(value)


@settings(deadline=None)
@given(st.text(alphabet='ab1,;= "\\\t@', max_size=20).map(lambda text: text.strip(" \t")))
def test_the_grammar_against_websockets(value: str) -> None:
    """The same extensions; both refuse the same, white space around quoted strings aside."""
    try:
        theirs = [(name, list(values)) for name, values in parse_extension(value)]
    except InvalidHeaderFormat:
        theirs = None
    try:
        ours = [tuple(extension) for extension in parse_extensions(value)]
    except ValueError:
        ours = None
    if ours is not None and theirs is not None:
        assert ours == theirs
    elif '"' not in value:
        assert ours is None
        assert theirs is None


# --- permessage-deflate: what is offered, what is chosen ---

BOTH = "server_no_context_takeover", "client_no_context_takeover"
DEFLATE: list[tuple[str, str, DeflateParameters | None, int]] = [
    # offered, chosen, agreed, number of faults
    ("permessage-deflate", "", None, 0),
    ("permessage-deflate", "permessage-deflate", DeflateParameters(), 0),
    ("permessage-deflate; client_max_window_bits", "permessage-deflate", DeflateParameters(), 0),
    (
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=12; client_max_window_bits=9",
        DeflateParameters(False, False, 12, 9),
        0,
    ),
    (
        "permessage-deflate; client_max_window_bits=12; server_max_window_bits=10",
        'permessage-deflate; server_max_window_bits="8"; client_max_window_bits=12',
        DeflateParameters(False, False, 8, 12),
        0,
    ),
    (
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        DeflateParameters(True, True),
        0,
    ),
    # One of several offers is answered.
    (
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        "permessage-deflate",
        DeflateParameters(),
        0,
    ),
    # What the response may not say to this offer.
    ("", "permessage-deflate", DeflateParameters(), 1),
    ("foo", "permessage-deflate", DeflateParameters(), 1),
    (
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits=10",
        DeflateParameters(client_max_window_bits=10),
        1,
    ),
    (
        "permessage-deflate; client_max_window_bits=10",
        "permessage-deflate; client_max_window_bits=11",
        DeflateParameters(client_max_window_bits=11),
        1,
    ),
    ("permessage-deflate; server_max_window_bits=10", "permessage-deflate", DeflateParameters(), 1),
    (
        "permessage-deflate; server_max_window_bits=10",
        "permessage-deflate; server_max_window_bits=11",
        DeflateParameters(server_max_window_bits=11),
        1,
    ),
    (
        "permessage-deflate; server_no_context_takeover",
        "permessage-deflate",
        DeflateParameters(),
        1,
    ),
    # Parameters that are wrong by themselves, in the response and in the offer.
    ("permessage-deflate", "permessage-deflate; foo", DeflateParameters(), 1),
    (
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits",
        DeflateParameters(),
        1,
    ),
    (
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover=1",
        DeflateParameters(server_no_context_takeover=True),
        1,
    ),
    (
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        DeflateParameters(server_no_context_takeover=True),
        1,
    ),
    ("permessage-deflate", "permessage-deflate, permessage-deflate", DeflateParameters(), 1),
    ("permessage-deflate; server_max_window_bits", "", None, 1),
    ("permessage-deflate; foo; foo=2", "", None, 3),
    # Malformed fields.
    ("permessage-deflate;", "permessage-deflate", DeflateParameters(), 2),
    ("permessage-deflate", "permessage-deflate; =", None, 1),
    # Other extensions.
    ("foo; bar", "foo; bar=1", None, 1),
    ("", "foo", None, 2),
]


@pytest.mark.parametrize(("offered", "chosen", "agreed", "faults"), DEFLATE)
def test_permessage_deflate(
    offered: str, chosen: str, agreed: DeflateParameters | None, faults: int
) -> None:
    name = b"Sec-WebSocket-Extensions"
    request = replaced(REQUEST, name, *([offered.encode()] if offered else []))
    response = replaced(RESPONSE, name, *([chosen.encode()] if chosen else []))
    agreement = agree(request, response)
    assert agreement.deflate == agreed
    assert len(codes(agreement)) == faults, agreement.faults


@pytest.mark.parametrize(
    ("offered", "faults"),
    [
        (b"foo; bar", ["websocket-extension-unknown"]),
        (b"permessage-deflate", ["websocket-extension-unasked", "websocket-extension-unknown"]),
    ],
)
def test_an_extension_that_is_not_known(offered: bytes, faults: list[str]) -> None:
    """What it does to payloads is not known either; the fault names it, with its parameters."""
    name = b"Sec-WebSocket-Extensions"
    request = replaced(REQUEST, name, offered)
    agreement = agree(request, replaced(RESPONSE, name, b"foo; bar=1"))
    assert agreement.deflate is None
    assert codes(agreement) == faults
    assert all("foo" in detail and "bar" in detail for _, detail in agreement.faults)


@pytest.mark.parametrize("bits", ["7", "16", "08", "+9", "9.0", "1", "٩", "", "115"])
def test_window_bits_that_are_not_8_to_15(bits: str) -> None:
    name = b"Sec-WebSocket-Extensions"
    chosen = f"permessage-deflate; server_max_window_bits={bits}".encode()
    agreement = agree(
        replaced(REQUEST, name, b"permessage-deflate"), replaced(RESPONSE, name, chosen)
    )
    assert agreement.deflate in (None, DeflateParameters())
    assert codes(agreement) == ["websocket-extension-invalid"]


def test_offers_in_several_fields() -> None:
    name = b"Sec-WebSocket-Extensions"
    request = replaced(REQUEST, name, b"foo, bar", b"permessage-deflate")
    agreement = agree(request, replaced(RESPONSE, name, b"permessage-deflate"))
    assert agreement == Agreement(None, DeflateParameters(), [])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from([name for name, _ in REQUEST]), st.binary(max_size=30))),
    st.lists(st.tuples(st.sampled_from([name for name, _ in RESPONSE]), st.binary(max_size=30))),
)
def test_any_fields_give_an_agreement(request_: Headers, response: Headers) -> None:
    codes(agree(request_, response))


def test_an_extended_connect_needs_neither_upgrade_nor_keys() -> None:
    asked = [
        (b"sec-websocket-version", b"13"),
        (b"sec-websocket-protocol", b"chat"),
        (b"sec-websocket-extensions", b"permessage-deflate"),
    ]
    found = agree_extended(asked, asked[1:])
    assert (found.subprotocol, codes(found)) == ("chat", [])
    assert found.deflate is not None
    assert codes(agree_extended(asked[1:], [])) == ["websocket-version-unsupported"]
