"""What is asked of two runs."""

from __future__ import annotations

import msgspec

from wireproof.diff.profile import FORMAT, Group, Long, Profile
from wireproof.diff.questions import (
    BURSTS,
    FAILED_OR_CUT,
    LATE,
    NEW_CONNECTION,
    PAUSES,
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
    assert "ending: cut" not in found, "it is asked for as an end"
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
    assert found["first p50"] == Middle("first p50", [0.1] * 20, [0.1] * 10, is_first=True)
    assert "first p99" not in found, "too few for a tail"
    tails = asked(BEFORE, AFTER, Thresholds(tail=10))
    assert tails["first p99"] == Tail("first p99", [0.1] * 20, [0.1] * 10, [])
    assert "last p50" not in found, "A has none"


def test_an_older_baseline_is_not_asked_what_it_does_not_have() -> None:
    older = msgspec.structs.replace(BEFORE, opened=None, failed_or_cut=None)
    assert {NEW_CONNECTION, FAILED_OR_CUT}.isdisjoint(asked(older, AFTER))


def test_one_kind_of_bad_end_is_asked_for_once() -> None:
    assert FAILED_OR_CUT not in asked(BEFORE, msgspec.structs.replace(AFTER, failed=0))


def test_a_smaller_share_is_one_of_ends_too() -> None:
    end = asked(BEFORE, AFTER, Thresholds(share=0.01))["end: cut"]
    assert isinstance(end, Share) and end.growth == 0.01


def test_a_word_for_an_end_that_says_more_is_asked_for() -> None:
    after = msgspec.structs.replace(AFTER, endings={"whole": 10})
    assert asked(BEFORE, after)["ending: cut"] == Share("ending: cut", "ends", 0.02, 1, 20, 2, 10)


def test_the_first_token_is_the_first_element_where_they_are_the_same() -> None:
    times = {"first_token": [0.1] * 20, "first": [0.1] * 20}
    same = msgspec.structs.replace(BEFORE, times=times)
    assert "first p50" not in asked(same, same)
    found = asked(same, msgspec.structs.replace(same, times=times | {"first": [0.2] * 20}))
    assert [one.is_first for one in found.values() if isinstance(one, Middle)] == [
        False,
        True,
        False,
    ]


def test_what_is_far_beyond_the_usual_of_both() -> None:
    """Whichever run has the longest, the limit is the same."""
    quiet = msgspec.structs.replace(BEFORE, times={"gap_max": [0.1] * 20})
    longest = [Long(0.6, 5.0, 5.6), Long(0.5, 5.0, 5.5), Long(0.7, 7.0, 7.7)]
    other = {"gap_max": [0.1] * 6 + [0.5, 0.6, 0.7, 0.7]}
    stalled = msgspec.structs.replace(AFTER, times=other, longest={"gap_max": longest})
    spans = [(5.0, 5.6), (7.0, 7.7)]
    found = asked(quiet, stalled)[PAUSES]
    assert found == Share(PAUSES, "pauses", 0.05, 0, 20, 3, 10, 2, spans=spans)
    back = asked(stalled, quiet)[PAUSES]
    assert back == Share(PAUSES, "pauses", 0.05, 3, 10, 0, 20, spans=[])
    late = asked(*(msgspec.structs.replace(one, times={"first": [0.1, 0.9]})
                   for one in (quiet, stalled)))  # fmt: skip
    assert isinstance(found := late[LATE], Share) and (found.some, found.more) == (1, 1)


def test_bursts() -> None:
    before, after = (msgspec.structs.replace(one, bursts=3) for one in (BEFORE, AFTER))
    assert asked(before, after)[BURSTS] == Share(BURSTS, "verdicts", 0.05, 3, 20, 3, 10)
    assert BURSTS not in asked(BEFORE, after)


def test_packets() -> None:
    before, after = Profile(FORMAT, {}, 100, 1), Profile(FORMAT, {}, 200, 4)
    share = of_packets(before, after, Thresholds())
    assert share == Share("retransmissions", "packets", 0.005, 1, 100, 4, 200)
