"""Write docs/explain.schema.json anew: ``python docs/explain_schema.py``.

The schema is made from the types that ``wireproof explain --format json`` writes, and each field
is described by the docstring below it, as those of records are (``records.py``).
"""

from __future__ import annotations

import json
from pathlib import Path
from runpy import run_path
from typing import Any

import msgspec

from wireproof.analysis.listing import Listed, SessionName
from wireproof.analysis.verdict import Cause, Verdict, VerdictRecord
from wireproof.views.verdicts.json import ExplainedExchange, ExplainedFile, Explanation

SCHEMA = Path(__file__).with_name("explain.schema.json")
RECORDS = run_path(str(Path(__file__).with_name("records.py")))
DRAFT: str = RECORDS["DRAFT"]
DESCRIBED: dict[str, tuple[type, ...]] = {
    "Explanation": (Explanation,),
    "ExplainedFile": (ExplainedFile,),
    "ExplainedExchange": (ExplainedExchange, Listed),
    "SessionName": (SessionName,),
    "VerdictRecord": (VerdictRecord, Verdict),
    "Cause": (Cause,),
}
"""The classes that say what the fields of each object mean, the first that does."""


def schema() -> dict[str, Any]:
    """Return the schema, in which every object and every field that has one says its meaning."""
    found = msgspec.json.schema(Explanation)
    for name, kinds in DESCRIBED.items():
        definition = found["$defs"][name]
        for kind in reversed(kinds):
            for field, said in RECORDS["meanings"](kind).items():
                if field in definition["properties"]:
                    definition["properties"][field]["description"] = said
    return {"$schema": DRAFT, "title": "wireproof explain --format json", **found}


def text() -> str:
    """Return what the file should hold."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text())
