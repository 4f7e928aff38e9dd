"""A capture as tables: ``read(source, kind)``, the function that data sets and queries are made of.

    for batch in read("capture.pcapng", "exchanges"):
        print(batch.to_pandas())

Strategy: a capture is decoded once, whatever tables are wanted. Records go to the tables of
elements, connections and diagnostics as they come, and to the judges, whose outcomes are the tables
of exchanges and verdicts. Each table gathers rows up to a bound (:mod:`~wireproof.arrow.rows`), of
as many captures as come: so memory is that of a decode and of one record batch for each table, and
small captures cost no batch each.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from itertools import islice
from os import PathLike, fspath
from typing import Any, BinaryIO, NamedTuple, Protocol

import msgspec
from parsers import JoinedFiles, KeyLog, Memory, OrderedCapture, TimeOrder, decode_capture
from parsers.limits import MiB
from parsers.records import (
    ConnectionRecord,
    DiagnosticRecord,
    QuicPacketRecord,
    Record,
    TlsRecordRecord,
)
from parsers.wants import Wants

from ..analysis.judges import Explained
from ..analysis.listing import Listed
from ..analysis.measures import Measures
from ..analysis.outcomes import Outcome, Outcomes
from ..analysis.verdict import VerdictRecord, verdict_record
from ..arrow.rows import STEP_ROWS
from ..metrics.observing import Observer
from ..open_exchanges import Key
from ..redact import Policy, Rules
from ..tasks.unread import is_of_capture
from .files import Capture, capture_of, host_of, opened
from .kinds import USUAL, About, Kind, Origin, rows_of
from .masking import masked_line, masked_verdict, masker
from .packets import packet_rows

PIECE = 1 << 20
"""Bytes of a file that are read at once."""
STEP_OUTCOMES = 256
"""Outcomes that become rows together: each is large as long as it is none."""
UNMEASURED = Measures(
    authority=None,
    version=None,
    headers_after=None,
    first_token=None,
    first_output=None,
    gap_p50=None,
    gap_p99=None,
    gap_max=None,
    gap_max_after=None,
    not_recorded=None,
    tokens=None,
    tokens_from=None,
    dialect="",
    is_behind_proxy=False,
)
"""The figures of a TLS connection that was not decrypted."""
OF_RECORDS: tuple[Kind, ...] = ("elements", "connections", "diagnostics")
OTHERS = frozenset((ConnectionRecord, DiagnosticRecord, TlsRecordRecord, QuicPacketRecord))
"""Records that are no elements; those of TLS records are for the judges."""
WANTS = Wants(opened=False, peers=True)
"""What is decoded for them."""
ARROW_COST = 128 * MiB
"""What Arrow takes beside the program, with a record batch of each table, and DuckDB."""
HOST = re.compile(r"^host: *(?P<host>\S+)", re.MULTILINE)
"""What a comment on the file says of where it was captured: ``dumpcap --capture-comment``."""


@dataclass(frozen=True)
class TableOptions:
    """What tables of a capture are to hold."""

    kinds: tuple[Kind, ...] = USUAL
    policy: Policy | Rules = "headers"
    keep_data: bool = False
    """Whether elements have their payloads."""
    host: str | None = None
    """Where the capture is from; None: it says so itself, or its name does."""
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
    rows: dict[Kind, int]
    """How many each table has of it; those with none are left out."""
    interfaces: list[dict[str, Any]]
    """What its packets were recorded on, as pcapng describes it."""
    faults: dict[str, int] = {}
    """What is wrong with the file and not with a connection, by its code: how often."""


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
    tables = Tables(TableOptions((kind,), policy, keep_data, host, keylog))
    with Opened(capture_of([fspath(one) for one in given]), tables.options) as capture:
        yield from (batch for _, batch in tables.add(capture))
    yield from (batch for _, batch in tables.finish())


class Carried(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Exchanges of one connection that go on after a file."""

    connection: int
    """In the file in which they began, as its first packet."""
    first_packet: int
    client: str
    server: str
    exchanges: list[int]
    streams: list[int] = []
    """Those of HTTP/2 and HTTP/3, by their streams."""
    is_quic: bool = False


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """Exchanges that began in one file of a recorder and go on after another: what comes of them in
    the next ones is told with those, as the first one's."""

    capture: str
    capture_sha256: str
    host: str
    files: list[str]
    """From the one in which they began to the last one that was read."""
    connections: list[Carried]


@dataclass
class Held:
    """What a capture does not tell, for it goes on: known once all of its records have come."""

    exchanges: set[Key] = field(default_factory=set)
    connections: set[int] = field(default_factory=set)


class Source(Protocol):
    """What is said of a capture beside its records."""

    @property
    def capture(self) -> Capture: ...

    @property
    def origin(self) -> Origin:
        """Whose the rows are, from its first packet on."""

    @property
    def interfaces(self) -> list[dict[str, Any]]:
        """What its packets were recorded on, once all have been read."""


class Opened:
    """A capture that can be read: its file is there, and begins as one."""

    begun: Sequence[Begun] = ()
    """Exchanges that go on after it, once all of it has been read."""

    def __init__(self, capture: Capture, options: TableOptions) -> None:
        """Raises OSError, and ValueError for what is no capture."""
        self.capture = capture
        self.order = TimeOrder()
        self._options = options
        self._whole: bytes | None = None
        with ExitStack() as opening:
            stream = capture.open(opening)
            if not isinstance(stream, JoinedFiles):
                stream = self._read_if_small(stream)
            self.packets = OrderedCapture(stream, order=self.order, keylog=options.keylog)
            self._stack = opening.pop_all()

    def _read_if_small(self, stream: BinaryIO) -> BinaryIO:
        """Return a file's bytes, if they are few: of many small captures each is read once, and not
        once more for its digest."""
        start = stream.read(PIECE)
        if len(start) == PIECE:
            stream.seek(0)
            return stream
        self._whole = start
        return BytesIO(start)

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def origin(self) -> Origin:
        """Whose the rows are; what the capture says itself is known from its first packet on."""
        host = self._options.host
        if host is None:
            host = _told(self.packets) or host_of(self.capture)
        whole = self._whole
        summed = digest(self.capture.files) if whole is None else sha256(whole).hexdigest()
        return Origin(self.capture.name, summed, host)

    @property
    def interfaces(self) -> list[dict[str, Any]]:
        return [msgspec.structs.asdict(one) for one in self.packets.interfaces]

    def tables(self, tables: Tables) -> Iterator[tuple[Kind, Any]]:
        """Have tables take it; yield record batches. Raises OSError, ValueError."""
        yield from tables.take(self, self.batches())

    def batches(self, wanted: Callable[[int | None], bool] | None = None) -> Iterator[list[Record]]:
        """Yield its records, of all connections or of those that are wanted. Raises OSError,
        ValueError."""
        return decode_capture(
            self.packets,
            shows_records=True,
            memory=self.memory,
            wanted=wanted,
            wants=WANTS,
        )

    @property
    def memory(self) -> int:
        """What decoding may hold, in bytes."""
        return memory_of(self._options)


def memory_of(options: TableOptions) -> int:
    """Return what decoding may hold, in bytes: Arrow and its batches have a part."""
    allowed = Memory.usual if options.memory is None else options.memory
    return max(allowed - ARROW_COST, allowed // 2)


def _told(packets: OrderedCapture) -> str | None:
    """Return the host that a comment on the file names, ``host: web1``."""
    for packet, text in packets.comments:
        if packet is None and (match := HOST.search(text)):
            return match["host"]
    return None


class Tables:
    """The tables of captures, of one after the other: pairs of a kind and a record batch."""

    def __init__(self, options: TableOptions) -> None:
        self.options = options
        self.facts: Facts
        self._rules = Rules.of(options.policy)
        self._rows = {kind: rows_of(kind, keep_data=options.keep_data) for kind in options.kinds}
        self._faults: Counter[str] = Counter()
        self._has_records = not set(OF_RECORDS).isdisjoint(self._rows)
        self._has_outcomes = not {"exchanges", "verdicts"}.isdisjoint(self._rows)

    def add(self, opened: Opened) -> Iterator[tuple[Kind, Any]]:
        """Take a capture; yield record batches as they are full. Then :attr:`facts` are of it.

        What fails in between leaves rows of a capture that is not whole.
        """
        before = self._taken()
        yield from opened.tables(self)
        self._note(opened, before)

    def take(
        self, source: Source, batches: Iterable[list[Record]], held: Held | None = None
    ) -> Iterator[tuple[Kind, Any]]:
        """Take a capture whose records somebody else has decoded, in the same way, but for what is
        held back."""
        before = self._taken()
        self._faults.clear()
        if self.options.kinds != ("packets",):
            yield from self._decoded(source, batches, held or Held())
        if "packets" in self._rows:
            yield from self._packets(source)
        self._note(source, before)

    def go_on(
        self, origin: Origin, records: Sequence[Record], outcomes: Iterable[Outcome] = ()
    ) -> Iterator[tuple[Kind, Any]]:
        """Take what comes of exchanges of a capture that was taken before; it is masked."""
        self._begin(origin)
        if (observer := self.options.observer) is not None:
            for record in records:
                observer.record(record)
        if self._has_records:
            yield from self._take_records(records)
        if self._has_outcomes:
            yield from self._take_outcomes(outcomes)

    def _taken(self) -> dict[Kind, int]:
        return {kind: rows.taken for kind, rows in self._rows.items()}

    def _note(self, source: Source, before: dict[Kind, int]) -> None:
        taken = {kind: count - before[kind] for kind, count in self._taken().items()}
        rows = {kind: count for kind, count in taken.items() if count}
        self.facts = Facts(source.origin, rows, source.interfaces, dict(self._faults))

    def finish(self) -> Iterator[tuple[Kind, Any]]:
        """Yield the record batches of the rows that are left."""
        for kind, rows in self._rows.items():
            yield from ((kind, batch) for batch in rows.finish())

    def _decoded(
        self, source: Source, batches: Iterable[list[Record]], held: Held
    ) -> Iterator[tuple[Kind, Any]]:
        mask = masker(self._rules, keep_data=self.options.keep_data)
        observer, is_begun = self.options.observer, False
        outcomes = self._outcomes(held) if self._has_outcomes else None
        for records in batches:
            if not is_begun:
                self._begin(source.origin)
                is_begun = True
            told: Sequence[Record] = records
            if held.connections:
                told = [one for one in records if not _is_end_of(one, held.connections)]
            if observer is not None:
                for record in told:
                    observer.record(record)
            if self._has_records:
                yield from self._take_records(mask(told))
            if outcomes is not None:
                yield from self._take_outcomes(_without(held, outcomes.add(records)))
        if outcomes is not None:
            yield from self._take_outcomes(_without(held, outcomes.finish()))

    def _outcomes(self, held: Held) -> Outcomes:
        observer = self.options.observer
        if observer is None:
            return Outcomes(with_measures=True, with_legs=True)

        def tell(one: Explained) -> None:
            if one.exchange.key not in held.exchanges:
                observer.explained(one)

        return Outcomes(with_measures=True, with_legs=True, tell=tell)

    def _begin(self, origin: Origin) -> None:
        for rows in self._rows.values():
            rows.begin(origin)

    def _packets(self, source: Source) -> Iterator[tuple[Kind, Any]]:
        """Read the capture once more: the first reading keeps no packets."""
        rows = self._rows["packets"]
        with ExitStack() as stack:
            capture = OrderedCapture(source.capture.open(stack))
            found = packet_rows(capture)
            while some := list(islice(found, STEP_ROWS)):
                rows.begin(source.origin)
                yield from (("packets", batch) for batch in rows.extend(some))

    def _take_records(self, records: Sequence[Record]) -> Iterator[tuple[Kind, Any]]:
        if OTHERS.isdisjoint(map(type, records)):
            yield from self._extended("elements", records)
            return
        yield from self._extended("elements", [one for one in records if type(one) not in OTHERS])
        ended = [one for one in records if type(one) is ConnectionRecord]
        faults = [one for one in records if type(one) is DiagnosticRecord]
        self._faults.update(one.code for one in faults if is_of_capture(one))
        yield from self._extended("connections", ended)
        yield from self._extended("diagnostics", faults)

    def _extended(self, kind: Kind, records: Sequence[Record]) -> Iterator[tuple[Kind, Any]]:
        rows = self._rows.get(kind)
        return iter(()) if rows is None else ((kind, batch) for batch in rows.extend(records))

    def _take_outcomes(self, outcomes: Iterable[Outcome]) -> Iterator[tuple[Kind, Any]]:
        following = iter(outcomes)
        while some := list(islice(following, STEP_OUTCOMES)):
            lines = [masked_line(one.listed, self._rules) for one in some]
            if (exchanges := self._rows.get("exchanges")) is not None:
                figures = (one.measures or UNMEASURED for one in some)
                measured = list(zip(lines, figures, strict=True))
                yield from (("exchanges", batch) for batch in exchanges.join(measured))
            if (judged := self._rows.get("verdicts")) is not None:
                said = [row for pair in zip(some, lines, strict=True) for row in self._said(*pair)]
                yield from (("verdicts", batch) for batch in judged.join(said))

    def _said(self, outcome: Outcome, line: Listed) -> Iterator[tuple[VerdictRecord, About]]:
        """Yield what is said of an exchange, each with what it is about."""
        is_behind = outcome.measures is not None and outcome.measures.is_behind_proxy
        about = About(line.method, line.target, line.status, line.start_time, is_behind)
        for verdict in outcome.verdicts:
            record = verdict_record(verdict, line.connection, line.exchange)
            yield masked_verdict(record, self._rules), about


def _without(held: Held, outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    """Leave out what goes on; what that is, is known when the last records have come."""
    if not held.exchanges:
        return outcomes
    return (one for one in outcomes if (one[0].connection, one[0].exchange) not in held.exchanges)


def _is_end_of(record: Record, connections: Container[int]) -> bool:
    return isinstance(record, ConnectionRecord) and record.connection in connections


def digest(files: Sequence[str]) -> str:
    """Return the SHA-256 of a capture's bytes in hex; of several files, of one after the other."""
    found = sha256()
    for path in files:
        with ExitStack() as stack:
            stream = opened(path, stack)
            while piece := stream.read(PIECE):
                found.update(piece)
    return found.hexdigest()
