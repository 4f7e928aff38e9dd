"""Upgrades that are asked for and not granted, and frames that come before the answer."""

from __future__ import annotations

import gzip
import json

import pytest
from support.http1 import of
from support.talk import Talk, kinds
from support.timed import HANDSHAKE, SWITCHING
from support.websocket_frames import KEY, frame

from parsers.limits import MAX_REFUSAL
from parsers.records import DiagnosticRecord, ResponseRecord, WebSocketFrameRecord


def answered(answer: bytes, request: bytes = HANDSHAKE, *, keep_data: bool = True) -> list[str]:
    """What is said of a refusal, without its name."""
    talk = Talk().open()
    talk.client(request)
    talk.server(answer)
    talk.close()
    faults = of(DiagnosticRecord, talk.tape.records(keep_data=keep_data))
    assert {fault.code for fault in faults} <= {"http-upgrade-refused", "http-tunnel-refused"}
    return [fault.summary.partition(": ")[2] for fault in faults]


def response(status: str, body: bytes, fields: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (
        status.encode(), len(body), fields, body,
    )  # fmt: skip


STATUS = json.dumps({"kind": "Status", "code": 400, "message": "Upgrade request required"}).encode()
ASKED = "websocket was asked for, "


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("400 Bad Request", STATUS, "400 Bad Request came: 'Upgrade request required'"),
        ("403 Oh", b'{"error": {"code": 1, "message": "no\\nway"}}', "403 Oh came: 'no way'"),
        ("422 Oh", b'{"detail": [{"msg": "Field required"}]}', "422 Oh came: 'Field required'"),
        ("400 Oh", b"missing Sec-WebSocket-Key\n", "400 Oh came: 'missing Sec-WebSocket-Key'"),
        ("502 Bad Gateway", b"<html><head><title>502 Bad Gateway</title></head></html>",
         "502 Bad Gateway came: '502 Bad Gateway'"),
        ("404 Not Found", b"<p>no <b>such</b> page</p>", "404 Not Found came: 'no such page'"),
        ("200 OK", b"hello", "200 OK came: 'hello'"),
        ("426 Upgrade Required", b"", "426 Upgrade Required came"),
        ("500 Oops", b'{"error": [[[[["deep"]]]]]}',
         """500 Oops came: '{"error": [[[[["deep"]]]]]}'"""),
        ("500 Oops", b"[7, 8]", "500 Oops came: '[7, 8]'"),
        ("500 Oops", b'{"code": 7}', """500 Oops came: '{"code": 7}'"""),
        ("500 Oops", b"a\0b", "500 Oops came"),
        ("500 Oops", b"[" * 3_000, f"500 Oops came: '{'[' * 160}'..."),
        ("500 Oops", b"\x1b[2J\xe2\x80\xae", r"500 Oops came: '\x1b[2J\u202e'"),
    ],
)  # fmt: skip
def test_the_reason_is_said(status: str, body: bytes, said: str) -> None:
    assert answered(response(status, body)) == [ASKED + said]


def test_the_reason_is_undone_of_its_codings() -> None:
    answer = response("400 Bad Request", gzip.compress(STATUS), b"Content-Encoding: gzip\r\n")
    assert answered(answer) == [ASKED + "400 Bad Request came: 'Upgrade request required'"]
    chunked = (
        b"HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n2\r\n, \r\n0\r\n\r\n"
    )
    assert answered(chunked) == [ASKED + "400 No came: 'no,'"]
    closing = b"HTTP/1.1 400 No\r\nConnection: close\r\n\r\nwhy"
    assert answered(closing) == [ASKED + "400 No came: 'why'"]


def test_a_redirection_says_where_to() -> None:
    answer = response("301 Moved Permanently", b"<p>Moved</p>", b"Location: https://a/ws\r\n")
    assert answered(answer) == [ASKED + "301 Moved Permanently came: 'https://a/ws'"]


@pytest.mark.parametrize(
    ("status", "fields", "body", "said"),
    [
        ("407 Proxy Authentication Required", b'Proxy-Authenticate: Basic realm="p"\r\n', b"<p>No",
         """407 Proxy Authentication Required came: 'Proxy-Authenticate: Basic realm="p"'"""),
        ("403 Forbidden", b"", b"<title>Not allowed</title>", "403 Forbidden came: 'Not allowed'"),
        ("502 Bad Gateway", b"", b"", "502 Bad Gateway came"),
        ("302 Found", b"Location: http://login/\r\n", b"", "302 Found came: 'http://login/'"),
    ],
)  # fmt: skip
def test_a_tunnel_that_is_refused(status: str, fields: bytes, body: bytes, said: str) -> None:
    connect = b"CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n"
    assert answered(response(status, body, fields), connect) == ["to db.example:5432, " + said]


def test_another_version_is_the_reason() -> None:
    fields = b"Sec-WebSocket-Version: 13, 8\r\n"
    old = HANDSHAKE.replace(b"Version: 13", b"Version: 7")
    said = "426 Upgrade Required came: 'Sec-WebSocket-Version: 13, 8'"
    assert answered(response("426 Upgrade Required", b"", fields), old) == [ASKED + said]
    same = response("400 No", b"why", b"Sec-WebSocket-Version: 13\r\n")
    assert answered(same) == [ASKED + "400 No came: 'why'"]


def test_the_reason_is_bounded_and_left_out_with_the_data() -> None:
    (said,) = answered(response("400 No", b"x" * 3 * MAX_REFUSAL))
    assert said.endswith(f"'{'x' * 160}'...")
    assert answered(response("400 No", b"secret"), keep_data=False) == [ASKED + "400 No came"]


def test_other_protocols_are_named() -> None:
    exec_ = HANDSHAKE.replace(b"Upgrade: websocket", b"Upgrade: SPDY/3.1")
    assert answered(response("403 No", b""), exec_) == ["SPDY/3.1 was asked for, 403 No came"]


def test_what_is_asked_for_on_the_way_may_be_passed_over() -> None:
    h2c = HANDSHAKE.replace(b"Upgrade: websocket", b"Upgrade: h2c")
    assert answered(response("200 OK", b"hello"), h2c) == []
    assert answered(response("200 OK", b"hello"), HANDSHAKE.replace(b"Upgrade", b"X-Up")) == []


def test_what_was_granted_is_not_refused() -> None:
    assert answered(SWITCHING) == []
    assert answered(b"HTTP/1.1 100 Continue\r\n\r\n" + SWITCHING) == []


# --- before the answer ---

TEXT = frame(1, b"early", key=KEY)


@pytest.mark.parametrize("apart", [False, True])
def test_frames_before_the_answer(apart: bool) -> None:
    talk = Talk().open()
    sent = talk.client(HANDSHAKE, TEXT) if apart else talk.client(HANDSHAKE + TEXT)
    talk.server(SWITCHING)
    talk.client(TEXT)
    records = talk.tape.records()
    (fault,) = of(DiagnosticRecord, records)
    assert (fault.code, fault.sender, fault.offset, fault.length) == (
        "websocket-frame-early", "client", len(HANDSHAKE), len(TEXT),
    )  # fmt: skip
    assert (fault.first_packet, fault.last_packet, fault.exchange) == (sent, sent, 0)
    assert fault.last_time < of(ResponseRecord, records)[0].first_time
    assert len(of(WebSocketFrameRecord, records)) == 2


def test_frames_after_the_answer_are_in_time() -> None:
    talk = Talk().open()
    talk.client(HANDSHAKE)
    talk.server(SWITCHING + frame(1, b"first"))  # the server may speak at once
    talk.client(TEXT)
    assert "websocket-frame-early" not in kinds(talk.tape.records())


def test_frames_before_a_refusal_are_surplus_bytes() -> None:
    talk = Talk().open()
    talk.client(HANDSHAKE, TEXT)
    talk.server(response("400 No", b""))
    talk.close()
    faults = of(DiagnosticRecord, talk.tape.records())
    assert [(fault.code, fault.sender, fault.exchange) for fault in faults] == [
        ("http-surplus", "client", 0),
        ("http-upgrade-refused", "server", 0),
    ]
