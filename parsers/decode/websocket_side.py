"""What one end of a WebSocket sends (RFC 6455): its frames and messages as records."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics import Diagnostic
from ..limits import CHARGE_STEP
from ..provenance import Completion, Event
from ..records import Record, WebSocketFrameRecord, WebSocketMessageRecord
from ..streams import ByteStream, Receiver
from ..websocket.deflate import DeflateParameters
from ..websocket.frames import Frame
from ..websocket.messages import Message, WebSocketDecoder
from .fast_websocket import FastWebSocket
from .joining import AwaitedFrame
from .side import Side, in_order, is_of_requests
from .writer import RecordWriter


class WebSocketSide(Side):
    """A receiver of frames, from ``start`` on; ``deflate`` is what the handshake agreed."""

    def __init__(
        self, writer: RecordWriter, start: int, exchange: int, deflate: DeflateParameters | None
    ) -> None:
        decoder = WebSocketDecoder(
            writer.sender,
            start,
            deflate,
            keep_data=writer.keeps_data,
            memory=writer.account.memory,
        )
        super().__init__(writer, decoder, exchange)
        self._frames = decoder
        self._charged = 0
        self.deflate = deflate
        self._fast_path = FastWebSocket(decoder, writer, exchange)

    def _decode(self, data: bytes) -> list[Record]:
        records = super()._decode(data)
        held = self._frames.held
        if abs(held - self._charged) > CHARGE_STEP:
            self.writer.account.charge(held - self._charged)
            self._charged = held
        return records

    def await_frame(self, stream: ByteStream[Record], start: int) -> list[Record]:
        """Leave its stream to what waits for a piece from ``start`` on that begins with a frame.

        That is after missing bytes, where pieces are not TCP's, but were sealed or framed one by
        one by whoever wrote the frames.
        """
        records = self.receive_eof("capture-end")
        deflate = self.deflate and DeflateParameters()  # what it has inflated is not known

        def begin(offset: int) -> Receiver[Record]:
            return WebSocketSide(self.writer, offset, self.exchange, deflate)

        stream.receiver = AwaitedFrame(stream, start, self.writer, begin, self.exchange)
        return records

    def lacks_more(self, length: int) -> bool:
        """Whether a gap costs more than payload of the open frame, and so its borders."""
        return self._frames.lacks_more(length)

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return [] if is_of_requests(fault) else super().receive_fault(fault, shown)

    def write(self, found: Iterable[Event]) -> list[Record]:
        records: list[Record] = []
        is_in_order = True  # and needs no sorting
        wants = self.writer.wants
        for event in found:
            if type(event) is Frame:  # isinstance() takes three times as long
                if wants.takes(WebSocketFrameRecord):
                    records.append(self.writer.frame(event, self.exchange))
            elif type(event) is Message:
                if wants.takes(WebSocketMessageRecord):
                    records.append(self.writer.message(event, self.exchange))
                is_in_order = is_in_order and event.frames == 1
            elif isinstance(event, Diagnostic):
                records.append(self.writer.diagnostic(event, self.exchange))
                is_in_order = False
            else:
                raise TypeError(f"no record is known for {event!r}")
        return records if is_in_order else in_order(records)
