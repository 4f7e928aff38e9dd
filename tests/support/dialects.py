"""Streams of dialects as the fixtures have them: elements, and what each says."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from parsers.records import AwsEventRecord, JsonLineRecord
from wireproof.dialects.dialect import Element
from wireproof.dialects.payload import Payload
from wireproof.dialects.reader import DialectReader
from wireproof.exchange import Exchange
from wireproof.exchanges import Exchanges

from .corpus import ROOT
from .handmade import Wire

FOLDER = ROOT / "fixtures" / "dialects"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ndjson"))


class Line(NamedTuple):
    """An element, and what it says."""

    element: Element
    says: Payload


class Stream(NamedTuple):
    """A stream of one dialect."""

    dialect: str
    about: Exchange
    shared: dict[str, str]
    has_ended: bool
    needs_fields: bool
    """Whether without the fields of its head it is taken for another dialect, or for none."""
    lines: list[Line]


def stream(name: str) -> Stream:
    """Return a stored stream."""
    return _made(Path(FOLDER / f"{name}.ndjson").read_text("utf-8").splitlines())


def _made(lines: list[str]) -> Stream:
    head = json.loads(lines[0])
    wire = Wire()
    fields = [(name, value) for name, value in head.get("headers", [])]
    about = exchange(wire, head.get("target", "/"), *fields)
    kind = head.get("element", "sse_event")
    told = [json.loads(line) for line in lines[1:]]
    found = [Line(element(wire, kind, one), _payload(one["says"])) for one in told]
    flags = head.get("has_ended", False), head.get("needs_fields", False)
    return Stream(head["dialect"], about, head.get("shared", {}), *flags, found)


def exchange(wire: Wire, target: str = "/", *headers: tuple[str, str]) -> Exchange:
    """Return an exchange of that target whose response has begun."""
    exchanges = Exchanges(lambda _: None)
    exchanges.add(wire.request(target))
    found = exchanges.add(wire.response(*headers or [("Content-Type", "text/event-stream")]))
    assert found is not None
    return found[0]


def element(wire: Wire, kind: str, told: dict[str, Any]) -> Element:
    """Return the record of an element; data that is no text is written as JSON."""
    data = told.get("data", "")
    if "bytes" in told:
        data = {"bytes": b64encode(json.dumps(told["bytes"]).encode()).decode(), "p": "abcd"}
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    if kind == "sse_event":
        return wire.event(("data", text), event=told.get("event", "message"), data=text)
    if kind == "chunk":
        return wire.chunk(text)
    if kind == "websocket_message":
        more = {name: told[name] for name in ("type", "encoding", "sender") if name in told}
        if more.get("encoding") == "base64":
            more["size"] = len(b64decode(text))
        return wire.message(text, **more)
    where = wire.at(told.get("sender", "server"))
    common = {"index": 0, "size": len(text), "data": text, "encoding": "utf-8"}
    if kind == "json_line":
        return JsonLineRecord(**where, **common)
    assert kind == "aws_event"
    return AwsEventRecord(**where, **common, headers=told["headers"], crc_ok=True)


def _payload(says: dict[str, Any]) -> Payload:
    return Payload(**says)


def read(about: Exchange, elements: list[Element]) -> Iterator[Payload]:
    """Yield what elements say to a reader of their own."""
    reader = DialectReader(about)
    for one in elements:
        yield reader.read(one)
