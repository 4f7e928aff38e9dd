"""Each byte of a stream is handed on once, in order, as what it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.attack import chunk, request, response
from support.talk import Talk
from support.websocket_frames import KEY, frame

from parsers.records import BodyRecord, RequestRecord, ResponseRecord, WebSocketFrameRecord
from wireproof.bytes import dissection as module
from wireproof.bytes.dissection import ElementStream
from wireproof.bytes.stream_tap import StreamTap

Part = tuple[str, int, bytes]


class Kept(ElementStream):
    """Keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Part] = []

    def head(self, record: RequestRecord | ResponseRecord, data: bytes, start: int) -> None:
        self.parts.append(("head", start, data))

    def framing(self, data: bytes, start: int) -> None:
        self.parts.append(("framing", start, data))

    def trailers(self, data: bytes, start: int) -> None:
        self.parts.append(("trailers", start, data))

    def content(self, data: bytes, start: int) -> None:
        self.parts.append(("content", start, data))

    def body(self, record: BodyRecord) -> None:
        self.parts.append(("body", record.offset, b""))

    def payload(self, record: WebSocketFrameRecord, data: bytes, start: int) -> None:
        self.parts.append(("payload", start, data))

    def unfinished(self, data: bytes, start: int) -> None:
        self.parts.append(("unfinished", start, data))


def streams(talk: Talk, batch: int = 1) -> dict[str, list[Part]]:
    """What each side's stream of a connection was made of."""
    tap: StreamTap[Kept] = StreamTap(Kept)
    found: dict[str, list[Part]] = {}
    packets = talk.tape.packets

    def take(records: list) -> None:
        for record in records:
            tap.tell(record)
            for pair in tap.pairs.values():
                for sender in ("client", "server"):
                    if (stream := pair.stream(sender)) is not None:
                        stream.hand_on(is_end=record.record == "connection")
                        found[sender] = stream.parts

    for start in range(0, len(packets), batch):
        take(tap.receive(packets[start : start + batch]))
    take([record for ended in tap.endings() for record in ended])
    return found


def kinds(parts: list[Part]) -> list[str]:
    return [kind for kind, _, _ in parts]


HEAD = response("200 OK", "Transfer-Encoding: chunked")


@pytest.mark.parametrize("batch", [1, 100])
def test_a_chunked_body(batch: int) -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(HEAD, chunk(b"first", ";a=b"), chunk(b"second") + b"0\r\nX: y\r\n\r\n")
    talk.close()
    found = streams(talk, batch)
    assert kinds(found["client"]) == ["head"]
    assert [part[::2] for part in found["server"]] == [
        ("head", HEAD), ("framing", b"5;a=b\r\n"), ("content", b"first"),
        ("framing", b"6\r\n"), ("content", b"second"), ("trailers", b"0\r\nX: y\r\n\r\n"),
        ("body", b""),
    ]  # fmt: skip


def test_a_sized_body_is_handed_on_as_it_comes() -> None:
    talk = Talk().open()
    post = request("/", "Content-Length: 10", method="POST")
    talk.client(post + b"01234", b"56789")
    talk.server(response("200 OK", "Content-Length: 4") + b"ab", b"cd")
    talk.close()
    found = streams(talk)
    assert b"".join(d for kind, _, d in found["client"] if kind == "content") == b"0123456789"
    assert b"".join(d for kind, _, d in found["server"] if kind == "content") == b"abcd"


@pytest.mark.parametrize(("large", "left"), [(1_000, 0), (100_000, 6_000)])
def test_a_large_body_that_is_over_does_not_wait_for_its_batch(
    monkeypatch: pytest.MonkeyPatch, large: int, left: int
) -> None:
    """Many may be over in one batch: those that waited behind missing bytes."""
    monkeypatch.setattr(module, "LARGE", large)
    talk = Talk().open()
    talk.client(request("/"))
    head = response("200 OK", "Content-Length: 6000")
    talk.server(head, bytes(6_000))
    tap: StreamTap[Kept] = StreamTap(Kept)
    for record in tap.receive(talk.tape.packets):
        tap.tell(record)
    stream = tap.pairs[0].stream("server")
    assert stream is not None
    assert stream._pending == (left and left + len(head))
    tap.hand_on(0)
    assert stream._pending == 0


@pytest.mark.parametrize(
    "rest, parts",
    [
        (b"9\r\n wor", [("framing", b"9\r\n"), ("content", b" wor")]),
        (b"5\r\nworld\r", [("framing", b"5\r\n"), ("content", b"world"), ("unfinished", b"\r")]),
        (b"9", [("unfinished", b"9")]),
    ],
)
def test_a_chunk_that_is_not_whole(rest: bytes, parts: list) -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(HEAD + chunk(b"hello") + rest)
    talk.close()
    found = [part[::2] for part in streams(talk)["server"]]
    assert found == [("head", HEAD), ("framing", b"5\r\n"), ("content", b"hello"), *parts,
                     ("body", b"")]  # fmt: skip


def test_frames() -> None:
    talk = Talk().open()
    switch = ("Upgrade: websocket", "Connection: Upgrade")
    talk.client(request("/", *switch, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    talk.server(response("101 Switching Protocols", *switch))
    masked = frame(1, b"up", key=KEY)
    talk.client(masked, masked[:-1])
    talk.server(frame(1, b"down"))
    talk.close()
    found = streams(talk)
    assert [part[::2] for part in found["client"][1:]] == [
        ("payload", masked[-2:]), ("unfinished", masked[:-1])
    ]  # fmt: skip
    assert [part[::2] for part in found["server"][1:]] == [("payload", b"down")]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=12), st.integers(1, 9))
def test_the_parts_do_not_depend_on_segments_or_batches(cuts: list[int], batch: int) -> None:
    said = HEAD + chunk(b"a" * 30) + chunk(b"b" * 3) + chunk(b"")
    talk = Talk().open()
    talk.client(request("/"))
    for cut in cuts:
        if said[:cut]:
            talk.server(said[:cut])
        said = said[cut:]
    if said:
        talk.server(said)
    talk.close()
    parts = streams(talk, batch)["server"]
    assert kinds(parts) == ["head", "framing", "content", "framing", "content", "trailers", "body"]
    offsets = [start for kind, start, _ in parts if kind != "body"]
    assert offsets == sorted(offsets)


def test_a_hole_ends_what_waits() -> None:
    stream = Kept()
    stream.receive_data(b"abc")
    stream.receive_gap(2)
    stream.receive_data(b"de")
    stream.receive_gap(module.MAX_HOLE + 1)
    assert stream.parts == [("unfinished", 0, b"abc\0\0de")]
    assert stream.done == 7 + module.MAX_HOLE + 1


def test_what_waits_is_bounded() -> None:
    stream = Kept()
    for _ in range(20):
        stream.receive_data(bytes(module.MAX_UNTOLD // 4))
        stream.hand_on(is_end=False)
    assert len(stream._raw) <= module.MAX_UNTOLD


def test_what_a_head_says_of_its_content_is_what_its_record_says() -> None:
    fields = ("Content-Encoding: identity", "Content-Encoding: br")
    talk = Talk().open()
    talk.client(request("/", *fields, "Transfer-Encoding: gzip, chunked", method="POST"))
    talk.client(chunk(b"abc"))
    talk.server(response("200 OK", "Content-Type: text/event-stream", *fields))
    tap: StreamTap[Kept] = StreamTap(Kept)
    for record in tap.receive(talk.tape.packets):
        tap.tell(record)
    client, server = tap.pairs[0].streams
    assert (client.codings, client.is_event_stream) == (["gzip", "br"], False)
    assert (server.codings, server.is_event_stream) == (["br"], True)
    assert kinds(client.parts) == ["head", "framing", "content"]
