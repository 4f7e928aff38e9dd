"""What a byte stream's first bytes are kept for: to recognise a protocol, or to join one.

Strategy: few protocols begin alike on both sides, so what the first bytes say tells who sent them
too. Until something is certain, bytes wait, up to a limit, each piece looked at once; then they are
handed over to the receiver that the stream has got, as they came.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from .. import limits
from ..diagnostics import Diagnostic, diagnose
from ..expressions import when_used
from ..provenance import Completion, Element, Ending
from ..records import Record, Sender
from ..streams import ByteStream
from .mismatch import STATUS_LINE
from .side import successor_of
from .writer import RecordWriter

if TYPE_CHECKING:
    from ..tls.joining import RecordPlace
    from .joining import Place

# request-line = method SP request-target SP HTTP-version    (RFC 9112 section 3); method = token
REQUEST_LINE = when_used(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} [^\r\n ]+ HTTP/1\.\d\r?\n")
HTTP2_PREFACE = b"PRI * HTTP/2.0"
# TLSPlaintext: handshake(22), legacy_record_version 3.x, length; then the handshake type
# (RFC 8446 sections 5.1 and 4).
TLS_HELLO = when_used(rb"\x16\x03[\x00-\x04]..([\x01\x02])", re.DOTALL)
MAX_PLACES = 64
"""Pieces that wait whose packets are kept apart: looking all of them up would be quadratic."""
PROXY_BEGINS = (b"P", b"PR", b"\r", b"\r\n")
"""How headers of the PROXY protocol begin (proxy-protocol.txt sections 2.1 and 2.2)."""
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


class _Passed(Element, frozen=True):
    """Missing bytes, whose gap is recorded already."""

    length: int


class Joiner(Protocol):
    """Who begins to decode where the start of what streams hold is missing."""

    def join_content(self, joined: ProtocolDetector, place: Place) -> list[Record]:
        """Begin in the middle of a body."""

    def join_websocket(self) -> list[Record] | None:
        """Begin with frames of a WebSocket, if they are certain; None if they are not."""

    def join_tls(self, joined: ProtocolDetector, place: RecordPlace) -> list[Record]:
        """Begin where a record of TLS does."""

    def join_http2(self, joined: ProtocolDetector, proof: str) -> list[Record]:
        """Begin with frames of HTTP/2."""

    def join_at_end(self) -> list[Record] | None:
        """Begin with frames of HTTP/2 that end where streams do; None if none do."""


class Judge(Protocol):
    """What a detector tells what it has found, and asks what it cannot know alone."""

    is_midstream: bool

    @property
    def gives_up_early(self) -> bool:
        """Whether one side's first bytes, if they mean nothing, tell that nobody knows them."""

    def decide(
        self, name: str, client: ByteStream[Record], recognised: ByteStream[Record] | None = None
    ) -> list[Record]:
        """Give both streams their receivers."""

    def give_up(self) -> list[Record]:
        """Decide that nobody knows what it is."""

    def look_for_preface(self, new: int) -> list[Record] | None:
        """Look at what both sides have said; None if that is nothing yet."""

    @property
    def midstream(self) -> Joiner:
        """Who begins where the start is missing."""

    def writer(self, stream: ByteStream[Record]) -> RecordWriter:
        """Return what writes the records of one of the streams."""


class ProtocolDetector:
    """A receiver that keeps what comes from ``start`` on until it is known what it is."""

    def __init__(self, protocol: Judge, stream: ByteStream[Record], start: int) -> None:
        self.stream = stream
        self.start = start
        """Where in the stream the pending data begins."""
        self._protocol = protocol
        self._held: list[bytes | int | _Fault | _Passed | Ending] = []
        """Data, the lengths of gaps, faults, and the end."""
        self._offset = start
        self.said: list[Diagnostic] = []
        """What was read already, and is said when it is known who sent it."""
        self._places: list[int] = []
        """Where the first pieces begin, so that their packets stay known."""
        self._size = 0
        self.first = bytearray()
        """The first bytes as they came, up to MAX_PREFACE, for what both sides say together."""
        self._may_be_proxied = not protocol.is_midstream
        if protocol.is_midstream:
            from ..tls.joining import RecordsSearch
            from .joining import ContentSearch, FrameSearch, Http2Search

            self._content = ContentSearch(start)
            self.frames = FrameSearch(start)
            self._records = RecordsSearch(start)
            self.http2 = Http2Search(start)
        self._gaps: list[tuple[int, int]] = []
        """Gaps among what was dropped."""
        self._head = bytearray()
        """The first bytes, as long as they may mean something."""
        self._is_hopeless = False

    def receive_data(self, data: bytes) -> list[Record]:
        self._held.append(data)
        self._size += len(data)
        if len(self._places) == MAX_PLACES and self._protocol.is_midstream:
            del self._places[0]
        if len(self._places) < MAX_PLACES:
            self._places.append(self._offset)
        self._offset += len(data)
        is_midstream = self._protocol.is_midstream
        if self._may_be_proxied:
            if (unseen := self._look_for_proxy_header(data)) is None:
                return []
            data = unseen
        name, sender = self._recognise(data)
        if sender is None and is_midstream:
            name, sender = recognise(data)
            if sender is not None:
                self._hold_only(data)
            elif (found := self._join(data)) is not None:
                return found
            elif self._size > limits.MAX_RESYNCHRONISE:
                self.drop(self._offset - self.start - limits.MAX_RESYNCHRONISE // 2)
        if sender is not None:
            client = self.stream if sender == "client" else self.stream.peer
            return self._protocol.decide(name, client, self.stream)
        if not is_midstream and len(self.first) < limits.MAX_PREFACE:
            self.first += data[: limits.MAX_PREFACE - len(self.first)]
            if (found := self._protocol.look_for_preface(len(data))) is not None:
                return found
        is_over = self._size > limits.MAX_UNDECIDED or (
            self._is_hopeless and self._protocol.gives_up_early
        )
        return self._protocol.give_up() if is_over and not is_midstream else []

    def _join(self, data: bytes) -> list[Record] | None:
        """Look for what can only be the middle of a stream; None if nothing is certain yet.

        Content may lie in frames of HTTP/2, so those come first.
        """
        if proof := self.http2.receive_data(data):
            return self._protocol.midstream.join_http2(self, proof)
        place = self._content.receive_data(data)
        self.frames.receive_data(data)
        record = self._records.receive_data(data)
        if self.http2.is_pending:
            return None
        if place is not None and place.offset >= self.start:
            return self._protocol.midstream.join_content(self, place)
        if (found := self._protocol.midstream.join_websocket()) is not None:
            return found
        if record is not None and record.offset >= self.start:
            return self._protocol.midstream.join_tls(self, record)
        return None

    def receive_gap(self, length: int) -> list[Record]:
        self._offset += length
        if self._protocol.is_midstream:
            self._content.receive_gap(length)
            self.http2.receive_gap(length)
            self.frames.receive_gap(length)
            self._records.receive_gap(length)
        records = self._hold(length)
        if self._protocol.is_midstream or len(self._held) > 1 or self.stream.receiver is not self:
            return records
        return self._protocol.look_for_preface(0) or []

    def pass_over(self, length: int) -> list[Record]:
        """Take note of missing bytes, whose gap is recorded already."""
        self._offset += length
        return self._hold(_Passed(length))

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return self._hold(_Fault(fault, shown))

    def receive_eof(self, ending: Ending) -> list[Record]:
        """Decide now if the other side has ended too."""
        self._held.append(ending)
        if not self.stream.peer.is_ended:
            return []
        joined = self._protocol.midstream.join_at_end() if self._protocol.is_midstream else None
        return self._protocol.give_up() if joined is None else joined

    @property
    def open_offsets(self) -> tuple[int, ...]:
        said = (place for one in self.said for place in (one.start, one.end - 1))
        return (self.start, *self._places, *said)

    @property
    def is_headless(self) -> bool:
        """Whether its first bytes are missing."""
        if self._held:
            return isinstance(self._held[0], int | _Passed)
        return self.stream.lacks_bytes

    def is_at(self, size: int) -> bool:
        """Whether so many bytes are what has come, or the first of it."""
        return size <= self._size

    def replay(self) -> list[Record]:
        """Hand over what was pending to the receiver that the stream has now."""
        records: list[Record] = []
        if self._gaps or self.said:  # hardly any stream has
            writer = self._protocol.writer(self.stream)
            records += [writer.gap(start, length, None) for start, length in self._gaps]
            records += [writer.diagnostic(one, None) for one in self.said]
        for item in self._held:
            receiver = self.stream.receiver  # each may hand the stream on
            if isinstance(item, bytes):
                records += receiver.receive_data(item)
            elif isinstance(item, int):
                records += receiver.receive_gap(item)
            elif isinstance(item, _Fault):
                records += receiver.receive_fault(item.fault, item.shown)
            elif isinstance(item, _Passed):
                records += successor_of(self.stream).pass_over(item.length)
            else:
                records += receiver.receive_eof(item)
        return records

    def _hold(self, item: int | _Fault | _Passed) -> list[Record]:
        """Keep what is no data: it has a limit too, for it can come without any."""
        self._held.append(item)
        if len(self._held) > limits.MAX_UNDECIDED:
            return self._protocol.give_up()
        return []

    def _look_for_proxy_header(self, data: bytes) -> bytes | None:
        """Take PROXY protocol headers off; return what is to be looked at, None if more must come.

        A balancer before another puts its header before the other's.
        """
        unseen = bytes(self.first) + data
        self.first.clear()
        if unseen[:2] not in PROXY_BEGINS:  # as nearly all
            self._may_be_proxied = not unseen
            return unseen or None
        from ..proxy_protocol import header as proxy_protocol

        while unseen and proxy_protocol.may_begin(unseen) and self._size <= limits.MAX_UNDECIDED:
            header = proxy_protocol.read_header(unseen)
            if header is None:
                self.first += unseen
                return None
            start = self._offset - len(unseen)
            code = "proxy-protocol" if header.is_valid else "proxy-protocol-invalid"
            end = start + header.length
            self.said.append(diagnose(code, start, end, header.text))
            self.drop(end - self.start)
            unseen = unseen[header.length :]
            if not header.length or len(self.said) >= limits.MAX_PROXY_HEADERS:
                break
        if unseen:
            self._may_be_proxied = False
            return unseen
        return None

    def drop(self, size: int) -> None:
        """Take the first bytes of what is pending away: they have been read."""
        pos = self.start
        self.start = start = pos + size
        self._size = 0
        held, self._held = self._held, []
        for item in held:
            if isinstance(item, int) and pos < start:
                self._gaps.append((pos, item))
                pos += item
                continue
            if isinstance(item, bytes):
                end = pos + len(item)
                item, pos = item[max(0, start - pos) :], end
                if not item:
                    continue
                self._size += len(item)
            self._held.append(item)
        self._places = [place for place in self._places if place > start]

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
        self.start = self._offset - len(data)
        self._places = [self.start]
