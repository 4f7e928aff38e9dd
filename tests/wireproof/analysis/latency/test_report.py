"""Answers that are measured, and what they come to together."""

from __future__ import annotations

from itertools import chain

import pytest
from support.talk import Talk
from support.timed import Stream, TimedTape, event

from wireproof.analysis.judges import explain
from wireproof.analysis.latency import report as module
from wireproof.analysis.latency.report import OTHERS, LatencyReport, Measured, spread


def measured(tape: TimedTape) -> tuple[list[Measured], LatencyReport]:
    report = LatencyReport(["wire", "otel"])
    return list(report.measure([list(tape.records())])), report


def two_streams() -> TimedTape:
    tape = TimedTape()
    for number, every in enumerate((0.1, 0.3)):
        Stream(f"/chat?n={number}", tape=tape, client_port=40_000 + number).events(
            3, every=every
        ).end()
    return tape


def test_answers_to_one_target_are_counted_together_whatever_their_query() -> None:
    found, report = measured(two_streams())
    assert [one.exchange.key.connection for one in found] == [0, 1]
    [total] = report.totals.values()
    assert (total.target, total.measured, total.broken) == ("GET /chat", 2, 0)
    ttft = spread(total.samples["wire"]["ttft"])
    assert ttft is not None
    assert (ttft.p50, ttft.max) == (pytest.approx(0.1, abs=0.01), pytest.approx(0.3, abs=0.01))
    assert len(total.samples["otel"]["time_per_output_chunk"]) == 4


def test_targets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TARGETS", 1)
    tape = TimedTape()
    for number in range(3):
        Stream(f"/{number}", tape=tape, client_port=40_000 + number).events(2, every=0.1).end()
    _, report = measured(tape)
    assert {name: total.measured for name, total in report.totals.items()} == {
        "GET /0": 1,
        OTHERS: 2,
    }


def test_an_answer_that_failed_has_no_part_in_the_totals() -> None:
    tape = two_streams()
    talk = Talk(tape, client_port=40_002).open()
    talk.client(b"GET /chat HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")
    talk.close()
    found, report = measured(tape)
    assert [one.excluded for one in found] == [None, None, "status 503"]
    assert found[-1].metrics["wire"]["ttft"] is None
    assert "not in the totals: status 503" in found[-1].warnings
    [total] = report.totals.values()
    assert (total.measured, total.broken) == (2, 1)


def test_what_has_to_be_known_of_figures_is_said() -> None:
    held = Stream(thinking=1.0)
    [one], _ = measured(held.chunks([event(1), event(2)], every=0.001).end().tape)
    said = " ".join(one.warnings)
    assert "no dialect was recognised" in said
    assert "the headers came with the first event" in said


def test_values_have_a_spread_of_values_that_there_were() -> None:
    assert spread([]) is None
    values = list(chain([5.0], range(1, 100)))
    found = spread(values)
    assert found is not None
    assert (found.number, found.p50, found.p90, found.p99, found.max) == (100, 49, 89, 98, 99)


@pytest.mark.parametrize(
    ("every", "thinking", "is_warned"), [(0.0002, 1.0, True), (0.1, 1.0, False), (0.1, 0.0, False)]
)
def test_of_a_held_answer_the_gaps_are_no_model_s(
    every: float, thinking: float, is_warned: bool
) -> None:
    stream = Stream(thinking=thinking).events(12, every=every).end()
    [one], _ = measured(stream.tape)
    said = [line for line in one.warnings if "nothing about the model" in line]
    assert bool(said) == is_warned
    if is_warned:
        [explained] = explain(stream.tape.records())
        [verdict] = [each for each in explained.verdicts if each.question == "streaming"]
        assert one.streaming == verdict
        assert said[0].startswith(f"held: {verdict.summary}")
