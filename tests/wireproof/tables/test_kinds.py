"""The columns of the tables: one type per name within each, and those of the records."""

from __future__ import annotations

from wireproof.arrow.layouts import fields
from wireproof.tables.kinds import DATA, KINDS, LAYOUTS, TIMES, Origin, schema, table


def test_columns_are_the_fields_of_all_rows() -> None:
    for kind in KINDS:
        named = {name for layout in LAYOUTS[kind] for name, _ in fields(layout)}
        found = [column.name for column in table(kind).columns]
        assert set(found) == named | ({"record"} if kind == "elements" else set())
        assert len(found) == len(set(found))
        assert schema(kind).names == [*Origin._fields, *found, "time"]
        assert TIMES[kind] in found


def test_a_name_has_one_type_over_all_tables_but_one() -> None:
    """``packets``: how many of a connection, and which ones of a verdict, by the contract."""
    types: dict[str, set[str]] = {}
    for kind in KINDS:
        for field in schema(kind):
            types.setdefault(field.name, set()).add(str(field.type))
    assert [name for name, found in types.items() if len(found) > 1] == ["packets"]


def test_payloads_are_columns_of_elements() -> None:
    assert set(schema("elements").names) >= DATA
