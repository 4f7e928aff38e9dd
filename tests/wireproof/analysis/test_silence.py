"""Silence before an end: which ends, of what, how long, and what is none."""

from __future__ import annotations

from io import StringIO

import pytest
from support.talk import Talk
from support.timed import (
    CHUNKED,
    EVENT_STREAM,
    HANDSHAKE,
    LAST_CHUNK,
    Handmade,
    Socket,
    Stream,
    TimedTape,
    event,
)
from support.websocket_frames import KEY, frame

from wireproof.analysis.packet_comments import PacketComments
from wireproof.analysis.summary import Summary
from wireproof.testing import WireFailure
from wireproof.views.connection import ConnectionTable
from wireproof.views.devtools import DevToolsView

CLOSING = EVENT_STREAM + b"Connection: close\r\n"


def cut(
    *, by: str = "server", after: float = 60.0, fields: bytes = EVENT_STREAM + CHUNKED
) -> Stream:
    """Two events, silence, and then whoever it is closes without an end."""
    stream = Stream(fields=fields)
    for number in (1, 2):
        stream.tape.wait(0.5)
        piece = event(number)
        stream.talk.server(b"%x\r\n%s\r\n" % (len(piece), piece) if CHUNKED in fields else piece)
    stream.tape.wait(after)
    if by.startswith("reset"):
        stream.talk.reset("client" if by.endswith("client") else "server")
        return stream
    other = "client" if by == "server" else "server"
    stream.talk.fin(by)
    stream.talk.ack(other)
    stream.talk.fin(other)
    stream.talk.ack(by)
    return stream


def views(stream: Stream) -> dict[str, str]:
    """What each view says of a connection."""
    records = stream.tape.records()
    table, comments, summary = ConnectionTable(0, 120), PacketComments(), Summary()
    lines = [line for record in records for line in table.add(record)]
    text = StringIO()
    devtools = DevToolsView(text, None)
    devtools.write(records)
    devtools.close()
    for record in records:
        summary.add(record)
    return {
        "table": "\n".join("".join(text for text, _ in line) for line in lines),
        "devtools": text.getvalue(),
        "comments": "\n".join(
            f"{one.packet}: {one.text}" for record in records for one in comments.add(record)
        ),
        "summary": "\n".join(summary.lines()),
    }


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (cut(), "60.0 s of silence, then FIN by the server (packet 8)"),
        (cut(by="client"), "60.0 s of silence, then FIN by the client (packet 8)"),
        (cut(by="reset by client"), "60.0 s of silence, then RST by the client (packet 8)"),
        (cut(by="reset by server"), "60.0 s of silence, then RST by the server (packet 8)"),
        (cut(fields=CLOSING), "60.0 s of silence, then FIN by the server (packet 8)"),
        (
            cut(fields=EVENT_STREAM + b"Content-Length: 999\r\n"),
            "60.0 s of silence, then FIN by the server (packet 8)",
        ),
    ],
    ids=["server", "client", "reset by client", "reset by server", "closing", "length"],
)
def test_silence_up_to_the_end_is_a_gap(stream: Stream, said: str) -> None:
    for name, text in views(stream).items():
        assert said in text, name
        assert text.count("of silence") == 1, name
    stream.exchange.assert_no_gap_longer_than(61)
    with pytest.raises(
        WireFailure, match=r"the end came after 60.0 s of silence \(packets 7 to 8: "
    ):
        stream.exchange.assert_no_gap_longer_than(10)


def test_the_comment_stands_at_the_packet_that_ends_it() -> None:
    assert "8: 60.0 s of silence, then FIN by the server (packet 8)" in views(cut())["comments"]


def unanswered() -> Stream:
    stream = Socket.__new__(Socket)
    stream.tape = TimedTape()
    stream.talk = Talk(stream.tape).open()
    stream.talk.client(HANDSHAKE)
    stream.tape.wait(30)
    stream.talk.fin("client")
    return stream


def left_without_close() -> Stream:
    stream = Socket()
    stream.talk.server(frame(1, b"hello"))
    stream.tape.wait(30)
    stream.talk.fin("server")
    return stream


@pytest.mark.parametrize(
    "stream", [unanswered(), left_without_close()], ids=["no answer", "socket"]
)
def test_what_waits_in_vain_is_silent_too(stream: Stream) -> None:
    assert "30.0 s of silence, then FIN by the " in views(stream)["table"]


def test_keep_alives_are_signs_of_life_when_they_count() -> None:
    stream = Stream().events(2, every=0.5)
    for _ in range(6):
        stream.chunks([b": ping\n\n"], every=10)
    stream.tape.wait(10)
    stream.talk.close()
    stream.exchange.assert_no_gap_longer_than(15, keep_alives=True)
    with pytest.raises(WireFailure, match="70.0 s of silence") as failed:
        stream.exchange.assert_no_gap_longer_than(15)
    assert "meanwhile 6 keep-alives came" in str(failed.value)


# --- what is none ---


def idle_after(fields: bytes, *pieces: bytes, request: bytes = b"") -> Stream:
    """A whole response, and then a connection that is kept alive."""
    stream = Stream(fields=fields, request=request)
    stream.talk.server(*pieces) if pieces else None
    stream.tape.wait(300)
    stream.talk.close()
    return stream


def closed_socket() -> Stream:
    stream = Socket()
    stream.talk.server(frame(1, b"hello"), frame(8, b"\x03\xe8"))
    stream.talk.client(frame(8, b"\x03\xe8", key=KEY))
    stream.tape.wait(300)
    stream.talk.close()
    return stream


@pytest.mark.parametrize(
    "stream",
    [
        idle_after(EVENT_STREAM + CHUNKED, b"9\r\ndata: 1\n\n\r\n", LAST_CHUNK),
        idle_after(EVENT_STREAM + b"Content-Length: 9\r\n", b"data: 1\n\n"),
        idle_after(b"Content-Length: 0\r\n"),
        closed_socket(),
        cut(after=0.5),
    ],
    ids=["chunked", "length", "empty", "closed", "short"],
)
def test_a_connection_that_idles_after_a_whole_response_is_not_silent(stream: Stream) -> None:
    for name, text in views(stream).items():
        assert "silence" not in text, name
    if stream.exchange.elements:
        stream.exchange.assert_no_gap_longer_than(10)


def test_an_earlier_exchange_does_not_wait_for_the_end() -> None:
    stream = Stream(fields=EVENT_STREAM + CHUNKED)
    stream.talk.server(b"9\r\ndata: 1\n\n\r\n", LAST_CHUNK)
    stream.talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    stream.talk.server(b"HTTP/1.1 200 OK\r\n%s%s\r\n" % (EVENT_STREAM, CHUNKED))
    stream.talk.server(b"9\r\ndata: 1\n\n\r\n")
    stream.tape.wait(60)
    stream.talk.close()
    first, second = Handmade(stream.tape).exchanges()
    first.assert_no_gap_longer_than(1)
    with pytest.raises(WireFailure, match="60.0 s of silence"):
        second.assert_no_gap_longer_than(1)


def test_what_goes_on_is_silent_up_to_the_last_packet() -> None:
    stream = Stream().events(2, every=0.5)
    stream.tape.wait(20)
    stream.talk.ack("client")
    assert "20.0 s of silence up to the last packet of the connection (8)" in views(stream)["table"]


def test_a_client_that_only_stopped_sending_waits_for_the_server() -> None:
    stream = Stream()
    stream.talk.fin("client")
    stream.tape.wait(0.5)
    stream.talk.server(b"9\r\ndata: 1\n\n\r\n")
    stream.tape.wait(60)
    stream.talk.fin("server")
    said = "60.0 s of silence, then FIN by the server (packet 8)"
    assert said in views(stream)["table"]
    with pytest.raises(WireFailure, match="60.0 s of silence"):
        stream.exchange.assert_no_gap_longer_than(10)
