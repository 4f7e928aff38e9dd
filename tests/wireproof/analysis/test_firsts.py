"""The first elements of an answer, by which its other leg is known."""

from __future__ import annotations

import pytest
from support.timed import Stream, chunk

from parsers.records import SseEventRecord
from wireproof.analysis.firsts import MAX_FIRSTS, First, is_passed_on, with_firsts
from wireproof.analysis.judges import explain


def blocks(stream: Stream) -> list[SseEventRecord]:
    return [one for one in stream.tape.records() if isinstance(one, SseEventRecord)]


def test_the_first_ones_are_noted_and_no_comments() -> None:
    stream = Stream()
    stream.talk.server(chunk(b": ping\n\n"))
    found = blocks(stream.events(MAX_FIRSTS + 5, every=0.01))
    firsts = with_firsts((), found)
    assert [one.time for one in firsts] == [one.last_time for one in found[1 : MAX_FIRSTS + 1]]
    assert len({one.checksum for one in firsts}) == MAX_FIRSTS
    assert with_firsts(with_firsts((), found[:3]), found[3:]) == firsts


@pytest.mark.parametrize("number", [1, 3, 30])
def test_they_are_the_same_however_many_come_at_once(number: int) -> None:
    stream = Stream().events(number, every=0.01)
    [explained] = explain(stream.end().tape.records())
    assert explained.trace.firsts == with_firsts((), blocks(stream))


NEAR = (First(2.0, 1), First(3.0, 2))


@pytest.mark.parametrize(
    ("far", "is_so"),
    [
        ((First(1.0, 1), First(2.0, 2)), True),
        ((First(2.0, 1),), True),
        ((First(1.0, 1), First(2.0, 7)), False),
        ((First(1.0, 1), First(3.5, 2)), False),
        ((), None),
    ],
)
def test_what_is_passed_on_is_the_same_and_comes_later(
    far: tuple[First, ...], is_so: bool | None
) -> None:
    assert is_passed_on(NEAR, far) is is_so
