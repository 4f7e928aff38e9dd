"""What is known of the waits of a stream."""

from __future__ import annotations

import pytest
from support.paced import explained
from support.timed import Stream, chunk, event

from wireproof.analysis.waits import Waits


def waits(stream: Stream) -> Waits:
    return Waits(explained(stream.end()).trace)


def with_a_ping(stream: Stream) -> Stream:
    stream.tape.wait(0.5)
    stream.talk.server(chunk(b": ping\n\n"))
    stream.tape.wait(0.5)
    return stream


def test_keep_alives_lie_beside_the_waits() -> None:
    found = waits(with_a_ping(Stream().events(4, every=0.05)).events(4, every=0.05))
    assert found.came.count == 8
    start, end = found.came.times[3], found.came.times[4]
    assert end - start == pytest.approx(1.05, abs=0.01)
    assert len(found.alive_within(start, end)) == 1
    assert found.alive_within(start, start + 0.4) == []
    assert found.usual == pytest.approx(0.05, abs=0.001)


def test_the_pace_is_that_of_the_other_waits() -> None:
    found = waits(with_a_ping(Stream().events(6, every=0.05)).events(6, every=0.05))
    assert found.unsteadiness(5) < 0.01
    assert waits(Stream().events(3, every=0.05)).unsteadiness(0) == float("inf")


def test_a_hole_that_was_filled_late_is_a_loss() -> None:
    stream = Stream().events(4, every=0.02)
    lost = stream.talk.frame("server", chunk(event(5)), 0x18)
    stream.tape.wait(0.02)
    stream.talk.server(chunk(event(6)))
    stream.tape.wait(0.3)
    stream.tape.add(lost)
    assert waits(stream.events(2, every=0.02)).has_lost
    assert not waits(Stream().events(6, every=0.02)).has_lost
