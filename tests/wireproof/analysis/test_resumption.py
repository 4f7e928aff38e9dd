"""Whether a stream goes on where the one before it ended."""

from __future__ import annotations

import re

import pytest
from support.timed import Stream, TimedTape, event

from wireproof.testing import Exchange, WireFailure


def reconnect(
    sent: range,
    last: str | None,
    then: range,
    *,
    retry: int | None = None,
    after: float = 0.5,
    names: str = "{}",
) -> tuple[Exchange, Exchange]:
    """Events ``sent``, a request with Last-Event-ID ``last``, and the events that come ``then``."""

    def named(number: int) -> bytes:
        return event(number).replace(b"id: %d" % number, b"id: " + names.format(number).encode())

    tape = TimedTape()
    first = Stream("/events", tape=tape)
    if retry is not None:
        first.chunks([b"retry: %d\n\n" % retry], every=0)
    first.chunks(map(named, sent), every=0.01).talk.close()
    tape.wait(after)
    request = b"" if last is None else b"Last-Event-ID: %s\r\n" % names.format(last).encode()
    second = Stream("/events", tape=tape, request=request, client_port=40_001)
    capture = second.chunks(map(named, then), every=0.01).end().capture
    return capture.exchange(nth=0), capture.exchange(nth=1)


def test_a_stream_that_goes_on() -> None:
    previous, resumed = reconnect(range(1, 4), "3", range(4, 7))
    resumed.assert_resumed_from(previous)
    resumed.assert_resumed_from(previous, exact=True, respecting_retry=True)
    assert previous.last_event_id == "3"


def test_what_a_client_has_not_read_may_come_again() -> None:
    previous, resumed = reconnect(range(1, 6), "3", range(4, 7))
    resumed.assert_resumed_from(previous)
    with pytest.raises(WireFailure, match="Last-Event-ID is '3', but '5' was the last one sent"):
        resumed.assert_resumed_from(previous, exact=True)


@pytest.mark.parametrize(
    ("last", "then", "said"),
    [
        (None, range(4, 7), "the request has no Last-Event-ID"),
        ("9", range(4, 7), "Last-Event-ID '9' was never sent\n  last sent: '1', '2', '3'"),
        ("3", range(3, 7), "event '3' came again (packet 17)"),
        ("3", range(5, 7), "events 4 to 4 are missing: the stream resumes with 5"),
    ],
    ids=["none", "unknown", "again", "left out"],
)
def test_a_stream_that_does_not(last: str | None, then: range, said: str) -> None:
    previous, resumed = reconnect(range(1, 4), last, then)
    with pytest.raises(WireFailure, match=re.escape(said)):
        resumed.assert_resumed_from(previous)


def test_where_ids_are_no_numbers_only_repetition_is_seen() -> None:
    previous, resumed = reconnect(range(1, 4), "3", range(6, 8), names="m-{}")
    resumed.assert_resumed_from(previous)


def test_a_stream_that_has_nothing_new() -> None:
    previous, resumed = reconnect(range(1, 4), "3", range(0))
    resumed.assert_resumed_from(previous)


def test_a_client_that_comes_back_too_soon() -> None:
    previous, resumed = reconnect(range(1, 4), "3", range(4, 7), retry=2_000)
    resumed.assert_resumed_from(previous)
    with pytest.raises(WireFailure, match=r"reconnected after 500\.\d ms, but retry said 2,000 ms"):
        resumed.assert_resumed_from(previous, respecting_retry=True)
    patient = reconnect(range(1, 4), "3", range(4, 7), retry=400)
    patient[1].assert_resumed_from(patient[0], respecting_retry=True)
