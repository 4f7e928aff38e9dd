"""Arrow's types for the types of a struct's fields.

Strategy: what a field may hold beside null decides. Lists of [name, value] are lists of structs,
and a field that may hold anything is text: JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect


def without_null(found: inspect.Type) -> inspect.Type:
    if not isinstance(found, inspect.UnionType):
        return found
    kinds = [kind for kind in found.types if not isinstance(kind, inspect.NoneType)]
    if all(isinstance(kind, inspect.LiteralType) for kind in kinds):
        return kinds[0]  # words of several lists are words
    (only,) = kinds
    return only


def is_pairs(found: inspect.Type) -> bool:
    """Return whether a column has lists of [name, value]."""
    match found:
        case inspect.ListType(item_type=inspect.TupleType(item_types=(first, _))):
            return isinstance(first, inspect.StrType)
    return False


def arrow_type(found: inspect.Type) -> Any:
    """Return Arrow's type for a type of the records."""
    import pyarrow as pa

    match found:
        case inspect.BoolType():
            return pa.bool_()
        case inspect.IntType():
            return pa.int64()
        case inspect.FloatType():
            return pa.float64()
        case inspect.StrType() | inspect.LiteralType():
            return pa.string()
        case inspect.ListType(item_type=inspect.TupleType(item_types=(_, value))) if is_pairs(
            found
        ):
            return pa.list_(pa.struct([("name", pa.string()), ("value", arrow_type(value))]))
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return pa.list_(arrow_type(item))
        case inspect.TypedDictType(fields=fields) | inspect.StructType(fields=fields):
            return pa.struct([(each.name, arrow_type(without_null(each.type))) for each in fields])
        case inspect.TupleType(item_types=items):  # of one type: [start, end]
            return pa.list_(arrow_type(items[0]), len(items))
    raise TypeError(f"no column for {found}")


class Column(NamedTuple):
    """One column, as a field gives it."""

    name: str
    type: Any
    """Arrow's."""
    convert: Callable[[Any], Any] | None
    """What makes a field's value one that Arrow takes; None: it is."""
    has_pairs: bool = False
    """Whether it holds lists of [name, value]."""


def column_of(name: str, found: inspect.Type) -> Column:
    """Return the column of a field."""
    import pyarrow as pa

    if isinstance(found, inspect.DictType):
        return Column(name, pa.string(), _json)
    if is_pairs(found):
        return Column(name, arrow_type(found), _pairs, has_pairs=True)
    holds = getattr(found, "item_type", found)
    is_struct = isinstance(holds, inspect.StructType)
    return Column(name, arrow_type(found), msgspec.to_builtins if is_struct else None)


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _pairs(value: Any) -> Any:
    return None if value is None else [{"name": name, "value": text} for name, text in value]
