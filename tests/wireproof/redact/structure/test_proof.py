"""The second pass: every word in a copy is on a list."""

from __future__ import annotations

from tempfile import TemporaryFile

import pytest
from support.attack import chunk, request, response
from support.frames import ipv4, udp
from support.http2 import EVENTS, GET, Http2Talk, data
from support.talk import Talk, Tape
from support.websocket_frames import KEY, frame

from wireproof.redact.structure import proof as structure_proof
from wireproof.redact.structure.proof import StructureProof, allowed, has_content

SWITCH = (
    *("Connection: Upgrade", "Upgrade: websocket"),
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def found_in(tape: Tape, opaque: range = range(0)) -> list[str]:
    proof = StructureProof(opaque)
    with TemporaryFile() as file:
        file.write(tape.file())
        file.seek(0)
        proof.search(file)
    return [one.where for one in proof.left]


@pytest.mark.parametrize(
    "text, is_left",
    [
        (b'data: {"choices": [{"index": 0}]}', False),
        (b"secret", True),
        (b"1a\r\ndata: **\r\n", False),
        (b"ices: **", False),
        (b"** ices **", True),
        (b"99999999999 1234567", False),
        (b"max-age=31536000, 12345678901", True),
        (b"max-age=31536000 4294967295 99999999999999", False),
        (b"\xef\xbb\xbfdata: **\n", False),
        (b"\xbb\xbfdata: **\n", False),
        (b"\xbb", False),
        (b"\r\n\r\n\xef\xbb", False),
        (b"\xef\xbb\xbfsecret", True),
        (b"\xc3\xa4\xc3\xb6", True),
        (b"**: ices\r", False),
        (b"\nices: **", False),
        (b"IHNhbXBsZSBu", False),
        (b"K+xOo=\r", False),
        (b"Accept: s3pPLMBiTxaQ9kYGzzhZRb", False),
        (b"Accept: s3pPLMBiTxaQ9kYGzzhZRb x", True),
        (b"** IHNhbXBsZSBu **", True),
        (b'0:"**"\nd:{"finishReason":"stop"}\n', False),
        (b'**\nl:"**"', True),
        (b"**\nd: **\n", True),
        (b"\r\n3e8;*******\r\n**", False),
        (b"\n3e8\r\n**", False),
        (b"\r\n0000000003e8;**\r\n**", False),
        (b"\r\n3e8;secret\r\n**", True),
        (b"\r\n3e8", True),
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", False),
    ],
)
def test_words_of_a_text(text: bytes, is_left: bool) -> None:
    assert has_content(text) == is_left


def test_no_word_is_on_the_list_by_mistake() -> None:
    assert not {b"secret", b"password"} & allowed()


def test_content_in_records_and_frames() -> None:
    talk = Talk().open()
    talk.client(request("/secret"))
    talk.server(response("200 OK", "Transfer-Encoding: chunked"), chunk(b"secret"), chunk(b""))
    talk.close()
    assert found_in(talk.tape) == ["frame", "frame", "request", "chunk"]
    assert found_in(talk.tape, range(100)) == ["request", "chunk"]


CUT = b"data: **\n\n"
BODY = chunk(CUT) + b"01aBc\r\n" + b"*" * 0x1ABC + b"\r\n" + chunk(b"")
SIZE_AT = len(chunk(CUT))


def answered(*parts: bytes) -> Talk:
    talk = Talk().open()
    talk.client(request("/").replace(b"victim.example", b"**************"))
    talk.server(response("200 OK", "Transfer-Encoding: chunked"))
    for part in filter(None, parts):
        talk.server(part)
    return talk


@pytest.mark.parametrize("second", range(9))
@pytest.mark.parametrize("first", range(9))
def test_a_size_that_segments_cut(first: int, second: int) -> None:
    start, end = SIZE_AT - 2 + first, SIZE_AT - 1 + first + second
    talk = answered(BODY[:start], BODY[start:end], BODY[end : end + 1000], BODY[end + 1000 :])
    for packet in talk.tape.packets[-4:-1]:  # they come again
        talk.tape.add(packet[4])
    assert not found_in(talk.tape)


@pytest.mark.parametrize(
    "text", (b"**\r\nbeef", b"**\r\nbeef\r", b"beef", b"1abc beef", b"1abc;beef")
)
def test_what_only_looks_like_a_size(text: bytes) -> None:
    talk = answered(BODY[:100], BODY[100:])
    talk.server(text)
    assert "frame" in found_in(talk.tape)


def test_a_size_that_came_again_later() -> None:
    """The first chunk of this size comes to its end after others of it."""
    first, second = Talk().open(), Talk(client_port=40_001)
    second.tape = first.tape
    second.open()
    size, rest = BODY[SIZE_AT : SIZE_AT + 6], BODY[SIZE_AT + 6 :]
    for talk in (first, second):
        talk.client(request("/").replace(b"victim.example", b"**************"))
        talk.server(response("200 OK", "Transfer-Encoding: chunked"))
    first.server(size)
    second.server(size + rest[:500], rest[500:])
    first.server(rest)
    assert not found_in(first.tape)


def test_sizes_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = BODY[: SIZE_AT + 5], BODY[SIZE_AT + 5 :]
    for limit in ("MAX_CUT", "MAX_SIZES"):
        with monkeypatch.context() as patch:
            patch.setattr(structure_proof, limit, 0)
            assert set(found_in(answered(*parts).tape)) == {"frame"}
    assert not found_in(answered(*parts).tape)


def test_content_in_frames_that_are_masked() -> None:
    talk = Talk().open()
    talk.client(request("/ws", *SWITCH).replace(b"Host: example", b"Host: *******"))
    accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    talk.server(response("101 Switching Protocols", *SWITCH[:2], accept))
    talk.client(frame(1, b"secret", key=KEY), frame(9, b"secret", key=KEY))
    assert set(found_in(talk.tape, range(100))) >= {"websocket_message", "websocket_frame"}


def test_content_in_http2() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, [*GET, ("x-note", "secret")], ends=True))
    talk.say("server", talk.server.head(1, EVENTS) + data(1, b"data: secret\n\n", ends=True))
    talk.talk.close()
    assert set(found_in(talk.talk.tape, range(100))) == {"request", "http2_data"}


def test_content_in_a_datagram() -> None:
    tape = Tape()
    tape.add(ipv4(udp(5000, 5001, b"secret"), 17))
    assert found_in(tape) == ["frame"]
