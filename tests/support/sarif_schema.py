"""What SARIF 2.1.0 requires of the objects that a log of ours has (OASIS, 27 March 2020)."""

from __future__ import annotations

from typing import Any


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = _object(["text"], text={"type": "string", "minLength": 1})
RULE = _object(
    ["id"],
    id={"type": "string"},
    shortDescription=MESSAGE,
    defaultConfiguration=_object([], level=LEVEL),
)
DRIVER = _object(
    ["name"],
    name={"type": "string"},
    version={"type": "string"},
    rules={"type": "array", "uniqueItems": True, "items": RULE},
)
PHYSICAL = _object(
    ["artifactLocation", "region"],  # section 3.29.3; the region is GitHub's demand
    artifactLocation=_object(["uri"], uri={"type": "string", "pattern": r"^[A-Za-z0-9._~%/-]+$"}),
    region=_object(["startLine"], startLine={"type": "integer", "minimum": 1}),
)
LOGICAL = _object([], fullyQualifiedName={"type": "string"}, kind={"type": "string"})
RESULT = _object(
    ["message", "ruleId", "level", "locations"],
    message=MESSAGE,
    ruleId={"type": "string"},
    level=LEVEL,
    locations={
        "type": "array",
        "items": _object(
            ["physicalLocation"],
            physicalLocation=PHYSICAL,
            logicalLocations={"type": "array", "items": LOGICAL},
        ),
    },
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
    properties={"type": "object"},
)
RUN = _object(
    ["tool"],
    tool=_object(["driver"], driver=DRIVER),
    results={"type": "array", "items": RESULT},
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
)
SARIF = _object(
    ["version", "runs"],
    version={"const": "2.1.0"},
    runs={"type": "array", "items": RUN, "minItems": 1},
)
