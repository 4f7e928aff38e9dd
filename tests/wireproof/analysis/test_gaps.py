"""Where the time of a wait went, class by class, this side of each rule and the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.paced import answer, causes, paced, verdict
from support.timed import Stream, chunk, event


@pytest.mark.parametrize("rate", [0.001, 0.02, 0.1, 0.5, 2.0])
def test_a_steady_stream_has_no_long_wait(rate: float) -> None:
    assert verdict(paced([rate] * 20), "gap") is None


@pytest.mark.parametrize(
    ("rate", "gap", "expected"),
    [
        (0.02, 0.24, ""),
        (0.02, 0.26, "sender-silent"),
        (0.1, 0.45, ""),
        (0.1, 0.55, "sender-silent"),
        (0.5, 30.0, "sender-silent"),
    ],
)
def test_a_wait_is_long_if_it_is_seen_and_unusual(rate: float, gap: float, expected: str) -> None:
    stream = paced([*[rate] * 9, gap, *[rate] * 9])
    assert answer(stream, "gap") == expected
    found = verdict(stream, "gap")
    if found is not None:
        assert found.severity == "note"
        assert found.numbers["seconds"] == pytest.approx(gap, rel=0.01)
        assert found.packets == (found.numbers["from_packet"], found.numbers["to_packet"])


def test_the_next_idle_limit_is_named_where_silence_comes_near_it() -> None:
    found = verdict(paced([*[0.1] * 9, 50.0, *[0.1] * 9]), "gap")
    assert found is not None
    assert any("idle limit" in line for line in found.evidence)


@pytest.mark.parametrize(
    "sign", [b": ping\n\n", b"event: ping\ndata: {}\n\n", b"event: heartbeat\ndata:\n\n"]
)
@pytest.mark.parametrize("every", [0.2, 1.0])
def test_keep_alives_mask_a_silent_source(sign: bytes, every: float) -> None:
    stream = Stream().events(5, every=0.05).chunks([sign] * 5, every=every).events(5, every=0.05)
    found = verdict(stream.end(), "gap")
    assert found is not None
    assert (found.answer, found.severity, *causes(found)) == (
        "keep-alive-masked",
        "note",
        "keep-alive-masked",
    )
    assert found.numbers["keep_alive_period"] == pytest.approx(every, rel=0.02)
    assert found.numbers["seconds"] == pytest.approx(5 * every + 0.05, rel=0.02)


@pytest.mark.parametrize(
    ("late", "early", "expected"),
    [
        (0.62, 0.18, "retransmission"),  # back on the old beat
        (0.62, 0.4, ""),  # the beat goes on from there
        (0.55, 0.25, ""),  # sooner than anything is sent again
        (0.66, 0.25, ""),  # on no beat
    ],
)
def test_a_lone_loss_leaves_the_beat_as_it_was(late: float, early: float, expected: str) -> None:
    gaps = [*[0.4] * 6, late, early, *[0.4] * 6]
    found = verdict(on_a_path(gaps, 0.02), "gap")
    assert (found.answer if found else "") == expected
    if found is not None:
        assert causes(found) == ["retransmission", "sender-silent"]
        assert found.causes[0].sure == "possible"
        assert found.to_tell


@pytest.mark.parametrize(("due", "expected"), [(8, "retransmission"), (2, "sender-silent")])
def test_an_outage_lets_all_that_was_due_come_at_once(due: int, expected: str) -> None:
    gaps = [*[0.1] * 9, 0.8, *[0.0] * (due - 1), *[0.1] * 9]
    found = verdict(on_a_path(gaps, 0.02), "gap")
    assert found is not None
    assert found.answer == expected
    assert ("outage" in causes(found)) is (expected == "retransmission")


def on_a_path(gaps: list[float], round_trip: float) -> Stream:
    """A stream at its client, over a path that takes so long."""
    stream = paced(gaps, thinking=round_trip)
    records = stream.tape.packets
    # The handshake's packets are the first ones: all that follows them is later by a round trip.
    stream.tape.packets[1:] = [
        (number, (time_ns or 0) + round(round_trip * 1e9), *rest)
        for number, time_ns, *rest in records[1:]
    ]  # type: ignore[misc]
    return stream


def with_a_hole(wait: float) -> Stream:
    """An event is lost, the next ones come, and ``wait`` later it comes too."""
    stream = Stream().events(6, every=0.02)
    lost = stream.talk.frame("server", chunk(event(7)), 0x18)
    for number in range(8, 12):
        stream.tape.wait(0.02)
        stream.talk.server(chunk(event(number)))
        stream.tape.add(stream.talk.frame("client", b"", 0x10))
    stream.tape.wait(wait)
    stream.tape.add(lost)
    return stream.events(6, every=0.02).end()


@pytest.mark.parametrize(("wait", "severity"), [(0.03, "note"), (0.3, "warning")])
def test_a_hole_is_a_loss(wait: float, severity: str) -> None:
    found = verdict(with_a_hole(wait), "gap")
    assert found is not None
    assert (found.answer, found.severity, found.causes[0].sure) == (
        "retransmission",
        severity,
        "certain",
    )
    assert found.numbers["seconds"] == pytest.approx(wait + 0.06, abs=0.002)


def silence_and_a_hole() -> Stream:
    stream = Stream().events(6, every=0.05)
    stream.tape.wait(0.9)
    lost = stream.talk.frame("server", chunk(event(7)), 0x18)
    for number in range(8, 10):
        stream.tape.wait(0.05)
        stream.talk.server(chunk(event(number)))
    stream.tape.wait(0.2)
    stream.tape.add(lost)
    return stream.events(6, every=0.05).end()


def nagle() -> Stream:
    stream = Stream()
    for number in range(9):
        stream.tape.wait(0.1)
        data = chunk(event(number))
        stream.talk.server(data[:4])
        stream.tape.wait(0.04)
        stream.talk.ack("client")
        stream.talk.server(data[4:])
    return stream.end()


@pytest.mark.parametrize(
    ("make", "expected", "classes"),
    [
        (silence_and_a_hole, "mixed", ["sender-silent", "retransmission"]),
        (nagle, "nagle", ["nagle"]),
    ],
)
def test_time_is_given_to_all_that_took_it(
    make: Callable[[], Stream], expected: str, classes: list[str]
) -> None:
    found = verdict(make(), "gap")
    assert found is not None
    assert (found.answer, found.numbers["classes"]) == (expected, classes)
    assert causes(found) == classes
