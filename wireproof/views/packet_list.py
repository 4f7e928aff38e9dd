"""``--view wireshark``: the packet list as tshark prints it, and in it what tshark leaves out.

Strategy: packets are decoded one by one, so each row says at once what its packet completed: a
chunk, an event, a frame stand at the packet that brought them, not at the end of the message. What
tshark shows too (start lines, the names of frames) comes first, in its words; what it leaves out
follows ``▸``. A row is printed when it is made and nothing of it is kept. What turns out
later about a packet whose row has been printed gets a line of its own, at the time.

All text from the wire has gone through :mod:`..text.escape` before it is put into a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TextIO

from parsers.decode.packets import PacketDecoder
from parsers.files.packets import NANOSECONDS, Packet
from parsers.files.reader import CaptureReader
from parsers.records import (
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..analysis.packet_comments import PacketComment, PacketComments, shown
from ..text.wording import RELAYED
from .display_filter import display_filter
from .lines import fit, measure
from .packet_rows import PacketRows

MARK = "▸"
"""Stands before what tshark leaves out."""
MAX_START_LINE = 200
"""Characters of a start line that a row shows."""
HEADING = ("No.", "Time", "Source", "Destination", "Protocol", "Length", "Info")
INDENT = " " * 6
FRAMES = {"close": "Connection Close"}
"""Frames that tshark calls otherwise than RFC 6455 section 5.2."""


class Carried(NamedTuple):
    """What a packet completed."""

    protocol: str | None
    """``HTTP`` or ``WebSocket``, None if it is only TCP's."""
    heads: list[str]
    """What tshark shows of it, too."""
    marks: list[str]
    """What it leaves out."""


class PacketList:
    """Prints a row for each packet to ``stream``, cut to ``width`` cells if that is given.

    Only packets of ``connection`` if that is given. With ``filters`` each row is followed by the
    display filters of what it completed.
    """

    def __init__(
        self,
        stream: TextIO,
        width: int | None,
        *,
        connection: int | None = None,
        filters: bool = False,
        keep_data: bool = True,
    ) -> None:
        self._stream = stream
        self._width = width
        self._connection = connection
        self._filters = filters
        wanted = None if connection is None else {connection, None}.__contains__
        self._decoder = PacketDecoder(keep_data=keep_data, wanted=wanted)
        self._rows = PacketRows()
        self._comments = PacketComments()
        self._start = 0
        self._digits = 6

    def show(self, capture: CaptureReader) -> int:
        """Print the list of a capture's packets, and return how many rows it has."""
        packets = iter(capture)
        rows = 0
        for packet in packets:
            self._begin(capture, packet)  # the first one
            rows += self._add(packet)
            break
        for packet in packets:
            rows += self._add(packet)
        end = self._decoder.finish() + self._decoder.report(capture.faults)
        self._late(end)
        self._stream.flush()
        return rows

    def flush(self) -> None:
        """Hand all rows to whoever reads them."""
        self._stream.flush()

    def _begin(self, capture: CaptureReader, first: Packet) -> None:
        """Print the heading; times have as many digits as the capture's clock."""
        self._start = first[1] or 0
        fine = any(interface.ticks_per_second > 10**6 for interface in capture.interfaces)
        self._digits = 9 if fine else 6
        if any(interface.is_relay for interface in capture.interfaces):
            self._print(RELAYED)
        number, time, source, destination, *rest = HEADING
        width = self._digits + 4
        self._print(
            f"{number:>5} {time:>{width}} {source:>12}   {destination:<12} {' '.join(rest)}"
        )

    def _add(self, packet: Packet) -> bool:
        """Decode a packet and print its row; return whether there is one."""
        number, time_ns, _, length, _ = packet
        records = self._decoder.receive([packet])
        row = self._rows.read(packet)
        if self._connection is not None:
            own = None if row.key is None else self._decoder.connection_of(row.key)
            if own != self._connection:
                self._late(records)
                return False
        here = [record for record in records if record.last_packet == number]
        carried = self._carried(here)
        info = " ".join([*carried.heads, *(f"{MARK} {mark}" for mark in carried.marks)])
        if not carried.protocol:
            info = f"{row.info} {info}".rstrip()
        self._print(
            f"{number:>5} {self._time(time_ns):>{self._digits + 4}} {row.source:>12} → "
            f"{row.destination:<12} {carried.protocol or row.protocol} {length} {info}"
        )
        self._print_filters(here)
        self._late([record for record in records if record.last_packet != number])
        return True

    def _time(self, time_ns: int | None) -> str:
        """Return the seconds since the first packet, exactly, as tshark writes them."""
        if time_ns is None:
            return ""
        elapsed = time_ns - self._start
        seconds, fraction = divmod(abs(elapsed), NANOSECONDS)
        sign = "-" if elapsed < 0 else ""
        return f"{sign}{seconds}.{fraction:09}"[: self._digits - 9 or None]

    def _carried(self, records: Sequence[Record]) -> Carried:
        carried = Carried(_protocol(records), [], [])
        for record in records:
            head = _head(record)
            if head is not None:
                carried.heads.append(head)
            for comment in self._completed(record):
                said = comment.text + comment.tail if head is None else comment.tail
                if mark := said.removeprefix(",").strip():
                    carried.marks.append(mark)
        return carried

    def _completed(self, record: Record) -> list[PacketComment]:
        """Return what is said of the packet that completed a record; the rest is known too late."""
        found = [comment for comment in self._comments.add(record) if comment.completes]
        self._comments.later.clear()
        return found

    def _late(self, records: Sequence[Record]) -> None:
        """Print what became clear about packets whose rows have been printed."""
        for record in records:
            for comment in self._completed(record):
                where = f"frame {comment.packet}" if comment.packet > 0 else "no frame"
                self._print(f"{INDENT}{MARK} {where}: {comment.text}{comment.tail}")
            self._print_filters([record])

    def _print_filters(self, records: Sequence[Record]) -> None:
        """Print each filter once; more than one element may have the same."""
        if not self._filters:
            return
        found = dict.fromkeys(display_filter(record) for record in records)
        for text in filter(None, found):
            # Whole, whatever the width: it is to be copied.
            self._stream.write(f"{INDENT}{text}\n")

    def _print(self, text: str) -> None:
        line = [(text.rstrip(), "")]
        if self._width is not None and measure(line) > self._width:
            line = fit(line, self._width)
        self._stream.write("".join(piece for piece, _ in line) + "\n")


def _protocol(records: Sequence[Record]) -> str | None:
    """Return the protocol of what a packet completed: WebSocket if some of it is."""
    found = None
    for record in records:
        if isinstance(record, WebSocketFrameRecord | WebSocketMessageRecord):
            return "WebSocket"
        if not isinstance(record, ConnectionRecord | DiagnosticRecord | GapRecord):
            found = "HTTP"
    return found


def _head(record: Record) -> str | None:
    """Return what tshark shows of a record, in its words; None if it shows nothing."""
    match record:
        case RequestRecord():
            return shown(f"{record.method} {record.target} {record.version}", MAX_START_LINE)
        case ResponseRecord():
            return shown(f"{record.version} {record.status} {record.reason}", MAX_START_LINE)
        case WebSocketFrameRecord():
            name = FRAMES.get(record.opcode_name, record.opcode_name.capitalize())
            fin = " [FIN]" if record.fin else "[FRAGMENT]"
            return f"WebSocket {name}{fin}{' [MASKED]' * record.masked}"
    return None
