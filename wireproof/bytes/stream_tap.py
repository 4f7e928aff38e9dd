"""Packets in; out come records, and beside them the bytes of each side's stream.

Strategy: there is one TCP, the decoder's. It hands each direction's bytes to an
:class:`ElementStream` just before it decodes them, and the records then tell that stream what its
bytes are. Which direction is the client's, the connection knows before there is a record of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from parsers import (
    CaptureKeys,
    Choice,
    Connection,
    Packet,
    PacketDecoder,
    address_text,
    reverse_key,
)
from parsers.records import ChunkRecord, ConnectionRecord, Record, ResponseRecord, Sender
from parsers.wants import EVERYTHING, Wants

from ..heads import has_switched
from .dissection import ElementStream

S = TypeVar("S", bound=ElementStream)
Decoder = Callable[..., PacketDecoder]


class Pair(Generic[S]):
    """Both sides of a connection."""

    __slots__ = ("connection", "streams")

    def __init__(self, connection: Connection[Record], streams: tuple[S, S]) -> None:
        self.connection = connection
        self.streams = streams
        """Of the connection's first and of its second direction."""

    def stream(self, sender: Sender) -> S | None:
        """Return what a side sent; None until it is known whose is whose."""
        connection = self.connection
        if (client := connection.client) is None:
            return None
        return self.streams[(client is connection.first) != (sender == "client")]

    def address(self, sender: Sender) -> str:
        """Return a side's address, ``127.0.0.1:8000``; empty until it is known whose is whose."""
        stream = self.stream(sender)
        if stream is None:
            return ""
        key = self.connection.key
        if stream is not self.streams[0]:
            key = reverse_key(key)
        size = len(key) // 2 - 2
        return address_text(key[:size], int.from_bytes(key[2 * size : 2 * size + 2]))


class StreamTap(Generic[S]):
    """Decodes a capture; ``make`` makes a stream for each direction of each connection.

    ``keep_data``, ``wanted``, ``keys``, ``wants`` and ``shows_records`` are the decoder's.
    ``opened`` is called with both sides of each connection before its first segment is taken.
    """

    def __init__(
        self,
        make: Callable[[], S],
        *,
        keep_data: bool = True,
        wanted: Choice | None = None,
        decoder: Decoder = PacketDecoder,
        keys: CaptureKeys | None = None,
        wants: Wants = EVERYTHING,
        shows_records: bool = False,
        opened: Callable[[Pair[S]], object] = lambda _: None,
    ) -> None:
        self._make = make
        self._wanted = wanted
        self._opened = opened
        options = {} if keys is None else {"keys": keys}
        self.decoder = decoder(
            keep_data=keep_data,
            wanted=wanted,
            tap=self._tap,
            wants=wants,
            shows_records=shows_records,
            **options,
        )
        self.pairs: dict[int, Pair[S]] = {}
        """Of the connections that are open, by their numbers: whoever reads their records takes
        those that have ended out."""

    @property
    def room(self) -> int:
        """How many bytes of packets to take at once."""
        return self.decoder.room

    def receive(self, packets: Sequence[Packet]) -> list[Record]:
        """Take the next packets, and return the records that they complete."""
        return self.decoder.receive(packets)

    def endings(self) -> Iterator[list[Record]]:
        """Yield what the end of the capture completes, connection by connection."""
        return self.decoder.endings()

    def tell(self, record: Record) -> S | None:
        """Tell a record to the stream that it lies in, and return that stream."""
        if record.connection is None or isinstance(record, ConnectionRecord):
            return None
        pair = self.pairs.get(record.connection)
        stream = None if pair is None or record.sender is None else pair.stream(record.sender)
        if stream is None or pair is None:
            return None
        stream.take(record)
        if isinstance(record, ResponseRecord) and has_switched(record):
            for either in pair.streams:
                either.switch_to_websocket(record)
        return stream

    def tell_chunks(self, chunks: Sequence[ChunkRecord]) -> bool:
        """Tell chunks, all of one message, to the stream that they lie in; return whether there is
        one."""
        connection, sender = chunks[0].connection, chunks[0].sender
        pair = self.pairs.get(connection)
        stream = None if pair is None else pair.stream(sender)
        if stream is not None:
            stream.take_chunks(chunks)
        return stream is not None

    def hand_on(self, connection: int, *, is_end: bool = False) -> None:
        """Let the streams of a connection hand on what need not wait for a record."""
        for stream in self.pairs[connection].streams:
            stream.hand_on(is_end=is_end)

    def _tap(self, connection: Connection[Record]) -> tuple[S | None, S | None]:
        if self._wanted is not None and not self._wanted(connection.index):
            return None, None
        streams = self._make(), self._make()
        for stream in streams:
            stream.charge_to(connection.account)
        pair = self.pairs[connection.index] = Pair(connection, streams)
        self._opened(pair)
        return streams
