"""Which packets belong to which connection: numbers as Wireshark gives them."""

from __future__ import annotations

import pytest
from support.segments import ACK, CLIENT, FIN, RST, SERVER, SYN, Wire
from support.talk import Talk, Tape, decoded, kinds

from parsers import limits
from parsers.net.half_connection import NO_SEQ
from parsers.net.table import LARGE_SEGMENT, reverse_key
from parsers.net.tcp import Connection, Direction

ISN = 1000
FIRST = ISN + 1
OTHER = bytes([127, 0, 0, 1, 127, 0, 0, 1, 0x9C, 0x41, 0x1F, 0x40])


def established() -> Wire:
    wire = Wire()
    wire.handshake(ISN)
    return wire


def close(wire: Wire) -> None:
    wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST)
    wire.send(CLIENT, FIRST, b"", FIN | ACK, ack=5002)
    wire.send(SERVER, 5002, b"", ACK, ack=FIRST + 1)


def usual(wire: Wire, direction: Direction, payload: bytes) -> None:
    """Send a segment by the usual path."""
    wire.number += 1
    wire.table.receive_usual(direction, payload, wire.number, wire.time_ns)


def test_usual_segments_are_put_aside_until_the_flush() -> None:
    wire = established()
    direction = wire.direction()
    assert direction.usual_seq == FIRST
    for payload in (b"GET", b" / "):
        usual(wire, direction, payload)
    assert wire.sink().pieces == []
    assert (direction.usual_seq, direction.origins.size) == (FIRST + 6, 6)
    assert wire.table.flush() == []
    assert wire.sink().pieces == [b"GET / "]
    assert direction.origins.at(4)[1][0] == 5, "each byte keeps its own packet"


def test_the_other_side_gets_its_turn_when_it_speaks() -> None:
    wire = established()
    direction = wire.direction()
    usual(wire, direction, b"ask")
    usual(wire, direction.peer, b"answer")
    assert (wire.sink().pieces, wire.peer_sink().pieces) == ([b"ask"], [])
    usual(wire, direction, b"ask again")
    assert wire.peer_sink().pieces == [b"answer"]


def test_what_is_put_aside_comes_before_anything_unusual() -> None:
    wire = established()
    usual(wire, wire.direction(), b"abc")
    wire.send(CLIENT, FIRST + 3, b"d", FIN | ACK, ack=5001)
    assert wire.sink().pieces == [b"abc", b"d"]
    assert wire.direction().usual_seq == NO_SEQ


def test_nothing_is_usual_behind_a_hole() -> None:
    wire = established()
    wire.send(CLIENT, FIRST + 3, b"def", ack=5001)
    assert wire.direction().usual_seq == wire.direction().peer.usual_seq == NO_SEQ
    wire.send(CLIENT, FIRST, b"abc", ack=5001)
    assert wire.direction().usual_seq == FIRST + 6


def test_large_segments_are_not_put_aside() -> None:
    wire = established()
    usual(wire, wire.direction(), bytes(LARGE_SEGMENT + 1))
    assert len(wire.sink().data) == LARGE_SEGMENT + 1


def test_connections_are_numbered_by_first_packet() -> None:
    wire = established()
    wire.handshake(key=OTHER)
    assert [connection.index for connection in wire.opened] == [0, 1]
    assert (wire.opened[1].first_packet, wire.opened[1].last_packet) == (4, 6)
    assert wire.opened[0].packets == wire.opened[1].packets == 3


def test_a_syn_sent_again_is_the_same_connection() -> None:
    wire = Wire()
    wire.send(CLIENT, ISN, flags=SYN)
    wire.send(CLIENT, ISN, flags=SYN)
    assert len(wire.opened) == 1
    assert wire.sink().codes == []


def test_a_port_pair_used_again_is_a_new_connection() -> None:
    wire = established()
    close(wire)
    wire.handshake(client_isn=900_000)
    assert len(wire.opened) == 2
    wire.handshake(client_isn=90_000_000)
    assert len(wire.opened) == 3, "also while the old one is still open"
    assert wire.closed == wire.opened[:2]


def test_midstream() -> None:
    wire = Wire()
    wire.send(CLIENT, 777, b"abc", ack=5)
    wire.send(SERVER, 5, b"xyz", ack=780)
    assert wire.opened[0].is_midstream
    assert (wire.sink().data, wire.peer_sink().data) == (b"abc", b"xyz")


def test_data_with_syn() -> None:
    wire = Wire()
    wire.send(CLIENT, ISN, b"early", SYN)
    wire.send(CLIENT, FIRST + 5, b" data", ack=1)
    assert wire.sink().data == b"early data"


def test_too_many_connections_close_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 2)
    wire = Wire()
    for port in range(3):
        wire.send(CLIENT[:-4] + port.to_bytes(2, "big") + CLIENT[-2:], ISN, flags=SYN)
    assert wire.closed == wire.opened[:1]
    assert wire.sink(0).codes == ["tcp-connection-limit"]


def test_packets_of_a_connection_that_was_given_up_are_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next would have been as usual: nothing of a connection follows its own record."""
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 1)
    tape = Tape()
    old = Talk(tape, client_port=50_001).open()
    old.client(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
    Talk(tape, client_port=50_002).open()
    old.server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    for batch in (1, 100):
        records = decoded(tape.packets, batch=batch)
        assert kinds(records) == ["request", "tcp-connection-limit", "connection", "connection"]


def test_a_late_packet_is_told_to_who_knows_of_connections_elsewhere() -> None:
    """With how many connections have begun by then: what was closed long ago may be forgotten."""
    elsewhere = Elsewhere()
    wire = Wire(elsewhere)
    wire.handshake(ISN)
    close(wire)
    assert elsewhere.late == []
    wire.send(SERVER, 5001, b"late")
    assert elsewhere.late == [(0, 41)]


class Elsewhere:
    """Forty connections, which have begun before any here."""

    has_others = True

    def __init__(self) -> None:
        self.late: list[tuple[int, int]] = []

    def has(self, connection: int | None) -> bool:
        return connection is not None

    def begins(self, index: int, key: bytes, packet: int) -> bool:
        return True

    def others_before(self, packet: int) -> int:
        return 40

    def check_late(self, connection: Connection, begun: int) -> None:
        self.late.append((connection.index - 40, begun))


def test_of_a_closed_connection_little_is_kept() -> None:
    wire = established()
    wire.send(CLIENT, FIRST, b"x" * 1_000)
    wire.send(CLIENT, FIRST + 1_000, b"", RST | ACK)
    for direction in (wire.direction(), wire.direction().peer):
        assert wire.table.directions[CLIENT].connection is direction.connection
        assert direction.usual_seq == NO_SEQ
        for kept in ("receiver", "stream", "queue", "history"):
            assert not hasattr(direction, kept)


def test_closed_connections_are_forgotten_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CLOSED_CONNECTIONS", 1)
    wire = Wire()
    for port in range(3):
        key = CLIENT[:-4] + port.to_bytes(2, "big") + CLIENT[-2:]
        wire.send(key, ISN, flags=SYN)
        wire.send(reverse_key(key), 0, flags=RST | ACK, ack=FIRST)
    assert len(wire.table.directions) == 2


def test_who_is_forgotten_leaves_its_ports_to_who_has_them_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MAX_CLOSED_CONNECTIONS", 1)
    wire = established()
    for isn in (90_000_000, 180_000_000):
        wire.handshake(client_isn=isn)
    assert wire.closed == wire.opened[:2]
    assert wire.table.directions[CLIENT] is wire.direction()
    assert wire.table.open_connections == wire.opened[2:]


MINUTE = 60 * 10**9


@pytest.mark.parametrize(
    ("shape", "minutes"),
    [("open", 124), ("half-open", 4), ("half-closed", 4)],
)
def test_silent_connections_expire(shape: str, minutes: int) -> None:
    """A NAT may forget them after so long: RFC 5382 section 5, REQ-5."""
    wire = Wire()
    if shape == "half-open":
        wire.send(CLIENT, ISN, b"", SYN)
    else:
        wire.handshake(ISN)
    if shape == "half-closed":
        wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST)
    last = wire.opened[0].last_time
    assert wire.table.expire(last + minutes * MINUTE) == []
    assert wire.closed == []
    wire.table.expire(last + (minutes + 1) * MINUTE)
    assert wire.closed == wire.opened
    assert wire.sink(0).codes == ["tcp-connection-silent"]


def test_what_comes_after_all_begins_a_new_connection() -> None:
    wire = established()
    wire.table.expire(wire.time_ns + limits.MAX_SILENCE + MINUTE)
    wire.send(CLIENT, FIRST, b"still here", ack=5001)
    assert [connection.index for connection in wire.opened] == [0, 1]
    assert wire.opened[1].is_midstream
    assert wire.sink(1).pieces == [b"still here"]


def test_reverse_key() -> None:
    assert reverse_key(CLIENT) == bytes([127, 0, 0, 1, 127, 0, 0, 1, 0x1F, 0x40, 0x9C, 0x40])
    key = bytes(range(36))
    assert reverse_key(reverse_key(key)) == key
