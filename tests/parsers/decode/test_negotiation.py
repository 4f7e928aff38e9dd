"""TLS inside a connection that began with something else."""

from __future__ import annotations

import pytest
from support.http1 import of
from support.talk import Side, Talk, kinds

from parsers.limits import MAX_PROXY_HEADERS
from parsers.records import (
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
)

CLIENT_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(32)
SERVER_HELLO = bytes.fromhex("160303007a02000076") + bytes(32)
SMTP: list[tuple[Side, bytes]] = [
    ("server", b"220 mail.example ESMTP\r\n"),
    ("client", b"EHLO example\r\n"),
    ("server", b"250-mail.example\r\n250 STARTTLS\r\n"),
    ("client", b"STARTTLS\r\n"),
    ("server", b"220 go ahead\r\n"),
]
IMAP: list[tuple[Side, bytes]] = [
    ("server", b"* OK ready\r\n"),
    ("client", b"a1 STARTTLS\r\n"),
    ("server", b"a1 OK begin TLS now\r\n"),
]
POP3: list[tuple[Side, bytes]] = [
    ("server", b"+OK ready\r\n"),
    ("client", b"STLS\r\n"),
    ("server", b"+OK\r\n"),
]
XMPP: list[tuple[Side, bytes]] = [
    ("client", b"<?xml version='1.0'?><stream:stream to='a'>"),
    ("server", b"<stream:stream from='a'><stream:features/>"),
    ("client", b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    ("server", b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
]
POSTGRESQL: list[tuple[Side, bytes]] = [
    ("client", bytes.fromhex("0000000804d2162f")),
    ("server", b"S"),
]


def said(lines: list[tuple[Side, bytes]], step: int = 1 << 30) -> list[Record]:
    talk = Talk().open()
    for sender, data in lines:
        for start in range(0, len(data), step):
            talk.segment(sender, data[start : start + step])
    talk.close()
    return talk.tape.records()


@pytest.mark.parametrize("step", [1 << 30, 1])
@pytest.mark.parametrize(
    ("before", "text"),
    [
        (SMTP, "STARTTLS"), (IMAP, "STARTTLS"), (POP3, "STLS"), (XMPP, "STARTTLS"),
        (POSTGRESQL, "SSLRequest (PostgreSQL)"),
    ],
)  # fmt: skip
def test_tls_begins(before: list[tuple[Side, bytes]], text: str, step: int) -> None:
    records = said([*before, ("client", CLIENT_HELLO), ("server", SERVER_HELLO)], step)
    notes = [found for found in of(DiagnosticRecord, records) if found.code.startswith("starttls")]
    assert [note.summary for note in notes] == [f"TLS begins inside the connection: {text}"]
    assert notes[0].code == "starttls-negotiated"
    assert of(ConnectionRecord, records)[0].protocol == "tls"
    for sender, hello in (("client", CLIENT_HELLO), ("server", SERVER_HELLO)):
        rows = [row for row in of(DataRecord, records) if row.sender == sender]
        assert rows[0].offset == sum(len(data) for side, data in before if side == sender)
        assert sum(row.size for row in rows) == len(hello)


@pytest.mark.parametrize(
    "lines",
    [
        SMTP,
        [*SMTP, ("client", b"QUIT\r\n")],
        [*SMTP[:-1], ("server", b"\x00\x01\n"), ("client", CLIENT_HELLO)],
        [*SMTP, ("client", b"x" + CLIENT_HELLO)],
        [POSTGRESQL[0], ("server", b"N"), ("client", b"\x00\x00\x00\x09\x00\x03\x00\x00x")],
        [("client", b"\x00\x01\n" + CLIENT_HELLO), ("server", b"ok\n")],
        [("client", b"hello\n"), ("server", b"\x16\x03\n"), ("client", b"\x16\x03\x01")],
    ],
)
def test_near_misses(lines: list[tuple[Side, bytes]]) -> None:
    for step in (1 << 30, 1):
        assert kinds(said(lines, step)) == ["connection"]


# --- SOCKS, and headers of balancers ---

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
ASKED = b"\x05\x01\x00\x03\x07example\x00\x50"
SOCKS5: list[tuple[Side, bytes]] = [
    ("client", b"\x05\x01\x00"), ("server", b"\x05\x00"),
    ("client", ASKED), ("server", b"\x05\x00\x00\x01" + bytes(6)),
]  # fmt: skip
PROXY = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"


@pytest.mark.parametrize("step", [1 << 30, 1])
def test_what_is_asked_for_through_socks(step: int) -> None:
    records = said([*SOCKS5, ("client", GET), ("server", OK)], step)
    assert [one.target for one in of(RequestRecord, records)] == ["/it"]
    (found,) = of(DiagnosticRecord, records)
    assert (found.code, found.summary.partition(": ")[2]) == (
        "socks-negotiated", "SOCKS5 CONNECT example:80",
    )  # fmt: skip


def test_what_socks_refuses() -> None:
    records = said([*SOCKS5[:3], ("server", b"\x05\x05\x00\x01" + bytes(6))])
    (found,) = of(DiagnosticRecord, records)
    assert found.code == "socks-refused"
    assert found.summary.endswith("SOCKS5 CONNECT example:80: connection refused")


def test_what_only_begins_as_socks() -> None:
    records = said([("client", b"\x05\x01\x00"), ("server", b"\x09\x00")])
    assert [one.protocol for one in of(ConnectionRecord, records)] == ["unknown"]


@pytest.mark.parametrize("step", [1 << 30, 50, 1])
@pytest.mark.parametrize("count", [1, 3])
def test_headers_of_balancers(count: int, step: int) -> None:
    """Each is taken off, in however many segments they come."""
    records = said([("client", PROXY * count), ("client", GET), ("server", OK)], step)
    assert [one.target for one in of(RequestRecord, records)] == ["/it"]
    faults = of(DiagnosticRecord, records)
    assert [one.code for one in faults] == ["proxy-protocol"] * count
    assert [one.offset for one in faults] == [len(PROXY) * at for at in range(count)]


def test_only_so_many_headers_of_balancers() -> None:
    records = said([("client", PROXY * (MAX_PROXY_HEADERS + 1) + GET)])
    assert [one.code for one in of(DiagnosticRecord, records)].count("proxy-protocol") == (
        MAX_PROXY_HEADERS
    )


def test_a_header_of_a_balancer_that_is_malformed() -> None:
    records = said([("client", PROXY.replace(b" 443", b"")), ("client", GET), ("server", OK)])
    assert [one.code for one in of(DiagnosticRecord, records)] == ["proxy-protocol-invalid"]
    assert [one.target for one in of(RequestRecord, records)] == ["/it"]


def test_a_header_of_a_balancer_before_a_fault() -> None:
    """Of data that was sent twice, with other bytes; it is said where it was, and once."""
    talk = Talk().open()
    first = talk.frame("client", PROXY[:20])
    talk.tape.add(first)
    talk.tape.add(first[:-10] + b"9" + first[-9:])
    talk.client(PROXY[20:] + GET)
    talk.server(OK)
    records = talk.tape.records()
    codes = [one.code for one in of(DiagnosticRecord, records)]
    assert sorted(codes) == ["proxy-protocol", "tcp-overlap-conflict"]
    assert [one.target for one in of(RequestRecord, records)] == ["/it"]


def test_tls_that_was_granted_and_never_came() -> None:
    records = said(POSTGRESQL)
    assert [one.protocol for one in of(ConnectionRecord, records)] == ["unknown"]
