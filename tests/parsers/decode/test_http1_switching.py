"""Switches of protocol: WebSockets, tunnels, h2c, and those that are refused."""

from __future__ import annotations

from support.http1 import of
from support.http1_talk import (
    CONNECT,
    GET,
    HEAD,
    OK,
    POST,
    SWITCHING,
    UPGRADE,
    only_protocol,
    pairs,
    said,
)
from support.talk import Talk, decoded, kinds
from support.websocket_frames import KEY, Compressor, deflated, frame

from parsers.records import (
    BodyRecord,
    DiagnosticRecord,
    GapRecord,
    ResponseRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"


def test_a_switch_to_websocket() -> None:
    records = said(
        ("client", UPGRADE),
        ("server", SWITCHING),
        ("client", frame(1, b"Hello", key=KEY)),
        ("server", frame(1, b"Hel", fin=False) + frame(9, b"?") + frame(0, b"lo")),
    )
    assert only_protocol(records) == "websocket"
    assert of(ResponseRecord, records)[0].framing == "upgrade"
    frames = of(WebSocketFrameRecord, records)
    assert [(found.sender, found.opcode) for found in frames] == [
        ("client", 1),
        *(("server", opcode) for opcode in (1, 9, 0)),
    ]
    assert frames[0].masking_key == KEY.hex()
    messages = of(WebSocketMessageRecord, records)
    assert [(found.data, found.frames) for found in messages] == [("Hello", 1), ("Hello", 2)]
    assert {found.exchange for found in frames + messages} == {0}
    assert messages[1].offset == len(SWITCHING)
    assert of(DiagnosticRecord, records) == []


def test_frames_that_came_before_the_answer_are_held() -> None:
    early = frame(1, b"Hello", key=KEY)
    records = said(
        ("client", UPGRADE + early + early),
        ("server", SWITCHING + frame(1, b"Hello")),
    )
    messages = of(WebSocketMessageRecord, records)
    assert [found.sender for found in messages] == ["client", "client", "server"]
    assert [found.offset for found in messages] == [
        len(UPGRADE),
        len(UPGRADE + early),
        len(SWITCHING),
    ]


def test_a_client_that_left_before_the_answer_left_its_frame_unfinished() -> None:
    talk = Talk().open()
    talk.client(UPGRADE + frame(1, b"Hello", key=KEY)[:-2])
    talk.fin("client")
    talk.server(SWITCHING)
    early, fault = of(DiagnosticRecord, talk.tape.records())
    assert early.code == "websocket-frame-early"
    assert (fault.code, fault.sender) == ("websocket-frame-cut", "client")


def test_two_exchanges_before_a_switch() -> None:
    """The WebSocket belongs to its handshake's exchange, in both directions."""
    records = said(
        *(("client", GET), ("server", OK)) * 2,
        ("client", UPGRADE),
        ("server", SWITCHING + frame(2, b"\xff")),
        ("client", frame(2, b"\xfe", key=KEY)),
    )
    assert pairs(records)[-1] == ("101", 2)
    messages = of(WebSocketMessageRecord, records)
    assert [(found.sender, found.exchange, found.encoding) for found in messages] == [
        ("server", 2, "base64"),
        ("client", 2, "base64"),
    ]


def test_requests_before_a_switch_that_were_not_answered_yet() -> None:
    records = said(
        ("client", GET + UPGRADE + frame(1, b"a", key=KEY)),
        ("server", OK + SWITCHING + frame(1, b"b")),
    )
    assert [found.exchange for found in of(WebSocketFrameRecord, records)] == [1, 1]


def test_permessage_deflate() -> None:
    """RFC 7692: each direction has its own window."""
    client, server = Compressor(), Compressor()
    text = b"the same words again and again"
    records = said(
        ("client", UPGRADE[:-2] + DEFLATE),
        ("server", SWITCHING[:-2] + DEFLATE),
        ("client", b"".join(frame(1, client(text), rsv=4, key=KEY) for _ in range(2))),
        ("server", b"".join(frame(1, server(text), rsv=4) for _ in range(2)) + frame(1, text)),
    )
    messages = of(WebSocketMessageRecord, records)
    assert [found.data for found in messages] == [text.decode()] * 5
    assert [found.compressed for found in messages] == [True] * 4 + [False]
    assert [found.size for found in messages] == [len(text)] * 5
    frames = of(WebSocketFrameRecord, records)
    assert frames[1].payload_length < frames[0].payload_length == len(deflated(text))


def test_faults_of_the_handshake() -> None:
    wrong = SWITCHING.replace(b"s3pP", b"AAAA") + frame(1, b"Hello")
    records = said(("client", UPGRADE.replace(b"Version: 13", b"Version: 8")), ("server", wrong))
    faults = of(DiagnosticRecord, records)
    assert {fault.code for fault in faults} == {
        "websocket-accept-wrong",
        "websocket-version-unsupported",
    }
    for fault in faults:
        assert (fault.sender, fault.exchange, fault.offset) == ("server", 0, 0)
        assert fault.length == len(SWITCHING)
    assert of(WebSocketMessageRecord, records)[0].data == "Hello"


def test_a_handshake_whose_request_was_not_captured() -> None:
    talk = Talk().midstream()
    talk.server(SWITCHING, frame(1, b"Hello"))
    talk.client(frame(1, b"Hello", key=KEY))
    records = talk.tape.records()
    assert only_protocol(records) == "websocket"
    senders = [found.sender for found in of(WebSocketMessageRecord, records)]
    assert senders == ["server", "client"]
    codes = [fault.code for fault in of(DiagnosticRecord, records)]
    assert not [code for code in codes if code.startswith("websocket-")], codes


def test_the_first_frame_stands_at_its_offset_though_no_request_came() -> None:
    """Its segment may be put aside already when the switch is read."""
    talk = Talk().open()
    talk.server(SWITCHING)
    talk.client(frame(1, b"hi", key=KEY))
    for batch in (1, 100):
        (found,) = of(WebSocketFrameRecord, decoded(talk.tape.packets, batch=batch))
        assert (found.sender, found.offset, found.length, found.data) == ("client", 0, 8, "hi")


def test_a_switch_that_is_refused() -> None:
    """What the client sent after its request was HTTP all the time."""
    refusal = b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"
    records = said(("client", UPGRADE + POST + HEAD + GET), ("server", refusal + OK + OK[:-2] + OK))
    assert pairs(records) == [
        *(("/ws", 0), ("/", 1), ("/", 2), ("/", 3)),
        *(("426", 0), ("200", 1), ("200", 2), ("200", 3)),
    ]
    bodies = [(found.sender, found.exchange, found.size) for found in of(BodyRecord, records)]
    assert bodies == [("client", 1, 4), ("server", 0, 0), ("server", 1, 2), ("server", 3, 2)]
    assert kinds(of(DiagnosticRecord, records)) == ["http-upgrade-refused"]
    assert only_protocol(records) == "http/1.1"


def test_a_refusal_before_anything_else_was_sent() -> None:
    records = said(("client", UPGRADE), ("server", OK), ("client", UPGRADE), ("server", SWITCHING))
    assert pairs(records) == [("/ws", 0), ("200", 0), ("/ws", 1), ("101", 1)]
    assert only_protocol(records) == "websocket"


def test_a_refusal_before_the_request_has_ended() -> None:
    head = UPGRADE[:-2] + b"Content-Length: 4\r\n\r\n"
    refusal = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
    records = said(
        ("client", head + b"da"),
        ("server", refusal),
        ("client", b"ta" + GET),
        ("server", OK),
    )
    assert pairs(records) == [("/ws", 0), ("413", 0), ("/", 1), ("200", 1)]
    assert kinds(of(DiagnosticRecord, records)) == ["http-upgrade-refused"]


def test_a_tunnel() -> None:
    """RFC 9110 section 9.3.6: after a 2xx response to CONNECT a stream of its own follows."""
    accepted = b"HTTP/1.1 200 Connection established\r\n\r\n"
    records = said(("client", CONNECT + GET), ("server", accepted + OK), ("client", GET))
    early, *further = pairs(records)[1:]
    assert (early, further) == (("/", 1), [("200", 0), ("200", 1), ("/", 2)])
    assert of(ResponseRecord, records)[0].framing == "upgrade"
    assert only_protocol(records) == "http/1.1"


def test_a_tunnel_that_is_refused() -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    records = said(("client", CONNECT), ("server", refusal), ("client", GET), ("server", OK))
    assert pairs(records) == [("a:443", 0), ("407", 0), ("/", 1), ("200", 1)]


def test_h2c() -> None:
    """RFC 7540 section 3.2: what follows is HTTP/2, with the request in its first stream."""
    settings = bytes.fromhex("000000040000000000")
    asked = GET[:-2] + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    switching = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    records = said(
        ("client", asked + b"HTTP2-Settings: AAMAAABk\r\n\r\n"),
        ("server", switching + settings),
        ("client", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings),
    )
    assert kinds(records) == [
        "request",
        "response",
        "http2_frame",
        "http2-stream-cut",
        "http2_frame",
        "connection",
    ]
    assert only_protocol(records) == "http/2"


def test_a_switch_to_an_unknown_protocol() -> None:
    """Its bytes are not decoded, but have rows, and what the capture lacks of them is counted."""
    talk = Talk().open()
    talk.client(UPGRADE.replace(b"websocket", b"tcp"))
    talk.server(SWITCHING.replace(b"websocket", b"tcp"), b"raw")
    talk.client(b"raw")
    talk.lose("client", 5)
    talk.client(b"raw")
    talk.close()
    records = talk.tape.records()
    rows = ["data", "switch-not-decoded", "data", "gap", "data"]
    assert kinds(records) == ["request", "response", *rows, "switch-not-decoded", "connection"]
    (gap,) = of(GapRecord, records)
    assert (gap.sender, gap.missing, gap.exchange) == ("client", 5, 0)
    assert only_protocol(records) == "http/1.1"
