"""Legs are paired only where one proves to be caused by the other: near misses stay alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from support.legs import Side, clocked, far_of, later, records_of, together, tokens

from parsers.records import Record
from wireproof import decode
from wireproof.analysis.hops.proof import KEPT
from wireproof.analysis.hops.report import Report, hops

EVENTS = tokens(12)
TRACED = b"X-Request-ID: 7c9e\r\n"
NEAR = Side(later(EVENTS, 0.0003), answered=0.0103, asked=-0.001)
FAR = far_of(EVENTS)
VERDICTS = Path(__file__).resolve().parents[4] / "fixtures" / "verdicts"


def capture(side: Side, offset: float = 0.0) -> list[Record]:
    return records_of(clocked(side.tape(), offset))


def together_seen(*captures: Sequence[Record], is_one_way: bool = False) -> Report:
    named = [(f"capture {at}", records) for at, records in enumerate(captures)]
    return hops(named, is_one_way=is_one_way)


def again(side: Side, seconds: float) -> Side:
    """The same exchange on a later connection of the same client."""
    moved = replace(side, pieces=later(side.pieces, seconds), client_port=side.client_port + 1)
    return replace(moved, asked=side.asked + seconds, answered=side.answered + seconds)


def named(side: Side) -> Side:
    return replace(side, request=side.request + TRACED)


LASTS = EVENTS[-1][0] - NEAR.asked


@pytest.mark.parametrize(
    ("near", "far", "offset", "is_pair"),
    [
        pytest.param(NEAR, FAR, 0.0, True, id="nests"),
        pytest.param(NEAR, FAR, KEPT / 2, True, id="clock kept, ahead"),
        pytest.param(NEAR, FAR, -KEPT / 2, True, id="clock kept, behind"),
        pytest.param(NEAR, FAR, 2 * KEPT, False, id="far begins before near"),
        pytest.param(NEAR, FAR, -2 * KEPT, False, id="near has all before far"),
        pytest.param(NEAR, again(FAR, LASTS + 0.3), 0.0, False, id="far begins after near's end"),
        pytest.param(NEAR, FAR, 1.4, False, id="recorded after it"),
        pytest.param(NEAR, FAR, -86_400.0, False, id="recorded a day before it"),
        pytest.param(named(NEAR), named(FAR), 1.4, True, id="named, clocks apart"),
        pytest.param(named(NEAR), FAR, 1.4, False, id="one is named"),
        pytest.param(NEAR, again(NEAR, 0.0), 0.0, False, id="two clients of one server at once"),
        pytest.param(NEAR, again(NEAR, 1.4), 0.0, False, id="one server asked again"),
        pytest.param(named(NEAR), again(named(NEAR), 1.4), 0.0, False, id="a retry of one name"),
        pytest.param(named(NEAR), again(named(NEAR), 0.0), 0.0, True, id="NAT"),
        pytest.param(NEAR, replace(NEAR), 1.4, True, id="one connection, two clocks"),
    ],
)
def test_captures_that_are_looked_at_together(
    near: Side, far: Side, offset: float, is_pair: bool
) -> None:
    report = together_seen(capture(near, offset), capture(far))
    assert (len(report.passed), report.alone) == ((1, 0) if is_pair else (0, 2))


@pytest.mark.parametrize("offset", [0.0, 1.4, -86_400.0])
def test_whoever_says_that_captures_are_of_one_way_is_believed_about_clocks(offset: float) -> None:
    report = together_seen(capture(NEAR, offset), capture(FAR), is_one_way=True)
    assert len(report.passed) == 1


@pytest.mark.parametrize("seconds", [0.0, 0.02, 1.4])
def test_two_connections_to_one_server_are_no_way_whatever_is_said(seconds: float) -> None:
    report = together_seen(capture(NEAR), capture(again(NEAR, seconds)), is_one_way=True)
    assert (report.passed, report.alone) == ([], 2)


@pytest.mark.parametrize(
    ("later_by", "slower_by", "is_pair"),
    [
        pytest.param(0.0003, 0.0003, True, id="asked within, left after it came"),
        pytest.param(0.0003, -0.03, False, id="left before it came"),
        pytest.param(LASTS + 0.3, 0.0, False, id="asked after the end"),
    ],
)
def test_one_capture_has_one_clock(later_by: float, slower_by: float, is_pair: bool) -> None:
    far = again(far_of(EVENTS), later_by)
    near = Side(
        later(EVENTS, max(later_by if later_by < 1 else 0.0, 0.0) + slower_by), asked=-0.001
    )
    both = records_of(together(clocked(near.tape()), clocked(far.tape())))
    assert bool(hops([("both", both)]).passed) == is_pair


def test_separate_recordings_of_one_machine_are_never_legs_of_one_exchange() -> None:
    """Servers that say the same on the same ports, seconds and minutes apart."""
    names = ["en01", "en02", "en04", "en05", "en17", "en21", "en27", "hb10"]
    paths = [path for name in names for path in sorted(VERDICTS.glob(f"{name}-*.pcap"))]
    assert len(paths) == len(names)
    records = {path: list(decode(path)) for path in paths}
    for pair in combinations(paths, 2):
        for is_one_way in (False, True):
            report = hops([(path.name, records[path]) for path in pair], is_one_way=is_one_way)
            assert report.passed == [], pair
    assert hops(((p.name, records[p]) for p in paths), is_one_way=False).passed == []


def test_the_legs_of_one_machine_find_each_other_by_their_times() -> None:
    paths = [VERDICTS / f"hp01-nginx-unbuffered.{side}.pcap" for side in ("client", "server")]
    assert len(hops(((p.name, decode(p)) for p in paths), is_one_way=False).passed) == 1
