"""Connections of HTTP/2 in which bytes are missing: what is lost, what goes on, who is blamed."""

from __future__ import annotations

import pytest
from support.framed import grpc_frame
from support.http2 import EVENTS, GET, OK, SETTINGS, Http2Talk, data, framed
from support.http2_events import FIRST_DATA, PACKETS, STREAMS, WHOLE, errors, event, events, faults
from support.talk import Packet, decoded

from parsers.http2.elements import PING, PREFACE, RST_STREAM
from parsers.records import BodyRecord, GrpcMessageRecord, RequestRecord, ResponseRecord


@pytest.mark.parametrize("lost", range(FIRST_DATA - 3, len(PACKETS) - 4))
def test_one_lost_segment_costs_what_it_held(lost: int) -> None:
    records = decoded(PACKETS[:lost] + PACKETS[lost + 1 :])
    found = events(records)
    place = lost - FIRST_DATA
    for stream_id in STREAMS:
        wanted = list(WHOLE[stream_id])
        if place >= 0 and STREAMS[place % len(STREAMS)] == stream_id:
            del wanted[place // len(STREAMS)]
        assert found[stream_id] == wanted
    responses = [one for one in records if isinstance(one, ResponseRecord)]
    assert len(responses) == len(STREAMS) - (place < 0)
    missing = faults(records, "http2-frames-missing")
    assert missing and {one.sender for one in missing} == {"server"}
    assert len({one.exchange for one in missing}) == len(missing)


def test_a_hole_in_one_frame_is_that_stream_s_alone() -> None:
    talk = Http2Talk().begin()
    for stream_id in (1, 3):
        talk.say("client", talk.client.head(stream_id, GET, ends=True))
        talk.say("server", talk.server.head(stream_id, EVENTS))
    whole = data(1, event(1, 0) + b": " + b"x" * 400 + b"\n\n" + event(1, 1))
    talk.say("server", whole[:100])
    talk.talk.lose("server", 200)
    talk.say("server", whole[300:] + data(3, event(3, 0), ends=True), data(1, b"", ends=True))
    records = talk.records()
    (missing,) = faults(records, "http2-content-missing")
    assert (missing.exchange, missing.stream_id) == (0, 1)
    assert missing.summary.endswith("200 bytes")
    assert not faults(records, "http2-resumed")
    bodies = {one.stream_id: one.complete for one in records if isinstance(one, BodyRecord)}
    assert bodies == {1: False, 3: True}
    assert events(records)[1][-1] == "1 says 1"


GRPC = ("content-type", "application/grpc")
CALLS = {
    stream_id: [b"%d says %d" % (stream_id, number) for number in range(4)] for stream_id in (1, 3)
}


def calls() -> tuple[list[Packet], int]:
    """Two gRPC calls, one after the other, and where the server's answers begin."""
    talk, first = Http2Talk().begin(), 0
    for stream_id, messages in CALLS.items():
        talk.say("client", talk.client.head(stream_id, [*GET, GRPC]))
        talk.say("client", data(stream_id, grpc_frame(0, b"go"), ends=True))
        head = talk.say("server", talk.server.head(stream_id, [*OK, GRPC]))
        first = first or head - 1
        talk.say("server", *(data(stream_id, grpc_frame(0, one)) for one in messages))
        talk.say("server", talk.server.head(stream_id, [("grpc-status", "0")], ends=True))
    talk.talk.close()
    return talk.packets(), first


@pytest.mark.parametrize("lost", range(5))
def test_calls_after_a_hole_are_grpc_by_what_they_answer(lost: int) -> None:
    """The type of later responses refers to a field that may have been in the hole."""
    packets, first = calls()
    records = decoded(packets[: first + lost] + packets[first + lost + 1 :])
    wanted = {stream_id: [one.decode() for one in said] for stream_id, said in CALLS.items()}
    if lost:
        del wanted[1][lost - 1]
    found: dict[int, list[str | None]] = {stream_id: [] for stream_id in CALLS}
    for one in records:
        if isinstance(one, GrpcMessageRecord) and one.sender == "server" and one.stream_id:
            found[one.stream_id].append(one.data)
    assert found == wanted
    responses = [one for one in records if isinstance(one, ResponseRecord)]
    assert [one.headers[-1] for one in responses if one.stream_id == 3] == [
        ("<unknown>", "<unknown>")
    ]
    assert len(faults(records, "grpc-resynchronised")) == 0


def test_a_response_that_is_no_200_to_a_call_is_no_grpc() -> None:
    """A proxy's page of an error, say: its content is not told by what was asked."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, [*GET, GRPC], ends=True))
    talk.say("server", talk.server.head(1, [*OK, ("content-type", "text/html")]))
    lost = talk.say("server", data(1, b"0123456789"))
    talk.say("server", data(1, b"abc", ends=True))
    talk.say("client", talk.client.head(3, [*GET, GRPC], ends=True))
    talk.say("server", talk.server.head(3, [(":status", "502"), ("content-type", "text/html")]))
    talk.say("server", data(3, grpc_frame(0, b"page"), ends=True))
    packets = [packet for packet in talk.packets() if packet[0] != lost]
    assert not any(isinstance(one, GrpcMessageRecord) for one in decoded(packets))


def hole(later: int = 6) -> Http2Talk:
    """An event stream whose client resets it when it is over, with a segment missing in it."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS), data(1, event(1, 0)))
    talk.talk.lose("server", len(data(1, event(1, 1))))
    talk.say("server", data(1, event(1, 2)), data(1, event(1, 3), ends=True))
    talk.say("client", framed(RST_STREAM, 0, 1, (5).to_bytes(4)))
    talk.say("client", talk.client.head(3, GET, ends=True))
    for number in range(later):
        talk.say("server", framed(PING, 0, 0, number.to_bytes(8)))
        talk.say("client", framed(PING, 1, 0, number.to_bytes(8)))
    return talk


@pytest.mark.parametrize("later", [0, 6, 40])
def test_what_waits_behind_a_hole_was_sent_before_a_reset_that_comes_after_it(later: int) -> None:
    records = hole(later).records()
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert (body.ended_by, events(records)[1]) == (
        "end-stream",
        ["1 says 0", "1 says 2", "1 says 3"],
    )
    missing = faults(records, "http2-frames-missing")
    assert [one.stream_id for one in missing] == [1]
    assert not faults(records, "http2-reset")


def test_a_reset_holds_for_what_comes_after_it() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS), data(1, event(1, 0)))
    talk.talk.lose("server", 40)
    talk.say("server", data(1, event(1, 1)))
    talk.say("client", framed(RST_STREAM, 0, 1, (8).to_bytes(4)))
    for number in range(40):
        talk.say("server", data(1, event(1, 2 + number)))
        talk.talk.ack("client")
    records = talk.records()
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert (body.ended_by, events(records)[1]) == ("rst-stream", ["1 says 0", "1 says 1"])
    assert len(faults(records, "http2-cancelled")) == 1


def test_an_answer_may_come_before_a_request_that_waits_behind_a_hole() -> None:
    talk = Http2Talk().begin()
    talk.talk.lose("client", 17)
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS), data(1, event(1, 0), ends=True))
    for number in range(20):
        talk.say("client", framed(PING, 0, 0, number.to_bytes(8)))
        talk.say("server", framed(PING, 1, 0, number.to_bytes(8)))
    records = talk.records()
    assert not [one for one in records if getattr(one, "severity", "") == "error"]
    assert [one.exchange for one in records if isinstance(one, RequestRecord)] == [0]
    assert [one.exchange for one in records if isinstance(one, ResponseRecord)] == [0]


@pytest.mark.parametrize("is_heard", [False, True])
def test_an_answer_to_a_request_that_is_missing_accuses_nobody(is_heard: bool) -> None:
    """Nothing waits behind the hole yet: the acknowledgement alone says that there is one."""
    talk = Http2Talk().begin()
    talk.talk.lose("client", len(talk.client.head(1, GET, ends=True)))
    if is_heard:
        talk.say("client", framed(PING, 0, 0, bytes(8)))
    talk.say("server", talk.server.head(1, EVENTS))
    for number in range(3):
        talk.say("server", data(1, event(1, number)))
        talk.talk.ack("client")
    talk.say("server", data(1, b"", ends=True))
    talk.say("client", framed(PING, 0, 0, bytes(8)))
    talk.talk.close()
    records = talk.records()
    assert errors(records) == []
    assert events(records)[1] == ["1 says 0", "1 says 1", "1 says 2"]
    assert [one.status for one in records if isinstance(one, ResponseRecord)] == [200]
    assert not [one for one in records if isinstance(one, RequestRecord)]
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert (body.ended_by, body.complete) == ("end-stream", True)


@pytest.mark.parametrize("setting", ["window", "frame size", "table size"])
def test_a_server_keeps_to_settings_that_are_missing(setting: str) -> None:
    """What allows it is in the client's packet that the capture lacks, or waits behind it."""
    allowed = {"window": (4, 1 << 20), "frame size": (5, 1 << 16), "table size": (1, 1 << 16)}
    number, value = allowed[setting]
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.talk.lose("client", len(framed(4, 0, 0, number.to_bytes(2) + value.to_bytes(4))) + 13)
    talk.talk.ack("client")
    if setting == "table size":
        talk.server._encoder.header_table_size = value
    talk.say("server", talk.server.head(1, OK))
    size, frames = (60_000, 1) if setting == "frame size" else (10_000, 9)
    for _ in range(frames):
        talk.say(
            "server", *(data(1, bytes(size))[at : at + 1400] for at in range(0, size + 9, 1400))
        )
        talk.talk.ack("client")
    talk.say("server", data(1, b"", ends=True))
    records = talk.records()
    assert errors(records) == []
    assert not [one for one in records if one.record == "stall"]
    assert [one.size for one in records if isinstance(one, BodyRecord)] == [size * frames]


def test_a_reset_behind_a_hole_came_before_the_server_s_fin() -> None:
    """The client's RST_STREAM and FIN wait, and the server's FIN, which answers them, does not."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS), data(1, event(1, 0)))
    talk.talk.lose("client", 17)
    talk.say("client", framed(RST_STREAM, 0, 1, (8).to_bytes(4)))
    talk.talk.fin("client")
    talk.talk.fin("server")
    records = talk.records()
    assert errors(records) == []
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert (body.ended_by, len(faults(records, "http2-cancelled"))) == ("rst-stream", 1)


def test_a_fin_that_is_missing_came_before_the_one_that_acknowledges_it() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS), data(1, event(1, 0)))
    talk.talk.lose("client", 1)
    talk.talk.fin("server")
    records = talk.records()
    assert errors(records) == []
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert body.ended_by == "close"


@pytest.mark.parametrize("error", [0, 2, 7])
def test_a_reset_ends_an_answer_whose_request_waits_behind_a_hole(error: int) -> None:
    """The request, with its END_STREAM, is read after the server's reset, and came before it."""
    talk = Http2Talk()
    talk.talk.lose("client", len(PREFACE + SETTINGS))
    talk.say("server", SETTINGS)
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS), data(1, event(1, 0)))
    talk.say("server", framed(RST_STREAM, 0, 1, error.to_bytes(4)))
    for number in range(20):
        talk.say("client", framed(PING, 0, 0, number.to_bytes(8)))
        talk.say("server", framed(PING, 1, 0, number.to_bytes(8)))
    records = talk.records()
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert (body.ended_by, body.complete, body.exchange) == ("rst-stream", False, 0)
    code = {0: "http2-truncated", 2: "http2-reset", 7: "http2-reset"}[error]  # it has begun
    assert [one.sender for one in faults(records, code)] == ["server"]


@pytest.mark.parametrize("goes_on", [False, True])
def test_an_end_that_may_be_missing_accuses_nobody(goes_on: bool) -> None:
    """Where DATA of the stream came after the hole, nothing in the hole ended it."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS), data(1, event(1, 0)))
    talk.talk.lose("server", 13)
    if goes_on:
        talk.say("server", data(1, event(1, 1)))
    for stream_id in range(3, 43, 2):
        talk.say("client", talk.client.head(stream_id, GET, ends=True))
        talk.say("server", talk.server.head(stream_id, EVENTS), data(stream_id, b"", ends=True))
    talk.talk.fin("server")
    talk.talk.ack("client")
    talk.talk.fin("client")
    records = talk.records()
    assert len(faults(records, "http2-stream-cut")) == goes_on
    assert 1 in [one.stream_id for one in faults(records, "http2-frames-missing")]
