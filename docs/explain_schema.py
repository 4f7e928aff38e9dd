"""Write docs/explain.schema.json and docs/hops.schema.json anew: ``python docs/explain_schema.py``.

The schemas are made from the types that ``wireproof explain --format json`` and ``wireproof hops
--format json`` write, and each field is described by the docstring below it, as those of records
are (``records.py``).
"""

from __future__ import annotations

import json
from pathlib import Path
from runpy import run_path
from typing import Any

import msgspec

from parsers.records import TlsConnectionRecord
from wireproof.analysis.keyless.facts import TlsFacts, TlsSide
from wireproof.analysis.listing import Listed, SessionName
from wireproof.analysis.verdict import Cause, Verdict, VerdictRecord
from wireproof.views.hops.json import ElementDelay, ExchangeFound, HopFound, HopsFound, LegFound
from wireproof.views.verdicts.json import ExplainedExchange, ExplainedFile, Explanation

SCHEMA = Path(__file__).with_name("explain.schema.json")
HOPS_SCHEMA = Path(__file__).with_name("hops.schema.json")
RECORDS = run_path(str(Path(__file__).with_name("records.py")))
DRAFT: str = RECORDS["DRAFT"]
DESCRIBED: dict[str, tuple[type, ...]] = {
    "Explanation": (Explanation,),
    "ExplainedFile": (ExplainedFile,),
    "ExplainedExchange": (ExplainedExchange, Listed),
    "SessionName": (SessionName,),
    "TlsFacts": (TlsFacts, TlsConnectionRecord),
    "TlsSide": (TlsSide,),
    "VerdictRecord": (VerdictRecord, Verdict),
    "Cause": (Cause,),
}
"""The classes that say what the fields of each object mean, the first that does."""
HOPS_DESCRIBED: dict[str, tuple[type, ...]] = {
    "HopsFound": (HopsFound,),
    "ExchangeFound": (ExchangeFound,),
    "HopFound": (HopFound,),
    "LegFound": (LegFound,),
    "ElementDelay": (ElementDelay,),
    "VerdictRecord": (VerdictRecord, Verdict),
    "Cause": (Cause,),
}


def schema(
    kind: type = Explanation,
    command: str = "explain",
    described: dict[str, tuple[type, ...]] = DESCRIBED,
) -> dict[str, Any]:
    """Return the schema, in which every object and every field that has one says its meaning."""
    found = msgspec.json.schema(kind)
    for name, kinds in described.items():
        definition = found["$defs"][name]
        for one in reversed(kinds):
            for field, said in RECORDS["meanings"](one).items():
                if field in definition["properties"]:
                    definition["properties"][field]["description"] = said
    return {"$schema": DRAFT, "title": f"wireproof {command} --format json", **found}


def text() -> str:
    """Return what the file of explain should hold."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def hops_text() -> str:
    """Return what the file of hops should hold."""
    found = schema(HopsFound, "hops", HOPS_DESCRIBED)
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text())
    HOPS_SCHEMA.write_text(hops_text())
