"""What is over is put aside, and whoever asks for it does not see that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import pytest

from parsers.records import FIRST_QUIC_CONNECTION
from wireproof import shelf
from wireproof.pings import Pings
from wireproof.shelf import Resting, Shelf
from wireproof.spool import Spool


class Thing:
    def __init__(self, name: str) -> None:
        self.name = name


class Aside(NamedTuple):
    name: str


@pytest.fixture
def spool() -> Iterator[Spool]:
    with closing(Spool()) as made:
        yield made


@pytest.fixture
def things(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> Resting[Thing, Aside]:
    monkeypatch.setattr(shelf, "MAX_OVER", 2)
    found: Resting[Thing, Aside] = Resting(
        Aside, spool, lambda thing: Aside(thing.name), lambda _, aside: Thing(aside.name)
    )
    for number in range(5):
        found.begin(number, Thing(str(number)))
    return found


def test_what_goes_on_stays_in_memory(things: Resting[Thing, Aside]) -> None:
    assert list(things.here) == [0, 1, 2, 3, 4]
    assert things.get(3) is things.here[3]


def test_what_is_over_does_not_go_on(things: Resting[Thing, Aside]) -> None:
    things.end(0)
    assert [things.goes_on(number) for number in (0, 1, 9)] == [False, True, False]


def test_the_last_that_are_over_stay_and_the_others_are_brought_back(
    things: Resting[Thing, Aside],
) -> None:
    for number in range(4):
        things.end(number)
    assert list(things.here) == [2, 3, 4]
    assert [things.get(number).name for number in range(5)] == ["0", "1", "2", "3", "4"]


def test_what_was_asked_for_stays_before_what_was_not(things: Resting[Thing, Aside]) -> None:
    things.end(0)
    things.end(1)
    things.get(0)
    things.end(2)
    assert set(things.here) == {0, 2, 3, 4}


def test_what_changed_after_it_was_brought_back_is_kept(things: Resting[Thing, Aside]) -> None:
    for number in range(4):
        things.end(number)
    things.get(0).name = "changed"
    things.get(1), things.get(2)
    assert 0 not in things.here
    assert things.get(0).name == "changed"


def test_what_rests_is_let_go_as_it_was(things: Resting[Thing, Aside], spool: Spool) -> None:
    for number in range(4):
        things.end(number)
    things.rest()
    assert list(things.here) == [4]
    size = spool.size
    things.get(0).name = "lost"
    assert [things.get(number).name for number in (1, 2, 3, 0, 4)] == ["1", "2", "3", "0", "4"]
    assert list(things.here) == [4, 3, 0]
    assert spool.size == size


def test_there_is_nothing_that_never_was(things: Resting[Thing, Aside]) -> None:
    things.end(9)
    with pytest.raises(KeyError):
        things.get(9)


def test_what_is_as_it_was_takes_no_more_room(spool: Spool) -> None:
    kept = Shelf(Aside, spool)
    kept.put(7, Aside("same"))
    size = spool.size
    kept.put(7, Aside("same"))
    assert spool.size == size
    kept.put(7, Aside("else"))
    assert kept.get(7) == Aside("else")
    assert kept.get(8) is None


def test_numbers_of_quic_connections_take_no_room_for_those_before_them(spool: Spool) -> None:
    kept = Shelf(Aside, spool)
    for number in (FIRST_QUIC_CONNECTION + 1, 3):
        kept.put(number, Aside(str(number)))
    assert kept.get(FIRST_QUIC_CONNECTION + 1) == Aside("1000000001")
    assert kept.get(3) == Aside("3")
    assert kept.get(FIRST_QUIC_CONNECTION) is kept.get(2) is None


def test_pings_are_made_anew_and_what_has_no_type_is_refused(spool: Spool) -> None:
    pings = Shelf(Pings, spool)
    pings.put(0, Pings())
    assert isinstance(pings.get(0), Pings)
    with pytest.raises(NotImplementedError, match="Thing is not put aside"):
        Shelf(Thing, spool).put(0, Thing("mine"))
