"""IP headers: payloads as declared and as captured, extension headers, and what is wrong."""

from __future__ import annotations

from ipaddress import ip_address
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.packets import (
    DESTINATION,
    DESTINATION6,
    SOURCE,
    SOURCE6,
    TCP,
    UDP,
    extension,
    fragment_header,
    ipv4,
    ipv6,
)
from support.tshark import captures, tshark_fields

from parsers.diagnostics import Diagnostic
from parsers.files.reader import CaptureReader
from parsers.net.fragments import FragmentReassembler, WholePacket
from parsers.net.ip import Fragment, IpPacket, is_surely_ip, read_ip
from parsers.net.link import network_offset

LINK = b"link header..."
START = len(LINK)
PAYLOAD = b"payload of twenty by"


def read(packet: bytes, trailer: bytes = b"", original: int = 0) -> IpPacket | Diagnostic:
    data = LINK + packet + trailer
    return read_ip(data, START, original or len(data))


def found(packet: bytes, trailer: bytes = b"", original: int = 0) -> IpPacket:
    result = read(packet, trailer, original)
    assert isinstance(result, IpPacket)
    return result


def payload_of(packet: bytes, result: IpPacket) -> bytes:
    return (LINK + packet)[result.start : result.end]


@pytest.mark.parametrize("trailer", [b"", bytes(6)])
@pytest.mark.parametrize("options", [b"", bytes(4), bytes(40)])
def test_ipv4(options: bytes, trailer: bytes) -> None:
    packet = ipv4(PAYLOAD, options=options)
    start = START + 20 + len(options)
    end = start + len(PAYLOAD)
    assert found(packet, trailer) == IpPacket(
        SOURCE, DESTINATION, TCP, start, end, len(PAYLOAD), None, header=START
    )


@pytest.mark.parametrize("trailer", [b"", bytes(6)])
@pytest.mark.parametrize(
    ("next_header", "headers"),
    [
        (TCP, b""),
        (0, extension(TCP)),
        (0, extension(60) + extension(43, 16) + extension(TCP, 24)),
        (51, bytes([TCP, 4]) + bytes(22)),  # AH: (4 + 2) * 4 bytes
        (135, extension(139) + extension(140) + extension(TCP)),
        (44, fragment_header(TCP, 7, 0, more=False)),  # RFC 6946: an atomic fragment is none
        (44, fragment_header(60, 7, 0, more=False) + extension(TCP)),
    ],
)
def test_ipv6(next_header: int, headers: bytes, trailer: bytes) -> None:
    packet = ipv6(headers + PAYLOAD, next_header=next_header)
    result = found(packet, trailer)
    start = START + 40 + len(headers)
    end = start + len(PAYLOAD)
    assert result == IpPacket(
        SOURCE6, DESTINATION6, TCP, start, end, len(PAYLOAD), None, header=START
    )


def test_the_walk_stops_at_what_it_does_not_know() -> None:
    for protocol in (UDP, 50, 59, 253):
        packet = ipv6(extension(protocol) + PAYLOAD, next_header=0)
        result = found(packet)
        assert (result.protocol, payload_of(packet, result)) == (protocol, PAYLOAD)


# --- lengths ---


@pytest.mark.parametrize("packet", [ipv4(PAYLOAD), ipv6(PAYLOAD), ipv4(PAYLOAD, options=bytes(8))])
def test_a_packet_that_is_cut_says_how_long_it_was(packet: bytes) -> None:
    headers = len(packet) - len(PAYLOAD)
    for cut in range(len(packet)):
        result = read(packet[:cut], original=START + len(packet))
        if cut < headers:
            assert isinstance(result, Diagnostic)
            assert (result.code, result.start, result.end) == ("packet-cut", START, START + cut)
        else:
            assert isinstance(result, IpPacket)
            assert payload_of(packet[:cut], result) == PAYLOAD[: cut - headers]
            assert result.length == len(PAYLOAD)


@pytest.mark.parametrize("packet", [ipv4(PAYLOAD), ipv6(PAYLOAD)])
def test_a_frame_shorter_than_its_header_is_malformed(packet: bytes) -> None:
    for cut in range(20):
        result = read(packet[:cut])
        assert isinstance(result, Diagnostic)
        assert result.code == "ip-malformed"
        assert f"{cut} found" in result.summary


def test_segmentation_offload_leaves_the_length_to_the_frame() -> None:
    for packet in (ipv4(PAYLOAD, total=0), ipv6(PAYLOAD, length=0)):
        result = found(packet)
        assert (payload_of(packet, result), result.length) == (PAYLOAD, len(PAYLOAD))
        cut = found(packet[:-5], original=START + len(packet))
        assert (payload_of(packet[:-5], cut), cut.length) == (PAYLOAD[:-5], len(PAYLOAD))


def test_an_empty_ipv6_packet_has_no_payload() -> None:
    result = found(ipv6(b"", next_header=59), trailer=bytes(6))
    assert (result.protocol, result.length, result.start) == (59, 0, result.end)


@pytest.mark.parametrize(
    "options",
    [
        b"\xc2\x04" + pack("!I", 100_008),
        b"\x01\x04" + bytes(4) + bytes(2) + b"\xc2\x04" + pack("!I", 100_016),
    ],
)
def test_a_jumbo_payload(options: bytes) -> None:
    header = bytes([TCP, (len(options) + 2) // 8 - 1]) + options
    packet = ipv6(header + bytes(100_000), next_header=0, length=0)
    result = found(packet, trailer=b"padding")
    assert result.length == 100_000
    assert payload_of(packet, result) == bytes(100_000)


@pytest.mark.parametrize("header", [b"", bytes([TCP, 0]), bytes([TCP, 0, 0xC2, 4, 0, 1])])
def test_a_jumbo_header_that_is_cut(header: bytes) -> None:
    result = read(ipv6(header, next_header=0, length=0), original=100_000)
    assert isinstance(result, Diagnostic)
    assert result.code == "packet-cut"


def test_extension_headers_without_a_jumbo_option_are_offloaded() -> None:
    packet = ipv6(extension(TCP) + PAYLOAD, next_header=0, length=0)
    assert payload_of(packet, found(packet)) == PAYLOAD


# --- fragments ---


@pytest.mark.parametrize(("offset", "more"), [(0, True), (1480, True), (1480, False)])
def test_a_fragment_says_where_it_belongs(offset: int, more: bool) -> None:
    packet = ipv4(PAYLOAD, identification=0x1234, offset=offset, more=more)
    key = (SOURCE, DESTINATION, bytes([TCP]), b"\x12\x34")
    assert found(packet).fragment == Fragment(key, offset, more)
    header = fragment_header(60, 0x12345678, offset, more)
    packet = ipv6(extension(44) + header + PAYLOAD, next_header=0)
    result = found(packet)
    key6 = (SOURCE6, DESTINATION6, b"\x12\x34\x56\x78")
    assert result.fragment == Fragment(key6, offset, more)
    assert (result.protocol, payload_of(packet, result)) == (60, PAYLOAD)


# --- where nobody says that it is IP ---


@pytest.mark.parametrize(
    ("packet", "sure"),
    [
        (ipv6(PAYLOAD), True),
        (ipv6(extension(TCP) + PAYLOAD, next_header=0), True),
        (ipv6(PAYLOAD, next_header=132), False),
        (ipv6(PAYLOAD, length=19), False),
        (ipv6(b"")[:39], False),
        (ipv4(PAYLOAD), False),
        (b"\x55" + bytes(40), False),
        (b"", False),
    ],
)
def test_what_is_surely_ip(packet: bytes, sure: bool) -> None:
    assert is_surely_ip(b"\xff" * START + packet, START, START + len(packet)) is sure


# --- what is wrong ---


@pytest.mark.parametrize(
    ("packet", "detail"),
    [
        (b"\x55" + bytes(40), "IP version 4 or 6 expected, 5 found"),
        (ipv4(PAYLOAD, header=16), "a header of 16 bytes, at least 20 expected"),
        (ipv4(PAYLOAD, total=19), "a total length of 19 with a header of 20 bytes"),
        (ipv4(PAYLOAD, header=60), "a total length of 40 with a header of 60 bytes"),
        (ipv4(b"", header=24, total=24), "an IP header of 24 bytes expected, 20 found"),
        (ipv6(extension(60), next_header=0, length=7), "a packet that ends inside extension 0"),
        (ipv6(b"\6\5" + bytes(30), next_header=60), "extension 60 of 48 bytes, 32 expected at"),
        (ipv6(b"\6\x08" + bytes(30), next_header=51), "extension 51 of 40 bytes, 32 expected at"),
    ],
)
def test_malformed(packet: bytes, detail: str) -> None:
    result = read(packet)
    assert isinstance(result, Diagnostic)
    assert result.code == "ip-malformed"
    assert detail in result.summary
    assert START <= result.start <= result.end


@pytest.mark.parametrize("kept", [41, 47, 48, 55, 63])
def test_extension_headers_that_are_not_captured(kept: int) -> None:
    packet = ipv6(extension(60) + extension(TCP, 16) + PAYLOAD, next_header=0)
    result = read(packet[:kept], original=START + len(packet))
    assert isinstance(result, Diagnostic)
    assert (result.code, result.end) == ("packet-cut", START + kept)


def test_extension_headers_that_begin_after_what_is_captured() -> None:
    packet = ipv6(extension(60, 16) + extension(TCP) + PAYLOAD, next_header=0)
    result = read(packet[:48], original=START + len(packet))
    assert isinstance(result, Diagnostic)
    assert (result.code, result.start, result.end) == ("packet-cut", START + 48, START + 48)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([b"", ipv4(PAYLOAD)[:20], ipv6(b"", next_header=0, length=90)[:40]]),
    st.binary(max_size=80),
    st.integers(0, 200),
)
def test_any_bytes_give_a_payload_within_them_or_a_diagnostic(
    head: bytes, tail: bytes, original: int
) -> None:
    data = head + tail
    result = read_ip(data, 0, original)
    if isinstance(result, Diagnostic):
        assert 0 <= result.start <= result.end
    else:
        assert 20 <= result.start <= result.end <= len(data)
        assert result.length >= result.end - result.start


# --- beside tshark ---


@pytest.mark.tshark
def test_public_captures_have_the_ip_packets_that_tshark_shows() -> None:
    compared = 0
    for path in captures():
        fragments = FragmentReassembler()
        with path.open("rb") as stream:
            rows = {int(row["frame.number"]): row for row in tshark_fields(path)}
            for number, time_ns, link_type, original, data in CaptureReader(stream):
                row = rows[number]
                start = network_offset(link_type, data)
                if start < 0:
                    assert not row["ip.src"] + row["ipv6.src"]
                    continue
                packet = read_ip(data, start, original)
                assert isinstance(packet, IpPacket)
                length = packet.length
                if packet.fragment is not None:
                    events = fragments.receive(data, packet, number, time_ns)
                    whole = [event for event in events if isinstance(event, WholePacket)]
                    length = len(whole[0].payload) if whole else 0
                version = "ip" if len(packet.source) == 4 else "ipv6"
                assert row[f"{version}.src"] == str(ip_address(packet.source))
                assert row[f"{version}.dst"] == str(ip_address(packet.destination))
                assert row["ip.proto"] in ("", str(packet.protocol))
                if row["tcp.len"]:
                    assert length == int(row["tcp.hdr_len"]) + int(row["tcp.len"])
                elif row["udp.length"]:
                    assert length == int(row["udp.length"])
                compared += 1
    assert compared > 1_000
