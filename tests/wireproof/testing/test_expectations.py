"""What tests assert of verdicts, and what a failing one is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.failing import failure
from support.timed import CHUNKED, EVENT_STREAM, Socket, Stream, TimedTape, chunk, event
from support.websocket_frames import frame

from wireproof.analysis.pace import judge_streaming
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
    stream.talk.server(b"".join(chunk(event(number)) for number in range(1, 10)))
    return stream.end().exchange


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
    assert "only 1 of 6 messages (the longest turn) came" in said
    socket.exchange.assert_streamed(min_events=6)
