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
from typing import Any, NamedTuple, Protocol, cast

import msgspec

from ..diagnostics import Diagnostic, amount, diagnose
from ..http2.elements import Content
from ..limits import MAX_TUNNEL_EXCHANGES, MAX_UNDECIDED
from ..provenance import Arrival, Completion, Ending, Layer, SourceMap
from ..records import ChunkRecord, Record, WebSocketFrameRecord
from ..streams import ByteStream, Receiver
from ..websocket.deflate import DeflateParameters
from .body import FORGET_EVERY
from .extents import Extents
from .joining import AwaitedFrame
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


class Rest(NamedTuple):
    """The bytes of a DATA frame after a hole in it: none of them is sure to begin anything."""

    data: bytes


class Held:
    """The receiver of what a client sends before it is told that there is a tunnel."""

    def __init__(self) -> None:
        self.dropped = 0
        """Bytes that were too many to be kept."""
        self._size = 0
        self._items: list[bytes | Rest | int | Ending] = []
        self._places: list[int] = []  # where what is kept begins and ends

    def receive_data(self, data: bytes, *, is_rest: bool = False) -> list[Record]:
        start, self._size = self._size, self._size + len(data)
        if self._size > MAX_UNDECIDED:
            self.dropped += len(data)
            return self._miss(len(data))
        self._places += (start, self._size - 1)
        self._items.append(Rest(data) if is_rest else data)
        return []

    def receive_gap(self, length: int) -> list[Record]:
        self._size += length
        return self._miss(length)

    def _miss(self, length: int) -> list[Record]:
        before = self._items[-1] if self._items else None
        if isinstance(before, int):
            self._items[-1] = before + length
        else:
            self._items.append(length)
        return []

    pass_over = receive_gap

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return []

    def receive_eof(self, ending: Ending) -> list[Record]:
        self._items.append(ending)
        return []

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return tuple(self._places)

    def replay(self, stream: TunnelStream) -> list[Record]:
        """Hand it over to the receiver that the stream has now."""
        records: list[Record] = []
        pos = 0
        for item in self._items:
            if isinstance(item, bytes):
                pos += len(item)
                records += stream.receiver.receive_data(item)
            elif isinstance(item, Rest):
                pos += len(item.data)
                records += stream.receive_rest(item.data)
            elif isinstance(item, int):
                pos += item
                records += stream.pass_over(item, pos)
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
        self._forget_at = FORGET_EVERY
        self.is_broken = False
        """Whether bytes of the open DATA frame are missing."""

    @property
    def other(self) -> TunnelStream:
        """What the other side sends."""
        assert isinstance(self.peer, TunnelStream)
        return self.peer

    def begin(self) -> list[Record]:
        """Hand what came before over to the receiver that it has now."""
        records = self._held.replay(self)
        self.is_broken = False
        if dropped := self._held.dropped:
            end = self._ends.values[-1]
            said = diagnose("http-upgrade-limit", end, end, f"{amount(dropped, 'byte')} in vain")
            records.append(self.carrier.diagnostic(said, OWN))
        return self._moved(records)

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
            peers=carrier.peers,
        )

    def receive(self, piece: Content) -> list[Record]:
        """Take content of a DATA frame."""
        start, data = piece.start, piece.data
        pos = start
        while pos < piece.end:  # what one packet completes is not the next one's
            end = min(self.carrier.origins.at(pos)[0], piece.end)
            self._extend(pos, end)
            pos = end
        receive = self.receive_rest if self.is_broken else self.receiver.receive_data
        records = self._moved(receive(data))
        if len(self.origins) > self._forget_at:
            opened = self.receiver.open_offsets
            self.origins.retain(opened)
            self._ends.retain(opened)
            self._forget_at = max(FORGET_EVERY, 2 * len(self.origins))
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
        return self._moved(self.pass_over(end - start, self.origins.size))

    def pass_over(self, length: int, upto: int) -> list[Record]:
        """Go on after missing bytes: a WebSocket that lost a border with the next DATA frame."""
        receiver = self.receiver
        self.is_broken = True
        if isinstance(receiver, WebSocketSide) and receiver.lacks_more(length):
            return receiver.await_frame(self, upto)
        return successor_of(self).pass_over(length)

    def receive_rest(self, data: bytes) -> list[Record]:
        """Take what follows a hole in the same DATA frame, in which no frame is sure to begin."""
        receiver = self.receiver
        if isinstance(receiver, Held):
            return receiver.receive_data(data, is_rest=True)
        if isinstance(receiver, AwaitedFrame):
            return receiver.pass_over(len(data))
        return receiver.receive_data(data)

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
        """Take note that nothing follows; once."""
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
