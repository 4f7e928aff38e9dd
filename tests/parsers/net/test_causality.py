"""Segments that contradict those before them."""

from __future__ import annotations

from itertools import permutations

import pytest
from support.frames import ACK, FIN, RST, SYN, ipv4, ipv6, tcp

from parsers.files.packets import Packet
from parsers.net.causality import contradictions, ends_of

Said = tuple[str, int, int, int, bytes]
"""sender, sequence number, acknowledgement number, flags, payload"""

SYN_, SYN_ACK, DONE = (
    ("client", 99, 0, SYN, b""),
    ("server", 499, 100, SYN | ACK, b""),
    ("client", 100, 500, ACK, b""),
)
ASKED, ANSWERED = ("client", 100, 500, ACK, b"question"), ("server", 500, 108, ACK, b"answer")
TAKEN = ("client", 108, 506, ACK, b"")
FIN_, FIN_TOO, LAST = (
    ("server", 506, 108, FIN | ACK, b""),
    ("client", 108, 507, FIN | ACK, b""),
    ("server", 507, 109, ACK, b""),
)
WHOLE = [SYN_, SYN_ACK, DONE, ASKED, ANSWERED, TAKEN, FIN_, FIN_TOO, LAST]


def rows(said: list[Said], wrap: int = 0, *, is_ipv6: bool = False) -> list[Packet]:
    found: list[Packet] = []
    for number, (sender, seq, ack, flags, payload) in enumerate(said):
        ports = (4_000, 80) if sender == "client" else (80, 4_000)
        numbers = ((seq + wrap) & 0xFFFFFFFF, (ack + wrap) & 0xFFFFFFFF if flags & ACK else 0)
        segment = tcp(*ports, flags, seq=numbers[0], ack=numbers[1], payload=payload)
        data = ipv6(segment) if is_ipv6 else ipv4(segment)
        found.append((number + 1, number, 1, len(data), data))
    return found


@pytest.mark.parametrize("wrap", [0, -100, -104, -500, 0x7FFFFF00])
@pytest.mark.parametrize("is_ipv6", [False, True])
def test_nothing_contradicts_in_the_right_order(wrap: int, is_ipv6: bool) -> None:
    assert contradictions(rows(WHOLE, wrap, is_ipv6=is_ipv6)) == 0


@pytest.mark.parametrize("start", [0, 1, 2, 3, 6])
def test_every_other_order_of_three_contradicts(start: int) -> None:
    """Where one follows from another; an acknowledgement and a FIN may cross."""
    three = WHOLE[start : start + 3]
    for other in permutations(three):
        assert (contradictions(rows(list(other))) > 0) == (list(other) != three)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([ASKED, ASKED], 1),
        ([ANSWERED, ASKED], 1),
        ([TAKEN, ANSWERED], 1),
        ([ASKED, ("client", 120, 500, ACK, b"later")], 1),
        ([ASKED, ("client", 108, 499, ACK, b"")], 1),
        ([ASKED, ("server", 0, 0, RST, b"")], 0),
        ([DONE, DONE], 0),
        ([], 0),
    ],
    ids=["again", "before", "taken before", "hole", "taken back", "reset", "same", "nothing"],
)
def test_contradictions(said: list[Said], found: int) -> None:
    assert contradictions(rows(said)) == found


def test_connections_do_not_contradict_one_another() -> None:
    one = rows(WHOLE)
    other = [(*row[:4], row[4].replace((4_000).to_bytes(2), (4_001).to_bytes(2))) for row in one]
    mixed = [row for pair in zip(one, reversed(other), strict=True) for row in pair]
    assert contradictions(mixed) == contradictions(list(reversed(other)))


@pytest.mark.parametrize("data", [b"", bytes(60), rows(WHOLE)[0][4][:40]])
def test_what_holds_no_segment(data: bytes) -> None:
    assert contradictions([(1, 0, 1, len(data), data)] * 2) == 0


def test_both_directions_have_the_same_ends() -> None:
    one, other = rows([ASKED, ANSWERED])
    assert ends_of(one) == ends_of(other) is not None
    assert ends_of((*one[:4], one[4].replace((4_000).to_bytes(2), (4_001).to_bytes(2)))) not in (
        ends_of(one),
        None,
    )
    assert ends_of((1, 0, 1, 60, bytes(60))) is None
