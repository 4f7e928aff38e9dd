"""Latency for people, spreadsheets and programs: the same figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from io import StringIO
from typing import TextIO

import pytest
from rich.console import Console
from support.timed import Stream, TimedTape

from wireproof.analysis.latency.report import LatencyReport
from wireproof.analysis.latency.skew import skew
from wireproof.views.latency import LatencyCsv, LatencyJson, LatencyRows, LatencyTable, LatencyView


def tape() -> TimedTape:
    tape = TimedTape()
    Stream("/a\x1b[31m", tape=tape).events(3, every=0.1).end()
    Stream("/b", tape=tape, client_port=40_001).events(3, every=0.2).end()
    return tape


def table(stream: TextIO) -> LatencyTable:
    return LatencyTable(Console(file=stream), 120)


def shown(make: Callable[[TextIO], LatencyView], *, log: bool = False) -> str:
    stream = StringIO()
    view = make(stream)
    report = LatencyReport(["wire", "vllm"])
    for measured in report.measure([list(tape().records())]):
        wire = measured.times.chunks
        view.show(measured, skew(wire, [time + 0.002 for time in wire[:2]]) if log else None)
    view.finish(report)
    return stream.getvalue()


def test_a_table_begins_with_the_answer_and_escapes_the_wire() -> None:
    text = shown(table, log=True)
    first = text.splitlines()[0]
    assert first.startswith("GET /a")
    assert "first token after 100." in first
    assert "then one every 100.0 ms (3 tokens, 10.0 a second)" in first
    assert "\x1b" not in text
    assert "the log runs at least 2.0 ms behind the wire" in text
    assert "1 element of one of the two has no counterpart" in text
    assert "not defined for this dialect" in text
    assert "By target" in text
    assert text.count("1 answer") == 2


def test_rows_for_programs_are_the_same_in_json_and_csv() -> None:
    lines = [json.loads(line) for line in shown(LatencyRows).splitlines()]
    ttft = [line["value"] for line in lines if line["name"] == "ttft" and line["value"]]
    assert ttft == pytest.approx([0.1, 0.2], abs=0.01)
    assert {line["record"] for line in lines} == {"latency"}
    assert {"icl_p50", "icl_p90", "icl_p99", "icl_max", "output_tokens"} <= {
        line["name"] for line in lines
    }
    sheet = list(csv.DictReader(StringIO(shown(LatencyCsv))))
    assert [(row["definition"], row["name"]) for row in sheet] == [
        (line["definition"], line["name"]) for line in lines
    ]
    assert [row["value"] for row in sheet] == [
        "" if line["value"] is None else str(line["value"]) for line in lines
    ]


def test_json_has_every_value_and_the_totals() -> None:
    found = json.loads(shown(LatencyJson))
    first = found["answers"][0]
    assert len(first["metrics"]["wire"]["icl"]) == 2
    assert first["metrics"]["vllm"]["ttft"] is None
    assert [total["answers"] for total in found["totals"]] == [1, 1]


def test_json_of_nothing_is_json() -> None:
    stream = StringIO()
    LatencyJson(stream).finish(LatencyReport(["wire"]))
    assert json.loads(stream.getvalue()) == {"answers": [], "totals": []}
