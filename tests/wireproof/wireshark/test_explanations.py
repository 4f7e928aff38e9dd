"""Each explanation on a capture that needs it, and beside it what it must not explain."""

from __future__ import annotations

from pathlib import Path

import pytest
import zstandard
from support.beside import (
    CHUNKED,
    CHUNKS,
    DEFLATE,
    GET,
    OK,
    answered,
    deflated,
    explained,
    rows_of,
    unexplained,
    upgraded,
    without_pyshark,
)
from support.http2 import PREFACE, SETTINGS, framed
from support.talk import Talk

from wireproof.wireshark.elements import Element, Facts, Value
from wireproof.wireshark.explanations import EXPLANATIONS, Difference, explain

V4_0, V4_6 = (4, 0, 17), (4, 6, 9)


def lossy() -> bytes:
    talk = Talk().open()
    talk.client(GET, GET)
    talk.server(OK + b"Content-Length: 102\r\n\r\n")
    talk.lose("server", 100)
    talk.server(b"ab", OK + b"Content-Length: 0\r\n\r\n")
    talk.close()
    return talk.tape.file()


def malformed_frame() -> bytes:
    """A PING of seven bytes (RFC 9113 section 6.7)."""
    talk = Talk().open()
    talk.client(PREFACE + SETTINGS)
    talk.server(SETTINGS)
    talk.client(framed(6, 0, 0, b"seven ."))
    talk.close()
    return talk.tape.file()


def begun_before() -> bytes:
    """Frames after the rest of one."""
    talk = Talk().midstream()
    for at in (5, 0, 0, 0, 0):
        talk.server(framed(0, 0, 1, b"an event\n\n")[at:])
    talk.close()
    return talk.tape.file()


def two_frames() -> bytes:
    """A body of two DATA frames, with settings, a PING and its answer beside it."""
    talk = Talk().open()
    talk.client(PREFACE + framed(4, 0, 0, bytes.fromhex("000300000064")))
    talk.server(SETTINGS + framed(4, 1, 0))
    talk.client(framed(1, 5, 1, b"\x82\x84\x86\x41\x01a"), framed(6, 0, 0, b"a ping.."))
    talk.server(framed(1, 4, 1, b"\x88"), framed(6, 1, 0, b"a ping.."))
    talk.server(framed(0, 0, 1, b"one"), framed(0, 1, 1, b"two"))
    talk.client(framed(7, 0, 0, bytes(8) + b"bye"))
    talk.close()
    return talk.tape.file()


def reset_early() -> bytes:
    talk = Talk().open()
    talk.reset("client")
    talk.client(GET)
    return talk.tape.file()


def sip() -> bytes:
    agreed = b"Sec-WebSocket-Protocol: sip\r\n"
    message = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/WS x\r\nCSeq: 1 REGISTER\r\n\r\n"
    return upgraded(bytes((0x81, len(message))) + message, extensions=agreed)


def late_syn() -> bytes:
    """The SYN was stored after what it began."""
    talk = Talk().open()
    talk.client(GET)
    talk.server(OK + b"Content-Length: 2\r\n\r\nhi")
    talk.close()
    rows = talk.tape.packets
    rows.insert(2, rows.pop(0))
    return talk.tape.file()


def tunnelled() -> bytes:
    """An exchange in a tunnel that CONNECT opened."""
    talk = Talk().open()
    talk.client(b"CONNECT example:80 HTTP/1.1\r\nHost: example:80\r\n\r\n")
    talk.server(OK + b"\r\n")
    talk.client(GET)
    talk.server(CHUNKED, b"2\r\nhi\r\n", b"0\r\n\r\n")
    talk.close()
    return talk.tape.file()


def proxied() -> bytes:
    """A request in the packet of a PROXY protocol header, of version 2."""
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    header = signature + b"\x21\x11\0\x0c" + bytes(range(8)) + b"\x9c\x40\0\x50"
    talk = Talk().open()
    talk.client(header + GET)
    talk.server(OK + b"Content-Length: 2\r\n\r\nhi")
    talk.close()
    return talk.tape.file()


LONG = deflated(b"a" * (17 << 20))
"""More than what is kept of a message."""
ZSTD = zstandard.compress(b"hello" * 20)
HELLO = deflated(b"hello hello hello hello")

NEEDED = {
    "unfinished-body": answered(CHUNKED, b"3\r\nabc\r\n"),
    "behind-gap": lossy(),
    "coding-in-capitals": answered(OK + b"Transfer-Encoding: Chunked\r\n\r\n" + CHUNKS),
    "obs-fold": answered(OK + b"X: one\r\n two\r\nContent-Length: 2\r\n\r\nhi"),
    "malformed-chunks": answered(CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n"),
    "cut-at-limit": upgraded(b"\xc1\x7e" + len(LONG).to_bytes(2, "big") + LONG, extensions=DEFLATE),
    "fragmented-deflate": upgraded(
        b"\x41\x03" + HELLO[:3], bytes((0x80, len(HELLO) - 3)) + HELLO[3:], extensions=DEFLATE
    ),
    "empty-last-fragment": upgraded(b"\x01\x02hi", b"\x80\0"),
    "empty-compressed-message": upgraded(b"\xc1\x01\0", extensions=DEFLATE),
    "subprotocol": sip(),
    "file-order": late_syn(),
    "connect-tunnel": tunnelled(),
    "proxy-header": proxied(),
    "zstd": answered(
        OK + b"Content-Encoding: zstd\r\nContent-Length: %d\r\n\r\n" % len(ZSTD) + ZSTD
    ),
    "malformed-frame": malformed_frame(),
    "begun-before": begun_before(),
    "whole-body-again": two_frames(),
    "after-close": reset_early(),
}


@pytest.mark.tshark
@pytest.mark.parametrize("name", NEEDED)
def test_an_explanation_is_needed_and_enough(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pyshark(monkeypatch)
    found = rows_of(tmp_path, NEEDED[name])
    assert unexplained(found) == []
    assert name in explained(found)


def test_each_explanation_has_a_capture_or_a_public_one() -> None:
    assert {known.name for known in EXPLANATIONS} - set(NEEDED) == {
        "tls", "websocket-in-http2", "hello-lost", "late-secrets", "no-handshake-secrets",
    }  # fmt: skip


def element(kind: str, facts: Facts, end: int = 10, **values: Value) -> Element:
    return Element(kind, 0, "server", 0, 5, dict(values), facts, end=end)  # type: ignore[arg-type]


def difference(
    ours: Element | None, theirs: Element | None, field: str, our: Value = "a", their: Value = "b"
) -> Difference:
    return Difference(ours, theirs, field, our, their)


def both(kind: str, facts: Facts, field: str, our: Value = "a", their: Value = "b", **v: Value):  # type: ignore[no-untyped-def]
    return difference(element(kind, facts, **v), element(kind, Facts()), field, our, their)


def ours_only(kind: str, facts: Facts, end: int = 10) -> Difference:
    return difference(element(kind, facts, end), None, "all", "a", None)


FRAGMENTS = Facts(compressed=True, fragments=2)
CAPITALS = Facts(transfer_encoding="Chunked", shown=True)
FOLD = Facts(codes={"http-obs-fold"})
MALFORMED = Facts(codes={"chunk-size-invalid"}, shown=True)

CUT = Facts(codes={"websocket-deflate-limit"})

HOLDS: dict[str, Difference] = {
    "unfinished-body": ours_only("chunk", Facts(complete=False)),
    "behind-gap": ours_only("websocket_frame", Facts(gap=9)),
    "coding-in-capitals": ours_only("chunk", CAPITALS),
    "obs-fold": both("response", FOLD, "header 1"),
    "malformed-chunks": both("response", MALFORMED, "content"),
    "cut-at-limit": both("websocket_frame", CUT, "message"),
    "fragmented-deflate": both("websocket_frame", FRAGMENTS, "message"),
    "empty-last-fragment": both(
        "websocket_frame", Facts(fragments=2), "message", "a", None, payload_length=0
    ),
    "empty-compressed-message": both(
        "websocket_frame", Facts(compressed=True), "message", None, "\0"
    ),
    "subprotocol": both("websocket_frame", Facts(subprotocol="sip"), "message", "a", None),
    "file-order": both("connection", Facts(is_moved=True), "first_packet", 2, 1),
    "connect-tunnel": ours_only("request", Facts(in_tunnel=True)),
    "proxy-header": ours_only("request", Facts(after_proxy_header=True)),
    "zstd": both("response", Facts(content_encoding="ZSTD"), "content"),
    "tls": difference(None, element("request", Facts(in_tls=True)), "all", None, "a"),
    "malformed-frame": difference(
        None, element("http2_frame", Facts(codes={"http2-ping-invalid"})), "all", None, "a"
    ),
    "begun-before": ours_only("http2_frame", Facts(midstream=True)),
    "websocket-in-http2": ours_only("websocket_frame", Facts(stream_id=1)),
    "whole-body-again": both("http2_frame", Facts(), "data", "b", "ab", end_stream=1),
    "hello-lost": ours_only("http2_frame", Facts(in_tls=True, has_hellos=False)),
    "late-secrets": ours_only("http2_frame", Facts(in_tls=True, late_secrets=True)),
    "no-handshake-secrets": ours_only("request", Facts(in_tls=True, has_handshake=False)),
    "after-close": difference(None, element("request", Facts(is_later=True)), "all", None, "a"),
}

NEAR_MISSES: list[tuple[str, Difference]] = [
    (
        "a frame without a fault",
        difference(None, element("http2_frame", Facts()), "all", None, "a"),
    ),
    ("a message that began before", ours_only("websocket_frame", Facts(midstream=True))),
    ("a record whose beginning is there", ours_only("tls_record", Facts())),
    ("whole body", ours_only("chunk", Facts())),
    ("unfinished, but shown", ours_only("chunk", Facts(complete=False, shown=True))),
    ("unfinished frame", ours_only("websocket_frame", Facts(complete=False))),
    ("unfinished, a value differs", both("response", Facts(complete=False), "status")),
    ("only Wireshark has it", difference(None, element("chunk", Facts(complete=False)), "all")),
    ("before the gap", ours_only("websocket_frame", Facts(gap=10))),
    ("after the gap, but it differs", both("chunk", Facts(gap=0), "size")),
    ("coding in small letters", ours_only("chunk", Facts(transfer_encoding="chunked", shown=True))),
    ("another coding", ours_only("chunk", Facts(transfer_encoding="Gzip"))),
    ("coding in capitals, status", both("response", CAPITALS, "status")),
    ("coding in capitals, chunk seen", both("chunk", CAPITALS, "size")),
    ("coding in capitals, frame", both("websocket_frame", CAPITALS, "content")),
    ("folded, status", both("response", FOLD, "status")),
    ("another fault, header", both("response", Facts(codes={"http-bare-lf"}), "header 1")),
    ("malformed chunks, status", both("response", MALFORMED, "status")),
    ("malformed chunks, size", both("chunk", MALFORMED, "size")),
    ("malformed chunks, frame", both("websocket_frame", MALFORMED, "content")),
    ("chunk extension", both("response", Facts(codes={"chunk-extension-invalid"}), "content")),
    ("cut at a limit, length", both("websocket_frame", CUT, "payload_length")),
    ("cut at a limit, unseen", ours_only("websocket_frame", CUT)),
    ("whole compressed message", both("websocket_frame", Facts(compressed=True), "message")),
    ("plain fragments", both("websocket_frame", Facts(fragments=2), "message", payload_length=1)),
    ("compressed fragments, opcode", both("websocket_frame", FRAGMENTS, "opcode")),
    (
        "last fragment of one byte",
        both("websocket_frame", Facts(fragments=2), "message", "a", None, payload_length=1),
    ),
    (
        "empty last fragment, other text",
        both("websocket_frame", Facts(fragments=2), "message", "a", "b", payload_length=0),
    ),
    ("empty frame", both("websocket_frame", Facts(), "message", "a", None, payload_length=0)),
    ("NUL, not compressed", both("websocket_frame", Facts(), "message", None, "\0")),
    (
        "compressed, other text",
        both("websocket_frame", Facts(compressed=True), "message", None, "a"),
    ),
    (
        "subprotocol, other text",
        both("websocket_frame", Facts(subprotocol="sip"), "message", "a", "b"),
    ),
    ("no subprotocol", both("websocket_frame", Facts(), "message", "a", None)),
    ("another order, status", both("response", Facts(is_moved=True), "status", 200, 404)),
    ("another packet, order as stored", both("request", Facts(), "first_packet", 2, 1)),
    ("in a tunnel, status", both("response", Facts(in_tunnel=True), "status", 200, 404)),
    ("after a PROXY header, status", both("response", Facts(after_proxy_header=True), "status")),
    ("gzip", both("response", Facts(content_encoding="gzip"), "content")),
    ("zstd, status", both("response", Facts(content_encoding="zstd"), "status")),
    ("data of a frame that ends nothing", both("http2_frame", Facts(), "data", end_stream=0)),
    ("size of the last frame", both("http2_frame", Facts(), "size", end_stream=1)),
    ("a record, with secrets late", ours_only("tls_record", Facts(late_secrets=True))),
    ("a frame in the clear", ours_only("http2_frame", Facts(has_handshake=False))),
    ("not in TLS", difference(None, element("request", Facts()), "all", None, "a")),
    ("in TLS, ours", ours_only("request", Facts(in_tls=True))),
]


@pytest.mark.parametrize("name", HOLDS)
def test_an_explanation_holds(name: str) -> None:
    known = explain(HOLDS[name], V4_0)
    assert known is not None
    assert known.name == name
    assert known.reason
    assert known.versions().startswith("tshark 4.0 and later")


def test_every_explanation_is_tested() -> None:
    assert [known.name for known in EXPLANATIONS] == list(HOLDS)


@pytest.mark.parametrize(
    "found", [case[1] for case in NEAR_MISSES], ids=[case[0] for case in NEAR_MISSES]
)
def test_a_near_miss_stays_unexplained(found: Difference) -> None:
    assert explain(found, V4_0) is None


@pytest.mark.parametrize("name", ["fragmented-deflate", "zstd"])
def test_what_a_newer_wireshark_can_do_is_not_explained(name: str) -> None:
    assert explain(HOLDS[name], V4_6) is None
    (known,) = [known for known in EXPLANATIONS if known.name == name]
    assert known.versions() == "tshark 4.0 and later, before 4.2"


@pytest.mark.parametrize(
    ("field", "our", "their", "total", "is_explained"),
    [
        ("packets", 4, 6, 6, True),
        ("packets", 4, 7, 7, False),
        ("last_packet", 9, 12, 6, True),
        ("last_packet", 9, 12, 7, False),
        ("first_packet", 1, 2, 6, False),
    ],
)
def test_packets_after_a_close_are_counted(
    field: str, our: int, their: int, total: int, is_explained: bool
) -> None:
    ours = element("connection", Facts(later_packets=2), packets=4)
    theirs = element("connection", Facts(), packets=total)
    known = explain(difference(ours, theirs, field, our, their), V4_0)
    assert (known is not None) == is_explained


def test_an_open_connection_has_no_packets_after_its_close() -> None:
    ours, theirs = (element("connection", Facts(), packets=n) for n in (4, 6))
    assert explain(difference(ours, theirs, "packets", 4, 6), V4_0) is None
    assert explain(ours_only("connection", Facts(later_packets=1)), V4_0) is None
