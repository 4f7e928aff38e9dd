"""TLS by hand (RFC 8446 sections 4 and 5), and by Python's ssl, which shares no code with ours."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from random import Random

from support.talk import Side

RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
NAME = "api.example.test"
SESSION = bytes(range(32))
SWITCH = bytes.fromhex("140303000101")
"""A ChangeCipherSpec record."""
CLOSE_NOTIFY = bytes.fromhex("15030300020100")
CHOOSES_TLS13 = (43, bytes.fromhex("0304"))


def record(kind: int, fragment: bytes, version: int = 0x0303) -> bytes:
    return bytes([kind]) + version.to_bytes(2) + len(fragment).to_bytes(2) + fragment


def sealed(size: int, seed: int = 1, kind: int = 23) -> bytes:
    """A record of ``size`` bytes that nobody can read."""
    return record(kind, Random(seed).randbytes(size))


def message(kind: int, body: bytes = b"") -> bytes:
    return bytes([kind]) + len(body).to_bytes(3) + body


def vector(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size) + data


def extensions(found: Sequence[tuple[int, bytes]]) -> bytes:
    return vector(b"".join(kind.to_bytes(2) + vector(data, 2) for kind, data in found), 2)


def server_name(name: bytes) -> tuple[int, bytes]:
    return 0, vector(b"\0" + vector(name, 2), 2)


def alpn(*names: bytes) -> tuple[int, bytes]:
    return 16, vector(b"".join(vector(name, 1) for name in names), 2)


def client_hello(
    *found: tuple[int, bytes], session: bytes = SESSION, random: bytes = bytes(32)
) -> bytes:
    """The message; with no extensions it has no list of them, as in old versions."""
    body = b"\x03\x03" + random + vector(session, 1) + vector(b"\x13\x02\xc0\x2f", 2) + b"\x01\0"
    return message(1, body + (extensions(found) if found else b""))


def server_hello(
    *found: tuple[int, bytes],
    suite: int = 0x1302,
    random: bytes = bytes(32),
    session: bytes = SESSION,
    compression: int = 0,
) -> bytes:
    body = b"\x03\x03" + random + vector(session, 1) + suite.to_bytes(2) + bytes([compression])
    return message(2, body + (extensions(found) if found else b""))


HELLO = client_hello(server_name(NAME.encode()), alpn(b"h2", b"http/1.1"))
TLS13: list[tuple[Side, bytes]] = [
    ("client", record(22, HELLO, 0x0301)),
    ("server", record(22, server_hello(CHOOSES_TLS13)) + SWITCH + sealed(40) + sealed(900, 2)),
    ("client", SWITCH + sealed(69, 3)),
    ("client", sealed(120, 4)),
    ("server", sealed(250, 5) + sealed(66, 6)),
    ("server", sealed(19, 7)),
    ("client", sealed(19, 8)),
]
"""A dialogue of TLS 1.3: hellos, both flights, a request, an answer, and both ends."""


def handshake_by_ssl() -> tuple[list[tuple[Side, bytes]], ssl.SSLObject]:
    """A dialogue of TLS 1.2 between Python's ssl and itself, and the client.

    It is anonymous, and needs no certificate.
    """
    found: list[ssl.SSLContext] = []
    for side in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
        context = ssl.SSLContext(side)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
        context.set_alpn_protocols(["h2", "http/1.1"][side is ssl.PROTOCOL_TLS_SERVER :])
        found.append(context)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    from_client, from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = found[0].wrap_bio(to_client, from_client, server_hostname=NAME)
    server = found[1].wrap_bio(to_server, from_server, server_side=True)
    lines: list[tuple[Side, bytes]] = []

    def carry() -> None:
        if sent := from_client.read():
            lines.append(("client", sent))
            to_server.write(sent)
        if sent := from_server.read():
            lines.append(("server", sent))
            to_client.write(sent)

    for _ in range(3):
        for end in (client, server):
            with suppress(ssl.SSLWantReadError):  # what the other one says comes next
                end.do_handshake()
            carry()
    client.write(b"GET / HTTP/1.1\r\n\r\n")
    carry()
    server.read()
    for end in (server, client):
        with suppress(ssl.SSLWantReadError):  # the other one's close_notify has not come
            end.unwrap()
        carry()
    return lines, client
