"""The line of an exchange, made of what is known of it."""

from __future__ import annotations

import pytest
from support.outcomes import HELD, SLOW, STREAMED, WHOLE
from support.talk import Talk
from support.timed import EVENT_STREAM, Socket, Stream

from wireproof.analysis.judges import Explained, explain
from wireproof.analysis.listing import Listed, element_name, listed, longest_gap
from wireproof.analysis.verdict import Verdict


def only(stream: Stream) -> Explained:
    [explained] = explain(stream.tape.records())
    return explained


def test_a_line_says_who_asked_for_what_and_when_it_came() -> None:
    line = listed(only(Stream("/chat?x", thinking=0.5).events(3, every=0.25).end()))
    assert (line.number, line.connection, line.exchange) == (0, 0, 0)
    assert (line.client, line.server) == ("127.0.0.1:40000", "127.0.0.1:8000")
    assert (line.method, line.target, line.status) == ("GET", "/chat?x", 200)
    assert (line.transport, line.count, line.element) == ("sse", 3, "event")
    assert line.first == pytest.approx(0.75, abs=0.01)
    assert line.last == pytest.approx(1.25, abs=0.01)
    assert line.longest_gap == pytest.approx(0.5, abs=0.01)


def test_an_exchange_of_which_nothing_came_has_a_line() -> None:
    talk = Talk().open()
    talk.client(b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    [explained] = explain(talk.tape.records())
    line = listed(explained)
    assert (line.status, line.first, line.last, line.count) == (None, None, None, 0)
    assert len(line.target or "") == 2_048


def test_an_exchange_without_a_request_has_a_line() -> None:
    talk = Talk().midstream()
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    [explained] = explain(talk.tape.records())
    line = listed(explained)
    assert (line.method, line.target, line.status) == (None, None, 200)
    assert line.first is not None
    assert line.first >= 0


@pytest.mark.parametrize(
    ("fields", "pieces", "name"),
    [
        (b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n", [b"a"], "chunk"),
        (
            b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n",
            [b"{}\n"],
            "JSON value",
        ),
        (EVENT_STREAM + b"Transfer-Encoding: chunked\r\n", [b"data: a\n\n"], "event"),
    ],
)
def test_elements_have_names(fields: bytes, pieces: list[bytes], name: str) -> None:
    explained = only(Stream(fields=fields).chunks(pieces, every=0.1).end())
    assert element_name(explained.trace) == name
    assert listed(explained).count == 1


def test_a_websockets_elements_are_messages() -> None:
    socket = Socket()
    socket.talk.server(b"\x81\x02hi")
    socket.talk.close()
    [explained] = explain(socket.tape.records())
    assert (listed(explained).element, listed(explained).count) == ("message", 1)


def test_silence_before_the_end_is_a_gap() -> None:
    stream = Stream().events(2, every=0.1)
    stream.tape.wait(7.0)
    stream.talk.fin("server")
    assert longest_gap(only(stream).trace) == pytest.approx(7.0, abs=0.01)


def line(*verdicts: Verdict) -> Listed:
    explained = only(Stream().events(2, every=0.1).end())
    return listed(explained._replace(verdicts=list(verdicts)))


LOSS = Verdict("gap", "retransmission", "warning", "lost")
CLOSED = Verdict("websocket", "ws-1006", "error", "no Close frame")


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        ([], ("", "", "ok")),
        ([STREAMED, WHOLE], ("streamed", "whole", "ok")),
        ([HELD, WHOLE, LOSS], ("held", "whole", "error")),
        ([STREAMED, WHOLE, LOSS], ("retransmission", "whole", "warning")),
        ([STREAMED, WHOLE, SLOW], ("streamed", "whole", "note")),
        ([STREAMED, CLOSED], ("streamed", "ws-1006", "error")),
    ],
)
def test_a_line_has_a_word_for_the_stream_and_one_for_its_end(
    verdicts: list[Verdict], words: tuple[str, str, str]
) -> None:
    found = line(*verdicts)
    assert (found.verdict, found.end, found.severity) == words
