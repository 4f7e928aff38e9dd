"""Which of several exchanges that ask for the same are the legs of one way."""

from __future__ import annotations

import pytest
from support.talk import Talk
from support.timed import TimedTape

from parsers.records import RequestRecord
from wireproof.analysis.judges import Explanations
from wireproof.analysis.legs import MAX_AT_ONCE, leg_before, leg_behind
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
    for talk in talks:
        talk.server(OK)
        talk.close()
    return linked(tape)


def linked(tape: TimedTape) -> list[Trace]:
    """Return the traces of a tape, linked, when all of it is known."""
    links, exchanges = Links(), Exchanges(Trace)
    found: list[Trace] = []
    for record in tape.records():
        one = exchanges.add(record)
        if one is not None and isinstance(record, RequestRecord):
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
    "a proxy that asked again": (
        [(PROXY, ask()), (SERVER, ask()), (SERVER, ask())],
        [2, None, None],
    ),
    "a proxy behind a proxy": (
        [(PROXY, ask()), (INNER, ask()), (SERVER, ask())],
        [1, 2, None],
    ),
    "two clients, one after the other": (
        [(PROXY, ask()), (SERVER, ask()), (PROXY, ask()), (SERVER, ask())],
        [1, None, 3, None],
    ),
    "two clients at once, and no difference": (
        [(PROXY, ask()), (PROXY, ask()), (SERVER, ask()), (SERVER, ask())],
        [None, None, None, None],
    ),
    "two clients at once, by their bodies": (
        [(PROXY, ask(b"1")), (PROXY, ask(b"2")), (SERVER, ask(b"2")), (SERVER, ask(b"1"))],
        [3, 2, None, None],
    ),
    "two clients at once, by their fields": (
        [
            (PROXY, ask(fields=b"X-Request-ID: 1\r\n")),
            (PROXY, ask(fields=b"X-Request-ID: 2\r\n")),
            (SERVER, ask(fields=b"X-Request-ID: 2\r\nVia: p\r\n")),
            (SERVER, ask(fields=b"X-Request-ID: 1\r\nVia: p\r\n")),
        ],
        [3, 2, None, None],
    ),
    "asked again, while another waits": (
        [(PROXY, ask(b"1")), (SERVER, ask(b"1")), (PROXY, ask(b"2")), (SERVER, ask(b"1"))],
        [3, None, None, None],
    ),
    "more than are remembered, and no difference": (
        [*[(PROXY, ask())] * (MAX_AT_ONCE + 1), (SERVER, ask())],
        [None] * (MAX_AT_ONCE + 2),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_legs_are_told_apart(name: str) -> None:
    asked, expected = CASES[name]
    found = traced(*asked)
    assert legs(found) == expected
    for leg in found:
        near = leg_before(leg)
        if near is not None:
            assert near.trace in found


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
    for talk in talks:
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
