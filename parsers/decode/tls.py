"""TLS beside what else is made of its bytes: its records, and what is known of it in the end.

Strategy: nothing is decrypted, so whoever took these bytes before still gets them: they are passed
over, or have rows as what follows a switch of protocols. The record of the connection needs what
both sides said last: it stands before that of the connection itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics import Diagnostic, diagnose
from ..memory import Account
from ..provenance import Completion, Ending, Event
from ..records import Record, Sender, TlsAlert, TlsConnectionRecord, TlsRecordRecord
from ..streams import ByteStream
from ..tls.alerts import LEVELS, description_of
from ..tls.cipher_suites import suite_name
from ..tls.decryption import ClearRecord, ClosedRecord, OpenedRecord, Results
from ..tls.handshake import FINISHED, HandshakeMessage
from ..tls.hello import ServerHello
from ..tls.key_finder import KeySource
from ..tls.records import ALERT, APPLICATION_DATA, TYPE_NAMES, TlsRecord
from ..tls.resynchronise import HEADER_SIZE, fragment_length
from ..tls.session import TlsSession
from ..tls.side import ALERT_SIZE, Alert, TlsSideDecoder
from .side import Successor, completion, is_of_requests
from .tls_plaintext import Recogniser, TlsPlaintext
from .writer import RecordWriter

_NO_KEYS = "no keys"


class TlsConnection:
    """TLS on one connection, whose records belong to ``exchange``, if it is in a tunnel.

    With ``shows_records`` each of its records is one; unless those that are ``opened`` are wanted,
    not where their content is read. ``account`` is charged with what waits.
    """

    def __init__(
        self,
        connection: int,
        exchange: int | None,
        *,
        shows_records: bool,
        opened: bool = True,
        keys: KeySource | None,
        recognise: Recogniser,
        account: Account,
    ) -> None:
        self.exchange = exchange
        self.shows_records = shows_records
        self._shows_content = shows_records and (opened or exchange is not None)
        self.session = TlsSession()
        self._connection = connection
        self._first: Completion | None = None
        self._alert: TlsAlert | None = None
        self._hellos: dict[Sender, float] = {}
        self._finished: dict[Sender, float] = {}
        self._writers: dict[Sender, RecordWriter] = {}
        self._plaintext = None if keys is None else TlsPlaintext(keys, recognise, account)

    @property
    def name(self) -> str:
        """What it carries, ``unknown`` unless that was decrypted and recognised."""
        plaintext = self._plaintext
        return "unknown" if plaintext is None or plaintext.inner is None else plaintext.inner.name

    @property
    def is_decrypted(self) -> bool:
        """Whether keys are looked for: then what records hold is kept."""
        return self._plaintext is not None

    def side(
        self, stream: ByteStream[Record], writer: RecordWriter, start: int, usual: Successor
    ) -> TlsSide:
        """Return the receiver of a side's bytes from ``start`` on; ``usual`` gets them too."""
        self._writers[writer.sender] = writer
        if self._plaintext is not None:
            self._plaintext.streams[writer.sender].below = stream
            self._plaintext.decryption.begin(writer.sender, start, is_joined=False)
        return TlsSide(self, writer, start, usual)

    def join(self, sender: Sender, start: int) -> None:
        """Take note that a side begins in the middle."""
        self.session.lose(sender)
        if self._plaintext is not None:
            self._plaintext.decryption.begin(sender, start, is_joined=True)

    def lose(self, sender: Sender) -> None:
        """Take note that bytes of a side are missing."""
        self.session.lose(sender)
        if self._plaintext is not None:
            self._plaintext.streams[sender].lose()

    def decrypt(self, sender: Sender, found: Event) -> list[Record]:
        """Return what comes of a side's next record, or of what has waited for it."""
        if self._plaintext is None:
            return []
        if isinstance(found, ServerHello):
            self._plaintext.alpn = found.alpn
        return self._read(self._plaintext.decryption.receive(sender, found))

    @property
    def is_read(self) -> bool:
        """Whether what it carries is known: then nobody else needs its bytes."""
        return self._plaintext is not None and self._plaintext.inner is not None

    def open_run(
        self, writer: RecordWriter, data: bytes, pos: int, decoder: TlsSideDecoder
    ) -> tuple[int, list[Record]]:
        """Open records of content past the layers between; return where they end."""
        if self._plaintext is None or self._shows_content:
            return pos, []
        end, records, count, last = self._plaintext.open_run(writer, data, pos, decoder.offset)
        if last is not None:
            decoder.pass_over(end - pos)
            self.session.count(writer.sender, count, last)
        return end, records

    def end(self, sender: Sender, ending: Ending, decoder: TlsSideDecoder) -> list[Record]:
        """Take note that a side sends no more; return what comes of it."""
        self.session.end(sender, ending, decoder.is_at_border)
        if self._plaintext is None:
            return []
        return self._read(self._plaintext.decryption.end(sender, ending, decoder.unread))

    def _read(self, results: Results) -> list[Record]:
        records: list[Record] = []
        for sender, found in results:
            writer = self._writers[sender]
            records += self._note_sealed(writer, found)
            before = self._size_of_plaintext(sender)
            assert self._plaintext is not None
            has_row = self._has_row(found)
            records += self._plaintext.receive(sender, found, writer)
            if has_row:
                is_content = self._size_of_plaintext(sender) != before
                records += self._rows(writer, found, before if is_content else None)
        return records

    def _has_row(self, found: Event) -> bool:
        """Whether a record has one: content that goes on where it is read need not."""
        is_content = isinstance(found, OpenedRecord) and found.type == APPLICATION_DATA
        return self.shows_records and (self._shows_content or not (is_content and self.is_read))

    def _size_of_plaintext(self, sender: Sender) -> int:
        """Return how many bytes of what a side sent are known, decrypted, or known to be lost."""
        return 0 if self._plaintext is None else self._plaintext.streams[sender].origins.size

    def _note_sealed(self, writer: RecordWriter, found: Event) -> list[Record]:
        """Take what was encrypted as what is in the clear is taken."""
        match found:
            case HandshakeMessage(type=kind) if kind == FINISHED:
                self._finished.setdefault(writer.sender, writer.place(found.start, found.end)[3])
            case OpenedRecord(start=start, end=end, type=kind, content=content) if kind == ALERT:
                if len(content) == ALERT_SIZE and content[0] in LEVELS:
                    alert = Alert(start, end, *content)
                    self.note_alert(writer, alert)
                    return alert_diagnostics(writer, alert, self.exchange)
            case Diagnostic():
                return [writer.diagnostic(found, self.exchange)]
        return []

    def _rows(self, writer: RecordWriter, found: Event, offset: int | None) -> list[Record]:
        match found:
            case OpenedRecord(record=record, type=kind, content=content):
                inner = TYPE_NAMES.get(kind, str(kind)), len(content), offset
                return [_record(writer, record, self.exchange, inner)]
            case ClosedRecord(record=record) | ClearRecord(record=record):
                return [_record(writer, record, self.exchange)]
        return []

    def last_words(self, last: Completion) -> list[Record]:
        """Return what is known in the end; ``last`` is the connection's last packet."""
        inner = None if self._plaintext is None else self._plaintext.inner
        return [self.record(last), *(() if inner is None else inner.last_words(last))]

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
        if isinstance(found, Alert):
            self.note_alert(writer, found)

    def note_alert(self, writer: RecordWriter, alert: Alert) -> None:
        """Keep the first fatal alert, in the clear or decrypted."""
        if LEVELS[alert.level] != "fatal" or self._alert is not None:
            return
        _, packet, _, time = writer.place(alert.start, alert.end)
        self._alert = {
            "sender": writer.sender, "level": "fatal", "description": alert.description,
            "name": description_of(alert.description), "packet": packet, "time": time,
        }  # fmt: skip

    @property
    def _version(self) -> str | None:
        found = self.session.version
        if found is None and self._plaintext is not None:
            return self._plaintext.decryption.keys.version  # by a key that fits
        return found

    @property
    def _suite(self) -> int | None:
        chosen = self.session.server_hello
        if chosen is not None:
            return chosen.cipher_suite
        return None if self._plaintext is None else self._plaintext.decryption.keys.cipher_suite

    def _close_notify(self, sender: Sender) -> bool | None:
        found = self.session.close_notify(sender)
        if found is None and self._plaintext is not None:
            found = self._plaintext.decryption.says_end(sender)
            is_cut = found is False and not self.session.sides[sender].ends_at_border
            return None if is_cut else found
        return found

    def record(self, last: Completion) -> TlsConnectionRecord:
        """Return what is known; ``last`` is the connection's last packet."""
        session = self.session
        asked = session.client_hello
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
            self._version,
            None if self._suite is None else suite_name(self._suite),
            None if asked is None else asked.sni,
            session.alpn if self._plaintext is None else self._plaintext.alpn,
            [] if asked is None else asked.alpn,
            session.resumed,
            session.is_retried,
            session.early_data,
            None if asked is None else asked.has_ech,
            "no" if self._plaintext is None else self._plaintext.decryption.amount,
            _NO_KEYS if self._plaintext is None else self._plaintext.decryption.reason,
            self._close_notify("client"),
            self._close_notify("server"),
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
        self._start = start
        self._decoder = TlsSideDecoder(start, keeps_all=tls.is_decrypted)

    def join(self, *, is_at_border: bool) -> None:
        """Begin in the middle: at the border of a record, or at one that is still to be found."""
        self._tls.join(self._writer.sender, self._start)
        self._decoder.join(is_at_border=is_at_border)

    def receive_data(self, data: bytes) -> list[Record]:
        if not self._tls.is_decrypted:
            return self._beside(self._usual.receive_data(data), self._decoder.receive_data(data))
        records = [] if self._tls.is_read else self._usual.receive_data(data)
        pos = 0
        while pos < len(data):
            if self._decoder.is_at_border:
                pos, found = self._tls.open_run(self._writer, data, pos, self._decoder)
                records += found
                if pos == len(data):
                    break
            end = self._end_of_record(data, pos)
            records += self._beside([], self._decoder.receive_data(data[pos:end]))
            pos = end
        return records

    def _end_of_record(self, data: bytes, pos: int) -> int:
        """Return where the record ends that is open, or begins at ``pos`` of ``data``."""
        left = self._decoder.left
        if left is None and self._decoder.is_at_border and len(data) - pos >= HEADER_SIZE:
            left = HEADER_SIZE + (fragment_length(data[pos : pos + HEADER_SIZE]) or len(data))
        return len(data) if left is None else min(pos + left, len(data))

    def receive_gap(self, length: int) -> list[Record]:
        if not self._tls.is_read:
            return self._lose(self._usual.receive_gap(length), length)
        # What is decrypted is not the usual receiver's: it does not know how far its side has come.
        gap = self._writer.gap(self._decoder.offset, length, self._tls.exchange)
        return self._lose([gap, *self._usual.pass_over(length)], length)

    def pass_over(self, length: int) -> list[Record]:
        """Take note of missing bytes whose gap is recorded already."""
        return self._lose(self._usual.pass_over(length), length)

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [] if is_of_requests(fault) else self._usual.receive_fault(fault, shown)

    def receive_eof(self, ending: Ending) -> list[Record]:
        records = self._beside([], self._decoder.receive_eof(ending))
        records += self._tls.end(self._writer.sender, ending, self._decoder)
        return records if self._tls.is_read else records + self._usual.receive_eof(ending)

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return self._usual.open_offsets + self._decoder.open_offsets

    def _lose(self, records: list[Record], length: int) -> list[Record]:
        self._tls.lose(self._writer.sender)
        return self._beside(records, self._decoder.receive_gap(length))

    def _beside(self, records: list[Record], found: Iterable[Event]) -> list[Record]:
        """Return ``records`` with those of what was found among them."""
        own: list[Record] = []
        for event in found:
            self._tls.note(self._writer, event)
            own += self._write(event)
            own += self._tls.decrypt(self._writer.sender, event)
        return sorted(records + own, key=completion) if own else records

    def _write(self, found: Event) -> list[Record]:
        tls, writer = self._tls, self._writer
        match found:
            case TlsRecord() if tls.shows_records and not tls.is_decrypted:
                return [_record(writer, found, tls.exchange)]
            case Alert():
                return alert_diagnostics(writer, found, tls.exchange)
            case Diagnostic():
                return [writer.diagnostic(found, tls.exchange)]
        return []


def alert_diagnostics(writer: RecordWriter, alert: Alert, exchange: int | None) -> list[Record]:
    """Say that an alert ends the connection, if it does."""
    if LEVELS[alert.level] != "fatal":
        return []
    detail = f"{description_of(alert.description)}, from the {writer.sender}"
    fault = diagnose("tls-alert-fatal", alert.start, alert.end, detail)
    return [writer.diagnostic(fault, exchange)]


def _record(
    writer: RecordWriter,
    found: TlsRecord,
    exchange: int | None,
    inner: tuple[str, int, int | None] | tuple[None, None, None] = (None, None, None),
) -> TlsRecordRecord:
    """Write a record; ``inner`` are the type and the size of what it holds, if it was decrypted,
    and where that begins in what its sender sent."""
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
        "no" if inner[0] is None else "yes",
        *inner,
        layer=writer.layer,
        stream_id=writer.stream_id,
    )
