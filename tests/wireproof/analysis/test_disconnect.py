"""What was sent after the client had left, on its own leg and on the one behind a proxy."""

from __future__ import annotations

import pytest
from support.judged import causes, verdicts
from support.talk import Talk, decoded
from support.timed import CHUNKED, EVENT_STREAM, LAST_CHUNK, Stream, TimedTape, chunk, event

HEAD = b"GET /chat HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\n%s\r\n" % (EVENT_STREAM + CHUNKED)


def left_after(events: int, more: int = 0) -> TimedTape:
    """The client closes after so many events; what comes then is answered by a RST, once."""
    stream = Stream().events(events, every=0.1)
    stream.talk.fin("client")
    stream.events(more, every=0.001)
    if more:
        stream.talk.reset("client")
    return stream.tape


@pytest.mark.parametrize(("more", "answer"), [(0, "unseen"), (1, "stops"), (5, "stops")])
def test_what_is_on_its_way_to_a_client_that_left_is_nobodys_fault(more: int, answer: str) -> None:
    [found] = verdicts(left_after(3, more), "disconnect")
    assert (found.answer, found.severity) == (answer, "note")
    assert found.numbers["wasted_events"] == more
    if more:
        assert found.numbers["server_stops_after"] == pytest.approx(more * 0.001, abs=0.001)


def test_what_goes_on_unseen_has_two_causes() -> None:
    [found] = verdicts(left_after(3), "disconnect")
    assert causes(found) == ["server-stopped", "server-goes-on-unseen"]
    assert found.to_tell


def test_a_client_that_closes_its_half_is_sent_the_rest() -> None:
    stream = Stream().events(2, every=0.1)
    stream.talk.fin("client")
    stream.events(3, every=0.1)
    stream.talk.server(LAST_CHUNK)
    stream.talk.fin("server")
    [found] = verdicts(stream.tape, "disconnect")
    assert (found.answer, found.severity) == ("half-close", "note")
    assert found.numbers["server_goes_on_events"] == 3
    assert found.numbers["wasted_events"] == 0


def test_a_half_close_may_end_with_a_reset() -> None:
    stream = Stream().events(2, every=0.1)
    stream.talk.fin("client")
    stream.events(4, every=0.1)
    stream.talk.reset("client")
    [found] = verdicts(stream.tape, "disconnect")
    assert found.answer == "half-close"
    assert (found.numbers["server_goes_on_events"], found.numbers["wasted_events"]) == (3, 1)


def test_nobody_left_who_closes_after_the_end() -> None:
    stream = Stream().events(2, every=0.1)
    stream.talk.server(LAST_CHUNK)
    stream.talk.fin("client")
    assert verdicts(stream.tape, "disconnect") == []


def two_legs(*, wasted: int, closes_after: float, server_first: bool = False) -> TimedTape:
    """A client leaves a proxy after two events, and the proxy goes on reading."""
    tape = TimedTape()
    near = Talk(tape, client_port=40_000, server_port=9_000).open()
    near.client(HEAD)
    far = Talk(tape, client_port=50_000, server_port=8_000).open()
    far.client(HEAD)
    far.server(ANSWER)
    near.server(ANSWER)
    for number in (1, 2):
        tape.wait(0.1)
        far.server(chunk(event(number)))
        near.server(chunk(event(number)))
    tape.wait(0.05)
    near.fin("client")
    for number in range(wasted):
        tape.wait(0.1)
        far.server(chunk(event(3 + number)))
    tape.wait(closes_after)
    far.fin("server" if server_first else "client")
    far.fin("client" if server_first else "server")
    return tape


@pytest.mark.parametrize(
    ("wasted", "closes_after", "severity"),
    [(1, 0.01, "note"), (1, 2.0, "warning"), (4, 0.01, "warning")],
)
def test_the_leg_behind_a_proxy_shows_how_long_it_went_on(
    wasted: int, closes_after: float, severity: str
) -> None:
    found = verdicts(two_legs(wasted=wasted, closes_after=closes_after), "disconnect")[0]
    assert (found.answer, found.severity) == ("goes-on", severity)
    assert causes(found) == ["upstream-goes-on"]
    assert found.numbers["upstream_goes_on"] is True
    assert found.numbers["wasted_events"] == wasted
    assert found.numbers["server_stops_after"] == pytest.approx(wasted * 0.1, abs=0.001)
    assert found.numbers["upstream_connection"] == 1


def test_a_proxy_that_closes_with_its_client_is_not_accused() -> None:
    found = verdicts(two_legs(wasted=0, closes_after=0.001), "disconnect")
    assert [one.answer for one in found] == ["stops", "unseen"]
    assert found[0].numbers["upstream_goes_on"] is False
    assert not any(one.is_fault for one in found)


def failing(*, idle: float, by_server: bool) -> TimedTape:
    """A proxy whose leg to the server ends, by whom it may be, cuts its client's answer."""
    tape = TimedTape()
    near = Talk(tape, client_port=40_000, server_port=9_000).open()
    near.client(HEAD)
    far = Talk(tape, client_port=50_000, server_port=8_000).open()
    far.client(HEAD)
    far.server(ANSWER)
    near.server(ANSWER)
    for number in (1, 2, 3):
        tape.wait(0.1)
        far.server(chunk(event(number)))
        near.server(chunk(event(number)))
    tape.wait(idle)
    far.fin("server" if by_server else "client")
    near.fin("server")
    near.fin("client")
    tape.wait(0.01)
    far.fin("client" if by_server else "server")
    return tape


@pytest.mark.parametrize(
    ("idle", "by_server", "code"),
    [
        (3.0, False, "proxy-idle-timeout"),
        (0.05, False, "proxy-total-timeout"),
        (0.05, True, "server-ended"),
        (3.0, True, "server-ended"),
    ],
)
def test_the_leg_behind_a_proxy_tells_who_cut_an_answer(
    idle: float, by_server: bool, code: str
) -> None:
    found = verdicts(failing(idle=idle, by_server=by_server), "ending")[0]
    assert found.answer == "cut"
    assert [(cause.code, cause.sure) for cause in found.causes] == [(code, "certain")]
    assert found.to_tell == ""
    assert found.numbers["total"] == pytest.approx(0.3 + idle, abs=0.001)


def test_what_was_stored_late_was_not_sent_after_the_client_had_left() -> None:
    """A file may hold the packets of a connection in any order; they are decoded by their times."""
    stream = Stream().events(3, every=0.02).end()
    rows = stream.tape.packets
    last = len(rows)
    stored = [(last - row[0] + 1, *row[1:]) for row in rows]  # the last packet first
    records = decoded(stored)
    assert verdicts(records, "disconnect") == []
    assert [one.answer for one in verdicts(records, "ending")] == ["whole"]
