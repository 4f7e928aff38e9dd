"""Packets that are not usual, and fragments: where they go, and what is said of them."""

from __future__ import annotations

import pytest
from support.frames import ACK, PSH, ipv4, ipv6, tcp, udp
from support.talk import GET, OK, Talk, Tape, decoded, exchange, kinds, only_fault, summaries

from parsers.records import ConnectionRecord, DiagnosticRecord

ONE_SIDED = "tcp-direction-missing"


def test_ipv6() -> None:
    records = exchange(is_ipv6=True).tape.records()
    assert kinds(records) == ["request", "response", "data", "body", "connection"]
    connection = records[-1]
    assert isinstance(connection, ConnectionRecord)
    assert (connection.client, connection.server) == ("[::1]:40000", "[::1]:8000")


def test_padding_is_no_payload() -> None:
    """A short Ethernet frame is filled up to 60 bytes (IEEE Std 802.3 section 3.2.8)."""
    talk = Talk().open()
    for number, sender in ((1, GET[:3]), (2, GET[3:])):
        talk.tape.add(talk.frame("client", sender) + b"\xff" * 6 * number)
    assert decoded(talk.tape.packets, general=True) == talk.tape.records()
    assert kinds(talk.tape.records()) == ["request", "connection"]


def test_options_of_ip_and_tcp() -> None:
    tape = Tape()
    tape.add(ipv4(tcp(1, 80, ACK | PSH, payload=GET[:9], options=b"\1" * 12), options=b"\1" * 8))
    tape.add(ipv4(tcp(1, 80, ACK | PSH, seq=9, payload=GET[9:], options=b"\1" * 8)))
    records = tape.records()
    assert kinds(records) == ["request", ONE_SIDED, "connection"]
    assert (records[0].first_packet, records[0].last_packet) == (1, 2)


@pytest.mark.parametrize("link_type", [147, 189])
def test_unknown_link_type(link_type: int) -> None:
    """Said once for each, however many packets there are."""
    talk = exchange()
    for _ in range(3):
        talk.tape.add(b"whatever", link_type=link_type)
    records = talk.tape.records()
    assert kinds(records) == [
        "request",
        "response",
        "data",
        "body",
        "connection",
        "link-type-unknown",
    ]
    fault = only_fault(records)
    assert (fault.severity, fault.first_packet, fault.last_packet) == ("warning", 10, 10)
    assert str(link_type) in fault.summary


def test_other_protocols_are_passed_over() -> None:
    tape = Tape()
    tape.add(bytes(12) + b"\x08\x06" + bytes(28))  # ARP
    tape.add(ipv4(udp(1, 2, b"x" * 40), 17))
    tape.add(ipv6(udp(1, 2, b"x"), 17))
    tape.add(bytes(5))
    assert summaries(tape) == [
        "2 packets of UDP port 1 were not decoded",
        "1 packet of EtherType 0x0806 (ARP) was not decoded",
        "1 packet of no known protocol was not decoded",
    ]


def test_what_keeps_a_network_running_is_named_only_where_there_is_nothing_else() -> None:
    talk = exchange()
    talk.tape.add(bytes(12) + b"\x08\x06" + bytes(28))
    talk.tape.add(ipv4(udp(1, 53, b"x" * 40), 17))
    assert summaries(talk.tape) == []
    for _ in range(3):
        talk.tape.add(ipv4(bytes(40), 50))
    talk.tape.add(ipv4(bytes(40), 200))
    assert summaries(talk.tape) == [
        "3 packets of protocol 50 (ESP, which is encrypted) were not decoded",
        "1 packet of protocol 200 was not decoded",
    ]


def test_of_very_many_protocols_the_most_frequent_are_named() -> None:
    tape = Tape()
    for port in range(1, 200):
        tape.add(ipv4(udp(port, port, b"x"), 17))
    said = summaries(tape)
    assert said[0] == "135 packets of other protocols were not decoded"
    assert len(said) == 9
    assert said[-1] == "57 packets of 57 other kinds were not decoded"


@pytest.mark.parametrize(
    ("frame", "code", "said"),
    [
        (ipv4(b"x" * 19), "tcp-malformed", "20 bytes expected, 19 found"),
        (ipv4(tcp(1, 2)[:12] + b"\x40" + tcp(1, 2)[13:]), "tcp-malformed", "16 bytes"),
        (ipv4(tcp(1, 2)[:12] + b"\x60" + tcp(1, 2)[13:]), "tcp-malformed", "24 bytes"),
        (bytes(12) + b"\x08\x00\x43" + bytes(60), "ip-malformed", "12 bytes"),
        (bytes(12) + b"\x08\x00\x95" + bytes(60), "ip-malformed", "9 found"),
    ],
)
def test_malformed_headers(frame: bytes, code: str, said: str) -> None:
    tape = Tape()
    tape.add(frame)
    fault = only_fault(tape.records())
    assert (fault.code, fault.severity, fault.first_packet) == (code, "error", 1)
    assert (fault.connection, fault.offset) == (None, None)
    assert said in fault.summary
    assert fault.reference


@pytest.mark.parametrize("kept", [30, 34 + 12, 34 + 20])
def test_cut_packets(kept: int) -> None:
    """A snapshot length: said at the first cut packet; its missing bytes are a gap."""
    talk = Talk().open()
    talk.client(GET)
    for _ in range(2):
        talk.tape.add(talk.frame("client", GET), captured=kept)
    talk.server(OK, b"hi")
    records = talk.tape.records()
    fault = next(record for record in records if isinstance(record, DiagnosticRecord))
    assert (fault.code, fault.severity, fault.first_packet) == ("packet-cut", "note", 5)
    assert kinds(records).count("packet-cut") == 1
    gaps = [record for record in records if record.record == "gap"]
    assert sum(gap.missing for gap in gaps) == 2 * len(GET)
    assert kinds(records)[-1] == "connection"


def test_a_packet_cut_in_its_payload() -> None:
    talk = Talk().open()
    number = talk.tape.add(talk.frame("client", GET), captured=54 + 10)
    talk.close()
    records = talk.tape.records()
    gap = next(record for record in records if record.record == "gap")
    assert (gap.offset, gap.missing) == (10, len(GET) - 10)
    assert (gap.first_packet, gap.last_packet) == (number, number)
    assert records[-1].client_bytes == len(GET)


# --- fragments ---


def fragments(payload: bytes, size: int) -> list[bytes]:
    """An IPv4 packet in fragments of ``size`` bytes (RFC 791 section 3.2)."""
    found = []
    for start in range(0, len(payload), size):
        more = 0x2000 if start + size < len(payload) else 0
        found.append(ipv4(payload[start : start + size], fragment=more | start // 8))
    return found


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_fragments(order: tuple[int, ...]) -> None:
    """The segment arrives with the fragment that completes it, as Wireshark shows it."""
    pieces = fragments(tcp(1, 80, ACK | PSH, payload=GET), 24)
    tape = Tape()
    for index in order:
        tape.add(pieces[index])
    records = tape.records()
    assert kinds(records) == ["request", ONE_SIDED, "connection"]
    assert records[0].last_packet == 3


def test_fragments_that_are_missing() -> None:
    tape = Tape()
    for piece in fragments(tcp(1, 80, ACK | PSH, payload=GET), 24)[:-1]:
        tape.add(piece)
    fault = only_fault(tape.records())
    assert (fault.code, fault.severity, fault.last_packet) == ("ip-fragment-missing", "error", 2)


def test_fragments_that_overlap() -> None:
    pieces = fragments(tcp(1, 80, ACK | PSH, payload=GET), 24)
    tape = Tape()
    tape.add(pieces[0])
    tape.add(pieces[0].replace(b"GET", b"PUT"))
    for piece in pieces[1:]:
        tape.add(piece)
    records = tape.records()
    assert kinds(records) == ["ip-fragment-overlap", "request", ONE_SIDED, "connection"]
    assert records[1].method == "GET"  # the first version counts


def test_fragments_of_another_protocol() -> None:
    tape = Tape()
    whole = udp(1, 2, b"x" * 60)
    for start in (0, 32, 64):
        more = 0x2000 if start < 64 else 0
        tape.add(ipv4(whole[start : start + 32], 17, fragment=more | start // 8))
    assert summaries(tape) == ["1 packet of UDP port 1 was not decoded"]
