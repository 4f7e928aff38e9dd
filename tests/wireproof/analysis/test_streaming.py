"""What is a stream by its packets, and what was collected first."""

from __future__ import annotations

import re

import msgspec
import pytest
from support.http2 import GET, Http2Talk
from support.http2 import data as data_frame
from support.timed import (
    CHUNKED,
    EVENT_STREAM,
    LAST_CHUNK,
    Handmade,
    Socket,
    Stream,
    chunk,
    event,
)
from support.websocket_frames import frame

from wireproof.testing import WireFailure
from wireproof.testing.exchange import Exchange

EVENTS = [event(number) for number in range(1, 9)]
WHOLE = b"".join(EVENTS)


def streamed(every: float = 0.02, thinking: float = 0.0) -> Exchange:
    return Stream(thinking=thinking).events(8, every=every).end().exchange


def responses() -> list[tuple[str, Stream, str]]:
    """Streams that were none, and what must be said of each."""
    length = b"Content-Length: %d\r\n" % len(WHOLE)
    whole = Stream(fields=EVENT_STREAM + length, thinking=0.2)
    whole.talk.server(WHOLE)
    one_chunk = Stream().chunks([WHOLE], every=0.2).end()
    coalesced = Stream().chunks([EVENTS[0], b"".join(EVENTS[1:4])], every=0.02)
    coalesced.chunks(EVENTS[4:], every=0.02).end()
    one_segment = Stream(thinking=0.2)
    one_segment.talk.server(b"".join(map(chunk, EVENTS)) + LAST_CHUNK)
    burst = Stream(thinking=0.2).events(8, every=0.0).end()
    held_header = Stream().events(1, every=0.2).events(7, every=0.0003).end()
    halves = Stream().chunks(EVENTS[:4], every=0).chunks([], every=0)
    halves.tape.wait(0.5)
    halves.chunks(EVENTS[4:], every=0).end()
    compressed = Stream(fields=EVENT_STREAM + CHUNKED + b"Content-Encoding: gzip\r\n").end()
    few = Stream().events(2, every=0.02).end()
    return [
        ("whole", whole, r"8 events in one segment .*\n(.*\n)+.*app-collects: Content-Length: "),
        ("one chunk", one_chunk, r"8 events in one segment \(packet 6\), at most 1 expected"),
        ("coalesced", coalesced, r"3 events in one segment \(packet 7\)"),
        ("one segment", one_segment, r"8 events in one segment"),
        ("burst", burst, r"came in a burst: 0 of 7 gaps .* at least 2 expected"),
        ("burst after a first one", held_header, r"all others within [23]\.\d ms after it"),
        ("two bursts", halves, r"1 of 7 gaps .* at least 2 expected"),
        ("compressed", compressed, r"0 events came, .*\n.*Content-Encoding 'gzip'"),
        ("few", few, r"2 events came, at least 5 expected"),
    ]


@pytest.mark.parametrize(
    ("stream", "said"), [pytest.param(*rest, id=name) for name, *rest in responses()]
)
def test_what_was_collected_first_fails_whichever_way_it_was_sent(
    stream: Stream, said: str
) -> None:
    with pytest.raises(WireFailure) as failure:
        stream.exchange.assert_streamed(min_events=5, max_events_per_segment=1)
    text = str(failure.value)
    assert re.search(said, text), text
    assert text.startswith("GET /chat: ")
    assert text.endswith("\n\ncapture: by hand")


@pytest.mark.parametrize(
    ("every", "thinking"),
    [(0.02, 0.0), (0.011, 3.0), (5.0, 0.0), (0.004, 0.0), (0.0015, 0.0)],
    ids=["usual", "after a long thought", "slow", "fast", "very fast"],
)
def test_what_came_as_it_was_made_passes(every: float, thinking: float) -> None:
    streamed(every, thinking).assert_streamed(min_events=5, max_events_per_segment=1)


def test_a_source_that_is_faster_than_a_scheduler_needs_to_be_told_of() -> None:
    exchange = streamed(every=0.003, thinking=1.0)
    with pytest.raises(WireFailure, match=r"give min_gap=S"):
        exchange.assert_streamed(min_events=5)
    exchange.assert_streamed(min_events=5, min_gap=0.002)


def test_groups_are_streamed_too() -> None:
    """As OpenAI's Responses: some events open and close the stream at once."""
    stream = Stream().chunks(EVENTS[:3], every=0.0).chunks(EVENTS[3:6], every=0.03)
    exchange = stream.chunks(EVENTS[6:], every=0.0).end().exchange
    exchange.assert_streamed(min_events=5)
    with pytest.raises(WireFailure, match="3 of 7 gaps"):
        exchange.assert_streamed(min_events=8)


def test_more_events_in_a_segment_may_be_allowed() -> None:
    pairs = [EVENTS[n] + EVENTS[n + 1] for n in range(0, 8, 2)]
    exchange = Stream().chunks(pairs, every=0.02).end().exchange
    exchange.assert_streamed(min_events=5, max_events_per_segment=2)
    with pytest.raises(WireFailure, match="the same in 4 segments"):
        exchange.assert_streamed(min_events=5)


def test_an_event_of_several_segments_counts_where_it_ends() -> None:
    stream = Stream()
    for data in map(chunk, EVENTS):
        stream.tape.wait(0.02)
        stream.talk.server(data[:9], data[9:])
    stream.end().exchange.assert_streamed(min_events=8)


def test_comments_are_no_events() -> None:
    exchange = Stream().chunks([b": ping\n\n"] * 8, every=0.02).end().exchange
    with pytest.raises(WireFailure, match="0 events came"):
        exchange.assert_streamed(min_events=1)


def test_json_values_count_where_there_are_no_events() -> None:
    lines = [b'{"n": %d}\n' % n for n in range(6)]
    plain = CHUNKED + b"Content-Type: application/x-ndjson\r\n"
    exchange = Stream(fields=plain).chunks(lines, every=0.02).end().exchange
    exchange.assert_streamed(min_events=6)
    with pytest.raises(WireFailure, match="6 JSON values came, at least 7"):
        exchange.assert_streamed(min_events=7)


def test_the_messages_of_a_server_count() -> None:
    socket = Socket()
    for number in range(5):
        socket.tape.wait(0.02)
        socket.talk.server(frame(1, b"%d" % number))
        socket.talk.client(frame(1, b"ok", key=b"1234"))
    socket.exchange.assert_streamed(min_events=5)
    with pytest.raises(WireFailure, match="5 messages came, at least 6"):
        socket.exchange.assert_streamed(min_events=6)


def test_without_content_nothing_can_be_counted() -> None:
    stream = Stream(fields=b"Content-Length: 0\r\n")
    with pytest.raises(WireFailure, match="no content: nothing in it can be counted"):
        stream.exchange.assert_streamed()


def test_what_packets_brought_counts_where_there_are_no_events_or_chunks() -> None:
    stream = Stream(fields=b"Content-Length: 12\r\n")
    for _ in range(6):
        stream.tape.wait(0.02)
        stream.talk.server(b"hi")
    stream.exchange.assert_streamed(min_events=6)
    with pytest.raises(WireFailure, match="6 data runs came, at least 7"):
        stream.exchange.assert_streamed(min_events=7)


def test_data_frames_count_where_http2_brings_nothing_else() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    fields = [(":status", "200"), ("content-type", "application/json")]
    talk.say("server", talk.server.head(1, fields))
    talk.say("server", data_frame(1, b'{"a":'))
    talk.say("server", data_frame(1, b"1}", ends=True))
    [exchange] = Handmade(talk.talk.tape).exchanges()
    assert str(exchange).startswith("GET / 200 http: 2 DATA frames over")
    exchange.assert_time_to_first_event(below=60)
    with pytest.raises(WireFailure, match="the first DATA frame came"):
        exchange.assert_time_to_first_event(below=0)


def test_a_relays_reads_are_no_segments() -> None:
    """What it read at once may have been sent one by one: time decides."""
    pairs = [EVENTS[n] + EVENTS[n + 1] for n in range(0, 8, 2)]
    for pieces, passes in ((pairs, True), ([WHOLE], False)):
        exchange = Stream(thinking=0.1).chunks(pieces, every=0.02).end().exchange
        assert exchange.connection is not None
        exchange.about.end.record = msgspec.structs.replace(
            exchange.connection, recorded_by="relay"
        )
        if passes:
            exchange.assert_streamed(min_events=5)
        else:
            with pytest.raises(WireFailure, match=r"in a burst.*\n(.*\n)+.*recorded by relay"):
                exchange.assert_streamed(min_events=5)


# --- the reader's window ---


def room(stream: Stream, window: int) -> None:
    """The client acknowledges all that came, and has room for ``window`` bytes more."""
    frame = bytearray(stream.talk.frame("client"))
    frame[48:50] = window.to_bytes(2)  # Ethernet 14, IPv4 20, TCP up to its window 14
    stream.tape.add(bytes(frame))


def test_what_waited_for_the_reader_is_not_the_apps_doing() -> None:
    stream = Stream().events(5, every=0.02)
    room(stream, len(chunk(event(6))))
    stream.chunks([event(6)], every=0.02)
    room(stream, 0)
    stream.tape.wait(0.6)
    room(stream, 60_000)
    stream.talk.server(b"".join(chunk(event(number)) for number in range(7, 14)))
    stream.end().exchange.assert_streamed(min_events=5)


def test_if_all_waited_for_the_reader_nothing_can_be_told() -> None:
    stream = Stream()
    for number in range(1, 4):
        room(stream, 0)
        stream.tape.wait(0.2)
        room(stream, 60_000)
        stream.talk.server(chunk(event(number)) + chunk(event(number + 10)))
    with pytest.raises(WireFailure, match="the client's window was closed"):
        stream.end().exchange.assert_streamed(min_events=5)


# --- times ---


def test_time_to_the_first_event() -> None:
    exchange = streamed(every=0.02, thinking=0.3)
    exchange.assert_time_to_first_event(below=0.4)
    with pytest.raises(
        WireFailure, match=r"the first event came 320\.\d ms .*, below 0.25 s expected"
    ):
        exchange.assert_time_to_first_event(below=0.25)
    with pytest.raises(WireFailure, match="the header came 300"):
        exchange.assert_time_to_first_event(below=0.25)


def test_a_first_event_that_never_came() -> None:
    with pytest.raises(WireFailure, match="0 events came"):
        Stream().end().exchange.assert_time_to_first_event(below=9)


def test_a_gap_is_named_by_its_packets() -> None:
    stream = Stream().events(3, every=0.1)
    stream.tape.wait(2.0)
    stream.talk.server(chunk(event(4)))
    exchange = stream.end().exchange
    exchange.assert_no_gap_longer_than(2.5)
    with pytest.raises(WireFailure, match=r"the next event came after 2\.000 s \(packets 8 to 9\)"):
        exchange.assert_no_gap_longer_than(1.0)


def test_the_end_is_waited_for_too() -> None:
    stream = Stream().events(3, every=0.1)
    stream.tape.wait(2.0)
    with pytest.raises(WireFailure, match=r"the end came after 2\.000 s"):
        stream.end().exchange.assert_no_gap_longer_than(1.0)


def test_keep_alives_are_signs_of_life_if_wanted() -> None:
    stream = Stream().events(2, every=0.1).chunks([b": ping\n\n"], every=0.8)
    exchange = stream.chunks([event(3)], every=0.8).end().exchange
    exchange.assert_no_gap_longer_than(1.0, keep_alives=True)
    with pytest.raises(WireFailure, match=r"after 1\.6\d\d s .*\n  meanwhile 1 keep-alive came"):
        exchange.assert_no_gap_longer_than(1.0)


def test_without_events_there_is_no_gap_to_judge() -> None:
    with pytest.raises(WireFailure, match="0 events came"):
        Stream().end().exchange.assert_no_gap_longer_than(1.0)
