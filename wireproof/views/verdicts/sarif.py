"""``explain`` for code scanning: SARIF 2.1.0 (OASIS Standard, 27 March 2020).

Strategy: one run; results are written as they come, and the rules that they name after them, in the
tool's component, for the order of a JSON object's members is free. A rule is a question with one of
its answers. A capture has no lines: a result's place is the file and, as a logical location, the
exchange in it; readers that want a region get the first line, as GitHub demands one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, TextIO
from urllib.parse import quote

import msgspec

from ... import __version__
from ...analysis.listing import Listed
from ...analysis.outcomes import Outcome, Tally
from ...analysis.verdict import QUESTIONS, Severity, Verdict
from .words import details, packets, summary, title

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: dict[Severity, str] = {"ok": "none", "note": "note", "warning": "warning", "error": "error"}
"""SARIF 2.1.0 section 3.27.10."""


class SarifView:
    """Writes a log of one run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._source = ""
        self._rules: dict[str, dict[str, Any]] = {}
        self._before = "\n"
        head = _json({"$schema": SCHEMA, "version": "2.1.0"}).removesuffix("}")
        stream.write(f'{head},"runs":[{{"columnKind":"unicodeCodePoints","results":[')

    def begin(self, source: str) -> None:
        self._source = source

    def add(self, outcome: Outcome, failed: Sequence[Verdict]) -> None:
        for verdict in outcome.verdicts:
            if verdict.severity != "ok" or verdict in failed:
                result = _result(self._source, outcome.listed, verdict)
                self._rules.setdefault(result["ruleId"], _rule(verdict))
                self._stream.write(self._before + _json(result))
                self._before = ",\n"

    def end(self, tally: Tally) -> None:
        """Results of all files stand in one run."""

    def close(self, tally: Tally) -> None:
        driver = {"name": "wireproof", "version": __version__, "rules": [*self._rules.values()]}
        self._stream.write(f'\n],"tool":{_json({"driver": driver})}}}]}}\n')
        self._stream.flush()


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _rule_id(verdict: Verdict) -> str:
    return f"{verdict.question}/{verdict.answer}"


def _rule(verdict: Verdict) -> dict[str, Any]:
    """Return what all results of a question and an answer have in common."""
    return {
        "id": _rule_id(verdict),
        "shortDescription": {"text": f"{QUESTIONS[verdict.question]} {verdict.answer}"},
        "defaultConfiguration": {"level": LEVELS[verdict.severity]},
    }


def _result(source: str, listed: Listed, verdict: Verdict) -> dict[str, Any]:
    said = [f"{title(listed)}: {summary(verdict)}", packets(verdict)]
    said += [f"{label}: {text}" for label, text in details(verdict)]
    return {
        "ruleId": _rule_id(verdict),
        "level": LEVELS[verdict.severity],
        "message": {"text": "\n".join(filter(None, said))},
        "locations": [_location(source, listed)],
        "partialFingerprints": {"exchange/v1": _fingerprint(listed, verdict)},
        "properties": {"packets": list(verdict.packets), "numbers": dict(verdict.numbers)},
    }


def _location(source: str, listed: Listed) -> dict[str, Any]:
    name = f"connection {listed.connection}/exchange {listed.exchange}"
    # A relative reference must not begin with what would be a scheme (RFC 3986 section 4.2).
    uri = "stdin" if source == "-" else quote(PurePath(source).as_posix())
    return {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
        "logicalLocations": [{"fullyQualifiedName": name, "kind": "exchange"}],
    }


def _fingerprint(listed: Listed, verdict: Verdict) -> str:
    """Return what stays the same from run to run: what was asked for, and what is wrong with it."""
    target = (listed.target or "").partition("?")[0]
    parts = (listed.method or "", target, verdict.question, verdict.answer)
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()
