"""Write docs/records.md and docs/records.schema.json anew: ``python docs/records.py``.

The records are the one place where a field is described: its type, and the docstring below it,
which is read from the source as Python keeps none of an attribute. A field means what its own kind
of record says, or the class that this kind derives from, or :class:`~parsers.records.Sent`.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from functools import cache
from inspect import cleandoc, getsource
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec.inspect import (
    BoolType,
    Field,
    FloatType,
    IntType,
    ListType,
    LiteralType,
    NoneType,
    StrType,
    StructType,
    TupleType,
    Type,
    TypedDictType,
    UnionType,
    type_info,
)

from parsers import records
from parsers.provenance import Element
from parsers.records import Record, Sent

PAGE = Path(__file__).with_suffix(".md")
SCHEMA = Path(__file__).with_suffix(".schema.json")
DRAFT = "https://json-schema.org/draft/2020-12/schema"
KINDS: tuple[type[Record], ...] = get_args(Record)
FACTS = (
    records.End, records.ClosedWindow, records.Hole, records.DuplicateAcks, records.Resent,
    records.AckWait,
    records.TlsAlert,
)  # fmt: skip
"""What records of a connection and of its TLS are made of beside text and numbers."""
HEAD = """\
# Records

`wireproof decode --format ndjson` prints these, one JSON object per line, and `wireproof.decode` yields
them. Fields may be added; existing ones keep their names and meanings.
[records.schema.json](records.schema.json) is the same as a JSON Schema.

Records come in the order in which packets complete them: by `last_packet`, then `offset`. A `body`
follows the last record of that body; a `connection` comes when the connection or the capture ends. In
every record, `record` names its kind.
"""
COMMON = """
## What was sent

All kinds except `connection` have these fields as well; a kind's own table says where one means
something else. JSON omits the last three if they have their default values.

"""
LISTED = """
## What `connection` and `tls` list

Each is a JSON object with these fields.
"""
COLUMNS = "| field | type | meaning |\n|---|---|---|\n"


@cache
def meanings(kind: type) -> dict[str, str]:
    """Return the docstring of each field that a class declares, in reStructuredText."""
    (found,) = ast.parse(textwrap.dedent(getsource(kind))).body
    assert isinstance(found, ast.ClassDef)
    return {
        field.target.id: " ".join(cleandoc(said.value.value).split())
        for field, said in zip(found.body, found.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant)
    }  # fmt: skip


def meaning(kind: type, name: str) -> str:
    """Return what a field of a kind of records means; raise KeyError if nobody says so."""
    # A TypedDict is a dict to Python, with no base of its own.
    own = kind.__mro__[: kind.__mro__.index(Element if kind not in FACTS else dict)]
    for declared in (*own, *Sent.__mro__):
        if declared.__module__.startswith("parsers.kinds.") and name in meanings(declared):
            return meanings(declared)[name]
    raise KeyError(f"{kind.__name__}.{name} has no docstring")


def markdown(text: str) -> str:
    """Return a docstring as Markdown."""
    text = re.sub(r":\w+:`~?(?:\w+\.)*(\w+)`", r"`\1`", text)
    return text.replace("``", "`").replace("|", "\\|")


def type_name(found: Type) -> str:
    """Return a field's type in JSON's words."""
    match found:
        case UnionType(types=types):
            return " or ".join(type_name(kind) for kind in types)
        case LiteralType(values=values):
            return ", ".join(f"`{value}`" for value in values)
        case ListType(item_type=TupleType(item_types=items)):
            return f"list of [{', '.join(type_name(item) for item in items)}]"
        case ListType(item_type=item):
            return f"list of {type_name(item)}"
        case TypedDictType(cls=kind):
            return f"[`{kind.__name__}`](#{kind.__name__.lower()})"
    names = {IntType: "integer", FloatType: "number", StrType: "string", BoolType: "boolean"}
    return {**names, NoneType: "null"}[type(found)]


def fields_of(kind: type) -> tuple[Field, ...]:
    found = type_info(kind)
    assert isinstance(found, StructType | TypedDictType)
    return found.fields


def rows(kind: type, fields: list[Field]) -> str:
    found = COLUMNS
    for field in fields:
        said = markdown(meaning(kind, field.name))
        found += f"| `{field.name}` | {type_name(field.type)} | {said} |\n"
    return found


def own_fields(kind: type) -> list[Field]:
    """Return the fields of a kind that do not stand in the table of common ones as they are."""
    common = {field.name: field.type for field in fields_of(Sent)}
    return [
        field
        for field in fields_of(kind)
        if field.name in meanings(kind) or common.get(field.name) != field.type
    ]


def page() -> str:
    """Return the page: what all have in common, then each kind, in the order of the source."""
    found = HEAD + COMMON + rows(Sent, list(fields_of(Sent)))
    for kind in KINDS:
        found += f"\n## `{kind.record}`\n\n{markdown(cleandoc(kind.__doc__ or ''))}\n\n"
        found += rows(kind, own_fields(kind))
    found += LISTED
    for fact in FACTS:
        found += f"\n### `{fact.__name__}`\n\n{markdown(cleandoc(fact.__doc__ or ''))}\n\n"
        found += rows(fact, list(fields_of(fact)))
    return found


def schema() -> dict[str, Any]:
    """Return the JSON Schema of one record."""
    found = {"$schema": DRAFT, "title": "wireproof record"} | msgspec.json.schema(Record)
    for kind in (*KINDS, *FACTS):
        properties = found["$defs"][kind.__name__]["properties"]
        for name, value in properties.items():
            if name != "record":
                value["description"] = meaning(kind, name).replace("``", "`")
    return found


def schema_text() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    SCHEMA.write_text(schema_text())
