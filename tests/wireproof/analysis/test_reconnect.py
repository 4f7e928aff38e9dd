"""Streams that go on where others stopped, and those that only look so."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from support.judged import causes, verdicts
from support.timed import Stream, TimedTape, chunk, event

from wireproof.analysis.verdict import Verdict


def first(
    ids: Iterable[int | str] = range(1, 6),
    *,
    retry: int | None = 300,
    by: str = "server",
    whole: bool = False,
    request: bytes = b"",
) -> Stream:
    stream = Stream("/feed", request=request)
    if retry is not None:
        stream.chunks([b"retry: %d\n\n" % retry], every=0.01)
    stream.chunks(map(named, ids), every=0.05)
    if whole and by == "client":
        stream.talk.server(b"0\r\n\r\n")
    elif whole:
        return stream.end()
    if by == "client":
        stream.talk.fin("client")
        stream.talk.fin("server")
    else:
        stream.talk.close()
    return stream


def named(identifier: int | str) -> bytes:
    return f"id: {identifier}\ndata: token\n\n".encode()


def again(
    before: Stream,
    ids: Iterable[int | str],
    *,
    last: int | str | None = 5,
    after: float = 0.4,
    request: bytes = b"",
    target: str = "/feed",
) -> list[Verdict]:
    before.tape.wait(after)
    fields = request + (b"Last-Event-ID: %s\r\n" % str(last).encode() if last is not None else b"")
    stream = Stream(target, tape=before.tape, client_port=40_001, request=fields)
    stream.chunks(map(named, ids), every=0.05).end()
    return verdicts(before.tape, "resume")


CASES = {
    "exact": (again(first(), [6, 7]), "exact", "ok", [], []),
    "replayed": (
        again(first(), [4, 5, 6]),
        "duplicate",
        "warning",
        ["server-replays-too-much"],
        [4, 5],
    ),
    "from the start": (
        again(first(), [1, 2, 3]),
        "from-start",
        "warning",
        ["ignored-by-server"],
        [1, 2, 3],
    ),
    "left out": (again(first(), [9, 10]), "lost", "error", ["server-skips"], []),
    "stale": (again(first(), [4, 5, 6], last=3), "duplicate", "warning", ["stale-id"], [4, 5]),
    "stale, by a client that closed after the last chunk": (
        again(first(by="client", whole=True), [4, 5, 6], last=3),
        "duplicate",
        "warning",
        ["stale-id"],
        [4, 5],
    ),
    "stale, not sent again": (again(first(), [6], last=3), "exact", "warning", ["stale-id"], []),
    "not read to the end by a client that left": (
        again(first(by="client"), [4, 5, 6], last=3),
        "exact",
        "ok",
        [],
        [],
    ),
    "too early": (again(first(), [6], after=0.1), "exact", "warning", ["retry-ignored"], []),
    "early, nobody asked to wait": (
        again(first(retry=None), [6], after=0.1),
        "exact",
        "ok",
        [],
        [],
    ),
    "without an ID": (
        again(first(), [1, 2], last=None),
        "from-start",
        "warning",
        ["missing-id"],
        [1, 2],
    ),
    "not numbers": (again(first(["a", "b", "c"]), ["e"], last="c"), "exact", "ok", [], []),
    "numbers with holes": (again(first([10, 20, 30]), [50], last=30), "exact", "ok", [], []),
    "times as numbers": (
        again(first([1790000000000, 1790000000040]), [1790000000900], last=1790000000040),
        "exact",
        "ok",
        [],
        [],
    ),
    "an unknown ID": (again(first(), [6], last=77), "exact", "warning", ["unknown-id"], []),
}


@pytest.mark.parametrize("name", CASES)
def test_each_reconnect_has_its_answer(name: str) -> None:
    [found], answer, severity, codes, duplicated = CASES[name]
    assert (found.answer, found.severity, causes(found)) == (answer, severity, codes)
    assert found.numbers["duplicated"] == duplicated


def test_figures_say_what_got_lost_and_how_long_it_took() -> None:
    [found] = again(first(), [9, 10], after=0.4)
    assert found.numbers["lost"] == [6, 7, 8]
    assert (found.numbers["last_id_sent"], found.numbers["last_event_id"]) == (5, 5)
    assert (found.numbers["retry_ms"], found.numbers["retry_respected"]) == (300, True)
    assert found.numbers["waited_ms"] == pytest.approx(400, abs=1)
    assert "6 to 8 never came" in found.summary


def test_many_lost_ids_are_not_all_named() -> None:
    [found] = again(first(), [10_000_000, 10_000_001])
    assert found.answer == "lost"
    assert found.numbers["lost"] == list(range(6, 70))


@pytest.mark.parametrize(
    "found",
    [
        again(first(whole=True), [1, 2], last=None),
        again(first(), [1, 2], last=None, after=90.0),
        again(first(), [1, 2], last=None, request=b"User-Agent: other\r\n"),
        again(first(), [1, 2], target="/other"),
        again(first([]), [1, 2], last=None),
    ],
    ids=["after a whole one", "much later", "another client", "another target", "no IDs before"],
)
def test_not_every_request_for_the_same_is_a_reconnect(found: list[Verdict]) -> None:
    assert found == []


def test_what_the_capture_lacks_is_not_lost() -> None:
    before = first()
    before.tape.wait(0.4)
    stream = Stream("/feed", tape=before.tape, client_port=40_001, request=b"Last-Event-ID: 5\r\n")
    stream.talk.lose("server", len(chunk(named(6))))
    stream.chunks(map(named, [7, 8]), every=0.05).end()
    [found] = verdicts(before.tape, "resume")
    assert (found.answer, found.severity) == ("unknown", "note")
    assert causes(found) == ["capture-incomplete"]


def test_a_stream_that_is_still_open_can_be_followed() -> None:
    tape = TimedTape()
    vanished = Stream("/feed", tape=tape).events(3, every=0.05)
    tape.wait(2.0)
    second = Stream("/feed", tape=tape, client_port=40_001, request=b"Last-Event-ID: 3\r\n")
    second.chunks([event(4)], every=0.05).end()
    assert vanished.tape is tape
    [found] = verdicts(tape, "resume")
    assert found.answer == "exact"


def test_the_latest_of_several_streams_is_followed() -> None:
    tape = first().tape
    for last, port in ((5, 40_001), (7, 40_002)):
        tape.wait(0.4)
        fields = b"Last-Event-ID: %d\r\n" % last
        stream = Stream("/feed", tape=tape, client_port=port, request=fields)
        stream.chunks(map(named, [last + 1, last + 2]), every=0.05)
        stream.talk.close()
    found = verdicts(tape, "resume")
    assert [one.answer for one in found] == ["exact", "exact"]
    assert [one.numbers["previous_connection"] for one in found] == [0, 1]
