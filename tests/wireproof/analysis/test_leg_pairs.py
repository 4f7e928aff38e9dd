"""Which exchanges are legs behind a proxy: as many as there are, in whichever order they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.talk import Talk
from support.timed import CHUNKED, EVENT_STREAM, LAST_CHUNK, TimedTape, chunk

from parsers import PacketDecoder
from parsers.records import Record
from parsers.wants import Wants
from wireproof.analysis import leg_pairs
from wireproof.analysis.late_legs import MAX_LATE
from wireproof.analysis.leg_pairs import MAX_ALIKE
from wireproof.analysis.outcomes import Outcomes

PROXY, INNER, SERVER, OTHER = 9_000, 7_000, 8_000, 8_001
STREAM = b"HTTP/1.1 200 OK\r\n%s\r\n" % (EVENT_STREAM + CHUNKED)


def ask(path: bytes = b"/x", host: bytes = b"a", fields: bytes = b"") -> bytes:
    return b"GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (path, host, fields)


def answer(content: bytes = b"{}", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(content), content)


def events(*texts: bytes) -> bytes:
    return STREAM + b"".join(chunk(b"data: %s\n\n" % text) for text in texts) + LAST_CHUNK


class Network:
    """Connections that stay open, each by the port of its server and its number."""

    def __init__(self) -> None:
        self.tape = TimedTape()
        self._talks: dict[tuple[int, int], Talk] = {}

    def talk(self, port: int, number: int = 0) -> Talk:
        if (port, number) not in self._talks:
            client = 40_000 + len(self._talks)
            self._talks[port, number] = Talk(self.tape, client_port=client, server_port=port).open()
        return self._talks[port, number]

    def close(self) -> None:
        for talk in self._talks.values():
            talk.close()

    def records(self) -> list[Record]:
        decoder = PacketDecoder(wants=Wants(peers=True))
        return decoder.receive(self.tape.packets) + decoder.finish()


def told(network: Network, step: int | None = None) -> list[bool]:
    """Return of each exchange whether it is a leg behind a proxy, in the order of requests."""
    found = Outcomes(with_measures=True, with_legs=True)
    records = network.records()
    given = []
    for start in range(0, len(records), step or len(records)):
        given += found.add(records[start : start + (step or len(records))])
    given += found.finish()
    return [one.measures is not None and one.measures.is_behind_proxy for one in given]


def test_legs_on_connections_that_go_on_are_known() -> None:
    """More of them than wait for anything, or are remembered."""
    network, number = Network(), MAX_LATE + 500
    for _ in range(number):
        network.talk(PROXY).client(ask())
        network.talk(SERVER).client(ask())
        network.talk(SERVER).server(answer())
        network.talk(PROXY).server(answer())
    network.close()
    assert told(network) == [False, True] * number


@pytest.mark.parametrize("near, far", [(b"/x", b"/x"), (b"/api/x", b"/x"), (b"/x", b"/v1/x")])
@pytest.mark.parametrize("said", [answer(), answer(b"", b"204 No Content"), events(b"a")])
def test_paths_may_be_rewritten(near: bytes, far: bytes, said: bytes) -> None:
    network = Network()
    for _ in range(3):
        network.talk(PROXY).client(ask(near))
        network.talk(SERVER).client(ask(far))
        network.talk(SERVER).server(said)
        network.talk(PROXY).server(said)
    network.close()
    assert told(network) == [False, True] * 3


def test_batches_make_no_difference() -> None:
    network = Network()
    for number in range(40):
        network.talk(PROXY).client(ask())
        network.talk(SERVER, number % 3).client(ask())
        network.talk(SERVER, number % 3).server(answer())
        network.talk(PROXY).server(answer())
    network.close()
    assert told(network) == told(network, 1) == told(network, 7) == [False, True] * 40


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=60),
    st.sampled_from([answer(), events(b"a", b"b")]),
)
def test_of_clients_that_ask_at_once_each_has_its_leg(moves: list[int], said: bytes) -> None:
    """Whoever of them asks or is answered next."""
    network = Network()
    stages = [0] * 4
    steps: Sequence[Callable[[int], object]] = (
        lambda number: network.talk(PROXY, number).client(ask()),
        lambda number: network.talk(SERVER, number).client(ask()),
        lambda number: network.talk(SERVER, number).server(said),
        lambda number: network.talk(PROXY, number).server(said),
    )
    for number in moves:
        steps[stages[number] % 4](number)
        stages[number] += 1
    for number, stage in enumerate(stages):
        for left in range(stage, -(-stage // 4) * 4):
            steps[left % 4](number)
    network.close()
    found = told(network)
    assert sum(found) * 2 == len(found)


@given(st.lists(st.integers(0, 4), min_size=20, max_size=200))
def test_streams_that_run_side_by_side_have_a_leg_each(moves: list[int]) -> None:
    """However a proxy passes on what several of them carry, and whichever ends first."""
    network = Network()
    pieces = [STREAM, *(chunk(b"data: %d\n\n" % number) for number in range(3)), LAST_CHUNK]
    stages = [0] * 5
    for number in [*moves, *(each for each in range(5) for _ in range(12))]:
        stage, stages[number] = stages[number], stages[number] + 1
        port = SERVER if stage % 2 else PROXY
        if stage < 2:
            network.talk(port, number).client(ask())
        elif stage < 12:
            port = PROXY if stage % 2 else SERVER
            network.talk(port, number).server(pieces[stage // 2 - 1])
    network.close()
    assert sum(told(network)) == 5


def test_more_than_are_compared_count_each_by_itself() -> None:
    network, number = Network(), 3 * MAX_ALIKE
    for port, order in ((PROXY, 1), (SERVER, 1)):
        for each in range(number)[::order]:
            network.talk(port, each).client(ask())
    for port in (SERVER, PROXY):
        for each in range(number):
            network.talk(port, each).server(answer())
    network.close()
    found = told(network)
    assert not any(found[:number])
    assert 0 < sum(found) <= number


def test_who_asks_the_server_itself_counts() -> None:
    network = Network()
    for _ in range(20):
        network.talk(PROXY).client(ask())
        network.talk(SERVER).client(ask())
        network.talk(SERVER, 1).client(ask())
        network.talk(SERVER, 1).server(answer())
        network.talk(SERVER).server(answer())
        network.talk(PROXY).server(answer())
    network.close()
    assert sum(told(network)) == 20, "a client has one leg, whichever it is"


Ask = tuple[int, bytes]
NO_LEGS: dict[str, tuple[Ask, bytes, Ask, bytes]] = {
    "two clients of one server": ((SERVER, ask()), answer(), (SERVER, ask()), answer()),
    "a client of two servers": (
        (OTHER, ask(host=b"a:8001")),
        answer(),
        (SERVER, ask(host=b"a:8000")),
        answer(),
    ),
    "other content": ((PROXY, ask()), events(b"a"), (SERVER, ask()), events(b"b")),
    "another status": (
        (PROXY, ask()),
        answer(),
        (SERVER, ask()),
        answer(status=b"404 Not Found"),
    ),
    "another path": ((PROXY, ask(b"/y")), answer(), (SERVER, ask(b"/x")), answer()),
    "a path that ends alike": ((PROXY, ask(b"/a/x")), answer(), (SERVER, ask(b"/b/x")), answer()),
    "little of another path": (
        (PROXY, ask(b"/y")),
        events(b"a", b"b"),
        (SERVER, ask(b"/x")),
        events(b"a", b"b"),
    ),
}


@pytest.mark.parametrize("name", NO_LEGS)
def test_what_is_no_leg(name: str) -> None:
    (first, request), late, (second, other), soon = NO_LEGS[name]
    network = Network()
    for _ in range(3):
        network.talk(first).client(request)
        network.talk(second, 1).client(other)
        network.talk(second, 1).server(soon)
        network.talk(first).server(late)
    network.close()
    assert told(network) == [False] * 6


def test_what_the_server_answers_later_was_not_passed_on() -> None:
    network = Network()
    network.talk(PROXY).client(ask())
    network.talk(SERVER).client(ask())
    network.talk(PROXY).server(answer())
    network.talk(SERVER).server(answer())
    network.close()
    assert told(network) == [False, False]


LEGS: dict[str, tuple[bytes, bytes, bytes, bytes]] = {
    "another host": (ask(host=b"shop"), answer(), ask(host=b"app"), answer()),
    "the server's address": (
        ask(host=b"127.0.0.1:9000"),
        answer(),
        ask(host=b"127.0.0.1:8000", fields=b"X-Forwarded-For: 10.0.0.9\r\n"),
        answer(),
    ),
    "a forward proxy": (ask(b"http://a:8000/b/x"), answer(), ask(b"/b/x"), answer()),
    "queries apart": (ask(b"/api/x?key=1"), answer(), ask(b"/x?key=2"), answer()),
    "much of another path": (
        ask(b"/v1/chat"),
        events(b"a", b"b", b"c"),
        ask(b"/generate"),
        events(b"a", b"b", b"c"),
    ),
    "what a gateway says itself": (
        ask(),
        answer(b"bad", b"502 Bad Gateway"),
        ask(),
        answer(b"worse", b"500 Internal Server Error"),
    ),
    "a word before the answer": (
        ask(),
        answer(),
        ask(),
        answer(),
    ),
}


@pytest.mark.parametrize("name", LEGS)
def test_what_is_a_leg(name: str) -> None:
    request, late, other, soon = LEGS[name]
    network = Network()
    for _ in range(3):
        network.talk(PROXY).client(request)
        if name == "a word before the answer":
            network.talk(PROXY).server(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        network.talk(SERVER).client(other)
        network.talk(SERVER).server(soon)
        network.talk(PROXY).server(late)
    network.close()
    assert told(network) == [False, True] * 3


def test_a_chain_of_proxies_has_a_leg_each() -> None:
    network = Network()
    ports = (PROXY, INNER, SERVER)
    for _ in range(5):
        for port in ports:
            network.talk(port).client(ask())
        for port in reversed(ports):
            network.talk(port).server(answer())
    network.close()
    assert told(network) == [False, True, True] * 5


def test_a_proxy_may_ask_again_and_a_client_may_leave() -> None:
    network = Network()
    network.talk(PROXY).client(ask())
    network.talk(SERVER).client(ask())
    network.talk(SERVER).fin("server")
    network.talk(SERVER).fin("client")
    network.talk(SERVER, 1).client(ask())
    network.talk(SERVER, 1).fin("server")
    network.talk(SERVER, 1).fin("client")
    network.talk(PROXY).server(answer(b"bad", b"502 Bad Gateway"))
    network.talk(PROXY, 1).client(ask())
    network.talk(SERVER, 2).client(ask())
    network.talk(PROXY, 1).reset("client")
    network.talk(SERVER, 2).reset("client")
    assert told(network) == [False, True, True, False, True]


def test_two_that_ask_each_other_are_told_apart() -> None:
    """What comes to the proxy while it waits for the server's answer is no leg of that."""
    network = Network()
    for _ in range(3):
        network.talk(PROXY).client(ask())
        network.talk(SERVER).client(ask())
        network.talk(SERVER).server(answer())
        network.talk(PROXY).server(answer())
    network.talk(SERVER).client(ask())
    network.talk(PROXY).client(ask())
    network.talk(PROXY).server(answer())
    network.talk(SERVER).server(answer())
    network.close()
    assert told(network) == [False, True] * 3 + [False, False]


def test_few_ways_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leg_pairs, "MAX_WAYS", 1)
    network = Network()
    for port in (SERVER, OTHER):
        network.talk(PROXY).client(ask())
        network.talk(port).client(ask())
        network.talk(port).server(answer())
        network.talk(PROXY).server(answer())
    network.close()
    assert told(network) == [False, True] * 2


def test_a_service_that_another_one_asks_for_what_it_needs_is_no_leg() -> None:
    """Its paths end as those of the one that asks, and its answers are others."""
    network = Network()
    for number in range(3):
        network.talk(PROXY).client(ask(b"/api/order/1"))
        network.talk(SERVER).client(ask(b"/order/1"))
        network.talk(SERVER).server(answer(b'{"id": %d}' % number))
        network.talk(PROXY).server(answer(b'{"order": {"id": %d}}' % number))
    network.close()
    assert told(network) == [False] * 6


@pytest.mark.parametrize("passed_on", [b"{}", b"other"])
def test_where_a_proxy_asked_in_vain_is_a_leg_if_it_then_passed_on_another_answer(
    passed_on: bytes,
) -> None:
    network = Network()
    for _ in range(3):
        network.talk(PROXY).client(ask())
        network.talk(INNER).client(ask())
        network.talk(INNER).server(answer(b"no", b"503 Service Unavailable"))
        network.talk(SERVER).client(ask())
        network.talk(SERVER).server(answer())
        network.talk(PROXY).server(answer(passed_on))
    network.close()
    assert told(network) == [False, passed_on == b"{}", passed_on == b"{}"] * 3
