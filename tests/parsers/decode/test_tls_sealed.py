"""TLS 1.3 sealed by hand and decoded: what no library sends, and what few connections have."""

from __future__ import annotations

import pytest
from support.http1 import of
from support.quic import Known
from support.talk import Side, Talk, kinds
from support.tls import message
from support.tls_sealed import FINISHED, HELLO, Keys, asked, encrypted_extensions
from support.websocket_frames import KEY, frame

from parsers.decode.packets import PacketDecoder
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    SseEventRecord,
    TlsConnectionRecord,
    TlsRecordRecord,
    WebSocketMessageRecord,
)
from parsers.wants import EVERYTHING, Wants

DATA, ALERT, MESSAGES = 23, 21, 22
CLOSE_NOTIFY = b"\1\0"
GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


class Sealed:
    """A connection; what is said is sealed, a segment for each call."""

    def __init__(self, *, is_midstream: bool = False) -> None:
        self.keys = Keys()
        self.talk = Talk().midstream() if is_midstream else Talk().open()

    def open(self, extensions: bytes | None = None) -> Sealed:
        """The handshake."""
        key = self.keys("server", "handshake")
        first = encrypted_extensions() if extensions is None else extensions
        flight = key.seal(MESSAGES, first) + key.seal(MESSAGES, FINISHED)
        self.talk.client(asked())
        self.talk.server(HELLO + flight)
        self.talk.client(self.keys("client", "handshake").seal(MESSAGES, FINISHED))
        return self

    def say(self, sender: Side, *contents: bytes, kind: int = DATA) -> Sealed:
        """Send records in one segment."""
        self.talk.segment(sender, self.sealed(sender, *contents, kind=kind))
        return self

    def sealed(self, sender: Side, *contents: bytes, kind: int = DATA) -> bytes:
        key = self.keys(sender, "traffic")
        return b"".join(key.seal(kind, one) for one in contents)

    def records(self, *, shows_records: bool = False, wants: Wants = EVERYTHING) -> list[Record]:
        self.talk.close()
        decoder = PacketDecoder(keys=Known(Keys.log()), shows_records=shows_records, wants=wants)
        return decoder.receive(self.talk.tape.packets) + decoder.finish()


def events(records: list[Record]) -> list[str | None]:
    return [one.data for one in of(SseEventRecord, records)]


def codes(records: list[Record]) -> list[str]:
    return [one.code for one in of(DiagnosticRecord, records)]


@pytest.mark.parametrize("shows_records", [False, True])
@pytest.mark.parametrize("count", [3, 90])
def test_records_with_nothing_in_them_among_many(count: int, shows_records: bool) -> None:
    """However many there are, each event has its own packet."""
    made = Sealed().open().say("client", GET).say("server", EVENTS)
    for number in range(count):
        made.say("server", b"", b"data: %d\n\n" % number, b"")
    made.say("client", CLOSE_NOTIFY, kind=ALERT).say("server", CLOSE_NOTIFY, kind=ALERT)
    records = made.records(shows_records=shows_records)
    found = of(SseEventRecord, records)
    assert [one.data for one in found] == [str(number) for number in range(count)]
    first = found[0].first_packet
    assert [one.first_packet for one in found] == list(range(first, first + count))
    (body,) = [one for one in of(BodyRecord, records) if one.sender == "server"]
    assert (body.complete, body.ended_by) == (True, "close")
    rows = of(TlsRecordRecord, records)
    empty = [one for one in rows if one.content_size == 0]
    assert len(empty) == (2 * count if shows_records else 0)
    assert all(one.plaintext_offset is None for one in empty)


@pytest.mark.parametrize("is_in_tunnel", [False, True])
def test_rows_of_content_that_nobody_wants(is_in_tunnel: bool) -> None:
    """All else has its row: the handshake, alerts, the content that tells what is spoken, and
    whatever belongs to the exchange of a tunnel."""

    def found(wants: Wants) -> list[Record]:
        made = Sealed()
        if is_in_tunnel:
            made.talk.client(b"CONNECT example:443 HTTP/1.1\r\nHost: example:443\r\n\r\n")
            made.talk.server(b"HTTP/1.1 200 OK\r\n\r\n")
        made.open().say("client", GET).say("server", EVENTS)
        for number in range(3):
            record = made.sealed("server", b"data: %d\n\n" % number)
            made.talk.server(record[:9], record[9:])
            made.say("server", b"data: more\n\n", b"")
        made.say("server", CLOSE_NOTIFY, kind=ALERT)
        return made.records(shows_records=True, wants=wants)

    every, wanted = found(EVERYTHING), found(Wants(opened=False))
    contents = [one for one in of(TlsRecordRecord, every) if one.content_type == "application_data"]
    assert len(contents) == 2 + 3 * 3
    left_out = [] if is_in_tunnel else contents[1:]
    assert wanted == [one for one in every if one not in left_out]


def test_many_records_in_pieces() -> None:
    """Each comes in two segments, which the fast path leaves to the layers."""
    made = Sealed().open().say("client", GET).say("server", EVENTS)
    for number in range(60):
        record = made.sealed("server", b"data: %d\n\n" % number)
        made.talk.server(record[:9], record[9:])
    assert events(made.records()) == [str(number) for number in range(60)]


@pytest.mark.parametrize(
    ("alert", "code"),
    [(b"\2\x28", ["tls-alert-fatal"]), (b"\1\x5a", []), (b"\2", []), (b"\7\x28", [])],
    ids=["fatal", "a warning", "cut", "of no level"],
)
def test_an_alert_among_content(alert: bytes, code: list[str]) -> None:
    made = Sealed().open().say("client", GET).say("server", EVENTS)
    made.say("server", alert, kind=ALERT).say("server", b"data: after\n\n")
    records = made.records()
    assert [one for one in codes(records) if one.startswith("tls-alert")] == code
    assert events(records) == ["after"]


def test_extensions_that_are_malformed_are_said() -> None:
    made = Sealed().open(message(8, b"\0\xff")).say("client", GET).say("server", EVENTS)
    records = made.records()
    assert codes(records)[0] == "tls-hello-invalid"
    assert [one.target for one in of(RequestRecord, records)] == ["/it"]


def test_an_end_before_any_content() -> None:
    made = Sealed().open()
    made.say("client", CLOSE_NOTIFY, kind=ALERT).say("server", CLOSE_NOTIFY, kind=ALERT)
    records = made.records()
    (tls,) = of(TlsConnectionRecord, records)
    assert (tls.decrypted, tls.client_close_notify, tls.server_close_notify) == ("yes", True, True)
    (connection,) = of(ConnectionRecord, records)
    assert connection.protocol == "tls"


def test_a_side_that_said_nothing_has_ended_when_the_other_one_begins() -> None:
    made = Sealed().open().say("client", CLOSE_NOTIFY, kind=ALERT)
    made.say("server", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 2\r\n\r\nno")
    made.say("server", CLOSE_NOTIFY, kind=ALERT)
    records = made.records()
    assert [one.size for one in of(BodyRecord, records)] == [2]


def test_content_after_a_close_notify_is_none() -> None:
    """RFC 8446 section 6.1: it must be ignored."""
    made = Sealed().open().say("client", GET).say("server", EVENTS, b"data: a\n\n")
    made.say("server", CLOSE_NOTIFY, kind=ALERT).say("server", b"data: b\n\n")
    records = made.records()
    assert events(records) == ["a"]
    (body,) = [one for one in of(BodyRecord, records) if one.sender == "server"]
    assert body.size == 9


@pytest.mark.parametrize("size", [3, 70])
def test_frames_of_a_websocket_go_on_after_a_record_that_is_lost(size: int) -> None:
    """Even if it had the end of one frame, and the beginning of the next one."""
    made = Sealed().open().say("client", UPGRADE).say("server", SWITCHED)
    first = frame(1, b"x" * 40)
    made.say("server", first[:-size] if size < 40 else first)
    lost = made.sealed("server", (first[-size:] if size < 40 else frame(1, b"gone")) + b"\x81\x7e")
    made.talk.lose("server", len(lost))
    for number in range(4):
        made.say("server", frame(1, b"%d" % number))
        made.say("client", frame(1, b"%d" % number, key=KEY))
    records = made.records()
    found = [one for one in of(WebSocketMessageRecord, records) if one.sender == "server"]
    assert [one.data for one in found][-4:] == ["0", "1", "2", "3"]
    assert len(of(GapRecord, records)) > 0
    assert "websocket-framing-lost" not in kinds(records)


def test_a_connection_that_was_joined_in_the_middle() -> None:
    """Its keys tell the version, and the suite."""
    made = Sealed(is_midstream=True)
    for key in (made.keys("client", "traffic"), made.keys("server", "traffic")):
        key.number = 40
    for _ in range(3):
        made.say("client", GET)
        made.say("server", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    records = made.records()
    (tls,) = of(TlsConnectionRecord, records)
    assert (tls.version, tls.cipher, tls.decrypted) == (
        "TLSv1.3", "TLS_AES_128_GCM_SHA256", "part",
    )  # fmt: skip
    assert [one.target for one in of(RequestRecord, records)] == ["/it"] * 3
    assert [one.size for one in of(BodyRecord, records) if one.sender == "server"] == [2] * 3


def test_an_answer_to_a_request_that_is_lost_has_its_own_exchange() -> None:
    made = Sealed().open()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    made.say("client", GET).say("server", answer)
    made.talk.lose("client", len(made.sealed("client", GET)))
    made.say("server", answer)
    made.say("client", GET).say("server", answer)
    records = made.records()
    assert [one.exchange for one in of(RequestRecord, records)] == [0, 2]
    assert [one.exchange for one in of(BodyRecord, records)] == [0, 1, 2]
