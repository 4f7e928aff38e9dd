"""What the path did to a stream: how long, and how sure that is."""

from __future__ import annotations

import pytest
from support.frames import ACK, PSH
from support.paced import answer, causes, explained, far, paced, verdict
from support.talk import decoded
from support.timed import Stream, chunk, event

from parsers.records import Hole, Resent
from wireproof.analysis.arrivals import arrivals
from wireproof.analysis.judges import explain
from wireproof.analysis.path import (
    Hindrance,
    HindranceKind,
    hindrances,
    late,
    sent_again,
    times_closed,
    united_seconds,
)

ROUND = 0.1


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
    assert times_closed((one.start, one.end) for one in found) == 2
    assert times_closed([(1.0, 2.0), (1.0, 2.0), (3.0, 4.0)]) == 2
    assert times_closed([]) == 0


@pytest.mark.parametrize(
    ("round_trip", "first", "expected"),
    [
        (0.15, 0.16, "undecided"),  # written at once
        (0.6, 0.65, "undecided"),
        (0.15, 0.28, "held"),
        (0.0, 0.16, "held"),
    ],
)
def test_no_answer_is_held_by_the_round_trip_that_it_takes(
    round_trip: float, first: float, expected: str
) -> None:
    thinking = first if round_trip else 0.0
    stream = paced([0] * 9, first=first - thinking, thinking=thinking)
    assert answer(far(stream, round_trip)) == expected


@pytest.mark.parametrize(
    ("round_trip", "head", "expected"),
    [(0.35, 0.36, "streamed"), (0.35, 0.7, "header-held"), (0.0, 0.36, "header-held")],
)
def test_no_header_is_held_by_the_round_trip_that_it_takes(
    round_trip: float, head: float, expected: str
) -> None:
    assert answer(far(paced([0.05] * 9, first=0.0, thinking=head), round_trip)) == expected


def test_what_the_capture_lacks_held_nothing_up() -> None:
    """No packet filled the hole: it was not lost on the way, where the receiver had it."""
    stream = Stream()
    for number in range(12):
        stream.tape.wait(0.1)
        if number == 5:
            stream.talk.lose("server", len(chunk(event(number))))
        else:
            stream.talk.server(chunk(event(number)))
        stream.talk.ack("client")
    (explained,) = explain(decoded(stream.end().tape.packets))
    connection = explained.exchange.connection
    assert connection is not None
    assert [hole["filled_by"] for hole in connection.holes] == [None]
    assert hindrances(explained.trace) == []


def under_way(
    window: int,
    *,
    size: int = 600,
    idle: float = 0.0,
    round_trip: float = 0.3,
    rest: float = 0.0,
) -> Stream:
    """At the server: four events at once, again and again, ``idle`` after the acknowledgement of
    those before; and every other time ``rest`` later, of itself."""
    stream = Stream()
    for number in range(24):
        if number and not number % 4:
            stream.tape.wait(round_trip)
            stream.talk.ack("client")
            stream.tape.wait(idle + (rest if number % 8 else 0.0))
        stream.talk.server(chunk(event(number, "x" * size)))
    stream.talk.ack("client")
    stream.tape.packets = [
        (*row, data[:48] + window.to_bytes(2) + data[50:]) for *row, data in stream.tape.packets
    ]  # type: ignore[misc]
    return stream.end()


UNDER_WAY = {
    "the client's window is full": (2_600, 600, 0.0, "client-slow", "receive-window", "certain"),
    "it has no room for a segment": (2_900, 600, 0.0, "client-slow", "receive-window", "certain"),
    "it is below a segment": (500, 110, 0.0, "client-slow", "narrow-window", "certain"),
    "it has room": (60_000, 3_700, 0.0, "", "congestion-window", "likely"),
    "no more than a new connection may send": (60_000, 600, 0.0, "", "", ""),
    "nothing was to be sent": (2_600, 600, 0.05, "", "", ""),
    "little is under way": (9_000, 100, 0.0, "", "", ""),
}


@pytest.mark.parametrize(
    ("window", "size", "idle", "streams", "cause", "sure"), UNDER_WAY.values(), ids=UNDER_WAY
)
def test_what_a_sender_with_much_under_way_waited_for(
    window: int, size: int, idle: float, streams: str, cause: str, sure: str
) -> None:
    stream = under_way(window, size=size, idle=idle)
    found = verdict(stream, "gap")
    said = [] if found is None else [(one.code, one.sure) for one in found.causes[:1]]
    assert said == ([(cause, sure)] if cause else [])
    if streams:
        judged = verdict(stream)
        assert judged is not None
        assert (judged.answer, causes(judged)) == (streams, [cause])


def test_what_else_came_with_an_acknowledgement_may_have_been_waited_for() -> None:
    stream = Stream()
    for number in range(24):
        if number and not number % 4:
            stream.tape.wait(0.3)
            stream.talk.client(b"GET /next HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n")
        stream.talk.server(chunk(event(number, "x" * 600)))
    (first, *_) = explain(stream.end().tape.records())
    assert not hindrances(first.trace)


HIDES = {"congestion-window": False, "receive-window": False, "window": True, "loss": True}


@pytest.mark.parametrize("kind", HIDES)
def test_a_wait_for_an_acknowledgement_hides_no_loss(kind: HindranceKind) -> None:
    """What was lost and sent again was not acknowledged meanwhile, whatever else was."""
    stream = Stream().events(3, every=0.05)
    lost = stream.talk.frame("server", chunk(event(4)), PSH | ACK)
    stream.tape.add(lost)
    stream.events(3, every=0.05)
    stream.tape.add(lost)
    trace = explained(stream.end()).trace
    came = arrivals(trace)
    assert came is not None
    waited = Hindrance(kind, came.times[3] + 0.01, came.times[3] + 0.06, 8, 9)
    assert [one.at for one in sent_again(trace, came, [])] == [3]
    assert bool(sent_again(trace, came, [waited])) is not HIDES[kind]


def test_a_window_that_is_full_now_and_then_does_not_set_the_pace() -> None:
    found = verdict(under_way(2_600, size=600, idle=0.0, round_trip=0.3, rest=0.3))
    assert found is None or found.answer != "client-slow"


def test_what_came_twice_was_late() -> None:
    hole = Hole(
        sender="server", offset=100, length=50, packet=7, time=1.0, filled_by=9, seconds=0.3,
        overtaken=False,
    )  # fmt: skip
    again = Resent(sender="server", offset=100, length=50, packet=9, time=1.3, arrived_twice=11)
    other = Resent(sender="server", offset=150, length=50, packet=9, time=1.3, arrived_twice=11)
    asked = Resent(sender="client", offset=100, length=50, packet=9, time=1.3, arrived_twice=11)
    assert late(hole, [again]).kind == "reordering"
    assert {late(hole, rows).kind for rows in ([other], [asked], [])} == {"loss"}
