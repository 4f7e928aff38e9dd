"""What hellos say, and what is said of those that contradict themselves."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tls import (
    CHOOSES_TLS13,
    HELLO,
    NAME,
    RETRY_RANDOM,
    SESSION,
    alpn,
    client_hello,
    server_hello,
    server_name,
)

from parsers.tls.hello import (
    ClientHello,
    EncryptedExtensions,
    Malformed,
    read_client_hello,
    read_encrypted_extensions,
    read_server_hello,
)


def asked(message: bytes) -> ClientHello:
    return read_client_hello(message[4:], 0, len(message))


def test_a_client_hello() -> None:
    found = asked(HELLO)
    assert (found.sni, found.alpn, found.session_id) == (NAME, ["h2", "http/1.1"], SESSION)
    assert (found.has_psk, found.has_early_data, found.has_ech) == (False, False, False)


def test_an_old_one_has_no_extensions() -> None:
    assert (asked(client_hello()).sni, asked(client_hello()).alpn) == (None, [])


@pytest.mark.parametrize(
    ("kind", "name"), [(41, "has_psk"), (42, "has_early_data"), (0xFE0D, "has_ech")]
)
def test_signs(kind: int, name: str) -> None:
    found = asked(client_hello((kind, b"")))
    assert [key for key in ("has_psk", "has_early_data", "has_ech") if getattr(found, key)] == [
        name
    ]


def test_names_of_any_bytes() -> None:
    assert asked(client_hello(server_name(b"caf\xe9"))).sni == "café"
    assert asked(client_hello(server_name(b"a\nb"))).sni == "a\nb"
    assert asked(client_hello((0, b"\0\x04\x01\0\x01x"))).sni is None, "no host name"
    assert asked(client_hello(server_name(b"a"), server_name(b"b"))).sni == "a"


def test_a_server_hello() -> None:
    message = server_hello(alpn(b"http/1.1"), suite=0xC02F)
    found = read_server_hello(message[4:], 0, len(message))
    assert (found.version, found.cipher_suite, found.alpn) == ("TLSv1.2", 0xC02F, "http/1.1")
    assert (found.is_retry, found.has_psk, found.session_id) == (False, False, SESSION)


def test_tls_1_3_says_so_in_an_extension() -> None:
    message = server_hello(CHOOSES_TLS13, (41, b"\0\0"))
    found = read_server_hello(message[4:], 0, len(message))
    assert (found.version, found.has_psk, found.alpn) == ("TLSv1.3", True, None)
    retry = server_hello(CHOOSES_TLS13, random=RETRY_RANDOM)
    assert read_server_hello(retry[4:], 0, 0).is_retry
    draft = server_hello((43, b"\x7f\x1c"))
    assert read_server_hello(draft[4:], 0, 0).version == "0x7F1C"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (client_hello((0, b"\xff\xff\0\0\x01a")), "server_name ends early"),
        (client_hello((16, b"\0\x05\x09h2")), "ALPN ends early"),
        (HELLO[:60], "ClientHello ends early"),
        (client_hello((0, b"ab"))[:-1], "the list of extensions|ClientHello ends early"),
    ],
)
def test_malformed(message: bytes, text: str) -> None:
    with pytest.raises(Malformed, match=text):
        asked(message)


def test_a_server_hello_that_ends_early() -> None:
    with pytest.raises(Malformed, match="supported_versions ends early"):
        read_server_hello(server_hello((43, b"\x03"))[4:], 0, 0)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for read in (read_client_hello, read_server_hello):
        for body in (data, HELLO[4:40] + data):
            try:
                read(body, 0, len(body))
            except Malformed as error:
                assert str(error).endswith("ends early")


@pytest.mark.parametrize("names", [["h2"], ["http/1.1", "spdy/3"], []])
def test_what_python_offers(names: list[str]) -> None:
    context = ssl.create_default_context()
    if names:
        context.set_alpn_protocols(names)
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=NAME)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    found = asked(sent.read()[5:])
    assert (found.sni, found.alpn, found.has_psk, found.has_ech) == (NAME, names, False, False)


def test_what_quic_adds() -> None:
    assert (
        asked(client_hello((57, b"\x01\x02\x43\xe8"))).transport_parameters == b"\x01\x02\x43\xe8"
    )
    assert asked(HELLO).transport_parameters is None


def test_encrypted_extensions() -> None:
    listed = b"".join(
        kind.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
        for kind, data in (alpn(b"h3"), (42, b""), (57, b"\x0f\x00"))
    )
    body = len(listed).to_bytes(2, "big") + listed
    found = read_encrypted_extensions(body, 4, 4 + len(body))
    assert found == EncryptedExtensions(4, 4 + len(body), "h3", True, b"\x0f\x00")
    assert read_encrypted_extensions(b"\0\0", 0, 2) == EncryptedExtensions(0, 2, None, False, None)
    with pytest.raises(Malformed, match="ends early"):
        read_encrypted_extensions(body[:-1], 0, 0)
