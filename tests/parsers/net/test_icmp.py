"""ICMP errors: what they say is said at the connection whose segment they quote."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, ICMPerror, IPerror, TCPerror
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    IPv6,
)
from support.frames import ipv4
from support.talk import Talk, Tape

from parsers.net.icmp import read_icmp_error
from parsers.net.ip import IpPacket
from parsers.net.tunnels import read_packet
from parsers.records import ConnectionRecord, DiagnosticRecord

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
ROUTER, ROUTER6 = "192.0.2.9", "2001:db8::9"


def error_about(frame: bytes, kind: int, code: int, rest: int = 0, quoted: int = 28) -> bytes:
    """A router's error about a packet, of which it quotes the beginning."""
    body = frame[14 : 14 + quoted]
    header = bytes(IP(src=ROUTER, dst="127.0.0.1") / ICMP(type=kind, code=code, unused=0))[:24]
    whole = header + pack("!I", rest) + body
    return frame[:14] + whole[:2] + pack("!H", len(whole)) + whole[4:]


def faults(tape: Tape) -> list[DiagnosticRecord]:
    return [record for record in tape.records() if isinstance(record, DiagnosticRecord)]


@pytest.mark.parametrize(
    ("kind", "code", "rest", "fault", "words"),
    [
        (3, 0, 0, "icmp-unreachable", "network unreachable"),
        (3, 1, 0, "icmp-unreachable", "host unreachable"),
        (3, 3, 0, "icmp-unreachable", "port unreachable"),
        (3, 4, 1_400, "icmp-too-big", "fragmentation needed, the next hop takes 1,400"),
        (3, 4, 0, "icmp-too-big", "fragmentation needed"),
        (3, 13, 0, "icmp-unreachable", "prohibited by a filter"),
        (3, 99, 0, "icmp-unreachable", "unreachable, code 99"),
        (11, 0, 0, "icmp-time-exceeded", "time to live exceeded"),
        (11, 1, 0, "icmp-time-exceeded", "fragments missing"),
    ],
)
def test_an_error_about_a_request(kind: int, code: int, rest: int, fault: str, words: str) -> None:
    talk = Talk().open()
    number = talk.client(GET)
    frame = talk.tape.packets[number - 1][4]
    shown = talk.tape.add(error_about(frame, kind, code, rest))
    (found,) = faults(talk.tape)
    assert (found.code, found.connection, found.sender) == (fault, 0, "client")
    assert (found.last_packet, found.offset) == (shown, 0)
    assert f"{words}, says {ROUTER}, of {20 + len(GET)} bytes of TCP" in found.summary


def test_an_error_about_an_answer_is_of_its_exchange() -> None:
    """Whose last byte came before the network said no: it begins no other exchange."""
    talk = Talk().open()
    talk.client(GET)
    number = talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    talk.tape.add(error_about(talk.tape.packets[number - 1][4], 3, 4, 1_400))
    (found,) = faults(talk.tape)
    assert (found.code, found.sender, found.exchange) == ("icmp-too-big", "server", 0)


def test_an_error_about_a_syn() -> None:
    talk = Talk()
    talk.segment("client", flags=2)
    talk.tape.add(error_about(talk.tape.packets[0][4], 3, 3))
    (found,) = faults(talk.tape)
    assert (found.code, found.connection, found.offset) == ("icmp-unreachable", 0, 0)


@pytest.mark.parametrize(
    ("header", "fault", "words"),
    [
        (ICMPv6DestUnreach(code=4), "icmp-unreachable", "port unreachable"),
        (ICMPv6DestUnreach(code=77), "icmp-unreachable", "unreachable, code 77"),
        (ICMPv6PacketTooBig(mtu=1_280), "icmp-too-big", "the next hop takes 1,280"),
        (ICMPv6TimeExceeded(code=0), "icmp-time-exceeded", "hop limit exceeded"),
    ],
)
def test_an_error_of_ipv6(header: object, fault: str, words: str) -> None:
    talk = Talk(is_ipv6=True).open()
    talk.client(GET)
    frame = talk.tape.packets[-1][4]
    packet = bytes(IPv6(src=ROUTER6, dst="::1") / header / IPv6(frame[14:]))
    talk.tape.add(frame[:14] + packet)
    (found,) = faults(talk.tape)
    assert (found.code, found.connection) == (fault, 0)
    assert f"{words}, says {ROUTER6}" in found.summary


@pytest.mark.parametrize(("kind", "code"), [(0, 0), (8, 0), (5, 1), (12, 0)])
def test_what_is_no_such_error_says_nothing(kind: int, code: int) -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.tape.add(error_about(talk.tape.packets[-1][4], kind, code))
    assert faults(talk.tape) == []


def test_an_error_of_ipv6_about_a_header_says_nothing() -> None:
    talk = Talk(is_ipv6=True).open()
    talk.client(GET)
    frame = talk.tape.packets[-1][4]
    header = IPv6(src=ROUTER6, dst="::1") / ICMPv6ParamProblem() / IPv6(frame[14:])
    talk.tape.add(frame[:14] + bytes(header))
    assert faults(talk.tape) == []


def test_an_error_about_another_protocol_says_nothing() -> None:
    talk = Talk().open()
    frame = ipv4(bytes(40), 17)
    talk.tape.add(error_about(frame, 3, 3))
    assert faults(talk.tape) == []


@pytest.mark.parametrize(
    ("first", "offset"),
    [(0x45, 185), (0x47, 0)],
    ids=["a later fragment", "options, and less than eight bytes after them"],
)
def test_an_error_that_quotes_no_beginning_of_tcp(first: int, offset: int) -> None:
    talk = Talk().open()
    number = talk.client(GET)
    frame = bytearray(talk.tape.packets[number - 1][4])
    frame[14] = first
    frame[20:22] = pack("!H", offset)
    talk.tape.add(error_about(bytes(frame), 3, 1))
    assert faults(talk.tape) == []


def test_an_error_about_a_connection_that_has_not_been_seen_has_one() -> None:
    """Wireshark gives it a number: those of the others must not differ."""
    unseen, seen = Talk(client_port=50_000).open(), Talk().open()
    frame = unseen.tape.packets[unseen.client(GET) - 1][4]
    tape = Tape()
    tape.add(error_about(frame, 3, 1))
    for row in seen.tape.packets:
        tape.add(row[4])
    first, second = (one for one in tape.records() if isinstance(one, ConnectionRecord))
    assert (first.client, first.packets, first.first_packet) == ("127.0.0.1:50000", 0, 1)
    assert first.midstream
    assert (second.connection, second.client, second.midstream) == (1, "127.0.0.1:40000", False)
    (found,) = faults(tape)
    assert (found.code, found.connection) == ("icmp-unreachable", 0)


def test_what_was_only_heard_of_may_begin_yet() -> None:
    talk = Talk().open()
    frame = talk.tape.packets[talk.client(GET) - 1][4]
    tape = Tape()
    tape.add(error_about(frame, 3, 1))
    for row in talk.tape.packets:
        tape.add(row[4])
    records = tape.records()
    (connection,) = (one for one in records if isinstance(one, ConnectionRecord))
    assert (connection.packets, connection.midstream) == (4, False)
    assert "request" in {record.record for record in records}


def test_an_error_about_a_connection_that_is_over_says_nothing() -> None:
    talk = Talk().open()
    frame = talk.tape.packets[talk.client(GET) - 1][4]
    talk.close()
    talk.tape.add(error_about(frame, 3, 3))
    assert faults(talk.tape) == []


def test_an_error_that_quotes_too_little() -> None:
    talk = Talk().open()
    frame = talk.tape.packets[talk.client(GET) - 1][4]
    for quoted in range(28):
        talk.tape.add(error_about(frame, 3, 3, quoted=quoted))
    assert faults(talk.tape) == []
    talk.tape.add(error_about(frame, 3, 3, quoted=28))
    assert len(faults(talk.tape)) == 1


def test_the_witness_reads_the_same() -> None:
    """scapy sees in these errors what was put in."""
    talk = Talk().open()
    frame = error_about(talk.tape.packets[talk.client(GET) - 1][4], 3, 4, 1_400, quoted=40)
    packet = IP(frame[14:])
    assert (packet[ICMP].type, packet[ICMP].code, packet[ICMP].nexthopmtu) == (3, 4, 1_400)
    assert packet[IPerror].dst == "127.0.0.1"
    assert (packet[TCPerror].sport, packet[TCPerror].dport) == (40_000, 8_000)
    assert ICMPerror not in packet


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=120), st.sampled_from([1, 58]))
def test_any_bytes_are_an_error_or_none(data: bytes, protocol: int) -> None:
    frame = ipv4(data, protocol)
    found = read_packet(1, frame, len(frame))
    assert isinstance(found, IpPacket)
    error = read_icmp_error(frame, found)
    assert error is None or len(error.key) in (12, 36)
