"""Tunnels: the conversation inside is decoded as if there were none, and they are named."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.packets import ipv6
from support.talk import Tape, decoded
from support.tunnels import (
    AROUND_FRAMES,
    AROUND_PACKETS,
    GET,
    around,
    conversation,
    eth,
    outer,
    over_udp,
    tunnelled,
)

from parsers.diagnostics import Diagnostic
from parsers.limits import MAX_TUNNELS
from parsers.net.ip import IpPacket, Layer
from parsers.net.link import UNKNOWN_LINK_TYPE
from parsers.net.tunnels import (
    MAX_LABELS,
    outermost,
    packets_inside,
    read_packet,
    realm,
    tunnel_text,
)
from parsers.records import ConnectionRecord, DiagnosticRecord, Record

CASES = [
    *[(name, header, True, text) for name, (header, text) in AROUND_FRAMES.items()],
    *[(name, header, False, text) for name, (header, text) in AROUND_PACKETS.items()],
]
NAMES = [f"{name}{' around a frame' if is_frame else ''}" for name, _, is_frame, _ in CASES]


def without_tunnel(records: list[Record]) -> list[Record]:
    return [
        type(record)(
            **{
                field: None if field == "tunnel" else getattr(record, field)
                for field in record.__struct_fields__
            }
        )
        for record in records
    ]


def connections(records: list[Record]) -> list[ConnectionRecord]:
    return [record for record in records if isinstance(record, ConnectionRecord)]


def codes(records: list[Record]) -> list[str]:
    return [record.code for record in records if isinstance(record, DiagnosticRecord)]


# --- what is inside ---


def test_every_packet_on_the_way() -> None:
    frame = tunnelled(AROUND_FRAMES["vxlan in gre"][0], is_frame=True).packets[0][4]
    found = outermost(1, frame, len(frame))
    assert isinstance(found, IpPacket) and found.layers == ()
    passed = [one for one in packets_inside(frame, found) if isinstance(one, IpPacket)]
    assert [len(one.layers) for one in passed] == [0, 1, 2]
    assert passed[-1] == read_packet(1, frame, len(frame))
    assert all(one.start < other.header for one, other in pairwise(passed))


@pytest.mark.parametrize(("name", "header", "is_frame", "text"), CASES, ids=NAMES)
def test_the_conversation_inside_is_decoded(
    name: str, header: Callable[[], Any], is_frame: bool, text: str | None
) -> None:
    records = tunnelled(header, is_frame=is_frame).records()
    assert without_tunnel(records) == without_tunnel(conversation().tape.records())
    assert [record.tunnel for record in connections(records)] == [text]


@pytest.mark.parametrize(("name", "header", "is_frame", "text"), CASES, ids=NAMES)
def test_a_packet_cut_anywhere_says_so_or_gives_nothing(
    name: str, header: Callable[[], Any], is_frame: bool, text: str | None
) -> None:
    """The snapshot length cuts after each byte: nothing is invented, and nothing raised."""
    whole = tunnelled(header, is_frame=is_frame).packets[3][4]
    for captured in range(len(whole)):
        tape = Tape()
        tape.add(whole, captured=captured)
        records = tape.records()
        assert records, captured
        assert is_cut_at_most(records), captured
        # The same bytes as a frame that was as short as this on the wire.
        short = Tape()
        short.add(whole[:captured])
        assert is_cut_at_most(short.records()), captured


def is_cut_at_most(records: list[Record]) -> bool:
    """Whether nothing is shown, or what is whole of a head, and with it that it is cut."""
    codes = {record.code for record in records if isinstance(record, DiagnosticRecord)}
    codes.discard("tcp-direction-missing")  # the one packet acknowledges what is not here
    shown = {record.record for record in records} - {"diagnostic", "connection", "gap"}
    return not shown or (shown == {"request"} and codes == {"packet-cut", "http-message-cut"})


@pytest.mark.parametrize(("name", "header", "is_frame", "text"), CASES, ids=NAMES)
def test_headers_cut_anywhere_are_no_segment(
    name: str, header: Callable[[], Any], is_frame: bool, text: str | None
) -> None:
    """By the snapshot length, or on the wire: what they give holds no byte that is not there."""
    whole = tunnelled(header, is_frame=is_frame).packets[3][4]
    for size in range(len(whole)):
        for length in (size, len(whole)):
            found = read_packet(1, whole[:size], length)
            assert not isinstance(found, IpPacket) or found.start <= found.end <= size


@pytest.mark.parametrize(("name", "header", "is_frame", "text"), CASES, ids=NAMES)
def test_what_is_after_the_outer_packet_is_no_payload(
    name: str, header: Callable[[], Any], is_frame: bool, text: str | None
) -> None:
    tape = Tape()
    for _, _, _, _, frame in tunnelled(header, is_frame=is_frame).packets:
        tape.add(frame + b"\xff" * 9)
    assert without_tunnel(tape.records()) == without_tunnel(conversation().tape.records())


def test_an_inner_packet_in_outer_fragments() -> None:
    """What the tunnel made too long for its path is put together first."""
    from scapy.layers.inet import IP, fragment
    from scapy.layers.l2 import Ether

    tape = Tape()
    for _, _, _, _, frame in conversation().tape.packets:
        packet = Ether(around(over_udp(4789) / b"\x08\0\0\0\0\0\x2a\0", frame))
        for piece in fragment(packet[IP], fragsize=40):
            tape.add(bytes(eth() / piece))
    records = tape.records()
    assert [record.record for record in records] == [
        "request",
        "response",
        "data",
        "body",
        "connection",
    ]
    assert connections(records)[0].tunnel == "vxlan 42 192.0.2.1 → 192.0.2.2"


@pytest.mark.parametrize("name", ["vxlan", "vxlan of Linux"])
def test_fragments_in_a_tunnel(name: str) -> None:
    """What was put in pieces before the tunnel began is of the tunnel's network."""
    from scapy.layers.inet import IP, fragment
    from scapy.layers.l2 import Ether

    header, text = AROUND_FRAMES[name]
    tape = Tape()
    for _, _, _, _, frame in conversation().tape.packets:
        for piece in fragment(Ether(frame)[IP], fragsize=40):
            tape.add(around(header(), bytes(eth() / piece)))
    records = tape.records()
    assert "response" in {record.record for record in records}
    assert connections(records)[0].tunnel == text


def test_6in4() -> None:
    from scapy.layers.inet import IP

    talk = conversation(is_ipv6=True)
    tape = tunnelled(
        lambda: eth() / IP(src="192.0.2.1", dst="192.0.2.2", proto=41), is_frame=False, talk=talk
    )
    assert without_tunnel(tape.records()) == without_tunnel(talk.tape.records())
    assert connections(tape.records())[0].tunnel == "6in4 192.0.2.1 → 192.0.2.2"


@pytest.mark.parametrize("before", [b"", b"\0\1\0\0" + bytes(9), b"\0\0" + bytes(6)])
def test_teredo(before: bytes) -> None:
    talk = conversation(is_ipv6=True)
    tape = tunnelled(lambda: over_udp(3544) / before, is_frame=False, talk=talk)
    assert without_tunnel(tape.records()) == without_tunnel(talk.tape.records())


# --- who is the same connection ---


def interleaved(first: Callable[[], Any], second: Callable[[], Any], is_frame: bool) -> Tape:
    """The same conversation through two tunnels, packet by packet."""
    tape = Tape()
    for _, _, _, _, frame in conversation().tape.packets:
        for header in (first, second):
            tape.add(around(header(), frame if is_frame else frame[14:]))
    return tape


VXLAN = AROUND_FRAMES["vxlan"][0]
VXLAN_1 = AROUND_FRAMES["vxlan of Linux"][0]
GENEVE = AROUND_FRAMES["geneve"][0]


@pytest.mark.parametrize(("first", "second"), [(VXLAN, VXLAN_1), (VXLAN, GENEVE)])
def test_networks_that_use_the_same_addresses_are_kept_apart(
    first: Callable[[], Any], second: Callable[[], Any]
) -> None:
    found = connections(interleaved(first, second, is_frame=True).records())
    assert [record.retransmissions for record in found] == [0, 0]
    assert [record.server_bytes for record in found] == [40, 40]
    assert len({record.tunnel for record in found}) == 2


def test_a_tunnel_that_names_no_network_is_the_same_as_none() -> None:
    """Requests come through a load balancer's IP in IP, answers go without it."""
    tape = Tape()
    for _, _, _, _, frame in conversation().tape.packets:
        is_request = frame[34:36] == (40_000).to_bytes(2, "big")
        inner = around(AROUND_PACKETS["ipip"][0](), frame[14:]) if is_request else frame
        tape.add(inner)
    records = tape.records()
    assert [record.record for record in records] == [
        "request",
        "response",
        "data",
        "body",
        "connection",
    ]
    assert connections(records)[0].tunnel == "ipip 192.0.2.1 → 192.0.2.2"


def test_each_direction_may_have_a_tunnel_end_of_its_own() -> None:
    """A GTP-U tunnel is one direction's: each has an identifier of its own."""
    from scapy.contrib.gtp import GTP_U_Header

    tape = Tape()
    for _, _, _, _, frame in conversation().tape.packets:
        teid = int.from_bytes(frame[34:36], "big")
        header = over_udp(2152, 2152) / GTP_U_Header(teid=teid, gtp_type=255)
        tape.add(around(header, frame[14:]))
    assert len(connections(tape.records())) == 1


def test_a_port_pair_in_a_tunnel_may_be_used_again() -> None:
    tape = Tape()
    for seq in (1_000, 900_000):
        for _, _, _, _, frame in conversation(client_isn=seq).tape.packets:
            tape.add(around(VXLAN(), frame))
    assert len(connections(tape.records())) == 2


def test_realms_differ_by_the_kind_of_network_and_its_number() -> None:
    layers = [Layer("vxlan", 1), Layer("vxlan", 2), Layer("geneve", 1), Layer("gre", 1)]
    assert len({realm((layer,)) for layer in layers}) == 4
    assert realm(()) == realm((Layer("gre", None),)) == realm((Layer("erspan", 7),)) == b""


# --- near misses ---

NEAR_MISSES = {
    "no I flag": (4789, b"\0\0\0\0\0\0\x2a\0"),
    "reserved byte": (4789, b"\x08\0\0\0\0\0\x2a\1"),
    "some text": (4789, b"GET / HTTP/1.1\r\n"),
    "gtp echo": (2152, b"\x32\1\0\4\0\0\0\0"),
    "gtp version 2": (2152, b"\x58\xff\0\4\0\0\0\0"),
    "geneve version": (6081, b"\x40\0\x65\x58\0\1\2\0"),
    "geneve of something": (6081, b"\0\0\x88\x99\0\1\2\0"),
    "l2tp control": (1701, b"\xc8\2\0\x0c\0\1\0\0\0\0\0\0"),
    "tzsp of 802.11": (37008, b"\1\0\0\x12\1"),
    "another port": (4788, b"\x08\0\0\0\0\0\x2a\0"),
}


@pytest.mark.parametrize(("port", "header"), NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_what_only_has_the_port_of_a_tunnel_is_not_entered(port: int, header: bytes) -> None:
    tape = tunnelled(lambda: over_udp(port) / header, is_frame=True)
    records = tape.records()
    assert connections(records) == []
    assert [record.code for record in records] == ["packets-not-decoded"]
    assert f"{len(tape.packets)} packets of UDP port {port}" in records[0].summary


def test_a_tunnel_port_over_bytes_that_are_no_packet() -> None:
    """The header is right, and what it announces is not there."""
    tape = Tape()
    tape.add(around(over_udp(4789) / b"\x08\0\0\0\0\0\x2a\0", bytes(12) + b"\x08\0" + b"\x45" * 60))
    assert codes(tape.records()) == ["packets-not-decoded"]


def test_a_gre_keepalive_is_none_of_the_connections() -> None:
    """Its inner packet is the answer that the other end is to send back, and holds nothing."""
    from scapy.layers.inet import IP
    from scapy.layers.l2 import GRE

    inner = bytes(IP(src="192.0.2.2", dst="192.0.2.1") / GRE(proto=0))
    tape = conversation().tape
    tape.add(around(outer() / GRE(proto=0x0800), inner))
    assert len(connections(tape.records())) == 1


@pytest.mark.parametrize("flags", [b"\x40\0", b"\0\2", b"\0\7"])
def test_gre_of_another_kind_is_counted(flags: bytes) -> None:
    tape = tunnelled(lambda: eth() / _ip(47) / (flags + b"\x08\0" + bytes(4)), is_frame=False)
    assert codes(tape.records()) == ["packets-not-decoded"]
    assert "packets of protocol 47 (GRE)" in tape.records()[0].summary


def _ip(protocol: int) -> Any:
    from scapy.layers.inet import IP

    return IP(src="192.0.2.1", dst="192.0.2.2", proto=protocol)


# --- link types that were declared wrongly ---


def with_checksums(is_ethernet: bool, link_type: int) -> Tape:
    """A conversation whose IP headers have checksums, as link type ``link_type``."""
    from scapy.layers.inet import IP

    tape = Tape()
    for _, _, _, _, frame in conversation().tape.packets:
        packet = IP(frame[14:])
        del packet.chksum
        tape.add((frame[:14] if is_ethernet else b"") + bytes(packet), link_type=link_type)
    return tape


@pytest.mark.parametrize(("is_ethernet", "link_type"), [(False, 1), (True, 101), (False, 0)])
def test_a_link_type_that_is_surely_wrong(is_ethernet: bool, link_type: int) -> None:
    tape = with_checksums(is_ethernet, link_type)
    records = tape.records()
    assert codes(records) == ["link-type-wrong"]
    assert [one.tunnel for one in records if isinstance(one, ConnectionRecord)] == [None]
    assert without_tunnel([one for one in records if one.record != "diagnostic"]) == without_tunnel(
        conversation().tape.records()
    )


@pytest.mark.parametrize(
    ("link_type", "packet", "found"),
    [
        (147, ipv6(b""), UNKNOWN_LINK_TYPE),  # nothing is known of it that could be wrong
        (1, ipv6(b"\6\5" + bytes(30), next_header=60), "ip-malformed"),
    ],
)
def test_what_is_in_a_frame_of_a_wrong_link_type(
    link_type: int, packet: bytes, found: int | str
) -> None:
    read = read_packet(link_type, packet, len(packet))
    assert (read.code if isinstance(read, Diagnostic) else read) == found


def test_a_link_type_that_is_right_is_not_doubted() -> None:
    """An IP packet inside a frame of another protocol is no IP packet."""
    tape = with_checksums(False, 1)
    other = Tape()
    for _, _, _, _, packet in tape.packets:
        other.add(bytes(12) + b"\x88\x99" + packet)
        other.add(b"\x45" + packet[1:10] + b"\0\0" + packet[12:])  # its checksum is wrong
    assert connections(other.records()) == []


# --- hostile ---


def test_too_many_tunnels_are_said() -> None:
    packet = conversation().tape.packets[3][4][14:]
    for depth in range(MAX_TUNNELS + 3):
        tape = Tape()
        tape.add(bytes(12) + b"\x08\0" + packet)
        if depth <= MAX_TUNNELS:
            assert "request" in {record.record for record in tape.records()}, depth
        else:
            assert codes(tape.records()) == ["tunnel-depth"], depth
        packet = bytes(_ip(4) / packet)


def test_a_packet_full_of_labels_costs_one_pass() -> None:
    tape = Tape()
    tape.add(bytes(12) + b"\x88\x47" + b"\0\1\0\x40" * 15_000)
    tape.add(
        bytes(12)
        + b"\x88\x47"
        + b"\0\1\0\x40" * 15_000
        + b"\0\1\1\x40"
        + conversation().tape.packets[3][4][14:]
    )
    (connection,) = connections(tape.records())
    assert connection.tunnel == "mpls " + "/".join(["16"] * MAX_LABELS) + "/..."


def test_gre_in_gre_without_end() -> None:
    """Each header announces one more, to the end of the packet."""
    nested = bytes(_ip(47))[:20] + b"\0\0\x08\0"
    data = bytes(12) + b"\x08\0" + nested.replace(b"\0\x14", b"\xff\xff", 1) * 2_000
    found = read_packet(1, data, len(data))
    assert isinstance(found, Diagnostic | IpPacket)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(CASES),
    st.integers(0, 7),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=4),
    st.integers(0, 300),
)
def test_damage_never_raises(
    case: tuple[str, Callable[[], Any], bool, str | None],
    packet: int,
    changes: list[tuple[int, int]],
    kept: int,
) -> None:
    _, header, is_frame, _ = case
    frame = bytearray(tunnelled(header, is_frame=is_frame).packets[packet][4])
    for place, value in changes:
        frame[place % len(frame)] = value
    tape = Tape()
    tape.add(bytes(frame), captured=kept)
    for link_type in (1, 101, 239, 258):
        found = read_packet(link_type, bytes(frame[:kept]), len(frame))
        if isinstance(found, IpPacket):
            assert 0 <= found.header < found.start or found.start == found.end
            assert found.end <= kept
    decoded(tape.packets)
    assert GET  # whatever came of it, nothing was raised


def test_the_text_of_what_was_passed() -> None:
    ends = (bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    gre = Layer("gre", None, *ends)
    assert tunnel_text([], ()) is None
    assert tunnel_text([Layer("vlan", 5)], ()) is None
    assert tunnel_text([Layer("vlan", 5), Layer("vlan", 6)], ()) == "vlan 5/6"
    assert tunnel_text([Layer("mpls", 1)], (gre, gre)) == (
        "mpls 1, gre 10.0.0.1 → 10.0.0.2, gre 10.0.0.1 → 10.0.0.2"
    )
