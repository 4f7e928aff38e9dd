"""A TCP connection (RFC 9293): its two directions, what each end sent, in order, and how it ended.

Strategy: a segment that comes in order, which nearly all do, is put aside; what was put aside is
handed to the direction's receiver in one piece (see :mod:`~parsers.net.table`). Any other
segment takes the general path through the out-of-order queue. Sequence numbers become stream
offsets by a signed 32-bit difference to the next expected one, so wrapping needs no special case.
Beside the directions stands what only both together tell: who closed, and whether it is over. The
two ask each other, so they live in one file. ``T`` is what receivers make of the bytes: nothing
here looks at it.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from .. import limits
from ..diagnostics import diagnose
from ..provenance import Arrival, Close, Completion, Ending, Layer, SourceMap, seconds
from ..streams import Receiver
from .out_of_order import OutOfOrderQueue
from .overlap import History, Piece, find_conflict
from .path import Path
from .segment import ACK, FIN, RST, SYN, UNUSUAL, URG, Scrutiny, Segment

T = TypeVar("T")

REORDERING_TIME = 3_000_000
"""Nanoseconds within which a late segment counts as reordered, later as sent again, as in
Wireshark."""
NO_SEQ = -1
LARGE_SEGMENT = 8 * limits.KiB
"""Payloads above this are not put aside: it would save nothing and fill memory."""
FORGET_EVERY = 32
"""Runs of a source map after which those that nothing needs any more are dropped. So few, because
what is kept for each of many connections must stay in the processor's cache: 512 made the decode
of a hundred connections a quarter slower."""


class Direction(Generic[T]):
    """What one endpoint sent."""

    __slots__ = (
        "connection",
        "peer",
        "receiver",
        "origins",
        "next_seq",
        "base_seq",
        "answered_seq",
        "syn_timestamp",
        "rejected_ack",
        "sent_syn_ack",
        "acked",
        "acked_before",
        "acked_at_fin",
        "window",
        "has_closed_window",
        "path",
        "queue",
        "history",
        "fin_offset",
        "fin_packet",
        "fin_time",
        "usual_seq",
        "pending",
        "is_waiting",
        "is_ended",
        "retransmissions",
        "out_of_order",
        "_scrutiny",
        "_dropped",
        "_highest_end",
        "_highest_time",
        "_waited",
        "_has_been_full",
    )

    connection: Connection[T]
    peer: Direction[T]
    receiver: Receiver[T]

    def __init__(self) -> None:
        self.origins: SourceMap[Arrival] = SourceMap()
        self.next_seq: int | None = None
        self.base_seq: int | None = None
        """The sequence number of its SYN, if that was captured."""
        self.answered_seq: int | None = None
        """The same by its peer's answer, SYN and ACK, if that was captured."""
        self.syn_timestamp: int | None = None
        """What its first SYN gave as its timestamp, if it did."""
        self.rejected_ack: int | None = None
        """What the last segment acknowledged that it could not take as an answer to its SYN."""
        self.sent_syn_ack = False
        self.acked: int | None = None
        """What this endpoint acknowledged last, as a sequence number of its peer."""
        self.acked_before: int | None = None
        """The same before, as far as its peer's direction has not been captured."""
        self.acked_at_fin: int | None = None
        self.window = 0xFFFF
        """What it advertised as its window beside ``acked``, not scaled."""
        self.has_closed_window = False
        self.path = Path()
        self.queue = OutOfOrderQueue()
        self.history = History()
        self.fin_offset: int | None = None
        self.fin_packet: int | None = None
        self.fin_time = 0
        self.usual_seq = NO_SEQ
        """What the next segment's sequence number is if it is as usual: in order, with nothing
        waiting and nothing closed on either side. NO_SEQ if no segment can be."""
        self.pending: list[bytes] = []
        """Payloads that are in order and in ``origins``, but not with the receiver yet."""
        self.is_waiting = False
        """Whether something waits behind a hole: data, or only a FIN."""
        self.is_ended = False
        self.retransmissions = 0
        self.out_of_order = 0
        self._scrutiny = Scrutiny()
        self._dropped: list[Piece] = []
        """What had a wrong checksum, as long as it may turn out that the receiver took it."""
        self._highest_end = 0
        self._highest_time = 0
        self._waited = 0
        self._has_been_full = False

    @property
    def acknowledged(self) -> int | None:
        """How many of its peer's bytes it had when it sent what was handed over last."""
        peer = self.peer
        if self.acked is None:
            return None
        if peer.next_seq is not None:
            return peer.offset_of(self.acked)
        if peer.answered_seq is None:
            return None
        return (self.acked - peer.answered_seq - 1) & 0xFFFFFFFF

    @property
    def size_by_acks(self) -> int | None:
        """How many bytes it sent by what its peer acknowledged, which is all that is captured.

        A last one after the peer's own FIN, or right before it, is its FIN.
        """
        peer = self.peer
        size, before = peer.acknowledged, peer.acked_before
        if size is None or peer.acked is None:
            return size
        if peer.fin_offset is None or before is None:
            return size
        return size - ((peer.acked - before) & 0xFFFFFFFF == 1)

    @property
    def layer(self) -> Layer:
        return "tcp"

    def receive(self, segment: Segment) -> list[T]:
        """Take one segment by the general path; return the records that it completed."""
        if self.next_seq is None and (unfit := self._unfit_answer(segment)):
            return self._fault("tcp-answer-ignored", f"{unfit}, in packet {segment.number}")
        is_plain = segment.flags & (UNUSUAL | ACK) == ACK and self.next_seq is not None
        is_usual = is_plain and (segment.seq == self.usual_seq or not segment.payload)
        if why := self._scrutiny.fault(segment, is_usual):
            return self._drop(segment, *why)
        return (
            self._receive_plain(segment, segment.seq)
            if is_plain
            else self._receive_unusual(segment)
        )

    def _unfit_answer(self, segment: Segment) -> str | None:
        """Return why a peer that has sent a SYN does not take this for an answer; None if it does.

        What is left over of an old connection between the same ports acknowledges something else,
        and is answered by a RST that ends nothing (RFC 9293 section 3.10.7.3); the same if its
        timestamp echoes one from before the SYN (Linux, ``tcp_rcv_synsent_state_process``). Above
        what was captured anything may have been sent, but not beyond a window.
        """
        peer = self.peer
        if peer.base_seq is None or peer.sent_syn_ack:
            return None
        if not segment.flags & ACK:
            return "a RST without ACK" if segment.flags & RST else None
        why = None
        acked = (segment.ack - peer.base_seq) & 0xFFFFFFFF
        if not 0 < acked <= limits.MAX_OUT_OF_ORDER:
            why = f"{segment.ack} acknowledged, {(peer.base_seq + 1) & 0xFFFFFFFF} expected"
        elif peer.syn_timestamp is not None and (stamps := segment.timestamps) is not None:
            echoed = stamps[1]
            if echoed and (echoed - peer.syn_timestamp) & 0xFFFFFFFF >= 0x80000000:
                why = f"timestamp {echoed} echoed, {peer.syn_timestamp} or later expected"
        if why is not None:
            peer.rejected_ack = segment.ack
        return why

    def _receive_plain(self, segment: Segment, seq: int) -> list[T]:
        """Take the acknowledgement and the payload, which begins at ``seq``."""
        has_content = segment.payload or segment.missing or segment.flags & FIN
        if segment.ack != self.acked:
            self.acked_before, self.acked = self.acked, segment.ack
            self.window = segment.window
        elif not has_content and seq == self.next_seq:
            self.repeat_ack(segment.window, segment.number, segment.time_ns)
        if self.has_closed_window or not segment.window:
            self._take_window(segment)
        records = self.peer.check_for_gap() if self.peer.is_waiting else []
        if has_content:
            records += self._receive_payload(self._piece_of(segment, seq))
        return records

    def may_repeat(self, segment: Segment) -> bool:
        """Whether a segment may bring nothing new: it may be a copy of one that came before."""
        if self.next_seq is None:
            return False
        if segment.flags & (SYN | FIN | RST):
            return True
        if segment.payload:
            return self.offset_of(segment.seq) < max(self.origins.size, self._highest_end)
        return segment.ack == self.acked

    def repeat_ack(self, window: int, number: int, time_ns: int) -> None:
        """Take a segment that does nothing but to acknowledge what the one before did.

        It is a duplicate if bytes are under way and the window is the same (RFC 5681 section 2).
        """
        is_same, self.window = window == self.window, window
        peer, acked = self.peer, self.acked
        if not (is_same and window) or peer.next_seq is None or acked is None:
            return
        offset = peer.offset_of(acked)
        if offset < max(peer.origins.size, peer._highest_end):
            self.path.note_repeated_ack(offset, number, time_ns)

    def _take_window(self, segment: Segment) -> None:
        if not segment.flags & SYN:
            self.path.note_window(segment.window, segment.number, segment.time_ns)
            self.has_closed_window = not segment.window

    def _piece_of(self, segment: Segment, seq: int) -> Piece:
        return Piece(
            self.offset_of(seq),
            segment.payload,
            segment.number,
            segment.time_ns,
            segment.missing,
            bool(segment.flags & FIN),
        )

    def flush(self) -> list[T]:
        """Hand what was put aside to the receiver."""
        pending = self.pending
        if not pending:
            return []
        self.pending = []
        data = pending[0] if len(pending) == 1 else b"".join(pending)
        return self._hand_over(self.origins.size - len(data), data)

    def _hand_over(self, start: int, data: bytes) -> list[T]:
        """Give the receiver what is in the stream at ``start``."""
        self.history.append(start, data)
        records = self.receiver.receive_data(data)
        if len(self.origins) > FORGET_EVERY:
            self.origins.retain(self.receiver.open_offsets)
        return records

    def note_usual_seq(self) -> None:
        """Say what the next usual segment is, after one that was not."""
        is_usual = not (self.is_waiting or self.peer.is_waiting or self.is_ended)
        connection = self.connection
        # The acknowledgements of a direction whose peer is missing are all that is known of that.
        is_usual = is_usual and self.peer.next_seq is not None
        # What a client sends after the server's FIN is said.
        is_usual = is_usual and not (self.peer.is_ended and connection.client is self)
        is_usual = is_usual and connection.is_understood and connection.established is not None
        is_usual = is_usual and not (self._scrutiny.is_close or self.has_closed_window)
        if is_usual and self.fin_offset is None and self.next_seq is not None:
            self.usual_seq = self.next_seq
        else:
            self.usual_seq = NO_SEQ

    @property
    def end_seq(self) -> int:
        """The sequence number after all that was put in order, FIN included."""
        assert self.next_seq is not None
        return (self.next_seq + (self.fin_offset == self.origins.size)) & 0xFFFFFFFF

    def offset_of(self, seq: int) -> int:
        """Return the stream offset of a sequence number near the next expected one."""
        assert self.next_seq is not None
        return self.origins.size + ((seq - self.next_seq + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def _receive_unusual(self, segment: Segment) -> list[T]:
        """Take a segment that opens, closes, is urgent, or is the first that was captured."""
        seq, flags = segment.seq, segment.flags
        if flags & RST:
            return self._receive_reset(segment)
        if flags & FIN:
            self.path.note_end(segment.number, segment.time_ns, "fin")
        if flags & SYN:
            if self.next_seq is not None:
                if seq == self.answered_seq and self.base_seq is None:
                    self.base_seq = seq  # it was stored after what it began
                is_again = seq == self.base_seq
                return [] if is_again else self._fault("tcp-syn-ignored", f"sequence number {seq}")
            self.base_seq = seq
            self.sent_syn_ack = bool(flags & ACK)
            if self.sent_syn_ack:
                self.peer.answered_seq = (segment.ack - 1) & 0xFFFFFFFF
            elif (stamps := segment.timestamps) is not None:
                self.syn_timestamp = stamps[0]
            seq = (seq + 1) & 0xFFFFFFFF
            self.next_seq = seq
        elif not flags & ACK:
            detail = f"{len(segment.payload)} bytes in packet {segment.number}"
            return self._fault("tcp-no-ack-flag", detail)
        elif self.next_seq is None:
            self.next_seq = seq
        records = self._receive_urgent(segment, seq) if flags & URG else []
        records += self._receive_plain(segment, seq)
        if not flags & ACK:
            self.acked = None
        return records

    def _receive_urgent(self, segment: Segment, seq: int) -> list[T]:
        """Say which byte is urgent: Linux takes it out of the stream, unless asked not to.

        The pointer names the byte after it, as in RFC 793's text and everywhere in practice (RFC
        6093 section 3.2). Whether the application read it cannot be seen: it stays where it is.
        """
        index = max(segment.urgent_pointer, 1) - 1
        offset = self.offset_of(seq) + index
        byte = segment.payload[index : index + 1]
        shown = f"{byte!r} at {offset:,}" if byte else f"at {offset:,}"
        detail = f"{shown}, in packet {segment.number}"
        fault = diagnose("tcp-urgent-data", offset, offset + len(byte), detail)
        return self.receiver.receive_fault(fault, self.connection.latest)

    def _drop(self, segment: Segment, code: str, detail: str) -> list[T]:
        """Leave out a segment that its receiver drops unseen."""
        is_data = code == "tcp-checksum-wrong" and segment.payload and self.next_seq is not None
        if is_data and len(self._dropped) < limits.MAX_DROPPED_SEGMENTS:
            self._dropped.append(self._piece_of(segment, segment.seq))
        return self._fault(code, detail)

    def _take_dropped(self) -> list[T]:
        """Let wait what was dropped, if the receiver acknowledged it and nothing else came.

        Its checksum was right, then, where it arrived: the capture does not show that one.
        """
        acked = self.peer.acked
        if acked is None or not self._dropped:
            return []
        records: list[T] = []
        upto = self.offset_of(acked)
        for piece in self._dropped:
            is_taken = self.origins.size < piece.end <= upto
            if is_taken and not any(self.queue.overlapping(piece.start, piece.end)):
                self._scrutiny.trust()
                self.queue.insert(piece)
                records += self._fault("tcp-checksum-overruled", f"packet {piece.packet}")
        self._dropped = [piece for piece in self._dropped if piece.end > upto]
        return records

    def _receive_payload(self, piece: Piece) -> list[T]:
        """Take the payload of a segment, and its FIN, wherever it belongs."""
        start, size = piece.start, self.origins.size
        if self.fin_offset is not None and piece.end > self.fin_offset:
            detail = f"{len(piece.data)} bytes in packet {piece.packet}"
            return self._fault("tcp-data-after-fin", detail)
        if self.fin_offset is not None or piece.end_with_fin + piece.missing <= size:
            return self._receive_again(piece)
        records = self._report_conflict(piece) + self._report_crossing(piece)
        if max(start, size) < self._highest_end:
            self._count_late(piece)
        if start <= size:
            completed, was_waiting = (piece.packet, seconds(piece.time_ns)), self.is_waiting
            records += self._deliver(piece, completed) + self._deliver_queue(completed)
            if was_waiting:
                self._follow_holes(piece.packet, piece.time_ns)
        else:
            records += self._wait(piece)
        return records + self._end_at_fin()

    def _wait(self, piece: Piece) -> list[T]:
        """Keep a piece that lies behind a hole."""
        if not self.is_waiting:
            self.is_waiting = True
            self._waited = 0
            size = self.origins.size
            self.path.open_hole(size, piece.start - size, piece.packet, piece.time_ns)
        if piece.end > self._highest_end:
            self._highest_end = piece.end
            self._highest_time = piece.time_ns
        if not self.queue.insert(piece):
            self._count_resent(piece)
        if not self.queue.is_full:
            return self.check_for_gap()
        if self._has_been_full:  # said once: every hole that is given up is a gap of its own
            return self._give_up_hole()
        self._has_been_full = True
        detail = f"{self.queue.size:,} bytes in {self.queue.segments:,} segments"
        return self._fault("tcp-reassembly-limit", detail) + self._give_up_hole()

    def _receive_again(self, piece: Piece) -> list[T]:
        """Take bytes that were put in order before; a keep-alive sends its last byte again.

        Or "one garbage octet" in its place (RFC 9293 section 3.8.4), which contradicts nothing.
        """
        if len(piece.data) == 1 and piece.end == self.origins.size and not piece.fin:
            return []
        if piece.data:
            self._count_resent(piece)
        return self._report_conflict(piece)

    def _report_conflict(self, piece: Piece) -> list[T]:
        conflict = find_conflict(piece, self.history.overlapping(piece.start, piece.end))
        if conflict is None and self.queue:
            waiting = self.queue.overlapping(piece.start, piece.end)
            conflict = find_conflict(piece, ((other.start, other.data) for other in waiting))
        if conflict is None:
            return []
        self._scrutiny.doubt()
        return self.receiver.receive_fault(conflict, self.connection.latest)

    def _report_crossing(self, piece: Piece) -> list[T]:
        """Say so, once, if a client's bytes came after the server's FIN (RFC 9112 section 9.5)."""
        peer, connection = self.peer, self.connection
        is_late = peer.is_ended and peer.fin_packet is not None and connection.client is self
        if not (is_late and piece.data) or connection.has_crossed:
            return []
        connection.has_crossed = True
        detail = f"{len(piece.data):,} bytes in packet {piece.packet}, FIN in packet "
        fault = diagnose(
            "tcp-data-crossed-fin", piece.start, piece.end, f"{detail}{peer.fin_packet}"
        )
        return self.receiver.receive_fault(fault, connection.latest)

    def _count_late(self, piece: Piece) -> None:
        if piece.time_ns - self._highest_time < REORDERING_TIME:
            self.out_of_order += 1
        else:
            self._count_resent(piece)

    def _count_resent(self, piece: Piece) -> None:
        self.retransmissions += 1
        self.path.note_resent(piece.start, len(piece.data), piece.packet, piece.time_ns)

    def _deliver(self, piece: Piece, completed: Completion) -> list[T]:
        """Put one piece in order, and tell what the snapshot length cut off after it.

        The pieces that one packet completes are put aside, so that they are handed over as one.
        """
        assert self.next_seq is not None
        piece = piece.after(self.origins.size)  # a cut one before it may have gone further
        packet, time = completed
        arrival = (piece.packet, packet, seconds(piece.time_ns), time)
        if piece.data:
            self.next_seq = (self.next_seq + len(piece.data)) & 0xFFFFFFFF
            self.origins.extend(len(piece.data), arrival)
            self.pending.append(piece.data)
        records = self.flush() + self._skip(piece.missing, arrival) if piece.missing else []
        return records + self._take_fin(piece) if piece.fin else records

    def _take_fin(self, piece: Piece) -> list[T]:
        """Close the stream; what waits behind its end is dropped."""
        self.fin_offset = self.origins.size
        self.fin_packet = piece.packet
        self.fin_time = piece.time_ns
        self.acked_at_fin = self.acked
        self.connection.note_fin(self)
        after = self.queue.size
        self.queue.clear()
        return self._fault("tcp-data-after-fin", f"{after} bytes before it") if after else []

    def _deliver_queue(self, completed: Completion) -> list[T]:
        """Put in order what waited for the bytes that just came."""
        records: list[T] = []
        while self.queue and self.queue.start <= self.origins.size:
            for piece in self.queue.take(self.origins.size):
                records += self._deliver(piece, completed)
        self.is_waiting = bool(self.queue)
        return records + self.flush()

    def _follow_holes(self, packet: int | None, time_ns: int = 0) -> None:
        """Take note that a hole was filled by ``packet``, or given up, and that another follows."""
        if self.path.hole_end > self.origins.size:
            return
        self.path.close_hole(packet, time_ns)
        if self.queue:
            first, size = self.queue.first, self.origins.size
            self.path.open_hole(size, first.start - size, first.packet, first.time_ns)

    def check_for_gap(self) -> list[T]:
        """Give up a hole that the peer acknowledged, once nothing may fill it any more."""
        acked = self.peer.acked
        if acked is None or self.is_ended or self.offset_of(acked) <= self.origins.size:
            return []
        self._waited += 1
        if self._waited <= limits.GAP_PATIENCE:
            return []
        return self._give_up_hole() + self._end_at_fin()

    def _give_up_hole(self) -> list[T]:
        """Declare the first hole a gap and go on after it.

        What waited there was complete when its own packets came: the hole is the capture's.
        """
        self._waited = 0
        records = self._take_dropped()
        first = self.queue.first
        completed = first.packet, seconds(first.time_ns)
        if self.origins.size:  # nothing is in order before what comes before it
            completed = max(completed, self.origins.at(self.origins.size)[1][1::2])
        if first.start > self.origins.size:
            records += self._skip(first.start - self.origins.size, _arrival(completed))
        while self.queue and self.queue.start <= self.origins.size:
            for piece in self.queue.take(self.origins.size):
                completed = max(completed, (piece.packet, seconds(piece.time_ns)))
                records += self._deliver(piece, completed)
        self.is_waiting = bool(self.queue)
        self._follow_holes(None)
        return records + self.flush()

    def _skip(self, length: int, arrival: Arrival) -> list[T]:
        """Count ``length`` bytes that the capture lacks; ``arrival`` is what shows it."""
        assert self.next_seq is not None
        self.next_seq = (self.next_seq + length) & 0xFFFFFFFF
        self.origins.extend(length, arrival)
        return self.receiver.receive_gap(length)

    def _receive_reset(self, segment: Segment) -> list[T]:
        """Take a RST, if its receiver would (RFC 5961 section 3.2)."""
        seq = segment.seq
        is_answered = self.peer.next_seq is not None
        if seq == self.rejected_ack and not (is_answered or segment.flags & ACK):
            return self._fault(
                "tcp-reset-ignored", f"packet {segment.number}, which rejects an answer"
            )
        if self.next_seq is not None:
            expected = {self.next_seq, self.end_seq}
            acked = self.peer.acked
            if acked is not None and self.offset_of(acked) > self.origins.size:
                expected.add(acked)  # what lies before it is not in the capture
            if seq not in expected:
                return self._fault(
                    "tcp-reset-ignored",
                    f"sequence number {seq} in packet {segment.number}, expected {self.next_seq}",
                )
        if segment.flags & ACK:
            self.acked = segment.ack
        self.path.note_end(segment.number, segment.time_ns, "reset")
        return self.connection.reset_by(self)

    def _end_at_fin(self) -> list[T]:
        """End this direction once its FIN is in order."""
        return [] if self.is_ended or self.fin_offset is None else self.end("close")

    def end(self, ending: Ending) -> list[T]:
        """End this direction: what waits behind holes first, then what is unfinished."""
        if self.is_ended:
            return []
        records = self.flush() + self._take_dropped()
        while self.queue:
            records += self._give_up_hole()
        if self.fin_offset is not None and ending == "capture-end":
            ending = "close"  # it waited behind the hole
        self.is_waiting = False
        records += self._skip_acknowledged_tail()
        self.is_ended = True
        return records + self.receiver.receive_eof(ending)

    def _skip_acknowledged_tail(self) -> list[T]:
        """Count what the peer acknowledged at the end but the capture does not hold."""
        if self.peer.acked is None or self.next_seq is None:
            return []
        if not self.origins.size and self.base_seq is None:
            return []  # nothing says where its stream begins
        if self.fin_offset is not None:
            return []
        missing = self.offset_of(self.peer.acked) - self.origins.size
        # One byte more than was sent is a FIN that the capture lacks.
        is_lost = 1 < missing < limits.MAX_OUT_OF_ORDER
        return self._skip(missing, _arrival(self.connection.latest)) if is_lost else []

    def let_go(self) -> None:
        """Keep no more than what tells late packets."""
        self.usual_seq = NO_SEQ
        del self.receiver, self.origins, self.queue, self.history, self._scrutiny, self._dropped
        del self.path

    def _fault(self, code: str, detail: str) -> list[T]:
        size = self.origins.size
        fault = diagnose(code, size, size, detail)
        return self.receiver.receive_fault(fault, self.connection.latest)


class Connection(Generic[T]):
    """Two directions, and how they came to an end."""

    __slots__ = (
        "index",
        "key",
        "first",
        "second",
        "first_packet",
        "last_packet",
        "first_time",
        "last_time",
        "opened",
        "established",
        "packets",
        "copies",
        "close",
        "closed_by",
        "client",
        "is_midstream",
        "is_understood",
        "is_reset",
        "is_over",
        "has_crossed",
        "rtt_ns",
        "_asked",
        "realm",
        "tunnel",
    )

    def __init__(
        self, index: int, key: bytes, number: int, time_ns: int, realm: bytes = b""
    ) -> None:
        self.index = index
        self.key = key
        """Source address, destination address, source port, destination port of ``first``."""
        self.first: Direction[T] = Direction()
        self.second: Direction[T] = Direction()
        self.first.connection = self.second.connection = self
        self.first.peer, self.second.peer = self.second, self.first
        self.first_packet = self.last_packet = number
        self.first_time = self.last_time = time_ns
        self.opened: int | None = None
        """When its first SYN was captured, in nanoseconds since the epoch; None without one."""
        self.established: int | None = None
        """When the handshake was done (section 3.5); where none was captured, the first ACK."""
        self.packets = 0
        self.copies = 0
        self.close: Close = "open"
        self.closed_by: Direction[T] | None = None
        self.client: Direction[T] | None = None
        """What the client sent, once the layer above knows it: before anything comes of it."""
        self.is_midstream = False
        self.is_understood = True
        """False while receivers must see where segments begin: where the start of a connection
        was not captured, a message may begin with any of them."""
        self.is_reset = False
        """Whether a RST was taken; one after both FINs leaves ``close`` at ``fin``."""
        self.is_over = False
        """Whether its record has been written: what comes later is not looked at."""
        self.has_crossed = False
        """Whether it has been said that bytes came after a FIN."""
        self.rtt_ns: int | None = None
        """How long the handshake took; None if its SYN was not captured, or was sent again."""
        self._asked: tuple[Direction[T] | None, int] | None = None
        """Who sent a SYN, and when; nobody's if it was sent again."""
        self.realm = realm
        """The network that its addresses are of (:func:`~parsers.net.tunnels.realm`)."""
        self.tunnel: str | None = None
        """What its first packet came through, in words."""

    @property
    def missing(self) -> Direction[T] | None:
        """The direction that was not captured, though the other one answers to it."""
        for direction in (self.first, self.second):
            peer = direction.peer
            is_answered = peer.next_seq is not None and peer.acked is not None
            if direction.next_seq is None and is_answered and self.close != "refused":
                return direction
        return None

    @property
    def proven_closed_by(self) -> Direction[T] | None:
        """Who closed; None where one direction is missing and may have closed before.

        Unless it went on after the other's FIN: then its own came later.
        """
        missing, found = self.missing, self.closed_by
        if missing is None or found is None or self.close != "fin":
            return found
        return None if found.acked == found.acked_at_fin else found

    @property
    def is_closed(self) -> bool:
        """Whether it was reset, or both FINs arrived and the second was acknowledged."""
        if self.is_reset:
            return True
        first, second = self.first, self.second
        if not (first.is_ended and second.is_ended):
            return False
        later = first if self.closed_by is second else second
        return later.peer.acked == later.end_seq

    def is_silent(self, now_ns: int) -> bool:
        """Whether nothing has come for so long that its end was missed, or will never come."""
        both = self.first, self.second
        is_open = all(half.next_seq is not None and half.fin_offset is None for half in both)
        limit = limits.MAX_SILENCE if is_open else limits.MAX_TRANSITORY_SILENCE
        return now_ns - self.last_time > limit

    @property
    def latest(self) -> Completion:
        """The packet that is looked at, or was the last one."""
        return self.last_packet, seconds(self.last_time)

    @property
    def retransmissions(self) -> int:
        return self.first.retransmissions + self.second.retransmissions

    @property
    def out_of_order(self) -> int:
        return self.first.out_of_order + self.second.out_of_order

    def count(self, number: int, time_ns: int) -> None:
        """Count a packet, which is the latest."""
        self.packets += 1
        self.last_packet = number
        self.last_time = time_ns

    def count_copy(self, number: int, time_ns: int) -> None:
        """Count a packet that was captured before: nothing else comes of it."""
        self.copies += 1
        self.count(number, time_ns)

    def note_handshake(self, direction: Direction[T], segment: Segment) -> None:
        """Take the times of the handshake (section 3.5), before any segment can be usual."""
        time_ns = segment.time_ns
        if segment.flags & SYN:
            self.opened = time_ns if self.opened is None else self.opened
            if not segment.flags & ACK:
                self._asked = (direction if self._asked is None else None), time_ns
        elif segment.flags & ACK:
            self.established = time_ns
            if self._asked is not None and self._asked[0] is direction and direction.peer.acked:
                self.rtt_ns = time_ns - self._asked[1]

    def note_fin(self, direction: Direction[T]) -> None:
        """Take note that a FIN is in order: who closed is who sent the first.

        One that came later than the other's may have been sent before, if it waited behind a hole:
        then its packet is the earlier one, and its time too, for a file may be out of order.
        """
        first = self.closed_by
        if first is None or _is_before(direction, first):
            self.closed_by = direction
            self.close = "fin"

    def reset_by(self, direction: Direction[T]) -> list[T]:
        """End both directions. Bytes that were in order before the RST stay decoded."""
        self.is_reset = True
        if not (self.first.is_ended and self.second.is_ended):
            opener = direction.peer
            is_refusal = opener.base_seq is not None and opener.acked is None
            is_refusal = is_refusal and direction.next_seq is None and not opener.sent_syn_ack
            self.close = "refused" if is_refusal else "reset"
            self.closed_by = direction
        return direction.end("reset") + direction.peer.end("reset")

    def end(self) -> list[T]:
        """End what the capture left open."""
        return self.first.end("capture-end") + self.second.end("capture-end")

    def let_go(self) -> None:
        """Keep no more than what tells late packets: of thousands that are over, all else adds up.

        What refers to one another would else stay until the collector comes.
        """
        self.is_over = True
        self.first.let_go()
        self.second.let_go()


def _is_before(one: Direction[T], other: Direction[T]) -> bool:
    """Whether the FIN of one direction was sent before that of the other."""
    is_earlier = (one.fin_packet or 0) < (other.fin_packet or 0)
    return is_earlier and one.fin_time <= other.fin_time


def _arrival(shown: Completion) -> Arrival:
    """Return the arrival of what a packet shows to be missing."""
    packet, time = shown
    return packet, packet, time, time
