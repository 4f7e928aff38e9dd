"""HTTP/3 on one QUIC connection (RFC 9114): what its streams share.

Strategy: an exchange is a request stream, and its number is that of the stream among those that the
client opened: streams are opened in the order of their numbers (RFC 9000 section 2.1), so the
number is the same whatever was lost. Of both sides the settings count, and QPACK's tables.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from ..diagnostics import Diagnostic, diagnose
from ..http1.messages import Request
from ..http3 import elements
from ..http3.elements import error_name
from ..http3.qpack import QpackError, SectionDecoder
from ..limits import MAX_OPEN_STREAMS, MAX_QPACK_BLOCKED
from ..provenance import Completion
from ..quic.frames import ResetStream, StopSending
from ..quic.streams import QuicStream
from ..records import Http3FrameRecord, Record, Sender
from .http3_stream import RequestStream, UnidirectionalStream
from .writer import RecordWriter

WriterOf = Callable[[QuicStream[Record]], RecordWriter]
_REJECTED, _NO_ERROR, _CANCELLED = 0x10B, 0x100, 0x10C


class Http3Connection:
    """Reads the streams of a connection; ``writer_of`` gives what writes a stream's records."""

    def __init__(self, writer_of: WriterOf, lacks_packets: Callable[[Sender], bool]) -> None:
        self.has_requests = False
        self.lacks_packets = lacks_packets
        """Whether packets of a side arrived that the capture does not have."""
        self._writer_of = writer_of
        self._sections: dict[Sender, SectionDecoder] = {
            "client": SectionDecoder(),
            "server": SectionDecoder(),
        }
        self._streams: dict[tuple[Sender, int], RequestStream] = {}
        self._requests: OrderedDict[int, Request] = OrderedDict()
        self._waiting: dict[tuple[Sender, int], RequestStream] = {}
        self._waiting_size = 0
        self._left: set[int] = set()  # streams that were said to be given up
        self._unasked: OrderedDict[int, tuple[RequestStream, Completion]] = OrderedDict()
        """Those that the server reset as if it was asked to, and no frame of the client's asks."""

    def open_stream(self, first: QuicStream[Record]) -> None:
        """Give a stream and its answer their receivers."""
        if first.stream_id & 2:
            first.receiver = UnidirectionalStream(self, first, self._writer_of(first))
            return
        self.has_requests = True
        for stream in (first, first.peer):
            reader = RequestStream(self, stream, self._writer_of(stream))
            stream.receiver = reader
            self._streams[stream.sender, stream.stream_id] = reader
        if len(self._streams) > 2 * MAX_OPEN_STREAMS:
            for key in [key for key, one in self._streams.items() if one.stream.is_ended]:
                del self._streams[key]

    # --- QPACK ---

    def sections(self, sender: Sender) -> SectionDecoder:
        """Return what decodes the field sections that a side sends."""
        return self._sections[sender]

    def take_settings(self, sender: Sender, settings: list[tuple[int, int]]) -> None:
        """Let a side's settings hold for what the other one sends."""
        capacity = dict(settings).get(elements.QPACK_MAX_TABLE_CAPACITY, 0)
        self._sections["server" if sender == "client" else "client"].allow(capacity)

    def feed_encoder(self, sender: Sender, data: bytes) -> list[Record]:
        """Take a side's instructions; return what they let go on. Raises QpackError."""
        records: list[Record] = []
        for stream_id in self._sections[sender].feed_encoder(data):
            waiting = self._waiting.pop((sender, stream_id))
            try:
                fields = self._sections[sender].resume(stream_id)
            except QpackError as error:
                records += self._fail(waiting, str(error))
            else:
                records += waiting.resume(fields)
        if not self._waiting:
            self._waiting_size = 0
        return records

    def wait(self, stream: RequestStream, size: int) -> bool:
        """Take note that a stream is blocked, with more bytes; return whether there is room."""
        self._waiting[stream.stream.sender, stream.stream.stream_id] = stream
        self._waiting_size += size
        return self._waiting_size <= MAX_QPACK_BLOCKED

    def give_up(self, stream: RequestStream, why: str) -> list[Record]:
        """Go on in a blocked stream without the section that it waits for."""
        sender, stream_id = stream.stream.sender, stream.stream.stream_id
        self._waiting.pop((sender, stream_id), None)
        self._sections[sender].cancel(stream_id)
        return self._fail(stream, why)

    def _fail(self, stream: RequestStream, why: str) -> list[Record]:
        end = stream.stream.origins.size
        said = self.unread(0, end, why)
        writer = self._writer_of(stream.stream)
        return [writer.diagnostic(said, stream.exchange), *stream.resume(None)]

    def unread(self, start: int, end: int, why: str) -> Diagnostic:
        """Return what is said of a section that cannot be read: nobody is accused of what may be
        among packets that the capture lacks, an encoder's instructions or the other's SETTINGS."""
        if self.lacks_packets("client") or self.lacks_packets("server"):
            return diagnose("qpack-section-unknown", start, end, why)
        return diagnose("qpack-failed", start, end, why)

    @property
    def held(self) -> int:
        """Bytes of streams that wait for instructions of QPACK."""
        return self._waiting_size

    def finish(self) -> list[Record]:
        """Return what the end of the connection brings: sections that waited in vain."""
        records: list[Record] = []
        for stream in list(self._waiting.values()):
            records += self.give_up(stream, "instructions that it waits for did not come")
        if self.lacks_packets("client"):
            for stream_id, (stream, came) in self._unasked.items():
                size = stream.stream.peer.origins.size
                said = diagnose("http3-reset-unsure", size, size, f"stream {stream_id}")
                writer = self._writer_of(stream.stream.peer)
                records.append(writer.diagnostic(said, stream.exchange, came))
        return records

    # --- requests ---

    def note_request(self, stream_id: int, request: Request) -> None:
        """Keep a request until its answer comes."""
        self._requests[stream_id] = request
        if len(self._requests) > MAX_OPEN_STREAMS:
            self._requests.popitem(last=False)

    def request_of(self, stream_id: int) -> Request | None:
        """Return the request of a stream, if it was seen."""
        return self._requests.get(stream_id)

    # --- frames that end something ---

    def receive_told(
        self, sender: Sender, frame: ResetStream | StopSending, came: Completion
    ) -> list[Record]:
        """Take note that a side gives a stream up, or asks the other one to."""
        stream_id = frame.stream_id
        is_reset = isinstance(frame, ResetStream)
        whose: Sender = sender if is_reset else "server" if sender == "client" else "client"
        reader = self._streams.get((whose, stream_id))
        if reader is None or reader.stream.is_ended:
            return []
        reader.is_reset |= is_reset
        writer = self._writer_of(reader.stream if is_reset else reader.stream.peer)
        kind = "RESET_STREAM" if is_reset else "STOP_SENDING"
        error = error_name(frame.error)
        size = writer.origins.size
        records: list[Record] = [
            _told_record(writer, kind, reader.exchange, size, came, error_code=error)
        ]
        code = self._code_of(sender, frame, whose)
        if code and stream_id not in self._left:
            self._left.add(stream_id)
            detail = f"{error} in {kind} by the {sender}, stream {stream_id}"
            said = diagnose(code, size, size, detail)
            records.append(writer.diagnostic(said, reader.exchange, came))
            # A server that is asked to stop answers with the same code (RFC 9000 section 3.5).
            if is_reset and sender == "server" and frame.error in (_NO_ERROR, _CANCELLED):
                self._unasked[stream_id] = reader, came
                if len(self._unasked) > MAX_OPEN_STREAMS:
                    self._unasked.popitem(last=False)
        return records

    def _code_of(self, sender: Sender, frame: ResetStream | StopSending, whose: Sender) -> str:
        """Return the fault that giving up is, empty if it is none."""
        if frame.error == _REJECTED:
            return "http3-refused"
        if sender == "client" and frame.error in (_NO_ERROR, _CANCELLED):
            return "http3-cancelled"
        if frame.error == _NO_ERROR and whose == "client":
            return ""  # the server does not need the rest of the request (section 4.1)
        return "http3-reset"


def _told_record(
    writer: RecordWriter,
    kind: str,
    exchange: int | None,
    offset: int,
    came: Completion,
    *,
    error_code: str,
) -> Http3FrameRecord:
    packet, time = came
    return Http3FrameRecord(
        writer.connection, exchange, writer.sender, packet, packet, time, time, offset, 0, kind,
        error_code=error_code, layer=writer.layer, stream_id=writer.stream_id,
    )  # fmt: skip
