"""HAR 1.2 as a JSON schema, from the text of the specification (W3C, HTTP Archive format)."""

from __future__ import annotations

from typing import Any

TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
TIME = {"type": "number", "minimum": -1}
WHEN = {
    "type": "string",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
}


def record(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object; fields that the specification does not know begin with an underscore."""
    known = required | (optional or {}) | {"comment": TEXT}
    return {
        "type": "object",
        "required": list(required),
        "properties": known,
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


def items(kind: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": kind}


NAMED = record({"name": TEXT, "value": TEXT})
COOKIE = record(
    {"name": TEXT, "value": TEXT},
    {
        "path": TEXT, "domain": TEXT, "expires": WHEN, "sameSite": TEXT,
        "httpOnly": {"type": "boolean"}, "secure": {"type": "boolean"},
    },
)  # fmt: skip
MESSAGE = {
    "httpVersion": TEXT,
    "cookies": items(COOKIE),
    "headers": items(NAMED),
    "headersSize": WHOLE,
    "bodySize": WHOLE,
}
POST_DATA = record({"mimeType": TEXT, "params": items(NAMED), "text": TEXT}, {"encoding": TEXT})
CONTENT = record(
    {"size": WHOLE, "mimeType": TEXT},
    {"compression": WHOLE, "text": TEXT, "encoding": {"const": "base64"}},
)
REQUEST = record(
    {"method": TEXT, "url": {"type": "string", "pattern": "^[a-z]+://[!-~]*$"},
     "queryString": items(NAMED), **MESSAGE},
    {"postData": POST_DATA},
)  # fmt: skip
RESPONSE = record(
    {"status": WHOLE, "statusText": TEXT, "content": CONTENT, "redirectURL": TEXT, **MESSAGE}
)
TIMINGS = record(
    {"send": {"type": "number", "minimum": 0}, "wait": {"type": "number", "minimum": 0},
     "receive": {"type": "number", "minimum": 0}},
    {"blocked": TIME, "dns": TIME, "connect": TIME, "ssl": TIME},
)  # fmt: skip
# Beside the specification: what Chrome writes (front_end/models/har of DevTools).
WEBSOCKET_MESSAGE = {
    "type": "object",
    "required": ["type", "time", "opcode", "data"],
    "properties": {
        "type": {"enum": ["send", "receive"]}, "time": NUMBER, "opcode": {"enum": [1, 2]},
        "data": TEXT,
    },
    "additionalProperties": False,
}  # fmt: skip
EVENT_MESSAGE = {
    "type": "object",
    "required": ["time", "eventName", "eventId", "data"],
    "properties": {"time": NUMBER, "eventName": TEXT, "eventId": TEXT, "data": TEXT},
    "additionalProperties": False,
}
ENTRY = record(
    {"startedDateTime": WHEN, "time": {"type": "number", "minimum": 0}, "request": REQUEST,
     "response": RESPONSE, "cache": {"type": "object"}, "timings": TIMINGS},
    {"serverIPAddress": TEXT, "connection": TEXT,
     "_webSocketMessages": items(WEBSOCKET_MESSAGE),
     "_eventSourceMessages": items(EVENT_MESSAGE)},
)  # fmt: skip
CREATOR = record({"name": TEXT, "version": TEXT})
LOG = record(
    {"version": {"const": "1.2"}, "creator": CREATOR, "entries": items(ENTRY)},
    {"browser": CREATOR, "pages": items(record({"id": TEXT}))},
)
HAR = {"type": "object", "required": ["log"], "properties": {"log": LOG},
       "additionalProperties": False}  # fmt: skip
