"""What shares of a capture tell is judged as one process would judge it, to the last word."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import ROOT
from support.merged import merged
from support.stored import SMALL
from support.timed import LAST_CHUNK, Stream, TimedTape
from support.told import alone, together

from benchmarks.packets import write
from benchmarks.workloads import damaged, timed
from parsers import Indivisible
from parsers.memory import Memory
from wireproof.analysis import judges
from wireproof.analysis.company import Company
from wireproof.analysis.elsewhere import Elsewhere
from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.analysis.telling import Shared, Told
from wireproof.analysis.trace import Trace
from wireproof.exchange import Exchange
from wireproof.open_exchanges import EXCHANGE_COST, Key

FIXTURES = sorted((ROOT / "fixtures").glob("*/*.pcapng"))


@pytest.mark.slow
@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_stored_capture(path: Path) -> None:
    data = path.read_bytes()
    expected = alone(data, with_ids=True)
    for workers in (2, 3):
        assert together(data, workers, with_ids=True) == expected


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1 << 32), workers=st.integers(2, 5))
def test_every_share_of_any_damage(
    tmp_path_factory: pytest.TempPathFactory, seed: int, workers: int
) -> None:
    """Some captures side by side, some of their packets, lost, doubled, late and cut."""
    seeded = random.Random(seed)
    frames = merged(2, seeded.sample(SMALL, 6))[seeded.randrange(40) :]
    path = tmp_path_factory.mktemp("damage") / "it.pcapng"
    write(path, timed(damaged(iter(frames), seed) if seed % 3 else iter(frames)))
    data = path.read_bytes()
    data = data[: seeded.randint(len(data) // 2, len(data))]
    expected = alone(data)
    found = []
    try:
        together(data, workers, before=found)
    except Indivisible:  # one that goes on was asked about: what came before it stays
        assert found == expected[: len(found)]
    else:
        assert found == expected


@pytest.mark.parametrize("text", ["needle 7", "token 3", "GET /b", "nothing has it"])
def test_exchanges_that_hold_a_text(text: str) -> None:
    tape = TimedTape()
    streams = [
        Stream(f"/{name}", tape=tape, client_port=40_000 + at) for at, name in enumerate("abc")
    ]
    for number in range(9):
        for at, stream in enumerate(streams):
            stream.chunks([b"data: %s %d\n\n" % (b"token needle".split()[at % 2], number)], every=0)
    for stream in streams:
        stream.end()
    wanted = ExchangeFilter(grep=text)
    expected = alone(tape.file(), wanted)
    assert together(tape.file(), 2, wanted) == expected
    assert len(expected) == {"needle 7": 1, "token 3": 2, "GET /b": 1}.get(text, 0)


def reconnected(*, is_open: bool) -> TimedTape:
    """A stream, and one that goes on where it is, though the first one may not have ended."""
    tape = TimedTape()
    first = Stream("/feed", tape=tape).events(3, every=0.05)
    if not is_open:
        first.talk.close()
    tape.wait(0.4)
    fields = b"Last-Event-ID: 3\r\n"
    again = Stream("/feed", tape=tape, client_port=40_001, request=fields)
    again.events(3, every=0.05).end()
    if is_open:
        first.end()
    return tape


def test_a_client_that_comes_back_on_a_connection_of_another_share() -> None:
    data = reconnected(is_open=False).file()
    expected = alone(data)
    assert [one.answer for one in expected[1].verdicts if one.question == "resume"] == [
        "from-start"
    ]
    assert together(data, 2) == expected


def test_nobody_knows_the_ids_of_a_stream_that_goes_on_elsewhere() -> None:
    data = reconnected(is_open=True).file()
    assert len(alone(data)) == 2
    with pytest.raises(Indivisible, match="goes on elsewhere"):
        together(data, 2)


def test_the_ids_are_known_of_an_answer_that_has_ended() -> None:
    """Its connection goes on, and another request may come."""
    tape = TimedTape()
    first = Stream("/feed", tape=tape).events(3, every=0.05)
    first.talk.server(LAST_CHUNK)
    tape.wait(0.4)
    again = Stream("/feed", tape=tape, client_port=40_001, request=b"Last-Event-ID: 2\r\n")
    again.events(4, every=0.05).end()
    first.talk.close()
    expected = alone(tape.file())
    assert together(tape.file(), 2) == expected
    assert "resume" in [one.question for one in expected[1].verdicts]


def legs(number: int, *, is_held: bool) -> TimedTape:
    """A client's leg, and the one behind its proxy; neither comes to its end."""
    tape = TimedTape()
    for at in range(number):
        front = Stream("/chat", tape=tape, client_port=40_000 + 2 * at, fields=b"")
        back = Stream("/chat", tape=tape, client_port=40_001 + 2 * at)
        back.events(2, every=0.1)
        front.talk.reset("server")
        back.events(2, every=0.1)
        if not is_held:
            back.end()
    return tape


@pytest.mark.parametrize("is_held", [False, True])
def test_both_legs_of_a_proxy(is_held: bool) -> None:
    data = legs(3, is_held=is_held).file()
    assert together(data, 2) == alone(data)


# --- what one process has to judge ---


def test_more_exchanges_than_one_process_would_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "usual", 5 * EXCHANGE_COST)
    elsewhere = Elsewhere(Company())
    for number in range(5):
        elsewhere.moment(Told(None, Key(number, 0), (), True, None))
    with pytest.raises(Indivisible, match="many exchanges are open"):
        elsewhere.moment(Told(None, Key(5, 0), (), True, None))


def test_a_stream_that_is_judged_before_its_connection_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the streams of that share is told when it has ended."""
    data = (ROOT / "fixtures" / "tls" / "h2c.pcapng").read_bytes()
    assert together(data, 2) == alone(data)
    monkeypatch.setattr(judges, "MAX_WAITING", 0)
    with pytest.raises(Indivisible, match="while its connection goes on"):
        together(data, 2)


def test_what_streams_share_is_asked_for_too_early() -> None:
    elsewhere = Elsewhere(Company())
    assert elsewhere.shared(3) is None
    elsewhere._shared[3] = None
    with pytest.raises(Indivisible, match="while its connection goes on"):
        elsewhere.shared(3)
    facts = object()
    elsewhere.share(Shared(3, facts))  # type: ignore[arg-type]
    assert elsewhere.shared(3) is facts
    elsewhere.let_go(3)
    assert elsewhere.shared(3) is None


def test_an_exchange_that_is_never_over() -> None:
    elsewhere = Elsewhere(Company())
    assert elsewhere.finish() == []
    elsewhere.moment(Told(None, Key(0, 0), (), True, None))
    assert elsewhere.begun == 1
    with pytest.raises(Indivisible, match="not over at the end"):
        elsewhere.finish()


def test_a_leg_that_goes_on_elsewhere_is_not_looked_at() -> None:
    trace = Trace(Exchange(Key(0, 0), 0))
    trace.check_here()
    trace.is_elsewhere = True
    with pytest.raises(Indivisible, match="the leg behind a proxy"):
        trace.check_here()
