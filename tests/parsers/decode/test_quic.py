"""QUIC connections as their records are written: keys, versions, resets, and how they end."""

from __future__ import annotations

import pytest
from support.quic import (
    FIRST_ID,
    GET,
    OK,
    SUITES,
    V1,
    V2,
    Known,
    Talk,
    close,
    codes,
    crypto,
    data,
    decoded,
    dialogue,
    events,
    only,
    stream,
    varint,
)
from support.tls import client_hello, server_hello

from parsers.records import (
    FIRST_QUIC_CONNECTION,
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Http3FrameRecord,
    QuicRecord,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    TlsConnectionRecord,
)


@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize("suite", sorted(SUITES))
def test_a_dialogue_of_every_version_and_suite(version: int, suite: int) -> None:
    talk = dialogue(talk=Talk(version=version, suite=suite))
    records = decoded(talk.packets, talk.keys)
    (request,) = only(records, RequestRecord)
    (response,) = only(records, ResponseRecord)
    (body,) = only(records, BodyRecord)
    assert (request.method, request.target, request.version) == ("GET", "/", "HTTP/3")
    assert request.headers[0] == (":method", "GET")
    assert (response.status, response.reason, response.framing) == (200, "", "http/3")
    assert response.transport == "sse"
    assert (request.layer, request.stream_id, request.exchange) == ("quic", 0, 0)
    assert events(records) == ["one", "two"]
    assert [event.last_packet for event in only(records, SseEventRecord)] == [8, 9]
    assert (body.complete, body.ended_by, body.size) == (True, "end-stream", 22)
    (connection,) = only(records, ConnectionRecord)
    assert (connection.protocol, connection.connection) == ("http/3", FIRST_QUIC_CONNECTION)
    assert (connection.client, connection.server) == ("10.0.0.1:50000", "10.0.0.2:443")
    assert (connection.close, connection.closed_by) == ("connection-close", "client")
    (tls,) = only(records, TlsConnectionRecord)
    assert (tls.decrypted, tls.reason, tls.sni) == ("yes", None, "a.test")
    assert (tls.alpn, tls.alpn_offered, tls.version) == ("h3", ["h3"], "TLSv1.3")
    (quic,) = only(records, QuicRecord)
    assert quic.version == ("QUIC v1" if version == V1 else "QUIC v2")
    assert quic.client_parameters == [("max_idle_timeout", 30_000)]
    assert quic.server_parameters == [("initial_max_streams_bidi", 16)]
    assert quic.closed is not None
    assert (quic.closed["error_code"], quic.closed["reason"]) == ("H3_NO_ERROR", "done")
    assert codes(records) == ["quic-closed"]


def test_without_keys_the_handshake_is_shown() -> None:
    records = decoded(dialogue().packets)
    (tls,) = only(records, TlsConnectionRecord)
    assert (tls.sni, tls.alpn_offered, tls.alpn) == ("a.test", ["h3"], None)
    assert (tls.cipher, tls.decrypted, tls.reason) == ("TLS_AES_128_GCM_SHA256", "no", "no keys")
    (connection,) = only(records, ConnectionRecord)
    assert (connection.protocol, connection.close, connection.packets) == ("quic", "open", 10)
    assert only(records, RequestRecord) == []
    (quic,) = only(records, QuicRecord)
    assert quic.unopened == 9


def test_keys_of_another_connection_open_nothing() -> None:
    talk = dialogue()
    other = Known(talk.key_log.replace(bytes(32).hex().encode(), b"ab" * 32))
    records = decoded(talk.packets, other)
    (tls,) = only(records, TlsConnectionRecord)
    assert tls.reason == "the key log has no secrets of this connection"
    other = Known(b"\n".join(line[:-64] + b"ef" * 32 for line in talk.key_log.splitlines()) + b"\n")
    records = decoded(talk.packets, other)
    assert only(records, RequestRecord) == []
    assert only(records, TlsConnectionRecord)[0].decrypted == "no"


def test_secrets_of_the_handshake_may_be_missing() -> None:
    """What was chosen is not known then: HTTP/3 was the only protocol that was offered."""
    talk = dialogue()
    keys = Known(b"\n".join(line for line in talk.key_log.splitlines() if b"HANDSHAKE" not in line))
    records = decoded(talk.packets, keys)
    assert events(records) == ["one", "two"]
    (tls,) = only(records, TlsConnectionRecord)
    assert (tls.alpn, tls.decrypted, tls.reason) == (None, "part", "2 packets could not be opened")
    assert codes(records)[0] == "quic-closed"
    assert set(codes(records)[1:]) == {"quic-packets-unopened"}


def test_of_other_protocols_only_the_bytes_are_counted() -> None:
    talk = Talk(protocols=(b"doq",))
    talk.shake_hands()
    talk.say("client", stream(0, 0, b"question", fin=True))
    talk.say("server", stream(0, 0, b"answer", fin=True))
    records = decoded(talk.packets, talk.keys)
    (connection,) = only(records, ConnectionRecord)
    assert (connection.protocol, connection.client_bytes, connection.server_bytes) == ("quic", 8, 6)
    assert only(records, TlsConnectionRecord)[0].alpn == "doq"


def test_key_updates() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.updates["server"] = 1
    talk.answer(b"data: one\n\n", fin=False)
    talk.updates = {"client": 2, "server": 2}
    talk.say("server", stream(0, len(OK) + len(data(b"data: one\n\n")), data(b"data: two\n\n")))
    records = decoded(talk.packets, talk.keys)
    assert events(records) == ["one", "two"]
    (quic,) = only(records, QuicRecord)
    assert (quic.client_key_updates, quic.server_key_updates) == (0, 2)


def test_a_client_that_leaves() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.answer(b"data: one\n\n", fin=False)
    size = len(OK) + len(data(b"data: one\n\n"))
    stop = b"\x05" + varint(0) + varint(0x10C)
    reset = b"\x04" + varint(0) + varint(0x10C) + varint(size)
    talk.say("client", stop)
    talk.say("server", reset)
    records = decoded(talk.packets, talk.keys)
    (body,) = only(records, BodyRecord)
    assert (body.complete, body.ended_by, body.size) == (False, "rst-stream", 11)
    frames = only(records, Http3FrameRecord)
    assert [(frame.type, frame.sender, frame.error_code) for frame in frames[2:]] == [
        ("STOP_SENDING", "client", "H3_REQUEST_CANCELLED"),
        ("RESET_STREAM", "server", "H3_REQUEST_CANCELLED"),
    ]
    (left,) = [one for one in records if isinstance(one, DiagnosticRecord)]
    assert (left.code, left.exchange, left.last_packet) == ("http3-cancelled", 0, 9)


@pytest.mark.parametrize(
    ("error", "code"), [(0x10B, "http3-refused"), (0x102, "http3-reset"), (0x100, "http3-reset")]
)
def test_a_server_that_gives_up(error: int, code: str) -> None:
    talk = Talk()
    talk.shake_hands()
    talk.ask()
    talk.say("server", b"\x04" + varint(0) + varint(error) + varint(0))
    assert codes(decoded(talk.packets, talk.keys)) == [code]


def test_streams_that_are_cut_by_the_end_of_the_connection() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.ask()
    talk.answer(b"data: one\n\n", fin=False)
    talk.say("server", close(0x102, b"\xffbad\n"))
    records = decoded(talk.packets, talk.keys)
    (body,) = only(records, BodyRecord)
    assert (body.complete, body.ended_by) == (False, "reset")
    assert codes(records) == ["http3-stream-cut", "quic-closed-error"]
    (quic,) = only(records, QuicRecord)
    assert quic.closed is not None
    assert (quic.closed["error_code"], quic.closed["sender"]) == ("H3_INTERNAL_ERROR", "server")
    assert quic.closed["reason"] == "ÿbad\n"


def test_a_handshake_that_fails_is_told_without_keys() -> None:
    talk = Talk()
    talk.send("client", talk.packet("client", "initial", crypto(client_hello())))
    refused = close(0x0100 | 120, b"no ALPN", is_application=False)
    talk.send("server", talk.packet("server", "initial", refused))
    records = decoded(talk.packets)
    (quic,) = only(records, QuicRecord)
    assert quic.closed is not None
    assert quic.closed["error_code"] == "CRYPTO_ERROR (no_application_protocol)"
    assert codes(records) == ["quic-closed-error"]


def test_retry() -> None:
    """RFC 9001 section 5.2: the keys of Initial packets are made anew."""
    talk = Talk()
    hello = crypto(client_hello((57, b"")))
    talk.send("client", talk.packet("client", "initial", hello))
    head = b"\xf0" + V1.to_bytes(4, "big") + b"\x08client01\x08retried1"
    talk.send("server", head + b"token" + bytes(16))
    talk.destination = b"retried1"
    talk.send("client", talk.packet("client", "initial", hello))
    talk.send("server", talk.packet("server", "initial", crypto(server_hello(session=b""))))
    records = decoded(talk.packets)
    assert codes(records) == ["quic-retry"]
    (quic,) = only(records, QuicRecord)
    assert (quic.retried, quic.unopened) == (True, 0)
    assert only(records, TlsConnectionRecord)[0].version == "TLSv1.2"


def test_version_negotiation() -> None:
    talk = Talk()
    talk.send("client", talk.packet("client", "initial", crypto(client_hello())))
    offer = b"\x80\0\0\0\0\x08client01\x08" + FIRST_ID + b"\x6b\x33\x43\xcf\x0a\x1a\x2a\x3a"
    talk.send("server", offer)
    (said,) = [one for one in decoded(talk.packets) if isinstance(one, DiagnosticRecord)]
    assert said.code == "quic-version-negotiation"
    assert said.summary.endswith(": QUIC v2, 0x0a1a2a3a")


def test_early_data() -> None:
    talk = Talk()
    talk.send(
        "client",
        talk.packet("client", "initial", crypto(client_hello((42, b""), (16, b"\0\3\2h3")))),
        talk.packet("client", "0-rtt", stream(0, 0, GET, fin=True)),
    )
    records = decoded(talk.packets, talk.keys)
    assert codes(records) == ["quic-early-data"]
    assert only(records, TlsConnectionRecord)[0].early_data is True
    assert [request.target for request in only(records, RequestRecord)] == ["/"]


def test_connections_between_the_same_ports_one_after_the_other() -> None:
    first, second = dialogue(), dialogue(talk=Talk(destination=b"another1"))
    moved = [(packet[0] + len(first.packets), *packet[1:]) for packet in second.packets]
    records = decoded([*first.packets, *moved], first.keys)
    found = only(records, ConnectionRecord)
    assert [one.connection for one in found] == [FIRST_QUIC_CONNECTION, FIRST_QUIC_CONNECTION + 1]
    assert events(records) == ["one", "two"] * 2
    assert [one.number for one in only(records, QuicRecord)] == [0, 1]


@pytest.mark.parametrize("missing", [1, 2, 3])
@pytest.mark.parametrize("suite", sorted(SUITES))
def test_a_beginning_that_was_not_captured(missing: int, suite: int) -> None:
    """Its keys are those that open its packets, with long headers or without."""
    talk = dialogue(talk=Talk(suite=suite))
    others = Talk(secrets=dict.fromkeys(talk.secrets, b"?" * 32))
    packets = [(place + 1, *packet[1:]) for place, packet in enumerate(talk.packets[missing:])]
    log = talk.key_log + others.key_log.replace(bytes(32).hex().encode(), b"07" * 32)
    records = decoded(packets, Known(log))
    (connection,) = only(records, ConnectionRecord)
    assert (connection.midstream, connection.protocol) == (True, "http/3")
    assert (connection.client, connection.server) == ("10.0.0.1:50000", "10.0.0.2:443")
    assert events(records) == ["one", "two"]
    # Keys of Initial packets are made of the id in the client's first one, which is missing.
    unopened = ["quic-packets-unopened"] if missing == 1 else []
    assert codes(records) == ["quic-closed", "quic-midstream", *unopened]
    (body,) = only(records, BodyRecord)
    assert body.complete


@pytest.mark.parametrize("first", [200, 60_000, 70_000, 300_000])
def test_packet_numbers_of_a_connection_that_is_joined(first: int) -> None:
    """Of which the last two bytes are written."""
    talk = Talk(client_id=b"")
    talk.shake_hands()
    talk.numbers["client", "1-rtt"] = talk.numbers["server", "1-rtt"] = first
    talk.settle()
    talk.ask()
    talk.answer(b"data: one\n\n")
    records = decoded(talk.packets[3:], talk.keys)
    assert events(records) == ["one"]
    (quic,) = only(records, QuicRecord)
    assert (quic.unopened, quic.server_unaccounted) == (0, 0)


def test_nothing_is_known_of_short_headers_alone_without_their_keys() -> None:
    talk = dialogue()
    others = Talk(secrets=dict.fromkeys(talk.secrets, b"?" * 32))
    for keys in (None, others.keys):
        assert codes(decoded(talk.packets[3:], keys)) == ["packets-not-decoded"]


def test_versions_that_are_not_read() -> None:
    talk = Talk()
    talk.send("client", b"\xc3\x0a\x1a\x2a\x3a\x08chosen-1\0".ljust(1200, b"\0"))
    talk.send("client", b"\xc3\xff\0\0\x1d\x08chosen-1\0".ljust(1200, b"\0"))
    records = decoded(talk.packets)
    assert codes(records) == ["quic-version-unknown", "packets-not-decoded"]
    (said, _) = records
    assert isinstance(said, DiagnosticRecord)
    assert said.summary.endswith("0x0a1a2a3a")


def test_without_the_extra_it_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parsers.decode.datagrams.LIBRARIES", ("no_such_library",))
    talk = dialogue()
    records = decoded(talk.packets, talk.keys)
    assert codes(records) == ["quic-not-decoded", "packets-not-decoded"]
    assert isinstance(records[0], DiagnosticRecord)
    assert records[0].summary.endswith("pip install 'wireproof[h3]'")


@pytest.mark.parametrize("is_opened", [True, False])
def test_a_client_that_may_open_no_more_streams(is_opened: bool) -> None:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.say("client", b"\x16\x03")  # STREAMS_BLOCKED
    if is_opened:
        talk.say("server", b"\x12\x09")  # MAX_STREAMS
    talk.ask()
    talk.answer(b"data: one\n\n")
    records = decoded(talk.packets, talk.keys)
    (said,) = [one for one in only(records, DiagnosticRecord) if one.code == "quic-streams-blocked"]
    assert (said.sender, said.exchange) == ("client", None)
    assert "the client, after 3 of both directions" in said.summary
    assert ("until MAX_STREAMS in packet" in said.summary) == is_opened
