"""What TLS carries, decrypted: a pair of byte streams, on which protocols are found anew.

Strategy: a record's content arrives when its last byte does, for before that its tag cannot be
verified. So a run of content has the packets of its record, and what is decoded of it leads to the
record, its segments and their packets. Offsets count decrypted bytes of the sender.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..memory import Account
from ..provenance import Arrival, Ending, Event, Layer, SourceMap
from ..records import Record, Sender
from ..streams import ByteStream, Receiver
from ..tls.alerts import CLOSE_NOTIFY
from ..tls.decryption import Decryption, EndOfSide, OpenedRecord
from ..tls.hello import EncryptedExtensions
from ..tls.key_finder import KeySource
from ..tls.records import ALERT, APPLICATION_DATA, TlsRecord
from ..tls.sealed_side import LostContent, SealedSide
from .fast_tls import open_run
from .silent import UNHEARD
from .writer import RecordWriter

FORGET_EVERY = 32
"""Runs that are added to a stream's map until those that nobody asks for are dropped."""


class Inner(Protocol):
    """What the content is: :class:`~parsers.decode.protocol.ApplicationProtocol`."""

    @property
    def name(self) -> str: ...

    @property
    def client(self) -> ByteStream[Record]:
        """What the client sent, as it is read: somebody may listen in between."""

    def decide(self, name: str, client: ByteStream[Record]) -> list[Record]:
        """Give both streams their receivers."""

    def last_words(self, last: tuple[int, float]) -> list[Record]:
        """Return what is to be said of it in the end."""


Recogniser = Callable[[tuple["TlsStream", "TlsStream"], bool], Inner]
"""Finds out what the client's stream and the server's speak, and whether in the middle."""


class TlsStream:
    """What one side sent, decrypted."""

    __slots__ = ("receiver", "peer", "origins", "is_ended", "below", "_side", "_is_broken")

    receiver: Receiver[Record]
    peer: TlsStream

    def __init__(self, side: SealedSide) -> None:
        self.below: ByteStream[Record] | None = None
        """What carries its records."""
        self._side = side
        self.receiver = UNHEARD
        self.origins: SourceMap[Arrival] = SourceMap()
        self.is_ended = False
        self._is_broken = False  # records are missing, and how much they held is not known yet

    @property
    def lacks_bytes(self) -> bool:
        lacks_below = self.below is not None and self.below.lacks_bytes
        return self._is_broken or bool(self._side.queue) or lacks_below

    def lose(self) -> None:
        """Take note that records are missing: the next one that opens tells what they held."""
        self._is_broken = True

    @property
    def acknowledged(self) -> int | None:
        return None  # which records had come, no acknowledgement of TCP's says

    @property
    def layer(self) -> Layer:
        return "tls"

    def receive_data(self, content: bytes, arrival: Arrival) -> list[Record]:
        self._is_broken = False
        self.origins.extend(len(content), arrival)
        records = self.receiver.receive_data(content)
        if len(self.origins) > FORGET_EVERY:
            self.origins.retain(self.receiver.open_offsets)
        return records

    def receive_run(self, contents: list[bytes], arrivals: list[Arrival]) -> list[Record]:
        """Take the contents of records that follow one another."""
        self._is_broken = False
        origins = self.origins
        for content, arrival in zip(contents, arrivals, strict=True):
            origins.extend(len(content), arrival)
        records = self.receiver.receive_data(b"".join(contents))
        if len(origins) > FORGET_EVERY:
            origins.retain(self.receiver.open_offsets)
        return records

    def receive_gap(self, length: int, arrival: Arrival) -> list[Record]:
        """Take note of missing records: a WebSocket goes on with the first that begins a frame."""
        from .websocket_side import WebSocketSide  # with all that reads frames: most have none

        self._is_broken = False
        receiver, start = self.receiver, self.origins.size
        self.origins.extend(length, arrival)
        if isinstance(receiver, WebSocketSide) and receiver.lacks_more(length):
            gap: Record = receiver.writer.gap(start, length, receiver.exchange)
            return [gap, *receiver.await_frame(self, self.origins.size)]
        return receiver.receive_gap(length)

    def receive_eof(self, ending: Ending) -> list[Record]:
        if self.is_ended:
            return []
        self.is_ended = True
        return self.receiver.receive_eof(ending)


class TlsPlaintext:
    """Decrypts both sides of a connection, and hands on what they sent.

    What it ``recognise`` s is asked for when there is content.
    """

    def __init__(self, keys: KeySource, recognise: Recogniser, account: Account) -> None:
        self.decryption = Decryption(keys, account)
        self.inner: Inner | None = None
        self.alpn: str | None = None
        self._recognise = recognise
        self.streams: dict[Sender, TlsStream] = {
            sender: TlsStream(side) for sender, side in self.decryption.sides.items()
        }
        client, server = self.streams.values()
        client.peer, server.peer = server, client

    def open_run(
        self, writer: RecordWriter, data: bytes, pos: int, offset: int
    ) -> tuple[int, list[Record], int, TlsRecord | None]:
        """Open what is content alone from ``pos`` of ``data`` on: see :mod:`.fast_tls`.

        Returns where that ends, what comes of it, how many records it was, and the last of them.
        """
        stream = self.streams[writer.sender]
        if self.inner is None or stream.is_ended:
            return pos, [], 0, None
        side = self.decryption.sides[writer.sender]
        before = side.opened
        pos, contents, arrivals, last = open_run(side, writer, data, pos, offset)
        records = stream.receive_run(contents, arrivals) if contents else []
        return pos, records, side.opened - before, last

    def receive(self, sender: Sender, found: Event, writer: RecordWriter) -> list[Record]:
        """Take what a side's records turned out to be; ``writer`` knows where they came from."""
        stream = self.streams[sender]
        match found:
            case OpenedRecord(type=kind, content=content) if kind == APPLICATION_DATA:
                if not content or stream.is_ended:
                    return []
                records = [] if self.inner is not None else self._begin(is_midstream=False)
                return records + stream.receive_data(content, writer.place(found.start, found.end))
            case OpenedRecord(type=kind, content=content) if kind == ALERT:
                if content[1:] == bytes([CLOSE_NOTIFY]):
                    return self._end(stream, "close")
            case EncryptedExtensions(alpn=alpn) if self.alpn is None:
                self.alpn = alpn
            case LostContent(length=length) if not stream.is_ended:
                records = [] if self.inner is not None else self._begin(is_midstream=True)
                return records + stream.receive_gap(length, writer.place(found.start, found.end))
            case EndOfSide(ending=ending):
                is_cut = ending == "close" and self.decryption.says_end(sender) is False
                return self._end(stream, "close-notify-missing" if is_cut else ending)
        return []

    def _end(self, stream: TlsStream, ending: Ending) -> list[Record]:
        if self.inner is None:
            stream.is_ended = True
            return []
        return stream.receive_eof(ending)

    def _begin(self, *, is_midstream: bool) -> list[Record]:
        """Find out what comes: there is content now."""
        is_joined = any(side.joined_at for side in self.decryption.sides.values())
        client = self.streams["client"]
        self.inner = inner = self._recognise((client, client.peer), is_midstream or is_joined)
        records: list[Record] = []
        if self.alpn == "h2" and not is_joined:  # a preface that is missing is a hole like others
            records = inner.decide("http/2", inner.client)
        for stream in self.streams.values():
            if stream.is_ended:  # it had nothing to say
                records += stream.receiver.receive_eof("close")
        return records
