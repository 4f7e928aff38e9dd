"""Where bytes of a stream lie in frames: against a second opinion that is as simple as can be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from support.damage import renumbered
from support.frames import ACK, PSH, SYN, ipv4, tcp
from support.stored import STORED, name, packets
from support.talk import Talk

from parsers.files.packets import Packet
from parsers.limits import CONNECTION_COST
from parsers.records import ConnectionRecord, Record
from wireproof.bytes import packet_index
from wireproof.bytes.packet_index import FOLLOWED_COST, LATEST, Carrier, Tracer, brought_by
from wireproof.spool import Spool

EVERYTHING = 1 << 40


SPOOLS: list[Spool] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while SPOOLS:
        SPOOLS.pop().close()


def traced(found: list[Packet], batch: int = 5) -> tuple[Tracer, list[Record]]:
    SPOOLS.append(Spool())
    tracer = Tracer(SPOOLS[-1])
    records: list[Record] = []
    for start in range(0, len(found), batch):
        records += tracer.receive(found[start : start + batch])
    return tracer, records + tracer.finish([])


def payload_of(packet: Packet) -> tuple[int, int, int, int]:
    """The source port, the sequence number after SYN, and where the payload is, by hand."""
    data = packet[4]
    assert data[12:14] == b"\x08\x00" and data[14] == 0x45 and data[23] == 6
    port = int.from_bytes(data[34:36], "big")
    seq = int.from_bytes(data[38:42], "big") + bool(data[47] & SYN)
    return port, seq, 34 + (data[46] >> 4) * 4, 14 + int.from_bytes(data[16:18], "big")


def first_arrivals(found: list[Packet]) -> dict[int, dict[int, tuple[int, int]]]:
    """For each source port: of each byte of its stream the packet that brought it first, and where.

    One byte at a time, with nothing in mind of how TCP is followed elsewhere.
    """
    base: dict[int, int] = {}
    streams: dict[int, dict[int, tuple[int, int]]] = {}
    for packet in found:
        port, seq, start, end = payload_of(packet)
        base.setdefault(port, seq)
        stream = streams.setdefault(port, {})
        for place in range(start, end):
            stream.setdefault(seq - base[port] + place - start, (packet[0], place))
    return streams


def check(found: list[Packet]) -> int:
    """Compare the carriers of everything with the second opinion; return how many bytes."""
    tracer, records = traced(found)
    expected = first_arrivals(found)
    ends = next(record for record in records if isinstance(record, ConnectionRecord))
    checked = 0
    for sender, address, size in (
        ("client", ends.client, ends.client_bytes),
        ("server", ends.server, ends.server_bytes),
    ):
        stream = expected.get(int(address.rpartition(":")[2]), {})
        places: dict[int, tuple[int, int]] = {}
        for packet, start, end, offset in tracer.carriers(0, sender, 0, size, EVERYTHING):  # type: ignore[arg-type]
            for step in range(end - start):
                places[offset + step] = packet, start + step
        assert places == {offset: stream[offset] for offset in range(size)}
        checked += size
    return checked


@pytest.mark.parametrize("path", STORED, ids=name)
def test_every_byte_of_a_stored_capture_is_where_it_arrived_first(path: Path) -> None:
    assert check(packets(path)) > 0


@pytest.mark.parametrize("seed", range(12))
def test_retransmissions_and_reordering_change_nothing_of_that(seed: int) -> None:
    seeded = Random(seed)
    path = seeded.choice([path for path in STORED if path.stem in ("plain", "slow", "fragments")])
    found = packets(path)
    # The handshake and the end stay where they are: what is between is mixed, and some sent again.
    head, middle, tail = found[:3], found[3:-5], found[-5:]
    mixed: list[Packet] = []
    for packet in middle:
        mixed.insert(len(mixed) - min(seeded.choice((0, 0, 0, 1, 2)), len(mixed)), packet)
        if seeded.random() < 0.3:
            mixed.append(seeded.choice(mixed))
    assert check(renumbered([*head, *mixed, *tail])) > 0


def test_a_packet_that_brings_old_and_new_bytes_carries_only_the_new() -> None:
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"
    first = talk.server(begun)
    whole = begun + b"56789"
    again = talk.tape.add(ipv4(tcp(8_000, 40_000, ACK | PSH, seq=5_001, ack=1_027, payload=whole)))
    tracer, _ = traced(talk.tape.packets)
    start = len(begun)
    assert tracer.carriers(0, "server", start - 2, len(whole), 10) == [
        Carrier(first, 54 + start - 2, 54 + start, start - 2),
        Carrier(again, 54 + start, 54 + start + 5, start),
    ]
    followed = tracer.connections[0]
    assert brought_by(first, tracer.table[first], followed) == [(0, start)]
    assert brought_by(again, tracer.table[again], followed) == [(start, start + 5)]


def test_runs_of_bytes_that_are_looked_up_together_are_found_as_each_alone_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seeded = Random(7)
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"
    talk.server(head)
    packets = list(talk.tape.packets)
    for _ in range(60):
        talk.server(seeded.randbytes(seeded.randrange(1, 90)))
    late = list(talk.tape.packets)[len(packets) :]
    for place in range(5, 50, 9):
        late[place], late[place + 1] = late[place + 1], late[place]
        late.append(late[place])
    del late[30]
    tracer, _ = traced(renumbered([*packets, *late]))
    trail = tracer.connections[0].trail("server")
    for most in (1, 3, 99):
        for spans_each in (1, 0):  # packets of each that are looked up together
            monkeypatch.setattr(packet_index, "OF_A_SPAN", 99 * spans_each)
            spans = [sorted(seeded.choices(range(-9, 3_000), k=2)) for _ in range(30)]
            runs = [(start, end) for start, end in spans]
            expected = [tracer.carriers_in(trail, *run, most) for run in runs]
            assert tracer.carriers_of(trail, runs, most) == expected
            assert any(expected)


def test_bytes_that_the_capture_lacks_have_no_carrier() -> None:
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n"
    first = talk.server(head + b"0123456789")
    talk.lose("server", 10)
    last = talk.server(b"abcdefghij")
    talk.ack("client", 40)
    talk.close()
    tracer, records = traced(talk.tape.packets)
    assert "gap" in [record.record for record in records]
    start = len(head)
    assert tracer.carriers(0, "server", start, start + 30, 10) == [
        Carrier(first, 54 + start, 64 + start, start),
        Carrier(last, 54, 64, start + 20),
    ]


def test_what_the_snapshot_length_cut_off_has_no_carrier() -> None:
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n"
    frame = talk.frame("server", head + b"x" * 30)
    cut = talk.tape.add(frame, captured=54 + len(head) + 4)
    talk.close()
    tracer, _ = traced(talk.tape.packets)
    start = len(head)
    assert tracer.carriers(0, "server", start, start + 30, 10) == [
        Carrier(cut, 54 + start, 58 + start, start)
    ]


def test_at_most_so_many_carriers_are_returned() -> None:
    talk = Talk().open()
    talk.client(*(b"x" for _ in range(10)))
    tracer, _ = traced(talk.tape.packets)
    assert [one.packet for one in tracer.carriers(0, "client", 2, 10, 3)] == [6, 7, 8]


def test_a_connection_that_uses_the_ports_again_has_its_own_packets() -> None:
    first = Talk().open()
    first.client(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
    first.close()
    second = Talk(first.tape, client_isn=900_000, server_isn=700_000).open()
    sent = second.client(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    tracer, _ = traced(first.tape.packets, batch=1_000)
    assert [len(known.packets) for known in tracer.connections] == [7, 4]
    assert tracer.carriers(1, "client", 0, 5, 10) == [Carrier(sent, 54, 59, 0)]
    assert tracer.table[sent].connection == 1


def test_sequence_numbers_wrap() -> None:
    talk = Talk(client_isn=0xFFFFFFF0).open()
    one = talk.client(b"GET / HTTP/1.1\r\n")
    two = talk.client(b"Host: a\r\n\r\n")
    tracer, _ = traced(talk.tape.packets)
    assert [(one, 0), (two, 16)] == [
        (carrier.packet, carrier.offset) for carrier in tracer.carriers(0, "client", 0, 27, 10)
    ]


def test_ipv6_and_midstream_captures_have_carriers_too() -> None:
    talk = Talk(is_ipv6=True).midstream()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    sent = talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
    tracer, records = traced(talk.tape.packets)
    response = next(record for record in records if record.record == "response")
    assert tracer.carriers(0, "server", response.offset, response.offset + 5, 9) == [  # type: ignore[union-attr, operator]
        Carrier(sent, 74, 79, 0)
    ]


def test_bytes_that_came_in_ip_fragments_lead_to_the_packet_without_a_place() -> None:
    talk = Talk().open()
    segment = talk.frame("client", b"GET / HTTP/1.1\r\nHost: abcdefgh\r\n\r\n")[34:]
    talk.tape.add(ipv4(segment[:32], fragment=0x2000))
    last = talk.tape.add(ipv4(segment[32:], fragment=4))
    tracer, records = traced(talk.tape.packets)
    assert "request" in [record.record for record in records]
    assert tracer.carriers(0, "client", 0, 10, 9) == [Carrier(last, 0, 0, 0)]


def test_numbers_that_are_no_packets_are_skipped() -> None:
    talk = Talk().open()
    sent = [(number + 3 * (number > 2), *rest) for number, *rest in talk.tape.packets]
    tracer, _ = traced(sent)  # type: ignore[arg-type]
    assert len(tracer.table) == 6
    found = [number for number in range(9) if number in tracer.table]
    assert list(tracer.table.between(0, 9)) == [(number, tracer.table[number]) for number in found]
    assert list(tracer.table.of(found)) == [tracer.table[number] for number in found]
    assert found == [1, 2, 6]


def test_an_empty_packet_is_one_and_any_time_is_kept() -> None:
    """A file may say anything of a packet: that nothing was captured, or a time of any size."""
    rows: list[Packet] = [(1, 1 << 70, 1, 0, b""), (2, None, 1, 60, bytes(14))]
    tracer, _ = traced(rows)
    assert 1 in tracer.table
    assert 2 in tracer.table
    assert tracer.table[1].time_ns == LATEST


def test_what_is_kept_of_an_open_connection_is_charged_and_given_back() -> None:
    tracer = Tracer(Spool())
    SPOOLS.append(tracer._spool)
    talk = Talk().open()
    tracer.receive(talk.tape.packets)
    assert tracer._decoder.held >= CONNECTION_COST + FOLLOWED_COST
    tracer.finish([])
    assert tracer._decoder.held == 0
