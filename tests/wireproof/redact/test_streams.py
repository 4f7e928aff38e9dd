"""Parts of streams that no record tells of."""

from __future__ import annotations

import pytest
from support.attack import request, response
from support.http2 import GET, OK, Http2Talk, data
from support.talk import Talk
from support.websocket_frames import KEY as MASKING_KEY
from support.websocket_frames import frame

from parsers.files.packets import Packet
from wireproof.redact.frames import CUT_NAMES, FrameMasks

KEY = "sk-proj-abcdefghijklmnop"


def masked(packets: list[Packet], policy="all") -> bytes:
    masks = FrameMasks(policy)
    masks.add(packets)
    masks.end()
    return b"".join(map(masks.masked, packets))


def test_a_head_that_is_cut_off() -> None:
    talk = Talk().open()
    talk.client(request("/", "Authorization: Bearer abcdefghij")[:-8])
    found = masked(talk.tape.packets, "headers")
    assert b"abcdef" not in found and b"Authorization: Bearer " in found


def test_a_chunk_that_is_cut_off() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(response("200 OK", "Transfer-Encoding: chunked"), b"ff\r\nmy " + KEY.encode())
    found = masked(talk.tape.packets)
    assert b"abcdef" not in found and b"ff\r\nmy *" in found


@pytest.mark.parametrize("key", [None, MASKING_KEY])
def test_a_frame_that_is_cut_off(key: bytes | None) -> None:
    talk = Talk().open()
    switch = ("Upgrade: websocket", "Connection: Upgrade")
    talk.client(request("/", *switch, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    talk.server(response("101 Switching Protocols", *switch))
    whole = frame(1, f"my {KEY} and more".encode(), key=key)
    (talk.server if key is None else talk.client)(whole[:-3])
    found = masked(talk.tape.packets)
    expected = frame(1, f"my {'*' * len(KEY)} and more".encode(), key=key)
    assert expected[:-3] in found and whole[6:20] not in found


def test_a_body_larger_than_what_waits_is_looked_at_as_it_comes() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(response("200 OK", "Content-Length: 3000000"))
    for _ in range(60):
        talk.server(b"x " * 25_000)
    talk.server(f"key {KEY}".encode())
    assert b"abcdef" not in masked(talk.tape.packets)


def test_unknown_protocols_are_looked_at() -> None:
    talk = Talk().open()
    talk.client(f"AUTH api_key={KEY}\n".encode())
    assert b"abcdef" not in masked(talk.tape.packets)


LOST = [
    (b"GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key:", b" Zq7vLw9xKt3nPb", b"\r\n\r\n"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX-A", b"Zq7vLw9xKt3nPb", b"\r\n\r\n"),
    (b'HTTP/1.1 200 OK\r\nContent-Length: 46\r\n\r\n{"password":"', b"Zq7vLw9xKt3nPb", b'"}'),
    (b"\x01 password=", b"Zq7vLw9xKt3nPb", b"&a=b"),
]


@pytest.mark.parametrize(("before", "after", "end"), LOST)
def test_what_follows_a_hole_may_be_the_rest_of_a_secret(
    before: bytes, after: bytes, end: bytes
) -> None:
    talk = Talk().open()
    talk.client(before)
    talk.lose("client", 10)
    talk.client(after + end)
    found = masked(talk.tape.packets)
    assert before in found and after.strip() not in found and found.endswith(end)


SIGNS = [
    ("GET /a?user=b&api_key", "=", "Zq7vLw9xKt3nPb", "&z=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n" + '{"a":"b","password',
        '":"', "Zq7vLw9xKt3nPb", '","c":1}',
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 29\r\n\r\na=b&client_secret",
        "=", "Zq7vLw9xKt", "&",
    ),
    ("\x01 password", "=", "Zq7vLw9xKt3nPb", "&a=b"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "sign", "secret", "end"), SIGNS)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_hole_that_takes_the_sign_alone(
    before: str, sign: str, secret: str, end: str, is_one_batch: bool
) -> None:
    talk = Talk().open()
    is_answer = before.startswith("HTTP")
    if is_answer:
        talk.client(request("/"))
    say = talk.server if is_answer else talk.client
    say(before.encode())
    talk.lose("server" if is_answer else "client", len(sign))
    say((secret + end).encode())
    talk.close()
    masks = FrameMasks("all")
    for packets in [talk.tape.packets] if is_one_batch else [[one] for one in talk.tape.packets]:
        masks.add(packets)
    masks.end()
    found = b"".join(map(masks.masked, talk.tape.packets))
    assert secret.encode() not in found and before.encode() in found and end.encode() in found
    assert masks.not_looked_into[CUT_NAMES] == 1  # for it may have held another name


def test_a_large_hole_in_a_websocket_is_told() -> None:
    talk = Talk().open()
    switch = ("Upgrade: websocket", "Connection: Upgrade")
    talk.client(request("/", *switch, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    talk.server(response("101 Switching Protocols", *switch), frame(1, b"password"))
    talk.lose("server", 100_000)
    talk.server(b"abc")
    talk.close()
    masks = FrameMasks("all")
    masks.add(talk.tape.packets)
    masks.end()
    assert masks.not_looked_into[CUT_NAMES] == 1


def test_a_hole_in_http2_is_told() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, OK), data(1, b'{"passwo'))
    talk.talk.lose("server", 12)
    talk.say("server", data(1, b'rd":"a"}'))
    masks = FrameMasks("all")
    masks.add(talk.packets())
    masks.end()
    assert masks.not_looked_into[CUT_NAMES]


def test_a_large_hole_in_content_is_told() -> None:
    talk = Talk().open()
    talk.client(request("/"))
    talk.server(response("200 OK", "Content-Length: 300000"), b"password")
    talk.lose("server", 100_000)
    talk.server(b"abc")
    talk.close()
    masks = FrameMasks("all")
    masks.add(talk.tape.packets)
    masks.end()
    assert masks.not_looked_into[CUT_NAMES] == 1


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("hooks.slack-gov.com", "/services/T012AB3CD/B012AB3CD/{}"),
        ("p12-caldav.icloud.com", "/published/2/MTc5MjQx{}"),
        ("hooks.slack.com", "/services/T012AB3CD/B012AB3CD/{}"),
        ("hook.eu1.make.com", "/{}"),
        ("discord.com:443", "/api/webhooks/123456789012345678/{}"),
        ("hc-ping.com", "/{}/start"),
        ("other.example", "/hooks/{}"),
    ],
)
def test_the_path_of_a_webhook_is_secret_by_its_host(host: str, target: str) -> None:
    secret = "Zq7vLw9xKt3nPb5sRm2h"
    talk = Talk().open()
    head = f"POST {target.replace('{}', secret)} HTTP/1.1\r\nHost: {host}\r\n\r\n"
    talk.client(head.encode())
    talk.close()
    found = masked(talk.tape.packets)
    assert secret.encode() not in found and f" HTTP/1.1\r\nHost: {host}\r\n".encode() in found


@pytest.mark.parametrize(
    "line",
    [
        "GET /x?token={} HTTP/1.1\r\n",
        "GET /x?a=1&token={}&b=2 HTTP/1.1\r\n",
        "GET http://anna:{}@h.example/ HTTP/1.1\r\n",
        "HTTP/1.1 401 token={}\r\n",
    ],
)
def test_a_start_line_is_looked_at_wherever_the_capture_cuts_it(line: str) -> None:
    secret = "Zx9qLw7Rt2Vb5Nm8Kp3Dh6"
    data = line.format(secret).encode()
    whole = data + b"Host: a\r\n\r\n"
    for size in range(data.index(secret.encode()) + 13, len(whole)):
        talk = Talk().open()
        if line.startswith("GET"):
            talk.client(whole)
        else:
            talk.client(request("/"))
            talk.server(whole)
        number, time_ns, link_type, length, frame = talk.tape.packets[-1]
        cut = frame[: len(frame) - len(whole) + size]
        talk.tape.packets[-1] = (number, time_ns, link_type, length, cut)
        assert secret[:12].encode() not in masked(talk.tape.packets), size
