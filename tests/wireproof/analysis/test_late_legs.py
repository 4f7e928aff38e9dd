"""Exchanges that wait until it is known whether they are legs behind a proxy."""

from __future__ import annotations

from itertools import permutations

import pytest
from support.talk import Talk
from support.timed import CHUNKED, EVENT_STREAM, TimedTape, chunk

from wireproof.analysis import late_legs, outcomes
from wireproof.analysis.outcomes import Outcomes

PROXY, INNER, SERVER = 9_000, 7_000, 8_000
HEAD = b"HTTP/1.1 200 OK\r\n%s\r\n" % (EVENT_STREAM + CHUNKED)


def passed_on(requests: int, *, clients: int = 1) -> TimedTape:
    """Clients whose connections go on, and a proxy that opens one for each of their requests."""
    tape = TimedTape()
    near = [
        Talk(tape, client_port=40_000 + number, server_port=PROXY).open()
        for number in range(clients)
    ]
    for number in range(requests):
        its = near[number % clients]
        far = Talk(tape, client_port=50_000 + number, server_port=SERVER).open()
        for talk in (its, far):
            talk.client(b"GET /chat HTTP/1.1\r\nHost: a\r\n\r\n")
        for talk in (far, its):
            talk.server(HEAD, chunk(b"data: %d\n\n" % number), b"0\r\n\r\n")
        far.close()
    for talk in near:
        talk.close()
    return tape


def told(tape: TimedTape, *, with_legs: bool = True, step: int | None = None) -> list[bool]:
    """Return of each exchange whether it is a leg behind a proxy."""
    found = Outcomes(with_measures=True, with_legs=with_legs)
    records = tape.records()
    size = step or len(records)
    given = []
    for start in range(0, len(records), size):
        given += found.add(records[start : start + size])
    given += found.finish()
    assert [one.listed.number for one in given] == list(range(len(given)))
    return [one.measures is not None and one.measures.is_behind_proxy for one in given]


@pytest.mark.parametrize("clients", [1, 3])
def test_legs_are_known_where_only_ends_of_connections_tell_addresses(
    clients: int,
) -> None:
    tape = passed_on(6, clients=clients)
    assert told(tape) == [False, True] * 6
    assert not any(told(tape, with_legs=False)), "nobody asked for it"


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("body", [chunk(b"data: a\n\n"), b""])
def test_every_leg_of_a_chain_but_its_clients_is_behind_a_proxy(
    order: tuple[int, ...], body: bytes
) -> None:
    tape = TimedTape()
    talks = [
        Talk(tape, client_port=40_000 + number, server_port=port).open()
        for number, port in enumerate((PROXY, INNER, SERVER))
    ]
    for _ in range(3):
        for talk in talks:
            talk.client(b"GET /chat HTTP/1.1\r\nHost: a\r\n\r\n")
        for talk in reversed(talks):
            talk.server(HEAD, body, b"0\r\n\r\n")
    for number in order:
        talks[number].close()
    assert told(tape) == told(tape, step=1) == [False, True, True] * 3


def test_batches_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "LateLegs", lambda pairs: late_legs.LateLegs(pairs, 3))
    tape = passed_on(6)
    found = told(tape)
    assert found == told(tape, step=1) == told(tape, step=7)
    assert sum(found) == 3, "the others have waited too long: none is known to be a leg"


def test_who_asks_alone_waits_for_nobody() -> None:
    tape = TimedTape()
    talk = Talk(tape).open()
    talk.client(b"GET /chat HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(HEAD, chunk(b"data: 1\n\n"), b"0\r\n\r\n")
    assert told(tape) == [False]
