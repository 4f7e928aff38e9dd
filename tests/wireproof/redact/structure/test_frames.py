"""What becomes of frames, streams in HTTP/1.1, WebSocket and HTTP/2 among them."""

from __future__ import annotations

from contextlib import closing

import pytest
from scapy.layers.inet import GRE, IP, TCP, IPOption
from scapy.layers.l2 import Ether
from support.attack import chunk, request, response
from support.frames import fragments, ipv4, tcp
from support.http2 import EVENTS, GET, OK, Http2Talk, data, framed
from support.talk import Talk, Tape, decoded
from support.websocket_frames import KEY, deflated, frame

from parsers.files.packets import Packet
from parsers.records import Record
from wireproof.redact.rules import Rules
from wireproof.redact.structure.frames import MAX_KEPT, StructureMasks

SWITCH = (
    *("Connection: Upgrade", "Upgrade: websocket"),
    "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==",
)


def masked(packets: list[Packet], at_once: int = 1_000) -> list[bytes]:
    with closing(StructureMasks(Rules("structure"))) as masks:
        for start in range(0, len(packets), at_once):
            masks.add(packets[start : start + at_once])
        masks.end()
        if masks.needs_sums:
            masks.begin_sums()
            masks.sum_up(packets)
        assert list(masks.changed) == [packet[0] for packet in packets]
        return [masks.masked(packet) for packet in packets]


def records(packets: list[Packet]) -> list[Record]:
    tape = Tape()
    tape.packets = [
        (*packet[:4], data) for packet, data in zip(packets, masked(packets), strict=True)
    ]
    return tape.records()


@pytest.mark.parametrize("at_once", [1, 3, 1_000])
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_the_same_wherever_it_is_cut(at_once: int, size: int) -> None:
    said = response("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")
    said += chunk(b'id: 1\ndata: {"content": "secret"}\n\n') + chunk(b"data: secret\n")
    said += chunk(b"\n") + b"0;x=y\r\nX-Secret: secret\r\n\r\n"
    talk = Talk().open()
    talk.client(request("/secret"))
    talk.server(*(said[at : at + size] for at in range(0, len(said), size)))
    talk.close()
    payload = b"".join(frame[54:] for frame in masked(talk.tape.packets, at_once))
    events = chunk(b'id: 1\ndata: {"content": "******"}\n\n') + chunk(b"data: ******\n")
    for text in (
        events + chunk(b"\n") + b"0;***\r\n********: ******\r\n\r\n",
        b"GET /****** HTTP/1.1\r\nHost: *",
    ):
        assert text in payload


def test_what_comes_again_is_as_it_was() -> None:
    talk = Talk().open()
    number = talk.client(request("/secret"))
    talk.tape.add(talk.tape.packets[number - 1][4])
    found = masked(talk.tape.packets)
    assert found[-1] == found[number - 1]
    assert b"HTTP/1.1" in found[-1] and b"secret" not in found[-1]


def test_what_comes_again_much_later_is_masked_whole() -> None:
    talk = Talk().open()
    number = talk.client(request("/secret", f"Content-Length: {MAX_KEPT * 2}", method="POST"))
    for _ in range(MAX_KEPT // 10_000 * 2):
        talk.client(b"x" * 10_000)
    talk.tape.add(talk.tape.packets[number - 1][4])
    found = masked(talk.tape.packets, 5)
    assert set(found[-1][54:]) == {ord("*")}


def test_fragments_of_a_segment_are_put_together_again() -> None:
    talk = Talk().open()
    whole = talk.frame("client", request("/secret"))
    for part in fragments(whole, 16):
        talk.tape.add(part)
    (found,) = [one for one in records(talk.tape.packets) if one.record == "request"]
    assert found.target == "/******"


def test_frames_of_a_websocket() -> None:
    talk = Talk().open()
    talk.client(request("/ws", *SWITCH))
    accept = "Sec-WebSocket-Accept: C/0nmHhBztSRGR1CwL6Tf4ZjwpY="
    extension = "Sec-WebSocket-Extensions: permessage-deflate"
    talk.server(response("101 Switching Protocols", *SWITCH[:2], accept, extension))
    talk.client(frame(1, b'{"type":"ping","x":"secret"}', key=KEY))
    talk.client(frame(1, b'{"text":"sec', fin=False, key=KEY), frame(0, b'ret"}', key=KEY))
    talk.client(frame(2, b"secret", key=KEY), frame(9, b"secret", key=KEY))
    talk.server(frame(10, b"secret"), frame(1, deflated(b"secret secret"), rsv=4))
    talk.server(frame(8, b"\x03\xe8secret"))
    found = records(talk.tape.packets)
    texts = [one.data for one in found if one.record == "websocket_message"]
    assert texts[:3] == ['{"type":"ping","*":"******"}', '{"text":"******"}', "******"]
    assert not texts[3].strip("*")
    ping, pong = (one.data for one in found if getattr(one, "opcode", 0) in (9, 10))
    assert ping == pong != "******"
    (closed,) = [one for one in found if getattr(one, "opcode", 0) == 8]
    assert (closed.close_code, closed.close_reason) == (1000, "******")
    assert "secret" not in repr(found)


@pytest.mark.parametrize("key", [None, KEY])
def test_a_frame_that_is_cut_off(key: bytes | None) -> None:
    talk = Talk().open()
    talk.client(request("/ws", *SWITCH))
    talk.server(response("101 Switching Protocols", *SWITCH[:2]))
    whole = frame(1, b"secret", key=key)
    (talk.client if key else talk.server)(whole[:-2])
    assert masked(talk.tape.packets)[-1].endswith(frame(1, b"******", key=key)[:-2])


def test_a_head_that_is_cut_off() -> None:
    talk = Talk().open()
    talk.client(request("/secret", "Cookie: secret")[:-3])
    assert masked(talk.tape.packets)[-1].endswith(b"\r\nCookie: ******\r")


@pytest.mark.parametrize("size", [1, 9, 10_000])
def test_http2(size: int) -> None:
    talk = Http2Talk().begin()
    fields = [*GET, ("x-secret", "secret"), ("last-event-id", "event-1"), ("te", "trailers")]
    sent = talk.client.head(1, fields, ends=True) + framed(6, 0, 0, b"secret12")
    answered = talk.server.head(1, EVENTS) + data(1, b'data: {"content": "secret"}\n\n')
    answered += data(1, b"secret", ends=True) + framed(7, 0, 0, bytes(8) + b"secret")
    for side, said in (("client", sent), ("server", answered)):
        for at in range(0, len(said), size):
            talk.say(side, said[at : at + size])
    talk.talk.close()
    packets = talk.talk.tape.packets
    found = records(packets)
    assert [one.record for one in found] == [one.record for one in talk.talk.tape.records()]
    assert "secret" not in repr(found) and b"secret" not in b"".join(masked(packets))
    (event,) = [one for one in found if one.record == "sse_event" and one.dispatched]
    assert event.data == '{"content": "******"}'
    (away,) = [one for one in found if getattr(one, "type", "") == "GOAWAY"]
    assert away.debug == "******"


def test_what_is_no_frame_of_http2_is_masked() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, OK) + data(1, b"secret" * 100)[:50])
    talk.talk.close()
    assert b"secret" not in b"".join(masked(talk.talk.tape.packets))


def test_options_of_an_outer_packet() -> None:
    options = [IPOption(b"\x9e\x08secret")]
    frame = bytes(Ether() / IP(options=options) / GRE() / IP(options=options) / TCP())
    tape = Tape()
    tape.add(frame)
    (found,) = masked(tape.packets)
    assert frame.count(b"secret") == 2 and b"secret" not in found
    read = Ether(found)
    for one in (read[IP], read[IP].payload[IP]):
        checksum = one.chksum
        del one.chksum
        assert IP(bytes(one)).chksum == checksum


@pytest.mark.parametrize("link_type", [1, 147])
def test_what_no_stream_takes(link_type: int) -> None:
    tape = Tape()
    for one in (bytes(12) + b"\x88\xb5secret", ipv4(tcp(1, 2, payload=b"secret"), 6) + b"secret"):
        tape.add(one, link_type=link_type)
    assert b"secret" not in b"".join(masked(tape.packets))


def text_of(packets: list[Packet]) -> bytes:
    return b"".join(masked(packets))


def test_a_chunk_whose_data_has_no_end() -> None:
    """The next one is found again behind it."""
    talk = Talk().open()
    talk.client(request("/"))
    events = ("Content-Type: text/event-stream", "Transfer-Encoding: chunked")
    talk.server(response("200 OK", *events), chunk(b"data: a\n\n"))
    talk.server(chunk(b'data: {"te secret\n').removesuffix(b"\r\n") + b"secret\r\n")
    talk.server(chunk(b"data: b\n\n"), chunk(b""))
    talk.close()
    assert b"secret" not in text_of(talk.tape.packets)


def test_a_key_that_is_a_text() -> None:
    talk = Talk().open()
    talk.client(request("/ws", *SWITCH))
    talk.server(response("101 Switching Protocols", *SWITCH[:2]))
    talk.client(frame(1, b"a message", key=b"Secr"), frame(2, bytes(9), key=b"Secr")[:12])
    talk.close()
    found = text_of(talk.tape.packets)
    assert b"Secr" not in found and b"Secr" not in bytes(byte ^ 0x2A for byte in found)


def test_a_tunnel_that_holds_no_packet() -> None:
    """The packet around it stays, with a right checksum."""
    whole = bytes(Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / GRE() / IP(len=9) / b"secret")
    tape = Tape()
    tape.add(whole)
    (found,) = masked(tape.packets)
    assert b"secret" not in found
    assert found[:34] == whole[:34] and set(found[34:]) == {ord("*")}


CUT = {
    "an event stream": (
        request("/v1/chat", "Host: chat.example"),
        response("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")
        + chunk(b"data: one\n\n")
        + chunk(b"data: two\n\n"),
    ),
    "a switch to WebSocket": (request("/w", *SWITCH), response("101 Switching Protocols", *SWITCH)),
}


@pytest.mark.parametrize("name", CUT)
def test_a_packet_that_is_cut_keeps_its_beginning(name: str) -> None:
    """Though what stands for the bytes that it lacks lies behind it, to the end of the capture."""
    asked, answered = CUT[name]
    for size in range(60, 54 + len(answered)):
        talk = Talk().open()
        talk.client(asked)
        talk.server(answered)
        cut = [(*packet[:4], packet[4][:size]) for packet in talk.tape.packets]
        copies = [(*packet[:4], data) for packet, data in zip(cut, masked(cut), strict=True)]
        found, expected = ([described(one) for one in decoded(those)] for those in (copies, cut))
        assert found == expected, size


def described(record: Record) -> tuple[object, ...]:
    names = ("first_packet", "last_packet", "offset", "length", "code")
    return (type(record).__name__, *(getattr(record, name, None) for name in names))
