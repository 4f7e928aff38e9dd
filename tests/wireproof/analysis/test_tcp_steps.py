"""Steps of TCP: slow start, in bytes and in segments, Nagle's algorithm, and full segments."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from support.paced import STREAMED, answer, causes, far, paced, verdict
from support.timed import Stream, chunk, event

from wireproof.analysis.tcp_steps import may_be_full

ROUND = 0.1


def at_once(size: int, before: int, *, stop: float = ROUND) -> Stream:
    """Events in a segment each, written at once; after so many segments the others come later."""
    stream = Stream(thinking=ROUND)
    for number in range(40):
        if number == before:
            stream.tape.wait(stop)
        stream.talk.server(chunk(event(number, "x" * size)))
        stream.talk.ack("client")
    stream.tape.packets[1:] = [
        (number, (time_ns or 0) + round(ROUND * 1e9), *rest)
        for number, time_ns, *rest in stream.tape.packets[1:]
    ]  # type: ignore[misc]
    return stream.end()


@pytest.mark.parametrize(
    ("size", "before", "stop", "expected"),
    [
        (1_400, 9, ROUND, ["tcp-slow-start"]),  # with the header's ten segments, full
        (900, 9, ROUND, ["tcp-slow-start"]),  # ten, each as large as an event
        (900, 7, ROUND, []),  # eight: there was room for more
        (900, 9, 3 * ROUND, []),  # ten, but no round trip
    ],
)
def test_slow_start_stops_after_ten_segments(
    size: int, before: int, stop: float, expected: list[str]
) -> None:
    found = verdict(at_once(size, before, stop=stop))
    assert found is not None
    assert (causes(found) == ["tcp-slow-start"]) is bool(expected)


@pytest.mark.parametrize(
    ("rounds", "every", "expected"),
    [
        ((9, 20, 40, 20), ROUND, ["tcp-slow-start"]),  # as many more as were acknowledged
        ((9, 31), ROUND, ["tcp-slow-start"]),
        ((9, 10, 10, 10, 10), ROUND, ["tcp-slow-start"]),  # a full window
        ((9, 5, 1, 1, 1), 3 * ROUND, ["tcp-slow-start"]),  # what there was, and then live events
        ((9, 10, 10, 10, 10), 3 * ROUND, ["app-batches", "proxy-timer", "proxy-buffer"]),
    ],
)
def test_rounds_after_slow_start(rounds: Sequence[int], every: float, expected: list[str]) -> None:
    """They grow, or are a round trip apart, or else something that comes later is short."""
    gaps = [gap for size in rounds for gap in (*[0.0001] * (size - 1), every)]
    gaps[rounds[0] - 1] = ROUND
    stream = far(paced(gaps[:-1], size=900, thinking=ROUND, first=0.0), ROUND)
    assert causes(verdict(stream)) == expected


def in_halves(half: float, *, late: float, thinking: float) -> Stream:
    """A stream in halves over a round trip of 20 ms, whose handshake was ``late`` beside it."""
    stream = Stream(thinking=thinking)
    stream.tape.packets[1:] = [
        (number, (time_ns or 0) + round((0.02 + late) * 1e9), *rest)
        for number, time_ns, *rest in stream.tape.packets[1:]
    ]  # type: ignore[misc]
    for number in range(8):
        data = chunk(event(number))
        stream.tape.wait(0.2)
        stream.talk.server(data[:4])
        stream.tape.wait(half)
        stream.talk.server(data[4:])
    return stream.end()


@pytest.mark.parametrize(
    ("half", "late", "thinking", "expected"),
    [
        (0.02, 0.0, 0.02, "stepped"),
        (0.02, 0.03, 0.02, "stepped"),  # the answer came sooner than the handshake says
        (0.012, 0.03, 0.02, "streamed"),  # no acknowledgement can have come in between
        (0.02, 0.03, 0.3, "streamed"),  # nothing says that the handshake was late
    ],
)
def test_halves_are_held_against_the_quickest_round_trip(
    half: float, late: float, thinking: float, expected: str
) -> None:
    found = verdict(in_halves(half, late=late, thinking=thinking))
    assert found is not None
    assert found.answer == expected


def halves_at_times(round_trip: float, writes: int, whole: int) -> Stream:
    """Again and again the first half of a write, a round trip later the rest and more writes, and
    then some that waited as a whole.
    """
    stream = Stream(fields=STREAMED, thinking=round_trip)
    for _ in range(8):
        first, *others = (chunk(event(number)) for number in range(writes))
        stream.tape.wait(0.4)
        stream.talk.server(first[:4])
        stream.tape.wait(round_trip)
        stream.talk.server(first[4:] + b"".join(others))
        for number in range(whole):
            stream.tape.wait(round_trip)
            stream.talk.server(chunk(event(number)))
    return far(stream.end(), round_trip)


@pytest.mark.parametrize(
    ("writes", "whole", "share"), [(1, 0, "89%"), (4, 0, "89%"), (1, 1, "47%"), (1, 2, "32%")]
)
def test_halves_of_some_writes_are_nagles_where_others_wait_whole(
    writes: int, whole: int, share: str
) -> None:
    found = verdict(halves_at_times(0.1, writes, whole))
    assert found is not None
    assert found.answer == "stepped"
    assert found.summary.startswith(share)


@pytest.mark.parametrize(("writes", "whole"), [(4, 0), (1, 2)])
def test_on_a_short_path_most_writes_must_be_cut(writes: int, whole: int) -> None:
    """What comes 20 ms later may have been a timer's."""
    assert answer(halves_at_times(0.02, writes, whole)) != "stepped"


@pytest.mark.parametrize(
    ("round_trip", "period", "size", "expected"),
    [
        (0.15, 0.152, 20, "nagle-delayed-ack"),
        (0.15, 0.195, 20, "nagle-delayed-ack"),  # the acknowledgement was delayed
        (0.15, 0.5, 20, "proxy-timer"),  # three round trips and more
        (0.15, 0.152, 700, "proxy-timer"),  # a full segment does not wait
        (0.0, 0.152, 20, "proxy-timer"),
    ],
)
def test_small_chunks_once_a_round_trip_are_nagles(
    round_trip: float, period: float, size: int, expected: str
) -> None:
    gaps = [gap for number in range(10) for gap in (period, *[0] * (2 + number % 2))]
    found = verdict(far(paced(gaps, size=size, thinking=round_trip), round_trip))
    assert found is not None
    assert (found.answer, causes(found)[0]) == ("bursty", expected)
    assert "proxy-timer" in causes(found)


@pytest.mark.parametrize("size", [150, 400, 700])
@pytest.mark.parametrize("segment", [1_220, 1_448])
@pytest.mark.parametrize(("round_trip", "every"), [(0.042, 0.075), (0.15, 0.16), (0.0, 0.06)])
def test_full_segments_of_a_slow_path_wait_for_no_acknowledgement(
    size: int, segment: int, round_trip: float, every: float
) -> None:
    """They cut writes, and the rest comes about a round trip later: so it does with Nagle's."""
    stream = Stream(fields=STREAMED, thinking=round_trip)
    data = b"".join(chunk(event(number, "x" * size)) for number in range(90))
    for at in range(0, len(data), segment):
        stream.tape.wait(every)
        stream.talk.server(data[at : at + segment])
    found = verdict(far(stream.end(), round_trip))
    assert found is not None
    assert (found.answer, found.severity) == ("streamed", "ok")


@pytest.mark.parametrize("round_trip", [0.042, 0.08])
def test_what_waits_for_a_slow_path_leaves_in_a_full_segment_and_the_rest(
    round_trip: float,
) -> None:
    """First each write in a segment of its own, which a queue delays; then what has piled up."""
    stream = Stream(fields=STREAMED, thinking=round_trip)
    writes = [chunk(event(number, "x" * 450)) for number in range(60)]
    data = b"".join(writes[15:])
    sizes = [1_448, 2 * len(writes[20]), *[1_448, 1_000] * 12]
    pieces = [data[sum(sizes[:at]) : sum(sizes[: at + 1])] for at in range(len(sizes))]
    for piece in [*writes[:15], *filter(None, pieces)]:
        stream.tape.wait(len(piece) / 20_000)
        stream.talk.server(piece)
    found = verdict(far(stream.end(), round_trip))
    assert found is not None
    assert (found.answer, found.severity) == ("streamed", "ok")


FULL_SEGMENTS = {
    "one of Ethernet": (1_448, 1_460, 200, True),
    "one that a path made smaller": (1_300, 1_460, 200, True),
    "half of one": (700, 1_460, 200, False),
    "two": (2_896, 1_460, 200, True),
    "eleven, which a card cuts": (11 * 1_448, 1_460, 200, True),
    "a buffer of two pages": (8_192, 1_460, 200, False),
    "one of a jumbo frame": (8_948, 8_960, 500, True),
    "one of Ethernet, where both ends take more": (1_448, 8_960, 200, True),
    "any number where elements are longer than one": (8_192, 1_460, 3_000, False),
}


@pytest.mark.parametrize(
    ("size", "segment", "each", "found"), FULL_SEGMENTS.values(), ids=FULL_SEGMENTS
)
def test_full_segments(size: int, segment: int, each: int, found: bool) -> None:
    """Elements one behind the other, of which the first packet takes the first ``size`` bytes."""
    cut = size // each
    marks: Any = SimpleNamespace(
        offsets=[number * each for number in range(cut + 1)],
        lengths=[each] * (cut + 1),
        first_packets=[1] * (cut + 1),
        packets=[1] * cut + [2],
    )
    assert may_be_full(marks, 0, cut, segment) is found


def filled(round_trip: float, period: float) -> Stream:
    """Chunks in a full segment, which ends inside one, and the rest of ten half a ``period``
    later."""
    stream = Stream(thinking=round_trip)
    for number in range(10):
        data = b"".join(chunk(event(at, "x" * 150)) for at in range(number * 16, number * 16 + 16))
        for piece in (data[:1_448], data[1_448:]):
            stream.tape.wait(period / 2)
            stream.talk.server(piece)
            stream.talk.ack("client")
    return far(stream.end(), round_trip)


@pytest.mark.parametrize(
    ("round_trip", "period", "expected"),
    [
        (0.1, 0.1, ["nagle-delayed-ack"]),
        (0.2, 0.21, ["nagle-delayed-ack"]),
        (0.1, 0.4, []),  # they wait for something else
        (0.0, 0.1, []),
    ],
)
def test_small_writes_that_fill_segments_within_a_round_trip(
    round_trip: float, period: float, expected: list[str]
) -> None:
    found = verdict(filled(round_trip, period))
    assert ("nagle-delayed-ack" in causes(found)) is bool(expected)
    assert found is not None
    assert (found.answer == "bursty") or not expected
