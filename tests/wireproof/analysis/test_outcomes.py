"""What came of the exchanges that are wanted, in the order in which they began."""

from __future__ import annotations

from support.talk import Talk, decoded
from support.timed import Stream, TimedTape
from support.tls_sealed import HELLO, asked

from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.analysis.outcomes import Outcome, Tally, outcomes


def overlapping() -> TimedTape:
    """The second connection ends before the first one does."""
    tape = TimedTape()
    first = Stream("/first", tape=tape, client_port=40_001)
    Stream("/second", tape=tape, client_port=40_002).events(3, every=0.1).end()
    first.events(1, every=3.0).end()
    return tape


def told(tape: TimedTape, **wanted: object) -> list[str | None]:
    found = outcomes([tape.records()], ExchangeFilter(**wanted))  # type: ignore[arg-type]
    return [outcome.listed.target for outcome in found]


def test_they_come_in_the_order_in_which_they_began() -> None:
    assert told(overlapping()) == ["/first", "/second"]


def test_batches_make_no_difference() -> None:
    records = overlapping().records()
    single = [outcome.listed for outcome in outcomes([record] for record in records)]
    assert single == [outcome.listed for outcome in outcomes([records])]


def test_those_that_are_wanted_keep_their_numbers() -> None:
    [found] = outcomes([overlapping().records()], ExchangeFilter(path="/second"))
    assert found.listed.number == 1


def test_criteria_of_the_end_choose_too() -> None:
    tape = overlapping()
    assert told(tape, min_gap=1.0) == ["/first"]
    assert told(tape, grep="token 3") == ["/second"]
    assert told(tape, port=40_002) == ["/second"]
    assert told(tape, verdict="whole") == ["/first", "/second"]
    assert told(tape, verdict="cut") == []


def test_an_outcome_has_what_is_said() -> None:
    found: list[Outcome] = list(outcomes([overlapping().records()]))
    assert [verdict.answer for verdict in found[1].verdicts] == ["streamed", "whole"]


def test_exchanges_of_a_connection_that_goes_on_come_at_the_end() -> None:
    talk = Talk().open()
    for number in range(3):
        talk.client(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
        talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
    found = outcomes([talk.tape.records()])
    assert [outcome.listed.target for outcome in found] == ["/0", "/1", "/2"]


def test_tallies_add_up() -> None:
    tally, other = Tally(), Tally()
    tally.add("ok", has_failed=False)
    other.add("error", has_failed=True)
    tally.join(other)
    assert tally.counts == {"ok": 1, "note": 0, "warning": 0, "error": 1}
    assert (tally.exchanges, tally.failed) == (2, 1)


def test_a_tls_connection_stands_where_it_began() -> None:
    tape = TimedTape()
    Stream("/first", tape=tape, client_port=40_001).events(3, every=0.1).end()
    sealed = Talk(tape=tape, client_port=40_003).open()
    sealed.client(asked())
    sealed.server(HELLO)
    Stream("/second", tape=tape, client_port=40_002).events(3, every=0.1).end()
    sealed.close()
    found = outcomes([decoded(tape.packets, shows_records=True)])
    assert [one.listed.target for one in found] == ["/first", None, "/second"]
