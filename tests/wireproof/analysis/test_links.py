"""Exchanges that belong together are linked, and only as many are remembered as it takes."""

from __future__ import annotations

from support.talk import Talk
from support.timed import LAST_CHUNK, Stream, TimedTape

from parsers.records import Record, RequestRecord
from wireproof.analysis.links import MAX_BEFORE, MAX_PAST, Links
from wireproof.analysis.trace import Trace
from wireproof.exchanges import Exchanges

HEAD = b"GET /chat HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n"


def linked(records: list[Record], known: Links) -> list[Trace]:
    """Trace exchanges until all have asked, and link each request with those before it."""
    exchanges: Exchanges[Trace] = Exchanges(Trace)
    found: list[Trace] = []
    for record in records:
        one = exchanges.add(record)
        if one is not None and isinstance(record, RequestRecord):
            known.ask(one[1], record)
            found.append(one[1])
    return found


def asking(number: int, target: str = "/chat") -> TimedTape:
    tape = TimedTape()
    for port in range(number):
        stream = Stream(target, tape=tape, client_port=40_000 + port)
        stream.talk.server(LAST_CHUNK)
    return tape


def test_a_request_sees_those_for_the_same_before_it() -> None:
    first, second, third = linked(asking(3).records(), Links())
    assert first.before == ()
    assert [past.about for past in second.before] == [first.about]
    assert [past.about for past in third.before] == [first.about, second.about]


def test_it_sees_the_latest_of_many() -> None:
    found = linked(asking(MAX_BEFORE + 5).records(), Links())
    seen = [past.about for past in found[-1].before]
    assert seen == [trace.about for trace in found[-1 - MAX_BEFORE : -1]]


def test_another_target_is_another_matter() -> None:
    tape = TimedTape()
    Stream("/one", tape=tape, client_port=40_000)
    Stream("/two", tape=tape, client_port=40_001)
    assert [trace.before for trace in linked(tape.records(), Links())] == [(), ()]


def test_who_asks_while_a_client_waits_may_be_its_leg_behind_a_proxy() -> None:
    tape = TimedTape()
    near = Talk(tape, client_port=40_000, server_port=9_000).open()
    near.client(HEAD)
    Talk(tape, client_port=50_000, server_port=8_000).open().client(HEAD)
    client, proxy = linked(tape.records(), Links())
    assert client.asked_meanwhile == (proxy,)
    assert proxy.past is not None
    assert [past.trace for past in proxy.past.waiting] == [client]
    assert proxy.asked_meanwhile == ()


def test_who_asks_when_the_answer_has_begun_is_another_client() -> None:
    first, _ = linked(asking(2).records(), Links())
    assert first.asked_meanwhile == ()


def test_old_exchanges_are_forgotten() -> None:
    known = Links()
    linked(asking(MAX_PAST + 40).records(), known)
    assert len(known._order) == MAX_PAST
    assert sum(map(len, known._by_target.values())) == MAX_PAST


def test_targets_without_exchanges_are_forgotten() -> None:
    known = Links()
    tape = TimedTape()
    for number in range(MAX_PAST + 10):
        Stream(f"/{number}", tape=tape, client_port=40_000 + number)
    linked(tape.records(), known)
    assert len(known._by_target) == MAX_PAST


def test_an_exchange_that_is_over_lets_go_of_its_columns() -> None:
    known = Links()
    first, second = linked(asking(2).records(), known)
    [past] = second.before
    assert past.trace is first
    known.over(first)
    assert past.trace is None
