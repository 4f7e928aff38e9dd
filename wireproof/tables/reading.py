"""A capture as tables: ``read(source, kind)``, the function that data sets and queries are made of.

    for batch in read("capture.pcapng", "exchanges"):
        print(batch.to_pandas())

Strategy: a capture is decoded once, whatever tables are wanted. Records go to the tables of
elements, connections and diagnostics as they come, and to the judges, whose outcomes are the tables
of exchanges and verdicts. Each table gathers rows up to a bound (:mod:`.rows`), so memory is that
of a decode and of one record batch for each table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, NamedTuple

import msgspec
from parsers import KeyLog, OrderedCapture, decode_capture
from parsers.records import ConnectionRecord, DiagnosticRecord, Record, TlsRecordRecord

from ..analysis.measures import Measures
from ..analysis.outcomes import Outcome, Outcomes
from ..analysis.verdict import verdict_record
from ..metrics.observing import Observer
from ..redact import Policy, Rules
from .files import Capture, capture_of, host_of, opened
from .kinds import USUAL, About, Kind
from .masking import masked_line, masked_verdict, masker
from .packets import packet_rows
from .rows import Origin, Rows

PIECE = 1 << 20
"""Bytes of a file that are hashed at once."""
UNMEASURED = Measures(
    authority=None,
    version=None,
    headers_after=None,
    first_token=None,
    first_output=None,
    gap_p50=None,
    gap_p99=None,
    gap_max=None,
    tokens=None,
    tokens_from=None,
    dialect="",
)
"""The figures of a TLS connection that was not decrypted."""


@dataclass(frozen=True)
class TableOptions:
    """What tables of a capture are to hold."""

    kinds: tuple[Kind, ...] = USUAL
    policy: Policy | Rules = "headers"
    keep_data: bool = False
    """Whether elements have their payloads."""
    host: str | None = None
    """Where the capture is from; None: its name says so."""
    keylog: KeyLog | None = None
    """Secrets of TLS, beside those in the capture."""
    memory: int | None = None
    """What may be held for all connections of a capture together, in bytes, whichever process
    reads it; None: what that process takes for the usual."""
    observer: Observer | None = None
    """Who makes metrics of the same records, in this process."""


class Facts(NamedTuple):
    """What is said of a capture beside its rows, once all of it has been read."""

    origin: Origin
    interfaces: Sequence[dict[str, Any]]
    """What its packets were recorded on, as pcapng describes it."""


def read(
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    kind: Kind,
    *,
    policy: Policy | Rules = "headers",
    keep_data: bool = False,
    host: str | None = None,
    keylog: KeyLog | None = None,
) -> Iterator[Any]:
    """Yield one table of a capture as pyarrow.RecordBatch, in order; none if it has no rows.

    ``source`` is a path or a URL that fsspec opens, or several: the files of one recorder, in
    order, are one stream of packets. Columns are ``capture``, ``capture_sha256``, ``host`` and
    those that the kind's types have (:func:`.kinds.schema`). Payloads come with ``keep_data``, and
    ``policy`` says what is masked. Raises OSError, and ValueError for what is no capture.
    """
    given = [source] if isinstance(source, (str, PathLike)) else list(source)
    options = TableOptions((kind,), policy, keep_data, host, keylog)
    capture = capture_of([fspath(one) for one in given])
    with CaptureTables(capture, options) as tables:
        for _, batch in tables:
            yield batch


class CaptureTables:
    """The tables of one capture, to be iterated over once: pairs of a kind and a record batch."""

    def __init__(self, capture: Capture, options: TableOptions) -> None:
        """Raises OSError, and ValueError for what is no capture."""
        self._capture = capture
        self._options = options
        host = host_of(capture) if options.host is None else options.host
        self._origin = Origin(capture.name, digest(capture.files), host)
        self._stack = ExitStack()
        self._opened = self._open()

    def __enter__(self) -> CaptureTables:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self) -> OrderedCapture:
        with self._stack as opening:
            stream = self._capture.open(opening)
            found = OrderedCapture(stream, keylog=self._options.keylog)
            self._stack = opening.pop_all()
        return found

    @property
    def facts(self) -> Facts:
        """What is known of the capture, whole when all tables have been read."""
        interfaces = [msgspec.structs.asdict(one) for one in self._opened.interfaces]
        return Facts(self._origin, interfaces)

    def __iter__(self) -> Iterator[tuple[Kind, Any]]:
        kinds = self._options.kinds
        if kinds != ("packets",):
            batches = decode_capture(self._opened, shows_records=True, memory=self._options.memory)
            yield from _Tables(self._origin, self._options).fill(batches)
        if "packets" in kinds:
            with ExitStack() as stack:  # a second reading: the first one keeps none of them
                capture = OrderedCapture(self._capture.open(stack))
                rows = Rows("packets", self._origin)
                for row in packet_rows(capture):
                    yield from (("packets", batch) for batch in rows.add((row,)))
                yield from (("packets", batch) for batch in rows.finish())


class _Tables:
    """Turns the records of a capture into the rows of all tables but packets."""

    def __init__(self, origin: Origin, options: TableOptions) -> None:
        self._rules = Rules.of(options.policy)
        self._mask = masker(self._rules, keep_data=options.keep_data)
        self._rows: dict[Kind, Rows] = {
            kind: Rows(kind, origin, keep_data=options.keep_data)
            for kind in options.kinds
            if kind != "packets"
        }
        has_records = not {"elements", "connections", "diagnostics"}.isdisjoint(self._rows)
        self._take: Callable[[Record], None] | None = self._take_record if has_records else None
        has_outcomes = not {"exchanges", "verdicts"}.isdisjoint(self._rows)
        self._observer = options.observer
        tell = None if self._observer is None else self._observer.explained
        self._outcomes = Outcomes(with_measures=True, tell=tell) if has_outcomes else None
        self._full: list[tuple[Kind, Any]] = []

    def fill(self, batches: Iterable[Sequence[Record]]) -> Iterator[tuple[Kind, Any]]:
        """Take the records of a capture; yield record batches as they are full."""
        for records in batches:
            if self._observer is not None:
                for record in records:
                    self._observer.record(record)
            if self._take is not None:
                for record in records:
                    self._take(record)
                    if self._full:  # each holds as much as the records do
                        yield from self._given()
            if self._outcomes is not None:
                self._take_outcomes(self._outcomes.add(records))
            yield from self._given()
        if self._outcomes is not None:
            self._take_outcomes(self._outcomes.finish())
        yield from self._given()
        for kind, rows in self._rows.items():
            yield from ((kind, batch) for batch in rows.finish())

    def _given(self) -> Iterator[tuple[Kind, Any]]:
        full, self._full = self._full, []
        return iter(full)

    def _add(self, kind: Kind, *parts: msgspec.Struct) -> None:
        self._full += [(kind, batch) for batch in self._rows[kind].add(parts)]

    def _take_record(self, record: Record) -> None:
        if isinstance(record, TlsRecordRecord):
            return  # for the judges
        kind: Kind = "elements"
        if isinstance(record, ConnectionRecord):
            kind = "connections"
        elif isinstance(record, DiagnosticRecord):
            kind = "diagnostics"
        masked = self._mask(record)
        if kind in self._rows:
            self._add(kind, masked)

    def _take_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        for listed, verdicts, figures in outcomes:
            line = masked_line(listed, self._rules)
            if "exchanges" in self._rows:
                self._add("exchanges", line, figures or UNMEASURED)
            if "verdicts" not in self._rows:
                continue
            about = About(line.method, line.target, line.status, line.start_time)
            for verdict in verdicts:
                record = verdict_record(verdict, listed.connection, listed.exchange)
                self._add("verdicts", masked_verdict(record, self._rules), about)


def digest(files: Sequence[str]) -> str:
    """Return the SHA-256 of a capture's bytes in hex; of several files, of one after the other."""
    found = hashlib.sha256()
    for path in files:
        with ExitStack() as stack:
            stream = opened(path, stack)
            while piece := stream.read(PIECE):
                found.update(piece)
    return found.hexdigest()
