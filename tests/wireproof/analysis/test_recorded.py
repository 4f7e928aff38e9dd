"""A wait in which the capture lacks bytes is no gap of the sender's, in any figure."""

from __future__ import annotations

import pytest
from support.http2 import EVENTS, GET, Http2Talk, data, framed
from support.paced import explained, verdict
from support.talk import EPOCH_NS, Talk, decoded
from support.timed import CHUNKED, EVENT_STREAM, LAST_CHUNK, Stream, TimedTape, chunk, event

from parsers.http2.elements import PING
from wireproof.analysis.judges import Explained, explain
from wireproof.analysis.latency.definitions import measure
from wireproof.analysis.latency.times import times_of
from wireproof.analysis.listing import listed, longest_gap
from wireproof.analysis.measures import measures
from wireproof.analysis.recorded import (
    asked,
    first_element,
    gaps,
    holes,
    is_recorded,
    not_recorded,
    recorded_waits,
    shown_holes,
)
from wireproof.analysis.trace import MAX_FAULTS


def lossy(*, before: float = 1.5, silence: float = 2.0) -> Stream:
    """Events 0.1 s apart, one that was not recorded in a long wait, and a silence."""
    stream = Stream().events(5, every=0.1)
    stream.tape.wait(before)
    stream.talk.server(chunk(event(6)))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    stream.tape.wait(1.5)
    stream.talk.server(chunk(event(7)))
    stream.tape.wait(silence)
    return stream.events(5, every=0.1).end()


def lose(stream: Stream, *, after: float = 0.0) -> None:
    """Let an event come that the capture lacks."""
    stream.tape.wait(after)
    stream.talk.server(chunk(event(1)))
    del stream.tape.packets[-1]
    stream.talk.ack("client")


def beheaded() -> Stream:
    """Five events behind one that was not recorded."""
    stream = Stream()
    lose(stream)
    return stream.events(5, every=0.1).end()


def test_a_wait_with_a_hole_in_it_counts_nowhere() -> None:
    one = explained(lossy())
    trace, figures = one.trace, measures(one)
    assert len(holes(trace)) == 1
    assert longest_gap(trace) == pytest.approx(2.1, abs=0.01)
    assert max(recorded_waits(trace)).seconds == pytest.approx(2.1, abs=0.01)
    assert figures.gap_max == pytest.approx(2.1, abs=0.01)
    assert figures.gap_max_after == pytest.approx(0.5 + 3.0, abs=0.02)
    assert not_recorded(trace) == figures.not_recorded == pytest.approx(3.0, abs=0.01)
    times = times_of(trace)
    assert times is not None
    found = measure(times, "wire")["icl"]
    assert isinstance(found, list) and max(found) == pytest.approx(2.1, abs=0.01)


def test_the_longest_gap_is_told_and_what_was_not_recorded_besides() -> None:
    found = verdict(lossy(), "gap")
    assert found is not None and found.answer == "mixed"
    assert found.numbers["classes"] == ["not-recorded", "sender-silent"]
    assert found.numbers["seconds"] == pytest.approx(2.1, abs=0.01)
    alone = verdict(lossy(silence=0.0), "gap")
    assert alone is not None and (alone.answer, alone.severity) == ("not-recorded", "note")
    assert "what came meanwhile is unknown" in alone.summary


def test_what_came_before_the_first_one_and_after_the_last_may_have_been_a_gap() -> None:
    early = Stream()
    lose(early)
    early.tape.wait(1.0)
    late = Stream().events(5, every=0.1)
    lose(late)
    late.tape.wait(1.0)
    late.talk.close()
    for stream, took in ((early.events(5, every=0.1).end(), 1.1), (late, 1.0)):
        found = verdict(stream, "gap")
        assert found is not None and (found.answer, found.severity) == ("not-recorded", "note")
        assert found.numbers["seconds"] == pytest.approx(took, abs=0.01)


def test_a_short_hole_is_not_worth_a_word() -> None:
    stream = Stream().events(5, every=0.1)
    stream.tape.wait(0.1)
    stream.talk.server(chunk(event(6)))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    found = explained(stream.events(5, every=0.1).end())
    assert measures(found).not_recorded == pytest.approx(0.2, abs=0.01)
    assert [one for one in found.verdicts if one.question == "gap"] == []


def test_a_hole_in_http2_may_be_of_any_stream() -> None:
    talk = Http2Talk().begin()
    for stream_id in (1, 3):
        talk.at(0.1).say("client", talk.client.head(stream_id, GET, ends=True))
        talk.at(0.1).say("server", talk.server.head(stream_id, EVENTS))
    for number in range(50):
        for stream_id in (1, 3):
            frame = data(stream_id, b"data: %d\n\n" % number, ends=number == 49)
            talk.at(0.2 + number * 0.1).say("server", frame)
    packets = [one for one in talk.packets() if not 1.45 < (one[1] - EPOCH_NS) / 1e9 < 3.05]
    found = list(explain(decoded(packets)))
    assert [len(holes(one.trace)) for one in found] == [1, 1]
    times = [times_of(one.trace) for one in found]
    assert all(one is not None and max(gaps(one.contents, one.holes)) < 0.11 for one in times)
    assert all(longest_gap(one.trace) < 0.2 for one in found)
    assert [not_recorded(one.trace) for one in found] == [pytest.approx(1.7, abs=0.11)] * 2
    answers = [one.answer for all_of in found for one in all_of.verdicts if one.question == "gap"]
    assert answers == ["not-recorded", "not-recorded"]


def test_of_an_upload_the_clients_holes_are_shown() -> None:
    talk = Http2Talk().begin()
    post = [(name, "POST" if name == ":method" else value) for name, value in GET]
    talk.say("client", talk.client.head(1, post))
    talk.at(0.1).say("client", data(1, b"a" * 8))
    talk.talk.lose("client", len(data(1, b"a" * 8)))
    talk.at(1.1).say("client", data(1, b"a" * 8), data(1, b"a" * 8, ends=True))
    talk.at(1.2).say("server", talk.server.head(1, EVENTS), data(1, b"data: a\n\n", ends=True))
    talk.talk.lose("client", 13)
    talk.at(1.3).say("client", framed(PING, 0, 0, bytes(8)))
    talk.talk.close()
    [found] = explain(talk.records())
    assert holes(found.trace) == []
    assert len(holes(found.trace, "client")) == 2
    assert len(shown_holes(found.trace)) == 1


def test_a_first_token_that_was_not_recorded_is_not_the_one_after_it() -> None:
    one = explained(beheaded())
    times = times_of(one.trace)
    assert times is not None
    assert first_element(one.trace) is None and measures(one).first_token is None
    assert (listed(one).first, listed(one).count) == (None, 5)
    assert listed(one).last == pytest.approx(0.5, abs=0.01)
    found = measure(times, "wire")
    assert (found["ttft"], found["first_event"], found["tpot"]) == (None, None, None)
    assert found["last_content"] == pytest.approx(0.5, abs=0.01)


POST = b"POST /chat HTTP/1.1\r\nHost: a\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + EVENT_STREAM + CHUNKED + b"\r\n"
PARTS = [chunk(b"part %d" % number) for number in range(5)]
Lost = tuple[int, ...]


def uploaded(sent: list[bytes], lost: Lost, *, midway: int | None = None) -> Explained:
    """What is sent 0.1 s apart, of which the capture lacks some, and five events that follow; or
    the first of them after so many."""
    tape = TimedTape()
    talk = Talk(tape).open()
    for at, said in enumerate(sent):
        tape.wait(0.1)
        if at in lost:
            talk.lose("client", len(said))
        else:
            talk.client(said)
        if at == midway:
            talk.server(OK + chunk(event(0)))
    tape.wait(0.2)
    if midway is None:
        talk.server(OK)
    for number in range(1, 6):
        tape.wait(0.1)
        talk.server(chunk(event(number)))
    talk.server(LAST_CHUNK)
    talk.close()
    [found] = explain(tape.records())
    return found


CHUNKS = [POST + CHUNKED + b"\r\n", *PARTS, LAST_CHUNK]
LENGTH = [POST + b"Content-Length: 15\r\n\r\n", b"12345", b"12345", b"12345"]


@pytest.mark.parametrize(
    ("sent", "lost", "is_known"),
    [
        (CHUNKS, (), True),
        (CHUNKS, (3,), True),
        (CHUNKS, (5,), True),
        (CHUNKS, (6,), False),
        (CHUNKS, (2, 3, 4, 5, 6), False),
        (LENGTH, (1,), True),
        (LENGTH, (3,), False),
    ],
)
def test_times_count_from_where_the_request_ended_if_that_is_there(
    sent: list[bytes], lost: Lost, is_known: bool
) -> None:
    one = uploaded(sent, lost)
    times, line, figures = times_of(one.trace), listed(one), measures(one)
    assert times is not None and (asked(one.trace) is not None) is times.is_asked is is_known
    first = pytest.approx(0.3, abs=0.01) if is_known else None
    last = pytest.approx(0.7, abs=0.01) if is_known else None
    assert (line.first, line.last) == (first, last)
    assert (figures.first_token, first_element(one.trace)) == (first, first)
    assert (figures.headers_after is None, figures.gap_max_after is None) == (not is_known,) * 2
    assert figures.gap_max == pytest.approx(0.1, abs=0.01)
    found = measure(times, "wire")
    counted = ("upload", "headers", "first_event", "ttft", "last_content", "end")
    assert [found[name] is None for name in counted] == [not is_known] * len(counted)
    assert found["tpot"] == pytest.approx(0.1, abs=0.01)
    assert measure(times, "llmperf")["inter_token_latency"] is not None or not is_known
    numbers = next(said.numbers for said in one.verdicts if "time_to_first_event" in said.numbers)
    assert (numbers["time_to_first_event"] is None) is not is_known


def test_a_call_that_streams_both_ways_counts_from_its_beginning_whatever_is_lost() -> None:
    one = uploaded(CHUNKS, (6,), midway=2)
    assert asked(one.trace) == one.exchange.asked_time
    assert listed(one).first == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("is_lost", [False, True])
def test_the_end_of_a_request_of_http2_may_be_missing(is_lost: bool) -> None:
    talk = Http2Talk().begin()
    post = [(name, "POST" if name == ":method" else value) for name, value in GET]
    talk.say("client", talk.client.head(1, post))
    talk.at(0.1).say("client", data(1, b"a" * 8))
    last = data(1, b"a" * 8, ends=True)
    if is_lost:
        talk.talk.lose("client", len(last))
    else:
        talk.at(0.2).say("client", last)
    talk.at(0.3).say("server", talk.server.head(1, EVENTS), data(1, b"data: a\n\n", ends=True))
    talk.at(0.4).say("client", framed(PING, 0, 0, bytes(8)))
    talk.talk.close()
    [one] = explain(talk.records())
    assert (asked(one.trace) is None) is is_lost
    line = listed(one)
    assert (line.first, line.last) == (
        (None,) * 2 if is_lost else (pytest.approx(0.1, abs=0.01),) * 2
    )


def test_without_a_request_nothing_counts_from_it() -> None:
    one = uploaded(CHUNKS[:1], (0,))
    line = listed(one)
    assert one.exchange.request is None and line.status == 200
    assert (asked(one.trace), line.first, line.last, line.count) == (None, None, None, 5)


def test_of_many_holes_each_one_counts() -> None:
    stream = Stream()
    for _ in range(MAX_FAULTS + 5):
        lose(stream.events(1, every=0.1), after=1.0)
    trace = explained(stream.events(1, every=0.1).end()).trace
    assert len(holes(trace)) == MAX_FAULTS + 5
    assert longest_gap(trace) < 0.2


def test_what_follows_a_lost_head_is_no_silence() -> None:
    stream = Stream()
    del stream.tape.packets[-1]  # the head of the response
    stream.talk.ack("client")
    stream.tape.wait(1.0)
    one = explained(stream.events(5, every=0.5).end())
    assert one.exchange.response is None and longest_gap(one.trace) == 0.0
    assert not_recorded(one.trace) == pytest.approx(1.5, abs=0.01)


def test_what_says_that_it_failed_is_no_token() -> None:
    tape = TimedTape()
    talk = Talk(tape).open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")
    talk.close()
    [one] = explain(tape.records())
    found = measures(one)
    assert (found.first_token, found.first_output, found.tokens) == (None, None, 0)
    assert found.headers_after is not None and listed(one).first is not None


def test_what_lacks_nothing() -> None:
    one = explained(Stream().events(5, every=0.1).end())
    assert holes(one.trace) == [] and measures(one).not_recorded is None


def test_a_hole_lies_after_what_came_before_it_and_not_after_what_came_next() -> None:
    assert gaps([1.0, 2.0, 4.0]) == [1.0, 2.0]
    assert gaps([1.0, 2.0, 4.0], [2.0]) == [2.0]
    assert gaps([1.0, 2.0, 4.0], [4.0]) == [1.0]
    assert is_recorded(2.0, 4.0, [2.0, 4.5]) and not is_recorded(2.0, 4.0, [1.0, 3.0])
