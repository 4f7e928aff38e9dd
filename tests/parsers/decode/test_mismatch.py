"""Sides that speak different protocols: each is read by its own bytes, and it is said once."""

from __future__ import annotations

import pytest
from support.http1 import of
from support.talk import Side, Talk, kinds, without_packets

from parsers.decode.mismatch import answered_in
from parsers.records import ConnectionRecord, DataRecord, DiagnosticRecord, Record, ResponseRecord

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
BAD = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno\n"
CLIENT_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(32)
SERVER_HELLO = bytes.fromhex("160303007a02000076") + bytes(32)
ALERT = bytes.fromhex("15030100020228")
UNEXPECTED = bytes.fromhex("1503030002020a")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
SETTINGS = bytes.fromhex("00000604000000000000030000007f")


def said(*lines: tuple[Side, bytes], close: bool = True) -> list[Record]:
    """The records of a dialogue, the same in one piece and byte by byte but for runs."""
    found = []
    for step in (1 << 30, 1):
        talk = Talk().open()
        for sender, data in lines:
            for start in range(0, len(data), step):
                talk.segment(sender, data[start : start + step])
        if close:
            talk.close()
        found.append(talk.tape.records())
    whole, cut = (
        sorted(repr(without_packets(one)) for one in records if not isinstance(one, DataRecord))
        for records in found
    )
    assert whole == cut
    return found[0]


def mismatches(records: list[Record]) -> list[tuple[str | None, int | None, str]]:
    return [
        (found.sender, found.exchange, found.summary.partition(": ")[2])
        for found in of(DiagnosticRecord, records)
        if found.code == "protocol-mismatch"
    ]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"H", None),
        (b"HTTP/1", None),
        (b"HTTP/1.", "http/1.1"),
        (OK, "http/1.1"),
        (b"HTTP/2", "unknown"),
        (b"\x15", None),
        (b"\x15\x03", None),
        (ALERT[:6], None),
        (ALERT, "tls"),
        (b"\x16\x03", None),
        (b"\x16\x03\x03", "tls"),
        (b"\x17\x03\x03", "tls"),
        (b"\x16\x02\x03", "unknown"),
        (b"\x16\x03\x05", "unknown"),
        (SETTINGS[:8], None),
        (SETTINGS[:9], "http/2"),
        (bytes(4), "unknown"),
        (b"SSH-2.0-x\r\n", "unknown"),
        (b"\r\nHTTP/1.1 200 OK\r\n", "unknown"),
    ],
)
def test_first_bytes_of_an_answer(head: bytes, expected: str | None) -> None:
    assert answered_in(head) == expected


def test_tls_answered_in_http() -> None:
    """The 400 is shown, as a response of its own."""
    records = said(("client", CLIENT_HELLO), ("server", BAD))
    assert kinds(records) == ["protocol-mismatch", "response", "data", "body", "tls", "connection"]
    (response,) = of(ResponseRecord, records)
    assert (response.status, response.exchange, response.offset) == (400, 0, 0)
    remedy = "use http:// on this port, or https:// on the one that serves TLS"
    assert mismatches(records) == [
        ("server", 0, f"the client speaks TLS, the server answers in HTTP/1.1: {remedy}")
    ]
    assert of(ConnectionRecord, records)[0].protocol == "tls"


def test_a_preface_answered_in_http_1() -> None:
    records = said(("client", PREFACE), ("server", BAD))
    assert [found.status for found in of(ResponseRecord, records)] == [400]
    ((_, _, summary),) = mismatches(records)
    assert summary.startswith(
        "the client speaks HTTP/2, the server answers in HTTP/1.1: use HTTP/1.1"
    )


def test_plain_http_answered_by_an_alert() -> None:
    for alert, name in ((ALERT, "handshake_failure"), (UNEXPECTED, "unexpected_message")):
        records = said(("client", GET), ("server", alert))
        assert kinds(records) == ["request", "protocol-mismatch", "data", "connection"]
        ((sender, exchange, summary),) = mismatches(records)
        assert (sender, exchange) == ("server", 0)
        assert f"the server answers in TLS (fatal alert {name}): use https://" in summary


def test_http_1_answered_in_http_2() -> None:
    records = said(("client", GET), ("server", SETTINGS))
    assert kinds(records) == ["request", "protocol-mismatch", "data", "connection"]


def test_in_a_tunnel_too() -> None:
    connect = b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"
    records = said(
        ("client", connect), ("server", b"HTTP/1.1 200 OK\r\n\r\n"), ("client", CLIENT_HELLO),
        ("server", BAD),
    )  # fmt: skip
    assert [found.exchange for found in of(ResponseRecord, records)] == [0, 1]
    assert [found[1] for found in mismatches(records)] == [1]


@pytest.mark.parametrize(
    ("client", "server"),
    [
        (CLIENT_HELLO, SERVER_HELLO),
        (CLIENT_HELLO, ALERT),  # a handshake that fails
        (CLIENT_HELLO, b""),
        (PREFACE, SETTINGS),
        (GET, OK),
        (GET, b""),
        (GET, b"HTTP/1"),  # cut
        (GET, b"SSH-2.0-OpenSSH_9.2\r\n"),
        (GET, b"\x00\x00\x00\x00"),
    ],
)
def test_near_misses(client: bytes, server: bytes) -> None:
    assert mismatches(said(("client", client), ("server", server))) == []


def test_an_answer_whose_beginning_is_missing() -> None:
    """Nothing is said of what it may have been."""
    talk = Talk().open()
    talk.client(CLIENT_HELLO)
    talk.lose("server", 5)
    talk.server(BAD)
    talk.close()
    assert kinds(talk.tape.records()) == ["gap", "tls", "connection"]


@pytest.mark.parametrize("kept", [1, 3, 6])
def test_in_a_tunnel_whose_answer_came_in_many_segments(kept: int) -> None:
    """Packets of the first bytes stay known while they wait."""
    talk = Talk().open()
    talk.client(b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", CLIENT_HELLO)
    accepted = b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 40 + b"\r\n\r\n"
    talk.server(*(bytes([byte]) for byte in accepted + BAD[:kept]))
    first = len(talk.tape.packets) - kept + 1
    talk.client(b"more")
    talk.server(BAD[kept:])
    talk.close()
    records = talk.tape.records()
    found = of(ResponseRecord, records)
    assert [(one.status, one.exchange, one.offset) for one in found] == [
        (200, 0, 0),
        (400, 1, len(accepted)),
    ]
    assert (found[1].first_packet, len(mismatches(records))) == (first, 1)


@pytest.mark.parametrize(
    ("content", "is_said"),
    [
        (b"<title>400 The plain HTTP request was sent to HTTPS port</title>", True),
        (b"Client sent an HTTP request to an HTTPS server.\n", True),
        (b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />", True),
        (b"Bad Request: This combination of host and port requires TLS.\r\n", True),
        (b"x" * 1_024 + b"Client sent an HTTP request to an HTTPS server.", False),
        (b"Bad Request", False),
    ],
)
@pytest.mark.parametrize("status", [b"400", b"404"])
def test_a_server_that_wants_tls_and_says_so_in_http(
    content: bytes, is_said: bool, status: bytes
) -> None:
    head = b"HTTP/1.1 %b No\r\nContent-Length: %d\r\n\r\n" % (status, len(content))
    records = said(("client", GET), ("server", head + content))
    found = mismatches(records)
    assert bool(found) is (is_said and status == b"400")
    assert all("use https:// on this port" in summary for _, _, summary in found)
