"""What aioquic's client received beside what is decoded: with loss, updates, and every suite."""

from __future__ import annotations

import pytest
from aioquic.tls import CipherSuite
from hypothesis import given, settings
from hypothesis import strategies as st
from support.aioquic_peers import Answer, Ends
from support.quic import Known

from parsers.decode.packets import PacketDecoder
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Http3DataRecord,
    QuicRecord,
    Record,
    ResponseRecord,
    SseEventRecord,
    StallRecord,
    TlsConnectionRecord,
)


def numbered(stream_id: int) -> Answer:
    return [b"data: %d of %d\n\n" % (place, stream_id) for place in range(5)]


def decoded(ends: Ends) -> list[Record]:
    decoder = PacketDecoder(keys=Known(ends.key_log))
    return decoder.receive(ends.packets) + decoder.finish()


def bodies(records: list[Record]) -> dict[int | None, BodyRecord]:
    return {record.stream_id: record for record in records if isinstance(record, BodyRecord)}


def only(records: list[Record], kind: type) -> list:  # type: ignore[type-arg]
    return [record for record in records if type(record) is kind]


def events_of(records: list[Record], stream_id: int) -> str:
    found = [one for one in only(records, SseEventRecord) if one.stream_id == stream_id]
    return "".join(f"data: {one.data}\n\n" for one in found)


@pytest.mark.parametrize(
    "suite",
    [
        CipherSuite.AES_128_GCM_SHA256,
        CipherSuite.AES_256_GCM_SHA384,
        CipherSuite.CHACHA20_POLY1305_SHA256,
    ],
)
def test_every_suite(suite: CipherSuite) -> None:
    ends = Ends(numbered, suite=suite)
    asked = [ends.ask(f"/{number}") for number in range(4)]
    ends.run()
    records = decoded(ends)
    assert ends.ended == set(asked)
    for stream_id in asked:
        body = bodies(records)[stream_id]
        assert (body.complete, body.ended_by) == (True, "end-stream")
        assert events_of(records, stream_id).encode() == ends.received[stream_id]
    (tls,) = only(records, TlsConnectionRecord)
    assert (tls.decrypted, tls.alpn, tls.sni) == ("yes", "h3", "localhost")
    assert ("x-stream", "4") in only(records, ResponseRecord)[1].headers
    (connection,) = only(records, ConnectionRecord)
    assert connection.packets == len(ends.packets)


@given(st.integers(0, 1 << 30), st.sampled_from([0.02, 0.1, 0.2]))
@settings(deadline=None, max_examples=12)
def test_loss(seed: int, loss: float) -> None:
    """Lost before the capture, or after it: what the client received is decoded, in its order."""
    ends = Ends(numbered, loss=loss, seed=seed)
    asked = [ends.ask(f"/{number}") for number in range(3)]
    ends.run(20.0)
    records = decoded(ends)
    faults = {one.code for one in records if isinstance(one, DiagnosticRecord)}
    assert faults <= {"quic-packets-lost", "quic-closed", "quic-closed-error"}, faults
    for stream_id in asked:
        if stream_id in ends.ended:
            assert events_of(records, stream_id).encode() == ends.received[stream_id]
            assert bodies(records)[stream_id].complete


def test_losses_are_told() -> None:
    ends = Ends(lambda _: [b"data: %s\n\n" % (b"x" * 900)] * 60, loss=0.1, seed=7)
    asked = ends.ask()
    ends.run(20.0)
    records = decoded(ends)
    (quic,) = only(records, QuicRecord)
    (connection,) = only(records, ConnectionRecord)
    assert asked in ends.ended
    assert quic.losses
    assert {loss["sender"] for loss in quic.losses} >= {"server"}
    assert quic.server_unaccounted > 0, "lost before the capture"
    assert connection.retransmissions > 0
    assert bodies(records)[asked].complete


def test_key_updates() -> None:
    ends = Ends(numbered)
    ends.ask()
    ends.run(0.5)
    ends.client.request_key_update()
    second = ends.ask()
    ends.run(0.5)
    records = decoded(ends)
    (quic,) = only(records, QuicRecord)
    assert (quic.client_key_updates, quic.server_key_updates) == (1, 1)
    assert events_of(records, second).encode() == ends.received[second]


@pytest.mark.parametrize("connection", [False, True])
def test_a_client_that_does_not_read(connection: bool) -> None:
    """Its window is used up, and holds the server from one packet to the one that opens it."""
    ends = Ends(lambda _: [b"data: %s\n\n" % (b"x" * 1000)] * 1500)
    ends.hold(connection=connection)
    asked = ends.ask()
    ends.run(1.0)
    held = ends.packets[-1][0]
    ends.let_go()
    ends.run(1.0)
    records = decoded(ends)
    (stall,) = only(records, StallRecord)
    assert (stall.sender, stall.window) == ("server", "connection" if connection else "stream")
    assert (stall.stream_id, stall.exchange) == ((None, None) if connection else (asked, 0))
    assert stall.first_packet <= held < stall.opened_by < stall.last_packet
    assert 0.9 < stall.seconds < 1.1
    assert bodies(records)[asked].complete
    if not connection:
        assert stall.offset == 1 << 20, "aioquic's window of a stream"


def test_a_client_that_never_reads() -> None:
    ends = Ends(lambda _: [b"data: %s\n\n" % (b"x" * 1000)] * 1500)
    ends.hold(connection=False)
    ends.ask()
    ends.run(1.0)
    (stall,) = only(decoded(ends), StallRecord)
    assert (stall.opened_by, stall.window, stall.exchange) == (None, "stream", 0)


def test_a_client_that_reads() -> None:
    ends = Ends(lambda _: [b"data: %s\n\n" % (b"x" * 1000)] * 1500, loss=0.02, seed=3)
    ends.ask()
    ends.run(5.0)
    assert only(decoded(ends), StallRecord) == []


@pytest.mark.parametrize("missing", [1, 2, 4, 7])
def test_a_capture_that_begins_within_the_connection(missing: int) -> None:
    """What is asked after that is read, with the keys; header fields, as far as QPACK's table is
    known, which aioquic fills with the first request."""
    ends = Ends(numbered)
    ends.ask()
    ends.run(0.5)
    second = ends.ask("/second")
    ends.run(0.5)
    decoder = PacketDecoder(keys=Known(ends.key_log))
    records = decoder.receive(ends.packets[missing:]) + decoder.finish()
    pieces = [one for one in only(records, Http3DataRecord) if one.stream_id == second]
    assert "".join(one.data for one in pieces).encode() == ends.received[second]
    faults = {one.code for one in records if isinstance(one, DiagnosticRecord)}
    assert faults <= {
        "quic-midstream",
        "quic-packets-unopened",
        "qpack-section-unknown",
        "http3-frames-lost",
    }
    (connection,) = only(records, ConnectionRecord)
    assert (connection.midstream, connection.client) == (True, "127.0.0.1:50000")


def test_a_client_that_leaves() -> None:
    """Flow control holds the answer back, so that it is not whole when the client leaves."""
    ends = Ends(lambda _: [b"data: %s\n\n" % (b"x" * 1000)] * 3000)
    asked = ends.ask()
    ends.run(0.03)
    ends.leave(asked)
    ends.run(1.0)
    records = decoded(ends)
    body = bodies(records)[asked]
    assert (body.complete, body.ended_by) == (False, "rst-stream")
    assert "http3-cancelled" in {one.code for one in records if isinstance(one, DiagnosticRecord)}


def test_closing() -> None:
    ends = Ends(numbered)
    ends.ask()
    ends.run(0.5)
    ends.client.close(error_code=0x100, reason_phrase="bye")
    ends.run(0.5)
    records = decoded(ends)
    (quic,) = only(records, QuicRecord)
    assert quic.closed is not None
    assert (quic.closed["error_code"], quic.closed["reason"]) == ("H3_NO_ERROR", "bye")
