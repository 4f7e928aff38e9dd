"""Limits of streams and of connections, and what they hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from parsers.http2.flow import Stall
from parsers.provenance import Completion
from parsers.quic.flow import CONNECTION, LOCAL, REMOTE, UNI, FlowControl
from parsers.quic.transport_parameters import Parameters

LIMITS: Parameters = [(CONNECTION, 100), (LOCAL, 10), (REMOTE, 20), (UNI, 5)]


def at(packet: int) -> Completion:
    return packet, float(packet)


class Run:
    """A server's sending, a packet a step."""

    def __init__(self, limits: Parameters | None = LIMITS) -> None:
        self.flow = FlowControl("server")
        if limits is not None:
            self.flow.begin(limits)
        self.packet = 0
        self.stalls: list[Stall] = []

    def send(self, stream_id: int, end: int, *, last: bool = False) -> Run:
        self.packet += 1
        self.stalls += self.flow.send(stream_id, end, at(self.packet), is_last=last)
        return self

    def rise(self, stream_id: int | None, limit: int) -> Run:
        self.packet += 1
        self.flow.rise(stream_id, limit, at(self.packet))
        return self

    def block(self, stream_id: int | None, limit: int) -> Run:
        self.packet += 1
        self.flow.block(stream_id, limit, at(self.packet))
        return self


CASES: dict[str, tuple[Callable[[Run], object], list[Stall]]] = {
    "a stream that the client opened": (
        lambda run: run.send(0, 10).rise(0, 30).send(0, 12),
        [Stall(0, at(1), 10, at(2))],
    ),
    "a stream that the server opened": (
        lambda run: run.send(1, 19).send(1, 20).rise(1, 30).send(1, 29),
        [Stall(1, at(2), 20, at(3))],
    ),
    "a stream of one direction": (
        lambda run: run.send(3, 5).rise(3, 7).send(3, 6),
        [Stall(3, at(1), 5, at(2))],
    ),
    "room to spare": (lambda run: run.send(0, 9).rise(0, 30).send(0, 12), []),
    "nothing more to send": (lambda run: run.send(0, 10, last=True).rise(0, 30), []),
    "what is sent again uses nothing up": (
        lambda run: run.send(0, 9).send(0, 9).send(0, 4).rise(0, 20).send(0, 15),
        [],
    ),
    "a lower limit is late": (
        lambda run: run.send(0, 10).rise(0, 9).rise(0, 12).send(0, 11),
        [Stall(0, at(1), 10, at(3))],
    ),
    "the first that opened it": (
        lambda run: run.send(0, 10).rise(0, 20).rise(0, 30).send(0, 11),
        [Stall(0, at(1), 10, at(2))],
    ),
    "the connection, by several streams": (
        lambda run: run.rise(0, 90).rise(4, 90).send(0, 60).send(4, 40).rise(None, 200).send(0, 61),
        [Stall(None, at(4), 40, at(5))],
    ),
    "its sender says so, of a limit that is not known": (
        lambda run: run.block(4, 10).rise(4, 20).send(4, 11),
        [Stall(4, at(1), 10, at(2))],
    ),
    "its sender says so, before it knew of a higher one": (
        lambda run: run.send(0, 10).rise(0, 20).block(0, 10).send(0, 11),
        [Stall(0, at(1), 10, at(2))],
    ),
    "what opened it was not captured": (lambda run: run.send(0, 10).send(0, 14), []),
    "and is followed again": (
        lambda run: run.send(0, 10).send(0, 14).rise(0, 20).send(0, 20).rise(0, 22).send(0, 21),
        [Stall(0, at(4), 20, at(5))],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_stalls(name: str) -> None:
    steps, stalls = CASES[name]
    run = Run()
    steps(run)
    assert run.stalls == stalls
    assert list(run.flow.still_blocked()) == []


def test_a_connection_joined_in_the_middle_knows_what_its_sender_says() -> None:
    run = Run(None).send(0, 5000).rise(None, 9000).send(0, 9100)
    assert (run.stalls, run.flow.is_known) == ([], False)
    run.block(None, 9500).rise(None, 9600).send(0, 9200)
    assert run.stalls == [Stall(None, at(4), 0, at(5))]


def test_limits_that_come_after_what_they_hold() -> None:
    """Early data is sent by limits that were remembered (RFC 9000 section 7.4.1)."""
    run = Run(None).send(0, 10)
    run.flow.begin(LIMITS)
    run.send(0, 10).rise(0, 20).send(0, 12)
    assert run.stalls == [Stall(0, at(2), 10, at(3))]


def test_what_is_never_opened_again() -> None:
    run = Run().send(0, 10)
    assert list(run.flow.still_blocked()) == [Stall(0, at(1), 10, None)]
    run.send(4, 10).flow.close(4)
    assert list(run.flow.still_blocked()) == []
