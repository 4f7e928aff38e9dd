"""What follows a switch of protocols: recognised anew, else rows and a note."""

from __future__ import annotations

import pytest
from support.http1 import of
from support.talk import Side, Talk, kinds, without_packets
from support.websocket_frames import frame

from parsers import limits
from parsers.records import (
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    WebSocketFrameRecord,
)

CONNECT = b"CONNECT example:443 HTTP/1.1\r\nHost: example:443\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
UPGRADE = (
    b"GET /chat HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
TO_TCP = b"POST /exec HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n"
TCP = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
MULTIPLEXED = b"\x01\x00\x00\x00\x00\x00\x00\x08PID TTY\n"
CLIENT_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(32)
SERVER_HELLO = bytes.fromhex("160303007a02000076") + bytes(32)


def said(*lines: tuple[Side, bytes], step: int = 1 << 30) -> list[Record]:
    talk = Talk().open()
    for sender, data in lines:
        for start in range(0, len(data), step):
            talk.segment(sender, data[start : start + step])
    talk.close()
    return talk.tape.records()


def notes(records: list[Record]) -> list[tuple[str | None, str]]:
    return [
        (found.sender, found.summary)
        for found in of(DiagnosticRecord, records)
        if found.code == "switch-not-decoded"
    ]


def protocol(records: list[Record]) -> str:
    (found,) = of(ConnectionRecord, records)
    return found.protocol


STREAMS = {
    "http": (GET, OK),
    "websocket": (UPGRADE, SWITCHING),
    "tls": (CLIENT_HELLO, SERVER_HELLO),
    "nothing known": (b"\x00\x01\x02", b"\x00\x00"),
    "text": (b"EHLO example\r\n", b"250 example\r\n"),
}


@pytest.mark.parametrize("name", STREAMS)
def test_however_it_is_cut(name: str) -> None:
    """The same in one piece and byte by byte, but for where the runs are cut."""
    asked, answered = STREAMS[name]
    lines: list[tuple[Side, bytes]] = [
        ("client", CONNECT), ("server", ESTABLISHED), ("client", asked), ("server", answered),
    ]  # fmt: skip
    whole, cut = (
        [
            without_packets(record)
            for record in said(*lines, step=step)
            if not isinstance(record, DataRecord)
        ]
        for step in (1 << 30, 1)
    )
    assert whole == cut


def test_http_in_a_tunnel() -> None:
    """Its exchanges are counted on, and its places are those of the connection's streams."""
    records = said(("client", CONNECT), ("server", ESTABLISHED), ("client", GET), ("server", OK))
    assert [found.exchange for found in of(RequestRecord, records)] == [0, 1]
    inner = of(ResponseRecord, records)[1]
    assert (inner.exchange, inner.offset, inner.first_packet) == (1, len(ESTABLISHED), 7)
    assert of(RequestRecord, records)[1].offset == len(CONNECT)
    assert (protocol(records), notes(records)) == ("http/1.1", [])


def test_a_websocket_in_a_tunnel() -> None:
    records = said(
        ("client", CONNECT), ("server", ESTABLISHED), ("client", UPGRADE), ("server", SWITCHING),
        ("client", frame(1, b"hi", key=b"abcd")), ("server", frame(1, b"ho")),
    )  # fmt: skip
    assert [(f.exchange, f.data) for f in of(WebSocketFrameRecord, records)] == [
        (1, "hi"),
        (1, "ho"),
    ]
    assert protocol(records) == "websocket"


def test_tls_in_a_tunnel() -> None:
    records = said(
        ("client", CONNECT), ("server", ESTABLISHED), ("client", CLIENT_HELLO),
        ("server", SERVER_HELLO),
    )  # fmt: skip
    assert protocol(records) == "tls"
    assert [found.size for found in of(DataRecord, records)] == [43, 41]
    said_of = "what follows a switch of protocols is not decoded: {} bytes from the {}, {}"
    tls = "TLS after CONNECT example:443"
    assert notes(records) == [
        ("client", said_of.format(43, "client", tls)),
        ("server", said_of.format(41, "server", tls)),
    ]


def test_an_upgrade_to_something_else() -> None:
    """Only the server says anything, in three packets: each has its row with its time."""
    records = said(
        ("client", TO_TCP), ("server", TCP), *[("server", MULTIPLEXED)] * 3,
    )  # fmt: skip
    rows = of(DataRecord, records)
    assert [(row.sender, row.size, row.exchange, row.first_packet) for row in rows] == [
        ("server", 16, 0, 6), ("server", 16, 0, 7), ("server", 16, 0, 8),
    ]  # fmt: skip
    assert all(row.first_time == row.last_time > 0 for row in rows)
    (note,) = notes(records)
    assert note[0] == "server" and note[1].endswith("48 bytes from the server, after Upgrade: tcp")
    assert protocol(records) == "http/1.1"


def test_a_tunnel_of_which_nothing_comes() -> None:
    records = said(("client", CONNECT), ("server", ESTABLISHED))
    assert kinds(records) == ["request", "response", "http-tunnel", "connection"]
    (note,) = of(DiagnosticRecord, records)
    assert (note.summary, note.exchange) == ("a tunnel from here: to example:443", 0)


def test_a_refused_connect_is_no_tunnel() -> None:
    """A near miss: HTTP goes on."""
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    records = said(("client", CONNECT), ("server", refusal), ("client", CONNECT))
    assert [found.exchange for found in of(RequestRecord, records)] == [0, 1]
    assert notes(records) == []


def test_a_server_that_asks_in_a_tunnel() -> None:
    """A tunnel the other way round: who is the client has been said, so it is not decoded."""
    records = said(
        ("client", TO_TCP.replace(b"tcp", b"PTTH/1.0")),
        ("server", TCP.replace(b"tcp", b"PTTH/1.0")),
        ("server", GET),
        ("client", OK),
    )
    assert [found.sender for found in of(DataRecord, records)] == ["server", "client"]
    assert len(of(RequestRecord, records)) == 1


def test_missing_bytes_in_a_tunnel() -> None:
    talk = Talk().open()
    talk.client(TO_TCP)
    talk.server(TCP, MULTIPLEXED)
    talk.lose("server", 5)
    talk.server(MULTIPLEXED)
    talk.close()
    records = talk.tape.records()
    assert kinds(records)[2:-1] == ["data", "gap", "data", "switch-not-decoded"]


@pytest.mark.parametrize("depth", [1, 15, 16, 40])
def test_tunnels_in_tunnels_are_followed_to_a_limit(depth: int) -> None:
    """All at once in one segment of each side, too: nothing recurses without a limit."""
    for lines in (
        [line for _ in range(depth) for line in (("client", CONNECT), ("server", ESTABLISHED))],
        [("client", CONNECT * depth), ("server", ESTABLISHED * depth)],
    ):
        records = said(*lines, ("client", GET), ("server", OK))  # type: ignore[arg-type]
        found = len(of(RequestRecord, records))
        assert found == (depth + 1 if depth <= limits.MAX_SWITCHES else limits.MAX_SWITCHES + 1)
