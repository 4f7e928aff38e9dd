"""What the path did to a stream: slow start, in bytes and in segments."""

from __future__ import annotations

import pytest
from support.paced import causes, verdict
from support.timed import Stream, chunk, event

from wireproof.analysis.path import Hindrance, united_seconds

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


def test_times_that_overlap_count_once() -> None:
    found = [
        Hindrance("stream-window", 1.0, 3.0, 10, 20),
        Hindrance("connection-window", 2.0, 4.0, 15, 25),
        Hindrance("connection-window", 2.5, 2.75, 16, 17),
        Hindrance("stream-window", 6.0, float("inf"), 30, None),
    ]
    assert united_seconds(found, 0.0, 10.0) == 7.0
    assert united_seconds(found, 1.5, 2.5) == 1.0
    assert united_seconds([], 0.0, 10.0) == 0.0
