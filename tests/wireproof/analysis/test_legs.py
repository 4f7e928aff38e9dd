"""Which of several exchanges that ask for the same are the legs of one way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.talk import Talk
from support.timed import CHUNKED, EVENT_STREAM, TimedTape, chunk

from parsers.records import RequestRecord
from wireproof.analysis.judges import Explanations
from wireproof.analysis.legs import leg_before, leg_behind
from wireproof.analysis.links import Links
from wireproof.analysis.trace import Trace
from wireproof.exchanges import Exchanges

PROXY, SERVER, INNER = 9_000, 8_000, 7_000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def ask(body: bytes = b"", fields: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return b"POST /chat HTTP/1.1\r\nHost: a\r\n" + fields + length + b"\r\n" + body


def traced(*asked: tuple[int, bytes]) -> list[Trace]:
    """Requests to ports, in turn, all of which are answered only when all have been sent."""
    tape = TimedTape()
    talks = []
    for number, (port, request) in enumerate(asked):
        talk = Talk(tape, client_port=40_000 + number, server_port=port).open()
        talk.client(request)
        talks.append(talk)
    for talk in reversed(talks):
        talk.server(OK)
        talk.close()
    return linked(tape)


def linked(tape: TimedTape) -> list[Trace]:
    """Return the traces of a tape, linked, when all of it is known."""
    links, exchanges = Links(), Exchanges(Trace)
    found: list[Trace] = []
    for record in tape.records():
        one = exchanges.add(record)
        if one is None:
            continue
        one[1].add(record)
        if isinstance(record, RequestRecord):
            links.ask(one[1], record)
            found.append(one[1])
    return found


def legs(found: list[Trace]) -> list[int | None]:
    """Return for each exchange which one is its leg behind a proxy."""
    behind = map(leg_behind, found)
    return [None if leg is None else found.index(leg) for leg in behind]


CASES: dict[str, tuple[list[tuple[int, bytes]], list[int | None]]] = {
    "a proxy": ([(PROXY, ask()), (SERVER, ask())], [1, None]),
    "two clients of one server": ([(SERVER, ask()), (SERVER, ask())], [None, None]),
    "a proxy, and another client of its server": (
        [(PROXY, ask()), (SERVER, ask()), (SERVER, ask())],
        [None, None, None],
    ),
    "a proxy behind a proxy": (
        [(PROXY, ask()), (INNER, ask()), (SERVER, ask())],
        [1, 2, None],
    ),
    "two clients at once": (
        [(PROXY, ask()), (PROXY, ask()), (SERVER, ask()), (SERVER, ask())],
        [None, None, None, None],
    ),
}
"""Answers without elements, which tell nothing: the only ones that there are belong together."""


@pytest.mark.parametrize("name", CASES)
def test_legs_are_told_apart(name: str) -> None:
    asked, expected = CASES[name]
    found = traced(*asked)
    assert legs(found) == expected
    for leg in found:
        near = leg_before(leg)
        if near is not None:
            assert near.trace in found


HEAD = b"HTTP/1.1 200 OK\r\n%s\r\n" % (EVENT_STREAM + CHUNKED)


def stream(talk: Talk, name: str) -> None:
    """Answer with an event that holds a name, and no end."""
    talk.server(HEAD + chunk(b"data: %s\n\n" % name.encode()))


def talks_of(tape: TimedTape, *ports: int, bodies: Sequence[bytes] = ()) -> list[Talk]:
    """Ask servers at these ports at once."""
    found = [
        Talk(tape, client_port=40_000 + number, server_port=port).open()
        for number, port in enumerate(ports)
    ]
    for number, talk in enumerate(found):
        talk.client(ask(bodies[number] if bodies else b""))
    return found


def test_the_answer_tells_a_leg_from_another_client() -> None:
    tape = TimedTape()
    near, direct, far = talks_of(tape, PROXY, SERVER, SERVER)
    for talk, name in ((direct, "b"), (far, "a"), (near, "a")):
        stream(talk, name)
        talk.close()
    assert legs(linked(tape)) == [2, None, None]


def test_the_answer_tells_legs_apart_whose_requests_are_alike() -> None:
    tape = TimedTape()
    first, second, its, others = talks_of(tape, PROXY, PROXY, SERVER, SERVER)
    for talk, name in ((others, "b"), (its, "a"), (first, "a"), (second, "b")):
        stream(talk, name)
        talk.close()
    assert legs(linked(tape)) == [2, 3, None, None]


def test_the_answer_tells_the_legs_of_a_chain() -> None:
    tape = TimedTape()
    outer, inner, far = talks_of(tape, PROXY, INNER, SERVER)
    for talk in (far, inner, outer):
        stream(talk, "a")
        talk.close()
    assert legs(linked(tape)) == [1, 2, None]


@pytest.mark.parametrize("body", [b"", b"data: a\n\n"])
def test_the_answer_of_a_chain_comes_from_its_end(body: bytes) -> None:
    tape = TimedTape()
    outer, inner, far = talks_of(tape, PROXY, INNER, SERVER)
    for talk in (far, outer, inner):
        talk.server(HEAD + (chunk(body) if body else b"") + chunk(b""))
        talk.close()
    # What the inner one said came too late for the client: who asked the last one is not known.
    assert legs(linked(tape)) == [None, None, None]


def test_the_body_of_a_request_tells_legs_apart_whose_answers_are_alike() -> None:
    tape = TimedTape()
    bodies = (b"1", b"2", b"2", b"1")
    found = talks_of(tape, PROXY, PROXY, SERVER, SERVER, bodies=bodies)
    for talk in reversed(found):
        stream(talk, "a")
        talk.close()
    assert legs(linked(tape)) == [3, 2, None, None]


@pytest.mark.parametrize(("order", "leg"), [((1, 0), 1), ((0, 1), None)])
def test_what_came_sooner_to_the_client_was_not_passed_on(
    order: tuple[int, int], leg: int | None
) -> None:
    tape = TimedTape()
    talks = talks_of(tape, PROXY, SERVER)
    for number in order:
        stream(talks[number], "a")
    for talk in talks:
        talk.close()
    assert legs(linked(tape)) == [leg, None]


def test_a_client_that_asks_two_servers_gives_each_its_own_name() -> None:
    tape = TimedTape()
    near = Talk(tape, client_port=40_000, server_port=PROXY).open()
    near.client(ask().replace(b"Host: a", b"Host: a:9000"))
    far = Talk(tape, client_port=40_001, server_port=SERVER).open()
    far.client(ask().replace(b"Host: a", b"Host: a:8000"))
    for talk in (far, near):
        talk.server(OK)
        talk.close()
    assert legs(linked(tape)) == [None, None]


def test_a_proxy_may_ask_again_when_its_first_leg_has_ended() -> None:
    tape = TimedTape()
    [near, first] = talks_of(tape, PROXY, SERVER)
    first.fin("server")
    first.fin("client")
    again = Talk(tape, client_port=40_002, server_port=SERVER).open()
    again.client(ask())
    for talk in (again, near):
        talk.server(OK)
        talk.close()
    assert legs(linked(tape)) == [2, None, None]


@pytest.mark.parametrize(("port", "leg"), [(SERVER, None), (PROXY, 1)])
def test_who_asks_a_server_at_two_addresses_is_no_proxy(port: int, leg: int | None) -> None:
    """A proxy may be asked over IPv6 and ask over IPv4; its ports differ then."""
    tape = TimedTape()
    talks = [
        Talk(tape, client_port=40_000, server_port=port, is_ipv6=True).open(),
        Talk(tape, client_port=40_001, server_port=SERVER).open(),
    ]
    for talk in talks:
        talk.client(ask())
    for talk in reversed(talks):
        talk.server(OK)
        talk.close()
    assert legs(linked(tape)) == [leg, None]


def test_nothing_is_known_while_a_connection_goes_on() -> None:
    tape = TimedTape()
    for number, port in enumerate((PROXY, SERVER)):
        Talk(tape, client_port=40_000 + number, server_port=port).open().client(ask())
    explanations = Explanations(waits=False)
    known = [record for record in tape.records() if isinstance(record, RequestRecord)]
    assert list(explanations.add_all(known)) == []
    found = [one.trace for one in explanations.finish()]
    assert len(found) == 2
    assert [leg_behind(trace) for trace in found] == [None, None]
