"""What is said of hops: the answer first, bounded, and the same in every format."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import jsonschema
import pytest
from rich.console import Console
from support.corpus import ROOT
from support.legs import Side, clocked, far_of, later, records_of, together, tokens

from wireproof.analysis.hops.report import Report, hops
from wireproof.views.hops import table
from wireproof.views.hops.json import write_json, write_ndjson
from wireproof.views.hops.table import HopsTable
from wireproof.views.hops.words import answer, delays

EVENTS = tokens(30)
SCHEMA = json.loads((ROOT / "docs" / "hops.schema.json").read_text())
LAST = EVENTS[-1][0]


def report(number: int = 1, *, is_held: bool = True, offset: float = 0.0) -> Report:
    """So many exchanges through a proxy, of which the last one is held."""
    nears, fars = [], []
    for at in range(number):
        begin, port = 3.0 * at, at
        pieces = [(time + begin, b"data: %d\n" % at + data) for time, data in EVENTS]
        content = b"".join(data for _, data in pieces)
        held = [(LAST + begin + 0.001, content)]
        passed = later(pieces, 0.0004)
        near = Side(held if is_held and at == number - 1 else passed, asked=begin - 0.001)
        near = replace(near, client_port=40_000 + port, answered=begin + 0.011)
        far = far_of(pieces, client_port=50_000 + port, asked=begin, answered=begin + 0.01)
        nears.append(clocked(near.tape(), offset))
        fars.append(clocked(far.tape()))
    captures = [("near.pcap", nears), ("far.pcap", fars)]
    return hops((name, records_of(together(*tapes))) for name, tapes in captures)


def printed(found: Report, elements: int = 20, width: int = 100) -> list[str]:
    stream = StringIO()
    HopsTable(Console(file=stream), elements, width).show(found)
    return stream.getvalue().splitlines()


def test_one_exchange_is_answered_in_a_sentence() -> None:
    found = report()
    assert answer(found).startswith("The hop between 127.0.0.1:9000 and 127.0.0.1:8000 held 29")
    lines = printed(found)
    [row] = [line for line in lines if line.startswith("  1  127.0.0.1:9000")]
    assert row.split()[-2:] == ["holds,", "proxy-buffer"]
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize("width", [40, 60, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, printed(report(), width=width))) <= width


def test_of_several_exchanges_the_worst_is_named_and_stands_first() -> None:
    lines = printed(report(3))
    assert lines[0].startswith("At fault in 1 of 3 passages; the worst: the hop between")
    rows = [line for line in lines if line.startswith("  1  127.0.0.1:9000")]
    assert ["holds" in row for row in rows] == [True, False, False]
    assert ["transparent" in row for row in rows] == [False, True, True]


def test_exchanges_past_their_number_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_ROWS", 1)
    assert "and 2 exchanges more: --format json has all" in printed(report(3))


def test_all_fine_is_said_so() -> None:
    assert answer(report(2, is_held=False)) == "All 2 passages of 2 exchanges are fine"


def test_two_clocks_are_stated_with_their_bounds() -> None:
    text = " ".join(" ".join(printed(report(offset=3.7))).split())
    assert "s ahead of far.pcap (offset between 3.699 s and 3.701 s;" in text


def test_the_first_elements_and_the_slowest_are_chosen() -> None:
    [judged] = report().hops
    assert [one.element for one in delays(judged.hop, 4)] == [0, 1, 2, 3]
    assert len(delays(judged.hop, 100)) == 30
    assert delays(judged.hop, 0) == []
    [passed] = report(is_held=False).hops
    chosen = [one.element for one in delays(passed.hop, 6)]
    assert chosen[:3] == [0, 1, 2]
    assert len(chosen) == len(set(chosen)) == 6


@pytest.mark.parametrize("offset", [0.0, 3.7])
def test_json_is_what_its_schema_says(offset: float) -> None:
    stream = StringIO()
    write_json(report(2, offset=offset), stream, 5)
    found = json.loads(stream.getvalue())
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert (found["verdict"], len(found["exchanges"]), found["seen_once"]) == ("holds", 2, 0)
    assert [len(one["hops"][0]["delays"]) for one in found["exchanges"]] == [5, 5]
    lines = StringIO()
    write_ndjson(report(2, offset=offset), lines)
    records = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [{**record, "file": None} for record in found["hops"]] == [
        {**record, "file": None} for record in records
    ]


def test_an_offset_without_a_bound_is_null_in_json() -> None:
    near = clocked(Side(later(EVENTS, 0.0004)).tape(), 3.7)[12:]
    far = clocked(far_of(EVENTS).tape())
    found = hops([("near", records_of(together(near))), ("far", records_of(far))])
    stream = StringIO()
    write_json(found, stream, 0)
    [verdict] = json.loads(stream.getvalue())["hops"]
    assert verdict["numbers"]["clock_uncertainty"] is None
    assert any("offset of 3.7" in line for line in verdict["evidence"])
