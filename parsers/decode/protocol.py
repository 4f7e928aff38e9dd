"""What a connection speaks, and which end is the client.

Strategy: a SYN tells the client; without one the first bytes do, as few protocols begin alike on
both sides. Until it is known, bytes wait, up to a limit; then both directions get the receivers
of the protocol and never come back here.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from .. import limits
from ..diagnostics import Diagnostic
from ..http1.decoder import RequestDecoder, ResponseDecoder
from ..net.connection import Connection
from ..net.table import reverse_key
from ..net.tcp import Direction
from ..provenance import Completion, Element, Ending, seconds
from ..records import ConnectionRecord, Record, Sender
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


def address_text(address: bytes, port: int) -> str:
    """Return ``127.0.0.1:8000`` or ``[::1]:8000``."""
    shown = str(ip_address(address))
    return f"{shown}:{port}" if len(address) == 4 else f"[{shown}]:{port}"


class _Fault(Element, frozen=True):
    """A fault that waits, with the packet that showed it."""

    fault: Diagnostic
    shown: Completion


class ProtocolDetector:
    """A receiver that keeps what comes until it is known what it is."""

    def __init__(self, conversation: ApplicationProtocol, direction: Direction) -> None:
        self.conversation = conversation
        self.direction = direction
        self.start = 0
        """Where in the stream the held data begins."""
        self.has_ended = False
        self._held: list[bytes | tuple[int, int] | _Fault | Ending] = []
        self._size = 0
        self._head = bytearray()
        """The first bytes, as long as they may mean something."""
        self._is_hopeless = False

    def receive_data(self, data: bytes) -> list[Record]:
        self._held.append(data)
        self._size += len(data)
        connection = self.direction.connection
        protocol, sender = self._recognise(data)
        if sender is None and connection.is_midstream:
            protocol, sender = recognise(data)
            if sender is not None or self._size > limits.MAX_UNDECIDED:
                self._hold_only(data)
        if sender is not None:
            return self.conversation.decide(protocol, self.direction, sender)
        if self._size > limits.MAX_UNDECIDED and not connection.is_midstream:
            return self.conversation.decide("unknown")
        return []

    def receive_gap(self, start: int, end: int) -> list[Record]:
        return self._hold((start, end))

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return self._hold(_Fault(fault, shown))

    def receive_eof(self, ending: Ending) -> list[Record]:
        """Decide now if the other direction has ended too."""
        self._held.append(ending)
        self.has_ended = True
        return self.conversation.decide("unknown") if self.direction.peer.is_ended else []

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return (self.start,)

    def replay(self) -> list[Record]:
        """Hand over what was held to the receiver that the direction has now."""
        receiver = self.direction.receiver
        records: list[Record] = []
        for item in self._held:
            if isinstance(item, bytes):
                records += receiver.receive_data(item)
            elif isinstance(item, tuple):
                records += receiver.receive_gap(*item)
            elif isinstance(item, _Fault):
                records += receiver.receive_fault(item.fault, item.shown)
            else:
                records += receiver.receive_eof(item)
        return records

    def _hold(self, item: tuple[int, int] | _Fault) -> list[Record]:
        """Keep what is no data: it has a limit too, for it can come without any."""
        self._held.append(item)
        if len(self._held) > limits.MAX_UNDECIDED:
            return self.conversation.decide("unknown")
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
        self.start = self.direction.stream.size - len(data)


class ApplicationProtocol:
    """One connection above TCP: its roles, its protocol, its receivers."""

    def __init__(
        self, connection: Connection, *, keep_data: bool, recorded_by: str | None = None
    ) -> None:
        self.connection = connection
        self._recorded_by = recorded_by
        connection.is_understood = not connection.is_midstream
        self._keep_data = keep_data
        self._client: Direction | None = None
        self._protocol = "unknown"
        self._responses: ResponseSide | None = None
        self._waiting = [
            ProtocolDetector(self, direction) for direction in (connection.first, connection.second)
        ]
        for waiting in self._waiting:
            waiting.direction.receiver = waiting

    def decide(
        self, protocol: str, direction: Direction | None = None, sender: Sender | None = None
    ) -> list[Record]:
        """Give both directions their receivers; ``direction`` was recognised as ``sender``."""
        self._protocol = protocol
        self.connection.is_understood = True
        if direction is not None:
            self._client = direction if sender == "client" else direction.peer
        waiting, self._waiting = self._waiting, []
        if protocol == "http/1.1":
            return self._speak_http(waiting, direction)
        records: list[Record] = []
        for held in waiting:
            held.direction.receiver = Ignored(self._writer(held.direction))
            records += held.replay()
        return records

    def _speak_http(
        self, waiting: list[ProtocolDetector], recognised: Direction | None
    ) -> list[Record]:
        starts = {held.direction: held.start for held in waiting}
        client, server = self.client, self.client.peer
        requests = RequestSide(
            self._writer(client), RequestDecoder(starts[client], keep_data=self._keep_data)
        )
        responses = ResponseSide(
            self._writer(server),
            ResponseDecoder(starts[server], keep_data=self._keep_data),
            requests,
        )
        client.receiver, server.receiver = requests, responses
        self._responses = responses
        records: list[Record] = []
        # The requests first: their methods say how the responses are framed.
        for held in sorted(waiting, key=lambda held: held.direction is server):
            side = requests if held.direction is client else responses
            if self.connection.is_midstream and held.direction is not recognised:
                # It may begin inside a message: as after a gap, go on at the next sure start.
                records += side.write(side.decoder.receive_gap(0)) if side.decoder else []
            records += held.replay()
        return records

    @property
    def client(self) -> Direction:
        """The direction that the client sent: by SYN, by its bytes, or else the higher port."""
        first = self.connection.first
        if self._client is not None:
            return self._client
        if first.base_seq is not None:
            return first if not first.sent_syn_ack else first.peer
        if first.peer.base_seq is not None:
            return first.peer if not first.peer.sent_syn_ack else first
        key = self.connection.key
        return first if key[-4:-2] >= key[-2:] else first.peer

    def record(self) -> ConnectionRecord:
        """Return the connection's own record."""
        connection = self.connection
        client = self.client
        size = len(connection.key) // 2 - 2
        key = connection.key if client is connection.first else reverse_key(connection.key)
        ports = key[2 * size :]
        closed_by = connection.closed_by
        protocol = self._protocol if self._responses is None else self._responses.protocol
        return ConnectionRecord(
            connection.index,
            address_text(key[:size], int.from_bytes(ports[:2], "big")),
            address_text(key[size : 2 * size], int.from_bytes(ports[2:], "big")),
            protocol,
            connection.first_packet,
            connection.last_packet,
            seconds(connection.first_time),
            seconds(connection.last_time),
            connection.packets,
            client.stream.size,
            client.peer.stream.size,
            connection.retransmissions,
            connection.out_of_order,
            None if closed_by is None else "client" if closed_by is client else "server",
            connection.close,
            connection.is_midstream,
            client.fin_packet,
            client.peer.fin_packet,
            self._recorded_by,
        )

    def _writer(self, direction: Direction) -> RecordWriter:
        sender: Sender = "client" if direction is self.client else "server"
        return RecordWriter(self.connection.index, sender, direction.stream, self._keep_data)
