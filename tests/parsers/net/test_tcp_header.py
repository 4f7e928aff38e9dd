"""A whole TCP header, and its options."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.frames import ACK, SYN, ipv4, ipv6, tcp, udp

from parsers.net.ip import IpPacket
from parsers.net.tcp_header import (
    TcpHeader,
    read_tcp_header,
    tcp_options,
    usual_tcp_header,
    window_scale,
)
from parsers.net.tunnels import read_packet

ETHERNET = 1


def header_of(frame: bytes) -> TcpHeader | None:
    found = read_packet(ETHERNET, frame, len(frame))
    return read_tcp_header(found, frame) if isinstance(found, IpPacket) else None


@pytest.mark.parametrize("ip", [ipv4, ipv6])
def test_all_that_a_header_says(ip: object) -> None:
    assert callable(ip)
    header = header_of(ip(tcp(8_000, 40_000, ACK, seq=5, ack=7, payload=b"data")))
    assert header is not None
    assert (header.source, header.destination) == (8_000, 40_000)
    assert (header.seq, header.ack, header.flags, header.length) == (5, 7, ACK, 4)
    assert header.window == 65_535
    assert header.options == b""
    bare = len(header.key) - 4
    assert header.key[bare:] == pack("!HH", 8_000, 40_000)
    assert header.back[bare:] == pack("!HH", 40_000, 8_000)
    half = bare // 2
    assert header.back[:bare] == header.key[half:bare] + header.key[:half]


@pytest.mark.parametrize(
    "frame",
    [ipv4(udp(1, 2, b"x"), 17), ipv4(b"short"), bytes(60), b"", ipv4(tcp(1, 2), fragment=0x2000)],
    ids=["udp", "cut", "no ip", "empty", "fragment"],
)
def test_what_is_no_whole_segment_has_none(frame: bytes) -> None:
    assert header_of(frame) is None


@pytest.mark.parametrize(
    ("options", "found", "scale"),
    [
        (b"", [], None),
        (b"\x01\x01\x01\x01", [], None),
        (b"\x02\x04\xff\xd7", [(2, b"\xff\xd7")], None),
        (b"\x01\x03\x03\x07", [(3, b"\x07")], 7),
        (b"\x03\x03\xff\x00", [(3, b"\xff")], 14),
        (b"\x00\x03\x03\x07", [], None),
        (b"\x03\x00\x07\x00", [], None),
        (b"\x01\x01\x01\x03", [], None),
        (b"\x03\x08\x07\x00", [], None),
    ],
    ids=["none", "no operation", "another", "scale", "too large", "after the end", "no length",
         "cut", "too long"],
)  # fmt: skip
def test_options(options: bytes, found: list[tuple[int, bytes]], scale: int | None) -> None:
    assert list(tcp_options(options)) == found
    assert window_scale(options) == scale
    header = header_of(ipv4(tcp(1, 2, SYN, options=options)))
    assert header is not None
    assert header.options == options


@given(st.binary(max_size=40))
def test_options_of_any_bytes_end(data: bytes) -> None:
    assert sum(2 + len(value) for _, value in tcp_options(data)) <= len(data)


USUAL = ipv4(tcp(8_000, 40_000, ACK, seq=5, ack=7, payload=b"data"))


def test_usual_headers_are_read_at_once() -> None:
    assert usual_tcp_header(ETHERNET, USUAL) == header_of(USUAL) is not None
    padded = USUAL + bytes(6)
    assert usual_tcp_header(ETHERNET, padded) == header_of(padded) == header_of(USUAL)


@pytest.mark.parametrize(
    "frame",
    [USUAL[:-1], USUAL[:53], ipv6(tcp(1, 2)), ipv4(tcp(1, 2), fragment=0x2000), ipv4(b"short")],
    ids=["cut", "cut header", "IPv6", "fragment", "malformed"],
)
def test_what_is_unusual_is_left(frame: bytes) -> None:
    assert usual_tcp_header(ETHERNET, frame) is None
    assert usual_tcp_header(0, USUAL) is None


@given(st.lists(st.tuples(st.integers(0, len(USUAL) - 1), st.integers(0, 255)), max_size=4))
def test_whatever_is_read_at_once_is_read_the_same(changes: list[tuple[int, int]]) -> None:
    frame = bytearray(USUAL)
    for place, value in changes:
        frame[place] = value
    found = usual_tcp_header(ETHERNET, bytes(frame))
    assert found is None or found == header_of(bytes(frame))
