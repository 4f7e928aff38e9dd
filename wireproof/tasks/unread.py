"""What the records of exchanges do not show: told to the user, once, when all is decoded.

That is connections that hold no exchange that can be read, what a connection lacks as a whole, and
that the capture itself is cut or damaged.

Without a word about them a capture of nothing but TLS looks as if nothing were wrong with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from parsers import CaptureFault
from parsers.diagnostics import diagnose
from parsers.records import ConnectionRecord, DiagnosticRecord, Record, TlsConnectionRecord

from ..text.escape import escape
from ..text.wording import count, span

REASONS = {
    "tls": (
        "TLS connection",
        "not decrypted: give its keys with --keylog, or record where the traffic is plain",
    ),
    "quic": ("QUIC connection", "not decrypted: give its keys with --keylog"),
    "refused": ("connection", "refused: is the server up, and is this its port?"),
    "unanswered": (
        "connection",
        "not answered: is the address right, is the host up, does a firewall drop packets?",
    ),
    "unknown": ("connection", "of another protocol, neither HTTP nor TLS"),
}
"""What connections are called, and what is said of them, by protocol or by how they ended."""
OF_A_CONNECTION = frozenset(("tcp-start-missing", "tcp-closer-unknown"))
"""Notes that are of no exchange, and that whoever reads of its exchanges should know."""
REMEDIES = {"packet-cut": "record whole packets (tcpdump -s 0)"}
"""What to do about what a capture itself lacks, where that helps."""
FAULTS_TOLD = 5
"""Connections whose own fault is told; of the others, how many there are."""
SYN_RETRANSMITTED = 1.0
"""Seconds after which a SYN is sent again at the earliest (RFC 6298 section 2)."""


def is_of_capture(record: DiagnosticRecord) -> bool:
    """Tell whether something is wrong with the capture itself: it is not whole."""
    return record.connection is None and (record.severity != "note" or record.code in REMEDIES)


class CaptureFaults:
    """Keeps the first fault of each kind that a capture itself has, and how many there are."""

    def __init__(self) -> None:
        self._found: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def noting(self, batches: Iterable[list[Record]]) -> Iterator[list[Record]]:
        """Yield batches; note the faults in them."""
        for records in batches:
            self.note(records)
            yield records

    def note(self, records: Iterable[Record]) -> None:
        """Note the faults in records."""
        for record in records:
            if type(record) is DiagnosticRecord and is_of_capture(record):
                self.add(record)

    def add(self, fault: DiagnosticRecord) -> None:
        """Note a fault of the capture."""
        self._add(fault.code, fault.summary)

    def _add(self, code: str, summary: str) -> None:
        self._found[code] += 1
        self._first.setdefault(code, escape(summary))

    def of_file(self, faults: Iterable[CaptureFault]) -> None:
        """Note what is wrong with a file that was read without making records of it."""
        for fault in faults:
            self._add(fault.code, diagnose(fault.code, 0, 0, fault.text).summary)

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each kind."""
        for code, said in self._first.items():
            if code in REMEDIES:
                said += f"; {REMEDIES[code]}"
            more = self._found[code] - 1
            yield f"{said}; {more:,} more like it" if more else said


class Unread:
    """Counts the connections that hold nothing to read, by their reason; keeps what others lack."""

    def __init__(self) -> None:
        self._found: Counter[str] = Counter()
        self._faults: list[str] = []
        self._notes: list[str] = []
        self._of_capture = CaptureFaults()
        self._opened: set[int] = set()
        """The open connections that were decrypted."""
        self._faulty: dict[int, DiagnosticRecord] = {}
        """The first fault of each open connection that lies outside of its exchanges."""

    def noting(self, batches: Iterable[list[Record]]) -> Iterator[list[Record]]:
        """Yield batches; note the connections in them."""
        for records in batches:
            self.note(records)
            yield records

    def note(self, records: Iterable[Record | None]) -> None:
        """Note the connections in records."""
        for record in records:
            if type(record) is ConnectionRecord:
                self._close(record)
            elif type(record) is TlsConnectionRecord and record.decrypted == "yes":
                self._opened.add(record.connection)
            elif type(record) is DiagnosticRecord:
                self._note(record)

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each reason that was found, and for each fault that tells why."""
        yield from self._of_capture.sentences()
        for reason, (name, said) in REASONS.items():
            if self._found[reason]:
                yield f"{count(self._found[reason], name)} {said}"
        yield from self._faults
        if more := self._found["faulty"] - len(self._faults):
            yield f"{count(more, 'more connection')} with a fault and no exchange"
        yield from self._notes
        if more := self._found["noted"] - len(self._notes):
            yield f"{count(more, 'more note')} of what connections lack"

    def _note(self, record: DiagnosticRecord) -> None:
        if is_of_capture(record):
            self._of_capture.add(record)
        elif _is_fault(record):
            self._faulty.setdefault(record.connection or 0, record)
        elif record.code in OF_A_CONNECTION:
            self._found["noted"] += 1
            if len(self._notes) < FAULTS_TOLD:
                self._notes.append(f"connection {record.connection}: {escape(record.summary)}")

    def _close(self, connection: ConnectionRecord) -> None:
        """Note a connection that is over. One that was decrypted, and on which nothing was asked,
        has hidden nothing."""
        number = connection.connection
        fault = self._faulty.pop(number, None)
        is_opened = number in self._opened
        self._opened.discard(number)
        reason = _reason(connection)
        if fault is not None and connection.protocol in ("unknown", "socks"):
            self._found["faulty"] += 1
            if len(self._faults) < FAULTS_TOLD:
                self._faults.append(_told(fault))
        else:
            self._found[reason] += not (is_opened and reason == "tls")


def _is_fault(record: DiagnosticRecord) -> bool:
    """Tell whether something is wrong with a connection outside of its exchanges."""
    is_outside = record.connection is not None and record.exchange is None
    return is_outside and record.severity != "note"


def _told(fault: DiagnosticRecord) -> str:
    packets = span(fault.first_packet, fault.last_packet)
    word = "packet" if fault.first_packet == fault.last_packet else "packets"
    return f"connection {fault.connection}: {escape(fault.summary)} ({word} {packets})"


def _reason(connection: ConnectionRecord) -> str:
    if connection.close == "refused":
        return "refused"
    if connection.protocol != "unknown" or connection.client_bytes or connection.server_bytes:
        return connection.protocol
    return "unanswered" if _is_unanswered(connection) else "empty"


def _is_unanswered(connection: ConnectionRecord) -> bool:
    """Tell whether a client sent its SYN again, and nothing came back."""
    waited = connection.last_time - connection.first_time
    is_opening = connection.rtt is None and not (connection.midstream or connection.ends)
    return is_opening and connection.packets > 1 and waited >= SYN_RETRANSMITTED
