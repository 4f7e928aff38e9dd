"""Verdicts for scripts, by the schema that the documentation has."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import jsonschema
import msgspec
import pytest
from support.corpus import ROOT
from support.outcomes import BAD, EVIL, GOOD, NOTED, shown

from wireproof.analysis.outcomes import Outcome
from wireproof.analysis.verdict import Verdict, VerdictRecord
from wireproof.views.verdicts.json import JsonView, NdjsonView

SCHEMA = json.loads((ROOT / "docs" / "explain.schema.json").read_text())
OUTCOMES = (BAD, NOTED, GOOD, EVIL)


def document(*sources: str, outcomes: Any = OUTCOMES) -> Any:
    stream = StringIO()
    shown(JsonView(stream), outcomes, sources)
    return json.loads(stream.getvalue())


@pytest.mark.parametrize("sources", [("a.pcapng",), ("a.pcapng", "b \n\x85.pcapng")])
@pytest.mark.parametrize("outcomes", [OUTCOMES, ()])
def test_the_document_is_of_its_schema(sources: tuple[str, ...], outcomes: Any) -> None:
    found = document(*sources, outcomes=outcomes)
    jsonschema.validate(found, SCHEMA, format_checker=None)
    assert [file["file"] for file in found["files"]] == list(sources)
    assert [len(file["exchanges"]) for file in found["files"]] == [len(outcomes)] * len(sources)


def test_an_exchange_has_its_line_and_its_verdicts() -> None:
    found = document("a.pcapng")
    first = found["files"][0]["exchanges"][0]
    assert (first["number"], first["target"], first["has_failed"]) == (3, "/chat", True)
    assert [verdict["answer"] for verdict in first["verdicts"]] == ["held", "whole"]
    assert first["verdicts"][0]["causes"][1] == {
        "code": "proxy-buffer",
        "sure": "possible",
        "summary": "",
        "remedy": "turn buffering off",
    }
    assert found["counts"] == {"ok": 1, "note": 1, "warning": 0, "error": 2}
    assert found["failed"] == 2


def test_an_exchange_is_a_line() -> None:
    stream = StringIO()
    shown(JsonView(stream), OUTCOMES)
    lines = stream.getvalue().splitlines()
    assert [json.loads(line.removesuffix(","))["number"] for line in lines[2:6]] == [3, 4, 5, 6]


def test_each_verdict_is_a_record_of_the_contract() -> None:
    stream = StringIO()
    shown(NdjsonView(stream), OUTCOMES)
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [one["answer"] for one in found] == [
        *("held", "whole", "streamed", "whole", "sender-silent", "streamed", "whole", "cut")
    ]
    for one in found:
        assert one.pop("file") == "a.pcapng"
        record = msgspec.convert(one, VerdictRecord)
        assert json.loads(msgspec.json.encode(record)) == one
        assert record.connection == 1
    assert found[0]["is_fault"]
    assert found[0]["remedy"] == "flush it"


def test_a_line_is_one_to_everybody_who_splits_lines() -> None:
    stream = StringIO()
    said = Verdict("ending", "cut", "error", "last data is 'a\u2028b\x85c\u2029d'")
    shown(NdjsonView(stream), [Outcome(BAD.listed, [said])])
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["summary"] == said.summary
