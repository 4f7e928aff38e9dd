"""The bytes of one connection, side by side: Wireshark's Follow Stream, with its packets.

Strategy: the decoder's own streams are tapped, so that TCP is followed once. What they hand over is
cut where another packet carried it, by the stream's own map, and given on at once: nothing is kept.
The content of bodies needs no tap: the records have it, whatever lies between them and TCP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from parsers import (
    CaptureKeys,
    Connection,
    Memory,
    Packet,
    PacketDecoder,
    Streams,
    client_by_tcp,
)
from parsers.content import ContentDecoder
from parsers.limits import KiB
from parsers.provenance import Arrival, Completion, Ending
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    DataRecord,
    Http2DataRecord,
    Http3DataRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    WebSocketMessageRecord,
)
from parsers.streams import ByteStream

from ..dialects.dialect import content_bytes


class Piece(NamedTuple):
    """Bytes of one side that one packet brought."""

    sender: Sender
    data: bytes
    packet: int
    """That carried them first; that completed them, of content."""
    time: float
    """Of that packet, in seconds since the epoch."""
    exchange: int | None = None
    """Whose content it is."""
    missing: int = 0
    """Bytes that should be here and are not known; then there is no data."""


Take = Callable[[Piece], None]
Coded = ChunkRecord | DataRecord | Http2DataRecord | Http3DataRecord
"""What has a piece of a body's content, still coded."""
MAX_UNTOLD = 256 * KiB
"""Bytes that wait until it is known who is the client: a head takes fewer."""


class FollowedConnection:
    """Decodes a capture and hands the bytes of one connection to ``take`` as they come in order.

    With ``keys`` it is what TLS carries, decrypted. ``spans`` are the bytes of the client and of
    the server that are wanted, all by default.
    """

    def __init__(
        self,
        number: int,
        take: Take,
        spans: dict[Sender, tuple[int, int]] | None = None,
        *,
        keys: CaptureKeys | None = None,
    ) -> None:
        self._number = number
        self._take = take
        self._spans = spans
        self._waiting: list[tuple[_Side, _Run]] = []
        self._size = 0
        self.connection: Connection[Record] | None = None
        self._decoder = PacketDecoder(
            keep_data=False,
            wanted=lambda index: index == number,
            tap=self._tap,
            tls_tap=self._tap_tls if keys is not None else None,
            keys=keys,
        )
        self._is_tls = keys is not None
        self.has_content = False
        """Whether TLS could be read."""

    @property
    def room(self) -> int:
        """How many bytes of packets to take at once."""
        return self._decoder.room

    def receive(self, packets: Sequence[Packet]) -> None:
        """Take the next packets."""
        self._decoder.receive(packets)
        self._hand_on()

    def finish(self) -> None:
        """Take note that no packet follows: what waited behind a hole comes now."""
        self._decoder.finish()
        self._hand_on(is_certain=True)

    def add(self, side: _Side, run: _Run) -> None:
        """Take what a side has brought: it waits until it is known which side that is."""
        self._waiting.append((side, run))
        self._size += len(run.data)
        self._hand_on(is_certain=self._size > MAX_UNTOLD)

    def _tap(self, connection: Connection[Record]) -> tuple[_Side | None, _Side | None]:
        if connection.index != self._number:
            return None, None
        self.connection = connection
        if self._is_tls:
            return None, None
        return _Side(self, connection.first), _Side(self, connection.second)

    def _tap_tls(self, number: int, streams: Streams) -> tuple[_Side | None, _Side | None]:
        client, server = streams
        self.has_content = True
        return _Side(self, client, "client"), _Side(self, server, "server")

    def _hand_on(self, *, is_certain: bool = False) -> None:
        """Hand on what waits, if its sender is known or, with ``is_certain``, will not be."""
        connection = self.connection
        if connection is None or (connection.client is None and not is_certain):
            return
        client = connection.client or client_by_tcp(connection)
        waiting, self._waiting, self._size = self._waiting, [], 0
        for side, run in waiting:
            sender: Sender = "client" if side.stream is client else "server"
            self._cut(side.sender or sender, run)

    def _cut(self, sender: Sender, run: _Run) -> None:
        """Hand on what is wanted of a run."""
        first, last = run.start, run.start + run.size
        if self._spans is not None:
            wanted = self._spans.get(sender, (0, 0))
            first, last = max(first, wanted[0]), min(last, wanted[1])
        if first >= last:
            return
        if run.data:
            data = run.data[first - run.start : last - run.start]
            self._take(Piece(sender, data, run.packet, run.time))
        else:
            self._take(Piece(sender, b"", run.packet, run.time, missing=last - first))


class FollowedQuic:
    """Decodes a capture and hands the bytes of one exchange's stream of QUIC to ``take``."""

    def __init__(self, number: int, exchange: int, take: Take, *, keys: CaptureKeys | None) -> None:
        self._number = number
        self._exchange = exchange
        self._take = take
        self._decoder = PacketDecoder(
            keep_data=False, wanted=lambda index: index == number, quic_tap=self._tap, keys=keys
        )
        self.has_connection = False
        """Whether a stream of the connection could be read."""
        self.has_content = False
        """Whether it has this exchange."""

    def receive(self, packets: Sequence[Packet]) -> None:
        """Take the next packets."""
        self._decoder.receive(packets)

    def finish(self) -> None:
        """Take note that no packet follows: what waited behind a hole comes now."""
        self._decoder.finish()

    def add(self, side: _Side, run: _Run) -> None:
        """Take what a side has brought."""
        assert side.sender is not None
        missing = 0 if run.data else run.size
        self._take(
            Piece(side.sender, run.data, run.packet, run.time, self._exchange, missing=missing)
        )

    def _tap(
        self, number: int, sender: Sender, stream_id: int, stream: ByteStream[Record]
    ) -> _Side | None:
        if number != self._number:
            return None
        self.has_connection = True
        if stream_id != self._exchange << 2:
            return None
        self.has_content = True
        return _Side(self, stream, sender)


class _Run(NamedTuple):
    """Bytes of one side that one packet brought, or that none did: then there is no data."""

    start: int
    size: int
    data: bytes
    packet: int
    time: float


class _Side:
    """Listens to one stream, and cuts what comes where another packet carried it.

    What TLS carries comes with the packet that completed its record: no tag could be verified
    before.
    """

    open_offsets: tuple[int, ...] = ()

    def __init__(
        self,
        followed: FollowedConnection | FollowedQuic,
        stream: ByteStream[Record],
        sender: Sender | None = None,
    ) -> None:
        self.stream = stream
        self.sender = sender
        self._followed = followed

    def receive_data(self, data: bytes) -> list[Record]:
        origins = self.stream.origins
        start = at = origins.size - len(data)
        for end, arrival in origins.pieces(start, origins.size):
            packet, time = self._place(arrival)
            run = _Run(at, end - at, data[at - start : end - start], packet, time)
            self._followed.add(self, run)
            at = end
        return []

    def receive_gap(self, length: int) -> list[Record]:
        origins = self.stream.origins
        start = origins.size - length
        packet, time = self._place(origins.at(start)[1])
        self._followed.add(self, _Run(start, length, b"", packet, time))
        return []

    def _place(self, arrival: Arrival) -> tuple[int, float]:
        carried, completed, first, last = arrival
        return (carried, first) if self.stream.layer == "tcp" else (completed, last)

    def receive_fault(self, fault: object, shown: Completion) -> list[Record]:
        return []

    def receive_eof(self, ending: Ending) -> list[Record]:
        return []


class FollowedContent:
    """Hands the content of bodies to ``take``, decoded, as records complete it."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._memory = Memory()
        self._bodies: dict[tuple[int, Sender], _Body] = {}

    def receive(self, record: Record) -> None:
        """Take the next record of the connection."""
        if isinstance(record, RequestRecord | ResponseRecord):
            self._bodies[record.exchange, record.sender] = _Body(record.codings, self._memory)
        elif isinstance(record, Coded):
            self._take_coded(record)
        elif isinstance(record, WebSocketMessageRecord):
            self._give(record, content_bytes(record), int(record.data is None))
        elif isinstance(record, BodyRecord):
            body = self._bodies.pop((record.exchange, record.sender), None)
            if body is not None and record.size > body.size:
                self._give(record, b"", record.size - body.size)

    def _take_coded(self, record: Coded) -> None:
        body = self._bodies.setdefault((record.exchange, record.sender), _Body([], self._memory))
        if record.data is None:
            return  # the end of the body tells how much is not known
        data = content_bytes(record)
        body.size += len(data)
        for piece in body.decoder.receive_data(data):
            self._give(record, piece, 0)

    def _give(
        self,
        record: Coded | WebSocketMessageRecord | BodyRecord,
        data: bytes,
        missing: int,
    ) -> None:
        if data or missing:
            self._take(
                Piece(
                    record.sender,
                    data,
                    record.last_packet,
                    record.last_time,
                    record.exchange,
                    missing,
                )
            )


class _Body:
    """What has come of one body."""

    def __init__(self, codings: Sequence[str], memory: Memory) -> None:
        self.decoder = ContentDecoder(codings, memory)
        self.size = 0
