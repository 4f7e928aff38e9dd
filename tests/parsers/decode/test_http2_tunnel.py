"""Tunnels in streams of HTTP/2: what is spoken in one, beside the same spoken on TCP."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.http2 import (
    GET,
    OK,
    SETTINGS,
    SETTINGS_ACK,
    Fields,
    Http2Talk,
    Speaker,
    data,
    framed,
)
from support.judged import verdicts
from support.talk import Talk, without_packets
from support.tls import HELLO, NAME, record, sealed
from support.websocket_frames import KEY, frame

from parsers.decode import http2_tunnel
from parsers.decode.writer import RecordWriter
from parsers.diagnostics import diagnose
from parsers.http2.elements import PING, PREFACE, RST_STREAM
from parsers.provenance import Arrival, SourceMap
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    TlsConnectionRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

WEBSOCKET: Fields = [
    (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/ws"),
    (":authority", "a"), ("sec-websocket-version", "13"),
]  # fmt: skip
CONNECT: Fields = [(":method", "CONNECT"), (":authority", "db:5432")]
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
FRAMES = st.lists(
    st.sampled_from(
        [
            frame(1, b"a"), frame(1, "é".encode()), frame(2, b"\0" * 200), frame(9, b"p"),
            frame(1, b"x", fin=False), frame(0, b"y"), frame(3), frame(1, b"\xff"), frame(8),
        ]
    ),
    min_size=1, max_size=8,
)  # fmt: skip


def tunnel(asked: Fields = WEBSOCKET, status: str = "200") -> Http2Talk:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, asked))
    talk.say("server", talk.server.head(1, [(":status", status)]))
    return talk


def said(records: list[Record]) -> list[Any]:
    """What a WebSocket says, wherever its bytes lie."""
    found = []
    for one in records:
        shown = without_packets(one)
        if isinstance(one, WebSocketFrameRecord | WebSocketMessageRecord):
            for name in ("offset", "length", "content_offset", "stream_id", "extents", "layer"):
                shown.pop(name, None)
            found.append(shown)
        elif isinstance(one, DiagnosticRecord):
            found.append((one.sender, one.code, one.summary))
    return found


@settings(deadline=None)
@given(FRAMES, st.data())
def test_frames_say_the_same_on_tcp_and_in_a_stream(frames: list[bytes], draw: Any) -> None:
    sent = b"".join(frames)
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(sent) - 1), max_size=4)))
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    old = Talk().open()
    old.client(HANDSHAKE)
    old.server(SWITCHED, *pieces)
    old.client(frame(1, b"hello", key=KEY))
    new = tunnel()
    new.say("server", *[data(1, one) for one in pieces])
    new.say("client", data(1, frame(1, b"hello", key=KEY)))
    assert said(new.records()) == said(old.tape.records())


def test_a_frame_lies_where_its_bytes_are_among_those_of_other_streams() -> None:
    talk = tunnel()
    talk.say("client", talk.client.head(3, GET, ends=True))
    talk.say("server", talk.server.head(3, [(":status", "200")]))
    whole = frame(1, b"hello")
    talk.say("server", data(1, whole[:3]), data(3, b"other"))
    last = talk.say("server", data(1, whole[3:]))
    records = talk.records()
    (found,) = [one for one in records if isinstance(one, WebSocketFrameRecord)]
    assert (found.exchange, found.stream_id, found.last_packet) == (0, 1, last)
    assert found.extents is not None and [b - a for a, b in found.extents] == [3, 4]
    assert found.offset == found.extents[0][0]
    assert found.offset + found.length == found.extents[1][1]
    (response,) = [one for one in records if isinstance(one, ResponseRecord) if one.stream_id == 1]
    assert (response.transport, response.framing) == ("websocket", "upgrade")


def contents(
    asked: Fields, first: bytes, pieces: list[bytes], size: int
) -> tuple[list[int], list[int]]:
    """Return where contents begin by the records, and by where the bytes were put.

    Each byte goes in a DATA frame of its own, so that no place follows from another's, in segments
    of ``size`` bytes. A content begins after the last byte of what says how long it is: ``pieces``
    alternates between the two.
    """
    talk = tunnel(asked)
    talk.say("client", data(1, first))
    sent = SETTINGS + SETTINGS_ACK + Speaker().head(1, OK)
    expected = []
    coded = b""
    for number, piece in enumerate(pieces):
        coded += b"".join(data(1, piece[at : at + 1]) for at in range(len(piece)))
        if number % 2 == 0:
            expected.append(len(sent) + len(coded))
    talk.say("server", *[coded[at : at + size] for at in range(0, len(coded), size)])
    found = [
        one.content_offset
        for one in talk.records()
        if isinstance(one, ChunkRecord | WebSocketFrameRecord) and one.sender == "server"
    ]
    return found, expected


@pytest.mark.parametrize("size", [1, 2, 7, 9, 10, 11, 64, 1_000, 100_000])
@pytest.mark.parametrize("length", [1, 5, 40, 125, 126, 700])
def test_content_begins_after_the_header_in_whatever_segments_it_comes(
    length: int, size: int
) -> None:
    payload = b"x" * length
    whole = frame(2, payload)
    header = whole[: len(whole) - length]
    found, expected = contents(WEBSOCKET, frame(9, b"", key=KEY), [header, payload] * 3, size)
    assert found == expected
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    line = b"%x;a=b\r\n" % length
    pieces = [head + line, payload + b"\r\n", line, payload + b"\r\n", b"0\r\n", b"\r\n"]
    asked = b"GET / HTTP/1.1\r\nHost: b\r\n\r\n"
    found, expected = contents(CONNECT, asked, pieces, size)
    assert found == expected


def test_what_comes_before_the_answer_waits_for_it() -> None:
    talk = Http2Talk().begin()
    early = data(1, frame(1, b"early", key=KEY), ends=True)
    talk.say("client", talk.client.head(1, WEBSOCKET) + early)
    talk.say("server", talk.server.head(1, [(":status", "200")]))
    (found,) = [one for one in talk.records() if isinstance(one, WebSocketMessageRecord)]
    assert (found.data, found.sender) == ("early", "client")


@pytest.mark.parametrize("step", [1, 3, 1 << 20])
def test_where_what_waits_for_the_answer_lies(step: int) -> None:
    """Each of two messages in so many DATA frames, a segment each, before the server has said."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, WEBSOCKET))
    texts = [b"a" * 60, b"b" * 70]
    packets: list[tuple[int, int]] = []
    for text in texts:
        sent = frame(1, text, key=KEY)
        pieces = [data(1, sent[at : at + step]) for at in range(0, len(sent), step)]
        said_in = [talk.say("client", piece) for piece in pieces]
        packets.append((said_in[0], said_in[-1]))
    talk.say("server", talk.server.head(1, OK))
    found = [one for one in talk.records() if isinstance(one, WebSocketFrameRecord)]
    assert [one.data for one in found] == [text.decode() for text in texts]
    assert [(one.first_packet, one.last_packet) for one in found] == packets
    for one in found:
        assert one.extents is None or one.extents[0][0] == one.offset
    assert found[0].offset + found[0].length < found[1].offset


def test_only_so_much_waits_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2_tunnel, "MAX_UNDECIDED", 100)
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, WEBSOCKET))
    for number in range(7):
        talk.say("client", data(1, frame(1, b"%d" % number * 40, key=KEY)))
    talk.say("server", talk.server.head(1, OK))
    last = talk.say("client", data(1, frame(1, b"after", key=KEY)))
    records = talk.records()
    messages = [one for one in records if isinstance(one, WebSocketMessageRecord)]
    assert [one.data for one in messages] == ["0" * 40, "1" * 40, "after"]
    assert messages[-1].last_packet == last
    (fault,) = [one for one in records if isinstance(one, DiagnosticRecord) if one.exchange == 0]
    assert (fault.code, fault.sender) == ("http-upgrade-limit", "client")
    assert fault.summary.endswith("230 bytes in vain")


@pytest.mark.parametrize("is_early", [False, True])
@pytest.mark.parametrize("size", [20, 60])
def test_content_that_is_missing_in_the_tunnel(size: int, is_early: bool) -> None:
    """A hole in a DATA frame, before the answer and after it, costs the messages that it is in:
    a part of one, or the border between two."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, WEBSOCKET))
    if not is_early:
        talk.say("server", talk.server.head(1, OK))
    texts = [b"first", b"x" * 40, b"\x81" * 40]  # of the last one each byte may begin a frame
    sent = data(1, b"".join(frame(1, text, key=bytes(4)) for text in texts))
    talk.say("client", sent[:40])
    talk.talk.lose("client", size)
    talk.say("client", sent[40 + size :])
    for number in range(3):
        talk.say("client", data(1, frame(1, b"%d" % number, key=KEY)))
    if is_early:  # long after what is missing
        for number in range(20):
            talk.say("server", framed(PING, 0, 0, number.to_bytes(8)))
            talk.say("client", framed(PING, 1, 0, number.to_bytes(8)))
        talk.say("server", talk.server.head(1, OK))
    records = talk.records()
    messages = [one.data for one in records if isinstance(one, WebSocketMessageRecord)]
    assert (messages[0], messages[-3:]) == ("first", ["0", "1", "2"])
    codes = [one.code for one in records if isinstance(one, DiagnosticRecord)]
    assert codes[0] == "http2-content-missing"
    assert "websocket-framing-lost" not in codes


ASKED = b"GET /in HTTP/1.1\r\nHost: b\r\n\r\n"
LATER = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nhi"
ANSWERED = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"


@pytest.mark.parametrize("lost", [0, 3, 20, 70])
def test_an_answer_in_a_tunnel_with_a_hole_in_a_frame(lost: int) -> None:
    """In its head, before it is known what is spoken and after that; and in its body."""
    talk = tunnel(CONNECT)
    talk.say("client", data(1, ASKED), data(1, ASKED))
    sent = data(1, ANSWERED + b"y" * 40)
    talk.say("server", sent[: 9 + lost])
    talk.talk.lose("server", 5)
    talk.say("server", sent[14 + lost :])
    begin = len(SETTINGS + SETTINGS_ACK + Speaker().head(1, OK) + sent)
    number = talk.say("server", data(1, LATER))
    records = talk.records()
    (later,) = [one for one in records if isinstance(one, ResponseRecord) if one.status == 201]
    assert (later.first_packet, later.offset) == (number, begin + 9)
    assert [one.target for one in records if isinstance(one, RequestRecord)] == ["db:5432"] + [
        "/in"
    ] * 2
    sizes = [one.size for one in records if isinstance(one, BodyRecord) and one.sender == "server"]
    assert sizes == ([40, 2] if lost > len(ANSWERED) else [2])
    codes = [one.code for one in records if isinstance(one, DiagnosticRecord)]
    assert "http2-content-missing" in codes
    assert "http-start-line-invalid" not in codes, "nobody sent what lies on both sides of a hole"


def test_tls_in_a_tunnel_with_a_hole_in_a_frame() -> None:
    talk = tunnel(CONNECT)
    talk.say("client", data(1, record(22, HELLO)))
    sent = data(1, sealed(60) + sealed(80, 2))
    talk.say("server", sent[:30])
    talk.talk.lose("server", 5)
    talk.say("server", sent[35:])
    records = talk.records()
    (found,) = [one for one in records if isinstance(one, TlsConnectionRecord)]
    assert (found.sni, found.server_records) == (NAME, 2)


def test_a_header_of_a_balancer_in_the_tunnel() -> None:
    talk = tunnel(CONNECT)
    talk.say("client", data(1, b"PROXY TCP4 10.0.0.1 10.0.0.2 5 6\r\n"), data(1, ASKED))
    talk.say("server", data(1, ANSWERED + b"y" * 40))
    records = talk.records()
    (header,) = [one for one in records if getattr(one, "code", "") == "proxy-protocol"]
    assert (header.exchange, header.stream_id) == (None, 1)
    assert [one.target for one in records if isinstance(one, RequestRecord)] == ["db:5432", "/in"]


def test_http2_in_a_tunnel_of_http2() -> None:
    inner = Http2Talk()
    talk = tunnel(CONNECT)
    talk.say("client", data(1, PREFACE + SETTINGS), data(1, inner.client.head(5, GET, ends=True)))
    talk.say("server", data(1, SETTINGS + SETTINGS_ACK + inner.server.head(5, OK, ends=True)))
    found = [
        (one.exchange, one.stream_id, one.method)
        for one in talk.records()
        if isinstance(one, RequestRecord)
    ]
    assert found == [(0, 1, "CONNECT"), (1, 5, "GET")]


def test_what_is_said_of_a_side_that_sent_nothing_lies_at_its_beginning() -> None:
    origins: SourceMap[Arrival] = SourceMap()
    origins.extend(90, (7, 7, 0.5, 0.5))
    writers = RecordWriter(0, "client", origins, True), RecordWriter(0, "server", origins, True)
    client = http2_tunnel.open_tunnel(writers, 3, lambda: 4)
    client.origins.extend(0, (7, 7, 0.5, 0.5))
    said = client.writer().diagnostic(diagnose("switch-not-decoded", 0, 0, ""), 0, (7, 0.5))
    moved = client.move(said)
    assert isinstance(moved, DiagnosticRecord)
    assert (moved.exchange, moved.layer, moved.offset, moved.length) == (3, "tcp", 0, 0)


def test_only_so_many_exchanges_of_a_tunnel_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2_tunnel, "MAX_TUNNEL_EXCHANGES", 2)
    exchanges = http2_tunnel.TunnelExchanges(7, iter(range(100, 200)).__next__)
    assert [exchanges.of(number) for number in (0, 1, 2, 1, 3)] == [7, 100, 101, 100, 102]
    assert (exchanges.of(2), exchanges.of(3), exchanges.last) == (101, 102, 3)
    assert exchanges.of(1) == 103  # it is long over, or was


def test_a_refusal_is_no_tunnel() -> None:
    talk = tunnel(status="403")
    talk.say("server", data(1, b"no", ends=True))
    records = talk.records()
    assert [one.size for one in records if isinstance(one, BodyRecord)] == [2]
    codes = [one.code for one in records if isinstance(one, DiagnosticRecord)]
    assert codes == ["http-upgrade-refused"]
    (response,) = [one for one in records if isinstance(one, ResponseRecord)]
    assert response.transport == "websocket"


def test_exchanges_in_a_tunnel_are_the_connections_next_ones() -> None:
    talk = tunnel(CONNECT)
    talk.say("client", talk.client.head(3, GET, ends=True))
    talk.say("client", data(1, b"GET /in HTTP/1.1\r\nHost: b\r\n\r\n" * 2))
    talk.say("client", talk.client.head(5, GET, ends=True))
    talk.say("server", data(1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" * 2))
    requests = [one for one in talk.records() if isinstance(one, RequestRecord)]
    assert [(one.exchange, one.target, one.stream_id) for one in requests] == [
        (0, "db:5432", 1), (1, "/", 3), (2, "/in", 1), (3, "/in", 1), (4, "/", 5),
    ]  # fmt: skip
    bodies = [one for one in talk.records() if isinstance(one, BodyRecord) and one.size]
    assert [one.exchange for one in bodies] == [2, 3]


def test_tls_in_a_tunnel_is_told_when_the_tunnel_ends() -> None:
    talk = tunnel(CONNECT)
    hello = bytes.fromhex("160303002d0100002903030000000000000000000000000000000000000000000000")
    hello += bytes.fromhex("0000000000000000000002130101000000")
    talk.say("client", data(1, hello[:40]), data(1, hello[40:] + sealed(60), ends=True))
    talk.say("server", data(1, sealed(30), ends=True))
    kinds = [(one.record, one.exchange) for one in talk.records() if one.record == "tls"]
    assert kinds == [("tls", 0)]


def test_a_reset_ends_both_sides() -> None:
    talk = tunnel()
    talk.say("server", data(1, frame(1, b"hello")[:4]))
    talk.say("client", framed(RST_STREAM, 0, 1, (8).to_bytes(4)))
    codes = [one.code for one in talk.records() if isinstance(one, DiagnosticRecord)]
    assert sorted(codes) == ["http2-cancelled", "websocket-frame-cut"]


def test_frames_are_found_again_after_lost_ones() -> None:
    talk = tunnel()
    talk.say("server", data(1, frame(1, b"first")))
    talk.talk.lose("server", len(data(1, frame(1, b"gone"))))
    for number in range(4):
        talk.say("server", data(1, frame(1, b"%d" % number)))
    found = [one.data for one in talk.records() if isinstance(one, WebSocketMessageRecord)]
    assert found == ["first", "0", "1", "2", "3"]


def test_of_an_answer_in_a_tunnel_that_lost_frames_nobody_can_tell_the_end() -> None:
    talk = tunnel(CONNECT)
    talk.say("client", data(1, b"GET /in HTTP/1.1\r\nHost: b\r\n\r\n"))
    talk.say("server", data(1, b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nab"))
    talk.talk.lose("server", len(data(1, b"cd")))
    talk.say("server", data(1, b"ef"), data(1, b"gh"))
    talk.say("client", data(1, b"", ends=True))
    talk.say("server", data(1, b"", ends=True))
    talk.talk.fin("client")
    talk.talk.fin("server")
    records = talk.records()
    missing = [
        one.exchange
        for one in records
        if isinstance(one, DiagnosticRecord) and one.code == "http2-frames-missing"
    ]
    assert missing == [0, 1]
    (ending,) = verdicts(records, "ending")
    assert ending.answer == "unknowable"
