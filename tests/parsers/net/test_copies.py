"""Packets that were captured twice, and what looks like them: sent again, or acknowledged again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.frames import ACK, FIN, PSH, RST, SYN, ipv6, tcp
from support.talk import EPOCH_NS, decoded

from parsers.files.packets import Packet
from parsers.limits import MAX_COPY_AGE, MAX_COPY_AGE_WITHOUT_ID, MAX_COPY_DISTANCE
from parsers.records import ConnectionRecord, DiagnosticRecord, Record

US = 1_000
CLIENT_PORT = (40_000).to_bytes(2, "big")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"


def ipv4(what: bytes, identification: int) -> bytes:
    total = (20 + len(what)).to_bytes(2, "big")
    ends = [bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])]
    source, destination = ends if what[:2] == CLIENT_PORT else ends[::-1]
    header = b"\x45\0" + total + identification.to_bytes(2, "big") + b"\x40\0\x40\x06\0\0"
    return bytes(12) + b"\x08\x00" + header + source + destination + what


def segment(
    sender: str, seq: int, ack: int, flags: int = ACK, payload: bytes = b"", options: bytes = b""
) -> bytes:
    ports = (40_000, 80) if sender == "client" else (80, 40_000)
    return tcp(*ports, flags, seq=seq, ack=ack, payload=payload, options=options)


class Path:
    """The packets of a connection with their times, each direction from its own address."""

    def __init__(self) -> None:
        self.rows: list[Packet] = []
        self.now = EPOCH_NS
        self.identification = 100

    def add(self, data: bytes, after: int = 1_000 * US) -> bytes:
        self.now += after
        self.rows.append((len(self.rows) + 1, self.now, 1, len(data), data))
        return data

    def send(self, what: bytes, after: int = 1_000 * US) -> bytes:
        """A packet of its own, with the next identification."""
        self.identification += 1
        return self.add(ipv4(what, self.identification), after)


def opened() -> Path:
    made = Path()
    made.send(segment("client", 99, 0, SYN))
    made.send(segment("server", 499, 100, SYN | ACK))
    made.send(segment("client", 100, 500))
    return made


def outcome(rows: list[Packet]) -> tuple[int, int, int, list[str]]:
    """copies, retransmissions, bytes of the server, and the codes of what is said."""
    records: list[Record] = decoded(rows)
    (connection,) = (one for one in records if isinstance(one, ConnectionRecord))
    codes = [one.code for one in records if isinstance(one, DiagnosticRecord)]
    return connection.copies, connection.retransmissions, connection.server_bytes, codes


DATA = segment("server", 500, 100, PSH | ACK, b"x" * 50)

TWICE: dict[str, Callable[[Path, bytes], object]] = {
    "at once": lambda made, sent: made.add(sent, 3 * US),
    "ten milliseconds later": lambda made, sent: made.add(sent, MAX_COPY_AGE),
    "after a hop": lambda made, sent: made.add(sent[:22] + b"\x3f" + sent[23:], 20 * US),
    "from another port": lambda made, sent: made.add(sent[:11] + b"\x07" + sent[12:], 20 * US),
    "with the sum unfinished": lambda made, sent: made.add(sent[:50] + b"\1\2" + sent[52:], 5 * US),
    "thrice": lambda made, sent: (made.add(sent, 3 * US), made.add(sent, 3 * US)),
}


@pytest.mark.parametrize("again", TWICE.values(), ids=TWICE)
def test_copies(again: Callable[[Path, bytes], object]) -> None:
    made = opened()
    again(made, made.send(DATA))
    copies = len(made.rows) - 4
    assert outcome(made.rows) == (copies, 0, 50, ["packets-captured-twice"])
    assert decoded(made.rows, general=True) == decoded(made.rows)


BETWEEN: dict[str, Callable[[bytes], bytes]] = {
    "of other ends": lambda sent: sent[:26] + b"\x0a\0\0\x09" + sent[30:],
    "in UDP": lambda sent: sent[:23] + b"\x11" + sent[24:],
    "in a fragment": lambda sent: sent[:20] + b"\x20\0" + sent[22:],
    "cut off": lambda sent: sent[:16] + b"\0\x26" + sent[18:52],
}


@pytest.mark.parametrize("change", BETWEEN.values(), ids=BETWEEN)
def test_the_same_bytes_in_another_packet_are_no_copy_of_it(
    change: Callable[[bytes], bytes],
) -> None:
    """Nor do they say anything of the copy that comes next."""
    made = opened()
    sent = made.send(DATA)
    made.add(change(sent), 1 * US)
    made.add(sent, 1 * US)
    found = [one for one in decoded(made.rows) if isinstance(one, ConnectionRecord)]
    (connection,) = (one for one in found if one.server == "10.0.0.2:80")
    assert (connection.copies, connection.retransmissions) == (1, 0)


def test_a_packet_of_other_ends_does_not_tell_whether_one_is_a_copy() -> None:
    """Though its ports are the same, and it has no identification."""
    made = opened()
    made.add(ipv6(segment("server", 1, 1)))
    made.add(made.send(DATA), 3 * US)
    found = [one for one in decoded(made.rows) if isinstance(one, ConnectionRecord)]
    assert [one.copies for one in found if one.server == "10.0.0.2:80"] == [1]


SENT_AGAIN: dict[str, Callable[[Path, bytes], object]] = {
    "with another identification": lambda made, sent: made.send(DATA, 300 * US),
    "after 200 ms": lambda made, sent: made.add(sent, 200_000 * US),
    "with other bytes": lambda made, sent: made.add(sent[:-1] + b"y", 3 * US),
    "with another acknowledgement": lambda made, sent: made.add(
        sent[:42] + (99).to_bytes(4, "big") + sent[46:], 3 * US
    ),
    "after many packets": lambda made, sent: (
        [made.send(segment("client", 100, 550, PSH | ACK, b"")) for _ in range(3)],
        [made.add(ipv6(segment("client", 1, 1)), 1) for _ in range(MAX_COPY_DISTANCE)],
        made.add(sent, 3 * US),
    ),
}


@pytest.mark.parametrize("again", SENT_AGAIN.values(), ids=SENT_AGAIN)
def test_what_was_sent_again_is_no_copy(again: Callable[[Path, bytes], object]) -> None:
    made = opened()
    again(made, made.send(DATA))
    records = decoded(made.rows)
    found = [one for one in records if isinstance(one, ConnectionRecord)]
    (connection,) = (one for one in found if one.client == "10.0.0.1:40000")
    assert (connection.copies, connection.retransmissions) == (0, 1)
    assert "packets-captured-twice" not in [getattr(one, "code", "") for one in records]
    assert decoded(made.rows, general=True) == records


def bare(made: Path, after: int, identification: int) -> None:
    """The client acknowledges what it did before."""
    made.identification = identification - 1
    made.send(segment("client", 100, 500), after)


def test_duplicate_acknowledgements_are_no_copies() -> None:
    """Three in a row, each a packet of its own, microseconds apart."""
    made = opened()
    made.send(DATA)
    for number in range(200, 203):
        bare(made, 5 * US, number)
    assert outcome(made.rows) == (0, 0, 50, [])


def test_duplicate_acknowledgements_without_identification_are_no_copies() -> None:
    """They are the same bytes, as close to one another as copies are: nothing tells."""
    made = opened()
    made.send(DATA)
    for _ in range(3):
        bare(made, 5 * US, 0)
    assert outcome(made.rows)[0] == 0


@pytest.mark.parametrize(
    ("identification", "after", "copies"),
    [
        (0, MAX_COPY_AGE_WITHOUT_ID, 1),
        (0, MAX_COPY_AGE_WITHOUT_ID + 1, 0),
        (7, MAX_COPY_AGE, 1),
        (7, MAX_COPY_AGE + 1, 0),
    ],
)
def test_how_old_a_copy_may_be(identification: int, after: int, copies: int) -> None:
    made = opened()
    made.identification = identification - 1
    sent = made.send(DATA)
    made.add(sent, after)
    assert outcome(made.rows)[:2] == (copies, 1 - copies)


def test_an_identification_that_is_always_the_same_tells_nothing() -> None:
    made = Path()
    for number, what in enumerate([segment("server", 500, 100, PSH | ACK, b"x"), DATA]):
        made.identification = 6
        sent = made.send(what, after=1_000 * US + number)
    made.add(sent, MAX_COPY_AGE)
    assert outcome(made.rows)[0] == 0


@pytest.mark.parametrize(("flags", "copies"), [(SYN, 1), (FIN | ACK, 1), (RST | ACK, 0)])
def test_what_opens_and_closes_is_captured_twice_too(flags: int, copies: int) -> None:
    """By the time of the copy of what ends a connection its record has been written."""
    made = opened() if flags != SYN else Path()
    numbers = (99, 0) if flags == SYN else (100, 500)
    made.add(made.send(segment("client", *numbers, flags)), 3 * US)
    found, retransmissions, _, codes = outcome(made.rows)
    assert (found, retransmissions, codes) == (copies, 0, ["packets-captured-twice"])


def test_ipv6_has_no_identification() -> None:
    rows: list[Packet] = []
    for index, (what, after) in enumerate(
        [(DATA, 0), (DATA, 100 * US), (DATA, 10_000 * US), (DATA, 400_000 * US)]
    ):
        data = ipv6(what)
        rows.append((index + 1, EPOCH_NS + after, 1, len(data), data))
    assert outcome(rows)[:2] == (1, 2)


def twice(rows: list[Packet], late: list[int]) -> list[Packet]:
    """The packets, each captured once more, so many nanoseconds later."""
    pairs = [
        (time + later, number, data)
        for (number, time, _, _, data), more in zip(rows, late, strict=False)
        for later in (0, more)
        if time is not None
    ]
    return [
        (index + 1, time, 1, len(data), data) for index, (time, _, data) in enumerate(sorted(pairs))
    ]


def exchange() -> list[Packet]:
    made = opened()
    made.send(segment("client", 100, 500, PSH | ACK, GET))
    upto = 100 + len(GET)
    made.send(segment("server", 500, upto, PSH | ACK, OK))
    made.send(segment("client", upto, 500 + len(OK)))
    for start in range(0, 100, 20):
        made.send(segment("server", 500 + len(OK) + start, upto, PSH | ACK, b"x" * 20))
    end = 600 + len(OK)
    made.send(segment("client", upto, end))
    made.send(segment("server", end, upto, FIN | ACK))
    made.send(segment("client", upto, end + 1, FIN | ACK))
    made.send(segment("server", end + 1, upto + 1))
    return made.rows


@given(st.lists(st.integers(1, 900 * US), min_size=15, max_size=15))
@example([1, 500 * US + 1] + [1] * 13)
def test_all_twice_is_what_it_is_once(late: list[int]) -> None:
    """A capture of both ports of a bridge: everything but the counts is the same.

    The first packet of a side has none before it whose identification could differ: time tells.
    """
    first_of_both = [min(one, MAX_COPY_AGE_WITHOUT_ID) for one in late[:2]]
    once = decoded(exchange())
    records = decoded(twice(exchange(), [*first_of_both, *late[2:]]))
    said = [one for one in records if isinstance(one, DiagnosticRecord)]
    assert [one.code for one in said] == ["packets-captured-twice"]
    assert [one.record for one in records if one not in said] == [one.record for one in once]
    first, second = (
        next(one for one in found if isinstance(one, ConnectionRecord)) for found in (once, records)
    )
    # The copy of the packet that ends the connection comes after its record.
    assert second.copies == first.packets - 1 == second.packets - first.packets
    for field in ("retransmissions", "out_of_order", "server_bytes", "closed_by", "close"):
        assert getattr(first, field) == getattr(second, field)


@given(st.integers(0, 14), st.integers(0, 53), st.integers(1, 255))
def test_a_damaged_copy_is_decoded_as_anything_else(index: int, place: int, change: int) -> None:
    """A bit that differs makes another packet of it: no error, and nothing is invented."""
    rows = exchange()
    number, time, _, size, data = rows[index]
    damaged = data[:place] + bytes([data[place] ^ change]) + data[place + 1 :]
    copy: Packet = (0, (time or 0) + 3 * US, 1, size, damaged)
    rows = [(at + 1, *row[1:]) for at, row in enumerate([*rows[:number], copy, *rows[number:]])]
    records = decoded(rows)
    bodies = [one for one in records if one.record == "body"]
    assert len(bodies) == 1
