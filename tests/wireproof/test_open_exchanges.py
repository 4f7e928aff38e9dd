"""Which exchanges are open, by itself: what the fold and the selection keep stands beside each."""

from __future__ import annotations

import pytest

from parsers.limits import MAX_PIPELINED
from parsers.memory import Memory
from wireproof.open_exchanges import EXCHANGE_COST, Key, OpenExchanges, max_open


def keys(limit: int = 100) -> OpenExchanges[Key]:
    """Keep of each exchange its own key."""
    return OpenExchanges(lambda key: key, limit)


def test_one_is_over_when_both_sides_have_begun_a_later_one() -> None:
    known = keys()
    for number in (0, 1, 2):
        assert known.find(7, number) == Key(7, number)
        known.go_on(7, number, "client")
    assert list(known) == [(7, 0), (7, 1), (7, 2)] and not known.over
    known.go_on(7, 2, "server")
    assert known.over == [(7, 0), (7, 1)] and list(known) == [(7, 2)]
    assert known.find(7, 1) is None and not known.over


@pytest.mark.parametrize("order", [("client", "server"), ("server", "client")])
def test_which_side_is_first_makes_no_difference(order: tuple[str, str]) -> None:
    known = keys()
    known.find(0, 0)
    known.find(0, 1)
    known.go_on(0, 1, order[0])  # type: ignore[arg-type]
    assert not known.over
    known.go_on(0, 1, order[1])  # type: ignore[arg-type]
    assert known.over == [(0, 0)]


def test_a_stream_that_has_ended_does_not_begin_again() -> None:
    known = keys()
    known.find(0, 0, stream_id=1)
    known.find(0, 1, stream_id=3)
    known.end((0, 0))
    assert known.over == [(0, 0)]
    assert known.find(0, 0, stream_id=1) is None
    assert known.find(0, 1, stream_id=3) == (0, 1)


def test_the_end_of_a_connection_ends_its_own() -> None:
    known = keys()
    for connection, number in ((0, 0), (1, 0), (0, 1)):
        known.find(connection, number)
    known.end_connection(0)
    assert known.over == [(0, 0), (0, 1)] and list(known) == [(1, 0)]
    known.end_connection(5)
    assert known.over == []
    assert known.finish() == [(1, 0)] and not list(known)


def test_past_a_limit_the_one_that_began_first_is_over() -> None:
    known = keys(limit=2)
    for connection in range(3):
        known.find(connection, 0)
    assert known.over == [(0, 0)] and list(known) == [(1, 0), (2, 0)]
    pipelined = keys(limit=10 * MAX_PIPELINED)
    for number in range(MAX_PIPELINED + 1):
        pipelined.find(0, number)
    assert pipelined.over == [(0, 0)] and len(pipelined.known) == MAX_PIPELINED


def test_past_the_limit_of_all_those_idle_for_longest_go_a_quarter_of_them_at_once() -> None:
    idle = {7: 10, 1: 90, 5: 20, 2: 80, 3: 70, 4: 60, 6: 50, 0: 40}
    let_go: list[Key] = []
    known = OpenExchanges(
        lambda key: key, 8, idle_since=lambda key: idle[key.connection], let_go=let_go.append
    )
    for connection in range(8):
        known.find(connection, 0)
    assert not known.over
    known.find(8, 0)
    assert let_go == known.over == [(7, 0), (5, 0)]
    assert len(known.known) == 7 and known.find(0, 0) == (0, 0) and len(let_go) == 2


def test_how_many_may_be_open_the_memory_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert max_open() == 8_192
    monkeypatch.setattr(Memory, "usual", 10 * EXCHANGE_COST)
    assert max_open() == 10


def test_a_stream_whose_records_come_after_those_of_a_later_one_has_not_been() -> None:
    known = keys()
    assert known.find(0, 3, stream_id=7) == (0, 3)
    assert known.find(0, 1, stream_id=3) == (0, 1)
    known.end((0, 1))
    assert known.find(0, 1, stream_id=3) is None
    assert known.find(0, 0, stream_id=1) == (0, 0)
    assert known.find(0, MAX_PIPELINED * 3, stream_id=9) is not None
    assert known.find(0, 5, stream_id=11) is None, "too far behind to be remembered"
