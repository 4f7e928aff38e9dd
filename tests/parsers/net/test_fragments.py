"""Fragments put together: any order, twice, overlapping, missing; limits in space and time."""

from __future__ import annotations

import random
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.capture_files import pcap_header, record
from support.packets import TCP, UDP, extension, fragment_header, ipv4, ipv6
from support.tshark import tshark_fields

from parsers.diagnostics import Diagnostic
from parsers.limits import MAX_FRAGMENT_AGE, MAX_FRAGMENTED_PACKETS
from parsers.net.fragments import FragmentReassembler, WholePacket
from parsers.net.ip import IpPacket, read_ip

PAYLOAD = bytes(random.Random(1).randbytes(100))


class Wire:
    """A reassembler fed with whole IP packets, one captured packet each."""

    def __init__(self) -> None:
        self.reassembler = FragmentReassembler()
        self.number = 0
        self.time_ns: int | None = 0
        self.whole: list[WholePacket] = []
        self.faults: list[Diagnostic] = []

    def send(self, packet: bytes, original: int = 0) -> Wire:
        self.number += 1
        found = read_ip(packet, 0, original or len(packet))
        assert isinstance(found, IpPacket)
        for event in self.reassembler.receive(packet, found, self.number, self.time_ns):
            if isinstance(event, WholePacket):
                self.whole.append(event)
            else:
                self.faults.append(event)
        return self

    @property
    def codes(self) -> list[str]:
        return [fault.code for fault in self.faults]


def piece(start: int, end: int, data: bytes = PAYLOAD, identification: int = 1) -> bytes:
    """An IPv4 fragment with [start, end) of ``data``."""
    more = end < len(data)
    return ipv4(data[start:end], identification=identification, offset=start, more=more)


def piece6(start: int, end: int, data: bytes = PAYLOAD, next_header: int = TCP) -> bytes:
    header = fragment_header(next_header, 1, start, more=end < len(data))
    return ipv6(header + data[start:end], next_header=44)


CUTS = [(0, 40), (40, 48), (48, 100)]


@pytest.mark.parametrize("make", [piece, piece6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    "order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
)
def test_any_order(make, order: tuple[int, ...]) -> None:
    wire = Wire()
    for index in order[:2]:
        wire.send(make(*CUTS[index]))
    assert wire.whole == []
    wire.send(make(*CUTS[order[2]]))
    assert wire.whole == [WholePacket(TCP, PAYLOAD, 1)]
    assert wire.faults == wire.reassembler.finish() == []


def test_a_repetition_is_no_overlap() -> None:
    wire = Wire()
    for cut in (0, 0, 2, 2, 0, 1):
        wire.send(piece(*CUTS[cut]))
    assert wire.whole == [WholePacket(TCP, PAYLOAD, 1)]
    assert wire.faults == []


def test_what_differs_keeps_apart() -> None:
    wire = Wire()
    other = PAYLOAD[::-1]
    wire.send(piece(0, 40)).send(piece(0, 40, other, 2)).send(piece6(0, 40, other))
    wire.send(piece(40, 100, other, 2)).send(piece6(40, 100, other)).send(piece(40, 100))
    assert [whole.payload for whole in wire.whole] == [other, other, PAYLOAD]
    assert [whole.first_packet for whole in wire.whole] == [2, 3, 1]


@pytest.mark.parametrize(
    "pieces",
    [
        [(0, 40), (32, 64), (64, 100)],
        [(0, 40), (48, 100), (32, 64)],  # one piece over the end, a hole and the beginning
        [(16, 24), (40, 48), (0, 64), (64, 100)],
        [(48, 100), (0, 56)],
        [(0, 48), (40, 100)],
    ],
)
def test_overlaps_keep_what_came_first(pieces: list[tuple[int, int]]) -> None:
    wire = Wire()
    expected: dict[int, int] = {}
    for index, (start, end) in enumerate(pieces):
        data = bytes([index]) * 100
        expected = dict.fromkeys(range(start, end), index) | expected
        wire.send(piece(start, end, data))
    (whole,) = wire.whole
    assert whole.payload == bytes(expected[position] for position in range(100))
    assert wire.codes == ["ip-fragment-overlap"]


def test_a_fragment_with_other_bytes_in_the_same_place_is_an_overlap() -> None:
    wire = Wire().send(piece(0, 40)).send(piece(0, 40, PAYLOAD[::-1])).send(piece(40, 100))
    assert wire.whole[0].payload == PAYLOAD
    assert wire.codes == ["ip-fragment-overlap"]
    assert (wire.faults[0].start, wire.faults[0].end) == (0, 40)


@pytest.mark.parametrize(
    ("pieces", "detail"),
    [
        ([(48, 100, 100), (96, 112, 200)], "the packet ends at 100, not 112"),
        ([(48, 100, 100), (48, 96, 96)], "the packet ends at 100, not 96"),
        ([(96, 104, 200), (48, 100, 100)], "the packet ends at 104, not 100"),
    ],
)
def test_a_packet_has_one_end(pieces: list[tuple[int, int, int]], detail: str) -> None:
    wire = Wire()
    for start, end, size in pieces:
        wire.send(piece(start, end, (PAYLOAD * 2)[:size]))
    assert wire.codes == ["ip-fragment-overlap"]
    assert detail in wire.faults[0].summary


def test_an_empty_last_fragment_ends_the_packet() -> None:
    wire = Wire().send(ipv4(PAYLOAD[:96], identification=1, more=True))
    wire.send(ipv4(b"", identification=1, offset=96))
    assert wire.whole[0].payload == PAYLOAD[:96]


def test_ipv6_extension_headers_may_be_fragmented_with_the_payload() -> None:
    data = extension(60) + extension(UDP, 16) + PAYLOAD
    wire = Wire().send(piece6(48, len(data), data, 43)).send(piece6(0, 48, data, 0))
    assert wire.whole == [WholePacket(UDP, PAYLOAD, 1, 24)]


def test_who_waits() -> None:
    wire, found = Wire(), read_ip(piece(0, 48), 0, 68)
    assert isinstance(found, IpPacket) and found.fragment is not None
    assert not wire.reassembler.waits_for(found.fragment.key)
    wire.send(piece(0, 48))
    assert wire.reassembler.waits_for(found.fragment.key)
    wire.send(piece(48, 100))
    assert not wire.reassembler.waits_for(found.fragment.key)


def test_ipv6_extension_headers_may_be_malformed_only_when_whole() -> None:
    data = b"\6\xff" + PAYLOAD
    wire = Wire().send(piece6(0, 48, data, 60)).send(piece6(48, len(data), data, 60))
    assert (wire.whole, wire.codes) == ([], ["ip-malformed"])


@pytest.mark.parametrize(
    ("packet", "original", "code", "detail"),
    [
        (ipv4(bytes(41), offset=8, more=True), 0, "ip-malformed", "of 41 bytes, a multiple of 8"),
        (ipv4(b"", offset=8, more=True), 0, "ip-malformed", "a fragment of 0 bytes"),
        (ipv4(bytes(1000), offset=65_000), 0, "ip-malformed", "at 66,000, at most 65,575"),
        (
            ipv4(bytes(48), offset=8, total=100),
            100,
            "packet-cut",
            "48 bytes captured of a fragment of 80 bytes",
        ),
    ],
)
def test_fragments_that_cannot_be_used(
    packet: bytes, original: int, code: str, detail: str
) -> None:
    wire = Wire().send(packet, original)
    assert wire.codes == [code]
    assert detail in wire.faults[0].summary
    assert wire.reassembler.finish() == []


def test_a_whole_packet_is_refused() -> None:
    with pytest.raises(ValueError, match="a fragment expected"):
        Wire().send(ipv4(PAYLOAD))


@pytest.mark.tshark
def test_tshark_shows_the_whole_packet_where_it_is_completed(tmp_path: Path) -> None:
    datagram = pack("!4H", 4000, 4001, 8 + len(PAYLOAD), 0) + PAYLOAD
    cuts = [(48, 104), (48, 104), (104, 108), (0, 48)]
    packets = [piece(*cut, datagram).replace(b"\x40\x06", b"\x40\x11") for cut in cuts]
    packets += [piece6(*cut, datagram, UDP) for cut in cuts]
    path = tmp_path / "fragments.pcap"
    records = [record(number, 0, packet) for number, packet in enumerate(packets)]
    path.write_bytes(pcap_header(link_type=101) + b"".join(records))
    rows = tshark_fields(path)
    wire = Wire()
    completed = []
    for packet in packets:
        before = len(wire.whole)
        wire.send(packet)
        completed.append(len(wire.whole) > before)
    assert completed == [bool(row["udp.length"]) for row in rows]
    assert completed.index(True) == 3
    assert {whole.payload for whole in wire.whole} == {datagram}


# --- limits ---


def test_what_never_becomes_whole_is_said_at_the_end() -> None:
    wire = Wire().send(piece(0, 40)).send(piece(48, 100, identification=2))
    faults = wire.reassembler.finish()
    assert [fault.code for fault in faults] == ["ip-fragment-missing"] * 2
    assert "40 bytes have come since packet 1, more expected" in faults[0].summary
    assert "100 expected; the capture ends" in faults[1].summary
    assert wire.reassembler.finish() == []


def test_the_packet_that_has_waited_longest_makes_room() -> None:
    wire = Wire()
    for identification in range(MAX_FRAGMENTED_PACKETS + 2):
        wire.send(piece(0, 40, identification=identification))
    assert wire.codes == ["ip-fragment-missing"] * 2
    assert [fault.summary.split("packet ")[2][:2] for fault in wire.faults] == ["1,", "2,"]
    wire.send(piece(40, 100, identification=2))
    assert wire.whole[0].payload == PAYLOAD


def test_what_waits_is_given_up_when_its_memory_is_needed() -> None:
    wire = Wire().send(piece(0, 40)).send(piece(0, 48, identification=2))
    assert wire.reassembler.held >= 88
    faults = wire.reassembler.let_go()
    assert [fault.code for fault in faults] == ["ip-fragment-missing"] * 2
    assert all("bytes of 2 packets wait: too much" in fault.summary for fault in faults)
    assert (wire.reassembler.held, wire.reassembler.finish()) == (0, [])


def test_an_identification_used_again_does_not_mix() -> None:
    wire = Wire().send(piece(0, 40))
    wire.time_ns = MAX_FRAGMENT_AGE
    wire.send(piece(48, 100, identification=2))
    assert wire.faults == []
    wire.time_ns = MAX_FRAGMENT_AGE + 1
    wire.send(piece(40, 100, PAYLOAD[::-1]))
    assert (wire.whole, wire.codes) == ([], ["ip-fragment-missing"])
    wire.send(piece(0, 40, PAYLOAD[::-1]))
    assert wire.whole[0].payload == PAYLOAD[::-1]


def test_packets_without_a_time_do_not_grow_old() -> None:
    wire = Wire()
    wire.time_ns = None
    wire.send(piece(0, 40))
    wire.time_ns = MAX_FRAGMENT_AGE * 2
    wire.send(piece(48, 100)).send(piece(40, 48))
    assert (len(wire.whole), wire.faults) == (1, [])


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 13)), max_size=12), st.randoms())
def test_any_overlaps_of_one_packet_give_it_back(
    spans: list[tuple[int, int]], shuffle: random.Random
) -> None:
    pieces = [(first * 8, min(last * 8, 100)) for first, last in spans if first < last < 13 + first]
    pieces += [(0, 48), (48, 100)]
    shuffle.shuffle(pieces)
    wire = Wire()
    for start, end in pieces:
        if not wire.whole:
            wire.send(piece(start, end))
    assert [whole.payload for whole in wire.whole] == [PAYLOAD]
    assert set(wire.codes) <= {"ip-fragment-overlap"}


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.binary(max_size=40), st.booleans(), st.integers(1, 2)),
        max_size=12,
    )
)
def test_any_fragments_raise_nothing(rows: list[tuple[int, bytes, bool, int]]) -> None:
    wire = Wire()
    for unit, data, more, identification in rows:
        if unit or more:
            wire.send(ipv4(data, identification=identification, offset=unit * 8, more=more))
    assert all(len(whole.payload) <= 200 for whole in wire.whole)
