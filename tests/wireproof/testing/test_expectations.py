"""What tests assert of verdicts, and what a failing one is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from support.corpus import ROOT
from support.talk import Talk
from support.timed import CHUNKED, EVENT_STREAM, Handmade, Socket, Stream, TimedTape, event
from support.websocket_frames import frame

from wireproof.analysis.pace import judge_streaming
from wireproof.testing import WireFailure
from wireproof.testing.captures import StoredCapture
from wireproof.testing.exchange import Exchange
from wireproof.views.verdicts.words import details, summary

LABELLED = ROOT / "fixtures" / "verdicts"


def stored(name: str) -> StoredCapture:
    return StoredCapture(LABELLED / name, lambda _: "capture: stored", lambda *_: None)


def streaming() -> Exchange:
    return Stream().events(6, every=0.1).end().exchange


def held() -> Exchange:
    stream = Stream(thinking=0.001)
    stream.tape.wait(0.9)
    stream.talk.server(b"".join(map(chunked, range(1, 10))))
    return stream.end().exchange


def chunked(number: int) -> bytes:
    data = event(number)
    return b"%x\r\n%s\r\n" % (len(data), data)


def failure(assertion: Callable[[], Any]) -> str:
    with pytest.raises(WireFailure) as raised:
        assertion()
    return str(raised.value)


# --- what was not recorded ---


def lossy() -> Exchange:
    """Five events, one that was not recorded in a wait of 1.5 s, and five more."""
    stream = Stream().events(5, every=0.1)
    stream.tape.wait(1.5)
    stream.talk.server(chunked(6))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    return stream.events(5, every=0.1).end().exchange


def test_a_wait_that_was_not_recorded_is_no_gap_and_proves_nothing() -> None:
    exchange = lossy()
    exchange.assert_no_gap_longer_than(2)
    said = failure(lambda: exchange.assert_no_gap_longer_than(1))
    assert "the capture lacks bytes that came in 1.6" in said
    assert "whether there was a gap of more than 1 s is unknown" in said
    assert "a gap" not in failure(lambda: exchange.assert_no_gap_longer_than(0.05))
    exchange.assert_inter_token_latency(p50=0.2, max=2)
    said = failure(lambda: exchange.assert_inter_token_latency(max=0.2))
    assert "in 1.600 s it is unknown which tokens came" in said
    assert "whether max of the waits between them is more than 0.2 s" in said
    assert "p99 of" in failure(lambda: exchange.assert_inter_token_latency(p99=0.2))
    assert "unknown" not in failure(lambda: exchange.assert_inter_token_latency(max=0))


LACKS = "the capture lacks bytes of the response"


def lose(stream: Stream, sender: Literal["client", "server"], data: bytes) -> None:
    """Let something be sent that the capture lacks."""
    getattr(stream.talk, sender)(data)
    del stream.tape.packets[-1]
    stream.talk.ack("client" if sender == "server" else "server")


def beheaded() -> Exchange:
    """An answer of which nothing but its end was recorded."""
    stream = Stream()
    del stream.tape.packets[-1]
    lose(stream, "server", chunked(1) + b"0\r\n\r\n")
    stream.talk.ack("client")
    stream.talk.close()
    return stream.exchange


def unended() -> Exchange:
    """Five events, and an end that was not recorded."""
    stream = Stream().events(5, every=0.1)
    lose(stream, "server", chunked(6) + b"0\r\n\r\n")
    stream.talk.close()
    return stream.exchange


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda one: one.assert_streamed(), "of at least 2 chunks it has 0"),
        (lambda one: one.assert_no_gap_longer_than(1), "of at least 1 chunk it has 0"),
        (lambda one: one.assert_time_to_first_token(below=1), "its tokens came is unknown"),
        (lambda one: one.assert_inter_token_latency(max=1), "its tokens came is unknown"),
        (lambda one: one.assert_clean_end(), "no response was recorded"),
        (lambda one: one.assert_ended_by("last-chunk"), "what ended the body is unknown"),
        (lambda one: one.assert_verdict(streaming="streamed"), "maybe therefore streaming"),
        (lambda one: one.verdict("streaming"), "maybe therefore the question 'streaming'"),
    ],
)
def test_of_an_answer_that_was_not_recorded_nothing_is_denied(
    ask: Callable[[Exchange], Any], said: str
) -> None:
    exchange = beheaded()
    told = failure(lambda: ask(exchange))
    assert LACKS in told and said in told


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda one: one.assert_clean_end(), "not known to be whole (no end of it was recorded"),
        (lambda one: one.assert_clean_end(app_terminator="x"), "whether the last data is 'x'"),
        (lambda one: one.assert_ended_by("close"), "what ended the body is unknown"),
        (lambda one: one.assert_inter_token_latency(max=0.15, p50=0.05), ""),
    ],
)
def test_an_end_that_was_not_recorded_is_none(ask: Callable[[Exchange], Any], said: str) -> None:
    told = failure(lambda: ask(unended()))
    assert said in told and "INCOMPLETE" not in told


def test_an_end_that_was_not_recorded_may_be_any() -> None:
    said = failure(lambda: unended().assert_ended(reason="close"))
    assert "ending is 'unknowable', 'close' expected" in said
    unended().assert_streamed()
    told = failure(lambda: unended().assert_client_left_noticed(within=1))
    assert "whether the client left before the end is unknown" in told


def test_waits_that_were_not_recorded_may_spread_a_burst() -> None:
    def crowd(every: float) -> Exchange:
        stream = Stream(thinking=0.5).events(1, every=0)
        for number in range(2, 6):
            stream.tape.wait(every)
            lose(stream, "server", chunked(number))
            stream.events(1, every=0)
        return stream.end().exchange

    assert "it is unknown what came" in failure(lambda: crowd(0.1).assert_streamed(min_gap=0.05))


def test_a_conversation_that_was_not_all_recorded() -> None:
    socket = Socket()
    socket.talk.client(frame(9, b"1", key=bytes(4)))
    lose(socket, "server", frame(10, b"1"))
    socket.talk.server(frame(1, b"a"))
    lose(socket, "client", frame(8, b"\x03\xe8", key=bytes(4)))
    socket.talk.server(frame(8, b"\x03\xe8"))
    socket.talk.close()
    exchange = socket.exchange
    said = failure(lambda: exchange.assert_ping_answered(within=1))
    assert "whether the client's ping in packet" in said and "is unknown" in said
    assert "closing handshake was held is unknown" in failure(lambda: exchange.assert_closed())
    assert "closing handshake was held is unknown" in failure(lambda: exchange.assert_clean_end())
    silent = Socket()
    lose(silent, "server", frame(9, b"1"))
    silent.talk.server(frame(1, b"a"))
    told = failure(lambda: silent.exchange.assert_ping_answered(within=1))
    assert "whether there was a ping is unknown" in told


def resuming(earlier: Sequence[int], later: Sequence[int], last: str) -> tuple[Exchange, Exchange]:
    """Two streams of events, of which those with negative IDs were not recorded."""
    tape = TimedTape()
    for port, numbers in enumerate((earlier, later), 40_000):
        named = f"Last-Event-ID: {last}\r\n".encode() if numbers is later else b""
        stream = Stream(tape=tape, client_port=port, request=named)
        for number in numbers:
            if number < 0:
                lose(stream, "server", chunked(-number))
            else:
                stream.talk.server(chunked(number))
        stream.end()
    first, second = Handmade(tape).exchanges()
    return first, second


def test_ids_that_were_not_recorded() -> None:
    first, second = resuming((1, -2, 3), (4, 5), "2")
    said = failure(lambda: second.assert_resumed_from(first))
    assert "lacks bytes of the earlier stream: whether Last-Event-ID '2' was sent" in said
    first, second = resuming((1, 2, -3), (3, 4), "2")
    second.assert_resumed_from(first)
    said = failure(lambda: second.assert_resumed_from(first, exact=True))
    assert "which event ID was sent last is unknown" in said
    first, second = resuming((1, 2), (-3, 4), "2")
    said = failure(lambda: second.assert_resumed_from(first))
    assert "which event came first after '2' is unknown" in said


def test_the_first_event_behind_a_hole_may_be_no_first_one() -> None:
    stream = Stream()
    stream.tape.wait(0.5)
    stream.talk.server(chunked(1))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    exchange = stream.events(5, every=0.1).end().exchange
    for below in (0.1, 5.0):
        said = failure(lambda below=below: exchange.assert_time_to_first_event(below=below))  # type: ignore[misc]
        assert "the capture lacks bytes of the response before its first event" in said


def test_a_silence_that_was_not_recorded() -> None:
    stream = Stream().events(5, every=0.1)
    stream.talk.server(chunked(6))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    stream.tape.wait(2)
    stream.talk.close()
    said = failure(lambda: stream.exchange.assert_no_gap_longer_than(1))
    assert "the capture lacks bytes that came in 2.0" in said


def test_a_pause_before_the_first_event_that_was_recorded() -> None:
    stream = Stream()
    lose(stream, "server", chunked(1))
    stream.tape.wait(2)
    exchange = stream.events(5, every=0.1).end().exchange
    said = failure(lambda: exchange.assert_no_gap_longer_than(1))
    assert "the capture lacks bytes that came in 2.1" in said
    exchange.assert_no_gap_longer_than(3)


def uploaded(*, head: bool) -> Exchange:
    """An answer to a request of which the end was not recorded, or all of it."""
    tape = TimedTape()
    talk = Talk(tape).open()
    post = b"POST /chat HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
    if head:
        talk.client(post)
    else:
        talk.lose("client", len(post))
    talk.lose("client", 5)
    tape.wait(1)
    talk.server(b"HTTP/1.1 200 OK\r\n" + EVENT_STREAM + CHUNKED + b"\r\n", chunked(1), chunked(2))
    talk.server(b"0\r\n\r\n")
    talk.close()
    return Handmade(tape).exchange()


@pytest.mark.parametrize(
    ("head", "lacking"),
    [
        (True, "the capture lacks bytes of the request's end"),
        (False, "the request was not recorded"),
    ],
)
def test_how_long_the_answer_to_a_request_took_that_was_not_recorded(
    head: bool, lacking: str
) -> None:
    exchange = uploaded(head=head)
    for below in (0.1, 5.0):
        asks: list[Callable[..., None]] = [
            exchange.assert_time_to_first_event,
            exchange.assert_time_to_first_token,
        ]
        for ask in asks:
            said = failure(lambda ask=ask, below=below: ask(below=below))  # type: ignore[misc]
            assert f"{lacking}: how long its answer was waited for is unknown" in said
    burst = failure(lambda: exchange.assert_streamed(min_events=2))
    assert "after the request" not in burst
    if not head:
        assert (exchange.time_to_headers, exchange.time_to_first_event) == (None, None)
        assert lacking in failure(lambda: exchange.assert_inter_token_latency(max=1))


def test_events_are_waited_for_from_the_end_of_the_request() -> None:
    tape = TimedTape()
    talk = Talk(tape).open()
    talk.client(b"POST /chat HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
    tape.wait(2)
    talk.client(b"12345")
    tape.wait(0.1)
    talk.server(b"HTTP/1.1 200 OK\r\n" + EVENT_STREAM + CHUNKED + b"\r\n", chunked(1), chunked(2))
    talk.server(b"0\r\n\r\n")
    talk.close()
    exchange = Handmade(tape).exchange()
    exchange.assert_time_to_first_event(below=1)
    exchange.assert_time_to_first_token(below=1)


def test_of_a_response_that_was_not_recorded_nothing_is_known_to_be_right() -> None:
    said = failure(lambda: beheaded().assert_verdict())
    assert f"{LACKS}: no response was recorded, whether anything is wrong is unknown" in said
    unended().assert_verdict()


def test_tokens_that_were_not_recorded() -> None:
    stream = Stream()
    stream.talk.server(chunked(1))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    stream.tape.wait(1)
    exchange = stream.events(1, every=0.1).end().exchange
    said = failure(lambda: exchange.assert_time_to_first_token(below=0.5))
    assert "the capture lacks bytes of the response before the first token that it has" in said


# --- verdicts ---


def test_verdicts_are_those_of_explain() -> None:
    exchange = streaming()
    assert exchange.verdict("streaming").answer == "streamed"
    assert exchange.verdict("ending").answer == "whole"
    assert [one.answer for one in exchange.verdicts][:2] == ["streamed", "whole"]


def test_a_question_that_does_not_arise_fails() -> None:
    assert "the question 'websocket' does not arise" in failure(
        lambda: streaming().verdict("websocket")
    )


def test_what_is_no_question_is_refused() -> None:
    with pytest.raises(ValueError, match="'speed' is not a question: expected one of streaming"):
        streaming().verdict("speed")
    with pytest.raises(ValueError, match="'speed' is not a question"):
        streaming().assert_verdict(speed="fast")


def test_answers_that_are_expected_pass() -> None:
    exchange = streaming()
    exchange.assert_verdict()
    exchange.assert_verdict(streaming="streamed", ending="whole")
    exchange.assert_verdict(streaming=("streamed", "bursty"), websocket=None)
    held().assert_verdict(streaming="held")


def test_a_failing_test_is_told_the_verdict_with_packets_and_what_to_do() -> None:
    lines = failure(lambda: held().assert_verdict(streaming="streamed")).splitlines()
    assert lines[0].startswith("GET /chat: streaming is 'held', 'streamed' expected: 9 events came")
    assert any(line.startswith("  do: ") for line in lines) or any("→" in line for line in lines)
    assert any(line.split()[:1] == ["No."] for line in lines)
    assert lines[-1] == "capture: by hand"


def test_without_arguments_nothing_may_be_wrong() -> None:
    assert "streaming is 'held': 9 events" in failure(held().assert_verdict)


def test_an_answer_to_no_question_fails() -> None:
    said = failure(lambda: streaming().assert_verdict(websocket="ws-clean"))
    assert "websocket: 'ws-clean' expected, but the question does not arise" in said
    said = failure(lambda: streaming().assert_verdict(ending=None))
    assert "ending is 'whole', no answer expected" in said


# --- latencies ---


def test_the_first_token_is_not_the_first_event() -> None:
    """The first event of this stream only has a role: AIPerf and wireproof say 460.0 ms."""
    exchange = stored("lm01-openai-chat-role-first.pcap").exchange()
    exchange.assert_time_to_first_token(below=0.4602)
    said = failure(lambda: exchange.assert_time_to_first_token(below=0.46))
    assert "the first token came 460.0 ms after the request, below 0.46 s expected" in said
    assert "the header came" in said


def test_a_late_token_of_a_held_stream_says_who_held_it() -> None:
    said = failure(lambda: held().assert_time_to_first_token(below=0.5))
    assert "the first token came 90" in said
    assert "either: " in said or "cause: " in said


def test_waits_between_tokens() -> None:
    exchange = stored("lm01-openai-chat-role-first.pcap").exchange()
    exchange.assert_inter_token_latency(p50=0.05, p99=0.1, max=0.1)
    said = failure(lambda: exchange.assert_inter_token_latency(p50=1, p90=0.001))
    assert "p90 of 19 waits between tokens is " in said
    assert "at most 0.001 s expected" in said
    assert said.count("▸ SSE event") == 2  # the packets before and after


def test_without_a_dialect_each_event_is_a_token() -> None:
    exchange = streaming()
    exchange.assert_inter_token_latency(p99=0.11)
    said = failure(lambda: exchange.assert_inter_token_latency(p99=0.05))
    assert "no dialect was recognised: each event counts as a token" in said


def test_no_tokens_are_no_latency() -> None:
    exchange = Stream().chunks([b": ping\n\n"], every=0.1).end().exchange
    assert "no two tokens came" in failure(lambda: exchange.assert_time_to_first_token(below=1))
    assert "no two tokens came" in failure(lambda: exchange.assert_inter_token_latency(p50=1))


# --- ends ---


def test_who_ended_it_and_why() -> None:
    exchange = streaming()
    exchange.assert_ended(by="server")
    exchange.assert_ended(by="server", reason="whole")
    exchange.assert_ended(reason="last-chunk")
    assert "ended by server, client expected" in failure(lambda: exchange.assert_ended(by="client"))
    assert "ending is 'whole', 'cut' expected" in failure(
        lambda: exchange.assert_ended(reason="cut")
    )


def test_a_cause_is_a_reason() -> None:
    exchange = stored("en07-nginx-cut-mid-body-read-timeout.pcap").exchange(nth=0)
    exchange.assert_ended(by="server", reason="proxy-idle-timeout")


def test_a_server_that_goes_on_has_not_noticed() -> None:
    exchange = stored("en15-client-abort-nginx-ignores.pcap").exchange(nth=0)
    exchange.assert_client_left_noticed(within=0.3)
    said = failure(lambda: exchange.assert_client_left_noticed(within=0.1))
    assert "the server went on for 202.5 ms, 0.1 s expected: the client left in packet" in said


def test_a_reset_leaves_nothing_that_shows_it() -> None:
    stream = Stream().events(3, every=0.1)
    stream.talk.reset("client")
    said = failure(lambda: stream.exchange.assert_client_left_noticed(within=1.0))
    assert "nothing shows that the server noticed" in said
    assert "to tell: the server's log" in said


def test_a_client_that_reads_on_has_not_left() -> None:
    exchange = stored("en16-client-half-close-server-goes-on.pcap").exchange()
    said = failure(lambda: exchange.assert_client_left_noticed(within=1.0))
    assert "the client did not leave before the end: the client sent FIN" in said


def test_a_server_that_closes_has_noticed() -> None:
    stream = Stream().events(3, every=0.1)
    stream.talk.fin("client")
    stream.tape.wait(0.2)
    stream.talk.fin("server")
    stream.exchange.assert_client_left_noticed(within=0.5)
    said = failure(lambda: stream.exchange.assert_client_left_noticed(within=0.1))
    assert "the server went on for 200" in said


def test_a_client_that_stayed_is_none_that_left() -> None:
    said = failure(lambda: streaming().assert_client_left_noticed(within=1.0))
    assert "the client did not leave before the end" in said


# --- resumption ---


def resumed(*ids: int) -> Exchange:
    """A stream that was cut after event 5, and the one that followed it."""
    tape = TimedTape()
    Stream("/feed", tape=tape).events(5, every=0.1).talk.fin("server")
    tape.wait(1.0)
    again = Stream(
        "/feed",
        tape=tape,
        client_port=40_001,
        fields=EVENT_STREAM + CHUNKED,
        request=b"Last-Event-ID: 5\r\n",
    )
    return again.chunks(map(event, ids), every=0.1).end().capture.exchange(nth=1)


def test_a_stream_that_goes_on_where_it_stopped() -> None:
    resumed(6, 7, 8).assert_resumed_exactly()


@pytest.mark.parametrize(("ids", "answer"), [((5, 6, 7), "duplicate"), ((8, 9), "lost")])
def test_what_comes_again_or_got_lost_is_told(ids: tuple[int, ...], answer: str) -> None:
    said = failure(resumed(*ids).assert_resumed_exactly)
    assert f"resume is '{answer}', 'exact' expected" in said


def test_a_stream_that_follows_none() -> None:
    said = failure(streaming().assert_resumed_exactly)
    assert "it does not go on where an earlier stream had stopped" in said


# --- assert_streamed and explain are one judge ---

CLIENT_SLOW = {"gp12-zero-window-1500ms-b.client", "gp12-zero-window-1500ms-b.server"}
"""Of what the client did not hold up, enough streamed."""


@pytest.mark.parametrize("path", sorted(LABELLED.glob("*.pcap")), ids=lambda path: path.stem)
def test_without_arguments_it_fails_where_explain_says_no(path: Path) -> None:
    for exchange in stored(path.name).exchanges():
        verdict = judge_streaming(exchange.source.explained(exchange).trace)
        if verdict is None:
            continue
        is_fine = verdict.answer in ("streamed", "header-held")
        if is_fine or (verdict.answer == "client-slow" and path.stem in CLIENT_SLOW):
            exchange.assert_streamed()
            continue
        text = failure(exchange.assert_streamed)
        if verdict.answer == "client-slow":
            assert "the client's window was closed, and only" in text
            continue
        assert f"streaming is {verdict.answer!r}: {summary(verdict)}\n" in text
        assert [line for _, line in details(verdict) if line not in text] == []
        assert all(re.search(rf"(?m)^ *{packet} ", text) for packet in verdict.packets[:12])


def test_last_words_in_the_segment_of_the_last_token_are_no_crowd() -> None:
    """As a proxy sends them: nothing was generated after it."""
    last = event(9) + b"data: [DONE]\n\n"
    exchange = Stream().events(8, every=0.05).chunks([last], every=0.05).end().exchange
    exchange.assert_streamed(min_events=10, max_events_per_segment=1)
    assert "10 events came, at least 11" in failure(lambda: exchange.assert_streamed(min_events=11))


def test_pairs_stream_and_a_test_may_forbid_them() -> None:
    pairs = [event(at) + event(at + 1) for at in range(1, 13, 2)]
    exchange = Stream().chunks(pairs, every=0.05).end().exchange
    exchange.assert_streamed()
    text = failure(lambda: exchange.assert_streamed(max_events_per_segment=1))
    assert "2 events in one segment" in text
    assert "streaming is 'streamed': 12 events came about 2.0 at a time" in text


def test_bursts_fail_though_each_event_has_its_segment() -> None:
    stream = Stream()
    for first in range(1, 16, 3):
        stream.tape.wait(0.3)
        stream.chunks([event(first + at) for at in range(3)], every=0.0)
    exchange = stream.end().exchange
    assert "streaming is 'bursty'" in failure(lambda: exchange.assert_streamed(min_events=5))
    exchange.assert_streamed(min_events=5, max_events_per_segment=3)  # the source sends them so


def test_what_cannot_be_told_is_no_proof() -> None:
    two = Stream().events(2, every=0.5).end().exchange
    assert "at least 3 are needed to compare waits" in failure(two.assert_streamed)
    two.assert_streamed(min_events=2)  # a test that says so takes two
    fast = Stream().events(9, every=0.0003).end().exchange
    assert "streaming is 'undecided'" in failure(fast.assert_streamed)
    assert "came in a burst" in failure(lambda: fast.assert_streamed(min_events=5))
    fast.assert_streamed(min_gap=0.0002)


def test_a_source_that_is_faster_than_explain_can_tell_is_a_tests_to_know() -> None:
    late = Stream(thinking=0.5).events(9, every=0.0003).end().exchange
    assert "streaming is 'held'" in failure(late.assert_streamed)
    late.assert_streamed(min_gap=0.0002)


def test_a_late_header_is_none_of_the_events_doing() -> None:
    exchange = Stream(thinking=0.8).chunks([event(1)], every=0.0).events(8, every=0.05).end()
    assert exchange.exchange.verdict("streaming").answer == "header-held"
    exchange.exchange.assert_streamed()
    assert "header-held" in failure(exchange.exchange.assert_verdict)


def test_an_answer_to_each_message_streams_if_a_test_counts_all() -> None:
    socket = Socket()
    for number in range(6):
        socket.tape.wait(0.05)
        socket.talk.server(frame(1, b"%d" % number))
        socket.talk.client(frame(1, b"ok", key=b"1234"))
    said = failure(socket.exchange.assert_streamed)
    assert "only 1 message (the longest turn, of 6 in all) came" in said
    socket.exchange.assert_streamed(min_events=6)
