"""What content is coded with though nothing says so; and what of it is left as it is."""

from __future__ import annotations

import gzip
import zlib
from base64 import b64encode

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from support.attack import chunk, request, response
from support.talk import Talk, decoded
from support.websocket_frames import KEY as MASKING_KEY
from support.websocket_frames import frame

from parsers.files.packets import Packet
from parsers.records import (
    ChunkRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)
from wireproof.redact import Redactor
from wireproof.redact.frames import FrameMasks
from wireproof.redact.undeclared import Base64Text, Beginning, begins_as, is_base64, text_begins_as

KEY = b"sk-proj-abcdefghijklmnop"
CODERS = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "deflate": lambda content: zlib.compress(content, 9),
}


def masked(packets: list[Packet]) -> list[bytes]:
    masks = FrameMasks("all")
    for packet in packets:
        masks.add([packet])
    masks.end()
    return [masks.masked(packet) for packet in packets]


def body(content: bytes, *, size: int, kind: str = "application/json") -> list[Packet]:
    """A chunked response of that content, in chunks of that size, each its own packet."""
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(response("200 OK", f"Content-Type: {kind}", "Transfer-Encoding: chunked"))
    talk.server(*(chunk(content[at : at + size]) for at in range(0, len(content), size)))
    talk.server(chunk(b""))
    talk.close()
    return talk.tape.packets


@pytest.mark.parametrize("cut", range(5))
@pytest.mark.parametrize("coding", CODERS)
def test_it_is_told_by_its_first_bytes(coding: str, cut: int) -> None:
    content = CODERS[coding](KEY)
    beginning = Beginning()
    for piece in (content[:cut], content[cut:]):
        assert not beginning.is_over or beginning.coding == coding
        beginning.look(piece)
    assert (beginning.coding, beginning.is_over) == (coding, True)
    assert begins_as(content) == text_begins_as(content.decode(errors="replace")) == coding


@pytest.mark.parametrize("content", [b"text", b"(text", b"xyz", b"\x1f\x8b\x00", b"\x28\xb5\x2f."])
def test_other_content_is_told_from_it(content: bytes) -> None:
    beginning = Beginning()
    for byte in content:
        beginning.look(bytes((byte,)))
    assert (beginning.coding, beginning.is_over) == (None, True)
    assert begins_as(content) is None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
@pytest.mark.parametrize("coding", CODERS)
def test_only_what_holds_a_secret_is_masked(coding: str, size: int) -> None:
    harmless = body(CODERS[coding](b"nothing to hide, " * 5), size=size)
    assert masked(harmless) == [packet[4] for packet in harmless]
    content = CODERS[coding](b'{"key": "%b"}' % KEY)
    found = b"".join(frame[54:] for frame in masked(body(content, size=size)))
    assert found.count(b"*") == len(content)


@pytest.mark.parametrize("magic", [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x78\x9c"])
def test_what_begins_so_and_cannot_be_read_is_masked(magic: bytes) -> None:
    content = magic + b" is no coding, but " + KEY
    packets = body(content, size=4, kind="application/octet-stream")
    assert b"".join(masked(packets)).count(b"*") == len(content)


@pytest.mark.parametrize("content", [b"", b"\x1f", b"\x1f\x8b", b"(\xb5/"])
def test_content_that_ends_before_it_is_known(content: bytes) -> None:
    packets = body(content, size=1) if content else body(b"x", size=1)
    assert masked(packets) == [packet[4] for packet in packets]


def test_a_capture_that_ends_before_it_is_known() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(response("200 OK", "Content-Length: 99") + b"\x1f")
    assert masked(talk.tape.packets) == [packet[4] for packet in talk.tape.packets]


@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
def test_records(size: int) -> None:
    """Chunks are left out once it is known; of events, whose bytes were replaced, nothing stays."""
    content = gzip.compress(b"data: %b\n\n" % KEY, mtime=0) + b"\n\n"
    redactor = Redactor("all")
    records = decoded(body(content, size=size, kind="text/event-stream"))
    found = [redactor.redact(record) for record in records]
    chunks = [record for record in found if isinstance(record, ChunkRecord) and record.size]
    assert sum(one.size for one in chunks if one.data is not None) < 3
    events = [record for record in found if isinstance(record, SseEventRecord)]
    assert events
    for event in events:
        assert set(event.id) <= {"*"} and set(event.data or "") <= {"*"}
        assert all(set(name + value) <= {"*"} for name, value in event.fields or ())


def message(content: bytes, *, fragments: int, cut: int, sender: str) -> list[Packet]:
    """A message on a WebSocket, in fragments, of whose last one ``cut`` bytes are missing."""
    talk = Talk().open()
    switch = ("Upgrade: websocket", "Connection: Upgrade")
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    talk.client(request("/ws", *switch, "Sec-WebSocket-Version: 13", key))
    accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    talk.server(response("101 Switching Protocols", *switch, accept))
    size = -(-len(content) // fragments)
    send = talk.client if sender == "client" else talk.server
    for number in range(fragments):
        is_last = number == fragments - 1
        piece = content[number * size : (number + 1) * size]
        whole = frame(
            0 if number else 2, piece, fin=is_last, key=MASKING_KEY if sender == "client" else None
        )
        send(whole[: len(whole) - cut * is_last])
    if not cut:
        send(frame(1, b"and text", key=MASKING_KEY if sender == "client" else None))
    talk.close()
    return talk.tape.packets


@pytest.mark.parametrize("sender", ["client", "server"])
@pytest.mark.parametrize("cut", [0, 3])
@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("coding", CODERS)
def test_messages_that_an_application_has_compressed(
    coding: str, fragments: int, cut: int, sender: str
) -> None:
    content = CODERS[coding](b'{"key": "%b"}' % KEY)
    packets = message(content, fragments=fragments, cut=cut, sender=sender)
    masks = FrameMasks("all")
    masks.add(packets)
    masks.end()
    found = [(*packet[:4], masks.masked(packet)) for packet in packets]
    frames = [one for one in decoded(found) if isinstance(one, WebSocketFrameRecord)]
    shown = "".join(one.data or "" for one in frames if one.opcode != 1)
    whole = fragments if not cut else fragments - 1
    assert len(shown) >= len(content) // fragments * whole and set(shown) <= {"*"}
    assert "and text" in [one.data for one in frames] or cut
    taken = b"".join(frame[54:] for *_, frame in found)
    assert content[8:20] not in taken
    redactor = Redactor("all")
    records = [redactor.redact(record) for record in decoded(packets)]
    for record in records:
        if isinstance(record, WebSocketFrameRecord | WebSocketMessageRecord):
            assert record.data in (None, "and text")


@pytest.mark.parametrize("coding", CODERS)
def test_such_messages_without_a_secret_are_left(coding: str) -> None:
    content = CODERS[coding](b"nothing to hide, " * 5)
    packets = message(content, fragments=2, cut=0, sender="client")
    assert masked(packets) == [packet[4] for packet in packets]


@given(st.lists(st.binary(max_size=9), max_size=6), st.integers(1, 7))
def test_base64_in_pieces(pieces: list[bytes], size: int) -> None:
    text = b"".join(map(b64encode, pieces))
    base64 = Base64Text()
    found = b"".join(base64.receive(text[at : at + size]) for at in range(0, len(text), size))
    assert found == b"".join(pieces)
    assert not base64.is_wrong


@pytest.mark.parametrize("text", [b"abc!", b"====", b"ab=c", b"a===", b"abcd\r\n.."])
def test_what_is_no_base64(text: bytes) -> None:
    base64 = Base64Text()
    base64.receive(text)
    assert base64.is_wrong


def test_whose_type_says_base64() -> None:
    assert is_base64([["X", "y"], ["content-TYPE", " application/grpc-web-text+proto"]])
    assert not is_base64([["Content-Type", "application/grpc-web+proto"], ["X", "grpc-web-text"]])
