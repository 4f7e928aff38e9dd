"""What lies in many runs at once: what is told of each of them alone."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from support.answers import GET, SSE, Asked, asked, chunk, read, streamed
from support.corpus import ROOT
from support.reports import parts
from support.stored import SMALL, name
from support.talk import Talk

from parsers.records import Sender
from wireproof.web import frame
from wireproof.web import spans as module
from wireproof.web.frame import FIELDS, frames
from wireproof.web.index import Index
from wireproof.web.parts import parts_of
from wireproof.web.spans import Run, Spans, Together, spans_of

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EVENTS = [b"data: %d\n\n" % number for number in range(9)]


def told(spans: Spans, start: int, end: int) -> list[list[object]]:
    """What a reader tells of bytes [start, end), by their places in the stream."""
    lanes = [lane.columns for lane in spans.lanes]
    return parts(lanes, start, start - spans.start, end - start)


def check(ask: Asked, connection: int, sender: Sender, size: int) -> int:
    """Compare what is told of runs at random; return how many were told together."""
    seeded, count = Random(size), 0
    for _ in range(30):
        first, last = sorted(seeded.sample(range(size + 9), 2))
        spans = spans_of(ask.index, connection, sender, first, last)
        for _ in range(9):
            start, end = sorted(seeded.choices(range(first, last + 1), k=2))
            if spans is not None and end <= spans.covered and start < end:
                count += 1
                alone = parts_of(ask.index, connection, sender, "tcp", start, end)
                assert told(spans, start, end) == [list(part) for part in alone]
    return count


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_runs_are_told_as_each_alone_is(path: Path) -> None:
    with read(path, has_keys=False) as ask:
        for sender in ("client", "server"):
            size = max(row.reach[sender == "server"] for row in ask.index.order)
            assert check(ask, 0, sender, size) > 50  # type: ignore[arg-type]


def test_short_exchanges_follow_one_another() -> None:
    talk = Talk().open()
    for _ in range(5):
        talk.client(GET)
        talk.server(OK)
    with asked(talk) as ask:
        assert check(ask, 0, "server", 5 * len(OK)) > 100
        spans = spans_of(ask.index, 0, "server", 0, 5 * len(OK))
        assert spans is not None and len(spans.lanes) == 10


def test_nothing_is_told_behind_an_exchange_that_sent_nothing() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(OK)
    with asked(talk) as ask:
        before = ask.index.order[0]
        ask.index.order.begin(before.key._replace(exchange=1)).reach = [1 << 20] * 4
        spans = spans_of(ask.index, 0, "server", 0, 1_000)
        assert spans is not None and spans.covered == len(OK)


def test_frames_between_which_others_lie_are_told_one_by_one() -> None:
    with read(ROOT / "fixtures/tls/sse.pcapng") as ask:
        assert spans_of(ask.index, 0, "server", 0, 1_000) is None


def test_elements_that_are_many_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PARTS", 9)
    with asked(streamed(*EVENTS)) as ask:
        size = len(SSE) + sum(len(chunk(event)) for event in EVENTS)
        assert spans_of(ask.index, 0, "server", 0, size) is None
        assert spans_of(ask.index, 0, "server", 0, size // 2) is not None


def test_elements_that_do_not_follow_one_another_are_told_one_by_one() -> None:
    with asked(streamed(*EVENTS)) as ask:
        overlapping = ask.index.order[0].elements["e"].overlapping("server", 0, 1_000, 99)
    again = [*overlapping, overlapping[0]]
    assert module._lane("0.0", "e", overlapping, 0) is not None
    assert module._lane("0.0", "e", again, 0) is None


@pytest.mark.parametrize("kept", [0, 20_000])
def test_packets_are_told_in_blocks(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "BLOCK", 300)
    monkeypatch.setattr(module, "MAX_AHEAD", kept)
    with asked(streamed(*EVENTS)) as ask:
        check_blocks(ask)


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_blocks_are_told_as_each_packet_alone_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "BLOCK", 600)
    with read(path, has_keys=False) as ask:
        check_blocks(ask)


def check_blocks(ask: Asked) -> None:
    packets = range(1, len(ask.index.tracer.table) + 1)
    alone = [row for one in frames(ask.index, packets) for row in zip(*one, strict=True)]
    blocks = list(frames(ask.index, packets, Together().parts))
    assert len(blocks) > 1
    at = FIELDS.index("parts")
    together = [list(row) for block in blocks for row in zip(*block, strict=True)]
    for one, row in zip(alone, together, strict=True):
        run = row[at]
        if type(run) is Run:
            lanes = [lane.columns for lane in run.spans.lanes]
            start = run.start - run.spans.start
            assert len(run) >= len(one[at]) / 3
            row[at] = [tuple(part) for part in parts(lanes, run.at, start, run.size)]
        assert list(one) == row


def test_elements_are_looked_up_for_the_blocks_that_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked_for: list[tuple[int, int]] = []

    def counted(
        index: Index, connection: int, sender: Sender, start: int, end: int
    ) -> Spans | None:
        asked_for.append((start, end))
        return spans_of(index, connection, sender, start, end)

    monkeypatch.setattr(module, "spans_of", counted)
    monkeypatch.setattr(frame, "BLOCK", 300)
    with asked(streamed(*EVENTS)) as ask:
        packets = range(1, len(ask.index.tracer.table) + 1)
        blocks = list(frames(ask.index, packets, Together().parts))
    assert len(asked_for) < len(blocks)
