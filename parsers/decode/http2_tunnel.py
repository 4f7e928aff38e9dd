"""What a stream of HTTP/2 carries once it is a tunnel: a WebSocket, or whatever CONNECT opened
(RFC 8441, RFC 9113 section 8.5).

Strategy: the content of a side's DATA frames is a byte stream of its own, without a break, so what
reads a protocol on TCP reads it here, and knows no difference. Its records count in that stream;
before they are given they are moved to where the bytes lie on the connection, among those of other
streams. So are the exchanges of what is spoken in a tunnel: they are numbered as the connection's
next ones, when the first record of each comes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import msgspec

from ..diagnostics import Diagnostic, diagnose
from ..http2.elements import Content
from ..limits import MAX_TUNNEL_EXCHANGES, MAX_UNDECIDED
from ..provenance import Arrival, Completion, Ending, Layer, SourceMap
from ..records import ChunkRecord, Record, WebSocketFrameRecord
from ..streams import ByteStream, Receiver
from ..websocket.deflate import DeflateParameters
from .body import FORGET_EVERY, Extents
from .side import successor_of
from .websocket_side import WebSocketSide
from .writer import RecordWriter

TUNNEL = cast(Layer, "tunnel")
"""The byte space of what a tunnel carries, which no record that is given counts in."""
OWN = 0
"""The exchange that made the tunnel, as it is numbered in it."""


class TunnelExchanges:
    """Which exchanges of the connection those of a tunnel are; ``begin`` numbers another."""

    def __init__(self, own: int, begin: Callable[[], int]) -> None:
        self._begin = begin
        self._own = own
        self._known: OrderedDict[int, int] = OrderedDict()

    @property
    def last(self) -> int:
        """The number in the tunnel of the exchange that began last; its own if none did."""
        return next(reversed(self._known), OWN)

    def of(self, number: int) -> int:
        """Return the exchange that has a number in the tunnel."""
        if number == OWN:
            return self._own
        found = self._known.get(number)
        if found is None:
            found = self._known[number] = self._begin()
            if len(self._known) > MAX_TUNNEL_EXCHANGES:
                self._known.popitem(last=False)
        return found


class Spoken(Protocol):
    """What is spoken in a tunnel."""

    def last_words(self, last: Completion) -> list[Record]:
        """Return what is to be said of it once it is over with the packet ``last``."""


Speak = Callable[[tuple[ByteStream[Record], ByteStream[Record]], str], Spoken]
"""Finds out what both sides of a tunnel speak, the client's first, by what was agreed on."""


class Held:
    """The receiver of what a client sends before it is told that there is a tunnel."""

    open_offsets: tuple[int, ...] = ()

    def __init__(self) -> None:
        self._size = 0
        self._items: list[bytes | int | Ending] = []

    def receive_data(self, data: bytes) -> list[Record]:
        if self._size < MAX_UNDECIDED:
            self._items.append(data)
        self._size += len(data)
        return []

    def receive_gap(self, length: int) -> list[Record]:
        self._items.append(length)
        return []

    pass_over = receive_gap

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return []

    def receive_eof(self, ending: Ending) -> list[Record]:
        self._items.append(ending)
        return []

    def replay(self, stream: ByteStream[Record]) -> list[Record]:
        """Hand it over to the receiver that the stream has now."""
        records: list[Record] = []
        for item in self._items:
            if isinstance(item, bytes):
                records += stream.receiver.receive_data(item)
            elif isinstance(item, int):
                records += successor_of(stream).pass_over(item)
            else:
                records += stream.receiver.receive_eof(item)
        return records


class TunnelStream:
    """What one side sends in a tunnel: a byte stream that begins at 0."""

    peer: ByteStream[Record]
    receiver: Receiver[Record]
    acknowledged: int | None = None
    lacks_bytes = False
    layer: Layer = TUNNEL

    def __init__(self, writer: RecordWriter, exchanges: TunnelExchanges) -> None:
        self.origins: SourceMap[Arrival] = SourceMap()
        self.is_ended = False
        self.carrier = writer
        """Writes the records of the stream that carries it."""
        self.receiver = self._held = Held()
        self.spoken: Spoken | None = None
        self._exchanges = exchanges
        self._ends: SourceMap[int] = SourceMap()  # of each run: where it ends on the connection
        self._extents = Extents()

    @property
    def other(self) -> TunnelStream:
        """What the other side sends."""
        assert isinstance(self.peer, TunnelStream)
        return self.peer

    def begin(self) -> list[Record]:
        """Hand what came before over to the receiver that it has now."""
        return self._moved(self._held.replay(self))

    def writer(self) -> RecordWriter:
        """Return what writes the records of this byte space."""
        carrier = self.carrier
        return RecordWriter(
            carrier.connection,
            carrier.sender,
            self.origins,
            carrier.keeps_data,
            TUNNEL,
            account=carrier.account,
            wants=carrier.wants,
        )

    def receive(self, piece: Content) -> list[Record]:
        """Take content of a DATA frame."""
        start, data = piece.start, piece.data
        pos = start
        while pos < piece.end:  # what one packet completes is not the next one's
            end = min(self.carrier.origins.at(pos)[0], piece.end)
            self._extend(pos, end)
            pos = end
        records = self._moved(self.receiver.receive_data(data))
        if len(self.origins) > FORGET_EVERY:
            opened = self.receiver.open_offsets
            self.origins.retain(opened)
            self._ends.retain(opened)
        return records

    def _extend(self, start: int, end: int) -> None:
        self.origins.extend(end - start, self.carrier.place(start, end))
        self._ends.extend(end - start, end)
        self._extents.add(start, end)

    def missing(self, start: int, end: int) -> list[Record]:
        """Take note of missing content: where it was, or that nobody knows, if that is nowhere."""
        if start == end:
            return self._moved(self._lose(start))
        self._extend(start, end)
        return self._moved(successor_of(self).pass_over(end - start))

    def _lose(self, at: int) -> list[Record]:
        """Go on after frames that may be missing, with content or without."""
        receiver = self.receiver
        if not isinstance(receiver, WebSocketSide):
            records = successor_of(self).pass_over(0)
            if (exchange := self._exchanges.last) != OWN:
                said = diagnose("http2-frames-missing", at, at, "in the tunnel")
                records.append(self.carrier.diagnostic(said, exchange))
            return records
        return receiver.await_frame(self, self.origins.size)

    def end(self, ending: Ending) -> list[Record]:
        """Take note that nothing follows."""
        if self.is_ended:
            return []
        self.is_ended = True
        records = self.receiver.receive_eof(ending)
        if self.peer.is_ended and self.spoken is not None:
            records += self.spoken.last_words(max(self._last, self.other._last))
        return self._moved(records)

    @property
    def _last(self) -> Completion:
        """The packet that brought the last of it."""
        arrivals = self.origins.values
        return (arrivals[-1][1], arrivals[-1][3]) if arrivals else (0, 0.0)

    # --- from the tunnel to the connection ---

    def _moved(self, records: Sequence[Record]) -> list[Record]:
        return [self.move(record) for record in records]

    def move(self, record: Record) -> Record:
        """Return a record where it is on the connection, as the exchange that it is there."""
        changes: dict[str, Any] = {}
        exchange = getattr(record, "exchange", None)
        if exchange is not None:
            changes["exchange"] = self._exchanges.of(exchange)
        if getattr(record, "layer", None) == TUNNEL:
            changes |= self._place(record)
        moved: Record = msgspec.structs.replace(record, **changes)
        return moved

    def _place(self, record: Any) -> dict[str, Any]:
        carrier = self.carrier
        found: dict[str, Any] = {"layer": carrier.layer}
        if record.stream_id is None:
            found["stream_id"] = carrier.stream_id
        if record.offset is None:
            return found
        # What is of the other side lies in its bytes: of one side's end comes what it waited for.
        stream = self if record.sender == carrier.sender else self.other
        start, end = stream.span(record.offset, record.offset + record.length)
        found |= {"offset": start, "length": end - start}
        found["extents"] = stream._extents.within(start, end)
        if isinstance(record, ChunkRecord | WebSocketFrameRecord):
            found["content_offset"] = stream.span(record.content_offset, record.content_offset)[0]
        return found

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where [start, end) lies on the connection: of nothing, after the byte before."""
        ends = self._ends
        if not len(ends):
            return 0, 0
        if start == end:
            upto, finish = ends.at(max(start - 1, 0))
            return finish - (upto - start), finish - (upto - end)
        upto, finish = ends.at(start)
        begin = finish - (upto - start)
        upto, finish = ends.at(end - 1)
        return begin, finish - (upto - end)


def open_tunnel(
    writers: tuple[RecordWriter, RecordWriter], exchange: int, begin: Callable[[], int]
) -> TunnelStream:
    """Return the client's side of a tunnel that ``exchange`` asks for."""
    exchanges = TunnelExchanges(exchange, begin)
    client, server = (TunnelStream(writer, exchanges) for writer in writers)
    client.peer, server.peer = server, client
    return client


def speak_websocket(client: TunnelStream, deflate: DeflateParameters | None) -> None:
    """Give both sides of a tunnel receivers of frames; ``deflate`` is what was agreed."""
    for stream in (client, client.other):
        stream.receiver = WebSocketSide(stream.writer(), 0, OWN, deflate)
