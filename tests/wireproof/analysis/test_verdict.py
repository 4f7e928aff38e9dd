"""A verdict as a record: the fields that scripts read."""

from __future__ import annotations

import msgspec
import pytest

from wireproof.analysis.verdict import Cause, Severity, Verdict, tone, verdict_record

HELD = Verdict(
    "streaming",
    "held",
    "error",
    "16 events came at once, 951 ms after the request (packet 9)",
    packets=(9,),
    causes=(
        Cause("compressor-not-flushed", "likely", "Content-Encoding: gzip", "flush it"),
        Cause("proxy-buffer", "possible"),
    ),
    to_tell="a capture before the proxy",
    numbers={"events": 16, "time_to_first_event": 0.951},
)


def test_a_record_has_the_fields_of_its_verdict_and_a_remedy() -> None:
    record = msgspec.to_builtins(verdict_record(HELD, 3, 1))
    assert record["record"] == "verdict"
    assert (record["connection"], record["exchange"]) == (3, 1)
    assert record["is_fault"] is True
    assert record["causes"][0]["code"] == "compressor-not-flushed"
    assert [cause["sure"] for cause in record["causes"]] == ["likely", "possible"]
    assert record["remedy"] == "flush it"
    assert record["numbers"] == {"events": 16, "time_to_first_event": 0.951}


@pytest.mark.parametrize(
    ("answer", "severity", "expected"),
    [
        ("streamed", "ok", "ok"),
        ("undecided", "ok", "note"),
        ("undecided", "note", "note"),
        ("held", "error", "error"),
        ("undecided", "warning", "warning"),
    ],
)
def test_what_nobody_could_decide_is_in_no_colour_of_good_news(
    answer: str, severity: Severity, expected: Severity
) -> None:
    assert tone(answer, severity) == expected
    assert Verdict("streaming", answer, severity, "x").tone == expected


def test_what_is_as_it_should_be_is_no_fault() -> None:
    assert not Verdict("ending", "whole", "ok", "complete").is_fault
    assert not Verdict("disconnect", "aborted", "note", "the client left").is_fault
