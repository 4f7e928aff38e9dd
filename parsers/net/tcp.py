"""One direction of a TCP connection (RFC 9293): what one end sent, in order.

Strategy: a segment that comes in order, which nearly all do, is put aside; what was put aside is
handed to the direction's receiver in one piece (see :mod:`~parsers.net.table`). Any other
segment takes the general path through the out-of-order queue. Sequence numbers become stream
offsets by a signed 32-bit difference to the next expected one, so wrapping needs no special case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import limits
from ..decode.silent import Receiver
from ..diagnostics import diagnose
from ..provenance import Arrival, Completion, Ending, SourceMap, seconds
from ..records import Record
from .out_of_order import OutOfOrderQueue
from .overlap import History, Piece, find_conflict
from .segment import ACK, FIN, RST, SYN, UNUSUAL, URG, Scrutiny, Segment

if TYPE_CHECKING:
    from .connection import Connection

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


class Direction:
    """What one endpoint sent."""

    __slots__ = (
        "connection",
        "peer",
        "receiver",
        "stream",
        "next_seq",
        "base_seq",
        "sent_syn_ack",
        "acked",
        "queue",
        "history",
        "fin_offset",
        "fin_packet",
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

    connection: Connection
    peer: Direction
    receiver: Receiver

    def __init__(self) -> None:
        self.stream: SourceMap[Arrival] = SourceMap()
        self.next_seq: int | None = None
        self.base_seq: int | None = None
        """The sequence number of its SYN, if that was captured."""
        self.sent_syn_ack = False
        self.acked: int | None = None
        """What this endpoint acknowledged last, as a sequence number of its peer."""
        self.queue = OutOfOrderQueue()
        self.history = History()
        self.fin_offset: int | None = None
        self.fin_packet: int | None = None
        self.usual_seq = NO_SEQ
        """What the next segment's sequence number is if it is as usual: in order, with nothing
        waiting and nothing closed on either side. NO_SEQ if no segment can be."""
        self.pending: list[bytes] = []
        """Payloads that are in order and in ``stream``, but not with the receiver yet."""
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

    def receive(self, segment: Segment) -> list[Record]:
        """Take one segment by the general path; return the records that it completed."""
        is_plain = segment.flags & (UNUSUAL | ACK) == ACK and self.next_seq is not None
        is_usual = is_plain and (segment.seq == self.usual_seq or not segment.payload)
        if why := self._scrutiny.fault(segment, is_usual):
            return self._drop(segment, *why)
        return (
            self._receive_plain(segment, segment.seq)
            if is_plain
            else self._receive_unusual(segment)
        )

    def _receive_plain(self, segment: Segment, seq: int) -> list[Record]:
        """Take the acknowledgement and the payload, which begins at ``seq``."""
        self.acked = segment.ack
        records = self.peer.check_for_gap() if self.peer.is_waiting else []
        if segment.payload or segment.missing or segment.flags & FIN:
            records += self._receive_payload(self._piece_of(segment, seq))
        return records

    def _piece_of(self, segment: Segment, seq: int) -> Piece:
        return Piece(
            self.offset_of(seq),
            segment.payload,
            segment.number,
            segment.time_ns,
            segment.missing,
            bool(segment.flags & FIN),
        )

    def flush(self) -> list[Record]:
        """Hand what was put aside to the receiver."""
        pending = self.pending
        if not pending:
            return []
        self.pending = []
        data = pending[0] if len(pending) == 1 else b"".join(pending)
        return self._hand_over(self.stream.size - len(data), data)

    def _hand_over(self, start: int, data: bytes) -> list[Record]:
        """Give the receiver what is in ``stream`` at ``start``."""
        self.history.append(start, data)
        records = self.receiver.receive_data(data)
        if len(self.stream) > FORGET_EVERY:
            self.stream.retain(self.receiver.open_offsets)
        return records

    def note_usual_seq(self) -> None:
        """Say what the next usual segment is, after one that was not."""
        is_usual = not (self.is_waiting or self.peer.is_waiting or self.is_ended)
        is_usual = is_usual and self.connection.is_understood and not self._scrutiny.is_close
        if is_usual and self.fin_offset is None and self.next_seq is not None:
            self.usual_seq = self.next_seq
        else:
            self.usual_seq = NO_SEQ

    @property
    def end_seq(self) -> int:
        """The sequence number after all that was put in order, FIN included."""
        assert self.next_seq is not None
        return (self.next_seq + (self.fin_offset == self.stream.size)) & 0xFFFFFFFF

    def offset_of(self, seq: int) -> int:
        """Return the stream offset of a sequence number near the next expected one."""
        assert self.next_seq is not None
        return self.stream.size + ((seq - self.next_seq + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def _receive_unusual(self, segment: Segment) -> list[Record]:
        """Take a segment that opens, closes, is urgent, or is the first that was captured."""
        seq, flags = segment.seq, segment.flags
        if flags & RST:
            return self._receive_reset(segment)
        if flags & SYN:
            if self.next_seq is not None:
                is_again = seq == self.base_seq
                return [] if is_again else self._fault("tcp-syn-ignored", f"sequence number {seq}")
            self.base_seq = seq
            self.sent_syn_ack = bool(flags & ACK)
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

    def _receive_urgent(self, segment: Segment, seq: int) -> list[Record]:
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

    def _drop(self, segment: Segment, code: str, detail: str) -> list[Record]:
        """Leave out a segment that its receiver drops unseen."""
        is_data = code == "tcp-checksum-wrong" and segment.payload and self.next_seq is not None
        if is_data and len(self._dropped) < limits.MAX_DROPPED_SEGMENTS:
            self._dropped.append(self._piece_of(segment, segment.seq))
        return self._fault(code, detail)

    def _take_dropped(self) -> list[Record]:
        """Let wait what was dropped, if the receiver acknowledged it and nothing else came.

        Its checksum was right, then, where it arrived: the capture does not show that one.
        """
        acked = self.peer.acked
        if acked is None or not self._dropped:
            return []
        records: list[Record] = []
        upto = self.offset_of(acked)
        for piece in self._dropped:
            is_taken = self.stream.size < piece.end <= upto
            if is_taken and not any(self.queue.overlapping(piece.start, piece.end)):
                self._scrutiny.trust()
                self.queue.insert(piece)
                records += self._fault("tcp-checksum-overruled", f"packet {piece.packet}")
        self._dropped = [piece for piece in self._dropped if piece.end > upto]
        return records

    def _receive_payload(self, piece: Piece) -> list[Record]:
        """Take the payload of a segment, and its FIN, wherever it belongs."""
        start, size = piece.start, self.stream.size
        if self.fin_offset is not None and piece.end > self.fin_offset:
            detail = f"{len(piece.data)} bytes in packet {piece.packet}"
            return self._fault("tcp-data-after-fin", detail)
        if self.fin_offset is not None or piece.end_with_fin + piece.missing <= size:
            return self._receive_again(piece)
        records = self._report_conflict(piece)
        if max(start, size) < self._highest_end:
            self._count_late(piece.time_ns)
        if start <= size:
            completed = piece.packet, seconds(piece.time_ns)
            records += self._deliver(piece, completed) + self._deliver_queue(completed)
        else:
            records += self._wait(piece)
        return records + self._end_at_fin()

    def _wait(self, piece: Piece) -> list[Record]:
        """Keep a piece that lies behind a hole."""
        if not self.is_waiting:
            self.is_waiting = True
            self._waited = 0
        if piece.end > self._highest_end:
            self._highest_end = piece.end
            self._highest_time = piece.time_ns
        if not self.queue.insert(piece):
            self.retransmissions += 1
        if not self.queue.is_full:
            return self.check_for_gap()
        if self._has_been_full:  # said once: every hole that is given up is a gap of its own
            return self._give_up_hole()
        self._has_been_full = True
        detail = f"{self.queue.size:,} bytes in {self.queue.segments:,} segments"
        return self._fault("tcp-reassembly-limit", detail) + self._give_up_hole()

    def _receive_again(self, piece: Piece) -> list[Record]:
        """Take bytes that were put in order before; a keep-alive sends its last byte again."""
        is_keep_alive = len(piece.data) == 1 and piece.end == self.stream.size and not piece.fin
        if not is_keep_alive and piece.data:
            self.retransmissions += 1
        return self._report_conflict(piece)

    def _report_conflict(self, piece: Piece) -> list[Record]:
        conflict = find_conflict(piece, self.history.overlapping(piece.start, piece.end))
        if conflict is None and self.queue:
            waiting = self.queue.overlapping(piece.start, piece.end)
            conflict = find_conflict(piece, ((other.start, other.data) for other in waiting))
        if conflict is None:
            return []
        self._scrutiny.doubt()
        return self.receiver.receive_fault(conflict, self.connection.latest)

    def _count_late(self, time_ns: int) -> None:
        if time_ns - self._highest_time < REORDERING_TIME:
            self.out_of_order += 1
        else:
            self.retransmissions += 1

    def _deliver(self, piece: Piece, completed: Completion) -> list[Record]:
        """Put one piece in order, and tell what the snapshot length cut off after it.

        The pieces that one packet completes are put aside, so that they are handed over as one.
        """
        assert self.next_seq is not None
        piece = piece.after(self.stream.size)  # a cut one before it may have gone further
        packet, time = completed
        arrival = (piece.packet, packet, seconds(piece.time_ns), time)
        if piece.data:
            self.next_seq = (self.next_seq + len(piece.data)) & 0xFFFFFFFF
            self.stream.extend(len(piece.data), arrival)
            self.pending.append(piece.data)
        records = self.flush() + self._skip(piece.missing, arrival) if piece.missing else []
        return records + self._take_fin(piece) if piece.fin else records

    def _take_fin(self, piece: Piece) -> list[Record]:
        """Close the stream; what waits behind its end is dropped."""
        self.fin_offset = self.stream.size
        self.fin_packet = piece.packet
        self.connection.note_fin(self)
        after = self.queue.size
        self.queue.clear()
        return self._fault("tcp-data-after-fin", f"{after} bytes before it") if after else []

    def _deliver_queue(self, completed: Completion) -> list[Record]:
        """Put in order what waited for the bytes that just came."""
        records: list[Record] = []
        while self.queue and self.queue.start <= self.stream.size:
            for piece in self.queue.take(self.stream.size):
                records += self._deliver(piece, completed)
        self.is_waiting = bool(self.queue)
        return records + self.flush()

    def check_for_gap(self) -> list[Record]:
        """Give up a hole that the peer acknowledged, once nothing may fill it any more."""
        acked = self.peer.acked
        if acked is None or self.is_ended or self.offset_of(acked) <= self.stream.size:
            return []
        self._waited += 1
        if self._waited <= limits.GAP_PATIENCE:
            return []
        return self._give_up_hole() + self._end_at_fin()

    def _give_up_hole(self) -> list[Record]:
        """Declare the first hole a gap and go on after it.

        What waited there was complete when its own packets came: the hole is the capture's.
        """
        self._waited = 0
        records = self._take_dropped()
        first = self.queue.first
        completed = first.packet, seconds(first.time_ns)
        if self.stream.size:  # nothing is in order before what comes before it
            completed = max(completed, self.stream.at(self.stream.size)[1][1::2])
        if first.start > self.stream.size:
            records += self._skip(first.start - self.stream.size, _arrival(completed))
        while self.queue and self.queue.start <= self.stream.size:
            for piece in self.queue.take(self.stream.size):
                completed = max(completed, (piece.packet, seconds(piece.time_ns)))
                records += self._deliver(piece, completed)
        self.is_waiting = bool(self.queue)
        return records + self.flush()

    def _skip(self, length: int, arrival: Arrival) -> list[Record]:
        """Count ``length`` bytes that the capture lacks; ``arrival`` is what shows it."""
        assert self.next_seq is not None
        self.next_seq = (self.next_seq + length) & 0xFFFFFFFF
        self.stream.extend(length, arrival)
        return self.receiver.receive_gap(self.stream.size - length, self.stream.size)

    def _receive_reset(self, segment: Segment) -> list[Record]:
        """Take a RST, if its receiver would (RFC 5961 section 3.2)."""
        seq = segment.seq
        if self.next_seq is not None:
            expected = {self.next_seq, self.end_seq}
            acked = self.peer.acked
            if acked is not None and self.offset_of(acked) > self.stream.size:
                expected.add(acked)  # what lies before it is not in the capture
            if seq not in expected:
                return self._fault(
                    "tcp-reset-ignored",
                    f"sequence number {seq} in packet {segment.number}, expected {self.next_seq}",
                )
        if segment.flags & ACK:
            self.acked = segment.ack
        return self.connection.reset_by(self)

    def _end_at_fin(self) -> list[Record]:
        """End this direction once its FIN is in order."""
        return [] if self.is_ended or self.fin_offset is None else self.end("close")

    def end(self, ending: Ending) -> list[Record]:
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

    def _skip_acknowledged_tail(self) -> list[Record]:
        """Count what the peer acknowledged at the end but the capture does not hold."""
        if self.peer.acked is None or self.next_seq is None:
            return []
        if not self.stream.size and self.base_seq is None:
            return []  # nothing says where its stream begins
        if self.fin_offset is not None:
            return []
        missing = self.offset_of(self.peer.acked) - self.stream.size
        # One byte more than was sent is a FIN that the capture lacks.
        is_lost = 1 < missing < limits.MAX_OUT_OF_ORDER
        return self._skip(missing, _arrival(self.connection.latest)) if is_lost else []

    def let_go(self) -> None:
        """Keep no more than what tells late packets."""
        self.usual_seq = NO_SEQ
        del self.receiver, self.stream, self.queue, self.history, self._scrutiny, self._dropped

    def _fault(self, code: str, detail: str) -> list[Record]:
        size = self.stream.size
        fault = diagnose(code, size, size, detail)
        return self.receiver.receive_fault(fault, self.connection.latest)


def _arrival(shown: Completion) -> Arrival:
    """Return the arrival of what a packet shows to be missing."""
    packet, time = shown
    return packet, packet, time, time
