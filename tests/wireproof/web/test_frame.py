"""A packet byte by byte."""

from __future__ import annotations

from base64 import b64decode

from support.answers import GET, SSE, asked, chunk, streamed
from support.frames import UDP, ipv4, udp
from support.talk import Talk
from support.websocket_frames import frame as websocket_frame

EVENT = b"data: hello\n\n"


def test_layers_follow_one_another_to_the_end() -> None:
    with asked(streamed(EVENT)) as ask:
        frame = ask("packet/6")
        names = [name for name, _, _ in frame["layers"]]
        assert names == ["Ethernet", "IPv4", "TCP", "TCP payload"]
        borders = [(start, end) for _, start, end in frame["layers"]]
        assert borders == [(0, 14), (14, 34), (34, 54), (54, frame["captured"])]
        assert len(b64decode(frame["data"])) == frame["captured"] == frame["length"]
        assert frame["flags"] == ["PSH", "ACK"]
        assert frame["sender"] == "server"


def test_a_chunk_is_parted_into_framing_and_payload() -> None:
    with asked(streamed(EVENT)) as ask:
        parts = ask("packet/6")["parts"]
        size = len(EVENT)
        assert parts == [
            [54, 57, "framing", "k", "0.0", 0],
            [57, 57 + size, "payload", "k", "0.0", 0],
            [57 + size, 59 + size, "framing", "k", "0.0", 0],
            [57, 57 + size, "content", "e", "0.0", 0],
        ]
        assert ask("packet/7")["parts"] == [[54, 59, "framing", "k", "0.0", 1]]
        assert ask("packet/4")["parts"] == [[54, 54 + len(GET), "head", "q", "0.0", 0]]


def test_an_element_in_several_segments_is_in_each_of_them() -> None:
    talk = Talk().open()
    talk.client(GET)
    whole = SSE + chunk(EVENT)
    cut = len(SSE) + 6
    talk.server(whole[:cut], whole[cut:])
    talk.close()
    with asked(talk) as ask:
        kinds = [[part[3] for part in ask(f"packet/{number}")["parts"]] for number in (5, 6)]
        assert kinds == [["r", "k", "k", "e"], ["k", "k", "e"]]
        (row,) = ask("rows/0.0/e/0")["rows"]
        assert row["carried"] == [[5, 54 + len(SSE) + 3, 54 + cut], [6, 54, 54 + len(EVENT) - 3]]


def test_bytes_that_come_again_belong_to_the_packet_that_brought_them() -> None:
    talk = streamed(EVENT)
    talk.tape.packets.insert(6, (7, *talk.tape.packets[5][1:]))
    talk.tape.packets[7:] = [
        (number, *packet[1:]) for number, packet in enumerate(talk.tape.packets[7:], 8)
    ]
    with asked(talk) as ask:
        again = ask("packet/7")
        assert (again["parts"], again["brought"]) == ([], [])
        assert again["payload"] == ask("packet/6")["payload"]
        assert ask("packets/0/0")["again"] == [0] * 6 + [1] + [0] * 4


def test_a_websocket_frame_is_parted_into_header_and_payload() -> None:
    talk = Talk().open()
    talk.client(
        b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    talk.server(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )
    sent = talk.client(websocket_frame(1, b"hello", key=b"abcd"))
    with asked(talk) as ask:
        assert ask(f"packet/{sent}")["parts"] == [
            [54, 60, "framing", "f", "0.0", 0],
            [60, 65, "payload", "f", "0.0", 0],
            [54, 65, "content", "m", "0.0", 0],
        ]
        handshake = ask("exchanges/0")[0]["handshake"]
        assert handshake["verified"] is True
        assert handshake["expected"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_packets_that_are_no_tcp_have_layers_too() -> None:
    talk = Talk()
    talk.tape.add(ipv4(udp(53, 53, b"x"), UDP))
    talk.tape.add(b"\xff" * 12 + b"\x08\x06" + bytes(28))
    talk.tape.add(b"", link_type=1)
    with asked(talk) as ask:
        assert [name for name, _, _ in ask("packet/1")["layers"]] == ["Ethernet", "IPv4", "payload"]
        assert [name for name, _, _ in ask("packet/2")["layers"]] == ["Ethernet"]
        assert ask("packet/2")["connection"] is None
        assert ask("packet/3")["captured"] == 0  # an empty packet is one
        assert ask.answers.answer("packet/4") is None
