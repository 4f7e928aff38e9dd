"""The bytes of one direction of a TCP connection, put in order (RFC 9293 section 3.10.7.4).

Strategy: a piece that comes in order, which nearly all do, goes straight through; any other waits
in the out-of-order queue. What is in order is handed to the receiver in one piece. Sequence numbers
become stream offsets by a signed 32-bit difference to the next expected one, so wrapping needs no
special case. A hole is given up once the peer has acknowledged what lies behind it and nothing may
fill it any more: then it is the capture's. ``T`` is what receivers make of the bytes: nothing here
looks at it.
"""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from .. import limits
from ..diagnostics import diagnose
from ..memory import Account
from ..provenance import Arrival, Completion, Ending, SourceMap, seconds
from ..streams import Receiver
from .out_of_order import OutOfOrderQueue
from .overlap import History, Piece, find_conflict
from .path import Moment, Path, was_overtaken
from .segment import Scrutiny

T = TypeVar("T")

FORGET_EVERY = 32
"""Runs of a source map after which those that nothing needs any more are dropped. So few, because
what is kept for each of many connections must stay in the processor's cache: 512 made the decode
of a hundred connections a quarter slower."""


class Both(Protocol):
    """What a direction asks of its connection: what only both directions together tell."""

    client: Any
    """What the client sent, once the layer above knows it."""
    established: int | None
    is_understood: bool
    has_crossed: bool
    account: Account

    @property
    def latest(self) -> Completion:
        """The packet that is looked at, or was the last one."""

    def note_fin(self, direction: Any) -> None:
        """Take note that a direction's FIN is in order."""

    def reset_by(self, direction: Any) -> list[Any]:
        """End both directions."""


class Reassembly(Generic[T]):
    """What one endpoint sent, in order."""

    __slots__ = (
        "connection",
        "peer",
        "receiver",
        "origins",
        "next_seq",
        "base_seq",
        "acked",
        "acked_at_fin",
        "unseen_at_fin",
        "path",
        "queue",
        "history",
        "fin_offset",
        "fin_packet",
        "fin_time",
        "pending",
        "is_waiting",
        "is_ended",
        "retransmissions",
        "out_of_order",
        "_scrutiny",
        "_dropped",
        "_highest_end",
        "_highest",
        "_waited",
        "_has_been_full",
        "_charged",
        "_charged_history",
    )

    connection: Both
    peer: Reassembly[T]
    receiver: Receiver[T]

    def __init__(self) -> None:
        self.origins: SourceMap[Arrival] = SourceMap()
        self.next_seq: int | None = None
        self.base_seq: int | None = None
        """The sequence number of its SYN, if that was captured."""
        self.acked: int | None = None
        """What this endpoint acknowledged last, as a sequence number of its peer."""
        self.acked_at_fin: int | None = None
        self.unseen_at_fin = 0
        """How many bytes of its peer's last ones it had when its FIN came that the capture lacks:
        one of them may be a FIN."""
        self.path = Path()
        self.queue = OutOfOrderQueue()
        self.history = History()
        self.fin_offset: int | None = None
        self.fin_packet: int | None = None
        self.fin_time = 0
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
        self._highest = Moment(0)
        self._waited = 0
        self._has_been_full = False
        self._charged = self._charged_history = 0

    def offset_of(self, seq: int) -> int:
        """Return the stream offset of a sequence number near the next expected one."""
        assert self.next_seq is not None
        return self.origins.size + ((seq - self.next_seq + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    @property
    def end_seq(self) -> int:
        """The sequence number after all that was put in order, FIN included."""
        assert self.next_seq is not None
        return (self.next_seq + (self.fin_offset == self.origins.size)) & 0xFFFFFFFF

    @property
    def unseen_tail(self) -> int:
        """How many bytes its peer has acknowledged after all that has come; a FIN counts as one."""
        acked = self.peer.acked
        if acked is None or self.next_seq is None or self.fin_offset is not None:
            return 0
        missing = self.offset_of(acked) - max(self.origins.size, self._highest_end)
        return missing if 0 < missing < limits.MAX_OUT_OF_ORDER else 0

    def flush(self) -> list[T]:
        """Hand what was put aside to the receiver."""
        pending = self.pending
        if not pending:
            return []
        if len(pending) == 1:
            data = pending.pop()
        else:
            data = b"".join(pending)
            pending.clear()
        origins = self.origins
        history = self.history
        history.append(origins.size - len(data), data)
        if history.size > limits.USUAL_HISTORY and not self._charged_history:
            self._charge()
        records = self.receiver.receive_data(data)
        if len(origins.ends) > FORGET_EVERY:
            origins.retain(self.receiver.open_offsets)
        return records

    def take(self, payload: bytes, number: int, time_ns: int) -> list[T]:
        """Take the payload of a segment that is in order, after none that waits."""
        assert self.next_seq is not None
        time = seconds(time_ns)
        self.next_seq = (self.next_seq + len(payload)) & 0xFFFFFFFF
        self.origins.extend(len(payload), (number, number, time, time))
        self.pending.append(payload)
        return self.flush()

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
                self._follow_holes(piece)
        else:
            records += self._wait(piece)
        return records + self._end_at_fin()

    def _wait(self, piece: Piece) -> list[T]:
        """Keep a piece that lies behind a hole."""
        if not self.is_waiting:
            self.is_waiting = True
            self._waited = 0
            size = self.origins.size
            self.path.open_hole(size, piece.start - size, piece.packet, _moment(piece))
        if piece.end > self._highest_end:
            self._highest_end = piece.end
            self._highest = _moment(piece)
        if not self.queue.insert(piece):
            self._count_resent(piece)
        self._charge()
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
        if was_overtaken(_moment(piece), self._highest):
            self.out_of_order += 1
        else:
            self._count_resent(piece)

    def _count_resent(self, piece: Piece) -> None:
        self.retransmissions += 1
        self.path.note_resent(piece.start, len(piece.data), piece.packet, piece.time_ns)

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
        self.unseen_at_fin = self.peer.unseen_tail
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
        if self._charged:
            self._charge()
        return records + self.flush()

    def _charge(self) -> None:
        """Charge what waits behind holes, and what is kept of what came."""
        history = limits.MAX_HISTORY if self.history.size > limits.USUAL_HISTORY else 0
        self._charged_history = history
        held = self.queue.size + self.queue.segments * limits.WAITING_COST + history
        self.connection.account.charge(held - self._charged)
        self._charged = held

    @property
    def held(self) -> int:
        """What waits behind holes, and is kept of what came, in bytes, as it is charged."""
        return self._charged

    def let_go_waiting(self) -> list[T]:
        """Give up every hole: what waits is handed over, and the bytes between are gaps."""
        records = self.flush()
        while self.queue:
            records += self._give_up_hole()
        return records + self._end_at_fin()

    def forget_history(self) -> None:
        """Compare late copies with nothing from now on, if what is kept for it is charged."""
        if self._charged_history:
            self.history.stop()
            self._charge()

    def _follow_holes(self, filling: Piece | None, acknowledged: bool | None = None) -> None:
        """Take note that a hole was filled by a piece, or given up, and that another follows."""
        if self.path.hole_end > self.origins.size:
            return
        if filling is None:
            self.path.give_up_hole(acknowledged)
        else:
            self.path.fill_hole(filling.packet, _moment(filling))
        if self.queue:
            first, size = self.queue.first, self.origins.size
            self.path.open_hole(size, first.start - size, first.packet, _moment(first))

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
        acked = self.peer.acked
        had = None if acked is None else self.offset_of(acked) > self.origins.size
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
        self._follow_holes(None, had)
        self._charge()
        return records + self.flush()

    def _skip(self, length: int, arrival: Arrival) -> list[T]:
        """Count ``length`` bytes that the capture lacks; ``arrival`` is what shows it."""
        assert self.next_seq is not None
        self.next_seq = (self.next_seq + length) & 0xFFFFFFFF
        self.origins.extend(length, arrival)
        return self.receiver.receive_gap(length)

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

    def _fault(self, code: str, detail: str) -> list[T]:
        size = self.origins.size
        fault = diagnose(code, size, size, detail)
        return self.receiver.receive_fault(fault, self.connection.latest)


def _moment(piece: Piece) -> Moment:
    return Moment(piece.time_ns, piece.stamp)


def _arrival(shown: Completion) -> Arrival:
    """Return the arrival of what a packet shows to be missing."""
    packet, time = shown
    return packet, packet, time, time
