"""Where the time of a wait went, class by class, this side of each rule and the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.frames import ipv4, tcp
from support.paced import answer, causes, paced, verdict
from support.talk import Talk
from support.timed import Stream, chunk, event

from wireproof.analysis.judges import explain


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


# Of a source that a busy machine was late for: 0.14 of the usual wait, in seconds.
UNEVEN = [0.080, 0.099, 0.071, 0.094, 0.062, 0.091, 0.104, 0.074, 0.088, 0.096, 0.066, 0.083]


@pytest.mark.parametrize(("due", "expected"), [(21, "retransmission"), (8, "sender-silent")])
def test_what_was_due_is_counted_without_a_steady_beat(due: int, expected: str) -> None:
    found = verdict(on_a_path([*UNEVEN, 1.75, *[0.0] * (due - 1), *UNEVEN], 0.02), "gap")
    assert found is not None
    assert found.answer == expected
    assert ("outage" in causes(found)) is (expected == "retransmission")


def test_a_lone_loss_takes_a_steady_beat() -> None:
    found = verdict(on_a_path([*UNEVEN, 0.62, 0.08, *UNEVEN], 0.02), "gap")
    assert found is not None
    assert found.answer == "sender-silent"


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ([0.02, 0.0, 0.02, *[0.0] * 13], "retransmission"),  # one segment, two, and the rest
        ([0.02, 0.0, 0.02, *[0.0] * 3], "sender-silent"),  # a few together: more were due
        ([], "sender-silent"),  # on at the usual pace: nothing was due
    ],
)
def test_after_an_outage_tcp_begins_with_one_segment(came: list[float], expected: str) -> None:
    gaps = [*[0.1] * 4, 1.7, *came, *[0.1] * 9]
    found = verdict(on_a_path(gaps, 0.02), "gap")
    assert found is not None
    assert found.answer == expected


@pytest.mark.parametrize(("usual", "late", "early"), [(0.6, 0.82, 0.38), (1.2, 1.67, 0.73)])
def test_the_beat_is_that_of_the_others(usual: float, late: float, early: float) -> None:
    """However little a loss adds to a long beat."""
    found = verdict(on_a_path([usual, usual, late, early, usual], 0.02), "gap")
    assert found is not None
    assert causes(found) == ["retransmission", "sender-silent"]
    assert verdict(on_a_path([usual, late, early, usual], 0.02), "gap") is None, (
        "of two there is none"
    )


def on_a_path(gaps: list[float], round_trip: float, *, thinking: float = 0.0) -> Stream:
    """A stream at its client, over a path that takes so long."""
    return later(paced(gaps, thinking=round_trip + thinking), 1, round_trip)


def at_the_server(gaps: list[float], round_trip: float, *, thinking: float = 0.0) -> Stream:
    """The same at its server."""
    return later(paced(gaps, thinking=thinking), 2, round_trip)


def later(stream: Stream, first: int, seconds: float) -> Stream:
    """The same stream, from a packet of its handshake on so much later."""
    stream.tape.packets[first:] = [
        (number, (time_ns or 0) + round(seconds * 1e9), *rest)
        for number, time_ns, *rest in stream.tape.packets[first:]
    ]  # type: ignore[misc]
    return stream


@pytest.mark.parametrize("thinking", [0.0, 0.4])
def test_the_handshake_says_where_a_capture_was_made(thinking: float) -> None:
    """However long the server takes to answer: at its side nothing can have been lost before."""
    gaps = [*[0.05] * 6, 0.8, *[0.05] * 6]
    at_client = verdict(on_a_path(gaps, 0.04, thinking=thinking), "gap")
    at_server = verdict(at_the_server(gaps, 0.04, thinking=thinking), "gap")
    assert at_client is not None
    assert at_server is not None
    assert causes(at_client) == ["sender-silent", "retransmission"]
    assert causes(at_server) == ["sender-silent"]


def resent(thinking: float) -> Stream:
    """At the server: an event is sent a second time while others go on."""
    stream = Stream(thinking=thinking).events(6, every=0.02)
    lost = stream.talk.frame("server", chunk(event(7)), 0x18)
    stream.tape.add(lost)
    stream.events(6, every=0.02).tape.add(lost)
    return later(stream.events(6, every=0.02).end(), 2, 0.1)


@pytest.mark.parametrize("thinking", [0.0, 0.4])
def test_what_is_sent_again_shows_at_a_server_that_was_slow_too(thinking: float) -> None:
    found = verdict(resent(thinking), "gap")
    assert found is not None
    assert causes(found) == ["retransmission"]
    assert found.numbers["seconds"] == pytest.approx(0.12, abs=0.01)


def test_a_loss_before_a_long_wait_does_not_explain_it() -> None:
    stream = Stream().events(6, every=0.02)
    lost = stream.talk.frame("server", chunk(event(7)), 0x18)
    stream.tape.add(lost)
    stream.tape.wait(0.12)
    stream.tape.add(lost)
    stream.tape.wait(1.4)
    found = verdict(later(stream.events(6, every=0.02).end(), 2, 0.1), "gap")
    assert found is not None
    assert causes(found) == ["sender-silent", "retransmission"]


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


def test_a_loss_that_no_timestamp_tells_from_reordering_is_certain_after_a_round_trip() -> None:
    """The handshake took 20 µs: after that, what is missing can have been sent again."""
    found = verdict(with_a_hole(0.03), "gap")
    assert found is not None
    assert [cause.code for cause in found.causes] == ["retransmission"]
    late = verdict(later(with_a_hole(0.03), 1, 0.3), "gap")
    assert late is not None
    assert [(cause.code, cause.sure) for cause in late.causes] == [
        ("retransmission", "possible"),
        ("reordering", "possible"),
    ]


def test_a_window_that_was_closed_for_a_moment_does_not_explain_a_long_wait() -> None:
    stream = Stream().events(6, every=0.05)
    stream.tape.wait(2.0)
    stream.tape.add(window_of(stream, 0))
    stream.tape.wait(0.02)
    stream.tape.add(window_of(stream, 65_000))
    found = verdict(stream.events(6, every=0.05).end(), "gap")
    assert found is not None
    assert found.numbers["classes"] == ["sender-silent", "zero-window"]
    assert found.numbers["seconds"] == pytest.approx(2.05, abs=0.01)


def window_of(stream: Stream, size: int) -> bytes:
    """An acknowledgement with a window of so many bytes."""
    seq = stream.talk._seq
    segment = tcp(40_000, 8_000, 0x10, seq=seq["client"], ack=seq["server"])
    return ipv4(segment[:14] + size.to_bytes(2, "big") + segment[16:])


def test_where_the_path_lost_anything_a_silence_is_not_certain() -> None:
    found = verdict(silence_and_a_hole(), "gap")
    assert found is not None
    assert {cause.code: cause.sure for cause in found.causes} == {
        "sender-silent": "likely",
        "retransmission": "certain",
    }


def test_one_wait_with_two_causes_is_one_gap() -> None:
    found = verdict(silence_and_a_hole(), "gap")
    assert found is not None
    one, *others = found.summary.split("; ")
    assert others == []
    assert "sender-silent (nothing came" in one
    assert "retransmission (a lost segment" in one


@pytest.mark.parametrize(
    ("asked", "answered", "is_blocked"),
    [
        (0.1, 0.99, True),  # when the loop turned again
        (0.1, 0.2, False),  # it turned all the while
        (0.95, 0.99, False),  # asked too late to tell
        (-0.05, 0.99, False),  # before the wait began
    ],
)
def test_a_silent_sender_may_have_been_a_blocked_loop(
    asked: float, answered: float, is_blocked: bool
) -> None:
    stream = Stream().events(6, every=0.02)
    other = Talk(stream.tape, client_port=40_001).open()
    if asked < 0:
        other.client(b"GET /slow HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n")
        stream.events(2, every=0.02)
    stream.tape.wait(max(asked, 0.0))
    if asked >= 0:
        other.client(b"GET /slow HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n")
    stream.tape.wait(answered - max(asked, 0.0))
    other.server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    stream.tape.wait(1.0 - answered)
    stream.events(6, every=0.02).end()
    other.close()
    verdicts = [one for each in explain(stream.tape.records()) for one in each.verdicts]
    found = next(one for one in verdicts if one.question == "gap")
    assert found.answer == "sender-silent"
    assert ("blocked-loop" in causes(found)) is is_blocked
    assert ("one more request" in found.to_tell) is is_blocked
