"""How streams end, and what is said of each end."""

from __future__ import annotations

import re

import pytest
from support.talk import Talk
from support.timed import (
    CHUNKED,
    EVENT_STREAM,
    LAST_CHUNK,
    Handmade,
    Socket,
    Stream,
    TimedTape,
    event,
)
from support.websocket_frames import KEY, frame

from wireproof.testing import WireFailure
from wireproof.testing.exchange import Exchange

DONE = b"data: [DONE]\n\n"


def complete() -> Stream:
    return Stream().events(2, every=0.01).chunks([DONE], every=0.01).end()


def without_last_chunk() -> Stream:
    stream = Stream().events(2, every=0.01)
    stream.talk.close()
    return stream


def reset() -> Stream:
    stream = Stream().events(2, every=0.01)
    stream.talk.reset("server")
    return stream


def inside_an_event() -> Stream:
    return Stream().events(2, every=0.01).chunks([b"data: half"], every=0.01).end()


def without_framing() -> Stream:
    stream = Stream(fields=EVENT_STREAM + b"Connection: close\r\n")
    stream.talk.server(event(1))
    stream.talk.close()
    return stream


def no_answer() -> Stream:
    stream = Socket()
    stream.tape.packets.pop()
    return stream


def going_on() -> Stream:
    return Stream().events(2, every=0.01)


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (without_last_chunk(), "the body is INCOMPLETE (connection closed too early)"),
        (reset(), "the connection was reset by the server (RST)"),
        (inside_an_event(), "the stream ends inside an event (packet 8)"),
        (without_framing(), "nothing but the end of the connection ended the body"),
        (no_answer(), "there was no response"),
        (going_on(), "the body is INCOMPLETE (the capture ends first)"),
    ],
    ids=["no last chunk", "reset", "inside an event", "close", "no answer", "going on"],
)
def test_an_unclean_end_is_told(stream: Stream, said: str) -> None:
    with pytest.raises(WireFailure, match=re.escape(said)):
        stream.exchange.assert_clean_end()


def test_a_clean_end() -> None:
    complete().exchange.assert_clean_end()
    complete().exchange.assert_clean_end(app_terminator="[DONE]")


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (Stream().events(2, every=0.01).end(), "should be '[DONE]', but is 'token 2' (packet 7)"),
        (Stream().end(), "should be '[DONE]', but there was none"),
        (without_last_chunk(), "too early); the last data should be '[DONE]'"),
    ],
    ids=["another", "none", "neither"],
)
def test_the_apps_own_last_word_is_missing(stream: Stream, said: str) -> None:
    with pytest.raises(WireFailure, match=re.escape(said)):
        stream.exchange.assert_clean_end(app_terminator="[DONE]")


def test_a_field_that_dispatches_nothing_is_no_cut_event() -> None:
    Stream().events(2, every=0.01).chunks(
        [b"retry: 5\n\n"], every=0
    ).end().exchange.assert_clean_end()


def test_the_last_word_of_chunks_is_compared_without_its_line_end() -> None:
    stream = Stream(fields=CHUNKED).chunks([b"one\n", b"END\n"], every=0.01).end()
    stream.exchange.assert_clean_end(app_terminator="END")


@pytest.mark.parametrize(
    ("stream", "ended_by", "closed_by"),
    [
        (complete(), "last-chunk", "server"),
        (without_last_chunk(), "close", "server"),
        (reset(), "reset", "server"),
        (going_on(), "capture-end", None),
    ],
    ids=["complete", "no last chunk", "reset", "going on"],
)
def test_what_ended_it(stream: Stream, ended_by: str, closed_by: str | None) -> None:
    stream.exchange.assert_ended_by(ended_by, closed_by=closed_by)
    with pytest.raises(WireFailure, match=f"ended by {ended_by}, content-length expected"):
        stream.exchange.assert_ended_by("content-length")


def test_who_closed_first() -> None:
    with pytest.raises(WireFailure, match="closed by server first, client expected"):
        complete().exchange.assert_ended_by("last-chunk", closed_by="client")
    with pytest.raises(WireFailure, match="closed by nobody first"):
        going_on().exchange.assert_ended_by("capture-end", closed_by="client")


def test_an_end_that_there_is_not_is_a_mistake_of_the_test() -> None:
    with pytest.raises(ValueError, match="expected one of last-chunk, content-length"):
        complete().exchange.assert_ended_by("last_chunk")


def test_completeness() -> None:
    assert complete().exchange.is_complete
    assert not without_last_chunk().exchange.is_complete
    assert not no_answer().exchange.is_complete


# --- WebSocket ---


def closed(*codes: int) -> Socket:
    socket = Socket()
    for number, code in enumerate(codes):
        payload = code.to_bytes(2)
        if number:
            socket.talk.client(frame(8, payload, key=KEY))
        else:
            socket.talk.server(frame(8, payload))
    socket.talk.close()
    return socket


def test_a_closing_handshake_is_a_clean_end() -> None:
    closed(1000, 1000).exchange.assert_clean_end()
    closed(1001, 1001).exchange.assert_clean_end()
    assert closed(1000, 1000).exchange.is_complete


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ((), "of two Close frames there was none"),
        ((1000,), "there was the server's only"),
        ((1011, 1011), "the server closed with 1011"),
    ],
)
def test_an_unclean_end_of_a_websocket(codes: tuple[int, ...], said: str) -> None:
    with pytest.raises(WireFailure, match=said):
        closed(*codes).exchange.assert_clean_end()


def test_data_after_the_last_chunk_of_a_pipelined_answer_is_another_ones() -> None:
    stream = Stream().events(1, every=0.01)
    stream.talk.server(LAST_CHUNK)
    stream.talk.client(b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    stream.talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
    stream.talk.close()
    capture = stream.capture
    capture.exchange("/chat").assert_clean_end()
    assert capture.exchange("/next").status == 204


# --- what has no body, and what follows one that is complete ---

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"


def answered(*pieces: bytes, method: bytes = b"GET", cut: int | None = None) -> Exchange:
    tape = TimedTape()
    talk = Talk(tape).open()
    talk.client(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
    for piece in pieces:
        frame_ = talk.frame("server", piece)
        tape.add(frame_, captured=None if cut is None else len(frame_) - cut)
    talk.close()
    return Handmade(tape).exchange()


@pytest.mark.parametrize(
    ("answer", "method"),
    [(NO_CONTENT, b"OPTIONS"), (NOT_MODIFIED, b"GET"), (HEAD, b"HEAD")],
    ids=["204", "304", "HEAD"],
)
def test_what_has_no_body_is_complete(answer: bytes, method: bytes) -> None:
    exchange = answered(answer, method=method)
    assert exchange.is_complete
    assert "complete (no body)" in str(exchange)
    exchange.assert_clean_end()
    # Its head must be whole for that, and nothing may follow.
    assert not answered(answer, method=method, cut=2).is_complete
    with pytest.raises(WireFailure, match="the head of the response is cut"):
        answered(answer, method=method, cut=2).assert_clean_end()
    with pytest.raises(WireFailure, match="surplus bytes after a complete message: 5 bytes"):
        answered(answer, b"0\r\n\r\n", method=method).assert_clean_end()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", "no final response came after 103"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nhi",
            "where the body ends cannot be known",
        ),
    ],
)
def test_what_has_no_body_by_a_fault_has_no_end(answer: bytes, said: str) -> None:
    exchange = answered(answer)
    assert not exchange.is_complete
    with pytest.raises(WireFailure, match=said):
        exchange.assert_clean_end()


@pytest.mark.parametrize("closing", [b"", b"Connection: close\r\n"])
def test_bytes_after_a_complete_body_are_no_clean_end(closing: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\n%sContent-Length: 0\r\n\r\n" % closing
    answered(head).assert_clean_end()
    with pytest.raises(WireFailure, match=r"9 bytes .*Content-Length: 0 is too small \(packet 6\)"):
        answered(head, b"data: 1\n\n").assert_clean_end()


def test_what_only_closing_ends_may_have_been_cut() -> None:
    exchange = without_framing().exchange
    assert exchange.is_complete
    said = "complete as far as closing can tell (it may have been cut)"
    assert said in str(exchange)
    with pytest.raises(WireFailure, match=re.escape(said)):
        exchange.assert_clean_end()


def test_a_client_that_had_left_may_refuse_what_comes_late() -> None:
    stream = Stream().events(2, every=0.01)
    stream.talk.server(LAST_CHUNK)
    stream.talk.fin("client")
    stream.talk.reset("client")
    connection = stream.exchange.connection
    assert connection is not None
    assert connection.close == "reset"
    stream.exchange.assert_clean_end()


def test_a_reset_without_a_fin_is_unclean_after_a_whole_body_too() -> None:
    stream = Stream().events(2, every=0.01)
    stream.talk.server(LAST_CHUNK)
    stream.talk.reset("client")
    with pytest.raises(WireFailure, match="reset by the client"):
        stream.exchange.assert_clean_end()


def test_a_client_that_left_before_the_end_and_resets_is_unclean() -> None:
    stream = Stream().events(2, every=0.01)
    stream.talk.fin("client")
    stream.talk.reset("client")
    with pytest.raises(WireFailure, match="reset by the client"):
        stream.exchange.assert_clean_end()
