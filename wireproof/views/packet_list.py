"""``--view wireshark``: the packet list as tshark prints it, and in it what tshark leaves out.

Strategy: packets are decoded one by one, so each row says what its packet completed: a chunk, an
event, a frame stand at the packet that brought them, not at the end of the message. What tshark
shows too (start lines, the names of frames) comes first, in its words; what it leaves out follows
``▸``. A row is printed when it is made and nothing of it is kept; of a file those of some packets
are made together. What turns out later about a packet whose row has been printed gets a line of its
own, at the time.

All text from the wire has gone through :mod:`..text.escape` before it is put into a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, TextIO

from parsers import BATCH, NANOSECONDS, OrderedCapture, Packet, PacketDecoder
from parsers.records import (
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    QuicPacketRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    TlsConnectionRecord,
    TlsRecordRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..analysis.packet_comments import PacketComment, PacketComments, shown
from ..dialects.reader import DialectReader, Readers
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
LINES = 256
"""Of a file so many are written together."""
FRAMES = {"close": "Connection Close"}
"""Frames that tshark calls otherwise than RFC 6455 section 5.2."""

PROTOCOLS: Mapping[type[Record], str | None] = {
    **dict.fromkeys((WebSocketFrameRecord, WebSocketMessageRecord), "WebSocket"),
    **{TlsRecordRecord: "TLS", QuicPacketRecord: "QUIC"},
    **dict.fromkeys((ConnectionRecord, DiagnosticRecord, GapRecord, TlsConnectionRecord)),
}
"""What a record is of; all others are of HTTP."""
WITH_HEADS = frozenset((RequestRecord, ResponseRecord, WebSocketFrameRecord))
"""What tshark shows something of."""


class Carried(NamedTuple):
    """What a packet completed."""

    protocol: str | None
    """``HTTP``, ``WebSocket`` or ``TLS``, None if it is only TCP's."""
    heads: list[str]
    """What tshark shows of it, too."""
    marks: list[str]
    """What it leaves out."""


class ListLine(NamedTuple):
    """A line of the list."""

    text: str
    packet: int | None = None
    """Whose row it is; None for what stands above the rows or beneath one."""
    is_whole: bool = False
    """Whether it is printed whole, whatever the width: a filter is to be copied."""


class ListedPackets:
    """Makes the lines of a packet list, a row for each packet.

    Only packets of ``connection`` if that is given. With ``filters`` each row is followed by the
    display filters of what it completed.
    """

    def __init__(
        self,
        *,
        connection: int | None = None,
        filters: bool = False,
        keep_data: bool = True,
        shows_records: bool = False,
        readers: Readers = DialectReader,
    ) -> None:
        self._connection = connection
        self._filters = filters
        wanted = None if connection is None else {connection, None}.__contains__
        self._decoder = PacketDecoder(
            keep_data=keep_data, shows_records=shows_records, wanted=wanted
        )
        self._rows = PacketRows()
        self._comments = PacketComments(readers)
        self._start = 0
        self._digits = 6

    def lines(self, capture: OrderedCapture, most: int = BATCH) -> Iterator[ListLine]:
        """Yield the lines of a capture's packets, rows when ``most`` packets have been decoded.

        Of a capture that goes on ``most`` is 1, so that each row comes when its packet does.
        """
        is_first = True
        self._decoder.keys = capture.keys
        if self._connection is not None:
            most = 1  # whose a packet is, is asked before the next one
        for packets in capture.batches(most, lambda: self._decoder.room):
            if is_first:
                yield from self._begin(capture, packets[0])
                is_first = False
            # In turn, decoding and showing would drive each other out of the processor's cache.
            completed = self._decoder.receive_each(packets)
            for packet, records in zip(packets, completed, strict=True):
                yield from self._add(packet, records)
        end = self._decoder.finish() + self._decoder.report(capture.faults)
        yield from self._late(end)

    def _begin(self, capture: OrderedCapture, first: Packet) -> Iterator[ListLine]:
        """Yield the heading; times have as many digits as the capture's clock."""
        self._start = first[1] or 0
        fine = any(interface.ticks_per_second > 10**6 for interface in capture.interfaces)
        self._digits = 9 if fine else 6
        if any(interface.is_relay for interface in capture.interfaces):
            yield ListLine(RELAYED)
        number, time, source, destination, *rest = HEADING
        width = self._digits + 4
        yield ListLine(
            f"{number:>5} {time:>{width}} {source:>12}   {destination:<12} {' '.join(rest)}"
        )

    def _add(self, packet: Packet, records: Sequence[Record]) -> Iterable[ListLine]:
        """Return the row of a packet if it is of the connection, and what it tells."""
        number, time_ns, _, length, _ = packet
        row = self._rows.read(packet)
        if self._connection is not None:
            own = None if row.key is None else self._decoder.connection_of(row.key)
            if own != self._connection:
                return self._late(records)
        begin = (
            f"{number:>5} {self._time(time_ns):>{self._digits + 4}} {row.source:>12} → "
            f"{row.destination:<12} "
        )
        if not records and row.info:  # as of half of all packets: they acknowledge
            return (ListLine(f"{begin}{row.protocol} {length} {row.info}", number),)
        here = [record for record in records if record.last_packet == number]
        carried = self._carried(here)
        # tshark's row of such a packet has no TCP flags, and so not what ends the connection.
        marks = (
            [*carried.marks, f"TCP {row.ends}"] if carried.protocol and row.ends else carried.marks
        )
        info = " ".join([*carried.heads, *[f"{MARK} {mark}" for mark in marks]])
        if not carried.protocol:
            info = f"{row.info} {info}".rstrip()
        line = ListLine(f"{begin}{carried.protocol or row.protocol} {length} {info}", number)
        if len(here) == len(records) and not self._filters:
            return (line,)
        late = [record for record in records if record.last_packet != number]
        return chain((line,), self._filters_of(here), self._late(late))

    def _time(self, time_ns: int | None) -> str:
        """Return the seconds since the first packet, exactly, as tshark writes them."""
        if time_ns is None:
            return ""
        elapsed = time_ns - self._start
        seconds, fraction = divmod(abs(elapsed), NANOSECONDS)
        sign = "-" if elapsed < 0 else ""
        return f"{sign}{seconds}.{fraction:09}"[: self._digits - 9 or None]

    def _carried(self, records: Sequence[Record]) -> Carried:
        if len(records) == 2 and (event := self._event(*records)) is not None:
            return event
        carried = Carried(_protocol(records), [], [])
        for record in records:
            head = _head(record)
            if head is not None:
                carried.heads.append(head)
            carried.marks.extend(_marks(self._completed(record), with_text=head is None))
        return carried

    def _event(self, chunk: Record, event: Record) -> Carried | None:
        """Return what a packet completed, if that is a chunk and the event in it, as most do."""
        if not (isinstance(chunk, ChunkRecord) and isinstance(event, SseEventRecord)):
            return None
        found = self._comments.add_event(chunk, event)
        self._comments.later.clear()
        if found is None:
            return None
        said = f"{found.chunk}{found.size}", found.dialect, found.event
        return Carried("HTTP", [], [mark for text in said if (mark := text.strip())])

    def _completed(self, record: Record) -> list[PacketComment]:
        """Return what is said of the packet that completed a record; the rest is known too late."""
        found = [comment for comment in self._comments.add(record) if comment.completes]
        self._comments.later.clear()
        return found

    def _late(self, records: Sequence[Record]) -> Iterator[ListLine]:
        """Yield what became clear about packets whose rows have been printed."""
        for record in records:
            for comment in self._completed(record):
                where = f"frame {comment.packet}" if comment.packet > 0 else "no frame"
                yield ListLine(f"{INDENT}{MARK} {where}: {comment.text}{comment.tail}")
            yield from self._filters_of([record])

    def _filters_of(self, records: Sequence[Record]) -> Iterator[ListLine]:
        """Yield each filter once; more than one element may have the same."""
        if not self._filters:
            return
        found = dict.fromkeys(display_filter(record) for record in records)
        for text in filter(None, found):
            yield ListLine(f"{INDENT}{text}", is_whole=True)


class PacketList:
    """Prints a packet list to ``stream``, cut to ``width`` cells if that is given."""

    def __init__(self, stream: TextIO, width: int | None, rows: ListedPackets) -> None:
        self._stream = stream
        self._width = width
        self._rows = rows

    def show(self, capture: OrderedCapture, most: int = BATCH) -> int:
        """Print a capture's packets, ``most`` at a time, and return how many rows there are."""
        rows = 0
        together = 1 if most == 1 else LINES
        texts: list[str] = []
        try:
            for line in self._rows.lines(capture, most):
                rows += line.packet is not None
                texts.append(fitted(line, self._width))
                if len(texts) == together:
                    self._print(texts)
        finally:
            self._print(texts)
        self._stream.flush()
        return rows

    def _print(self, texts: list[str]) -> None:
        """Print lines, and forget them."""
        if texts:
            text = "\n".join(texts) + "\n"
            texts.clear()
            self._stream.write(text)

    def flush(self) -> None:
        """Hand all rows to whoever reads them."""
        self._stream.flush()


def fitted(line: ListLine, width: int | None) -> str:
    """Return the text of a line, cut to ``width`` cells if that is given."""
    if line.is_whole:
        return line.text
    text = line.text.rstrip()
    if width is None:
        return text
    pieces = [(text, "")]
    return text if measure(pieces) <= width else "".join(one for one, _ in fit(pieces, width))


def _marks(comments: Iterable[PacketComment], *, with_text: bool) -> list[str]:
    """Return what is said after ``▸``; without the text of each where tshark says that too."""
    said = [one.text + one.tail if with_text else one.tail for one in comments]
    return [mark for text in said if (mark := text.removeprefix(",").strip())]


def _protocol(records: Sequence[Record]) -> str | None:
    """Return the protocol of what a packet completed: WebSocket if some of it is."""
    found = None
    for record in records:
        protocol = PROTOCOLS.get(type(record), "HTTP")
        if protocol == "WebSocket":
            return protocol
        found = protocol if protocol == "HTTP" else found or protocol
    return found


def _head(record: Record) -> str | None:
    """Return what tshark shows of a record, in its words; None if it shows nothing."""
    if type(record) not in WITH_HEADS:
        return None
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
