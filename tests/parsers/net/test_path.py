"""Facts of a connection's path: ends, closed windows, holes, repeated ACKs, round-trip time.

What must be told, beside what looks alike and must not be.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.segments import ACK, CLIENT, FIN, PSH_ACK, RST, SERVER, SYN, Wire

from parsers.limits import MAX_ENDS, MAX_PATH_FACTS
from parsers.net.path import Moment, Path

Step = tuple[Any, ...]


def wire(*steps: Step, isn: int = 1_000) -> Wire:
    """An established connection (client 1,001, server 5,001) and what is sent on it then.

    A step is the sender's key, the offset in its stream, the data, the offset that it acknowledges
    in the other's, and its window.
    """
    made = Wire()
    made.handshake(isn)
    for key, offset, data, acked, *window in steps:
        own, other = (isn, 5_000) if key == CLIENT else (5_000, isn)
        made.send(
            key, own + 1 + offset, data, ack=other + 1 + acked, window=(window or [65_000])[0]
        )
    return made


def of_server(made: Wire) -> Path:
    return made.direction().peer.path


def of_client(made: Wire) -> Path:
    return made.direction().path


DATA, MORE = b"x" * 100, b"y" * 100
ACKED: Callable[[int], Step] = lambda upto: (CLIENT, 0, b"", upto)  # noqa: E731 (a step, named)


# --- duplicate acknowledgements ---

SENT = [(SERVER, 0, DATA, 0), (SERVER, 100, DATA, 0), (SERVER, 200, DATA, 0)]

DUPLICATES = {
    "three of them": ([*SENT, ACKED(100), ACKED(100), ACKED(100), ACKED(100)], [(100, 3)]),
    "one": ([*SENT, ACKED(100), ACKED(100)], [(100, 1)]),
    "two runs": (
        [*SENT, ACKED(100), ACKED(100), ACKED(200), ACKED(200), ACKED(200)],
        [(100, 1), (200, 2)],
    ),
    "in answer to what lies behind a hole": (
        [(SERVER, 0, DATA, 0), ACKED(100), (SERVER, 200, DATA, 0), ACKED(100)],
        [(100, 1)],
    ),
    "all is acknowledged: a keep-alive's answer": ([SENT[0], ACKED(100), ACKED(100)], []),
    "with another window": ([*SENT, ACKED(100), (*ACKED(100), 64_000)], []),
    "with data": ([*SENT, ACKED(100), (CLIENT, 0, b"hi", 100)], []),
    "with a closed window": ([*SENT, (*ACKED(100), 0), (*ACKED(100), 0)], []),
    "each acknowledges more": ([*SENT, ACKED(100), ACKED(200), ACKED(300)], []),
}


@pytest.mark.parametrize(("steps", "found"), DUPLICATES.values(), ids=DUPLICATES)
def test_duplicate_acks(steps: list[Step], found: list[tuple[int, int]]) -> None:
    """RFC 5681 section 2: bytes are under way, nothing is carried, and the window is the same."""
    made = wire(*steps)
    assert [row[:2] for row in of_client(made).duplicate_acks] == found
    assert of_server(made).duplicate_acks == []


def test_a_run_of_duplicate_acks_says_where_it_was() -> None:
    made = wire(*SENT, ACKED(100), ACKED(100), ACKED(100), ACKED(100))
    ((offset, count, first, last, since, until),) = of_client(made).duplicate_acks
    assert (offset, count, first, last) == (100, 3, 8, 10)
    assert until - since == pytest.approx(0.002, abs=1e-6)


# --- closed windows ---

CLOSED = {
    "opened again": ([SENT[0], (*ACKED(100), 0), (*ACKED(100), 500)], [(5, 6)]),
    "never opened": ([SENT[0], (*ACKED(100), 0)], [(5, None)]),
    "said twice": ([SENT[0], (*ACKED(100), 0), (*ACKED(100), 0), ACKED(100)], [(5, 7)]),
    "opened with data": ([SENT[0], (*ACKED(100), 0), (CLIENT, 0, b"hi", 100)], [(5, 6)]),
    "twice": (
        [SENT[0], (*ACKED(100), 0), ACKED(100), (SERVER, 100, DATA, 0), (*ACKED(200), 0)],
        [(5, 6), (8, None)],
    ),
    "one byte is no closed window": ([SENT[0], (*ACKED(100), 1)], []),
    "a probe meanwhile": (
        [SENT[0], (*ACKED(100), 0), (SERVER, 99, b"x", 0), (*ACKED(100), 0), ACKED(100)],
        [(5, 8)],
    ),
}


def test_a_window_that_was_never_closed_is_no_fact() -> None:
    path = Path()
    path.note_window(500, 1, 0)
    path.note_window(0, 2, 1_000)
    path.note_window(500, 3, 2_000)
    path.note_window(600, 4, 3_000)
    assert [(row[0], row[2]) for row in path.closed_windows] == [(2, 3)]


@pytest.mark.parametrize(("steps", "found"), CLOSED.values(), ids=CLOSED)
def test_closed_windows(steps: list[Step], found: list[tuple[int, int | None]]) -> None:
    made = wire(*steps)
    assert [(row[0], row[2]) for row in of_client(made).closed_windows] == found
    assert of_server(made).closed_windows == []


def test_a_window_of_a_syn_or_a_reset_tells_nothing() -> None:
    """That of a SYN is opened by what follows, and of a RST it is nothing at all."""
    made = Wire()
    made.send(CLIENT, 1_000, flags=SYN, window=0)
    made.send(SERVER, 5_000, flags=SYN | ACK, ack=1_001)
    made.send(CLIENT, 1_001, flags=ACK, ack=5_001)
    made.send(SERVER, 5_001, flags=RST | ACK, ack=1_001, window=0)
    (connection,) = made.closed
    assert connection.close == "reset"


# --- holes ---

HOLES = {
    "filled": ([SENT[0], SENT[2], SENT[1]], [(100, 100, 5, 6)]),
    "not filled": ([SENT[0], SENT[2]], [(100, 100, 5, None)]),
    "filled in part, then whole": (
        [SENT[0], SENT[2], (SERVER, 100, DATA[:50], 0), (SERVER, 150, DATA[:50], 0)],
        [(100, 100, 5, 7)],
    ),
    "two": (
        [SENT[0], SENT[2], (SERVER, 400, DATA, 0), SENT[1], (SERVER, 300, DATA, 0)],
        [(100, 100, 5, 7), (300, 100, 6, 8)],
    ),
    "in order": (SENT, []),
    "sent again": ([*SENT, SENT[1]], []),
    "overlapping": ([SENT[0], (SERVER, 50, DATA, 0)], []),
    "a keep-alive": ([SENT[0], (SERVER, 99, b"\0", 0)], []),
}


@pytest.mark.parametrize(("steps", "found"), HOLES.values(), ids=HOLES)
@pytest.mark.parametrize("isn", [1_000, 0xFFFFFFF0])
def test_holes(steps: list[Step], found: list[tuple[int, ...]], isn: int) -> None:
    made = wire(*steps, isn=isn)
    rows = [(row[0], row[1], row[2], row[4]) for row in of_server(made).holes]
    assert rows == found
    assert of_client(made).holes == []


def test_a_hole_says_how_long_it_was() -> None:
    made = wire(SENT[0], SENT[2])
    made.send(SERVER, 5_101, DATA, ack=1_001, after_ms=200)
    ((*_, waited, _, _),) = of_server(made).holes
    assert waited == pytest.approx(0.2)


def stamps(value: int) -> bytes:
    """The timestamps option as Linux sends it (RFC 7323 appendix A)."""
    return pack("!BBBBII", 1, 1, 8, 10, value & 0xFFFFFFFF, 7)


OVERTAKEN = {
    "sent before": (1_000, 1_010, 20, True),
    "sent after": (1_300, 1_010, 300, False),
    "sent after, and soon": (1_011, 1_010, 1, False),
    "sent before, across the wrap": (0xFFFFFFFE, 0x1_0000_0003, 20, True),
    "sent after, across the wrap": (0x1_0000_0003, 0xFFFFFFFE, 20, False),
    "in the same millisecond": (1_010, 1_010, 20, None),
    "in the same millisecond, and soon": (1_010, 1_010, 1, True),
    "without timestamps": (None, None, 20, None),
    "without timestamps, and soon": (None, None, 1, True),
    "with one timestamp": (None, 1_010, 20, None),
}


@pytest.mark.parametrize(
    ("late", "earlier", "after_ms", "overtaken"), OVERTAKEN.values(), ids=OVERTAKEN
)
def test_a_segment_that_was_sent_before_what_came_earlier_was_overtaken(
    late: int | None, earlier: int | None, after_ms: int, overtaken: bool | None
) -> None:
    made = wire(SENT[0])
    for offset, stamp, after in ((200, earlier, 1), (100, late, after_ms)):
        options = b"" if stamp is None else stamps(stamp)
        made.send(SERVER, 5_001 + offset, DATA, ack=1_001, after_ms=after, options=options)
    (hole,) = of_server(made).holes
    assert hole[-2] is overtaken
    assert hole[-1] is None
    direction = made.direction().peer
    counts = direction.out_of_order, direction.retransmissions
    assert counts == ((1, 0) if overtaken else (0, 1))


@pytest.mark.parametrize(
    ("acked", "had"),
    [
        (100, False),  # the last thing that it has is what came before
        (200, True),  # it has these bytes: the capture lacks them
        (300, True),
        (None, None),  # nothing was acknowledged at all
    ],
)
def test_a_hole_that_nothing_filled_is_the_captures_or_the_paths(
    acked: int | None, had: bool | None
) -> None:
    made = Wire()
    made.send(SERVER, 5_001, DATA)
    made.send(SERVER, 5_201, DATA)
    if acked is not None:
        made.send(CLIENT, 1_001, b"", ACK, ack=5_001 + acked)
    path = made.direction().path
    made.table.end()
    (hole,) = path.holes
    assert (hole[4], hole[-1]) == (None, had)


def test_what_is_no_hole_is_neither_filled_nor_given_up() -> None:
    path = Path()
    path.fill_hole(7, Moment(7))
    path.give_up_hole(None)
    assert path.holes == []


def test_each_hole_is_held_against_what_came_behind_it() -> None:
    """Two holes: what filled the first was overtaken, what filled the second was sent again."""
    made = wire(SENT[0])
    sent = [(200, 1_010), (400, 1_030), (100, 1_000), (300, 1_300)]
    for offset, stamp in sent:
        made.send(SERVER, 5_001 + offset, DATA, ack=1_001, after_ms=20, options=stamps(stamp))
    holes = of_server(made).holes
    assert [(hole[0], hole[4], hole[-2]) for hole in holes] == [(100, 7, True), (300, 8, False)]


# --- ends ---


def test_every_fin_and_reset_is_listed() -> None:
    made = wire(SENT[0])
    made.send(SERVER, 5_101, flags=FIN | ACK, ack=1_001)
    made.send(CLIENT, 1_001, flags=FIN | ACK, ack=5_102)
    assert [(row[0], row[2]) for row in of_server(made).ends] == [(5, "fin")]
    assert [(row[0], row[2]) for row in of_client(made).ends] == [(6, "fin")]


def test_a_fin_that_is_sent_again_is_listed_again() -> None:
    made = wire(SENT[0])
    for _ in range(3):
        made.send(SERVER, 5_101, flags=FIN | ACK, ack=1_001)
    assert [row[0] for row in of_server(made).ends] == [5, 6, 7]


def test_a_reset_that_was_not_taken_is_none() -> None:
    """Outside of what its receiver takes (RFC 5961 section 3.2)."""
    made = wire(SENT[0])
    made.send(SERVER, 9_999, flags=RST)
    assert of_server(made).ends == []
    assert "tcp-reset-ignored" in made.peer_sink().codes


# --- round-trip time ---


def handshake(*packets: tuple[bytes, int, int, int]) -> int | None:
    """The time of a handshake whose packets come a millisecond after one another."""
    made = Wire()
    for key, seq, ack, flags in packets:
        made.send(key, seq, flags=flags, ack=ack)
    return made.opened[0].rtt_ns


SYN_, SYN_ACK = (CLIENT, 1_000, 0, SYN), (SERVER, 5_000, 1_001, SYN | ACK)
DONE, LATE_DATA = (CLIENT, 1_001, 5_001, ACK), (SERVER, 5_001, 1_001, PSH_ACK)


@pytest.mark.parametrize(
    ("packets", "found"),
    [
        ([SYN_, SYN_ACK, DONE], 2_000_000),
        ([SYN_, SYN_ACK, DONE, LATE_DATA, DONE], 2_000_000),
        ([SYN_, SYN_, SYN_ACK, DONE], None),
        ([SYN_ACK, DONE], None),
        ([DONE, LATE_DATA], None),
        ([SYN_, SYN_ACK], None),
        ([SYN_, DONE], None),
    ],
    ids=["whole", "later ACKs", "SYN again", "no SYN", "midstream", "no ACK", "one direction"],
)
def test_round_trip_time(packets: list[tuple[bytes, int, int, int]], found: int | None) -> None:
    """Which SYN was answered cannot be told if there were two (Karn's algorithm, RFC 6298)."""
    assert handshake(*packets) == found


@pytest.mark.parametrize(
    ("packets", "found"),
    [
        ([SYN_, SYN_ACK, DONE], 1_000_000),
        ([SYN_, SYN_ACK, SYN_ACK, DONE], 1_000_000),
        ([SYN_, SYN_, SYN_ACK, DONE], None),
        ([SYN_ACK, DONE], None),
        ([SYN_, DONE], None),
    ],
    ids=["whole", "SYN, ACK again", "SYN again", "no SYN", "one direction"],
)
def test_the_server_part_of_a_round_trip(
    packets: list[tuple[bytes, int, int, int]], found: int | None
) -> None:
    """The first SYN, ACK answered the SYN; one that came later was sent again."""
    made = Wire()
    for key, seq, ack, flags in packets:
        made.send(key, seq, flags=flags, ack=ack)
    assert made.opened[0].server_rtt_ns == found


# --- bounds ---


def test_lists_have_limits() -> None:
    path = Path()
    for number in range(2 * MAX_PATH_FACTS):
        path.note_end(number, number, "fin")
        path.note_window(0, number, number)
        path.note_window(1, number, number)
        path.open_hole(number, 1, number, Moment(number))
        path.fill_hole(number, Moment(number))
        path.note_repeated_ack(number, number, number)
    path.note_window(0, 9_999, 9_999)
    path.open_hole(9_999, 1, 9_999, Moment(9_999))
    assert len(path.ends) == MAX_ENDS
    for rows in (path.closed_windows, path.holes, path.duplicate_acks):
        assert len(rows) == MAX_PATH_FACTS
        assert [row[0] for row in rows] == list(range(MAX_PATH_FACTS))


@given(
    st.lists(
        st.tuples(
            st.booleans(), st.integers(0, 600), st.integers(0, 150), st.integers(0, 600),
            st.sampled_from([0, 1, 65_000]),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_whatever_comes_facts_are_in_order_and_plausible(
    sent: list[tuple[bool, int, int, int, int]],
) -> None:
    """Damage of any kind: packets follow one another, holes and windows end after they began."""
    made = wire(
        *((CLIENT if one else SERVER, start, bytes(size), acked, window)
          for one, start, size, acked, window in sent)
    )  # fmt: skip
    for path in (of_client(made), of_server(made)):
        for offset, length, after, _, filled, seconds, overtaken, had in path.holes:
            assert filled is None or had is None
            assert filled is not None or overtaken is None
            assert offset >= 0 and length > 0 and after <= made.number
            assert (filled is None) == (seconds is None)
            assert filled is None or (filled > after and seconds is not None and seconds >= 0)
        for closed, _, opened, lasted in path.closed_windows:
            assert opened is None or (opened > closed and lasted is not None and lasted >= 0)
        for _, count, first, last, since, until in path.duplicate_acks:
            assert count >= 1 and first <= last and since <= until


# --- waits for acknowledgements ---

SMALLEST = b"\2\4\2\x18\1\3\3\1"
"""Segments of 536 bytes at most; windows are half of what they are."""
SEGMENT = bytes(536)


def limited(*steps: tuple[bytes, int, bytes, int, int, float], options: bytes = SMALLEST) -> Path:
    """What the server waited for: steps are as those of ``wire``, and milliseconds before each."""
    made = Wire()
    made.send(CLIENT, 1_000, flags=SYN, options=options)
    made.send(SERVER, 5_000, flags=SYN | ACK, ack=1_001, options=options)
    made.send(CLIENT, 1_001, flags=ACK, ack=5_001, window=1_072)
    for key, offset, data, acked, window, after in steps:
        own, other = (1_000, 5_000) if key == CLIENT else (5_000, 1_000)
        made.send(key, own + 1 + offset, data, ack=other + 1 + acked, window=window, after_ms=after)
    return of_server(made)


FULL = [(SERVER, at * 536, SEGMENT, 0, 9_000, 1.0) for at in range(4)]
WAITS = {
    "a full window": ([*FULL, (CLIENT, 0, b"", 536, 1_072, 20.0)], [(7, 8, 0.02, 2_144, 2_144)]),
    "one that has room": (
        [*FULL, (CLIENT, 0, b"", 536, 5_000, 20.0)],
        [(7, 8, 0.02, 2_144, 2_144)],
    ),
    "two segments": ([*FULL[:2], (CLIENT, 0, b"", 536, 1_072, 20.0)], []),
    "no wait": ([*FULL, (CLIENT, 0, b"", 536, 1_072, 9.0)], []),
    "until the second acknowledgement": (
        [*FULL, (CLIENT, 0, b"", 1, 1_072, 20.0), (CLIENT, 0, b"", 536, 1_072, 20.0)],
        [(7, 9, 0.04, 2_144, 2_144)],
    ),
    "it says more: that may have been waited for": (
        [*FULL, (CLIENT, 0, b"go on", 536, 1_072, 20.0)],
        [],
    ),
    "the same again": ([*FULL, (CLIENT, 0, b"", 0, 1_072, 20.0)], []),
    "a window below a segment": (
        [
            (SERVER, 0, SEGMENT, 0, 9_000, 1.0),
            (CLIENT, 0, b"", 536, 150, 1.0),
            (SERVER, 536, bytes(200), 0, 9_000, 1.0),
            (CLIENT, 0, b"", 736, 150, 20.0),
        ],
        [(6, 7, 0.02, 200, 300)],
    ),
}


@pytest.mark.parametrize(("steps", "found"), WAITS.values(), ids=WAITS)
def test_waits_for_acknowledgements(steps: list[Any], found: list[tuple[Any, ...]]) -> None:
    rows = limited(*steps).ack_waits
    assert [(last, by, *more) for last, _, by, *more in rows] == found


def test_windows_whose_scale_is_unknown_are_not_full() -> None:
    made = Wire()
    made.send(SERVER, 5_001, bytes(2_000), ack=1_001)
    made.send(CLIENT, 1_001, ack=5_001, window=1_000)
    made.send(SERVER, 7_001, bytes(1_000), ack=1_001)
    made.send(CLIENT, 1_001, ack=8_001, window=1_000, after_ms=20)
    assert not made.direction().path.ack_waits
    assert not made.direction().peer.path.ack_waits


def test_no_more_waits_are_listed_than_may_be() -> None:
    path = Path()
    for number in range(MAX_PATH_FACTS + 2):
        path.note_ack_wait((number, 0.0), number, 20_000_000, 9_000, 9_000)
    assert [row[0] for row in path.ack_waits] == list(range(MAX_PATH_FACTS))


# --- what came twice ---


def test_each_report_of_what_came_twice_is_of_one_copy() -> None:
    path = Path()
    for packet in (5, 6, 7):
        path.note_resent(100, 50, packet, 0)
    path.note_resent(900, 50, 8, 0)
    path.note_twice(100, 150, 9, 0)
    path.note_twice(80, 200, 10, 0)
    path.note_twice(150, 900, 11, 0)
    assert [row[4] for row in path.resent] == [9, 10, None, None]


@pytest.mark.parametrize(
    ("start", "end", "after", "said"),
    [
        (100, 200, 0.1, 9),
        (150, 200, 0.1, None),  # of a part alone
        (199, 200, 5.0, None),  # a probe of a connection that is idle
        (100, 200, 5.0, None),
    ],
)
def test_what_came_twice_is_what_was_just_sent_again(
    start: int, end: int, after: float, said: int | None
) -> None:
    path = Path()
    path.note_resent(100, 100, 5, 10**18)
    path.note_twice(start, end, 9, 10**18 + round(after * 1e9))
    assert [row[4] for row in path.resent] == [said]


def test_a_client_says_that_it_has_something_twice() -> None:
    made = wire((SERVER, 0, DATA, 0), (SERVER, 0, DATA, 0))
    block = b"\1\1\5\n" + pack("!II", 5_001, 5_101)
    made.send(CLIENT, 1_001, ack=5_101, options=block)
    ((*_, said),) = of_server(made).resent
    assert said == made.number
