"""One direction of an HTTP/1.1 connection: its messages, one after another, as their records.

Strategy: what a decoder finds is written in the contract's order, message by message. What requests
and responses must tell each other is :mod:`.http1_side`'s.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic
from ..http1.chunked import Chunk, Data, MissingData
from ..http1.decoder import EndOfMessage, Request, RequestDecoder, Response, ResponseDecoder
from ..http1.head import Fields
from ..http1.messages import BodyFound
from ..provenance import Completion, Ending, Event
from ..records import ChunkRecord, Framing, Record
from ..streams import ByteStream
from .message import MessageWriter
from .side import Side, in_order, successor_of
from .writer import RecordWriter

if TYPE_CHECKING:
    from ..websocket.deflate import DeflateParameters

AFTER_MESSAGE = frozenset(("http-surplus", "http-data-after-close"))
"""Faults of bytes that belong to the message before them, if to any."""
OF_THE_NETWORK = "icmp-"
"""How faults begin that the network reports of packets."""


class Http1Side(Side):
    """One direction of an HTTP/1.1 connection: a receiver of its bytes."""

    decoder: RequestDecoder | ResponseDecoder

    def __init__(
        self,
        stream: ByteStream[Record],
        writer: RecordWriter,
        decoder: RequestDecoder | ResponseDecoder,
        exchange: int,
    ) -> None:
        super().__init__(writer, decoder, exchange)
        self.decoder = decoder
        self.message: MessageWriter | None = None
        """What writes the message that is open, or was the last one."""
        self._stream = stream
        self._ended = 0
        """The exchange of the last message that ended."""
        self._is_cut = False
        self._cut_fields: Fields = []
        """What is known of the last head, if that is cut."""
        self._ending: Ending | None = None

    @property
    def exchange_at_hand(self) -> int:
        """After a head that is cut all belongs to its message, up to the next one."""
        return self._ended if self._is_cut and self.message is None else self.exchange

    def receive_eof(self, ending: Ending) -> list[Record]:
        self._ending = ending
        return super().receive_eof(ending)

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        # What the network says of a packet that was sent is of what was sent.
        is_before = self.message is None and fault.code.startswith(OF_THE_NETWORK)
        exchange = self._ended if is_before else self.exchange
        return [self.writer.diagnostic(fault, exchange, shown)]

    @property
    def open_offsets(self) -> tuple[int, ...]:
        self._fast_path.settle()
        inner = () if self.message is None else self.message.open_offsets
        return self.decoder.open_offsets + inner

    def write(self, found: Iterable[Event]) -> list[Record]:
        """Return the records of a decoder's events, in the contract's order.

        Content is collected and handed to the body in one go, before anything but chunks: what
        the body makes of it is put between the chunks by sorting.
        """
        done: list[Record] = []
        records: list[Record] = []
        content: list[Data] = []
        is_in_order = True  # and needs no sorting, which takes a third of writing a chunk
        shows_chunks = self.writer.wants.takes(ChunkRecord)
        for event in found:
            if type(event) is Data:  # isinstance() takes three times as long
                content.append(event)
            elif type(event) is Chunk:
                if shows_chunks:
                    records.append(self.writer.chunk(event, self.exchange))
                assert self.message is not None
                body = self.message.body
                assert body is not None
                body.chunks = event.index + 1
                if body.has_hole:
                    is_in_order = False
                    records += [*(body.receive(content) if content else ()), *body.settle()]
                    content = []
            else:
                is_in_order = False
                if content and self.message is not None:
                    records += self.message.content(content)
                content = []
                if isinstance(event, EndOfMessage):
                    done += self._end_message(event, records)
                    records = []
                else:
                    self._write_event(event, records)
        if content and self.message is not None:
            records += self.message.content(content)
        elif is_in_order:
            return records
        return done + in_order(records) if done else in_order(records)

    def _write_event(self, event: Event, records: list[Record]) -> None:
        """Add what comes of an event of the rarer kinds."""
        if isinstance(event, Diagnostic):
            is_after = event.code in AFTER_MESSAGE
            exchange = self._ended if is_after else self.exchange_at_hand
            records.append(self.writer.diagnostic(event, exchange))
        elif isinstance(event, MissingData):
            assert self.message is not None
            records += self.message.missing(event)
        elif isinstance(event, BodyFound):
            self._open_found(event)
        elif isinstance(event, Request | Response):
            self._is_cut = event.is_cut
            self._cut_fields = event.headers if event.is_cut else []
            self._begin_message(event, records)
        else:
            raise TypeError(f"no record is known for {event!r}")

    def _end_message(self, found: EndOfMessage, records: list[Record]) -> list[Record]:
        """Return a message's last records, the body's own after them, and what comes next."""
        message, self.message, self._ended = self.message, None, self.exchange
        ended = [] if message is None else message.end(found)
        return [*in_order(records + ended[:-1]), *ended[-1:], *self._next_message()]

    def _count_whole(self) -> None:
        """Go on after a whole message that a fast path has taken."""
        self._ended = self.exchange
        self.exchange += 1
        self._is_cut = False
        self._cut_fields = []

    @abstractmethod
    def _begin_message(self, message: Request | Response, records: list[Record]) -> None:
        """Add a message's head, and open its body."""

    @abstractmethod
    def _next_message(self) -> list[Record]:
        """Go on after a message; return what that makes of the other direction."""

    def join(self, framing: Framing, *, is_sse: bool) -> None:
        """Begin in the middle of a body, whose head is not in the capture."""
        self.decoder.join(framing)
        self.message = MessageWriter(self.exchange, self.writer)
        self.message.join(self.decoder.offset, framing, is_sse=is_sse)

    def _open_found(self, found: BodyFound) -> None:
        """Open a body that was found behind a head that is cut."""
        from ..sse.resume import is_event_stream  # hardly ever needed

        assert self.message is not None
        is_sse = is_event_stream(found.content)
        self.message.join(found.start, "chunked", is_sse=is_sse, known=self._cut_fields)

    def resume(self) -> list[Record]:
        """Go on in HTTP: the server did not switch protocols."""
        return self.write(self.decoder.resume()) if self.decoder.paused else []

    def hand_over(self) -> list[Record]:
        """Hand the bytes that are pending to the receiver that the stream has now."""
        decoder = self.decoder
        offset = decoder.switch_offset
        records: list[Record] = []
        while decoder.paused:
            start, pending = decoder.release()
            if start > offset:
                records += successor_of(self._stream).pass_over(start - offset)
            records += self._stream.receiver.receive_data(pending)
            offset = start + len(pending)
        if self._ending is not None:  # it ended before the answer came
            records += self._stream.receiver.receive_eof(self._ending)
        return records

    def begin_websocket(self, deflate: DeflateParameters | None) -> None:
        """Begin a WebSocket on this side, with the compression that was agreed."""
        from .websocket_side import WebSocketSide

        start = self.decoder.switch_offset
        self._stream.receiver = WebSocketSide(self.writer, start, self.exchange, deflate)
