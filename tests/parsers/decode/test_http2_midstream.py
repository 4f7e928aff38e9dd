"""Connections of HTTP/2 that are joined in the middle."""

from __future__ import annotations

import pytest
from support.corpus import http2_vectors_at_hand
from support.http2 import EVENTS, GET, SETTINGS, SETTINGS_ACK, Http2Talk, data, framed, of_steps
from support.http2_events import (
    FIRST_DATA,
    PACKETS,
    STREAMS,
    WHOLE,
    errors,
    event,
    events,
    faults,
    of_stream,
)
from support.talk import decoded

from parsers.http2.elements import PING, PREFACE
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    Http2DataRecord,
    RequestRecord,
    ResponseRecord,
)

MIDSTREAM = {
    vector["id"]: vector
    for vector in http2_vectors_at_hand("h2")
    if vector["expect"].get("midstream")
}


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
