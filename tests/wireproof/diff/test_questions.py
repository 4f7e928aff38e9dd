"""What is asked of two runs."""

from __future__ import annotations

import msgspec

from wireproof.diff.profile import FORMAT, Group, Profile
from wireproof.diff.questions import (
    FAILED_OR_CUT,
    NEW_CONNECTION,
    Middle,
    Question,
    Share,
    Tail,
    Thresholds,
    of_packets,
    of_request,
)

BEFORE = Group(
    20, {"ending: cut": 1}, {"whole": 19, "cut": 1}, 0, [3.0] * 20, {"first": [0.1] * 20}, 4, 1
)
AFTER = Group(
    10,
    {"gap: outage": 6, "ending: cut": 2},
    {"whole": 8, "cut": 2},
    1,
    [3.0] * 10,
    {"first": [0.1] * 10, "last": [1.0]},
    10,
    3,
    stalls={"gap: outage": 1},
)


def asked(before: Group, after: Group, by: Thresholds | None = None) -> dict[str, Question]:
    return {one.what: one for one in of_request(before, after, by or Thresholds())}


def test_shares() -> None:
    found = asked(BEFORE, AFTER)
    assert found["ending: cut"] == Share("ending: cut", "ends", 0.02, 1, 20, 2, 10)
    assert found["end: cut"] == Share("end: cut", "ends", 0.02, 1, 20, 2, 10)
    assert found["status 5xx"] == Share("status 5xx", "ends", 0.02, 0, 20, 1, 10)
    assert found[FAILED_OR_CUT] == Share(FAILED_OR_CUT, "ends", 0.02, 1, 20, 3, 10)
    assert found[NEW_CONNECTION] == Share(NEW_CONNECTION, "connections", 0.2, 4, 20, 10, 10)
    assert "end: whole" not in found


def test_what_one_stall_did_is_one_thing() -> None:
    outage = asked(BEFORE, AFTER)["gap: outage"]
    assert outage == Share("gap: outage", "verdicts", 0.05, 0, 20, 6, 10, 1)
    assert outage.counted == (0, 20, 1, 5)
    assert outage._replace(stalls=None).counted == (0, 20, 6, 10)


def test_values() -> None:
    found = asked(BEFORE, AFTER)
    counts = found["fewer elements: count"]
    assert counts == Middle("fewer elements: count", [3.0] * 20, [3.0] * 10, is_less_worse=True)
    assert found["first p99"] == Tail("first p99", [0.1] * 20, [0.1] * 10, [])
    assert "last p50" not in found, "A has none"


def test_an_older_baseline_is_not_asked_what_it_does_not_have() -> None:
    older = msgspec.structs.replace(BEFORE, opened=None, failed_or_cut=None)
    assert {NEW_CONNECTION, FAILED_OR_CUT}.isdisjoint(asked(older, AFTER))


def test_one_kind_of_bad_end_is_asked_for_once() -> None:
    assert FAILED_OR_CUT not in asked(BEFORE, msgspec.structs.replace(AFTER, failed=0))


def test_a_smaller_share_is_one_of_ends_too() -> None:
    end = asked(BEFORE, AFTER, Thresholds(share=0.01))["end: cut"]
    assert isinstance(end, Share) and end.growth == 0.01


def test_packets() -> None:
    before, after = Profile(FORMAT, {}, 100, 1), Profile(FORMAT, {}, 200, 4)
    share = of_packets(before, after, Thresholds())
    assert share == Share("retransmissions", "packets", 0.005, 1, 100, 4, 200)
