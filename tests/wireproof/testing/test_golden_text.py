"""An exchange as text: what differs from run to run is not in it."""

from __future__ import annotations

from support.timed import CHUNKED, EVENT_STREAM, Socket, Stream, event
from support.websocket_frames import frame

from wireproof.testing.exchange import Exchange
from wireproof.testing.golden import read, text
from wireproof.testing.golden_text import LONGEST_SHOWN, Section, Writer


def recorded(*pieces: bytes, fields: bytes = EVENT_STREAM + CHUNKED) -> Stream:
    return Stream("/chat", fields=fields).chunks(pieces, every=0.05).end()


def section(name: Section, exchange: Exchange) -> list[str]:
    return list(Writer({}).write(exchange).sections[name])


def test_what_differs_from_run_to_run_is_left_out_or_replaced() -> None:
    stream = recorded(
        b'data: {"id":"chatcmpl-A1b2","created":1790000000,"at":"2026-11-25T17:46:01.5Z"}\n\n',
        b"data: 123e4567-e89b-12d3-a456-426614174000 at http://localhost:8123/x\n\n",
        fields=EVENT_STREAM + CHUNKED + b"Date: Sun, 22 Nov 2026 19:55:26 GMT\r\n",
    )
    sections = Writer({r"chatcmpl-\w+": "<id>"}).write(stream.exchange).sections
    assert list(sections["content"]) == [
        'data: {"id":"<id>","created":<time>,"at":"<date>"}',
        "data: <uuid> at http://localhost:<port>/x",
    ]
    assert "> host: 127.0.0.1:<port>" in sections["framing"]
    assert not any("19:55" in line for line in sections["framing"])


def test_a_pings_number_does_not_count() -> None:
    one = recorded(event(1), *[b": ping 2026-11-25 17:46:01\n\n"] * 2)
    other = recorded(event(1), *[b": ping 2026-11-25 18:00:00\n\n"] * 5)
    assert section("content", one.exchange) == section("content", other.exchange)
    assert section("content", one.exchange) == [
        "id: 1  data: token 1",
        ": ping <n>-<n>-<n> <n>:<n>:<n>",
    ]


def test_what_the_wire_holds_stays_in_its_line() -> None:
    hostile = b"data: \x1b[31m\ndata: == GET /x\ndata: [timing]\n\n"
    stream = recorded(hostile, b"data: " + b"x" * 4 * LONGEST_SHOWN + b"\n\n")
    written = [Writer({}).write(stream.exchange)]
    assert read(text(written)) == written
    assert "\x1b" not in text(written)
    assert "2,006 characters, sha256 " in text(written)


def test_framing_tells_how_events_and_chunks_lie_in_each_other() -> None:
    whole = event(1) + event(2)
    framing = section("framing", recorded(whole[:10], whole[10:], event(3)).exchange)
    assert framing[framing.index("each event in a chunk of its own, but:") :][1:3] == [
        "event 0 lies in several chunks",
        "event 1 begins in the chunk of event 0",
    ]


def test_line_ends_are_counted_by_their_kind() -> None:
    mixed = recorded(event(1), event(2, end=b"\r\n"), event(3, end=b"\r"))
    assert "lines end with CRLF and LF and CR" in section("framing", mixed.exchange)
    coded = recorded(event(1), fields=EVENT_STREAM + CHUNKED + b"Content-Encoding: br\r\n")
    assert not [line for line in section("framing", coded.exchange) if line.startswith("lines end")]


def test_extensions_and_trailers_are_framing() -> None:
    stream = Stream(fields=CHUNKED + b"Trailer: Digest\r\n")
    stream.talk.server(b"2;q=1\r\nhi\r\n", b"0\r\nDigest: abc\r\n\r\n")
    framing = section("framing", stream.exchange)
    assert "chunk of 2 bytes, extension ;q=1" in framing
    assert "chunk of 0 bytes, trailer Digest: abc" in framing


def test_what_is_no_text_is_told_by_its_digest() -> None:
    binary = recorded(bytes(range(200, 256)), fields=CHUNKED)
    (line,) = section("content", binary.exchange)
    assert line.startswith("56 bytes, sha256 ")
    known = Stream(fields=b"Content-Length: 2\r\n")
    known.talk.server(b"hi")
    (line,) = section("content", known.exchange)
    assert line.startswith("2 bytes, sha256 8f434346")


def test_a_messages_fragments_and_its_compression_are_framing() -> None:
    socket = Socket()
    socket.talk.server(frame(1, b"in ", fin=False), frame(0, b"two"))
    assert "message 0 in 2 frames" in section("framing", socket.exchange)
    assert section("content", socket.exchange) == ["server: text in two"]


def test_without_an_answer_there_is_little_to_tell() -> None:
    socket = Socket()
    socket.tape.packets.pop()
    sections = Writer({}).write(socket.exchange).sections
    assert sections["framing"][0] == "> HTTP/1.1"
    assert sections["content"] == sections["timing"] == []
