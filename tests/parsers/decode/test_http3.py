"""HTTP/3 as records: messages, what is wrong with them, and sections that have to wait."""

from __future__ import annotations

import pylsqpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.quic import GET, OK, Talk, data, decoded_talk, h3_frame, headers, stream, varint

from parsers.limits import MAX_QPACK_BLOCKED
from parsers.records import (
    BodyRecord,
    DiagnosticRecord,
    Http3DataRecord,
    Http3FrameRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
)

FIELDS = [(b":status", b"200"), (b"content-type", b"text/event-stream"), (b"x-a", b"b")]


def opened() -> Talk:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    return talk


def only(records: list[Record], kind: type) -> list:  # type: ignore[type-arg]
    return [record for record in records if type(record) is kind]


def said(records: list[Record]) -> list[tuple[str, str]]:
    return [
        (one.code, one.summary.partition(": ")[2])
        for one in records
        if isinstance(one, DiagnosticRecord)
    ]


def test_a_request_with_content_and_an_answer_with_trailers() -> None:
    talk = opened()
    post = headers(
        (b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"a"), (b":path", b"/p"),
        (b"content-length", b"8"),
    )  # fmt: skip
    content = data(b'{"a":') + data(b" 1}")
    talk.say("client", stream(0, 0, post))
    talk.say("client", stream(0, len(post), content, fin=True))
    answer = headers((b":status", b"103")) + OK + data(b"data: x\n\n") + headers((b"x-cost", b"2"))
    talk.say("server", stream(0, 0, answer, fin=True))
    records = decoded_talk(talk)
    (request,) = only(records, RequestRecord)
    early, response = only(records, ResponseRecord)
    assert (request.framing, early.framing, response.framing) == ("http/3", "none", "http/3")
    asked, answered = only(records, BodyRecord)
    assert (asked.size, asked.complete, asked.sender) == (8, True, "client")
    assert (answered.size, answered.trailers) == (9, [("x-cost", "2")])
    assert answered.extents is None
    assert [one.size for one in only(records, Http3DataRecord)] == [5, 3, 9]
    assert said(records) == []


def test_an_event_in_several_frames_has_extents() -> None:
    talk = opened()
    talk.ask()
    answer = OK + data(b"data: one") + data(b"\n\n")
    talk.say("server", stream(0, 0, answer, fin=True))
    (event,) = only(decoded_talk(talk), SseEventRecord)
    start = len(OK) + 2
    assert event.extents == [(start, start + 9), (start + 11, start + 13)]
    assert (event.offset, event.length, event.stream_id) == (start, 13, 0)


def test_streams_one_beside_the_other() -> None:
    """A request is the exchange of its stream, in whatever order the streams come."""
    talk = opened()
    for stream_id in (8, 0, 4):
        talk.ask(stream_id)
    for stream_id in (4, 8, 0):
        talk.answer(b"data: %d\n\n" % stream_id, stream_id=stream_id)
    records = decoded_talk(talk)
    assert [(one.stream_id, one.exchange) for one in only(records, RequestRecord)] == [
        *((8, 2), (0, 0), (4, 1))
    ]
    assert [(one.data, one.exchange) for one in only(records, SseEventRecord)] == [
        *(("4", 1), ("8", 2), ("0", 0))
    ]


def test_control_frames() -> None:
    talk = opened()
    goaway = h3_frame(7, varint(4)) + h3_frame(0x21, b"") + h3_frame(0xF0700, varint(0) + b"u=1")
    talk.say("server", stream(3, 8, goaway))
    frames = only(decoded_talk(talk), Http3FrameRecord)
    assert [(one.type, one.settings, one.identifier) for one in frames] == [
        ("SETTINGS", [("QPACK_MAX_TABLE_CAPACITY", 4096), ("QPACK_BLOCKED_STREAMS", 16)], None),
        ("SETTINGS", [("QPACK_MAX_TABLE_CAPACITY", 4096), ("QPACK_BLOCKED_STREAMS", 16)], None),
        ("GOAWAY", None, 4),
        ("PRIORITY_UPDATE", None, 0),
    ]


@pytest.mark.parametrize(
    ("sent", "code", "detail"),
    [
        (data(b"x"), "http3-frame-unexpected", "DATA before HEADERS"),
        (h3_frame(4, b"") + OK, "http3-frame-unexpected", "SETTINGS in a request stream"),
        (h3_frame(6, b"") + OK, "http3-frame-unexpected", "type 0x6 of HTTP/2 in a request stream"),
        (h3_frame(5, b"\0\0\0"), "http3-push", ""),
        (OK + b"\0\x09abc", "http3-frame-cut", "DATA lacks 6 bytes"),
        (h3_frame(1, b"\0\0\x27"), "qpack-failed", "an integer is malformed"),
        (h3_frame(1, b"\0\0\xbf\xff\0"), "qpack-failed", "5 bytes"),
        (
            headers((b":status", b"2000")),
            "http3-message-malformed",
            "a response is malformed: :status '2000'",
        ),
        (
            headers((b":status", b"200"), (b"Upper", b"x")),
            "http3-message-malformed",
            "a field is malformed: the name 'Upper'",
        ),
        (
            headers((b":status", b"200"), (b"content-length", b"5")) + data(b"abc"),
            "http3-message-malformed",
            "3 bytes came, Content-Length is '5'",
        ),
    ],
)
def test_what_is_wrong_with_an_answer(sent: bytes, code: str, detail: str) -> None:
    talk = opened()
    talk.ask()
    talk.say("server", stream(0, 0, sent, fin=True))
    assert said(decoded_talk(talk))[0] == (code, detail)


def test_what_is_wrong_with_a_request() -> None:
    talk = opened()
    talk.say("client", stream(0, 0, headers((b":method", b"GET"), (b":path", b"/")), fin=True))
    detail = "a request is malformed: without :scheme"
    assert said(decoded_talk(talk)) == [("http3-message-malformed", detail)]


def test_frames_that_a_control_stream_may_not_have() -> None:
    talk = opened()
    talk.say("client", stream(2, 8, data(b"x") + GET))
    talk.say("server", stream(7, 0, b"\x01\x00"))
    assert said(decoded_talk(talk)) == [
        ("http3-frame-unexpected", "DATA in a control stream"),
        ("http3-frame-unexpected", "HEADERS in a control stream"),
        ("http3-push", "stream 7"),
    ]


def blocked(*, instructions: bool = True) -> tuple[Talk, bytes, bytes]:
    """An answer whose head waits for the encoder's stream; the stream, and the answer."""
    encoder = pylsqpack.Encoder()
    control = b"\x02" + encoder.apply_settings(4096, 16)
    section = b""
    for stream_id in range(0, 12, 4):
        more, section = encoder.encode(stream_id, FIELDS)
        control += more
    talk = opened()
    talk.ask()
    assert section[0], "it refers to the table"
    return talk, control, h3_frame(1, section) + data(b"data: one\n\n") + data(b"data: two\n\n")


@given(st.sets(st.integers(1, 40), max_size=3))
@settings(deadline=None)
def test_a_head_that_waits_for_the_table(cuts: set[int]) -> None:
    """All that follows it waits too, and keeps its packets."""
    talk, control, answer = blocked()
    places = [0, *sorted(cut for cut in cuts if cut < len(answer)), len(answer)]
    for start, end in zip(places, places[1:], strict=False):
        talk.say("server", stream(0, start, answer[start:end], fin=end == len(answer)))
    last = len(talk.packets)
    talk.say("server", stream(7, 0, control))
    records = decoded_talk(talk)
    (response,) = only(records, ResponseRecord)
    assert response.headers[2] == ("x-a", "b")
    assert response.first_packet == 7
    assert [event.data for event in only(records, SseEventRecord)] == ["one", "two"]
    assert max(event.last_packet for event in only(records, SseEventRecord)) == last
    (body,) = only(records, BodyRecord)
    assert (body.complete, body.last_packet) == (True, last)
    assert said(records) == []


def test_a_table_that_comes_in_pieces_before() -> None:
    talk, control, answer = blocked()
    for place, byte in enumerate(control):
        talk.say("server", stream(7, place, bytes((byte,))))
    talk.say("server", stream(0, 0, answer, fin=True))
    assert [event.data for event in only(decoded_talk(talk), SseEventRecord)] == ["one", "two"]


def test_a_head_that_waits_in_vain() -> None:
    talk, _, answer = blocked()
    talk.say("server", stream(0, 0, answer, fin=True))
    records = decoded_talk(talk)
    in_vain = "instructions that it waits for did not come"
    assert said(records)[0] == ("qpack-failed", in_vain)
    (body,) = only(records, BodyRecord)
    assert (body.size, only(records, ResponseRecord)) == (22, [])


def test_too_much_that_waits() -> None:
    talk, _, answer = blocked()
    part = b"x" * 60_000
    talk.say("server", stream(0, 0, answer))
    at, sent = len(answer), 0
    while sent <= MAX_QPACK_BLOCKED:
        talk.say("server", stream(0, at, data(part)))
        at, sent = at + len(data(part)), sent + len(part)
    first, *others = said(decoded_talk(talk))
    assert first == ("qpack-failed", "too much waits for it")
    # Its content is read nonetheless: its first frame is events.
    assert [code for code, _ in others] == ["sse-line-limit"]


def test_a_table_of_which_a_part_is_missing() -> None:
    """Sections that refer to it are not read: nothing is invented."""
    talk, control, answer = blocked()
    talk.say("server", stream(7, 0, control[:6]))
    talk.numbers["server", "1-rtt"] += 1
    talk.say("client", b"\x02" + varint(2) + varint(0) + varint(0) + varint(2))
    for place in range(30):
        talk.say("server", stream(7, 9 + place, control[9 + place : 10 + place]))
    talk.say("server", stream(0, 0, answer, fin=True))
    records = decoded_talk(talk)
    assert only(records, ResponseRecord) == []
    codes = [code for code, _ in said(records)]
    assert "qpack-section-unknown" in codes and "qpack-failed" not in codes


@given(st.binary(max_size=120), st.sampled_from([0, 2, 3, 7, 11]), st.booleans())
@settings(deadline=None)
def test_any_bytes_in_any_stream(sent: bytes, stream_id: int, fin: bool) -> None:
    talk = opened()
    talk.ask()
    sender = "client" if stream_id == 2 else "server"
    offset = 8 if stream_id in (2, 3) else 0
    talk.say(sender, stream(stream_id, offset, sent, fin=fin))
    assert [record.record for record in decoded_talk(talk)][-1] == "connection"
