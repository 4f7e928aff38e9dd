"""Secrets in HTTP/2: in header blocks in each coding, in content, and in what cannot be read."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hpack import Encoder
from support.corpus import http2_vectors_at_hand
from support.framed import grpc_frame
from support.http2 import GET, OK, Fields, Http2Talk, data, framed, of_steps
from support.planted import Secrets
from support.talk import Side, decoded, without_packets
from support.websocket_frames import KEY, frame

from parsers.decode.packets import PacketDecoder
from parsers.files.packets import Packet
from parsers.http2.elements import CONTINUATION, GOAWAY, HEADERS, PUSH_PROMISE
from parsers.limits import MiB
from parsers.memory import Memory
from parsers.records import GrpcMessageRecord, Record
from wireproof.redact import Policy, Redactor
from wireproof.redact.frames import FrameMasks
from wireproof.redact.http2 import CONTENT_COST, MAX_OPEN_UNTOLD

HUFFMAN = [True, False]
END_STREAM, END_HEADERS, PADDED, PRIORITY = 0x1, 0x4, 0x8, 0x20


class Dialogue:
    """A connection whose header blocks are coded as wanted, cut into segments of ``size``."""

    def __init__(self, *, huffman: bool = True, size: int = 1 << 20) -> None:
        self.talk = Http2Talk().begin()
        self.secrets = Secrets()
        self._huffman, self._size = huffman, size
        self._encoders = {"client": Encoder(), "server": Encoder()}

    def block(self, sender: Side, fields: Fields) -> bytes:
        return self._encoders[sender].encode(fields, huffman=self._huffman)

    def say(self, sender: Side, *frames: bytes) -> None:
        whole = b"".join(frames)
        self.talk.say(
            sender, *(whole[at : at + self._size] for at in range(0, len(whole), self._size))
        )

    def head(self, sender: Side, stream: int, fields: Fields, *, ends: bool = False) -> None:
        flags = END_HEADERS | (END_STREAM if ends else 0)
        self.say(sender, framed(HEADERS, flags, stream, self.block(sender, fields)))

    def masked(self, policy: Policy = "all", batch: int = 1 << 30) -> list[Packet]:
        self.talk.talk.close()
        return masked(self.talk.packets(), policy, batch)


def masked(packets: Sequence[Packet], policy: Policy = "all", batch: int = 1 << 30) -> list[Packet]:
    masks = FrameMasks(policy)
    for start in range(0, len(packets), batch):
        masks.add(packets[start : start + batch])
    masks.end()
    return [(*packet[:4], masks.masked(packet)) for packet in packets]


def seen(packets: Sequence[Packet]) -> str:
    """All that a reader of the packets can see: their bytes, and what they decode to."""
    raw = b"".join(packet[4] for packet in packets).decode("latin-1")
    return raw + "\n".join(map(repr, decoded(packets)))


def kinds(records: Sequence[Record]) -> Counter[tuple[str, str]]:
    """Count them by kind; a block that is masked whole is unreadable for another reason."""
    codes = [getattr(record, "code", "") for record in records]
    codes = ["hpack" if code.startswith("hpack") else code for code in codes]
    return Counter(zip((record.record for record in records), codes, strict=True))


def _heads(talk: Dialogue) -> None:
    plain, key = talk.secrets.plain, talk.secrets.key
    for stream in (1, 3, 5):  # the same fields again are in the table by then
        fields = [
            (":method", "GET"), (":scheme", "http"), (":authority", "a"),
            (":path", f"/x?a=1&access_token={plain('path')}&b=2"),
            ("authorization", f"Bearer {plain('authorization')}"),
            ("cookie", f"a={plain('cookie a')}; b={plain('cookie b')}"),
            ("x-api-key", plain("x-api-key") + '"<>^{'), ("x-note", f"use {key('note')} please"),
        ]  # fmt: skip
        talk.head("client", stream, fields, ends=True)
        told = [*OK, ("set-cookie", f"sid={plain('set-cookie')}; Path=/")]
        talk.head("server", stream, told)
        talk.say("server", data(stream, b"hi"))
        talk.head("server", stream, [("x-auth-token", plain(f"trailer {stream}"))], ends=True)


def _in_pieces(talk: Dialogue) -> None:
    """A block in three frames, with padding and priority."""
    block = talk.block("client", [*GET, ("authorization", f"Basic {talk.secrets.plain('split')}")])
    padding = f"api_key={talk.secrets.plain('padding')}".encode()
    first = bytes((len(padding),)) + bytes(5) + block[:12] + padding
    talk.say(
        "client",
        framed(HEADERS, PADDED | PRIORITY | END_STREAM, 1, first),
        framed(CONTINUATION, 0, 1, block[12:20]),
        framed(CONTINUATION, END_HEADERS, 1, block[20:]),
    )
    promised = talk.block("server", [*GET, ("cookie", f"p={talk.secrets.plain('promise')}")])
    talk.say("server", framed(PUSH_PROMISE, END_HEADERS, 1, (2).to_bytes(4) + promised))
    talk.head("server", 1, OK)
    body = b"x" * 4
    padding = f"password={talk.secrets.plain('padding of data')}".encode()
    talk.say("server", framed(0, PADDED | END_STREAM, 1, bytes((len(padding),)) + body + padding))
    debug = f"token={talk.secrets.plain('debug data')}".encode()
    talk.say("server", framed(GOAWAY, 0, 0, (1).to_bytes(4) + bytes(4) + debug))


def _content(talk: Dialogue) -> None:
    for stream in (1, 3, 5, 7):
        talk.head("client", stream, [("content-type", "application/json"), *GET[:]][1:])
        half = f'{{"password": "{talk.secrets.plain(f"request body {stream}")}"}}'.encode()
        talk.say("client", data(stream, half[:20]))
        talk.say("client", data(stream, half[20:], ends=True))
    kind = ("content-type", "text/event-stream")
    for stream in (1, 3):
        talk.head("server", stream, [*OK, kind])
    keys = {stream: talk.secrets.key(f"event {stream}") for stream in (1, 3)}
    for cut in (slice(0, 14), slice(14, None)):  # interleaved
        for stream in (1, 3):
            ends = "\n\n" if cut.stop is None else ""
            begins = "" if cut.stop is None else "data: say "
            piece = f"{begins}{keys[stream][cut]}{ends}"
            talk.say("server", data(stream, piece.encode(), ends=bool(ends)))
    talk.head("server", 5, [*OK, kind, ("content-encoding", "gzip")])
    coded = gzip.compress(f"data: {talk.secrets.key('gzip')}\n\n".encode())
    talk.say("server", data(5, coded[:9]), data(5, coded[9:], ends=True))
    talk.head("server", 7, [*OK, ("content-type", "application/grpc"), ("grpc-encoding", "gzip")])
    message = gzip.compress(f"\n{talk.secrets.key('grpc')}".encode())
    talk.say("server", data(7, grpc_frame(1, message)))
    talk.say("server", data(7, grpc_frame(0, talk.secrets.key("grpc plain").encode())))
    talk.head("server", 7, [("grpc-status", "0")], ends=True)


WEBSOCKET: Fields = [
    (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
    (":authority", "a"), (":path", "/chat"), ("sec-websocket-version", "13"),
]  # fmt: skip


def _websocket(talk: Dialogue) -> None:
    talk.say("server", framed(4, 0, 0, bytes.fromhex("000800000001")))
    talk.head("client", 1, WEBSOCKET)
    talk.head("server", 1, OK)
    sent = frame(1, f'{{"token": "{talk.secrets.plain("masked message")}"}}'.encode(), key=KEY)
    talk.say("client", data(1, sent[:17]), data(1, sent[17:]))
    told = frame(1, f"your key is {talk.secrets.key('message')}".encode())
    talk.say("server", data(1, told + frame(1, b"hello")[:3]), data(1, frame(1, b"hello")[3:]))
    talk.say("server", data(1, frame(8, b"\x03\xe8"), ends=True))


def _tunnel(talk: Dialogue) -> None:
    talk.head("client", 1, [(":method", "CONNECT"), (":authority", "b:80")])
    talk.head("server", 1, OK)
    inner = (
        f"GET / HTTP/1.1\r\nHost: b\r\nX-Api-Key: {talk.secrets.plain('inner')}\r\n\r\n".encode()
    )
    talk.say("client", data(1, inner[:40]), data(1, inner[40:]))
    body = gzip.compress(talk.secrets.key("inner gzip").encode())
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    talk.say("server", data(1, head.encode() + body[:5]), data(1, body[5:]))


def _single_bytes(content: bytes) -> bytes:
    """Content with a DATA frame for each byte, so that no place follows from another's."""
    return b"".join(data(1, content[at : at + 1]) for at in range(len(content)))


def _websocket_in_single_bytes(talk: Dialogue) -> None:
    talk.head("client", 1, WEBSOCKET)
    talk.head("server", 1, OK)
    talk.say("server", framed(4, 0, 0, bytes.fromhex("000800000001")))
    text = f"{'x' * 150} your key is {talk.secrets.key('message')}".encode()
    asked = f"{'y' * 50} my key is {talk.secrets.key('asked')}".encode()
    talk.say("client", _single_bytes(frame(1, asked, key=KEY)))
    talk.say("server", _single_bytes(frame(1, text) + frame(8, b"\x03\xe8")))


def _chunks_in_single_bytes(talk: Dialogue) -> None:
    talk.head("client", 1, [(":method", "CONNECT"), (":authority", "b:80")])
    talk.head("server", 1, OK)
    inner = f"GET / HTTP/1.1\r\nHost: b\r\nX-Api-Key: {talk.secrets.plain('inner')}\r\n\r\n"
    talk.say("client", _single_bytes(inner.encode()))
    body = f"{'x' * 150} your key is {talk.secrets.key('chunk')}".encode()
    chunked = b"%x;a=b\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (len(body), body)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    talk.say("server", _single_bytes(head + chunked))


DIALOGUES: dict[str, Callable[[Dialogue], None]] = {
    "heads": _heads,
    "in pieces": _in_pieces,
    "content": _content,
    "websocket": _websocket,
    "tunnel": _tunnel,
    "websocket in single bytes": _websocket_in_single_bytes,
    "chunks in single bytes": _chunks_in_single_bytes,
}


@pytest.mark.parametrize("size", [1 << 20, 11, 1])
@pytest.mark.parametrize("huffman", HUFFMAN)
@pytest.mark.parametrize("name", DIALOGUES)
def test_no_secret_is_left(name: str, huffman: bool, size: int) -> None:
    talk = Dialogue(huffman=huffman, size=size)
    DIALOGUES[name](talk)
    found = talk.masked(batch=1 << 30 if size > 11 else 5)
    before = talk.talk.records()
    assert len(talk.secrets.made) >= 2
    assert talk.secrets.found_in(seen(found)) == []
    damaged = {("diagnostic", "content-coding-damaged"), ("sse_event", "")}
    assert {
        kind: number for kind, number in kinds(decoded(found)).items() if kind not in damaged
    } == {kind: number for kind, number in kinds(before).items() if kind not in damaged}


@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc+json"])
def test_compressed_messages_in_small_frames(kind: str) -> None:
    """What is left of them gives no message: what a reader would decompress is masked."""
    talk = Dialogue()
    fields = [*GET, ("content-type", kind), ("grpc-encoding", "gzip")]
    talk.head("client", 1, fields)
    packed = gzip.compress(f'{{"api_key": "{talk.secrets.plain("grpc")}"}}'.encode(), mtime=0)
    message = grpc_frame(1, packed)
    for start in range(0, len(message), 9):
        is_last = start + 9 >= len(message)
        talk.say("client", data(1, message[start : start + 9], ends=is_last))
    found = decoded(talk.masked())
    [told] = [one for one in found if isinstance(one, GrpcMessageRecord)]
    assert told.compressed and told.size == len(packed)
    assert told.data == "*" * len(packed)


@pytest.mark.parametrize("huffman", HUFFMAN)
def test_by_default_known_fields_are_masked(huffman: bool) -> None:
    talk = Dialogue(huffman=huffman)
    _heads(talk)
    assert sorted(set(talk.secrets.found_in(seen(talk.masked("headers"))))) == ["note", "path"]


def test_the_rest_of_the_decode_stays() -> None:
    """But for what stands for a secret in the Huffman code, which has its length."""
    talk = Dialogue(huffman=False)
    _heads(talk)
    found = [without_packets(record) for record in decoded(talk.masked())]
    before = talk.talk.records()
    redacted = map(Redactor("all").redact, before)
    assert found == [without_packets(record) for record in redacted]


def test_a_block_whose_names_are_not_known() -> None:
    """Of a connection that was joined in the middle each literal of an unknown name is masked."""
    talk = Dialogue()
    _heads(talk)
    talk.talk.talk.close()
    late = talk.talk.packets()[9:]
    packets = masked([(number, *packet[1:]) for number, packet in enumerate(late, 1)])
    assert talk.secrets.found_in(seen(packets)) == []


@pytest.mark.parametrize("lost", range(7, 14))
def test_a_lost_packet(lost: int) -> None:
    talk = Dialogue()
    _heads(talk)
    talk.talk.talk.close()
    kept = [packet for packet in talk.talk.packets() if packet[0] != lost]
    packets = masked([(number, *packet[1:]) for number, packet in enumerate(kept, 1)])
    assert talk.secrets.found_in(seen(packets)) == []


@pytest.mark.parametrize("at", range(0, 60, 3))
def test_a_capture_that_ends_inside_a_block(at: int) -> None:
    talk = Dialogue(huffman=False)
    block = talk.block("client", [*GET, ("authorization", f"Bearer {talk.secrets.plain('cut')}")])
    whole = framed(HEADERS, END_HEADERS, 1, block)
    talk.say("client", whole[: len(whole) - 1 - at])
    packets = masked(talk.talk.packets())
    assert talk.secrets.found_in(seen(packets)) == []


def test_a_block_that_cannot_be_read() -> None:
    talk = Dialogue(huffman=False)
    block = talk.block("client", [*GET, ("x-a", talk.secrets.key("wrong"))])
    talk.say("client", framed(HEADERS, END_HEADERS, 1, block + b"\xff\xff\xff\xff\xff\xff\xff\xff"))
    masks = FrameMasks("all")
    masks.add(talk.talk.packets())
    masks.end()
    found = [(*packet[:4], masks.masked(packet)) for packet in talk.talk.packets()]
    assert talk.secrets.found_in(seen(found)) == []
    assert masks.report.unread == 1


@pytest.mark.parametrize(
    "vector", http2_vectors_at_hand("h2"), ids=lambda vector: str(vector["id"])
)
@pytest.mark.parametrize("byte_by_byte", [False, True])
def test_vectors_decode_to_the_same_records(vector: dict, byte_by_byte: bool) -> None:
    talk, _ = of_steps(vector["steps"], byte_by_byte=byte_by_byte)
    packets = talk.packets()
    assert kinds(decoded(masked(packets))) == kinds(decoded(packets))


def test_what_waits_in_a_stream_is_charged_to_its_connection_and_given_back() -> None:
    talk = Dialogue()
    talk.head("client", 1, WEBSOCKET)
    talk.head("server", 1, [(":status", "200")])
    open_frame = frame(0x2, bytes(100_000))[:60_000]
    for at in range(0, len(open_frame), 10_000):
        talk.say("server", data(1, open_frame[at : at + 10_000]))
    masks, alone = FrameMasks("all"), PacketDecoder()
    for packets in (talk.talk.packets(),):
        masks.add(packets)
        alone.receive(packets)
    assert 85_000 < masks.decoder.held - alone.held < 105_000
    masks.end()
    assert masks.decoder.held == 0


SERVER_SENT = [(":status", "200"), ("content-type", "text/event-stream")]


def test_a_stream_is_charged_once_content_may_come_in_it() -> None:
    talk, alone = Dialogue(), PacketDecoder()
    for stream in range(1, 21, 2):
        talk.head("client", stream, GET, ends=True)
        talk.head("server", stream, SERVER_SENT)
    masks = FrameMasks("all")
    masks.add(talk.talk.packets())
    alone.receive(talk.talk.packets())
    assert masks.decoder.held - alone.held == 10 * CONTENT_COST
    masks.end()
    assert masks.decoder.held == 0


def test_streams_of_a_connection_that_is_let_go_hold_little_and_are_masked_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Memory, "usual", 2 * MiB)
    talk, masks = Dialogue(), FrameMasks("all")
    key, numbers = talk.secrets.key("an event"), range(1, 801, 2)
    for stream in numbers:
        talk.head("client", stream, GET, ends=True)
        talk.head("server", stream, SERVER_SENT)
        talk.say("server", data(stream, b"data: 1"))
    for stream in numbers:
        talk.say("server", data(stream, b"\n\ndata: " + key.encode() + b"\n\n"))
    packets = talk.talk.packets()
    for start in range(0, len(packets), 100):
        masks.add(packets[start : start + 100])
    (pair,) = masks.pairs.values()
    assert pair.connection.account.is_let_go
    assert max(len(stream._contents) for stream in pair.streams) <= MAX_OPEN_UNTOLD
    masks.end()
    assert key not in b"".join(map(masks.masked, packets)).decode("latin-1")


@pytest.mark.parametrize("huffman", HUFFMAN)
@pytest.mark.parametrize("is_first", [True, False])
def test_the_path_of_a_webhook_is_secret_by_its_authority(huffman: bool, is_first: bool) -> None:
    dialogue = Dialogue(huffman=huffman)
    for stream in (1, 3):  # the second time an entry of the table says where
        path = (":path", f"/services/T0/B0/Zq7vLw9xKt3nPb5sRm2h{stream}")
        authority = (":authority", "hooks.slack.com")
        where = [authority, path] if is_first else [path, authority]
        fields = [(":method", "POST"), (":scheme", "https"), *where]
        dialogue.head("client", stream, fields, ends=True)
    found = [one for one in decoded(dialogue.masked()) if one.record == "request"]
    assert [one.headers[-1 if is_first else -2] for one in found] != [] and len(found) == 2
    for one in found:
        assert "Zq7vLw9x" not in one.target and len(one.target) == 37
