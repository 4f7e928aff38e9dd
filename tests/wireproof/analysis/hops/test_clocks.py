"""Clocks are compared as far as the path bounds them, and no further."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.legs import Side, clocked, far_of, records_of, tokens

from wireproof.analysis.hops import clocks, passage
from wireproof.analysis.hops.clocks import ONE_CLOCK, Clock, Trip, clock_between
from wireproof.analysis.hops.leg import Leg, read_legs

EVENTS = tokens(40, every=0.1)
EPOCH = 1_790_000_000.0


@pytest.fixture(scope="module")
def legs() -> tuple[Leg, Leg]:
    [near] = read_legs(records_of(clocked(Side(EVENTS).tape())), 0)
    [far] = read_legs(records_of(clocked(far_of(EVENTS).tape())), 1)
    return near, far


def seen(
    *,
    offset: float = 0.0,
    drift: float = 0.0,
    request: float = 0.002,
    answers: list[float] | None = None,
    round_trip: float | None = 0.0,
    is_path: bool = False,
) -> Trip:
    """An exchange of which each element takes its time by the nearer clock."""
    answers = [0.001] * 40 if answers is None else answers

    def near(time: float) -> float:
        return EPOCH + time + offset + drift * time

    times = [0.1 + at * 0.1 for at in range(len(answers))]
    asked = [(near(0.0), EPOCH + request)]
    answered = [
        (near(time + took), EPOCH + time) for time, took in zip(times, answers, strict=True)
    ]
    return Trip(asked, answered, round_trip, is_path)


def test_one_capture_has_one_clock(legs: tuple[Leg, Leg]) -> None:
    near, _ = legs
    assert clock_between(near, near, [seen(offset=3.0)]) is ONE_CLOCK


@pytest.mark.parametrize("offset", [3.7, -3.7, 0.25, -86_400.0])
def test_what_passes_on_at_once_bounds_the_offset(legs: tuple[Leg, Leg], offset: float) -> None:
    clock = clock_between(*legs, [seen(offset=offset)])
    assert clock.least == pytest.approx(offset - 0.002, abs=1e-6)
    assert clock.most == pytest.approx(offset + 0.001, abs=1e-6)
    assert clock.offset == pytest.approx(offset, abs=0.0011)
    assert clock.uncertainty <= 0.004
    assert not clock.is_agreed


def test_clocks_that_may_agree_are_taken_to_agree(legs: tuple[Leg, Leg]) -> None:
    clock = clock_between(*legs, [seen()])
    assert (clock.offset, clock.is_agreed, clock.is_shared) == (0.0, True, False)


def test_a_fixed_hold_leaves_the_offset_to_the_request(legs: tuple[Leg, Leg]) -> None:
    clock = clock_between(*legs, [seen(offset=3.7, answers=[0.5] * 40)])
    assert clock.offset == pytest.approx(3.7, abs=0.0021)
    assert clock.most == pytest.approx(4.2, abs=0.001)


def test_a_head_that_passes_at_once_tells_a_fixed_hold_from_an_offset(
    legs: tuple[Leg, Leg],
) -> None:
    way = seen(offset=3.7, request=0.2, answers=[0.5] * 40)
    passed = way._replace(head=(EPOCH + 3.75, EPOCH + 0.0498))
    clock = clock_between(*legs, [passed])
    assert clock.offset == pytest.approx(3.7, abs=0.001)
    assert clock.most == pytest.approx(3.7002, abs=0.0001)


def test_a_timer_leaves_the_offset_to_the_request(legs: tuple[Leg, Leg]) -> None:
    held = [0.013 + (0.5 - at * 0.1) % 0.5 for at in range(40)]
    held = [took + at % 7 * 0.002 for at, took in enumerate(held)]
    clock = clock_between(*legs, [seen(offset=3.7, request=0.0001, answers=held)])
    assert clock.offset == pytest.approx(3.7, abs=0.001)


def test_a_slow_request_leaves_the_offset_to_the_answers(legs: tuple[Leg, Leg]) -> None:
    clock = clock_between(*legs, [seen(offset=3.7, request=0.03)])
    assert clock.offset == pytest.approx(3.7, abs=0.0011)


def test_the_network_between_captures_of_one_connection_is_halved(legs: tuple[Leg, Leg]) -> None:
    way = seen(offset=3.7, request=0.06, answers=[0.06] * 40, is_path=True, round_trip=0.12)
    assert clock_between(*legs, [way]).offset == pytest.approx(3.7, abs=0.001)


def test_round_trips_of_a_distant_proxy_are_no_hold(legs: tuple[Leg, Leg]) -> None:
    way = seen(offset=-5.0, request=0.06, answers=[0.06] * 40, round_trip=0.12)
    assert clock_between(*legs, [way]).offset == pytest.approx(-5.0, abs=0.001)


@pytest.mark.parametrize("ppm", [5_000, -5_000, 1_000, 300])
def test_drift_is_the_slope_under_all_elements(legs: tuple[Leg, Leg], ppm: int) -> None:
    answers = [0.0003 + max(at * 7 % 8 - 3, 0) * 0.003 for at in range(400)]
    clock = clock_between(*legs, [seen(offset=2.0, drift=ppm / 1e6, answers=answers)])
    assert clock.drift * 1e6 == pytest.approx(ppm, rel=0.05)
    assert clock.nearer(EPOCH + 20.0) == pytest.approx(EPOCH + 22.0 + 20.0 * ppm / 1e6, abs=0.002)


@pytest.mark.parametrize(
    "answers",
    [
        [0.001 + at * 0.02 for at in range(40)],  # a queue that grows
        [0.5 - at % 5 * 0.1 + at * 0.0003 for at in range(40)],  # a timer
        [0.001 + (at > 20) * 0.03 for at in range(40)],  # a hop that became slow
    ],
)
def test_a_queue_is_no_drift(legs: tuple[Leg, Leg], answers: list[float]) -> None:
    assert clock_between(*legs, [seen(offset=2.0, answers=answers)]).drift == 0.0


def test_without_a_request_the_quickest_answer_is_all_there_is(legs: tuple[Leg, Leg]) -> None:
    way = seen(offset=3.7)
    clock = clock_between(*legs, [way._replace(asked=[])])
    assert clock.offset == pytest.approx(3.701, abs=1e-6)
    assert clock.uncertainty == float("inf")
    assert clock_between(*legs, [way._replace(asked=[], answered=[])]).uncertainty == float("inf")


@given(
    st.floats(-1_000, 1_000),
    st.floats(0, 0.02),
    st.lists(st.floats(0, 2), min_size=1, max_size=50),
)
def test_the_offset_lies_within_its_bounds(
    offset: float, request: float, answers: list[float]
) -> None:
    [near] = read_legs(records_of(clocked(Side(EVENTS[:2]).tape())), 0)
    [far] = read_legs(records_of(clocked(far_of(EVENTS[:2]).tape())), 1)
    clock = clock_between(near, far, [seen(offset=offset, request=request, answers=answers)])
    assert clock.least <= clock.offset <= clock.most
    if not clock.drift:
        assert clock.least - 1e-6 <= offset <= clock.most + 1e-6
        assert abs(clock.offset - offset) <= clock.uncertainty + 1e-6


def test_a_time_is_moved_by_offset_and_drift() -> None:
    clock = Clock(offset=2.0, drift=0.001, since=100.0)
    assert clock.nearer(100.0) == 102.0
    assert clock.nearer(200.0) == pytest.approx(202.1)


@pytest.mark.parametrize(("is_local", "offset"), [(True, 0.0), (False, 0.005)])
def test_between_two_machines_a_small_offset_is_seen(
    legs: tuple[Leg, Leg], monkeypatch: pytest.MonkeyPatch, is_local: bool, offset: float
) -> None:
    monkeypatch.setattr(clocks, "LOOPBACK", ("127.",) if is_local else ("::1",))
    clock = clock_between(*legs, [seen(offset=0.005, request=0.009, answers=[0.0003] * 40)])
    assert clock.offset == pytest.approx(offset, abs=0.0005)
    assert clock.is_agreed == is_local


def test_few_of_many_exchanges_and_elements_are_looked_at(
    legs: tuple[Leg, Leg], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passage, "MAX_POINTS", 7)
    assert len(passage.trip(*legs).answered) == 40 // 6 + 1  # every sixth
