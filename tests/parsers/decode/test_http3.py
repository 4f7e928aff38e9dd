"""HTTP/3 as records: messages, what is wrong with them, and sections that have to wait."""

from __future__ import annotations

import pylsqpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.quic import (
    GET,
    OK,
    Talk,
    ack,
    close,
    data,
    decoded_talk,
    h3_frame,
    headers,
    stream,
    varint,
)
from support.talk import Side

from parsers.decode import http3_connection
from parsers.limits import MAX_QPACK_BLOCKED
from parsers.records import (
    BodyRecord,
    DiagnosticRecord,
    GapRecord,
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
        (
            headers((b":status", b"304")) + data(b"abc"),
            "http3-message-malformed",
            "3 bytes in a response with 304",
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


@pytest.mark.parametrize("cuts", [set(), {1}, {12, 30}, set(range(1, 99))])
def test_a_head_that_waits_for_the_table(cuts: set[int]) -> None:
    waits_for_the_table(cuts)


@given(st.sets(st.integers(1, 40), max_size=3))
@settings(deadline=None)
def test_a_head_that_waits_wherever_it_is_cut(cuts: set[int]) -> None:
    waits_for_the_table(cuts)


def waits_for_the_table(cuts: set[int]) -> None:
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


def test_of_two_heads_that_wait_each_comes_with_its_own_instruction() -> None:
    encoder = pylsqpack.Encoder()
    control = [b"\x02" + encoder.apply_settings(4096, 16)]
    answers: list[bytes] = []
    for stream_id, value in ((0, b"one"), (4, b"two")):
        for turn in (8, 12, stream_id):  # an entry is made once a field comes again
            more, section = encoder.encode(turn, [(b":status", b"200"), (b"x-a", value)])
            control.append(more)
        answers.append(h3_frame(1, section))
    talk = opened()
    sent = 0
    for stream_id, answer in zip((0, 4), answers, strict=True):
        talk.ask(stream_id)
        talk.say("server", stream(stream_id, 0, answer, fin=True))
    for piece in control:
        talk.say("server", stream(7, sent, piece))
        sent += len(piece)
    responses = only(decoded_talk(talk), ResponseRecord)
    assert [(one.stream_id, dict(one.headers)["x-a"]) for one in responses] == [
        (0, "one"), (4, "two"),
    ]  # fmt: skip


def test_a_head_that_waits_and_means_nothing_then() -> None:
    """It refers to the sixth entry of a table that gets one (RFC 9204 section 4.5.2)."""
    talk = opened()
    talk.ask()
    talk.say("server", stream(0, 0, h3_frame(1, b"\x02\x00\x85") + data(b"data: x\n\n"), fin=True))
    talk.say("server", stream(7, 0, b"\x02\x3f\xe1\x1f\x43x-a\x01b"))
    records = decoded_talk(talk)
    assert said(records) == [("qpack-failed", "a section that waited")]
    assert [one.data for one in only(records, SseEventRecord)] == ["x"]


def test_an_instruction_that_is_none() -> None:
    talk = opened()
    talk.say("server", stream(7, 0, b"\x02\x05"))  # a copy of an entry that is not there
    detail = "an instruction of the encoder is malformed"
    assert said(decoded_talk(talk)) == [("qpack-failed", detail)]


# --- what the capture lacks ---


def lacks(talk: Talk, sender: Side) -> None:
    """A packet of 1-RTT that arrived is not in the capture."""
    talk.numbers[sender, "1-rtt"] += 1
    talk.say(
        "client" if sender == "server" else "server", ack(0, talk.numbers[sender, "1-rtt"] - 1)
    )


def go_on(talk: Talk, count: int = 30) -> None:
    """Send pings, so many that what is missing is given up."""
    for _ in range(count):
        talk.say("server", b"\x01")
        talk.say("client", b"\x01")


@pytest.mark.parametrize(
    ("start", "size"), [(len(OK) + 12, 4), (len(OK) + 2, 4), (4, 4), (0, len(OK))]
)
def test_a_hole_in_an_answer(start: int, size: int) -> None:
    """In its first event, at the beginning of that, in its head, and all of that."""
    talk = opened()
    talk.ask()
    answer = OK + data(b"data: one\n\ndata: two\n\n") + data(b"data: three\n\n")
    if start:
        talk.say("server", stream(0, 0, answer[:start]))
    lacks(talk, "server")
    talk.say("server", stream(0, start + size, answer[start + size :], fin=True))
    go_on(talk)
    records = decoded_talk(talk)
    assert only(records, SseEventRecord)[-1].data == "three"
    (body,) = [one for one in only(records, BodyRecord) if one.sender == "server"]
    is_headless = start < len(OK)
    assert body.complete == (0 < start < len(OK))
    assert len(only(records, ResponseRecord)) == (not is_headless)
    codes = [code for code, _ in said(records)]
    assert ("qpack-section-unknown" in codes) == (0 < start < len(OK))
    assert "http3-frame-unexpected" not in codes


def test_a_hole_in_a_control_stream() -> None:
    talk = opened()
    goaway = h3_frame(7, varint(4))
    lacks(talk, "server")
    talk.say("server", stream(3, 8 + len(goaway), goaway * 2))
    go_on(talk)
    talk.ask()
    talk.answer(b"data: one\n\n")
    records = decoded_talk(talk)
    gaps = [(one.stream_id, one.offset, one.length) for one in only(records, GapRecord)]
    assert gaps == [(3, 8, len(goaway))]
    assert [one.data for one in only(records, SseEventRecord)] == ["one"]


def test_a_hole_at_the_beginning_of_a_stream_of_unknown_type_costs_nothing_that_is_read() -> None:
    talk = opened()
    lacks(talk, "server")
    talk.say("server", stream(7, 3, b"abc"))
    go_on(talk)
    records = decoded_talk(talk)
    assert only(records, GapRecord) == []
    assert said(records) == []


def test_frames_in_a_control_stream_that_are_searched_in_vain() -> None:
    talk = opened()
    lacks(talk, "server")
    for place in range(200):
        talk.say("server", stream(3, 12 + 100 * place, b"\xff" * 100))
    go_on(talk)
    codes = [code for code, _ in said(decoded_talk(talk))]
    assert codes.count("http3-frames-lost") == 1


@pytest.mark.parametrize("is_lacking", [False, True])
def test_a_stream_that_the_connections_end_cuts(is_lacking: bool) -> None:
    talk = opened()
    talk.ask()
    talk.answer(b"data: one\n\n", fin=False)
    if is_lacking:
        lacks(talk, "server")
    talk.say("client", close(0x100))
    records = decoded_talk(talk)
    codes = [code for code, _ in said(records)]
    assert codes[0] == ("http3-frames-missing" if is_lacking else "http3-stream-cut")
    (body,) = [one for one in only(records, BodyRecord) if one.sender == "server"]
    assert body.ended_by == ("capture-end" if is_lacking else "reset")


@pytest.mark.parametrize("is_lacking", [False, True])
def test_a_reset_that_the_client_may_have_asked_for(is_lacking: bool) -> None:
    talk = opened()
    talk.ask()
    talk.answer(b"data: one\n\n", fin=False)
    if is_lacking:
        lacks(talk, "client")
    size = len(OK + data(b"data: one\n\n"))
    talk.say("server", b"\x04" + varint(0) + varint(0x10C) + varint(size))
    talk.say("client", close(0x100))
    codes = [code for code, _ in said(decoded_talk(talk))]
    assert ("http3-reset-unsure" in codes) == is_lacking
    assert "http3-reset" in codes


# --- frames and streams of the rarer kinds ---


def test_a_type_of_frame_that_is_reserved_means_nothing() -> None:
    """RFC 9114 section 7.2.8."""
    talk = opened()
    talk.ask()
    talk.say("server", stream(0, 0, h3_frame(0x21, b"abc") + OK + data(b"data: x\n\n"), fin=True))
    records = decoded_talk(talk)
    assert said(records) == []
    assert [one.data for one in only(records, SseEventRecord)] == ["x"]


def test_a_type_of_stream_that_comes_byte_by_byte() -> None:
    talk = opened()
    for place, byte in enumerate(b"\x40\x01\x00"):  # a push, in two bytes
        talk.say("server", stream(7, place, bytes((byte,))))
    assert said(decoded_talk(talk)) == [("http3-push", "stream 7")]


def test_control_frames_byte_by_byte_and_malformed_ones() -> None:
    talk = opened()
    sent = h3_frame(7, b"") + h3_frame(4, b"\x06\x40\x64\x41") + h3_frame(13, varint(9))
    for place in range(len(sent)):
        talk.say("server", stream(3, 8 + place, sent[place : place + 1]))
    frames = only(decoded_talk(talk), Http3FrameRecord)[2:]
    assert [(one.type, one.identifier, one.settings) for one in frames] == [
        ("GOAWAY", None, None),
        ("SETTINGS", None, [("MAX_FIELD_SECTION_SIZE", 100)]),
        ("MAX_PUSH_ID", 9, None),
    ]


@pytest.mark.parametrize("fields", [[(b"content-length", b"11")], []])
def test_content_of_the_length_that_was_said(fields: list[tuple[bytes, bytes]]) -> None:
    talk = opened()
    talk.ask()
    head = headers((b":status", b"200"), *fields)
    talk.say("server", stream(0, 0, head + data(b"hello ") + data(b"world"), fin=True))
    records = decoded_talk(talk)
    assert said(records) == []
    (body,) = only(records, BodyRecord)
    assert (body.size, body.complete) == (11, True)


def test_a_server_that_needs_no_more_of_a_request_and_resets_of_what_is_over() -> None:
    """RFC 9114 section 4.1: with H3_NO_ERROR nothing went wrong."""
    talk = opened()
    post = headers(
        (b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"a"), (b":path", b"/p")
    )
    talk.say("client", stream(0, 0, post))
    talk.say("server", b"\x05" + varint(0) + varint(0x100))
    talk.say("server", stream(0, 0, OK, fin=True))
    talk.say("client", b"\x05" + varint(0) + varint(0x10C))  # it crossed the end
    records = decoded_talk(talk)
    assert said(records) == []
    assert [one.type for one in only(records, Http3FrameRecord)][2:] == ["STOP_SENDING"]


def test_only_so_many_requests_and_streams_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http3_connection, "MAX_OPEN_STREAMS", 2)
    talk = opened()
    for stream_id in range(0, 20, 4):
        talk.ask(stream_id)
        if stream_id < 8:
            talk.answer(b"data: %d\n\n" % stream_id, stream_id=stream_id)
    for stream_id in range(8, 20, 4):
        talk.say("server", b"\x04" + varint(stream_id) + varint(0x10C) + varint(0))
    records = decoded_talk(talk)
    assert [one.data for one in only(records, SseEventRecord)] == ["0", "4"]
    assert [one.stream_id for one in only(records, RequestRecord)] == list(range(0, 20, 4))
    assert [code for code, _ in said(records)].count("http3-reset") == 3


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
