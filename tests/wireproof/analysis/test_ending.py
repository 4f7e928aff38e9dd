"""How a response ended: each answer beside what nearly is one."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from support.judged import causes, verdicts
from support.talk import Talk
from support.timed import (
    CHUNKED,
    EVENT_STREAM,
    LAST_CHUNK,
    Socket,
    Stream,
    TimedTape,
    chunk,
    event,
)

from wireproof.analysis.ending import judge_ending
from wireproof.analysis.judges import explain
from wireproof.analysis.verdict import Verdict

DONE = b"data: [DONE]\n\n"
FINISHED = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
COUNTED = EVENT_STREAM + b"Content-Length: 100\r\n"
NGINX = EVENT_STREAM + CHUNKED + b"Server: nginx/1.27.0\r\n"


def token(text: str) -> bytes:
    choice = b'{"index":0,"delta":{"content":"%s"}}' % text.encode()
    return b'data: {"object":"chat.completion.chunk","choices":[%s]}\n\n' % choice


def gemini(more: str) -> bytes:
    content = '"content":{"role":"model","parts":[{"text":"a"}]}'
    return f'data: {{"candidates":[{{{content}{more}}}]}}\n\n'.encode()


def ending(stream: Stream) -> Verdict:
    [found] = verdicts(stream.tape, "ending")
    return found


def smooth(number: int = 4, every: float = 0.07, fields: bytes = EVENT_STREAM + CHUNKED) -> Stream:
    return Stream(fields=fields).events(number, every=every)


def closed(stream: Stream, after: float = 0.0) -> Stream:
    stream.tape.wait(after)
    stream.talk.close()
    return stream


def cut(stream: Stream, *pieces: bytes) -> Stream:
    stream.talk.server(*pieces)
    return closed(stream)


def cut_off(stream: Stream, *pieces: bytes) -> Stream:
    """Answer what comes to a client that has left."""
    stream.talk.server(*pieces)
    stream.talk.reset("client")
    return stream


def left(stream: Stream, *, by_reset: bool = False) -> Stream:
    (stream.talk.reset if by_reset else stream.talk.fin)("client")
    return stream


def reset() -> Stream:
    stream = smooth()
    stream.talk.reset("server")
    return stream


def waited(stream: Stream, seconds: float) -> Stream:
    stream.tape.wait(seconds)
    return stream


def half_closed() -> Stream:
    stream = smooth(2)
    stream.talk.fin("client")
    return stream


def chat(*pieces: bytes) -> Stream:
    return Stream("/v1/chat/completions").chunks([token("a"), token("b"), *pieces], every=0.03)


def until_close(*pieces: bytes) -> Stream:
    stream = Stream(fields=EVENT_STREAM)
    stream.talk.server(*pieces)
    return closed(stream)


def until_reset() -> Stream:
    stream = Stream(fields=EVENT_STREAM)
    stream.talk.server(event(1), event(2))
    stream.talk.reset("server")
    return stream


def compressed(*, whole: bool) -> Stream:
    data = gzip.compress(event(1) + event(2))
    fields = EVENT_STREAM + CHUNKED + b"Content-Encoding: gzip\r\n"
    return Stream(fields=fields).chunks([data if whole else data[:-8]], every=0.02).end()


def with_trailer(line: bytes) -> Stream:
    stream = smooth()
    stream.talk.server(b"0\r\n" + line + b"\r\n\r\n")
    stream.talk.close()
    return stream


def late(seconds: float) -> Stream:
    stream = smooth().chunks([DONE], every=0.07)
    stream.tape.wait(seconds)
    return stream.end()


AT_ONCE = ["app-exception", "server-crash", "server-shutdown-timeout"]
"""Why a server's side may send a FIN while events flow."""
FLOWING = [*AT_ONCE, "worker-timeout", "proxy-total-timeout"]
"""Why it may after a second or more."""
ENDS: dict[str, tuple[Callable[[], Stream], str, str, list[str]]] = {
    "last chunk": (lambda: smooth().end(), "whole", "ok", []),
    "client closes after it": (lambda: left(smooth().end()), "whole", "ok", []),
    "no last chunk": (
        lambda: closed(smooth()),
        "cut",
        "error",
        AT_ONCE,
    ),
    "no last chunk, the last word came": (
        lambda: closed(smooth().chunks([DONE], every=0.07)),
        "cut",
        "warning",
        AT_ONCE,
    ),
    "inside a chunk": (
        lambda: cut(smooth(), b"20\r\ndata: abc"),
        "cut",
        "error",
        AT_ONCE,
    ),
    "length not reached": (
        lambda: cut(Stream(fields=COUNTED), event(1), event(2)),
        "cut",
        "error",
        ["content-length-short", "server-crash"],
    ),
    "reset where the connection's end is the body's": (
        until_reset,
        "cut",
        "error",
        ["server-reset", "proxy-reset"],
    ),
    "reset by the server": (
        reset,
        "cut",
        "error",
        ["server-reset", "proxy-reset"],
    ),
    "silence out of rhythm, then FIN": (
        lambda: closed(smooth(), after=3.3),
        "cut",
        "error",
        ["server-gave-up", "proxy-idle-timeout"],
    ),
    "silence out of rhythm behind a proxy, then FIN": (
        lambda: closed(smooth(fields=NGINX), after=3.3),
        "cut",
        "error",
        ["proxy-idle-timeout", "server-gave-up"],
    ),
    "slow rhythm, then FIN": (
        lambda: closed(smooth(every=3.0), after=3.3),
        "cut",
        "error",
        FLOWING,
    ),
    "client left": (lambda: left(smooth()), "aborted", "note", ["client-closed"]),
    "client left after silence": (
        lambda: left(waited(smooth(), 20.0)),
        "aborted",
        "note",
        ["client-timeout", "client-closed"],
    ),
    "client reset": (lambda: left(smooth(), by_reset=True), "aborted", "note", ["client-closed"]),
    "half-close, then whole": (
        lambda: half_closed().events(3, every=0.05).end(),
        "whole",
        "ok",
        [],
    ),
    "inside an event": (
        lambda: smooth().chunks([b"data: half"], every=0.05).end(),
        "cut",
        "warning",
        ["event-cut"],
    ),
    "a comment without blank line": (
        lambda: smooth().chunks([b": ping"], every=0.05).end(),
        "whole",
        "ok",
        [],
    ),
    "gzip without trailer": (
        lambda: compressed(whole=False),
        "cut",
        "warning",
        ["gzip-trailer-missing"],
    ),
    "gzip whole": (lambda: compressed(whole=True), "whole", "ok", []),
    "no [DONE], no reason": (
        lambda: chat().end(),
        "app-incomplete",
        "error",
        ["terminator-missing"],
    ),
    "left before [DONE], and ended for nobody": (
        lambda: cut_off(left(chat()), LAST_CHUNK),
        "aborted",
        "note",
        ["client-closed"],
    ),
    "left after [DONE], before the last chunk": (
        lambda: cut_off(left(chat(FINISHED, DONE)), LAST_CHUNK),
        "whole",
        "ok",
        [],
    ),
    "a reason, no [DONE]": (
        lambda: chat(FINISHED).end(),
        "app-incomplete",
        "warning",
        ["terminator-missing"],
    ),
    "[DONE]": (lambda: chat(FINISHED, DONE).end(), "whole", "ok", []),
    "error event": (
        lambda: chat(b'data: {"error":{"message":"overloaded"}}\n\n').end(),
        "app-error",
        "error",
        ["error-event"],
    ),
    "error event, and it went on to its last word": (
        lambda: chat(
            b'data: {"error":{"message":"retrying"}}\n\n', token("c"), FINISHED, DONE
        ).end(),
        "app-error",
        "warning",
        ["error-event"],
    ),
    "an event that is named error": (
        lambda: smooth().chunks([b"event: error\ndata: lost\n\n"], every=0.05).end(),
        "app-error",
        "error",
        ["error-event"],
    ),
    "an event that says error": (
        lambda: smooth().chunks([b"data: error\n\n"], every=0.05).end(),
        "whole",
        "ok",
        [],
    ),
    "Gemini's reason": (
        lambda: (
            Stream("/v1/models/g:streamGenerateContent")
            .chunks([gemini(""), gemini(',"finishReason":"STOP"')], every=0.03)
            .end()
        ),
        "whole",
        "ok",
        [],
    ),
    "no reason of Gemini's": (
        lambda: (
            Stream("/v1/models/g:streamGenerateContent")
            .chunks([gemini(""), gemini("")], every=0.03)
            .end()
        ),
        "app-incomplete",
        "error",
        ["terminator-missing"],
    ),
    "error in trailers": (
        lambda: with_trailer(b"X-Stream-Error: lost"),
        "app-error",
        "error",
        ["trailer-error"],
    ),
    "grpc-status": (
        lambda: with_trailer(b"grpc-status: 14"),
        "app-error",
        "error",
        ["trailer-error"],
    ),
    "grpc-status 0": (lambda: with_trailer(b"grpc-status: 0"), "whole", "ok", []),
    "closed, no last word": (
        lambda: until_close(event(1), event(2)),
        "unknowable",
        "note",
        ["close-delimited"],
    ),
    "closed after the last word": (lambda: until_close(event(1), DONE), "whole", "ok", []),
    "late end": (lambda: late(0.9), "whole", "warning", ["terminator-early"]),
    "end a little later": (lambda: late(0.3), "whole", "ok", []),
    "goes on": (smooth, "open", "note", ["capture-ended", "path-vanished"]),
}


@pytest.mark.parametrize("name", ENDS)
def test_each_end_has_its_answer(name: str) -> None:
    make, answer, severity, codes = ENDS[name]
    found = ending(make())
    assert (found.answer, found.severity, causes(found)) == (answer, severity, codes)


@pytest.mark.parametrize("name", [name for name, row in ENDS.items() if len(row[3]) > 1])
def test_several_causes_say_what_would_tell(name: str) -> None:
    assert ending(ENDS[name][0]()).to_tell


def test_figures_say_what_was_owed_and_who_closed() -> None:
    inside = ending(cut(smooth(3), b"20\r\ndata: abc")).numbers
    assert (inside["missing_bytes"], inside["inside"], inside["events"]) == (23, "chunk", 3)
    short = ending(cut(Stream(fields=COUNTED), b"data: 12345678901234\n\n")).numbers
    assert (short["missing_bytes"], short["ended_by"]) == (78, "close")
    assert short["first_closer"] == "server"
    idle = ending(closed(smooth(), after=1.7)).numbers["idle_before_close"]
    assert idle == pytest.approx(1.7, abs=0.001)


def test_a_limit_is_named_by_who_answered_or_as_an_example() -> None:
    named = ending(closed(smooth(fields=NGINX), after=59.8))
    assert "nginx's proxy_read_timeout (60 s)" in named.causes[0].summary
    assert named.causes[0].sure == "likely"
    other = ending(closed(smooth(), after=59.8)).causes[0].summary
    assert "such as nginx's proxy_read_timeout (60 s)" in other
    none = ending(closed(smooth(), after=40.0)).causes[1].summary
    assert "nothing came for" in none and "fits" not in none and "nginx" not in none


def test_a_limit_of_nobodys_default_is_left_open() -> None:
    found = ending(closed(smooth(fields=NGINX), after=1.4)).causes[0].summary
    assert "an idle limit of 1.3 to 1.8 s would do that" in found


def test_a_total_limit_is_recognised_while_events_flow() -> None:
    found = ending(closed(smooth(100, every=0.3)))
    assert found.causes[0].code == "proxy-total-timeout"
    assert "gunicorn's --timeout (30 s)" in found.causes[0].summary


@pytest.mark.parametrize("after", [1.02, 1.08])
def test_a_second_of_silence_may_be_a_delayed_close(after: float) -> None:
    fields = EVENT_STREAM + CHUNKED + b"x-envoy-upstream-service-time: 3\r\n"
    assert "proxy-total-timeout" in causes(ending(closed(smooth(), after=after)))
    assert causes(ending(closed(smooth(fields=fields), after=after)))[0] == "proxy-total-timeout"


def test_another_silence_is_no_delayed_close() -> None:
    assert "proxy-total-timeout" not in causes(ending(closed(smooth(), after=1.6)))


def test_a_path_that_vanished_shows_at_the_sender() -> None:
    stream = smooth()
    stream.talk.ack("client")
    frame = stream.talk.frame("server", chunk(event(5)))
    for wait in (0.05, 0.3, 0.6):
        stream.tape.wait(wait)
        stream.tape.add(frame)
    found = ending(stream)
    assert (found.answer, found.severity, causes(found)) == ("open", "warning", ["path-vanished"])


def test_a_segment_sent_again_at_once_is_no_vanished_path() -> None:
    stream = smooth()
    frame = stream.talk.frame("server", chunk(event(5)))
    stream.tape.add(frame)
    stream.tape.add(frame)
    assert ending(stream).severity == "note"


# --- what answers in the place of the server ---


def unanswered(by: str, after: float) -> TimedTape:
    tape = TimedTape()
    talk = Talk(tape).open()
    talk.client(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
    tape.wait(after)
    talk.fin("server" if by == "server" else "client")
    return tape


@pytest.mark.parametrize(("by", "answer"), [("server", "cut"), ("client", "aborted")])
def test_a_request_without_answer_was_ended_by_somebody(by: str, answer: str) -> None:
    [found] = verdicts(unanswered(by, 2.0), "ending")
    assert found.answer == answer
    assert found.numbers["first_closer"] == by


def test_a_request_may_cross_the_end_of_an_idle_connection() -> None:
    stream = smooth()
    stream.talk.server(LAST_CHUNK)
    stream.tape.wait(5.0)
    stream.talk.client(b"GET /chat HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n")
    stream.talk.fin("server")
    whole, crossed = verdicts(stream.tape, "ending")
    assert whole.answer == "whole"
    assert (crossed.answer, causes(crossed)) == ("cut", ["keep-alive-race"])


# --- what the capture lacks ---


def test_nothing_is_told_of_an_end_that_was_not_captured() -> None:
    stream = smooth()
    stream.talk.lose("server", 40)
    found = ending(closed(stream))
    assert (found.answer, found.severity) == ("unknowable", "note")
    assert causes(found) == ["capture-incomplete"]


def test_what_is_whole_although_bytes_are_missing_before_it_is_not_accused() -> None:
    stream = smooth()
    stream.talk.lose("server", len(chunk(event(5))))
    found = ending(stream.end())
    assert not found.is_fault


def test_a_websocket_and_a_tunnel_have_no_end_of_this_kind() -> None:
    assert [judge_ending(one.trace) for one in explain(Socket().tape.records())] == [None]


# --- whose answer it is ---

NO = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s"


def test_what_may_have_been_lost_is_held_against_nobody() -> None:
    """Three requests wait for answers, one of which is missing: nobody knows whose."""
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
    talk.server(NO % (b"200 OK", 1, b"1"))
    talk.lose("server", 40)
    talk.server(NO % (b"404 Not Found", 3, b"333"))
    talk.close()
    answers = [one.answer for one in verdicts(talk.tape, "ending")]
    assert answers == ["whole", "whole", "unknowable"]


def test_faults_alone_are_no_exchange() -> None:
    """What a client says to a server that has closed, and nobody understands."""
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    talk.server(NO % (b"200 OK", 1, b"1"))
    talk.fin("server")
    talk.client(b"more from the client")
    talk.fin("client")
    [explained] = explain(talk.tape.records())
    assert explained.exchange.key.exchange == 0


@pytest.mark.parametrize(
    ("said", "first"),
    [(b"-ERR unknown command 'GET'\r\n", "protocol-mismatch"), (b"", "app-exception")],
    ids=["another protocol", "nothing"],
)
def test_a_server_that_speaks_no_http(said: bytes, first: str) -> None:
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    if said:
        talk.server(said)
    talk.close()
    [found] = verdicts(talk.tape, "ending")
    assert (found.answer, causes(found)[0]) == ("cut", first)


def test_a_fin_alone_leaves_it_open_whether_a_plain_body_was_cut() -> None:
    found = ending(closed(smooth(2, fields=EVENT_STREAM)))
    assert (found.answer, found.numbers["whole"]) == ("unknowable", "unknown")
    assert found.summary.startswith("nothing but the FIN by the server")
