"""A capture divided among decoders: their records together are one decoder's, or they say so."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from io import BytesIO
from itertools import accumulate

import pytest
from support.corpus import ROOT
from support.frames import ACK, PSH, RST, SYN, ipv4, tcp, udp
from support.talk import Talk, Tape

from parsers.decode import capture, dividing, ordered_capture, shares
from parsers.decode import packets as decode_packets
from parsers.decode.capture import decode_batches, decode_share
from parsers.decode.dividing import Indivisible, divided
from parsers.limits import MAX_BATCH
from parsers.records import Record

REQUEST = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def whole(data: bytes) -> list[Record]:
    return [record for records in decode_batches(BytesIO(data)) for record in records]


def together(data: bytes, of: int) -> list[Record]:
    """The records of all shares, in the order of their packets. Raises Indivisible."""
    return [record for records in in_batches(data, of) for record in records]


def in_batches(data: bytes, of: int) -> list[list[Record]]:
    """The same, batch by batch."""
    found: list[list[Record]] = []
    told = list(zip(*divided(BytesIO(data), of), strict=True))
    decoded = (decode_share(BytesIO(data), told[one], one, of) for one in range(of))
    for parts in zip(*decoded, strict=True):
        placed = [
            (place, record)
            for records in parts
            for place, record in zip(
                accumulate((record.last_packet for record in records), max), records, strict=True
            )
        ]
        found.append([record for _, record in sorted(placed, key=lambda one: one[0])])
    return found


def exchange(talk: Talk) -> Talk:
    talk.client(REQUEST)
    talk.server(ANSWER)
    return talk


def crowd(tape: Tape, first: int = 50_000, count: int = 5) -> None:
    """Connections beside, of which each share has some, and one stays open."""
    talks = [exchange(Talk(tape, client_port=first + one).open()) for one in range(count)]
    for talk in talks[1:]:
        talk.close()


def port_reuse(tape: Tape) -> None:
    exchange(Talk(tape).open()).close()
    exchange(Talk(tape, client_isn=900_000, server_isn=700_000).open()).close()
    exchange(Talk(tape, client_isn=5, server_isn=6).open()).reset("client")


def reuse_while_open(tape: Tape) -> None:
    """The end of the first one was not captured."""
    exchange(Talk(tape).open())
    exchange(Talk(tape, client_isn=900_000, server_isn=700_000).open()).close()


def syn_again(tape: Tape) -> None:
    talk = Talk(tape)
    syn = talk.frame("client", flags=SYN)
    tape.add(syn[:18] + b"\0\1" + syn[20:])
    tape.add(syn[:18] + b"\0\2" + syn[20:])
    talk.segment("server", flags=SYN | ACK)
    talk.segment("client")
    exchange(talk).close()


def late_after_close(tape: Tape) -> None:
    talk = exchange(Talk(tape).open())
    talk.close()
    crowd(tape, 51_000, 2)
    talk.server(b"late")
    talk.segment("client", flags=RST)


def late_after_reset(tape: Tape) -> None:
    talk = exchange(Talk(tape).open())
    talk.reset("server")
    talk.client(b"late")
    talk.fin("client")


def half(tape: Tape) -> None:
    """One direction only, and the middle of another connection."""
    talk = Talk(tape).midstream()
    talk.server(ANSWER, ANSWER)
    other = Talk(tape, client_port=40_001).midstream()
    exchange(other).close()


def lost(tape: Tape) -> None:
    talk = exchange(Talk(tape).open())
    talk.lose("server", 100)
    exchange(talk).close()


def repeated_acks(tape: Tape) -> None:
    talk = exchange(Talk(tape).open())
    talk.ack("client", 3)
    exchange(talk).close()


def one_datagram(tape: Tape) -> None:
    """With the addresses and the ports of a connection."""
    talk = exchange(Talk(tape).open())
    tape.add(ipv4(udp(40_000, 8_000, bytes(60)), protocol=17))
    exchange(talk).close()


DIVIDED: dict[str, Callable[[Tape], None]] = {
    "port-reuse": port_reuse,
    "reuse-while-open": reuse_while_open,
    "syn-again": syn_again,
    "late-after-close": late_after_close,
    "late-after-reset": late_after_reset,
    "half": half,
    "lost": lost,
    "repeated-acks": repeated_acks,
    "one-datagram": one_datagram,
}


@pytest.mark.parametrize("of", [2, 3])
@pytest.mark.parametrize("name", DIVIDED)
def test_a_capture_is_divided(name: str, of: int) -> None:
    """Whoever the share is that has the connection at hand."""
    for before in range(of):
        tape = Tape()
        crowd(tape, 49_000, before)
        DIVIDED[name](tape)
        crowd(tape)
        data = tape.file()
        assert together(data, of) == whole(data)


def twice(tape: Tape) -> None:
    talk = Talk(tape).open()
    frame = talk.frame("client", REQUEST, PSH | ACK)
    time = tape.packets[-1][1] or 0
    for _ in range(2):
        number = tape.add(frame)
        tape.packets[-1] = (number, time + number, *tape.packets[-1][2:])
    talk.server(ANSWER)


def cut(tape: Tape) -> None:
    talk = exchange(Talk(tape).open())
    tape.add(talk.frame("client", REQUEST, PSH | ACK), captured=60)
    talk.close()


def late(tape: Tape) -> None:
    """Stored in another order than that of time."""
    exchange(Talk(tape).open()).close()
    one, two = tape.packets[-2:]
    tape.packets[-2:] = [(one[0], two[1], *two[2:]), (two[0], one[1], *one[2:])]


def isn_again(tape: Tape) -> None:
    """A SYN inside the window of a connection that is open begins none (RFC 5961)."""
    talk = exchange(Talk(tape).open())
    tape.add(ipv4(tcp(40_000, 8_000, SYN, seq=1_500)))
    exchange(talk)


INDIVISIBLE: dict[str, Callable[[Tape], None]] = {
    "twice": twice,
    "cut": cut,
    "late": late,
    "isn-again": isn_again,
}


@pytest.mark.parametrize("name", INDIVISIBLE)
def test_a_capture_cannot_be_divided(name: str) -> None:
    """What one connection says of others, or the rule does not foresee."""
    tape = Tape()
    INDIVISIBLE[name](tape)
    with pytest.raises(Indivisible):
        together(tape.file(), 2)


def test_many_connections_cannot_be_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process would forget some, or let some go."""
    tape = Tape()
    crowd(tape, count=8)
    data = tape.file()
    assert together(data, 2) == whole(data)
    for module, name, value in ((shares, "MAX_OPEN", 1), (dividing, "MAX_CONNECTIONS", 7)):
        with monkeypatch.context() as patched, pytest.raises(Indivisible):
            patched.setattr(module, name, value)
            together(data, 2)


def test_ends_that_begin_again_are_open_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the end of what they had before was not captured, or one of its FINs."""
    tape = Tape()
    crowd(tape)
    for isn in range(0, 12_000_000, 1_000_000):
        exchange(Talk(tape, client_isn=isn, server_isn=isn).open()).fin("client")
        exchange(Talk(tape, client_isn=isn + 500_000, server_isn=isn + 500_000).open())
    data = tape.file()
    monkeypatch.setattr(shares, "MAX_OPEN", 8)
    assert together(data, 2) == whole(data)


def test_batches_are_those_of_one_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends one, so many packets or so many bytes, and whoever's they are."""
    tape = Tape()
    crowd(tape, count=7)
    data = tape.file()
    expected = list(decode_batches(BytesIO(data), batch=10))
    assert len(expected) == len(tape.packets) // 10 + 2
    with monkeypatch.context() as patched:
        patched.setattr(decode_packets, "BATCH", 10)
        assert in_batches(data, 2) == list(decode_batches(BytesIO(data))) == expected
    long = Talk(tape, client_port=60_000).open()
    long.client(REQUEST)
    long.server(b"HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n", *[bytes(50_000)] * 12)
    data = tape.file()
    expected = list(decode_batches(BytesIO(data)))
    assert len(expected) == 600_000 // MAX_BATCH + 2
    assert in_batches(data, 2) == expected


@pytest.mark.parametrize(("room", "batches"), [(400, 29), (700, 19), (MAX_BATCH, 13)])
def test_batches_grow_with_the_connections_that_were_asked_for(
    monkeypatch: pytest.MonkeyPatch, room: int, batches: int
) -> None:
    """In all shares alike, whatever ends them: so many packets, or bytes beside the headers."""
    for module in (decode_packets, ordered_capture):
        monkeypatch.setattr(module, "BATCH", 10)
    for module in (decode_packets, dividing, capture):
        monkeypatch.setattr(module, "MAX_BATCH", room)
    monkeypatch.setattr(decode_packets, "MANY_ASKED", 4)
    tape = Tape()
    crowd(tape, count=20)
    tape.add(ipv4(tcp(1, 2, SYN)[:19]))  # not whole: nobody is asked
    talks = [Talk(tape, client_port=60_000 + one).open() for one in range(10)]
    for _ in range(9):
        for talk in talks:
            exchange(talk)
    data = tape.file()
    expected = list(decode_batches(BytesIO(data)))
    assert in_batches(data, 2) == in_batches(data, 3) == expected
    assert len(expected) == batches


def test_who_is_told_no_more_says_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that what is open has ended: that is not known."""
    tape = Tape()
    crowd(tape)
    data = tape.file()
    monkeypatch.setattr(decode_packets, "BATCH", 10)
    own = [portions[0] for portions in divided(BytesIO(data), 2)]
    found = list(decode_share(BytesIO(data), own, 0, 2))
    assert len(found) == len(own) + 1
    assert list(decode_share(BytesIO(data), own[:-1], 0, 2)) == found[:-2]


def test_a_late_packet_after_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection may be forgotten by then."""
    monkeypatch.setattr(shares, "MAX_OPEN", 10)
    tape = Tape()
    talk = exchange(Talk(tape).open())
    talk.close()
    for port in range(20):
        exchange(Talk(tape, client_port=50_000 + port).open()).close()
    talk.server(b"late")
    data = tape.file()
    monkeypatch.setattr(shares, "MAX_CLOSED_CONNECTIONS", 32)
    assert together(data, 2) == whole(data)
    monkeypatch.setattr(shares, "MAX_CLOSED_CONNECTIONS", 30)
    with pytest.raises(Indivisible, match="late"):
        together(data, 2)


def test_memory_is_one_decoders() -> None:
    """What unfolds to much is taken in smaller portions, which others would not know of."""
    tape = Tape()
    crowd(tape)
    talk = Talk(tape).open()
    talk.client(REQUEST)
    body = gzip.compress(b"".join(b"%d " % number * 50 for number in range(20_000)))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    talk.server(head, *(body[at : at + 1_000] for at in range(0, len(body), 1_000)))
    data = tape.file()
    with pytest.raises(Indivisible) as found:
        together(data, 2)
    assert found.value.is_for_one
    with pytest.raises(Indivisible) as found:  # nor where each follows all connections
        list(decode_batches(BytesIO(data), of=2))
    assert found.value.is_for_one


STORED = sorted(
    path
    for folder in ("hostile", "quic", "tls", "websocket", "attacks")
    for path in (ROOT / "fixtures" / folder).glob("*.pcap*")
    if path.stat().st_size < 200_000
)


@pytest.mark.parametrize("of", [2, 5])
def test_stored_captures(of: int) -> None:
    """Tunnels, fragments, several interfaces, QUIC and TLS: most of them are divided."""
    divided = 0
    for path in STORED:
        data = path.read_bytes()
        try:
            assert together(data, of) == whole(data), path.name
        except Indivisible:
            continue
        divided += 1
    assert divided > len(STORED) * 2 // 3
