"""A QUIC connection (RFC 9000): datagrams of both sides in, the bytes of its streams out.

Strategy: each packet is opened with the keys of its side and level, and its frames are taken in
their order. Streams are :class:`~.streams.QuicStream`, which put their bytes in order; who reads
them, and who is told of resets, closing and the like, is the :class:`Listener`. What a key log may
still bring is kept for a while, within bounds.
"""

from __future__ import annotations

from collections import Counter
from typing import Generic, Protocol, TypeVar

from ..diagnostics import Diagnostic, diagnose
from ..http2.flow import Stall
from ..limits import MAX_OPEN_STREAMS, MAX_QUIC_BACKLOG, MAX_QUIC_FAULTS, STREAM_COST
from ..provenance import Completion, Ending
from ..records import Sender
from ..tls.key_finder import KeySource
from .flow import FlowControl
from .frames import (
    Ack,
    Blocked,
    ConnectionClose,
    Crypto,
    Frame,
    MaxData,
    MaxStreams,
    NewConnectionId,
    ResetStream,
    StopSending,
    StreamFrame,
    StreamsBlocked,
    read_frames,
)
from .handshake import Handshake
from .joining import Joined
from .number_space import Loss, NumberSet
from .packets import VERSIONS, Kind, PacketHeader, read_packets, versions_offered
from .protection import Opened
from .reader import Malformed
from .segments import parted
from .side import SPACES, QuicSide
from .stream_limits import StreamLimits
from .streams import QuicStream
from .transport_parameters import Parameters, read_parameters

T = TypeVar("T")
Told = ResetStream | StopSending | ConnectionClose


class Listener(Protocol[T]):
    """Who reads a connection's streams; what its methods return is passed on."""

    def open_stream(self, first: QuicStream[T]) -> None:
        """Give a stream and its peer their receivers; ``first`` is of who began it."""

    def receive_told(self, sender: Sender, frame: Told, came: Completion) -> list[T]:
        """Take a frame that ends something, before that ends."""

    def receive_packet(
        self, sender: Sender, packet: PacketHeader, came: Completion, *, is_open: bool
    ) -> list[T]:
        """Take note of a packet, whether or not it could be opened, before what it brings."""

    def receive_stall(self, sender: Sender, stall: Stall, came: Completion) -> list[T]:
        """Take a time in which flow control held a side; the packet ``came`` ended it."""

    def receive_fault(self, sender: Sender, fault: Diagnostic, came: Completion) -> list[T]:
        """Take a fault of no stream."""


def other(sender: Sender) -> Sender:
    """Return the other side."""
    return "server" if sender == "client" else "client"


class QuicConnection(Generic[T]):
    """Both sides of a connection; a key log may open what they say."""

    def __init__(self, keys: KeySource | None, listener: Listener[T]) -> None:
        self.version = 0
        self.handshake = Handshake()
        self.sides: dict[Sender, QuicSide] = {
            "client": QuicSide("client"),
            "server": QuicSide("server"),
        }
        self.is_midstream = False
        """Whether its first packet is not its client's first one."""
        self.unjoined: set[Sender] = set()
        """Whose packets are sent to ids that are not known, for no long header was captured."""
        self.is_retried = False
        """Whether the server sent a Retry."""
        self.has_early_data = False
        self.closed: tuple[Sender, ConnectionClose, Completion] | None = None
        """Who closed it first, and how."""
        self.losses: list[tuple[Sender, Loss]] = []
        self.copies = 0
        """Packets that came a second time."""
        self.streams: dict[int, QuicStream[T]] = {}
        """Those that are open, by their number: what the side sends that began it."""
        self._holed: dict[tuple[int, Sender], QuicStream[T]] = {}
        self._over = [NumberSet() for _ in range(4)]
        self._is_joined = False  # whether that is said
        self._keys = keys
        self._listener = listener
        self._backlog: list[tuple[Sender, bytes, PacketHeader, Completion]] = []
        self._backlog_size = 0
        self._faults: Counter[str] = Counter()
        self._limits = StreamLimits()

    def begin(self, version: int, destination: bytes | None) -> None:
        """Begin with a client's first packet, sent to ``destination``; None if it was not seen."""
        self.version = version
        self.is_midstream = destination is None
        if destination is not None:
            self.sides["server"].add_id(destination)
            for side in self.sides.values():
                side.make_initial_keys(version, destination)

    @property
    def held(self) -> int:
        """The bytes charged for it, without those of its streams' readers."""
        waiting = sum(side.waiting for side in self.sides.values())
        return self._backlog_size + waiting + len(self.streams) * STREAM_COST

    def join(self, found: Joined) -> None:
        """Go on with what a packet with a short header proved to be, whose beginning is missing."""
        self.sides[other(found.sender)].add_id(found.destination)
        space = self.sides[found.sender].spaces[2]
        if not len(space.known):
            space.begin(found.number)
        self.unjoined.discard(found.sender)

    # --- datagrams ---

    def receive(self, sender: Sender, data: bytes, came: Completion) -> list[T]:
        """Take a datagram, which the packet ``came`` carried; return what it completes."""
        side = self.sides[sender]
        records: list[T] = []
        for packet in read_packets(data, self.sides[other(sender)].id_size):
            if isinstance(packet, Diagnostic):
                records += self._fault(sender, packet, came)
            elif packet.kind in ("retry", "version-negotiation"):
                records += self._receive_bare(sender, data, packet, came)
            else:
                records += self._receive_packet(side, data, packet, came)
        for stream in [one for one in self._holed.values() if one.sender == sender]:
            records += stream.check_hole(side.spaces[2].known, came)
            self._note_hole(stream)
        return records

    def _note_hole(self, stream: QuicStream[T]) -> None:
        """Keep the streams in which bytes came behind a hole."""
        key = stream.stream_id, stream.sender
        if stream.lacks_bytes:
            self._holed[key] = stream
        elif self._holed:
            self._holed.pop(key, None)

    def _receive_bare(
        self, sender: Sender, data: bytes, packet: PacketHeader, came: Completion
    ) -> list[T]:
        """Take a packet without frames: what the server answers before there is a connection."""
        if sender == "client":
            return []
        if packet.kind == "version-negotiation":
            offered = (_version_name(one) for one in versions_offered(data, packet))
            fault = diagnose("quic-version-negotiation", 0, len(data), ", ".join(offered))
            return self._fault(sender, fault, came)
        if self.is_retried:
            return []
        self.is_retried = True
        self.sides["server"].add_id(packet.source)
        for side in self.sides.values():
            side.make_initial_keys(self.version, packet.source)
        return self._fault(sender, diagnose("quic-retry", 0, len(data)), came)

    def _receive_packet(
        self,
        side: QuicSide,
        data: bytes,
        packet: PacketHeader,
        came: Completion,
        *,
        is_late: bool = False,
    ) -> list[T]:
        """Take a packet; ``is_late`` tells that it waited for its keys, and was noted before."""
        if packet.version and packet.version != self.version:
            self._change_version(packet.version)
        is_early = packet.kind == "0-rtt" and not self.has_early_data
        self.has_early_data |= is_early
        records = (
            self._fault(side.sender, diagnose("quic-early-data", 0, len(data)), came)
            if is_early
            else []
        )
        if not side.has_keys(packet.kind):
            self._look_for_keys(side, packet.kind)
        opened = self._open_packets(side, data, packet)
        if packet.version and (opened or not side.has_keys(packet.kind)):
            side.add_id(packet.source)
            if self.is_midstream and opened:
                self.sides[other(side.sender)].add_id(packet.destination)
        if not is_late:
            for part in parted(data, packet):
                records += self._listener.receive_packet(
                    side.sender, part, came, is_open=bool(opened)
                )
        if not opened:
            self._put_aside(side, data, packet, came)
            return records
        side.opened += packet.kind != "initial"
        if self._backlog and side.has_keys("1-rtt"):
            records += self._replay()
        if len(opened) > 1:
            records += self._say_joined(side.sender, data, came)
        for one in opened:
            records += self._receive_opened(side, packet.kind, one, came)
        return records

    def _open_packets(self, side: QuicSide, data: bytes, packet: PacketHeader) -> list[Opened]:
        """Return what a packet holds, or each of those that were captured as one."""
        opened = side.open(data, packet)
        if opened is not None:
            return [opened]
        is_joined = packet.kind == "1-rtt" and side.has_keys("1-rtt")
        return side.open_joined(data, packet) if is_joined else []

    def _say_joined(self, sender: Sender, data: bytes, came: Completion) -> list[T]:
        if self._is_joined:
            return []
        self._is_joined = True
        return self._fault(sender, diagnose("quic-datagrams-joined", 0, len(data)), came)

    def _change_version(self, version: int) -> None:
        """Go on in another version, which the server chose (RFC 9368 section 2.3)."""
        self.version = version
        first = next(iter(self.sides["server"].ids), b"")
        for side in self.sides.values():
            side.make_initial_keys(version, first)

    # --- keys ---

    def _look_for_keys(self, side: QuicSide, kind: Kind) -> None:
        hello, chosen = self.handshake.client_hello, self.handshake.server_hello
        if self._keys is None:
            return
        if hello is None:
            if self.is_midstream:
                several = (secrets for _, secrets in self._keys.log.newest())
                side.make_candidates(kind, self.version, several)
            return
        suite = None if chosen is None else chosen.cipher_suite
        for _ in range(2):
            side.make_keys(kind, self.version, self._keys.log.of(hello.random), suite)
            if side.has_keys(kind) or not self._keys.refresh():
                return

    def _put_aside(
        self, side: QuicSide, data: bytes, packet: PacketHeader, came: Completion
    ) -> None:
        """Keep a packet that cannot be opened for keys that may come, if any may."""
        may_come = self._keys is not None and self._keys.waits
        size = packet.end - packet.start
        if (
            side.has_keys(packet.kind)
            or not may_come
            or self._backlog_size + size > MAX_QUIC_BACKLOG
        ):
            side.unopened += 1
        else:
            self._backlog.append((side.sender, data, packet, came))
            self._backlog_size += size

    def _replay(self) -> list[T]:
        """Open what waited for keys."""
        waited, self._backlog, self._backlog_size = self._backlog, [], 0
        records: list[T] = []
        for sender, data, packet, came in waited:
            records += self._receive_packet(self.sides[sender], data, packet, came, is_late=True)
        return records

    # --- frames ---

    def _receive_opened(
        self, side: QuicSide, kind: Kind, opened: Opened, came: Completion
    ) -> list[T]:
        space = side.spaces[SPACES[kind]]
        if not len(space.known):
            space.begin(self._first_number(side, opened.number))
        if not space.receive(opened.number):
            self.copies += 1
            return []
        records: list[T] = []
        is_eliciting = False
        try:
            for frame in read_frames(opened.payload):
                is_eliciting |= not isinstance(frame, Ack | ConnectionClose)
                records += self._receive_frame(side, kind, frame, opened.number, came)
        except Malformed as error:
            detail = f"{error}, in packet {opened.number} of the {side.sender}"
            fault = diagnose("quic-frame-malformed", 0, len(opened.payload), detail)
            records += self._fault(side.sender, fault, came)
        if is_eliciting:
            space.await_ack(opened.number, came)
        return records

    def _first_number(self, side: QuicSide, number: int) -> int:
        """Return the number that a space begins with whose first packet has ``number``.

        That is 0, unless one counter serves all spaces; or if what came before was not captured.
        """
        if self.is_midstream:
            return number
        return min(number, max(space.expected for space in side.spaces))

    def _receive_frame(
        self, side: QuicSide, kind: Kind, frame: Frame, number: int, came: Completion
    ) -> list[T]:
        match frame:
            case StreamFrame():
                return self._receive_stream(side, frame, number, came)
            case Ack(ranges=ranges):
                acknowledged = self.sides[other(side.sender)]
                for loss in acknowledged.spaces[SPACES[kind]].acknowledge(ranges, came):
                    self.losses.append((acknowledged.sender, loss))
            case Crypto() if (stream := side.crypto.get(kind)) is not None:
                found = (
                    self.handshake.receive(side.sender, message, came)
                    for message in stream.receive(frame, came)
                )
                faults = [fault for fault in found if fault is not None]
                return [one for fault in faults for one in self._fault(side.sender, fault, came)]
            case ResetStream():
                return self._receive_reset(side.sender, frame, came)
            case StopSending():
                return self._listener.receive_told(side.sender, frame, came)
            case MaxData(stream_id=stream_id, limit=limit):
                if stream_id is None or stream_id in self.streams:
                    self._flow(self.sides[other(side.sender)]).rise(stream_id, limit, came)
            case Blocked(stream_id=stream_id, limit=limit):
                if stream_id is None or stream_id in self.streams:
                    self._flow(side).block(stream_id, limit, came)
            case StreamsBlocked():
                self._limits.block(side.sender, frame, came)
            case MaxStreams():
                waiting = other(side.sender)
                if (said := self._limits.rise(waiting, frame, came)) is not None:
                    return self._fault(waiting, said, came)
            case NewConnectionId(connection_id=new):
                side.add_id(new)
            case ConnectionClose() if self.closed is None:
                self.closed = side.sender, frame, came
                return self._listener.receive_told(side.sender, frame, came)
        return []

    def _receive_stream(
        self, side: QuicSide, frame: StreamFrame, number: int, came: Completion
    ) -> list[T]:
        stream = self._stream(side.sender, frame.stream_id)
        if stream is None:
            return []
        if stream.has(frame):
            side.resent += 1
        end, before = frame.offset + len(frame.data), stream.origins.size
        stalls = self._flow(side).send(frame.stream_id, end, came, is_last=frame.fin)
        records = [
            record
            for stall in stalls
            for record in self._listener.receive_stall(side.sender, stall, came)
        ]
        records += stream.receive(frame, number, came)
        side.bytes += stream.origins.size - before
        self._note_hole(stream)
        self._forget(frame.stream_id)
        return records

    def _flow(self, side: QuicSide) -> FlowControl:
        """Return what holds a side; what the other one allows it at first is told once known."""
        if not side.flow.is_known:
            allowed = self.parameters(other(side.sender))
            if allowed is not None:
                side.flow.begin(allowed)
        return side.flow

    def parameters(self, sender: Sender) -> Parameters | None:
        """Return a side's transport parameters; None if they are not known, or malformed."""
        found = self.handshake.parameters(sender)
        try:
            return None if found is None else read_parameters(found)
        except Malformed:
            return None

    def _receive_reset(self, sender: Sender, frame: ResetStream, came: Completion) -> list[T]:
        stream = self._stream(sender, frame.stream_id)
        if stream is None or stream.is_ended:
            return []
        records = self._listener.receive_told(sender, frame, came)
        records += stream.end("reset", came)
        self._note_hole(stream)
        self._forget(frame.stream_id)
        return records

    # --- streams ---

    def _stream(self, sender: Sender, stream_id: int) -> QuicStream[T] | None:
        """Return what a side sends in a stream, which may begin with it; None if it cannot."""
        opener: Sender = "server" if stream_id & 1 else "client"
        first = self.streams.get(stream_id)
        if first is None:
            is_late = stream_id >> 2 in self._over[stream_id & 3]
            if is_late or len(self.streams) >= MAX_OPEN_STREAMS:
                return None
            first = self._open(opener, stream_id)
        return first if sender == opener else first.peer

    def _open(self, opener: Sender, stream_id: int) -> QuicStream[T]:
        first: QuicStream[T] = QuicStream(stream_id, opener, self.sides[opener].room)
        answer: Sender = other(opener)
        first.peer = QuicStream(stream_id, answer, self.sides[answer].room)
        first.peer.peer = first
        first.peer.is_ended = bool(stream_id & 2)  # of one direction (RFC 9000 section 2.1)
        self.streams[stream_id] = first
        self._listener.open_stream(first)
        return first

    def _forget(self, stream_id: int) -> None:
        first = self.streams.get(stream_id)
        if first is not None and first.is_ended and first.peer.is_ended:
            del self.streams[stream_id]
            for side in self.sides.values():
                side.flow.close(stream_id)
            self._over[stream_id & 3].add(stream_id >> 2, stream_id >> 2)

    # --- the end ---

    def lacks_packets(self, sender: Sender) -> bool:
        """Whether packets of a side that carry streams arrived and are not in the capture."""
        return self.sides[sender].spaces[SPACES["1-rtt"]].uncaptured > 0

    def end(self, ending: Ending, came: Completion) -> list[T]:
        """End all streams: the connection is over, or the capture is."""
        for sender, _, _, _ in self._backlog:
            self.sides[sender].unopened += 1
        self._backlog.clear()
        records: list[T] = []
        for sender, side in self.sides.items():
            for stall in side.flow.still_blocked():
                records += self._listener.receive_stall(sender, stall, came)
        for sender, said in self._limits.end():
            records += self._fault(sender, said, came)
        for first in list(self.streams.values()):
            for stream in (first, first.peer):
                records += stream.finish(ending, came)
        self.streams.clear()
        return records

    def _fault(self, sender: Sender, fault: Diagnostic, came: Completion) -> list[T]:
        """Pass a fault on, unless too many of its kind have come."""
        self._faults[fault.code] += 1
        if self._faults[fault.code] > MAX_QUIC_FAULTS:
            return []
        return self._listener.receive_fault(sender, fault, came)


def _version_name(version: int) -> str:
    return VERSIONS[version].name if version in VERSIONS else f"0x{version:08x}"
