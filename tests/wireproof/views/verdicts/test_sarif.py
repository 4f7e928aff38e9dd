"""Verdicts for code scanning: what SARIF 2.1.0 requires, and what GitHub does."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import jsonschema
from support.outcomes import EVIL, NOTED, shown
from support.sarif_schema import SARIF

from wireproof.views.verdicts.sarif import SarifView


def log(*args: Any, **options: Any) -> Any:
    stream = StringIO()
    shown(SarifView(stream), *args, **options)
    found = json.loads(stream.getvalue())
    jsonschema.validate(found, SARIF)
    return found


def test_the_log_is_of_its_schema() -> None:
    found = log(sources=("a.pcapng", "b c.pcapng"))
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]
    assert [result["ruleId"] for result in run["results"]] == [
        *("streaming/held", "gap/sender-silent") * 2
    ]
    assert [result["level"] for result in run["results"]] == ["error", "note"] * 2


def test_every_rule_is_described_once() -> None:
    (run,) = log(sources=("a.pcapng", "b.pcapng"))["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["streaming/held", "gap/sender-silent"]


def test_a_result_says_where_and_what_to_do() -> None:
    (run,) = log(sources=("dir/b c.pcapng",))["runs"]
    first = run["results"][0]
    assert "GET /chat (exchange 3, packets 12-88): 16 events" in first["message"]["text"]
    assert "or: proxy-buffer → turn buffering off" in first["message"]["text"]
    (place,) = first["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "dir/b%20c.pcapng"
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "connection 1/exchange 0"
    assert first["properties"] == {"packets": [12, 88], "numbers": {"events": 16, "period": None}}


def test_the_same_fault_has_the_same_fingerprint_in_every_run() -> None:
    one, other = (log([NOTED], sources=(name,))["runs"][0]["results"] for name in ("a", "b"))
    assert one[0]["partialFingerprints"] == other[0]["partialFingerprints"]


def test_a_log_without_results_is_of_its_schema() -> None:
    assert log([])["runs"][0]["results"] == []


def test_text_from_the_wire_is_escaped() -> None:
    (run,) = log([EVIL])["runs"]
    assert "\x1b" not in run["results"][0]["message"]["text"]
