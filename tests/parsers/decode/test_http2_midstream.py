"""Connections of HTTP/2 that were joined in the middle, and such with a hole in them."""

from __future__ import annotations

from typing import Any

import pytest
from support.corpus import http2_vectors_at_hand
from support.framed import grpc_frame
from support.http2 import (
    EVENTS,
    GET,
    OK,
    SETTINGS,
    SETTINGS_ACK,
    Http2Talk,
    data,
    framed,
    of_steps,
)
from support.talk import Packet, decoded

from parsers.http2.elements import PING, PREFACE, RST_STREAM
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GrpcMessageRecord,
    Http2DataRecord,
    JsonLineRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
)

STREAMS = (1, 3, 5)
ROUNDS = 6
MIDSTREAM = {
    vector["id"]: vector
    for vector in http2_vectors_at_hand("h2")
    if vector["expect"].get("midstream")
}


def event(stream_id: int, number: int) -> bytes:
    return f"id: {number}\ndata: {stream_id} says {number}\n\n".encode()


def dialogue() -> Http2Talk:
    """Three event streams, whose frames alternate: a segment each."""
    talk = Http2Talk().begin()
    for stream_id in STREAMS:
        talk.say("client", talk.client.head(stream_id, GET, ends=True))
    for stream_id in STREAMS:
        talk.say("server", talk.server.head(stream_id, [*EVENTS, ("x-trace", "seven")]))
    for number in range(ROUNDS):
        for stream_id in STREAMS:
            ends = number == ROUNDS - 1
            talk.say("server", data(stream_id, event(stream_id, number), ends=ends))
    talk.talk.close()
    return talk


def events(records: list[Record]) -> dict[int, list[str | None]]:
    found: dict[int, list[str | None]] = {stream_id: [] for stream_id in STREAMS}
    for one in records:
        if isinstance(one, SseEventRecord) and one.stream_id is not None:
            found[one.stream_id].append(one.data)
    return found


WHOLE = events(dialogue().records())
PACKETS = dialogue().packets()
FIRST_DATA = len(PACKETS) - 3 - ROUNDS * len(STREAMS)


def faults(records: list[Record], code: str) -> list[DiagnosticRecord]:
    return [one for one in records if isinstance(one, DiagnosticRecord) and one.code == code]


@pytest.mark.parametrize("first", range(3, len(PACKETS) - 5))
def test_what_is_left_is_a_suffix(first: int) -> None:
    records = decoded(PACKETS[first:])
    (connection,) = [one for one in records if isinstance(one, ConnectionRecord)]
    assert connection.protocol == "http/2"
    found = events(records)
    left = max(0, first - FIRST_DATA)
    for place, stream_id in enumerate(STREAMS):
        gone = (left + len(STREAMS) - 1 - place) // len(STREAMS)
        assert found[stream_id] == WHOLE[stream_id][gone:]


def test_the_probability_is_said() -> None:
    (joined,) = faults(decoded(PACKETS[FIRST_DATA:]), "stream-joined")
    assert joined.summary.endswith(
        "HTTP/2 frames, certain by 3 headers, one after another: by chance less than once in 2^47"
    )
    assert joined.exchange is None


def test_two_frames_are_enough_where_nothing_follows() -> None:
    """With whose end both streams end: but one is not."""
    records = decoded(PACKETS[-5:])
    assert [found[-1:] for found in events(records).values()] == [
        [], WHOLE[3][-1:], WHOLE[5][-1:],
    ]  # fmt: skip
    (joined,) = faults(records, "stream-joined")
    assert "certain by 2 headers" in joined.summary
    assert [one.record for one in decoded(PACKETS[-4:])] == ["connection"]


def test_a_joined_body_is_not_complete() -> None:
    records = decoded(PACKETS[FIRST_DATA:])
    bodies = [one for one in records if isinstance(one, BodyRecord)]
    assert {one.complete for one in bodies} == {False}
    assert {one.ended_by for one in bodies} == {"end-stream"}


def test_entries_that_were_added_before_are_unknown_and_later_ones_are_certain() -> None:
    talk = Http2Talk().begin()
    start = talk.say("client", talk.client.head(1, [*GET, ("old", "before")], ends=True))
    both = [*GET, ("old", "before"), ("new", "after")]
    for stream_id in (3, 5, 7):
        talk.say("client", talk.client.head(stream_id, both, ends=True))
    records = decoded(talk.packets()[start:])
    requests = [one for one in records if isinstance(one, RequestRecord)]
    said = [(one.headers[-2], one.headers[-1]) for one in requests]
    assert said == [(("<unknown>", "<unknown>"), ("new", "after"))] * 3
    assert [one.headers[0] for one in requests] == [(":method", "GET")] * 3


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


def errors(records: list[Record]) -> list[str]:
    return [one.summary for one in records if getattr(one, "severity", "") == "error"]


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


def unprefaced(lost: int) -> Http2Talk:
    """A connection in the clear of whose client the first ``lost`` segments are missing."""
    talk = Http2Talk()
    hidden = [PREFACE + SETTINGS, talk.client.head(1, GET, ends=True), SETTINGS_ACK]
    for piece in hidden[:lost]:
        talk.talk.lose("client", len(piece))
    for piece in hidden[lost:]:
        talk.say("client", piece)
    talk.say("server", SETTINGS + SETTINGS_ACK)
    talk.say("server", talk.server.head(1, EVENTS), data(1, event(1, 0)))
    talk.say("client", talk.client.head(3, [*GET, ("x-late", "yes")], ends=True))
    talk.say("server", talk.server.head(3, EVENTS), data(3, event(3, 0), ends=True))
    talk.say("server", data(1, event(1, 1), ends=True))
    talk.say("client", framed(PING, 0, 0, bytes(8)), framed(PING, 0, 0, bytes(8)))
    talk.talk.close()
    return talk


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_client_whose_preface_is_missing_is_known_by_what_its_server_begins_with(
    lost: int,
) -> None:
    records = unprefaced(lost).records()
    (connection,) = [one for one in records if isinstance(one, ConnectionRecord)]
    assert (connection.protocol, connection.midstream) == ("http/2", False)
    assert errors(records) == []
    assert events(records) == {1: ["1 says 0", "1 says 1"], 3: ["3 says 0"], 5: []}
    asked = [(one.stream_id, one.target) for one in records if isinstance(one, RequestRecord)]
    assert asked == [(1, "/"), (3, "/")] if lost < 2 else asked == [(3, "/")]
    answered = [one.stream_id for one in records if isinstance(one, ResponseRecord)]
    assert answered == [1, 3]


@pytest.mark.parametrize(
    "begins",
    [
        data(1, b"abc") + SETTINGS + SETTINGS_ACK,  # frames, but no SETTINGS first
        SETTINGS_ACK + SETTINGS + SETTINGS,
        SETTINGS[:2] + b"\5" + SETTINGS[3:] + bytes(60),  # no multiple of 6
        SETTINGS + bytes(60),  # no frames after it
        b"\0\0\0\4\0\0\0\0" * 9,  # lengths before values: another protocol
    ],
)
def test_what_does_not_begin_as_a_server_of_http2_is_none(begins: bytes) -> None:
    talk = Http2Talk()
    talk.talk.lose("client", 40)
    talk.say("client", b"\1\2\3")
    talk.say("server", begins)
    talk.say("client", b"\1\2\3")
    talk.talk.close()
    (connection,) = [one for one in talk.records() if isinstance(one, ConnectionRecord)]
    assert connection.protocol == "unknown"


@pytest.mark.parametrize("name", MIDSTREAM)
@pytest.mark.parametrize("byte_by_byte", [False, True])
def test_vectors(name: str, byte_by_byte: bool) -> None:
    vector = MIDSTREAM[name]
    talk, _ = of_steps(vector["steps"], byte_by_byte=byte_by_byte)
    talk.talk.close()
    records = decoded(talk.packets()[3:])
    for number, expected in vector["expect"]["streams"].items():
        (body,) = of_stream(BodyRecord, records, int(number))
        wanted = expected["server_body"]
        assert (body.size, body.sha256) == (wanted["bytes"], wanted["sha256"])
        frames = of_stream(Http2DataRecord, records, int(number))
        assert frames[-1].end_stream == expected["end"]["server"]


def of_stream(kind: type[Any], records: list[Record], number: int) -> list[Any]:
    return [one for one in records if isinstance(one, kind) and one.stream_id == number]


LINES: list[tuple[str, str]] = [*OK, ("content-type", "application/x-ndjson")]


def spoken_lines(*contents: bytes, ends: bool = True) -> list[Record]:
    """Content whose head is missing, a DATA frame each."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.talk.lose("server", len(talk.server.head(1, LINES)))
    for place, content in enumerate(contents):
        talk.say("server", data(1, content, ends=ends and place == len(contents) - 1))
    return talk.records()


@pytest.mark.parametrize(
    "contents",
    [
        (b'{"a":1}\n', b'{"a":2}\n', b'{"a":3}\n'),
        (b'{"a":1}\n{"a":2}\n', b'{"a":3}\n'),
        (b'{"a":1}\n', b"", b'{"a":2}\n{"a":', b"3}\n"),
    ],
)
def test_lines_of_json_tell_what_they_are_without_a_head(contents: tuple[bytes, ...]) -> None:
    records = spoken_lines(*contents)
    lines = [one.data for one in records if isinstance(one, JsonLineRecord)]
    if contents[1]:
        assert lines == ['{"a":1}', '{"a":2}', '{"a":3}']
        (said,) = faults(records, "json-lines-found")
        assert (said.stream_id, said.severity) == (1, "note")
        assert said.summary.endswith("2 of them came first")
    else:  # what is held ends amid a line: nothing is guessed
        assert lines == []
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert (body.size, body.complete) == (sum(map(len, contents)), False)


@pytest.mark.parametrize(
    "contents",
    [
        (b'{"a":1}\n',),  # may be all of a document
        (b'{\n "a": 1\n}\n',),
        (b'{"a":1}\n', b"and then some text\n"),
        (b"1\n2\n", b"3\n"),
        (b"line\n", b'{"a":1}\n{"a":2}\n'),
    ],
)
def test_what_may_be_something_else_is_not_read_as_lines(contents: tuple[bytes, ...]) -> None:
    records = spoken_lines(*contents)
    assert not [one for one in records if isinstance(one, JsonLineRecord)]
    assert not faults(records, "json-lines-found")
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert body.size == sum(map(len, contents))


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


def test_trailers_of_an_answer_that_was_missed_are_no_head() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS), data(1, event(1, 0)))
    packet = talk.say("server", talk.server.head(1, [("x-sum", "a")], ends=True))
    for stream_id in (3, 5, 7):
        talk.say("client", talk.client.head(stream_id, GET, ends=True))
        talk.say("server", talk.server.head(stream_id, EVENTS), data(stream_id, b"", ends=True))
    records = decoded([one for one in talk.packets() if one[0] >= packet])
    assert errors(records) == []
    assert {one.status for one in records if isinstance(one, ResponseRecord)} == {200}


LINE = b'{"line":%d}\n'
Lost = tuple[int, int] | None
"""Of a DATA frame: nothing is lost, or all between two places of it."""


@pytest.mark.parametrize(
    "pieces",
    [
        [(LINE % 0, None), (LINE % 1, (12, 17)), (LINE % 2, None)],
        [(LINE % 0, None), (LINE % 1, (14, 20)), (LINE % 2, None)],
        [(LINE % 0, None), (b'{"a":', (0, 14)), (b"1}\n" + LINE % 2, None)],
        [(LINE % 0, None), (b'{"a":', (0, 14)), (b"1, ", None), (b'"c":2}\n', None)],
        [
            (LINE % 0, None),
            (b'{"a":', (0, 14)),
            (b"1, ", None),
            (b'"c"', (9, 11)),
            (b":2}\n", None),
        ],
        [(b'{"a":', None), (b"1, ", (0, 12)), (b'"c":2}\n', None), (LINE % 2, None)],
    ],
    ids=[
        "in a frame",
        "the end of one",
        "its beginning",
        "and nothing certain after it",
        "twice",
        "its middle",
    ],
)
def test_lines_of_json_go_on_after_a_hole(pieces: list[tuple[bytes, Lost]]) -> None:
    """What is read is what was sent: no line of two halves that do not belong together."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, LINES))
    sent = [*pieces, *[(LINE % number, None) for number in range(3, 6)]]
    for content, lost in sent:
        whole = data(1, content)
        start, end = lost or (len(whole), len(whole))
        if start:
            talk.say("server", whole[:start])
        talk.talk.lose("server", end - start)
        if whole[end:]:
            talk.say("server", whole[end:])
    talk.say("server", data(1, b"", ends=True))
    records = talk.records()
    said = b"".join(content for content, _ in sent).splitlines()
    found = [(one.data or "").encode().strip() for one in of_stream(JsonLineRecord, records, 1)]
    assert found[-3:] == [b'{"line":%d}' % number for number in range(3, 6)]
    whole_lines = [one for one in found if one.startswith(b"{") and one.endswith(b"}")]
    assert all(one in said for one in whole_lines)
    (body,) = of_stream(BodyRecord, records, 1)
    assert not body.complete
