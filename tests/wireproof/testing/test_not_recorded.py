"""What tests assert where a capture lacks packets: what they brought is unknown, and no proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest
from support.failing import failure
from support.talk import Talk
from support.timed import CHUNKED, EVENT_STREAM, Handmade, Socket, Stream, TimedTape, chunk, event
from support.websocket_frames import frame

from wireproof.testing.exchange import Exchange


def lossy() -> Exchange:
    """Five events, one that was not recorded in a wait of 1.5 s, and five more."""
    stream = Stream().events(5, every=0.1)
    stream.tape.wait(1.5)
    stream.talk.server(chunk(event(6)))
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
    lose(stream, "server", chunk(event(1)) + b"0\r\n\r\n")
    stream.talk.ack("client")
    stream.talk.close()
    return stream.exchange


def unended() -> Exchange:
    """Five events, and an end that was not recorded."""
    stream = Stream().events(5, every=0.1)
    lose(stream, "server", chunk(event(6)) + b"0\r\n\r\n")
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
            lose(stream, "server", chunk(event(number)))
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
                lose(stream, "server", chunk(event(-number)))
            else:
                stream.talk.server(chunk(event(number)))
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
    stream.talk.server(chunk(event(1)))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    exchange = stream.events(5, every=0.1).end().exchange
    for below in (0.1, 5.0):
        said = failure(lambda below=below: exchange.assert_time_to_first_event(below=below))  # type: ignore[misc]
        assert "the capture lacks bytes of the response before its first event" in said


def test_a_silence_that_was_not_recorded() -> None:
    stream = Stream().events(5, every=0.1)
    stream.talk.server(chunk(event(6)))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    stream.tape.wait(2)
    stream.talk.close()
    said = failure(lambda: stream.exchange.assert_no_gap_longer_than(1))
    assert "the capture lacks bytes that came in 2.0" in said


def test_a_pause_before_the_first_event_that_was_recorded() -> None:
    stream = Stream()
    lose(stream, "server", chunk(event(1)))
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
    talk.server(
        b"HTTP/1.1 200 OK\r\n" + EVENT_STREAM + CHUNKED + b"\r\n", chunk(event(1)), chunk(event(2))
    )
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
    talk.server(
        b"HTTP/1.1 200 OK\r\n" + EVENT_STREAM + CHUNKED + b"\r\n", chunk(event(1)), chunk(event(2))
    )
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
    stream.talk.server(chunk(event(1)))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    stream.tape.wait(1)
    exchange = stream.events(1, every=0.1).end().exchange
    for below in (0.5, 5.0):  # whichever came first: it is not the one that is there
        said = failure(lambda limit=below: exchange.assert_time_to_first_token(below=limit))
        assert "the capture lacks bytes of the response before the first token that it has" in said
