"""The tables of a capture: which there are, and their columns, generated from the types of rows.

Strategy: a row is a struct, or two beside each other; a table has the fields of every type of its
rows, null where a type has none, so that every capture gives the same columns. Before them stand
those that say which capture a row is of, and after them ``time``, for queries and charts. A field
that holds structs is a column of structs; one that may hold anything (``numbers``) is JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, cast, get_args

import msgspec
from msgspec import inspect
from parsers.records import (
    ConnectionRecord,
    DiagnosticRecord,
    QuicPacketRecord,
    Record,
    TlsRecordRecord,
)

from ..analysis.listing import Listed
from ..analysis.measures import Measures
from ..analysis.verdict import VerdictRecord
from ..export.parquet import arrow_type, is_pairs, without_null
from ..views.csv import COLUMNS

Kind = Literal["exchanges", "elements", "verdicts", "diagnostics", "connections", "packets"]
KINDS: tuple[Kind, ...] = get_args(Kind)
USUAL: tuple[Kind, ...] = ("exchanges", "elements", "verdicts", "diagnostics", "connections")
"""All but packets, of which there are as many as in the capture: they come on request."""
ORIGIN = ("capture", "capture_sha256", "host")
"""The columns that say whose a row is."""
DATA = frozenset(("data", "encoding", "fields"))
"""What of an element is its payload."""


class PacketRow(msgspec.Struct, frozen=True):
    """A packet, as far as its headers say; what it has none of is null."""

    number: int
    """Wireshark's ``frame.number``, from 1."""
    last_time: float | None
    """Seconds since the epoch."""
    link_type: int
    """A LINKTYPE_ value: 1 is Ethernet."""
    length: int
    """Bytes on the wire."""
    captured: int
    """Bytes of them in the capture."""
    source: str | None
    """Address."""
    destination: str | None
    source_port: int | None
    destination_port: int | None
    sequence: int | None
    """TCP's, as in the header (RFC 9293 section 3.1)."""
    acknowledgement: int | None
    flags: int | None
    """TCP's: 2 is SYN, 16 is ACK."""
    tcp_window: int | None
    """As in the header, not scaled."""
    payload: int | None
    """Bytes that the segment carries, as declared."""


class About(msgspec.Struct, frozen=True):
    """What a verdict is about, for queries that would look it up each time."""

    method: str | None
    target: str | None
    status: int | None
    start_time: float
    """Of the exchange's first packet, in seconds since the epoch."""


Layout = tuple[type[msgspec.Struct], ...]
"""What a row is made of."""
ELEMENTS = [
    kind
    for kind in cast("tuple[type[msgspec.Struct], ...]", get_args(Record))
    if kind not in (ConnectionRecord, DiagnosticRecord, TlsRecordRecord, QuicPacketRecord)
]
LAYOUTS: dict[Kind, list[Layout]] = {
    "exchanges": [(Listed, Measures)],
    "elements": [(kind,) for kind in ELEMENTS],
    "verdicts": [(VerdictRecord, About)],
    "diagnostics": [(DiagnosticRecord,)],
    "connections": [(ConnectionRecord,)],
    "packets": [(PacketRow,)],
}
TIMES: dict[Kind, str] = dict.fromkeys(KINDS, "last_time") | {
    "exchanges": "start_time",
    "verdicts": "start_time",
}
"""The field that ``time`` is made of."""


class Column(NamedTuple):
    """One column, as a field gives it."""

    name: str
    type: Any
    """Arrow's."""
    convert: Callable[[Any], Any] | None
    """What makes a field's value one that Arrow takes; None: it is."""
    has_pairs: bool = False
    """Whether it holds lists of [name, value]."""


def fields(layout: Layout) -> Iterator[tuple[str, inspect.Type]]:
    """Yield the fields of a row with their types, in order."""
    for part in layout:
        found = cast(inspect.StructType, inspect.type_info(part))
        yield from ((field.name, without_null(field.type)) for field in found.fields)


@cache
def names(layout: Layout) -> tuple[str, ...]:
    return tuple(name for name, _ in fields(layout))


@cache
def columns(kind: Kind) -> tuple[Column, ...]:
    """Return the columns that a table's rows give, in order."""
    found = {name: of for layout in LAYOUTS[kind] for name, of in fields(layout)}
    order: Sequence[str] = list(found)
    if kind == "elements":
        order = [name for name in COLUMNS if name in found]
    rows = [_column(name, found[name]) for name in order if name != "record"]
    # What kind of record a row is, its type says, as a tag.
    tag = _column("record", inspect.StrType())
    return (tag, *rows) if kind == "elements" else tuple(rows)


def _column(name: str, found: inspect.Type) -> Column:
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


@cache
def schema(kind: Kind) -> Any:
    """Return a table's columns as a pyarrow.Schema."""
    import pyarrow as pa

    origin = [pa.field(name, pa.string()) for name in ORIGIN]
    own = [pa.field(column.name, column.type) for column in columns(kind)]
    return pa.schema([*origin, *own, pa.field("time", pa.timestamp("us", tz="UTC"))])
