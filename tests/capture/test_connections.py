"""Which connections are open, by hand-made segments."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.frames import ACK, FIN, PSH, RST, SYN, ipv4, ipv6, tcp

from capture import connections
from capture.connections import OpenConnections

CLIENT, SERVER = 40_000, 8000


class Exchange:
    """A watch, and segments of one connection to feed it with."""

    def __init__(self, make=ipv4, client: int = CLIENT, isn: int = 100) -> None:
        self.watch = OpenConnections()
        self.make = make
        self.client = client
        self.seq = isn
        self.peer_seq = isn + 5_000

    def out(self, flags: int, seq: int, ack: int = 0, payload: bytes = b"") -> None:
        self.feed(self.client, SERVER, flags, self.seq + seq, self.peer_seq + ack, payload)

    def back(self, flags: int, seq: int, ack: int = 0, payload: bytes = b"") -> None:
        self.feed(SERVER, self.client, flags, self.peer_seq + seq, self.seq + ack, payload)

    def feed(
        self, source: int, destination: int, flags: int, seq: int, ack: int, payload: bytes
    ) -> None:
        segment = tcp(source, destination, flags, seq=seq % 2**32, ack=ack % 2**32, payload=payload)
        frame = self.make(segment)
        self.watch.receive_packets([(0, frame, len(frame))])

    def open(self) -> None:
        self.out(SYN, 0)
        self.back(SYN | ACK, 0, 1)
        self.out(ACK, 1, 1)


@pytest.fixture(params=[ipv4, ipv6], ids=["ipv4", "ipv6"])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    return Exchange(request.param)


def test_nothing_yet() -> None:
    watch = OpenConnections()
    assert (watch.count, watch.opened, watch.closed) == (0, 0, 0)


def test_closed_by_both_sides(exchange: Exchange) -> None:
    exchange.open()
    exchange.out(PSH | ACK, 1, 1, b"request")
    exchange.back(PSH | ACK, 1, 8, b"answer")
    exchange.out(FIN | ACK, 8, 7)
    assert exchange.watch.count == 1
    exchange.back(ACK, 7, 9)
    assert exchange.watch.count == 1, "one direction is still open"
    exchange.back(FIN | ACK, 7, 9, b"late")
    assert exchange.watch.count == 1, "the last FIN is not acknowledged"
    exchange.out(ACK, 9, 11)
    assert exchange.watch.count == 1, "acknowledged is only what came before it"
    exchange.out(ACK, 9, 12)
    assert (exchange.watch.count, exchange.watch.opened) == (0, 1)


def test_a_fin_that_acknowledges_a_fin(exchange: Exchange) -> None:
    exchange.open()
    exchange.out(FIN | ACK, 1, 1)
    exchange.back(FIN | ACK, 1, 2)
    exchange.out(ACK, 2, 2)
    assert exchange.watch.count == 0


@pytest.mark.parametrize("side", ["out", "back"])
def test_reset(exchange: Exchange, side: str) -> None:
    exchange.open()
    getattr(exchange, side)(RST, 1)
    assert (exchange.watch.count, exchange.watch.closed) == (0, 1)
    exchange.out(PSH | ACK, 1, 1, b"crossed the reset")
    exchange.back(RST, 1)
    assert (exchange.watch.count, exchange.watch.opened, exchange.watch.closed) == (0, 1, 1)


def test_refused(exchange: Exchange) -> None:
    exchange.out(SYN, 0)
    assert exchange.watch.count == 1
    exchange.back(RST | ACK, 0, 1)
    assert exchange.watch.count == 0


def test_begun_before_the_recording(exchange: Exchange) -> None:
    exchange.back(PSH | ACK, 700, 900, b"x")
    assert exchange.watch.count == 1
    exchange.back(FIN | ACK, 701, 900)
    exchange.out(FIN | ACK, 900, 702)
    exchange.back(ACK, 702, 901)
    assert exchange.watch.count == 0


def test_the_same_ports_again(exchange: Exchange) -> None:
    exchange.open()
    exchange.back(RST, 1)
    exchange.open()
    assert (exchange.watch.count, exchange.watch.opened) == (1, 2)
    exchange.open()
    assert exchange.watch.opened == 2, "a SYN that is sent again opens nothing"


def test_sequence_numbers_wrap(exchange: Exchange) -> None:
    exchange.seq = 2**32 - 4
    exchange.open()
    exchange.out(FIN | ACK, 1, 1, b"over")
    exchange.back(FIN | ACK, 1, 5)
    assert exchange.watch.count == 1
    exchange.out(ACK, 6, 2)
    exchange.back(ACK, 2, 6)
    assert exchange.watch.count == 0


def test_padding_is_not_payload() -> None:
    exchange = Exchange()
    exchange.open()
    fin = tcp(CLIENT, SERVER, FIN | ACK, seq=101, ack=5_101)
    exchange.watch.receive_packet(ipv4(fin, padding=bytes(6)))
    exchange.back(FIN | ACK, 1, 2)
    exchange.out(ACK, 2, 2)
    assert exchange.watch.count == 0


@pytest.mark.parametrize(("make", "field"), [(ipv4, 16), (ipv6, 18)])
def test_a_length_of_0_means_the_frame(make, field: int) -> None:
    exchange = Exchange(make)
    exchange.open()
    frame = bytearray(make(tcp(CLIENT, SERVER, FIN | ACK, seq=101, ack=5_101, payload=b"big")))
    frame[field : field + 2] = b"\0\0"
    exchange.watch.receive_packet(bytes(frame))
    exchange.back(FIN | ACK, 1, 4)
    exchange.out(ACK, 5, 2)
    assert exchange.watch.count == 1
    exchange.back(ACK, 2, 5)
    assert exchange.watch.count == 0


def test_tcp_options_and_ip_options() -> None:
    watch = OpenConnections()
    segment = tcp(CLIENT, SERVER, FIN | ACK, seq=100, ack=200, options=b"\x01" * 12)
    watch.receive_packet(ipv4(segment, options=b"\x01" * 8))
    watch.receive_packet(ipv4(tcp(SERVER, CLIENT, FIN | ACK, seq=200, ack=101)))
    watch.receive_packet(ipv4(tcp(CLIENT, SERVER, ACK, seq=101, ack=201)))
    assert watch.count == 0


def test_many_at_once() -> None:
    watch = OpenConnections()
    for port in range(1, 101):
        watch.receive_packet(ipv4(tcp(port, SERVER, SYN)))
    assert watch.count == 100
    for port in range(1, 100):
        watch.receive_packet(ipv4(tcp(SERVER, port, RST)))
    assert watch.count == 1


def test_closed_connections_are_forgotten_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)
    watch = OpenConnections()
    for port in (1, 2, 1, 3):  # the first of port 1 is forgotten when the second holds its key
        watch.receive_packet(ipv4(tcp(port, SERVER, SYN)))
        watch.receive_packet(ipv4(tcp(SERVER, port, RST)))
    assert (watch.opened, watch.count) == (4, 0)
    watch.receive_packet(ipv4(tcp(SERVER, 1, ACK)))
    assert watch.opened == 4, "the second of port 1 is remembered"
    watch.receive_packet(ipv4(tcp(SERVER, 2, ACK)))
    assert watch.opened == 5, "that of port 2 is not"


def test_connections_that_never_end_are_forgotten_at_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 10)
    watch = OpenConnections()
    for port in range(1, 1_000):
        watch.receive_packet(ipv4(tcp(port, SERVER, SYN)))
        assert 1 <= watch.count <= 10
        assert len(watch._directions) <= 20
    assert watch.opened == 999


@settings(deadline=None)
@given(st.sampled_from([ipv4, ipv6]), st.integers(0, 80))
def test_a_frame_cut_before_its_flags_is_left(make, size: int) -> None:
    watch = OpenConnections()
    frame = make(tcp(CLIENT, SERVER, SYN))
    flags = (34 if make is ipv4 else 54) + 13
    watch.receive_packet(frame[: max(size, 24)])  # the filter lets in nothing shorter
    assert watch.count == (size > flags)


def test_a_segment_that_is_cut_after_its_ports() -> None:
    watch = OpenConnections()
    whole = ipv4(tcp(CLIENT, SERVER, SYN))
    watch.receive_packets([(0, frame, len(whole)) for frame in (whole, whole[:40], whole[:47])])
    assert (watch.count, watch.opened) == (1, 1)
