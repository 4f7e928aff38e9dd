"""Payloads under a coding: left alone, or masked whole if anything in them is secret."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard
from support.attack import chunk, request, response
from support.talk import Talk, decoded
from support.websocket_frames import KEY as MASKING_KEY
from support.websocket_frames import Compressor, frame

from parsers import Memory
from parsers.files.packets import Packet
from wireproof.redact import coded
from wireproof.redact.coded import names_coding
from wireproof.redact.frames import FrameMasks

KEY = b"sk-proj-abcdefghijklmnop"
CODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


def masked(packets: list[Packet], batch: int = 1) -> list[Packet]:
    masks = FrameMasks("all")
    for start in range(0, len(packets), batch):
        masks.add(packets[start : start + batch])
    masks.end()
    return [(*packet[:4], masks.masked(packet)) for packet in packets]


def body(coding: str, content: bytes, pieces: int = 3, whole: bool = True) -> list[Packet]:
    """A chunked body with a coding, in several chunks, each its own packet."""
    data = CODERS[coding](content)
    size = -(-len(data) // pieces)
    talk = Talk().open()
    talk.client(request("/"))
    fields = (f"Content-Encoding: {coding}", "Transfer-Encoding: chunked")
    talk.server(response("200 OK", *fields))
    talk.server(*(chunk(data[at : at + size]) for at in range(0, len(data), size)))
    if whole:
        talk.server(chunk(b""))
    talk.close()
    return talk.tape.packets


@pytest.mark.parametrize("batch", [1, 100])
@pytest.mark.parametrize("coding", CODERS)
def test_a_body_is_masked_if_it_has_a_secret(coding: str, batch: int) -> None:
    open_body = body(coding, b"nothing to hide here, " * 9)
    assert masked(open_body, batch) == open_body
    secret = body(coding, b"x " * 90 + KEY + b" and more" * 20)
    changed = [n for n, *_, data in masked(secret, batch) if data != secret[n - 1][4]]
    assert changed == [6, 7, 8]  # every chunk, those before the secret was seen too


@pytest.mark.parametrize("coding", CODERS)
def test_a_body_that_is_cut(coding: str) -> None:
    """What zlib gives of it is all that there is; of others it may be less."""
    packets = body(coding, bytes(range(256)) * 9, whole=False)
    assert (masked(packets) == packets) == (coding in ("gzip", "deflate"))


@pytest.mark.parametrize("content", [b"no gzip at all", gzip.compress(b"x", mtime=0) + b"trailing"])
def test_what_cannot_be_read_is_masked(content: bytes) -> None:
    talk = Talk().open()
    talk.client(request("/"))
    fields = ("Content-Encoding: gzip", f"Content-Length: {len(content)}")
    talk.server(response("200 OK", *fields) + content)
    talk.close()
    assert b"".join(packet[4] for packet in masked(talk.tape.packets)).count(b"*" * len(content))


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coded, "MAX_WAITING", 5)
    packets = body("gzip", b"nothing to hide here, " * 9, pieces=9)
    assert masked(packets) != packets


def sides(*texts: bytes, cut: bool = False) -> list[Packet]:
    """A WebSocket whose server sends texts under one window, the client one by itself."""
    talk = Talk().open()
    switch = ("Upgrade: websocket", "Connection: Upgrade")
    extension = "Sec-WebSocket-Extensions: permessage-deflate"
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    talk.client(request("/ws", *switch, "Sec-WebSocket-Version: 13", key, extension))
    accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    talk.server(response("101 Switching Protocols", *switch, accept, extension))
    compress = Compressor()
    for text in texts:
        talk.server(frame(1, compress(text), rsv=4))
    talk.client(frame(1, Compressor()(b"from the client, open"), rsv=4, key=MASKING_KEY))
    if cut:
        talk.server(frame(1, compress(b"begun and not ended"), rsv=4, fin=False))
    talk.close()
    return talk.tape.packets


def messages(packets: list[Packet]) -> list[str | None]:
    return [r.data for r in decoded(packets) if r.record == "websocket_message"]


def test_messages_are_masked_if_one_of_their_side_has_a_secret() -> None:
    packets = sides(b"first", b"second")
    assert masked(packets) == packets
    told = [b"first", b"key " + KEY, b"key of before: " + KEY[:9] + b" and more"]
    found = messages(masked(sides(*told)))
    assert found[-1] == "from the client, open"
    assert {text.strip("*") for text in found[:-1] if text} == {""}
    assert len(found) == 4


def test_a_message_without_an_end_is_masked() -> None:
    packets = sides(b"first", cut=True)
    changed = [n for n, *_, data in masked(packets) if data != packets[n - 1][4]]
    assert len(changed) == 1 and messages(masked(packets))[0] == "first"


def test_a_segment_that_comes_again_before_it_is_known() -> None:
    packets = body("gzip", b"x " * 90 + KEY)
    again = [*packets[:7], packets[5], packets[6], *packets[7:]]
    numbered = [(n, *packet[1:]) for n, packet in enumerate(again, 1)]
    found = masked(numbered)
    assert found[5][4] == found[7][4] != packets[5][4]


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",  # 1.0 has no chunks
        response("200 OK", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip"),
        response("200 OK", "Content-Encoding: gzip", "Content-Length: 7, 8"),
        request("/", "Transfer-Encoding: gzip", method="POST"),  # without an end
        request("/", "Content-Encoding: gzip", "Content-Length: 7", "Content-Length: 8"),
    ],
)
@pytest.mark.parametrize("is_chunked", [False, True])
def test_what_the_decoder_leaves_as_it_is_may_be_coded(head: bytes, is_chunked: bool) -> None:
    data = gzip.compress(KEY + b" and more" * 20)
    data = chunk(data) if is_chunked else data
    talk = Talk().open()
    if head.startswith(b"HTTP"):
        talk.client(request("/"))
        talk.server(head + data[:20], data[20:])
    else:
        talk.client(head + data[:20], data[20:])
        talk.server(response("400 Bad Request"))
    talk.close()
    found = b"".join(packet[4] for packet in masked(talk.tape.packets))
    assert head in found and data[20:40] not in found and data[4:20] not in found


def test_what_names_a_coding() -> None:
    assert names_coding([("content-encoding", "identity, br")])
    assert names_coding([("Content-Encoding", ""), ("Transfer-Encoding", "chunked, gzip")])
    plain = [("Content-Encoding", "identity"), ("Transfer-Encoding", "Identity, Chunked")]
    assert not names_coding([*plain, ("Accept-Encoding", "gzip"), ("Content-Encoding", " ,")])


def test_what_is_too_much_of_all_bodies_together_is_masked_whole() -> None:
    """As the decoder does not unfold it, nobody has read it: nothing of it is kept."""
    bomb, memory = gzip.compress(bytes(1 << 20), mtime=0), Memory()
    bodies = [coded.CodedBody(["gzip"], memory=memory) for _ in range(100)]
    masked = [body.receive(bomb, 0) + body.end(is_complete=True) for body in bodies]
    assert masked == [[]] * 80 + [[coded.Piece(0, len(bomb))]] * 20
    text = gzip.compress(b"nothing to hide here, " * 9, mtime=0)
    usual = coded.CodedBody(["gzip"], memory=memory)
    assert usual.receive(text, 0) + usual.end(is_complete=True) == []


@pytest.mark.parametrize("before", [0, 1, 16_383, 16_384, 50_000])
@pytest.mark.parametrize("byte", [b"a", b" ", b'"', b"\\", b"\0"])
def test_a_secret_beside_what_a_bomb_repeats_is_seen(before: int, byte: bytes) -> None:
    """However long the same byte is repeated before and after, in two bodies that differ in it."""
    for filling in (70_000, 900_000):
        text = byte * before + b" password=hunter2hunter2 " + byte * filling
        body = coded.CodedBody(["gzip"])
        found = body.receive(gzip.compress(text), 0)
        found += body.end(is_complete=True)
        assert found
        body = coded.CodedBody(["gzip"])
        assert body.receive(gzip.compress(byte * before + byte * filling), 0) == []
        assert body.end(is_complete=True) == []
