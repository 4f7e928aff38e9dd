"""Legs of one exchange find each other, and are put in the order of the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from support.legs import Pieces, Side, clocked, far_of, later, records_of, together, tokens

from wireproof.analysis.hops.report import Report, hops

QUICK = 0.0003
EVENTS = tokens(12)


def capture(*sides: Side, offset: float = 0.0) -> list[object]:
    return records_of(together(*(clocked(side.tape(), offset) for side in sides)))  # type: ignore[return-value]


def judged(*captures: Sequence[object]) -> Report:
    return hops((f"capture {at}", records) for at, records in enumerate(captures))  # type: ignore[misc]


def ports(report: Report) -> list[list[str]]:
    """The client's port of each leg of each exchange."""
    return [[leg.client.rpartition(":")[2] for leg in one.way.legs] for one in report.passed]


def moved(side: Side, seconds: float, port: int) -> Side:
    """The same exchange, later and from another port."""
    return replace(
        side,
        pieces=later(side.pieces, seconds),
        asked=side.asked + seconds,
        answered=side.answered + seconds,
        client_port=port,
    )


def near_of(pieces: Pieces) -> Side:
    return Side(later(pieces, QUICK), answered=0.01 + QUICK, asked=-0.001)


@pytest.mark.parametrize("offset", [0.0, 3.7, -86_400.0])
@pytest.mark.parametrize("apart", [0.03, 0.5, 9.0])
def test_equal_streams_are_told_apart(apart: float, offset: float) -> None:
    near, far = near_of(EVENTS), far_of(EVENTS)
    nears = [near, moved(near, apart, 40_001), moved(near, 2 * apart, 40_002)]
    fars = [far, moved(far, apart, 50_001), moved(far, 2 * apart, 50_002)]
    expected = [["40000", "50000"], ["40001", "50001"], ["40002", "50002"]]
    assert ports(judged(capture(*nears, *fars))) == expected
    assert ports(judged(capture(*nears, offset=offset), capture(*fars))) == expected


def test_an_equal_stream_that_took_another_way_stays_alone() -> None:
    near, far = near_of(EVENTS), far_of(EVENTS)
    nears = [near, moved(near, 0.03, 40_001), moved(near, 0.06, 40_002)]
    report = judged(capture(*nears, far, moved(far, 0.06, 50_002)))
    assert ports(report) == [["40000", "50000"], ["40002", "50002"]]
    assert report.alone == 1


def test_streams_that_began_at_once_are_told_apart_by_what_names_them() -> None:
    traced = [b"Traceparent: 00-%032x-%016x-01\r\n" % (trace, trace) for trace in (7, 8)]
    further = [b"traceparent: 00-%032x-%016x-01\r\n" % (trace, 99) for trace in (7, 8)]
    nears = [replace(near_of(EVENTS), client_port=40_000 + at, request=traced[at]) for at in (0, 1)]
    fars = [replace(far_of(EVENTS), client_port=50_001 - at, request=further[at]) for at in (0, 1)]
    report = judged(capture(*nears, offset=5.0), capture(*fars))
    assert sorted(ports(report)) == [["40000", "50001"], ["40001", "50000"]]


@pytest.mark.parametrize("offset", [0.0, -3.7])
def test_a_chain_is_put_in_order_whatever_the_order_of_captures(offset: float) -> None:
    middle = Side(later(EVENTS, QUICK), client_port=45_000, server_port=9_001)
    middle = replace(middle, asked=-0.001, answered=0.01 + QUICK)
    near = Side(later(EVENTS, 4 * QUICK), asked=-0.002, answered=0.012)
    legs = [
        capture(near, offset=offset),
        capture(middle, offset=2 * offset),
        capture(far_of(EVENTS)),
    ]
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        assert ports(judged(*(legs[at] for at in order))) == [["40000", "45000", "50000"]]
    assert ports(judged(capture(far_of(EVENTS), near, middle))) == [["40000", "45000", "50000"]]


@pytest.mark.parametrize("offset", [0.0, 3.7])
def test_a_lost_head_is_not_what_a_hop_lost(offset: float) -> None:
    near = near_of(tokens(40))
    packets = clocked(near.tape(), offset)
    begins = records_of(together(packets[20:]))
    report = judged(begins, capture(far_of(tokens(40))))
    [one] = report.hops
    assert one.verdict.answer == "transparent"
    assert one.hop.losses.unseen > 10


def test_a_lost_head_of_the_far_leg_is_not_what_a_hop_added() -> None:
    far = far_of(tokens(40))
    begins = records_of(together(clocked(far.tape())[20:]))
    [one] = judged(capture(near_of(tokens(40))), begins).hops
    assert one.verdict.answer == "transparent"


def test_the_network_alone_lies_between_two_captures_of_one_connection() -> None:
    side = Side(EVENTS, round_trip=0.12)
    client = replace(side, pieces=later(EVENTS, 0.06), asked=-0.06, answered=0.07)
    for offset in (0.0, 3.7):
        [one] = judged(capture(client, offset=offset), capture(side)).hops
        assert one.hop.is_path
        assert (one.verdict.answer, one.verdict.numbers["hop"]) == ("transparent", "path")
        assert one.verdict.numbers["added_p50"] == pytest.approx(0.06, abs=0.002)
        if offset:
            assert one.hop.clock.offset == pytest.approx(3.7, abs=0.002)


@pytest.mark.parametrize("offset", [0.0, 3.7, -3.7])
def test_a_distant_proxy_is_no_hop_that_holds(offset: float) -> None:
    """60 ms each way, on both sides of the proxy 30."""
    far = far_of(EVENTS, round_trip=0.06)
    near = Side(later(EVENTS, 0.0605), asked=-0.061, answered=0.071, round_trip=0.06)
    [one] = judged(capture(near, offset=offset), capture(far)).hops
    assert one.verdict.answer == "transparent", one.verdict.summary
    assert one.verdict.numbers["added_p50"] == pytest.approx(0.06, abs=0.002)


@pytest.mark.parametrize("offset", [0.0, 3.7])
def test_the_server_goes_on_after_the_client_left(offset: float) -> None:
    near = replace(near_of(EVENTS[:5]), is_whole=False, closed_by="client")
    [one] = judged(capture(near, offset=offset), capture(far_of(EVENTS))).hops
    assert one.verdict.answer == "transparent"
    assert one.hop.losses.wasted == 7
    assert one.hop.losses.wasted_for == pytest.approx(0.42, abs=0.02)
    assert any("after the client had left" in line for line in one.verdict.evidence)


@pytest.mark.parametrize(
    "other",
    [
        far_of([(time, b"data: other %f\n\n" % time) for time, _ in EVENTS[1:]]),
        far_of([(time, b"data: other %f\n\n" % time) for time, _ in EVENTS], target="/other"),
    ],
)
def test_strangers_are_not_paired(other: Side) -> None:
    report = judged(capture(near_of(EVENTS)), capture(other))
    assert (report.passed, report.alone) == ([], 2)
    assert report.worst is None


def test_several_that_were_asked_alike_are_not_guessed() -> None:
    nears = [near_of(EVENTS), moved(near_of(EVENTS), 0.5, 40_001)]
    far = far_of([(time, b"data: other %f\n\n" % time) for time, _ in EVENTS])
    assert judged(capture(*nears), capture(far)).passed == []


def test_one_capture_of_two_clients_is_no_way() -> None:
    """The second asked another server for the same later, and got it sooner after that."""
    first, second = near_of(EVENTS), moved(far_of(EVENTS), 5.0, 50_000)
    assert judged(capture(first, second)).passed == []


def test_a_hop_that_gave_up_cut_the_answer() -> None:
    near = replace(near_of(EVENTS), is_whole=False, closed_by="server", end=2.0)
    far = far_of(EVENTS, is_whole=False, closed_by="client", end=1.9)
    [one] = judged(capture(near, far)).hops
    assert (one.verdict.answer, one.verdict.causes[0].code) == ("loses", "proxy-cut")
    assert "1.140 s after its last byte" in one.verdict.summary
    for closed_by in ("client", None):
        [one] = judged(capture(replace(near, closed_by=closed_by), far)).hops
        assert one.verdict.answer == "transparent"


def test_what_two_captures_saw_of_both_legs_is_one_way() -> None:
    legs = [near_of(EVENTS[:-1]), far_of(EVENTS)]
    report = judged(capture(*legs), capture(*legs))
    assert [one.hop.is_path for one in report.hops] == [True, False, True]
    assert [one.verdict.answer for one in report.hops] == ["transparent", "loses", "transparent"]
