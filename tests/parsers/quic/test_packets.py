"""Packets as they lie in datagrams, and which datagrams may be QUIC at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.quic import CLIENT_ID, FIRST_ID, SERVER_ID, V1, V2, Talk, crypto, varint

from parsers.diagnostics import Diagnostic
from parsers.quic.packets import (
    PacketHeader,
    is_long_header,
    read_packets,
    unknown_version,
    versions_offered,
)
from parsers.quic.reader import Malformed, Reader, read_varint


@pytest.mark.parametrize("version", [V1, V2])
def test_coalesced_packets(version: int) -> None:
    talk = Talk(version=version)
    parts = [
        talk.packet("server", "initial", crypto(b"hello")),
        talk.packet("server", "handshake", crypto(b"x" * 100)),
        talk.packet("server", "1-rtt", b"\x01" * 20),
    ]
    found = [one for one in read_packets(b"".join(parts), 8) if isinstance(one, PacketHeader)]
    assert [one.kind for one in found] == ["initial", "handshake", "1-rtt"]
    assert [one.end - one.start for one in found] == [len(part) for part in parts]
    assert {one.destination for one in found} == {CLIENT_ID}
    assert [one.source for one in found] == [SERVER_ID, SERVER_ID, b""]


def test_zeros_after_a_packet_are_padding() -> None:
    packet = Talk().packet("client", "initial", crypto(b"hello"))
    (found,) = read_packets(packet + bytes(700), 0)
    assert isinstance(found, PacketHeader)
    assert (found.end, found.destination) == (len(packet), FIRST_ID)


@pytest.mark.parametrize("size", range(1, 40))
def test_a_packet_that_is_cut(size: int) -> None:
    packet = Talk().packet("client", "initial", crypto(b"hello" * 10))
    (found,) = read_packets(packet[:size], 0)
    assert isinstance(found, Diagnostic)
    assert found.code == "quic-packet-malformed"


def test_an_id_that_is_too_long() -> None:
    (found,) = read_packets(b"\xc0\0\0\0\1\x15" + bytes(60), 0)
    assert isinstance(found, Diagnostic)
    assert found.summary.endswith("a connection id of 21 bytes, 20 at most")


def test_a_version_that_is_not_read() -> None:
    (found,) = read_packets(b"\xc0\0\0\0\2\x01c\x01s" + bytes(60), 0)
    assert isinstance(found, Diagnostic)
    assert found.summary.endswith("version 0x00000002 is not read")


def test_version_negotiation_and_retry() -> None:
    packet = b"\x80\0\0\0\0\x01c\x01s" + (1).to_bytes(4, "big") + b"\x1a\x2a\x3a\x4a"
    (found,) = read_packets(packet, 0)
    assert isinstance(found, PacketHeader)
    assert (found.kind, versions_offered(packet, found)) == ("version-negotiation", [1, 0x1A2A3A4A])
    assert is_long_header(packet)
    (retry,) = read_packets(b"\xf0\0\0\0\1\x01c\x01stoken" + bytes(16), 0)
    assert isinstance(retry, PacketHeader)
    assert (retry.kind, retry.source) == ("retry", b"s")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xc0", bytes(100), b"\x40" + bytes(40), b"\x80\0\0\0\0" + bytes(80),
        b"\xc0\0\0\0\2\x08" + bytes(60), b"\x80\0\0\0\1\x08" + bytes(60),
        b"\x80\0\0\0\0\x15" + bytes(80), b"\x80\0\0\0\0\x02ab\x02ab\0\0\0\x07",
        b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\x07example\0", b"\xc0\0\0\0\1\xff" + bytes(60),
    ],
)  # fmt: skip
def test_what_is_no_quic(data: bytes) -> None:
    assert not is_long_header(data)


def test_unknown_versions() -> None:
    start = b"\xc0\x1a\x2a\x3a\x4a\x08chosen-1\0"
    assert unknown_version(start.ljust(1200, b"x")) == 0x1A2A3A4A
    assert unknown_version(start.ljust(1199, b"x")) is None
    assert unknown_version((start[:5] + b"\x04" + bytes(10)).ljust(1200, b"x")) is None
    assert unknown_version(b"\xc0\x12\x34\x56\x78\x08".ljust(1200, b"x")) is None


@given(st.binary(max_size=80), st.integers(0, 20))
def test_any_bytes(data: bytes, size: int) -> None:
    last = 0
    for found in read_packets(data, size):
        assert last <= found.start <= found.end <= len(data)
        last = found.end


@given(st.integers(0, (1 << 62) - 1), st.binary(max_size=3))
def test_numbers(value: int, after: bytes) -> None:
    written = varint(value)
    assert read_varint(written + after, 0) == (value, len(written))
    assert read_varint(written[:-1], 0) is None
    reader = Reader(written + after)
    assert (reader.varint(), reader.rest()) == (value, after)
    with pytest.raises(Malformed, match="1 bytes expected, 0 left"):
        reader.take(1)
