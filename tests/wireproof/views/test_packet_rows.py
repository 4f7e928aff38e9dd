"""What a packet list says of a packet by its headers."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.frames import ACK, ETHERNET, FIN, PSH, RST, SYN, URG, ipv4, ipv6, tcp, udp

from parsers.files.packets import Packet
from wireproof.views import packet_rows
from wireproof.views.packet_rows import PacketRow, PacketRows

MSS = b"\x02\x04\xff\xd7"
SACK_PERMITTED = b"\x04\x02"
NOP = b"\x01"


def packet(data: bytes, link_type: int = 1) -> Packet:
    return 1, 0, link_type, len(data), data


def read(data: bytes, link_type: int = 1) -> PacketRow:
    return PacketRows().read(packet(data, link_type))


def infos(*segments: bytes) -> list[str]:
    rows = PacketRows()
    return [rows.read(packet(ipv4(segment))).info for segment in segments]


def scale(shift: int) -> bytes:
    return NOP + bytes((3, 3, shift))


def stamps(sent: int, echoed: int) -> bytes:
    return NOP * 2 + pack("!BBII", 8, 10, sent, echoed)


def test_a_handshake() -> None:
    client = MSS + SACK_PERMITTED + stamps(7, 0)[2:] + scale(10)
    assert infos(
        tcp(40_000, 80, SYN, seq=999, options=client),
        tcp(80, 40_000, SYN | ACK, seq=4999, ack=1000, options=MSS + scale(7)),
        tcp(40_000, 80, ACK, seq=1000, ack=5000, options=stamps(8, 9)),
        tcp(80, 40_000, PSH | ACK, seq=5000, ack=1000, payload=b"12345"),
        tcp(80, 40_000, FIN | ACK, seq=5005, ack=1000),
        tcp(40_000, 80, RST, seq=1000),
    ) == [
        "40000 → 80 [SYN] Seq=0 Win=65535 Len=0 MSS=65495 SACK_PERM TSval=7 TSecr=0 WS=1024",
        "80 → 40000 [SYN, ACK] Seq=0 Ack=1 Win=65535 Len=0 MSS=65495 WS=128",
        "40000 → 80 [ACK] Seq=1 Ack=1 Win=67107840 Len=0 TSval=8 TSecr=9",
        "80 → 40000 [PSH, ACK] Seq=1 Ack=1 Win=8388480 Len=5",
        "80 → 40000 [FIN, ACK] Seq=6 Ack=1 Win=8388480 Len=0",
        "40000 → 80 [RST] Seq=1 Win=67107840 Len=0",
    ]


def test_windows_are_scaled_if_both_sides_say_so() -> None:
    found = infos(
        tcp(1, 2, SYN, seq=9, options=scale(3)),
        tcp(2, 1, SYN | ACK, seq=5, ack=10),
        tcp(1, 2, ACK, seq=10, ack=6),
    )
    assert found[2] == "1 → 2 [ACK] Seq=1 Ack=1 Win=65535 Len=0"
    assert "WS=16384" in infos(tcp(1, 2, SYN, options=scale(200)))[0]


def test_without_a_handshake_numbers_begin_at_one() -> None:
    assert infos(
        tcp(1, 2, ACK, seq=700, ack=900, payload=b"abc"), tcp(2, 1, ACK, seq=900, ack=703)
    ) == ["1 → 2 [ACK] Seq=1 Ack=1 Win=65535 Len=3", "2 → 1 [ACK] Seq=1 Ack=4 Win=65535 Len=0"]
    assert infos(tcp(1, 2, RST, seq=5)) == ["1 → 2 [RST] Seq=1 Win=65535 Len=0"]


def test_numbers_wrap() -> None:
    assert (
        infos(
            tcp(1, 2, SYN, seq=0xFFFFFFFF),
            tcp(2, 1, SYN | ACK, seq=0xFFFFFFF0, ack=0),
            tcp(1, 2, ACK, seq=9, ack=4),
        )[2]
        == "1 → 2 [ACK] Seq=10 Ack=20 Win=65535 Len=0"
    )


def test_ports_that_are_used_again() -> None:
    found = infos(
        tcp(1, 2, SYN, seq=100),
        tcp(2, 1, SYN | ACK, seq=500, ack=101),
        tcp(1, 2, SYN, seq=100),
        tcp(1, 2, SYN, seq=70_000),
        tcp(2, 1, SYN | ACK, seq=90_000, ack=70_001),
    )
    assert found[2:] == [
        "1 → 2 [SYN] Seq=0 Win=65535 Len=0",
        "1 → 2 [SYN] Seq=0 Win=65535 Len=0",
        "2 → 1 [SYN, ACK] Seq=0 Ack=1 Win=65535 Len=0",
    ]


def test_rarer_options_and_flags() -> None:
    sack = NOP * 2 + pack("!BBII", 5, 10, 1_100, 1_200)
    assert (
        infos(tcp(2, 1, ACK, seq=1_000, ack=50), tcp(1, 2, ACK, seq=50, ack=1_000, options=sack))[1]
        == "1 → 2 [ACK] Seq=1 Ack=1 Win=65535 Len=0 SLE=101 SRE=201"
    )
    assert infos(tcp(1, 2, URG | 0xC0)) == ["1 → 2 [URG, ECE, CWR] Seq=1 Win=65535 Urg=0 Len=0"]
    assert infos(tcp(1, 2, 0)) == ["1 → 2 [<None>] Seq=1 Win=65535 Len=0"]
    assert infos(tcp(1, 2, 0, options=bytes((19, 18)) + bytes(18)))[0].endswith("Len=0 MD5")


@pytest.mark.parametrize(
    "options",
    [b"\x00\x02\x04\xff", b"\x02\x01\xff\xff", b"\x01\x01\x01\x02", b"\x02\x09\0\0", b"\x63\x04ab"],
)
def test_options_that_are_broken_or_unknown_are_passed_over(options: bytes) -> None:
    assert infos(tcp(1, 2, SYN, options=options)) == ["1 → 2 [SYN] Seq=0 Win=65535 Len=0"]


ROWS = [
    (ipv6(tcp(1, 2)), 1, ("::1", "::1", "TCP", "1 → 2 [ACK] Seq=1 Ack=1 Win=65535 Len=0")),
    (ipv4(udp(53, 9, b"abc"), 17), 1, ("127.0.0.1", "127.0.0.1", "UDP", "53 → 9 Len=3")),
    (ipv4(b"\0" * 4, 17), 1, ("127.0.0.1", "127.0.0.1", "UDP", "4 bytes")),
    (ipv4(b"\0" * 4), 1, ("127.0.0.1", "127.0.0.1", "TCP", "4 bytes")),
    (ipv4(b"\0" * 4, 1), 1, ("127.0.0.1", "127.0.0.1", "ICMP", "4 bytes")),
    (ipv4(b"", 200), 1, ("127.0.0.1", "127.0.0.1", "IP protocol 200", "0 bytes")),
    (
        ipv4(bytes(8), fragment=0x2001),
        1,
        ("127.0.0.1", "127.0.0.1", "IPv4", "Fragment of an IP packet: protocol 6, at byte 8"),
    ),
    (
        ipv6(pack("!BBHI", 6, 0, 0x0009, 1) + bytes(8), 44),
        1,
        ("::1", "::1", "IPv6", "Fragment of an IP packet: protocol 6, at byte 8"),
    ),
    (ETHERNET + b"\x08\x06", 1, ("00:00:00:00:00:00", "00:00:00:00:00:00", "ARP", "no IP packet")),
    (
        b"\x01" * 6 + b"\x02" * 6 + b"\x12\x34",
        1,
        ("02:02:02:02:02:02", "01:01:01:01:01:01", "0x1234", "no IP packet"),
    ),
    (b"", 1, ("", "", "", "no IP packet")),
    (b"\xff", 101, ("", "", "", "no IP packet")),
    (b"", 147, ("", "", "UNKNOWN", "link type 147")),
]


@pytest.mark.parametrize(("data", "link_type", "row"), ROWS)
def test_other_packets(data: bytes, link_type: int, row: tuple[str, str, str, str]) -> None:
    assert read(data, link_type)[:4] == row


def test_an_ip_header_that_is_wrong() -> None:
    found = read(ETHERNET + b"\x08\x00\x41" + bytes(30))
    assert (found.protocol, found.key) == ("IP", None)
    assert "a header of 4 bytes, at least 20 expected" in found.info


def test_a_key_names_addresses_and_ports() -> None:
    assert read(ipv4(tcp(1, 2))).key == bytes((127, 0, 0, 1)) * 2 + b"\0\1\0\2"
    assert read(ipv4(udp(1, 2), 17)).key is None


def test_directions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_rows, "MAX_DIRECTIONS", 4)
    rows = PacketRows()
    for port in range(100):
        rows.read(packet(ipv4(tcp(port, 2, SYN, seq=5))))
    assert len(rows._directions) == 4


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_bytes_have_a_row(data: st.DataObject) -> None:
    rows = PacketRows()
    whole = ipv4(tcp(1, 2, SYN, options=MSS + scale(7)), options=b"\x01" * 4)
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for place in data.draw(st.lists(st.integers(0, max(len(damaged) - 1, 0)), max_size=3)):
        if damaged:
            damaged[place] = data.draw(st.integers(0, 255))
    for link_type in (1, 101, 276, 999):
        row = rows.read(packet(bytes(damaged), link_type))
        assert all(text.isprintable() for text in row[:4])


class General(PacketRows):
    """Reads every packet by the general path."""

    def _usual(self, data: bytes) -> None:
        return None


SEGMENTS = st.builds(
    tcp,
    st.sampled_from((1, 2)),
    st.sampled_from((1, 2)),
    st.one_of(st.sampled_from((SYN, SYN | ACK, ACK, PSH | ACK)), st.integers(0, 0xFF)),
    seq=st.integers(0, 0xFFFFFFFF),
    ack=st.integers(0, 0xFFFFFFFF),
    options=st.sampled_from((b"", stamps(1, 2), b"\x08\x0a" + bytes(8) + NOP * 2, scale(3), MSS)),
    payload=st.binary(max_size=5),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(SEGMENTS, max_size=12), st.integers(0, 30))
def test_usual_packets_have_the_rows_of_the_general_path(segments: list[bytes], cut: int) -> None:
    frames = [ipv4(segment) for segment in segments]
    frames += [frame[:-cut] for frame in frames if cut] + frames
    usual, general = PacketRows(), General()
    for frame in frames:
        assert usual.read(packet(frame)) == general.read(packet(frame))
