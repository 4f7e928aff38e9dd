"""What a connection speaks, which end is the client, and what waits until that is known."""

from __future__ import annotations

import pytest
from support.frames import ACK, SYN, URG
from support.http1 import of
from support.talk import Side, Talk, decoded, kinds

from parsers import limits
from parsers.decode import detector
from parsers.decode.connection import address_text
from parsers.decode.detector import recognise
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    TlsConnectionRecord,
)

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CLIENT_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(32)
SERVER_HELLO = bytes.fromhex("160303007a02000076")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def connection(records: list[Record]) -> ConnectionRecord:
    (found,) = of(ConnectionRecord, records)
    return found


# --- recognise ---


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (GET, ("http/1.1", "client")),
        (b"\r\n\r\n" + GET, ("http/1.1", "client")),
        (b"M-SEARCH * HTTP/1.0\n", ("http/1.1", "client")),
        (b"GET / HTTP/1.1", ("unknown", None)),
        (b"GET  / HTTP/1.1\r\n", ("unknown", None)),
        (b"GET / HTTP/2.0\r\n", ("unknown", None)),
        (b"A" * 33 + b" / HTTP/1.1\r\n", ("unknown", None)),
        (OK, ("http/1.1", "server")),
        (b"HTTP/1.", ("http/1.1", "server")),
        (b"HTTP/", ("unknown", None)),
        (PREFACE, ("http/2", "client")),
        (PREFACE[:14], ("http/2", "client")),
        (PREFACE[:13], ("unknown", None)),
        (CLIENT_HELLO, ("tls", "client")),
        (SERVER_HELLO, ("tls", "server")),
        (b"\x16\x03\x05\x00\x10\x01", ("unknown", None)),
        (b"\x16\x03\x01\x00\x10\x0b", ("unknown", None)),
        (b"\x17\x03\x03\x00\x10\x01", ("unknown", None)),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ("unknown", None)),
        (b"", ("unknown", None)),
    ],
)
def test_first_bytes(data: bytes, expected: tuple[str, Side | None]) -> None:
    assert recognise(data) == expected


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (bytes([127, 0, 0, 1]), "127.0.0.1:80"),
        (bytes(15) + b"\1", "[::1]:80"),
        (bytes.fromhex("20010db8000000000000000000000001"), "[2001:db8::1]:80"),
    ],
)
def test_addresses_as_text(address: bytes, text: str) -> None:
    assert address_text(address, 80) == text


# --- protocols of whole connections ---


@pytest.mark.parametrize(
    ("client", "server", "protocol"),
    [
        (GET, OK, "http/1.1"),
        (CLIENT_HELLO, SERVER_HELLO, "tls"),
        (PREFACE + bytes(9), bytes(9), "http/2"),
        (b"hello\n", b"world\n", "unknown"),
        (b"\x00\x01\x02", b"", "unknown"),
        (b"", b"", "unknown"),
    ],
)
def test_protocols(client: bytes, server: bytes, protocol: str) -> None:
    """However the bytes are cut."""
    for step in (1 << 30, 1):
        talk = Talk().open()
        for sender, data in (("client", client), ("server", server)):
            for start in range(0, len(data), step):
                talk.segment(sender, data[start : start + step])
        talk.close()
        records = talk.tape.records()
        found = connection(records)
        assert found.protocol == protocol
        assert (found.client_bytes, found.server_bytes) == (len(client), len(server))
        if protocol not in ("http/1.1", "http/2"):
            assert kinds(records) == ["tls"] * (protocol == "tls") + ["connection"]


def test_a_server_that_speaks_first() -> None:
    talk = Talk().open()
    talk.server(b"220 mail.example ESMTP\r\n")
    talk.client(b"EHLO example\r\n")
    talk.close()
    found = connection(talk.tape.records())
    assert (found.protocol, found.client) == ("unknown", "127.0.0.1:40000")


def test_requests_byte_by_byte_with_empty_lines_before_them() -> None:
    talk = Talk().open()
    for byte in b"\r\n" + GET:
        talk.client(bytes([byte]))
    records = talk.tape.records()
    (request,) = of(RequestRecord, records)
    assert (request.first_packet, request.last_packet) == (6, 5 + len(GET))
    assert "http-leading-empty-line" in kinds(records)


def test_a_server_that_answers_before_it_was_asked() -> None:
    """Both directions wait for each other's receivers, and lose nothing."""
    talk = Talk().open()
    talk.server(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    talk.close()
    records = talk.tape.records()
    assert kinds(records) == ["response", "http-response-unasked", "body", "connection"]
    assert connection(records).protocol == "http/1.1"


# --- limits ---


def test_bytes_wait_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that does not end is no request: then nothing is kept any more."""
    monkeypatch.setattr(limits, "MAX_UNDECIDED", 100)
    talk = Talk().open()
    talk.client(b"G" * 60, b"G" * 60, GET)
    talk.server(OK)
    records = talk.tape.records()
    assert kinds(records) == ["connection"]
    assert connection(records).protocol == "unknown"


def test_a_line_that_means_nothing_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own direction is given up, the other one may still tell."""
    talk = Talk().open()
    talk.client(b"what is this?\r\n", GET)
    talk.server(OK)
    records = talk.tape.records()
    assert connection(records).protocol == "http/1.1"
    assert "http-start-line-invalid" in kinds(records)
    assert [found.target for found in of(RequestRecord, records)] == ["/it"]


def test_midstream_waiting_has_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a stream the next segment may begin a message: only the old bytes go."""
    monkeypatch.setattr(limits, "MAX_UNDECIDED", 100)
    talk = Talk().midstream()
    talk.server(*[b"x" * 60] * 5)
    talk.server(OK)
    records = talk.tape.records()
    (response,) = of(ResponseRecord, records)
    assert (response.offset, response.first_packet) == (300, 6)


def test_what_comes_without_data_has_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_UNDECIDED", 4)
    talk = Talk().open()
    for _ in range(9):
        talk.segment("client", flags=ACK | URG)
    talk.client(GET)
    records = talk.tape.records()
    assert kinds(records) == ["tcp-urgent-data"] * 9 + ["connection"]
    assert connection(records).protocol == "unknown"


def test_a_first_line_in_pieces_is_looked_at_when_it_may_mean_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not at every piece: its beginning would be read once for each byte of it."""
    looked_at: list[bytes] = []

    def looking(data: bytes) -> tuple[str, Side | None]:
        looked_at.append(data)
        return recognise(data)

    monkeypatch.setattr(detector, "recognise", looking)
    talk = Talk().open()
    line = b"GET /" + b"i" * 9_000 + b" HTTP/1.1\r\n"
    for start in range(len(line)):
        talk.client(line[start : start + 1])
    talk.client(b"Host: example\r\n\r\n")
    assert kinds(decoded(talk.tape.packets, batch=1)) == ["request", "connection"]
    assert looked_at[-1] == line
    assert len(looked_at) < 20


# --- gaps, faults and ends while it is not known ---


def test_gaps_while_waiting() -> None:
    """They are handed on when the protocol is known, each at its place."""
    talk = Talk().open()
    talk.client(GET[:10])
    talk.lose("client", 5)
    talk.client(GET[15:] + GET)
    talk.ack("server", 20)
    talk.server(OK)
    talk.close()
    records = talk.tape.records()
    (gap,) = of(GapRecord, records)
    assert (gap.offset, gap.missing, gap.sender) == (10, 5, "client")
    assert [found.offset for found in of(RequestRecord, records)] == [len(GET)]
    assert [found.status for found in of(ResponseRecord, records)] == [200]


def test_many_empty_lines_before_a_request() -> None:
    """They wait, and are forgotten by the map of the stream, but their first."""
    talk = Talk().open()
    talk.client(*[b"\r\n"] * 600, GET)
    for batch in (1, 1 << 30):
        (request,) = of(RequestRecord, decoded(talk.tape.packets, batch=batch))
        assert (request.offset, request.first_packet, request.last_packet) == (1_200, 604, 604)


def test_gaps_in_unknown_protocols() -> None:
    talk = Talk().open()
    talk.client(CLIENT_HELLO)
    talk.server(SERVER_HELLO)
    talk.lose("server", 700)
    talk.server(b"\x17\x03\x03")
    talk.close()
    records = talk.tape.records()
    assert kinds(records) == ["gap", "tls", "connection"]
    (gap,) = of(GapRecord, records)
    assert (gap.sender, gap.missing, gap.exchange) == ("server", 700, None)
    assert connection(records).server_bytes == len(SERVER_HELLO) + 700 + 3


@pytest.mark.parametrize(("data", "protocol"), [(b"what\n", "unknown"), (GET, "http/1.1")])
def test_faults_while_waiting(data: bytes, protocol: str) -> None:
    """They are told when the connection's protocol is known, or at its end."""
    talk = Talk().open()
    first = talk.frame("client", data[:4])
    talk.tape.add(first)
    talk.tape.add(first.replace(data[:4], b"PUT!"))
    talk.client(data[4:])
    talk.close()
    records = talk.tape.records()
    (fault,) = of(DiagnosticRecord, records)
    assert (fault.code, fault.sender) == ("tcp-overlap-conflict", "client")
    assert fault.exchange == (None if protocol == "unknown" else 0)
    assert connection(records).protocol == protocol


def test_a_long_connection_that_is_not_understood() -> None:
    talk = Talk().open()
    talk.client(CLIENT_HELLO, *[b"\x17\x03\x03\x00\x01?"] * 1_000)
    assert connection(talk.tape.records()).client_bytes == len(CLIENT_HELLO) + 6_000


def test_faults_of_connections_that_are_not_understood() -> None:
    talk = Talk().open()
    talk.client(CLIENT_HELLO)
    first = talk.frame("client", b"abcd")
    talk.tape.add(first)
    talk.tape.add(first.replace(b"abcd", b"ABCD"))
    (fault,) = of(DiagnosticRecord, talk.tape.records())
    assert (fault.code, fault.exchange, fault.offset) == (
        "tcp-overlap-conflict",
        None,
        len(CLIENT_HELLO),
    )


def test_one_side_that_ends_while_the_other_waits() -> None:
    """What the server sends is read though the client has closed its side."""
    talk = Talk().open()
    talk.client(GET[:10])
    talk.fin("client")
    talk.server(OK)
    talk.fin("server")
    talk.ack("client")
    records = talk.tape.records()
    assert "http-message-cut" in kinds(records)
    assert len(of(BodyRecord, records)) == 1
    assert connection(records).closed_by == "client"


def test_a_gap_before_a_tunnel_is_recognised_is_said_once() -> None:
    """It came before the answer that opens the tunnel, and was said then."""
    talk = Talk().open()
    talk.client(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", b"some")
    talk.lose("client", 30)
    talk.client(b"thing")
    talk.ack("server", 20)
    talk.server(b"HTTP/1.1 200 OK\r\n\r\n", b"more")
    talk.close()
    records = talk.tape.records()
    assert [(one.offset, one.missing) for one in of(GapRecord, records)] == [(43, 30)]
    runs = [(one.sender, one.offset, one.data) for one in of(DataRecord, records)]
    assert runs == [("client", 39, "some"), ("client", 73, "thing"), ("server", 19, "more")]
    said = [one.summary for one in of(DiagnosticRecord, records)]
    assert sum("9 bytes from the client, after CONNECT a:443" in one for one in said) == 1


# --- which end is the client ---


def test_the_one_that_sent_syn_is_the_client() -> None:
    """Whatever the ports are."""
    talk = Talk(client_port=80, server_port=50_000).open()
    talk.client(b"x")
    found = connection(talk.tape.records())
    assert (found.client, found.server) == ("127.0.0.1:80", "127.0.0.1:50000")
    assert (found.client_bytes, found.midstream) == (1, False)


def test_syn_ack_as_the_first_packet() -> None:
    """Its sender is the server, though it is the first that is seen."""
    talk = Talk(client_port=80, server_port=50_000)
    talk.frame("client", flags=SYN)
    talk.segment("server", flags=SYN | ACK)
    talk.client(b"x")
    found = connection(talk.tape.records())
    assert (found.client, found.client_bytes) == ("127.0.0.1:80", 1)


def test_syn_ack_as_the_second_packet() -> None:
    """The handshake's last packet came first: SYN-ACK tells all the same."""
    talk = Talk(client_port=80, server_port=50_000)
    talk.frame("client", flags=SYN)
    answer = talk.frame("server", flags=SYN | ACK)
    talk.ack("client")
    talk.tape.add(answer)
    talk.client(b"x")
    found = connection(talk.tape.records())
    assert found.client == "127.0.0.1:80"


def test_syn_that_came_late() -> None:
    talk = Talk(client_port=80, server_port=50_000)
    syn = talk.frame("client", flags=SYN)
    talk.segment("server", flags=ACK)
    talk.tape.add(syn)
    found = connection(talk.tape.records())
    assert found.client == "127.0.0.1:80"


@pytest.mark.parametrize(
    ("sender", "data"), [("client", GET), ("server", OK), ("server", SERVER_HELLO)]
)
def test_without_syn_the_bytes_tell(sender: Side, data: bytes) -> None:
    talk = Talk(client_port=80, server_port=50_000).midstream()
    talk.segment(sender, data)
    records = talk.tape.records()
    found = connection(records)
    assert (found.client, found.server) == ("127.0.0.1:80", "127.0.0.1:50000")
    assert found.midstream
    others = [one for one in records if getattr(one, "code", "") != "tcp-direction-missing"]
    of_both = (ConnectionRecord, TlsConnectionRecord)
    assert all(record.sender == sender for record in others if not isinstance(record, of_both))


@pytest.mark.parametrize("ports", [(50_000, 80), (80, 50_000)])
def test_without_anything_the_lower_port_is_the_server(ports: tuple[int, int]) -> None:
    talk = Talk(client_port=ports[0], server_port=ports[1]).midstream()
    talk.client(b"\x00\x01")
    found = connection(talk.tape.records())
    assert (found.client, found.server) == ("127.0.0.1:50000", "127.0.0.1:80")


def test_the_connection_record() -> None:
    talk = Talk(is_ipv6=True).open()
    talk.client(GET)
    talk.server(OK)
    last = talk.close()
    found = connection(talk.tape.records())
    assert (found.first_packet, found.last_packet, found.packets) == (1, last, last)
    assert (found.client, found.server) == ("[::1]:40000", "[::1]:8000")
    assert (found.client_bytes, found.server_bytes) == (len(GET), len(OK))
    assert (found.close, found.closed_by) == ("fin", "server")
    assert (found.server_fin, found.client_fin) == (last - 2, last - 1)
    assert (found.retransmissions, found.out_of_order) == (0, 0)


@pytest.mark.parametrize("sender", ["client", "server"])
def test_who_reset_the_connection(sender: Side) -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.reset(sender)
    found = connection(talk.tape.records())
    assert (found.close, found.closed_by) == ("reset", sender)


def test_a_connection_that_the_capture_left_open() -> None:
    talk = Talk().open()
    talk.client(GET)
    found = connection(talk.tape.records())
    assert (found.close, found.closed_by) == ("open", None)
