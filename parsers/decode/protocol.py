"""What two byte streams speak with one another, and which of them is the client's.

Strategy: the layer below says who is the client as far as it can tell; what the first bytes say
counts for more, as few protocols begin alike on both sides. Until it is known, bytes wait, up to a
limit; then both streams get the receivers of the protocol and never come back here. The streams
may be TCP's or anything that lies in it: what a tunnel holds, or TLS, is opened by another
:class:`ApplicationProtocol`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .. import limits
from ..diagnostics import Diagnostic
from ..http1.decoder import RequestDecoder, ResponseDecoder
from ..provenance import Completion, Element, Ending
from ..records import Record, Sender
from ..streams import ByteStream
from .http1_side import RequestSide, ResponseSide
from .silent import Ignored
from .writer import RecordWriter

# request-line = method SP request-target SP HTTP-version    (RFC 9112 section 3); method = token
REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} [^\r\n ]+ HTTP/1\.\d\r?\n")
STATUS_LINE = b"HTTP/1."
HTTP2_PREFACE = b"PRI * HTTP/2.0"
# TLSPlaintext: handshake(22), legacy_record_version 3.x, length; then the handshake type
# (RFC 8446 sections 5.1 and 4).
TLS_HELLO = re.compile(rb"\x16\x03[\x00-\x04]..([\x01\x02])", re.DOTALL)
LONGEST_BEGINNING = 14
"""Bytes that tell all of these from one another, but a request, which takes a whole line."""


def recognise(data: bytes) -> tuple[str, Sender | None]:
    """Return the protocol that ``data`` begins, and who would send that.

    ``unknown`` if the bytes tell nothing.
    """
    data = data.lstrip(b"\r\n")  # RFC 9112 section 2.2 lets empty lines stand before a request
    if data.startswith(HTTP2_PREFACE):
        return "http/2", "client"
    if data.startswith(STATUS_LINE):
        return "http/1.1", "server"
    if REQUEST_LINE.match(data):
        return "http/1.1", "client"
    if hello := TLS_HELLO.match(data):
        return "tls", "client" if hello[1] == b"\x01" else "server"
    return "unknown", None


class _Fault(Element, frozen=True):
    """A fault that waits, with the packet that showed it."""

    fault: Diagnostic
    shown: Completion


class ProtocolDetector:
    """A receiver that keeps what comes until it is known what it is."""

    def __init__(self, protocol: ApplicationProtocol, stream: ByteStream[Record]) -> None:
        self.stream = stream
        self.start = stream.origins.size
        """Where in the stream the pending data begins."""
        self._protocol = protocol
        self._held: list[bytes | int | _Fault | Ending] = []
        """Data, the lengths of gaps, faults, and the end."""
        self._size = 0
        self._head = bytearray()
        """The first bytes, as long as they may mean something."""
        self._is_hopeless = False

    def receive_data(self, data: bytes) -> list[Record]:
        self._held.append(data)
        self._size += len(data)
        name, sender = self._recognise(data)
        is_midstream = self._protocol.is_midstream
        if sender is None and is_midstream:
            name, sender = recognise(data)
            if sender is not None or self._size > limits.MAX_UNDECIDED:
                self._hold_only(data)
        if sender is not None:
            client = self.stream if sender == "client" else self.stream.peer
            return self._protocol.decide(name, client, self.stream)
        if self._size > limits.MAX_UNDECIDED and not is_midstream:
            return self._protocol.give_up()
        return []

    def receive_gap(self, length: int) -> list[Record]:
        return self._hold(length)

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return self._hold(_Fault(fault, shown))

    def receive_eof(self, ending: Ending) -> list[Record]:
        """Decide now if the other side has ended too."""
        self._held.append(ending)
        return self._protocol.give_up() if self.stream.peer.is_ended else []

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return (self.start,)

    def replay(self) -> list[Record]:
        """Hand over what was pending to the receiver that the stream has now."""
        receiver = self.stream.receiver
        records: list[Record] = []
        for item in self._held:
            if isinstance(item, bytes):
                records += receiver.receive_data(item)
            elif isinstance(item, int):
                records += receiver.receive_gap(item)
            elif isinstance(item, _Fault):
                records += receiver.receive_fault(item.fault, item.shown)
            else:
                records += receiver.receive_eof(item)
        return records

    def _hold(self, item: int | _Fault) -> list[Record]:
        """Keep what is no data: it has a limit too, for it can come without any."""
        self._held.append(item)
        if len(self._held) > limits.MAX_UNDECIDED:
            return self._protocol.give_up()
        return []

    def _recognise(self, data: bytes) -> tuple[str, Sender | None]:
        """Look at the first bytes, until they are a whole line that means nothing.

        Bytes that neither are among the very first nor end a line change nothing, and cost nothing.
        """
        head = self._head
        if self._is_hopeless:
            return "unknown", None
        before = len(head)
        head += data if head else data.lstrip(b"\r\n")
        ends_line = b"\n" in head[before:]
        if before > LONGEST_BEGINNING and not ends_line:
            self._is_hopeless = len(head) > limits.MAX_UNDECIDED
            return "unknown", None
        self._is_hopeless = ends_line
        return recognise(bytes(head))

    def _hold_only(self, data: bytes) -> None:
        """Drop what came before ``data``: it is the rest of something whose start is not here."""
        self._held = [data]
        self._size = len(data)
        self.start = self.stream.origins.size - len(data)


class ApplicationProtocol:
    """What two streams speak: its name, the client's stream, and the receivers of both.

    ``client`` tells which stream is the client's as far as the layer below knows; it is asked when
    nothing else tells. ``decided`` is called once with the client's stream, when it is known what
    is spoken and by whom, before anything comes of it. With ``is_midstream`` the start is missing:
    a message may begin with any piece of data that comes.
    """

    def __init__(
        self,
        streams: tuple[ByteStream[Record], ByteStream[Record]],
        *,
        connection: int,
        client: Callable[[], ByteStream[Record]],
        keep_data: bool,
        is_midstream: bool = False,
        decided: Callable[[ByteStream[Record]], None] = lambda client: None,
    ) -> None:
        self.is_midstream = is_midstream
        self._connection = connection
        self._client_below = client
        self._keep_data = keep_data
        self._decided = decided
        self._client: ByteStream[Record] | None = None
        self._name = "unknown"
        self._responses: ResponseSide | None = None
        self._waiting = [ProtocolDetector(self, stream) for stream in streams]
        for waiting in self._waiting:
            waiting.stream.receiver = waiting

    @property
    def name(self) -> str:
        """``http/1.1``, ``websocket``, ``http/2``, ``tls``; ``unknown`` until it is decided."""
        return self._name if self._responses is None else self._responses.protocol

    @property
    def client(self) -> ByteStream[Record]:
        """What the client sent: by its bytes, or else by what the layer below knows."""
        return self._client_below() if self._client is None else self._client

    def give_up(self) -> list[Record]:
        """Decide that nobody knows what it is."""
        return self.decide("unknown", self.client)

    def decide(
        self, name: str, client: ByteStream[Record], recognised: ByteStream[Record] | None = None
    ) -> list[Record]:
        """Give both streams their receivers; the protocol was seen in what was ``recognised``."""
        self._name = name
        self._client = client
        self._decided(client)
        waiting, self._waiting = self._waiting, []
        if name == "http/1.1":
            return self._speak_http(waiting, recognised)
        records: list[Record] = []
        for detector in waiting:
            detector.stream.receiver = Ignored(self._writer(detector.stream), detector.start)
            records += detector.replay()
        return records

    def _speak_http(
        self, waiting: list[ProtocolDetector], recognised: ByteStream[Record] | None
    ) -> list[Record]:
        client = self.client
        # The requests first: their methods say how the responses are framed.
        asked, answered = sorted(waiting, key=lambda detector: detector.stream is not client)
        requests = RequestSide(
            asked.stream,
            self._writer(asked.stream),
            RequestDecoder(asked.start, keep_data=self._keep_data),
        )
        responses = ResponseSide(
            answered.stream,
            self._writer(answered.stream),
            ResponseDecoder(answered.start, keep_data=self._keep_data),
            requests,
        )
        asked.stream.receiver, answered.stream.receiver = requests, responses
        self._responses = responses
        records: list[Record] = []
        for detector, side in ((asked, requests), (answered, responses)):
            if self.is_midstream and detector.stream is not recognised:
                # It may begin inside a message: as after a gap, go on at the next sure start.
                records += side.pass_over(0)
            records += detector.replay()
        return records

    def _writer(self, stream: ByteStream[Record]) -> RecordWriter:
        sender: Sender = "client" if stream is self.client else "server"
        return RecordWriter(self._connection, sender, stream.origins, self._keep_data, stream.layer)
