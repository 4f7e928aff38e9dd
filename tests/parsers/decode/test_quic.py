"""QUIC connections as their records are written: keys, loss, resets, moves, and how they end."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.quic import (
    FIRST_ID,
    GET,
    OK,
    SUITES,
    V1,
    V2,
    Known,
    Talk,
    ack,
    close,
    crypto,
    data,
    dialogue,
    shuffled,
    stream,
    varint,
)
from support.tls import client_hello, server_hello

from parsers.decode.packets import PacketDecoder
from parsers.files.packets import Packet
from parsers.records import (
    FIRST_QUIC_CONNECTION,
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Http3FrameRecord,
    QuicRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    TlsConnectionRecord,
)
from parsers.tls.key_finder import KeySource


def decoded(
    packets: Sequence[Packet], keys: KeySource | None = None, step: int = 1000
) -> list[Record]:
    decoder = PacketDecoder(keys=keys)
    records: list[Record] = []
    for start in range(0, len(packets), step):
        records += decoder.receive(packets[start : start + step])
    return records + decoder.finish() + decoder.report([])


def only(records: Sequence[Record], kind: type) -> list:  # type: ignore[type-arg]
    return [record for record in records if type(record) is kind]


def codes(records: Sequence[Record]) -> list[str]:
    return [record.code for record in records if isinstance(record, DiagnosticRecord)]


def events(records: Sequence[Record]) -> list[str | None]:
    return [record.data for record in records if isinstance(record, SseEventRecord)]


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


@given(st.randoms(use_true_random=False), st.integers(1, 9))
@settings(deadline=None)
def test_datagrams_in_another_order(random: object, step: int) -> None:
    """Whatever order the datagrams of the streams come in, the content is the same."""
    talk = dialogue(b"data: a\n\n", b"data: b\n\n", b"data: c\n\n")
    middle = list(range(3, len(talk.packets) - 1))
    random.shuffle(middle)  # type: ignore[attr-defined]
    order = [0, 1, 2, *middle, len(talk.packets) - 1]
    records = decoded(shuffled(talk.packets, order), talk.keys, step)
    assert events(records) == ["a", "b", "c"]
    (body,) = only(records, BodyRecord)
    assert (body.complete, body.ended_by) == (True, "end-stream")
    assert codes(records) == ["quic-closed"]


def test_a_packet_that_overtakes_completes_nothing_before_the_other_came() -> None:
    talk = dialogue()
    order = [0, 1, 2, 3, 4, 5, 6, 8, 7, 9]
    records = decoded(shuffled(talk.packets, order), talk.keys)
    first, second = only(records, SseEventRecord)
    assert (first.first_packet, first.last_packet) == (9, 9)
    assert (second.first_packet, second.last_packet) == (8, 9)


def test_datagrams_twice_are_copies() -> None:
    talk = dialogue()
    doubled = [packet for packet in talk.packets[:-1] for _ in range(2)] + talk.packets[-1:]
    packets = [(place + 1, *packet[1:]) for place, packet in enumerate(doubled)]
    records = decoded(packets, talk.keys)
    assert events(records) == ["one", "two"]
    (connection,) = only(records, ConnectionRecord)
    assert connection.copies == 10
    assert connection.retransmissions == 0


def test_what_was_lost_and_sent_again() -> None:
    """The packet was captured, and lost after that: three later ones were acknowledged."""
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.answer(b"data: one\n\n", b"data: two\n\n", fin=False)
    size = len(OK) + len(data(b"data: one\n\n")) + len(data(b"data: two\n\n"))
    for number in range(2):
        talk.say("server", stream(0, size + number, b"\0"))
    all_but_2 = (5, 0, 1, 2, 0, 1)  # the largest, the delay, one more range, [3, 5], [0, 1]
    talk.say("client", b"\x02" + b"".join(map(varint, all_but_2)))
    repeated = len(OK)
    talk.say("server", stream(0, repeated, data(b"data: one\n\n")))
    records = decoded(talk.packets, talk.keys)
    (quic,) = only(records, QuicRecord)
    assert [(loss["sender"], loss["packet_number"], loss["packet"]) for loss in quic.losses] == [
        ("server", 2, 8)
    ]
    (connection,) = only(records, ConnectionRecord)
    assert connection.retransmissions == 1
    assert "quic-packets-lost" in codes(records)
    assert events(records) == ["one", "two"]


def test_what_was_not_captured_and_acknowledged_is_a_gap() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.answer(b"data: one\n\n", b"data: two\n\n", b"data: three\n\n", fin=False)
    at = len(OK) + sum(len(data(one)) for one in (b"data: one\n\n", b"data: two\n\n"))
    at += len(data(b"data: three\n\n"))
    lost = talk.packets.pop(8)
    assert lost[0] == 9
    talk.say("client", ack(0, 4))
    for number in range(20):
        part = data(b"data: %02d\n\n" % number)
        talk.say("server", stream(0, at, part))
        at += len(part)
    packets = [(place + 1, *packet[1:]) for place, packet in enumerate(talk.packets)]
    records = decoded(packets, talk.keys)
    (gap,) = [record for record in records if record.record == "gap"]
    assert gap.missing == len(data(b"data: two\n\n"))
    assert gap.last_packet == 9, "the first that came behind them"
    assert records.index(gap) < len(records) - 20, "not at the end of the capture alone"
    assert codes(records)[0] == "http3-resumed"
    assert events(records) == ["one", "three", *(f"{number:02d}" for number in range(20))]
    (quic,) = only(records, QuicRecord)
    assert (quic.server_uncaptured, quic.server_unaccounted) == (1, 0)


def test_what_nobody_acknowledged_may_still_come() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.answer(b"data: one\n\n", b"data: two\n\n", fin=False)
    lost = talk.packets.pop(7)
    at = len(OK) + 2 * len(data(b"data: one\n\n"))
    for _ in range(40):
        talk.say("server", stream(0, at, data(b": \n\n")))
        at += len(data(b": \n\n"))
    talk.say("server", stream(0, len(OK), data(b"data: one\n\n")))
    packets = [(place + 1, *packet[1:]) for place, packet in enumerate(talk.packets)]
    records = decoded(packets, talk.keys)
    assert lost[0] == 8
    assert [record for record in records if record.record == "gap"] == []
    assert [event for event in events(records) if event] == ["one", "two"]
    (quic,) = only(records, QuicRecord)
    assert (quic.server_uncaptured, quic.server_unaccounted) == (0, 1)


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


@pytest.mark.parametrize("client_id", [b"client01", b"quic", b""])
def test_datagrams_that_offload_joined(client_id: bytes) -> None:
    """Of one size but the last; with and without a connection id that shows where each begins."""
    talk = Talk(client_id=client_id)
    talk.shake_hands()
    talk.settle()
    talk.ask()
    content = [b": " + b"x" * 1180 + b"\ndata: %d\n\n" % number for number in range(4)]
    whole = OK + b"".join(map(data, content))
    parts = [whole[at : at + 1200] for at in range(0, len(whole), 1200)]
    frames = [stream(0, at * 1200, part, fin=at == len(parts) - 1) for at, part in enumerate(parts)]
    for _ in range(2):  # the second time they are copies of bytes, in packets of their own
        talk.send("server", *(talk.packet("server", "1-rtt", frame) for frame in frames))
    talk.say("client", close(0x100))
    records = decoded(talk.packets, talk.keys)
    assert events(records) == ["0", "1", "2", "3"]
    assert {one.last_packet for one in only(records, SseEventRecord)} == {7}
    assert codes(records) == ["quic-datagrams-joined", "quic-closed"]
    (quic,) = only(records, QuicRecord)
    assert (quic.unopened, quic.server_unaccounted) == (0, 0)
    (body,) = only(records, BodyRecord)
    assert body.complete


def test_the_last_of_joined_datagrams_is_damaged() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.send(
        "server",
        talk.packet("server", "1-rtt", stream(0, 0, OK + data(b"data: a\n\n")) + bytes(1100)),
        talk.packet("server", "1-rtt", b"\x01")[:-1] + b"?",
    )
    records = decoded(talk.packets, talk.keys)
    assert events(records) == ["a"]
    (quic,) = only(records, QuicRecord)
    assert quic.unopened == 1


def test_a_connection_that_moves() -> None:
    """RFC 9000 section 9: its connection id tells it, from another port."""
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.ports = 50_001, 443
    talk.answer(b"data: one\n\n")
    talk.ports = 50_000, 443
    talk.say("client", close(0x100))
    records = decoded(talk.packets, talk.keys)
    assert events(records) == ["one"]
    assert codes(records) == ["quic-migration", "quic-closed"]
    (connection,) = only(records, ConnectionRecord)
    (quic,) = only(records, QuicRecord)
    assert (connection.client, quic.migrations) == ("10.0.0.1:50000", 1)


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


def test_malformed_packets_and_frames() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.say("client", stream(0, 0, GET, fin=True), b"\x3f")
    talk.send("client", b"\xc3" + V1.to_bytes(4, "big") + b"\x08server-1\xff")
    records = decoded(talk.packets, talk.keys)
    assert codes(records) == ["quic-frame-malformed", "quic-packet-malformed"]
    assert len(only(records, RequestRecord)) == 1, "what came before in the packet counts"


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


@given(st.integers(0, 10), st.integers(0, 1400), st.integers(1, 255))
@settings(deadline=None, max_examples=60)
def test_a_damaged_datagram_costs_no_more_than_itself(index: int, place: int, flip: int) -> None:
    """Whatever byte of whatever datagram is another one: no content is invented."""
    talk = dialogue(b"data: one\n\n", b"data: two\n\n", b"data: three\n\n")
    packets = list(talk.packets)
    number, time, link, size, frame = packets[index]
    damaged = bytearray(frame)
    damaged[42 + place % (len(frame) - 42)] ^= flip
    packets[index] = number, time, link, size, bytes(damaged)
    records = decoded(packets, talk.keys)
    assert [event for event in events(records) if event not in ("one", "two", "three")] == []
    assert len(only(records, ConnectionRecord)) >= 1


@given(st.binary(max_size=200), st.sampled_from(["client", "server"]))
@settings(deadline=None)
def test_any_frames(payload: bytes, sender: str) -> None:
    """Packets that are sealed rightly may hold anything."""
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.say(sender, payload)
    talk.answer(b"data: one\n\n")
    records = decoded(talk.packets, talk.keys)
    assert len(only(records, ConnectionRecord)) == 1


@given(st.binary(max_size=1400))
def test_any_datagram(payload: bytes) -> None:
    talk = Talk()
    for first in (b"", b"\xc3\0\0\0\1", b"\xc3\x6b\x33\x43\xcf\x08chosen-1"):
        talk.send("client", first + payload)
    assert decoded(talk.packets) != []


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
