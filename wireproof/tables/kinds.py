"""The tables of a capture: which there are, and the types of their rows.

Strategy: columns are generated from the types of rows (:mod:`~wireproof.arrow.layouts`). Before
them stand those that say which capture a row is of. A field that holds structs is a column of
structs; one that may hold anything (``numbers``) is JSON.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, NamedTuple, cast, get_args

import msgspec
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
from ..arrow.layouts import Layout, Table
from ..arrow.rows import Rows
from ..views.csv import COLUMNS

Kind = Literal["exchanges", "elements", "verdicts", "diagnostics", "connections", "packets"]
KINDS: tuple[Kind, ...] = get_args(Kind)
USUAL: tuple[Kind, ...] = ("exchanges", "elements", "verdicts", "diagnostics", "connections")
"""All but packets, of which there are as many as in the capture: they come on request."""
DATA = frozenset(("data", "encoding", "fields"))
"""What of an element is its payload."""


class Origin(NamedTuple):
    """Whose rows they are: the first columns of every table."""

    capture: str
    """Its name, as it was given; of a ring of files what their names share."""
    capture_sha256: str
    host: str


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
    is_behind_proxy: bool
    """As in the table of exchanges."""


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


@cache
def table(kind: Kind) -> Table:
    """Return what a table is made of."""
    return Table(
        LAYOUTS[kind],
        time=TIMES[kind],
        order=COLUMNS if kind == "elements" else None,
        origin=Origin._fields,
        is_tagged=kind == "elements",  # what kind of record a row is, its type says
    )


def schema(kind: Kind) -> Any:
    """Return a table's columns as a pyarrow.Schema."""
    return table(kind).schema


def rows_of(kind: Kind, *, keep_data: bool = False) -> Rows:
    """Return what gathers the rows of a table, with ``keep_data`` elements with their payloads."""
    is_left_out = kind == "elements" and not keep_data
    return Rows(table(kind), left_out=DATA if is_left_out else ())
