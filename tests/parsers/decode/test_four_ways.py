"""One dialogue, sent in the clear, over TLS, over HTTP/2 and over both: it says the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from support.http1 import of
from support.http2 import GET, OK, SETTINGS, SETTINGS_ACK, Fields, Speaker, data, framed
from support.talk import Side, Talk
from support.tls_live import Dialogue
from support.tls_live import dialogue as sealed
from support.websocket_frames import KEY, frame

from parsers import KeyLog, PacketDecoder
from parsers.http2.elements import PREFACE
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    DiagnosticRecord,
    GapRecord,
    GrpcMessageRecord,
    JsonLineRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    TlsConnectionRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

WAYS = ["plain", "tls", "http2", "tls and http2"]
SSE, LINES, JSON, WEBSOCKET = "text/event-stream", "application/x-ndjson", "application/json", "ws"
GRPC = "application/grpc-web"
STREAMS = (SSE, LINES, GRPC)
"""What comes in chunks over HTTP/1.1."""

VERSION = ("sec-websocket-version", "13")
HELLO = frame(1, b"hello", key=KEY)
GOODBYE: list[tuple[Side, bytes]] = [
    ("client", HELLO),
    ("server", frame(8, b"\x03\xe8")),
    ("client", frame(8, b"\x03\xe8", key=KEY)),
]
"""What is said last in a WebSocket."""
PING = framed(6, 0, 0, bytes(8))


class Exchange(NamedTuple):
    """What its content is, and the pieces in which it is sent: an event, a line or a frame each."""

    kind: str
    pieces: list[bytes]


class Line(NamedTuple):
    """One write of one side; ``place`` says which piece of which exchange it holds."""

    sender: Side
    content: bytes
    place: tuple[int, int] | None = None


ELEMENTS = SseEventRecord | JsonLineRecord | GrpcMessageRecord | WebSocketFrameRecord


@dataclass
class Source:
    """Keys that are all there."""

    log: KeyLog = field(default_factory=KeyLog)
    is_possible, waiting, waits = True, 0, False

    def refresh(self) -> bool:
        return False


def pieces_of(kind: str, sizes: list[int]) -> list[bytes]:
    """Whole elements, no two alike."""
    words = [f"{number} {'é' * size}".encode() for number, size in enumerate(sizes)]
    if kind == SSE:
        return [b"id: %d\ndata: %b\n\n" % (number, word) for number, word in enumerate(words)]
    if kind == LINES:
        return [b'{"word": "%b"}\n' % word for word in words]
    if kind == GRPC:
        return [b"\0" + (len(word) + 1).to_bytes(4) + b"\n" + word for word in words]
    if kind == WEBSOCKET:
        return [frame(1, word) for word in words]
    return [b'["', *words, b'"]']


@st.composite
def dialogues(draw: st.DrawFn) -> list[Exchange]:
    kinds = draw(st.lists(st.sampled_from([SSE, LINES, GRPC, JSON]), min_size=1, max_size=3))
    kinds += [WEBSOCKET] * draw(st.booleans())  # over HTTP/1.1 nothing comes after it
    sizes = st.lists(st.integers(0, 40), min_size=1, max_size=5)
    return [Exchange(kind, pieces_of(kind, draw(sizes))) for kind in kinds]


# --- how it is sent ---


def over_http1(exchanges: list[Exchange]) -> list[Line]:
    lines: list[Line] = []
    for number, (kind, pieces) in enumerate(exchanges):
        asked = b"GET /%d HTTP/1.1\r\nHost: a\r\n" % number
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n" % kind.encode()
        if kind == WEBSOCKET:
            asked += b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            asked += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            head += b"Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        elif kind == JSON:
            head += b"Content-Length: %d\r\n" % len(b"".join(pieces))
        else:
            head += b"Transfer-Encoding: chunked\r\n"
        lines += [Line("client", asked + b"\r\n"), Line("server", head + b"\r\n")]
        is_chunked = kind in STREAMS
        sent = [b"%x\r\n%b\r\n" % (len(one), one) if is_chunked else one for one in pieces]
        lines += [Line("server", one, (number, index)) for index, one in enumerate(sent)]
        if is_chunked:
            lines.append(Line("server", b"0\r\n\r\n"))
        elif kind == WEBSOCKET:
            lines += [Line(sender, one) for sender, one in GOODBYE]
    return lines


def over_http2(exchanges: list[Exchange], order: Random) -> list[Line]:
    """All exchanges at once: their frames come in any order."""
    client, server = Speaker(), Speaker()
    lines = [Line("client", PREFACE + SETTINGS), Line("server", SETTINGS + SETTINGS_ACK)]
    waiting: dict[int, list[Line]] = {}
    for number, (kind, pieces) in enumerate(exchanges):
        stream_id, is_tunnel = 2 * number + 1, kind == WEBSOCKET
        fields: Fields = [*GET[:3], (":path", f"/{number}")]
        if is_tunnel:
            fields = [(":method", "CONNECT"), (":protocol", "websocket"), *fields[1:], VERSION]
        lines.append(Line("client", client.head(stream_id, fields, ends=not is_tunnel)))
        shown = [] if is_tunnel else [("content-type", kind)]
        lines.append(Line("server", server.head(stream_id, [*OK, *shown])))
        frames = enumerate(pieces)
        waiting[number] = [Line("server", data(stream_id, one), (number, at)) for at, one in frames]
        if is_tunnel:
            waiting[number] += [
                Line(sender, data(stream_id, one, ends=one != HELLO)) for sender, one in GOODBYE
            ]
        else:
            waiting[number].append(Line("server", data(stream_id, b"", ends=True)))
    while waiting:
        number = order.choice(sorted(waiting))
        lines.append(waiting[number].pop(0))
        if not waiting[number]:
            del waiting[number]
    return lines


@dataclass
class Sent:
    """The packets of a dialogue: those that completed each piece, and the records made of all."""

    records: list[Record]
    completed: dict[tuple[int, int], int]
    after_the_hole: int = 0
    """The first packet of the server after what was lost."""


def send(
    exchanges: list[Exchange],
    way: str,
    order: Random,
    *,
    step: int = 1 << 30,
    lost: tuple[int, int] | None = None,
) -> Sent:
    """Send a dialogue in segments of ``step`` bytes at most; of its pieces one may be ``lost``."""
    lines = over_http2(exchanges, order) if "http2" in way else over_http1(exchanges)
    writes: list[tuple[Side, bytes]] = [(one.sender, one.content) for one in lines]
    said, source, begin = Dialogue(writes), None, 0
    if "tls" in way:
        said = sealed(writes, alpn=("h2",) if "http2" in way else ())
        source = Source()
        source.log.read(said.keys)
        begin = len(said.pieces) - len(lines) - 2  # after what was sent is close_notify, twice
    places = {begin + at: one.place for at, one in enumerate(lines) if one.place is not None}
    talk, completed, after = Talk().open(), {}, 0
    for number, (sender, content) in enumerate(said.pieces):
        if lost is not None and places.get(number) == lost:
            talk.lose(sender, len(content))
            after = -1
            continue
        for at in range(0, len(content), step):
            packet = talk.segment(sender, content[at : at + step])
            after = packet if after < 0 and sender == "server" else after
        if number in places:
            completed[places[number]] = packet
    talk.close()
    decoder = PacketDecoder(keys=source)
    return Sent(decoder.receive(talk.tape.packets) + decoder.finish(), completed, after)


# --- what it says ---


def meaning(records: list[Record]) -> list[list[Any]]:
    """What each exchange says, in order: its request, response, elements, body and faults."""
    found: dict[int, list[Any]] = {}
    for one in records:
        if (shown := _shown(one)) is not None and one.exchange is not None:
            found.setdefault(one.exchange, []).append((one.sender, *shown))
    return [sorted(said, key=repr) for _, said in sorted(found.items())]


def _shown(record: Record) -> tuple[Any, ...] | None:
    match record:
        case RequestRecord():
            return "request", record.target
        case ResponseRecord():
            return "response", record.codings
        case SseEventRecord():
            return "event", record.event, record.data, record.id, record.dispatched, record.fields
        case JsonLineRecord():
            return "line", record.index, record.data
        case GrpcMessageRecord():
            return "grpc", record.index, record.data
        case WebSocketFrameRecord():
            return "frame", record.fin, record.opcode_name, record.data, record.masking_key
        case WebSocketMessageRecord():
            return "message", record.type, record.data
        case BodyRecord() if record.sender == "server":
            return "body", record.size, record.decoded_size, record.sha256, record.complete
        case DiagnosticRecord():
            return "fault", record.severity, record.code
    return None


@settings(max_examples=40, deadline=None)
@given(dialogues(), st.randoms(use_true_random=False), st.sampled_from([1, 7, 23, 90]))
def test_a_dialogue_says_the_same_however_it_is_sent(
    exchanges: list[Exchange], order: Random, step: int
) -> None:
    expected = meaning(send(exchanges, "plain", order).records)
    for way in WAYS:
        sent = send(exchanges, way, order, step=step)
        assert meaning(sent.records) == expected, way
        for found in of(TlsConnectionRecord, sent.records):
            assert (found.decrypted, found.reason) == ("yes", None)


@settings(max_examples=20, deadline=None)
@given(dialogues(), st.randoms(use_true_random=False), st.sampled_from([5, 40, 200]))
def test_an_element_is_there_with_the_packet_that_completed_its_record(
    exchanges: list[Exchange], order: Random, step: int
) -> None:
    for way in WAYS[1:]:
        sent = send(exchanges, way, order, step=step)
        elements = [
            one for one in sent.records if isinstance(one, ELEMENTS) and one.sender == "server"
        ]
        for number, (kind, _) in enumerate(exchanges):
            if kind != JSON:
                packets = [one.last_packet for one in elements if one.exchange == number]
                del packets[len(exchanges[number].pieces) :]  # the closing frame
                assert packets == [
                    at for place, at in sorted(sent.completed.items()) if place[0] == number
                ]


@settings(max_examples=20, deadline=None)
@given(dialogues(), st.randoms(use_true_random=False), st.data())
def test_a_lost_record_costs_what_it_held_and_nothing_else(
    exchanges: list[Exchange], order: Random, draw: st.DataObject
) -> None:
    number = draw.draw(st.integers(0, len(exchanges) - 1), "exchange")
    index = draw.draw(st.integers(0, len(exchanges[number].pieces) - 1), "piece")
    state, said = order.getstate(), {}
    # Of a WebSocket in the clear nothing says where the next frame begins: TLS's records do.
    for way in WAYS[exchanges[number].kind == WEBSOCKET :]:
        order.setstate(state)
        whole = send(exchanges, way, order)
        order.setstate(state)
        sent = send(exchanges, way, order, lost=(number, index))
        wanted = elements(whole.records)
        if exchanges[number].kind != JSON:
            del wanted[number][index]
        assert elements(sent.records) == wanted, way
        digests, whole_ones = bodies(sent.records)
        assert digests == {
            at: digest_of(pieces, index if at == number else None)
            for at, (kind, pieces) in enumerate(exchanges)
            if kind != WEBSOCKET
        }
        # Of which stream a lost frame was nobody knows: of HTTP/2 others may not be whole either.
        assert number not in whole_ones
        assert "http2" in way or whole_ones == digests.keys() - {number}
        gaps = of(GapRecord, sent.records)
        layers = ["tcp", "tls"] if "tls" in way else ["tcp"]
        assert sorted((one.sender, one.layer) for one in gaps) == [("server", of) for of in layers]
        assert {one.first_packet for one in gaps} == {sent.after_the_hole}
        said[way] = sorted(
            (one.exchange or 0, one.sender, one.code)
            for one in of(DiagnosticRecord, sent.records)
            if one.code not in OF_LAYERS
        )
    assert said == dict.fromkeys(said, said["tls"])


OF_LAYERS = {
    "http-resynchronised", "http2-resumed", "http2-frames-missing", "tls-resynchronised",
}  # fmt: skip
"""What is said of a hole where bytes are framed; all else is the same however they were sent."""


def digest_of(pieces: list[bytes], lost: int | None) -> str:
    return sha256(b"".join(one for at, one in enumerate(pieces) if at != lost)).hexdigest()


def bodies(records: list[Record]) -> tuple[dict[int, str], set[int]]:
    """What came of the body of each exchange, and which bodies are whole."""
    found = of(BodyRecord, records)
    return {one.exchange: one.sha256 for one in found}, {
        one.exchange for one in found if one.complete
    }


def elements(records: list[Record]) -> dict[int, list[tuple[Any, ...]]]:
    """What the server's content of each exchange is made of, in order: frames before messages."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for one in records:
        match one:
            case RequestRecord():
                found[one.exchange] = []
            case SseEventRecord() | WebSocketFrameRecord() if one.sender == "server":
                found[one.exchange].append(_shown(one) or ())
            case JsonLineRecord() | GrpcMessageRecord():
                found[one.exchange].append((one.data,))
    return found


def test_what_waits_behind_a_hole_makes_no_client_s_frame_early() -> None:
    """The server's answer came before it, though it is decoded after it."""
    exchanges = [Exchange(SSE, pieces_of(SSE, [0, 2])), Exchange(WEBSOCKET, [frame(1, b"a")])]
    for way in ("plain", "tls"):
        for lost in (0, 1):
            records = send(exchanges, way, Random(0), lost=(0, lost)).records
            faults = [one.code for one in of(DiagnosticRecord, records) if one.severity == "error"]
            assert "websocket-frame-early" not in faults
            assert [one.data for one in of(WebSocketMessageRecord, records)] == ["a", "hello"]


def test_an_event_after_a_lost_one_is_found_where_its_chunk_begins() -> None:
    for way in ("plain", "tls"):
        records = send(
            [Exchange(SSE, pieces_of(SSE, [0, 1, 2]))], way, Random(0), lost=(0, 1)
        ).records
        chunks = [one.data for one in records if isinstance(one, ChunkRecord)]
        assert chunks == ["id: 0\ndata: 0 \n\n", "id: 2\ndata: 2 éé\n\n", ""]


# --- loss of any packet of HTTP/2, of either side ---


class Call(NamedTuple):
    """A stream: what it holds, and how it ends: by its sender, its client, or the connection."""

    kind: str
    pieces: list[bytes]
    end: str


CALLED = "application/grpc"
"""gRPC itself, whose status is in trailers. JSON lines are left out here: where their head is lost,
nothing says that the content is lines. So are WebSockets: where what asks for one is lost, nothing
says that they are frames."""


@st.composite
def calls(draw: st.DrawFn) -> list[Call]:
    kinds = st.sampled_from([SSE, CALLED])
    ends = st.sampled_from(["end", "end", "reset", "connection"])
    sizes = st.lists(st.integers(0, 40), min_size=1, max_size=4)
    found = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(kinds)
        pieces = pieces_of(GRPC if kind == CALLED else kind, draw(sizes))
        found.append(Call(kind, pieces, draw(ends)))
    return found


def spoken(found: list[Call], order: Random) -> list[Line]:
    """What is said of calls: each asks when it likes, so that a head may come after any hole."""
    client, server = Speaker(), Speaker()
    lines = [Line("client", PREFACE + SETTINGS), Line("server", SETTINGS + SETTINGS_ACK)]
    left = {number: ["ask", "head", *one.pieces, one.end] for number, one in enumerate(found)}
    asked = 0  # the next one: streams begin in the order of their numbers
    while any(left.values()):
        ready = [number for number, rest in left.items() if rest and number <= asked]
        number = order.choice(ready)
        (kind, pieces, _), step, stream_id = found[number], left[number].pop(0), 2 * number + 1
        if step == "ask":
            asked += 1
            fields = [*GET[:3], (":path", f"/{number}"), ("content-type", kind)]
            lines.append(Line("client", client.head(stream_id, fields, ends=True)))
        elif step == "head":
            head = server.head(stream_id, [*OK, ("content-type", kind)])
            lines.append(Line("server", head, (number, -1)))
        elif isinstance(step, bytes):
            index = len(pieces) - len(left[number])
            lines.append(Line("server", data(stream_id, step), (number, index)))
        elif step == "reset":
            lines.append(Line("client", framed(3, 0, stream_id, (8).to_bytes(4))))
        elif step == "end" and kind == CALLED:
            lines.append(Line("server", server.head(stream_id, [("grpc-status", "0")], ends=True)))
        elif step == "end":
            lines.append(Line("server", data(stream_id, b"", ends=True)))
    return [*lines, *(Line(side, PING) for side in ("client", "server") for _ in range(2))]


def put(lines: list[Line], lost: int, *, in_tls: bool) -> list[Record]:
    """Decode what is said, in the clear or in TLS, of which one line is not captured."""
    said, source, begin = Dialogue([(one.sender, one.content) for one in lines]), None, 0
    if in_tls:
        said = sealed([(one.sender, one.content) for one in lines], alpn=("h2",))
        source = Source()
        source.log.read(said.keys)
        begin = len(said.pieces) - len(lines) - 2
    talk = Talk().open()
    for number, (sender, content) in enumerate(said.pieces):
        if number == begin + lost:
            talk.lose(sender, len(content))
        else:
            talk.segment(sender, content)
    talk.fin("client")
    talk.fin("server")
    decoder = PacketDecoder(keys=source)
    return decoder.receive(talk.tape.packets) + decoder.finish()


@settings(max_examples=25, deadline=None)
@given(calls(), st.randoms(use_true_random=False), st.booleans(), st.data())
def test_a_lost_packet_of_either_side_accuses_nobody_and_costs_what_it_held(
    found: list[Call], order: Random, in_tls: bool, draw: st.DataObject
) -> None:
    lines = spoken(found, order)
    lost = draw.draw(st.integers(0, len(lines) - 1), "lost")
    records = put(lines, lost, in_tls=in_tls)
    assert [one.summary for one in of(DiagnosticRecord, records) if one.severity == "error"] == []
    place = lines[lost].place
    for number, (kind, pieces, end) in enumerate(found):
        of_stream = [one for one in records if getattr(one, "stream_id", None) == 2 * number + 1]
        heads = sum(isinstance(one, ResponseRecord) for one in of_stream)
        assert heads == (place != (number, -1))
        got = [one for one in of_stream if isinstance(one, SseEventRecord | GrpcMessageRecord)]
        wanted = [at for at in range(len(pieces)) if place != (number, at)]
        assert len(got) == len(wanted), (kind, place)
        ended = [one.ended_by for one in of(BodyRecord, of_stream) if one.sender == "server"]
        if lines[lost].place is not None or lines[lost].sender == "client" and end == "end":
            by = {"end": "end-stream", "reset": "rst-stream", "connection": "close"}[end]
            assert ended in ([by], [])  # a stream of which nothing is left has no body
