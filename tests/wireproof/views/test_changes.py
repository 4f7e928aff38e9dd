"""What became worse, in every format."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET

import msgspec
import pytest

from wireproof.diff.change import BURSTS, LATE, PAUSES, Change, Example
from wireproof.diff.profile import FORMAT, METRICS, Group, Profile
from wireproof.output import format_by_ending
from wireproof.views.changes import (
    ENDINGS,
    FORMATS,
    Lacks,
    commands,
    ending,
    kept,
    places,
    sentence,
)

WORSE = Change("GET /a|`<b>\x1b", "first p50", "regression", 0.1, 0.2, 1.0, 0.001, (9, 9))
FEW = Change("GET /c", "streaming: held", "too-few", 0.0, 1.0, 1.0, 1.0, (1, 1))
SAME = Change("", "retransmissions", "same", 0.01, 0.01, 0.0, 0.6, (900, 800))
GONE = Change("GET /d", "exchanges", "missing", None, None, 0.0, 1.0, (3, 0))
CHANGES = [SAME, FEW, WORSE, GONE]


def written(form: str, before: Lacks | None = None, after: Lacks | None = None) -> str:
    stream = io.StringIO()
    FORMATS[form](CHANGES, (before or Lacks(), after or Lacks()), stream)
    assert "\x1b" not in stream.getvalue()
    return stream.getvalue()


def test_a_name_asks_for_a_format() -> None:
    names = (None, "-", "out", "out.TXT", "out.json", "out.xml", "out.md")
    found = [format_by_ending(name, ENDINGS, "table") for name in names]
    assert found == [*["table"] * 4, "json", "junit", "markdown"]
    assert set(found) == set(FORMATS)
    with pytest.raises(ValueError, match=".csv is not one of the endings"):
        format_by_ending("out.csv", ENDINGS, "table")


def test_for_people() -> None:
    lines = written("table").splitlines()
    assert lines[0] == (
        "GET /a|`<b>\\x1b: first p50: worse: 100.0 ms -> 200.0 ms"
        " (effect +1, p = 0.001, n = 9 and 9)"
    )
    assert lines[1] == "GET /d: 3 exchanges in A, none in B"
    assert "streaming: held: too few to tell: 0.00% -> 100.00%" in lines[2]
    assert lines[3].startswith("1 regression in 3 comparisons; 1 more may be worse, but")
    assert sentence(SAME).startswith("all packets: retransmissions: same: 1.00%")


def test_for_programs() -> None:
    found = json.loads(written("json"))
    assert found["is_regression"] and [one["answer"] for one in found["changes"]][2] == "regression"
    suite = ET.fromstring(written("junit"))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "2")


def test_for_a_pull_request() -> None:
    text = written("markdown")
    assert "| worse | `GET /a\\|'&lt;b>\\x1b` | first p50 | 100.0 ms | 200.0 ms |" in text


@pytest.mark.parametrize("form", list(FORMATS))
def test_captures_that_are_not_whole(form: str) -> None:
    cut = {f"cut-{number}.pcap": ["capture-cut"] for number in range(12)}
    text = written(form, after=Lacks(faults={"capture-cut": 1_200}, incomplete=cut))
    assert ("1200" if form == "json" else "B that are not whole: capture-cut in 1,200") in text
    assert "cut-0.pcap" in text and ("cut-11.pcap" in text) == (form == "json")
    assert form == "json" or "cut-9.pcap (capture-cut), and others" in text
    assert "capture-cut" not in written(form)
    few = Lacks(faults={"capture-cut": 1}, incomplete={"cut.pcap": ["capture-cut"]})
    assert form == "json" or "B that are not whole: cut.pcap (capture-cut)" in written(
        form, after=few
    )


@pytest.mark.parametrize("form", list(FORMATS))
def test_what_cannot_be_read_is_in_every_format(form: str) -> None:
    lacks = Lacks(["b\x1b.pcap: the file is empty", "left out: ds/x is damaged"])
    text = written(form, after=lacks)
    if form == "json":
        assert json.loads(text)["left_out"] == {"A": [], "B": list(lacks.left_out)}
    elif form == "junit":
        suite = ET.fromstring(text)[0]
        errors = [one.get("message") for one in suite.iter("error")]
        assert errors == ["b\\x1b.pcap: the file is empty", "ds/x is damaged"]
        assert (suite.get("errors"), suite.get("tests")) == ("2", "6")
    else:
        assert "left out of B: b\\x1b.pcap: the file is empty" in text
        assert "left out of B: ds/x is damaged" in text
        assert "; 2 left out, which cannot be read" in text


@pytest.mark.parametrize(
    ("capture", "command"),
    [
        ("a.pcap", "wireproof explain a.pcap --exchange 3/1"),
        ("-a.pcap", "wireproof explain ./-a.pcap --exchange 3/1"),
        (
            "ring/w_*.pcapng",
            "mergecap -a -w - ring/w_*.pcapng | wireproof explain - --exchange 3/1",
        ),
        ("a + b.pcap", "wireproof explain 'a + b.pcap' --exchange 3/1"),
        (
            "-a.pcap + b c.pcap",
            "mergecap -w - ./-a.pcap 'b c.pcap' | wireproof explain - --exchange 3/1",
        ),
        ("w_*.pcap + b.pcap", "mergecap -w - w_*.pcap b.pcap | wireproof explain - --exchange 3/1"),
        ("a b/*.pcap", "mergecap -a -w - 'a b/'*.pcap | wireproof explain - --exchange 3/1"),
    ],
)
def test_a_command_shows_what_is_behind_a_change(capture: str, command: str) -> None:
    held = msgspec.structs.replace(WORSE, what="streaming: held")
    change = msgspec.structs.replace(held, worst=[Example(capture, 3, 1, 17)])
    assert commands(change) == [f"{command}  # packet 17"]


@pytest.mark.parametrize(
    ("capture", "command"),
    [
        ("s3://b/r/a.pcap", "wireproof explain a.pcap --exchange 3/1"),
        (
            "s3://b/r/w_*.pcapng",
            "mergecap -a -w - w_*.pcapng | wireproof explain - --exchange 3/1",
        ),
        (
            "https://h/a.pcap + c/d.pcap",
            "mergecap -w - a.pcap c/d.pcap | wireproof explain - --exchange 3/1",
        ),
    ],
)
def test_what_is_elsewhere_is_copied_first(capture: str, command: str) -> None:
    held = msgspec.structs.replace(WORSE, what="streaming: held")
    change = msgspec.structs.replace(held, worst=[Example(capture, 3, 1, 17)])
    assert commands(change) == [f"{command}  # packet 17; first copy {capture} here"]


def test_each_time_has_a_number_to_look_at() -> None:
    for what in (*METRICS, BURSTS, PAUSES, LATE):
        change = msgspec.structs.replace(WORSE, what=what, worst=[Example("a.pcap", 3, 1, 17)])
        [line] = commands(change)
        assert line.startswith("wireproof latency a.pcap --exchange 3/1  # packet 17: "), what


LISTED = "-Y 'tcp.stream == 3 && tcp.analysis.retransmission'  # packet 17, 12"


@pytest.mark.parametrize(
    ("capture", "command"),
    [
        ("a b.pcap", f"tshark -r 'a b.pcap' {LISTED}"),
        ("w_*.pcap", f"mergecap -a -w - w_*.pcap | tshark -r - {LISTED}"),
    ],
)
def test_what_was_sent_again_is_listed_by_packets(capture: str, command: str) -> None:
    worst = [Example(capture, 3, None, 17, 12)]
    change = msgspec.structs.replace(SAME, answer="regression", worst=worst)
    assert commands(change) == [command]


@pytest.mark.parametrize("form", list(FORMATS))
def test_where_to_look(form: str) -> None:
    worst = [Example("b|\x1b c.pcap", 3, 1, 17, 0.25), Example("d`.pcap", 3, None, 18)]
    change = msgspec.structs.replace(WORSE, worst=worst)
    stream = io.StringIO()
    FORMATS[form]([change], (Lacks(), Lacks()), stream)
    text = stream.getvalue()
    said = [
        "wireproof latency 'b|\\x1b c.pcap' --exchange 3/1  # packet 17, 250.0 ms: first_event",
        "wireproof latency 'd`.pcap' --connection 3  # packet 18: first_event",
    ]
    if form == "json":
        assert json.loads(text)["changes"][0]["worst"] == msgspec.to_builtins(worst)
    elif form == "junit":
        [failure] = ET.fromstring(text)[0].iter("failure")
        assert (failure.text or "").splitlines() == said
    elif form == "markdown":
        assert f"first p50: `{said[0]}`, `` {said[1]} ``" in text
    else:
        assert text.splitlines()[1:3] == [f"  {line}" for line in said]
    assert places(change) == ["exchange 3/1, packet 17, 250.0 ms", "connection 3, packet 18"]
    counted = msgspec.structs.replace(change, what="fewer elements: count")
    assert places(counted)[0] == "exchange 3/1, packet 17, 0"


def test_what_nothing_can_be_told_of() -> None:
    silent = Change("GET /c", "exchanges", "too-few", None, None, 0.0, 1.0, (1, 4))
    new = Change("GET /e", "exchanges", "new", None, None, 0.0, 1.0, (0, 1))
    assert sentence(silent) == "GET /c: too few exchanges to find a regression: 1 and 4"
    assert sentence(new) == "GET /e: 1 exchange in B, none in A"
    assert ending([SAME, GONE, new]) == "nothing to compare: no request of A is in B"
    ends = "; 1 request has too few exchanges to find any"
    same = Change("GET /c", "first p50", "same", 0.1, 0.1, 0.0, 1.0, (1, 4))
    assert ending([SAME, silent, same]) == f"0 regressions in 2 comparisons{ends}"
    resent = Change("", "retransmissions", "regression", 0.0, 0.1, 0.1, 0.0, (900, 900))
    assert ending([resent, GONE]) == "1 regression in 1 comparison"


FOLLOWS = Change(WORSE.group, "last p50", "consequence", 1.0, 1.1, 1.0, 0.001, (9, 9), "first p50")
FEWER = Change("GET /a", "fewer elements: count", "too-few", 9.0, 6.5, 0.5, 0.1, (9, 9))


def test_what_follows_is_told_behind_its_cause() -> None:
    other = msgspec.structs.replace(FOLLOWS, group="GET /b", answer="too-few")
    stream = io.StringIO()
    FORMATS["table"]([FOLLOWS, other, FEW, WORSE, FEWER], (Lacks(), Lacks()), stream)
    lines = stream.getvalue().splitlines()
    assert lines[1] == (
        "GET /a|`<b>\\x1b: last p50: 1.000 s -> 1.100 s, which follows from first p50"
        " (effect +1, p = 0.001, n = 9 and 9)"
    )
    assert "GET /b" not in stream.getvalue(), "what follows of what may be chance"
    assert "GET /a: fewer elements: too few to tell: 9 -> 6.5" in lines[3]
    assert lines[-1].startswith("1 regression and 1 consequence in 5 comparisons; 2 more may")


def test_what_follows_fails_no_test_of_its_own() -> None:
    stream = io.StringIO()
    FORMATS["junit"]([WORSE, FOLLOWS], (Lacks(), Lacks()), stream)
    suite = ET.fromstring(stream.getvalue())[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "0")
    assert "which follows from first p50" in (suite[1].findtext("system-out") or "")
    stream = io.StringIO()
    FORMATS["markdown"]([WORSE, FOLLOWS], (Lacks(), Lacks()), stream)
    assert "| follows from first p50 | `GET /a" in stream.getvalue()


def test_what_a_baseline_holds() -> None:
    groups = {name: Group(size, {}, {}, 0, [], {}) for name, size in {"a": 20, "b": 3}.items()}
    few = "2 requests, 23 exchanges; 1 request with fewer than 5 exchanges: too few to find"
    assert kept(Profile(FORMAT, groups, 9, 0), 5) == f"{few} a regression"
    del groups["b"]
    assert kept(Profile(FORMAT, groups, 9, 0), 5) == "1 request, 20 exchanges"
