"""What is said of packets, and what is found out later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from support.corpus import ROOT
from support.handmade import Wire, chunked
from support.stored import name

from parsers.decode.capture import decode
from parsers.records import ChunkRecord, Record
from wireproof.analysis.packet_comments import (
    About,
    PacketComment,
    PacketComments,
    excerpt,
    milliseconds,
    shown,
    with_events,
)


def said(*records: Record) -> list[tuple[int, str]]:
    """Return packets and what is said of them when everything is known."""
    comments = PacketComments()
    found = [comment for record in records for comment in comments.add(record)]
    return [(comment.packet, comment.said(comments.later)) for comment in found]


def one(record: Record) -> str:
    ((_, text),) = said(record)
    return text


def test_a_chunked_response() -> None:
    assert said(*chunked()) == [
        (4, "request GET /stream"),
        (5, "response 200 OK"),
        (6, "chunk 0 of 2, 7 bytes: This is"),
        (7, "chunk 1 of 2, 8 bytes:  a large"),
        (8, "last chunk"),
        (8, "body complete (last chunk): 98 bytes"),
        (11, "connection 0 closed by the server (FIN), then the client"),
    ]


def test_a_body_that_is_not_whole_has_no_count_of_chunks() -> None:
    wire = Wire()
    assert said(wire.chunk("a"), wire.body(complete=False, ended_by="reset")) == [
        (4, "chunk 0, 1 byte: a"),
        (4, "body INCOMPLETE (connection reset): 98 bytes"),
    ]


def test_events_are_counted_if_they_are_dispatched() -> None:
    wire = Wire()
    records = [
        wire.events(),
        wire.chunk("data: a\n\n"),
        wire.event(("data", "a"), data="a", event="tok"),
        wire.event(("", " ping"), dispatched=False),
        wire.event(("id", "7"), dispatched=False),
        wire.event(dispatched=False, fields=None),
        wire.event(("data", ""), data=""),
    ]
    assert [text for _, text in said(*records)] == [
        "response 200 OK",
        "chunk 0, 9 bytes",
        "SSE event 0 `tok` completes here: a",
        "SSE comment:  ping",
        "SSE block that is not dispatched",
        "SSE block that is not dispatched",
        "SSE event 1 `message` completes here",
    ]


def test_what_takes_several_packets_has_two_comments() -> None:
    wire = Wire()
    request = wire.request("/a")
    chunk = replace(wire.chunk("abc"), first_packet=6, last_packet=8)
    event = replace(wire.event(("data", "x"), data="x"), first_packet=9, last_packet=10)
    comments = PacketComments()
    found = [comment for record in (request, chunk, event) for comment in comments.add(record)]
    assert [(r.packet, r.said({}), r.completes) for r in found] == [
        (4, "request GET /a", True),
        (6, "chunk 0 begins here, completes in frame 8", False),
        (8, "chunk 0 completes here, begun in frame 6, 3 bytes: abc", True),
        (9, "SSE event 0 `message` begins here, completes in frame 10", False),
        (10, "SSE event 0 `message` completes here, begun in frame 9: x", True),
    ]


def test_a_ping_says_which_frame_answers_it() -> None:
    wire = Wire()
    pings = [replace(wire.frame("ping", data), offset=ord(data)) for data in ("a", "b")]
    pong = wire.frame("pong", "a", sender="client")
    pong = replace(pong, last_time=pings[0].last_time + 0.0002)
    unasked = wire.frame("pong", "c", sender="client")
    assert said(*pings, pong, unasked) == [
        (4, "Ping, answered in frame 6 after 0.2 ms"),
        (5, "Ping, not answered"),
        (6, "Pong, answers frame 4 after 0.2 ms"),
        (7, "Pong, unasked"),
    ]


def test_one_pong_answers_the_pings_before_it() -> None:
    """RFC 6455 section 5.5.3: the first of them is not "not answered"."""
    wire = Wire()
    pings = [replace(wire.frame("ping", data), offset=ord(data)) for data in ("a", "b")]
    assert said(*pings, wire.frame("pong", "b", "client")) == [
        (4, "Ping, answered in frame 6 after 200.0 ms"),
        (5, "Ping, answered in frame 6 after 100.0 ms"),
        (6, "Pong, answers frame 5 after 100.0 ms"),
    ]


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        ({}, "Text, 5 bytes: Hello"),
        ({"data": None, "payload_length": 9}, "Text, 9 bytes"),
        ({"fin": False}, "Text, fragment, 5 bytes"),
        ({"name": "continuation"}, "Continuation, last fragment, 5 bytes"),
        ({"name": "continuation", "fin": False}, "Continuation, fragment, 5 bytes"),
        ({"rsv1": True}, "Text, compressed, 5 bytes"),
        ({"name": "close", "close_code": 1000}, "Close 1000 normal closure"),
        (
            {"name": "close", "close_code": 4000, "close_reason": "\n"},
            "Close 4000 private use: \\n",
        ),
        ({"name": "binary", "data": "AAH/", "encoding": "base64"}, "Binary, 4 bytes: 00 01 ff"),
    ],
)
def test_frames(frame: dict[str, Any], text: str) -> None:
    assert one(Wire().frame(**frame)) == text


def test_messages_that_their_frame_does_not_say() -> None:
    wire = Wire()
    assert said(wire.message()) == []
    assert one(wire.message("ab", compressed=True)) == (
        "WebSocket message of 1 frame, inflated completes here, 2 bytes: ab"
    )
    assert one(wire.message("ab", frames=3)) == (
        "WebSocket message of 3 frames completes here, 2 bytes: ab"
    )


def test_faults_gaps_and_trailers() -> None:
    wire = Wire()
    assert one(wire.gap(52)) == "52 bytes not captured before this"
    assert one(wire.fault(summary="no\x1b[2J end")) == (
        "! error: no\\x1b[2J end (chunk-last-missing)"
    )
    assert one(wire.chunk(trailers=[("a", "b")])) == "last chunk with 1 trailer"


def test_what_comes_from_the_wire_is_escaped_and_short() -> None:
    wire = Wire()
    assert one(wire.request("/\x1b]0;")) == "request GET /\\x1b]0;"
    for text in ("\x1b" * 1_000_000, "x" * 1_000_000, "\U000e0001" * 1_000_000):
        for record in (wire.request(text), wire.chunk(text), wire.event(event=text, data=text)):
            assert len(one(record)) < 300
            assert one(record).isprintable()


def test_excerpts() -> None:
    assert excerpt(None) == excerpt("") == ""
    assert excerpt("x" * 40) == f": {'x' * 40}"
    assert excerpt("x" * 41) == f": {'x' * 40}…"
    assert shown("\n" * 40) == "\\n" * 40
    assert shown("\x01" * 40) == "\\x01" * 20 + "…"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00004, "40 µs"),
        (0.0002, "0.2 ms"),
        (0.02, "20.0 ms"),
        (2.0, "2.000 s"),
        (-0.01, "-10.0 ms"),
    ],
)
def test_milliseconds(seconds: float, text: str) -> None:
    assert milliseconds(seconds) == text


PAIRED = sorted(
    path
    for folder in ("sse", "dialects", "tls", "hostile", "chunked")
    for path in (ROOT / "fixtures" / folder).glob("*.pcapng")
    if path.stem != "large"
)


def said_of(one: PacketComment) -> tuple[int, bool, About | None, str]:
    return one.packet, one.completes, one.about, one.said({})


@pytest.mark.parametrize("path", PAIRED, ids=name)
def test_a_chunk_and_its_event_together_say_what_they_say_alone(path: Path) -> None:
    with path.open("rb") as stream:
        records = list(decode(stream))
    alone, together = PacketComments(), PacketComments()
    for record, event in with_events(records):
        expected = alone.add(record) + ([] if event is None else alone.add(event))
        both = None
        if event is not None and isinstance(record, ChunkRecord):
            both = together.add_event(record, event)
        if both is None:
            found = together.add(record) + ([] if event is None else together.add(event))
        else:
            found = both.parts
            later = {both.about: " of 3"}
            assert both.said(later) == "; ".join(one.said(later) for one in expected)
        assert [said_of(one) for one in found] == [said_of(one) for one in expected]
        assert together.later == alone.later


def test_a_chunk_goes_with_an_event_of_its_packet_alone() -> None:
    wire = Wire()
    chunk = wire.chunk("data: a\n\n")
    here = wire.event(("data", "a"), data="a")
    event = replace(here, last_packet=chunk.last_packet + 1)
    assert list(with_events([chunk, here, chunk, event, chunk, chunk])) == [
        (chunk, here),
        (chunk, None),
        (event, None),
        (chunk, None),
        (chunk, None),
    ]


def test_what_is_unusual_is_not_taken_together() -> None:
    wire = Wire()
    comments = PacketComments()
    chunk = wire.chunk("data: a\n\n")
    event = wire.event(("data", "a"), data="a")
    assert comments.add_event(chunk, event) is None  # its exchange is not known
    comments.add(wire.fault(severity="note"))
    assert comments.add_event(chunk, event) is None  # nor that it streams events
    comments.add(wire.events())
    for unusual in (
        (replace(chunk, size=0), event),
        (replace(chunk, sender="client"), event),
        (chunk, replace(event, dispatched=False)),
        (chunk, replace(event, first_packet=1)),
        (chunk, replace(event, exchange=1)),
        (chunk, replace(event, connection=1)),
        (chunk, replace(event, stream_id=1)),
    ):
        assert comments.add_event(*unusual) is None
    found = comments.add_event(chunk, event)
    assert found is not None
    assert [one.said({}) for one in found.parts] == [
        "chunk 0, 9 bytes",
        "SSE event 0 `message` completes here: a",
    ]


def test_what_a_comment_does_not_name_is_not_added() -> None:
    assert PacketComment(1, "a", None, "b").said({}) == "ab"


def test_comments_say_what_elements_do() -> None:
    wire = Wire()
    records: list[Record] = [*wire.upgrade(), wire.frame("text", '{"type":"connection_ack"}')]
    records.append(wire.message('{"type":"connection_ack"}'))
    assert [text for _, text in said(*records)][-2:] == [
        "GraphQL over WebSocket",
        "Text, 25 bytes: connection_ack",
    ]


def test_what_elements_share_is_said_once() -> None:
    wire = Wire()
    data = (
        '{"id":"c1","object":"chat.completion.chunk",'
        '"choices":[{"index":0,"delta":{"content":"Hello"}}]}'
    )
    events = [wire.event(("data", data), data=data) for _ in range(2)]
    found = [text for _, text in said(wire.request(), wire.events(), *events)]
    assert [text for text in found if "c1" in text] == ["OpenAI chat completions: id c1"]
    assert found[-1] == 'SSE event 1 `message` completes here: text "Hello"'
