"""TLS beside what else is made of its bytes: its records, and what is known of it in the end.

Strategy: nothing is decrypted, so whoever took these bytes before still gets them: they are passed
over, or have rows as what follows a switch of protocols. The record of the connection needs what
both sides said last: it stands before that of the connection itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics import Diagnostic, diagnose
from ..provenance import Completion, Ending, Event
from ..records import Record, Sender, TlsAlert, TlsConnectionRecord, TlsRecordRecord
from ..tls.alerts import LEVELS, description_of
from ..tls.cipher_suites import suite_name
from ..tls.records import TYPE_NAMES, TlsRecord
from ..tls.session import TlsSession
from ..tls.side import Alert, TlsSideDecoder
from .side import Successor, in_order
from .writer import RecordWriter

_NO_KEYS = "no keys"


class TlsConnection:
    """TLS on one connection, whose records belong to ``exchange``, if it is in a tunnel.

    With ``shows_records`` each of its records is one.
    """

    def __init__(self, connection: int, exchange: int | None, *, shows_records: bool) -> None:
        self.exchange = exchange
        self.shows_records = shows_records
        self.session = TlsSession()
        self._connection = connection
        self._first: Completion | None = None
        self._alert: TlsAlert | None = None
        self._hellos: dict[Sender, float] = {}
        self._finished: dict[Sender, float] = {}

    def side(self, writer: RecordWriter, start: int, usual: Successor) -> TlsSide:
        """Return the receiver of a side's bytes from ``start`` on; ``usual`` gets them too."""
        return TlsSide(self, writer, start, usual)

    def note(self, writer: RecordWriter, found: Event) -> None:
        """Take what a side sent, and keep when that was."""
        sender, session = writer.sender, self.session
        session.receive(sender, found)
        first_packet, packet, first_time, time = writer.place(found.start, found.end)
        if self._first is None or first_packet < self._first[0]:
            self._first = first_packet, first_time
        if found is session.client_hello or found is session.server_hello:
            self._hellos[sender] = time
        if found is session.sides[sender].finished:
            self._finished[sender] = time
        if session.alert is not None and session.alert[1] is found:
            _, alert = session.alert
            self._alert = {
                "sender": sender, "level": "fatal", "description": alert.description,
                "name": description_of(alert.description), "packet": packet, "time": time,
            }  # fmt: skip

    def record(self, last: Completion) -> TlsConnectionRecord:
        """Return what is known; ``last`` is the connection's last packet."""
        session = self.session
        asked, chosen = session.client_hello, session.server_hello
        first_packet, first_time = self._first or last
        return TlsConnectionRecord(
            self._connection,
            self.exchange,
            None,
            first_packet,
            last[0],
            first_time,
            last[1],
            None,
            None,
            session.version,
            None if chosen is None else suite_name(chosen.cipher_suite),
            None if asked is None else asked.sni,
            session.alpn,
            [] if asked is None else asked.alpn,
            session.resumed,
            session.is_retried,
            session.early_data,
            None if asked is None else asked.has_ech,
            "no",
            _NO_KEYS,
            session.close_notify("client"),
            session.close_notify("server"),
            session.ends_with_alert("client"),
            session.ends_with_alert("server"),
            self._alert,
            self._hellos.get("client"),
            self._hellos.get("server"),
            self._finished.get("client"),
            self._finished.get("server"),
            session.sides["client"].records,
            session.sides["server"].records,
        )


class TlsSide:
    """The receiver of one side's bytes."""

    def __init__(
        self, tls: TlsConnection, writer: RecordWriter, start: int, usual: Successor
    ) -> None:
        self._tls = tls
        self._writer = writer
        self._usual = usual
        self._decoder = TlsSideDecoder(start)

    def join(self, *, is_at_border: bool) -> None:
        """Begin in the middle: at the border of a record, or at one that is still to be found."""
        self._tls.session.lose(self._writer.sender)
        self._decoder.join(is_at_border=is_at_border)

    def receive_data(self, data: bytes) -> list[Record]:
        return self._beside(self._usual.receive_data(data), self._decoder.receive_data(data))

    def receive_gap(self, length: int) -> list[Record]:
        return self._lose(self._usual.receive_gap(length), length)

    def pass_over(self, length: int) -> list[Record]:
        """Take note of missing bytes whose gap is recorded already."""
        return self._lose(self._usual.pass_over(length), length)

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return self._usual.receive_fault(fault, shown)

    def receive_eof(self, ending: Ending) -> list[Record]:
        records = self._beside([], self._decoder.receive_eof(ending))
        self._tls.session.end(self._writer.sender, ending, self._decoder.is_at_border)
        return records + self._usual.receive_eof(ending)

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return self._usual.open_offsets + self._decoder.open_offsets

    def _lose(self, records: list[Record], length: int) -> list[Record]:
        self._tls.session.lose(self._writer.sender)
        return self._beside(records, self._decoder.receive_gap(length))

    def _beside(self, records: list[Record], found: Iterable[Event]) -> list[Record]:
        """Return ``records`` with those of what was found among them."""
        own: list[Record] = []
        for event in found:
            self._tls.note(self._writer, event)
            own += self._write(event)
        return in_order(records + own) if own else records

    def _write(self, found: Event) -> list[Record]:
        tls, writer = self._tls, self._writer
        match found:
            case TlsRecord() if tls.shows_records:
                return [_record(writer, found, tls.exchange)]
            case Alert(level=level) if LEVELS[level] == "fatal":
                detail = f"{description_of(found.description)}, from the {writer.sender}"
                fault = diagnose("tls-alert-fatal", found.start, found.end, detail)
                return [writer.diagnostic(fault, tls.exchange)]
            case Diagnostic():
                return [writer.diagnostic(found, tls.exchange)]
        return []


def _record(writer: RecordWriter, found: TlsRecord, exchange: int | None) -> TlsRecordRecord:
    return TlsRecordRecord(
        writer.connection,
        exchange,
        writer.sender,
        *writer.place(found.start, found.end),
        found.start,
        found.end - found.start,
        TYPE_NAMES[found.type],
        found.size,
        found.missing,
        "no",
        layer=writer.layer,
        stream_id=writer.stream_id,
    )
