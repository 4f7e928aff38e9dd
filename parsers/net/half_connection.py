"""One direction of a TCP connection: which of its segments are taken, and what they tell.

Strategy: a segment that only carries data in order and acknowledges some is taken by
:mod:`~parsers.net.table`, which knows it by ``usual_seq``. Any other comes here: the receiver's
rules are followed, as Linux has them, for what opens, closes, resets or is not taken at all. What a
segment carries goes on to be put in order; what it acknowledges tells of the other direction.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from .. import limits
from ..diagnostics import diagnose
from ..provenance import Layer
from .overlap import Piece
from .reassembly import Reassembly
from .segment import ACK, FIN, RST, SYN, UNUSUAL, URG, Segment

T = TypeVar("T")

NO_SEQ = -1
UNKNOWN_ROOM = 1 << 62
"""More than can be under way."""
SEGMENTS_AT_ONCE = 2
"""Full segments that may well be under way; with more a sender may wait for its congestion window,
too (RFC 5681 section 3.1)."""
LEAST_SACK = 10
"""Bytes of options that a selective acknowledgement takes at least (RFC 2018 section 3)."""
USUAL_MSS = 536
"""What is taken where a SYN does not say (RFC 9293 section 3.7.1)."""


def most_in_flight(window: int, mss: int | None, other_mss: int | None) -> int:
    """Return with how many bytes under way a sender needs to wait for no acknowledgement.

    It waits for room for a whole segment, or for half a window (RFC 9293 section 3.8.6.2.1).
    """
    segment = min(mss or USUAL_MSS, other_mss or USUAL_MSS)
    return min(window - min(segment, window // 2), SEGMENTS_AT_ONCE * segment)


class HalfConnection(Reassembly[T], Generic[T]):
    """What one endpoint sent, by its segments."""

    __slots__ = (
        "answered_seq",
        "syn_timestamp",
        "rejected_ack",
        "_joined_seq",
        "_first_acked",
        "sent_syn_ack",
        "acked_before",
        "window",
        "mss",
        "window_scale",
        "most_in_flight",
        "has_closed_window",
        "has_dropped",
        "usual_seq",
        "watched_seq",
    )

    peer: HalfConnection[T]

    def __init__(self) -> None:
        super().__init__()
        self.answered_seq: int | None = None
        """The same by its peer's answer, SYN and ACK, if that was captured."""
        self.syn_timestamp: int | None = None
        """What its first SYN gave as its timestamp, if it did."""
        self.rejected_ack: int | None = None
        """What the last segment acknowledged that it could not take as an answer to its SYN."""
        self._joined_seq: int | None = None
        """The sequence number of its first segment, where nothing says with which it began."""
        self._first_acked: int | None = None
        """What it acknowledged first, as a sequence number of its peer."""
        self.sent_syn_ack = False
        self.acked_before: int | None = None
        """The same before, as far as its peer's direction has not been captured."""
        self.window = 0xFFFF
        """What it advertised as its window beside ``acked``, not scaled."""
        self.mss: int | None = None
        """The largest segment that it takes, as its SYN said (RFC 9293 section 3.7.1)."""
        self.window_scale: int | None = None
        """By how many bits it scales its windows, as its SYN said (RFC 7323 section 2)."""
        self.most_in_flight = UNKNOWN_ROOM
        """With more bytes than that under way, its peer may have to wait for an acknowledgement."""
        self.has_closed_window = False
        self.has_dropped = False
        """Whether its receiver left segments out unseen."""
        self.usual_seq = NO_SEQ
        """What the next segment's sequence number is if it is as usual: in order, with nothing
        waiting and nothing closed on either side. NO_SEQ if no segment can be."""
        self.watched_seq = NO_SEQ
        """The same where each segment is still looked at (:class:`~.segment.Scrutiny`)."""

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
    def lacks_bytes(self) -> bool:
        """Whether bytes wait behind missing ones, or its peer had some that have not come.

        One byte more than has come may be a FIN, which is told from bytes by nothing.
        """
        had, size = self.peer.acknowledged, self.origins.size + (self.fin_offset is not None)
        return self.is_waiting or (had is not None and had > size)

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
    def missing_before(self) -> int:
        """How many bytes at least it sent before the first that were captured, which the capture
        lacks: what its peer acknowledged first lies so far behind them; 0 if nothing shows any.
        """
        joined, acked = self._joined_seq, self.peer._first_acked
        if joined is None or acked is None:
            return 0
        size = (joined - acked) & 0xFFFFFFFF
        return size if size < limits.MAX_OUT_OF_ORDER else 0

    @property
    def layer(self) -> Layer:
        return "tcp"

    def resume(
        self, base_seq: int, sizes: tuple[int | None, int | None], *, is_judged: bool, closely: int
    ) -> None:
        """Go on after a SYN that was taken elsewhere (:meth:`~.table.ConnectionTable.adopt`).

        ``sizes``: what it said of them (:attr:`~.segment.Segment.sizes`). ``closely``: so many
        segments are still judged, after all that were taken there.
        """
        self.base_seq = base_seq
        self.mss, self.window_scale = sizes
        self.next_seq = (base_seq + 1) & 0xFFFFFFFF
        self._scrutiny.resume(can_judge=is_judged, closely=closely)

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
            if self.acked is None:
                self._answer_unseen(segment)
                if self._first_acked is None:
                    self._first_acked = segment.ack
            elif self.in_flight > self.most_in_flight and not has_content:
                self.note_ack_wait(segment.number, segment.time_ns)
            self.acked_before, self.acked = self.acked, segment.ack
            self.take_window(segment.window)
        elif not has_content and seq == self.next_seq:
            self.repeat_ack(segment.window, segment.number, segment.time_ns)
        if self.has_closed_window or not segment.window:
            self._take_closing(segment)
        if len(segment.options) >= LEAST_SACK and (twice := segment.came_twice):
            self._note_twice(*twice, segment)
        records = self.peer.check_for_gap() if self.peer.is_waiting else []
        if has_content:
            records += self._receive_payload(self._piece_of(segment, seq))
        return records

    def _answer_unseen(self, segment: Segment) -> None:
        """Learn where the other direction began, if it has not been captured.

        What completes a handshake acknowledges the SYN that answered (RFC 9293 section 3.5).
        """
        peer = self.peer
        if self.base_seq is None or self.sent_syn_ack or peer.next_seq is not None:
            return
        is_first = segment.seq == (self.base_seq + 1) & 0xFFFFFFFF
        if is_first and segment.flags & (SYN | ACK) == ACK:
            peer.answered_seq = (segment.ack - 1) & 0xFFFFFFFF

    def may_repeat(self, segment: Segment) -> bool:
        """Whether a segment may bring nothing new: it may be a copy of one that came before."""
        if self.next_seq is None:
            return False
        if segment.flags & (SYN | FIN | RST):
            # The first FIN of a direction, in order, where each segment was taken, is no copy.
            is_first_fin = segment.flags & (SYN | FIN | RST) == FIN and not self.path.ends
            return not (is_first_fin and segment.seq == self.next_seq and not self.has_dropped)
        if segment.payload:
            return self.offset_of(segment.seq) < max(self.origins.size, self._highest_end)
        return segment.ack == self.acked

    def repeat_ack(self, window: int, number: int, time_ns: int) -> None:
        """Take a segment that does nothing but to acknowledge what the one before did.

        It is a duplicate if bytes are under way and the window is the same (RFC 5681 section 2).
        """
        is_same = window == self.window
        self.take_window(window)
        peer, acked = self.peer, self.acked
        if not (is_same and window) or peer.next_seq is None or acked is None:
            return
        offset = peer.offset_of(acked)
        if offset < max(peer.origins.size, peer._highest_end):
            self.path.note_repeated_ack(offset, number, time_ns)

    @property
    def in_flight(self) -> int:
        """How many bytes its peer has sent that it has not acknowledged yet.

        Not more than none where their numbers wrap: that costs the hot path less.
        """
        sent = self.peer.next_seq
        return 0 if sent is None or self.acked is None else sent - self.acked

    @property
    def scaled_window(self) -> int:
        """Its window in bytes, as both SYNs say that it is to be read."""
        own, other = self.window_scale, self.peer.window_scale
        return self.window if own is None or other is None else self.window << own

    def take_window(self, window: int) -> None:
        """Take the window that it advertises, not scaled."""
        if window == self.window and self.most_in_flight != UNKNOWN_ROOM:
            return
        self.window, peer = window, self.peer
        if self.base_seq is None or peer.base_seq is None:
            return
        self.most_in_flight = most_in_flight(self.scaled_window, self.mss, peer.mss)

    def note_ack_wait(self, number: int, time_ns: int) -> None:
        """Take note that it acknowledges some of what its peer has under way, which is much."""
        origins = self.peer.origins
        if origins.ends:
            packet, _, time, _ = origins.values[-1]
            self.peer.path.note_ack_wait(
                (packet, time), number, time_ns, self.in_flight, self.scaled_window
            )

    def _note_twice(self, start: int, end: int, said: Segment) -> None:
        """Take note that it says which bytes of its peer's, by their numbers, came twice."""
        peer = self.peer
        if peer.next_seq is not None:
            twice = peer.offset_of(start), peer.offset_of(end)
            peer.path.note_twice(*twice, said.number, said.time_ns)

    def _take_closing(self, segment: Segment) -> None:
        if not segment.flags & SYN:
            self.path.note_window(segment.window, segment.number, segment.time_ns)
            self.has_closed_window = not segment.window

    def _piece_of(self, segment: Segment, seq: int) -> Piece:
        is_usual = seq == self.next_seq and not self.is_waiting
        stamps = None if is_usual else segment.timestamps
        return Piece(
            self.offset_of(seq),
            segment.payload,
            segment.number,
            segment.time_ns,
            segment.missing,
            bool(segment.flags & FIN),
            None if stamps is None else stamps[0],
        )

    def note_usual_seq(self) -> None:
        """Say what the next usual segment is, after one that was not."""
        self.usual_seq = self.watched_seq = NO_SEQ
        peer, connection, next_seq = self.peer, self.connection, self.next_seq
        # The acknowledgements of a direction whose peer is missing are all that is known of that.
        if next_seq is None or peer.next_seq is None or connection.established is None:
            return
        if self.acked is None:
            return
        if self.is_waiting or peer.is_waiting or self.is_ended or self.fin_offset is not None:
            return
        # What a client sends after the server's FIN is said.
        if peer.is_ended and connection.client is self:
            return
        if self.has_closed_window or not connection.is_understood:
            return
        if self._scrutiny.is_close:
            self.watched_seq = next_seq
        else:
            self.usual_seq = next_seq

    def passes(self, segment: bytes, payload: int, addresses: bytes) -> bool:
        """Whether a segment with ``watched_seq`` is as usual: then it has ``usual_seq`` by now.

        The one after it does not, as long as they are looked at: see :meth:`note_usual_seq`.
        """
        if not self._scrutiny.passes(segment, payload, addresses):
            return False
        self.usual_seq = self.watched_seq
        return True

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
            self.mss, self.window_scale = segment.sizes
            self.peer.take_window(self.peer.window)  # which may have come before
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
            self._join(seq)
        records = self._receive_urgent(segment, seq) if flags & URG else []
        records += self._receive_plain(segment, seq)
        if not flags & ACK:
            self.acked = None
        return records

    def _join(self, seq: int) -> None:
        """Begin with the first segment that was captured, which is no SYN.

        Where the other end answered its SYN, what lies between is a hole of a known size.
        """
        self.next_seq = seq
        if self.answered_seq is None:
            self._joined_seq = seq
        elif 0 < (seq - self.answered_seq - 1) & 0xFFFFFFFF < limits.MAX_OUT_OF_ORDER:
            self.next_seq = (self.answered_seq + 1) & 0xFFFFFFFF

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
        self.has_dropped = True
        is_data = code == "tcp-checksum-wrong" and segment.payload and self.next_seq is not None
        if is_data and len(self._dropped) < limits.MAX_DROPPED_SEGMENTS:
            self._dropped.append(self._piece_of(segment, segment.seq))
        return self._fault(code, detail)

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

    def let_go(self) -> None:
        """Keep no more than what tells late packets."""
        self.usual_seq = self.watched_seq = NO_SEQ
        del self.receiver, self.origins, self.queue, self.history, self._scrutiny, self._dropped
        del self.path
