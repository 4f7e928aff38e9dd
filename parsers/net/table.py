"""Every TCP connection of a capture: which there are, and which packet belongs to which.

Strategy: one dictionary from the address and port bytes as they stand in the packet to the
:class:`~parsers.net.tcp.Direction` that they belong to; its reverse has an entry of its own. A
segment that is as usual is put aside with its direction, and handed on before the other direction
or anything unusual gets its turn, at the latest by :meth:`ConnectionTable.flush`. So the layers
above are entered once for many segments, and see the two directions in the order in which they
spoke.

Connections are numbered as Wireshark numbers ``tcp.stream``: by first packet, and anew when a
port pair is used again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Generic, Protocol, TypeVar

from .. import limits
from ..diagnostics import Diagnostic, diagnose
from ..memory import Account, Memory
from ..provenance import Completion
from .segment import ACK, SYN, Segment
from .tcp import Connection, Direction

T = TypeVar("T")

LARGE_SEGMENT = 8 * limits.KiB
"""Payloads above this are not put aside: it would save nothing and fill memory."""


class Elsewhere(Protocol[T]):
    """Connections of the same capture that are followed elsewhere, and whose those are that come
    here."""

    @property
    def has_others(self) -> bool:
        """Whether there has been one elsewhere."""

    def has(self, connection: int | None) -> bool:
        """Whether a connection of this number, which all follow, is wanted here."""

    def begins(self, index: int, key: bytes, packet: int) -> bool:
        """Take note that a connection begins here, or is begun again with the same packet; return
        whether it is wanted. ``key`` has its realm after it."""

    def others_before(self, packet: int) -> int:
        """Return how many of them have begun before a packet."""

    def check_late(self, connection: Connection[T], begun: int) -> None:
        """Take note that a packet comes late, when so many have begun."""


class ConnectionTable(Generic[T]):
    """Every connection of a capture.

    ``open_receivers`` is called once for each connection to give its directions their receivers;
    ``close`` once when it has ended, to tell what became of it. Connections that are followed
    ``elsewhere`` are numbered together with these.
    """

    def __init__(
        self,
        open_receivers: Callable[[Connection[T]], None],
        close: Callable[[Connection[T]], list[T]],
        memory: Memory | None = None,
        elsewhere: Elsewhere[T] | None = None,
    ) -> None:
        self.directions: dict[bytes, Direction[T]] = {}
        self._open_receivers = open_receivers
        self._close = close
        self._memory = Memory() if memory is None else memory
        self._elsewhere = elsewhere
        self._count = 0
        self._again: int | None = None
        self._open: dict[int, Connection[T]] = {}
        self._is_in_order = True
        """Whether the open ones stand in the order of their numbers."""
        self._closed: deque[Callable[[], None]] = deque()
        """What forgets the connections that are remembered, the oldest first."""
        self._dirty: list[Direction[T]] = []  # those with something put aside

    def receive(self, key: bytes, segment: Segment, realm: bytes = b"") -> list[T]:
        """Take one segment of the connection that ``key`` names; return what it completed.

        ``key`` is source address, destination address, source port and destination port; ``realm``
        the network that these are of (:func:`~parsers.net.tunnels.realm`).
        """
        direction = self.directions.get(key + realm if realm else key)
        if direction is None or (
            segment.flags & (SYN | ACK) == SYN and self._is_reused(direction, segment.seq)
        ):
            is_midstream = not segment.flags & SYN
            opened = self._open_connection(
                key, segment.number, segment.time_ns, realm, is_midstream=is_midstream
            )
            return opened + self.receive(key, segment, realm)
        connection = direction.connection
        if connection.is_over:  # a late packet
            if self._elsewhere is not None:
                self._elsewhere.check_late(connection, self._begun_before(segment.number))
            return []
        if not connection.packets and segment.flags & SYN:
            connection.is_midstream = False  # it was only heard of until now
        connection.count(segment.number, segment.time_ns)
        if connection.established is None:
            connection.note_handshake(direction, segment)
        records = direction.peer.flush() + direction.flush()
        records += direction.receive(segment)
        direction.note_usual_seq()
        direction.peer.note_usual_seq()
        if direction.is_ended and connection.is_closed:
            records += self._close_connection(connection)
        return records

    @property
    def has_had_any(self) -> bool:
        """Whether there has been a connection."""
        return self._count > 0

    def receive_usual(
        self, direction: Direction[T], payload: bytes, number: int, time_ns: int
    ) -> list[T] | None:
        """Take the payload of a segment with :attr:`Direction.usual_seq`, and put it aside.

        The segment has ACK and no flag of ``UNUSUAL``; its connection has counted it. This is the
        hot path of the whole chain, so it makes no calls that it can do without.
        """
        pending = direction.pending
        found = None
        if not pending:
            self._dirty.append(direction)
            if direction.peer.pending:
                found = direction.peer.flush()
        size = len(payload)
        direction.usual_seq = direction.next_seq = (direction.usual_seq + size) & 0xFFFFFFFF
        time = time_ns / 1_000_000_000
        origins = direction.origins  # extended here: the call costs more than the work
        origins.size += size
        origins.ends.append(origins.size)
        origins.values.append((number, number, time, time))
        pending.append(payload)
        return (found or []) + direction.flush() if size > LARGE_SEGMENT else found

    def report(
        self, key: bytes, realm: bytes, seq: int, fault: str, detail: str, shown: Completion
    ) -> list[T]:
        """Report what someone else says of the segment of ``key`` at ``seq``, in its connection.

        Nothing is said of a connection that is over; one that has not been seen begins here.
        """
        opened = self.hear_of(key, realm, shown)
        direction = self.directions[key + realm]
        if direction.connection.is_over:
            return opened
        size = direction.origins.size
        offset = size if direction.next_seq is None else direction.offset_of(seq)
        place = min(max(offset, 0), size)
        records = opened + direction.peer.flush() + direction.flush()
        said = diagnose(fault, place, place, detail)
        return records + direction.receiver.receive_fault(said, shown)

    def hear_of(self, key: bytes, realm: bytes, shown: Completion) -> list[T]:
        """Open the connection of a segment that was quoted, or whose header is not right.

        Wireshark gives it a number, so it has one here: it is without packets until one comes.
        """
        if key + realm in self.directions:
            return []
        number, time = shown
        time_ns = round(time * 1_000_000_000)
        return self._open_connection(key, number, time_ns, realm, is_midstream=True)

    def flush(self) -> list[T]:
        """Hand to the receivers what was put aside; return the records that it completed."""
        dirty, self._dirty = self._dirty, []
        records: list[T] = []
        for direction in dirty:
            records += direction.flush()
        return records

    def expire(self, now_ns: int) -> list[T]:
        """End the connections that have been silent for too long: their end may never come.

        Nothing is remembered of them: a packet that comes yet begins a new connection.
        """
        records: list[T] = []
        for connection in [found for found in self.open_connections if found.is_silent(now_ns)]:
            minutes = (now_ns - connection.last_time) // (60 * 10**9)
            size = connection.first.origins.size
            fault = diagnose("tcp-connection-silent", size, size, f"none for {minutes:,} minutes")
            records += connection.first.receiver.receive_fault(fault, connection.latest)
            records += connection.end() + self._close_connection(connection)
            self.forget(connection)
        return records

    def end(self) -> list[T]:
        """End every connection that is still open, in their order."""
        return [record for ended in self.endings() for record in ended]

    def endings(self) -> Iterator[list[T]]:
        """The same; yield the records of each."""
        yield self.flush()
        for connection in self.open_connections:
            yield connection.end() + self._close_connection(connection)

    def _is_reused(self, direction: Direction[T], seq: int) -> bool:
        """Whether a SYN opens a new connection between the same ports.

        Not if it is the first one again, nor inside an established connection's window, where a
        receiver ignores it (RFC 5961 section 4.2).
        """
        is_again = seq in (direction.base_seq, direction.answered_seq)
        if direction.connection.is_over or direction.next_seq is None or is_again:
            return direction.connection.is_over and not is_again
        return abs(direction.offset_of(seq) - direction.origins.size) >= 0x10000

    def _open_connection(
        self, key: bytes, number: int, time_ns: int, realm: bytes, *, is_midstream: bool
    ) -> list[T]:
        records: list[T] = []
        if (old := self.directions.get(key + realm)) and not old.connection.is_over:
            records += old.connection.end() + self._close_connection(old.connection)
        if len(self._open) >= limits.MAX_CONNECTIONS:
            records += self._close_oldest()
        index, self._again = self._again, None
        if index is None:
            index = self.take_number(number)
        connection = self._add(index, key, number, time_ns, realm)
        connection.is_midstream = is_midstream
        self._open_receivers(connection)
        return records

    def take_number(self, packet: int) -> int:
        """Return the number of a connection that begins with a packet, whoever follows it."""
        index = self._begun_before(packet)
        self._count += 1
        return index

    def begin_again(self, index: int) -> None:
        """Let the connection that is opened next have a number that was taken before."""
        self._again = index
        self._is_in_order = False

    def adopt(self, index: int, key: bytes, number: int, time_ns: int) -> Connection[T]:
        """Return a new connection that was followed elsewhere, for all that was taken there to be
        told to it, and its directions to be given receivers."""
        self._is_in_order = False
        return self._add(index, key, number, time_ns, b"")

    def _add(
        self, index: int, key: bytes, number: int, time_ns: int, realm: bytes
    ) -> Connection[T]:
        account = Account(self._memory)
        account.charge(limits.CONNECTION_COST)
        connection: Connection[T] = Connection(index, key, number, time_ns, realm, account)
        self._open[index] = connection
        self.take_over(connection)
        return connection

    def remember(self, forget: Callable[[], None]) -> None:
        """Remember a connection that has been closed; ``forget`` is called when it is too old."""
        self._closed.append(forget)
        if len(self._closed) > limits.MAX_CLOSED_CONNECTIONS:
            self._closed.popleft()()

    def take_over(self, connection: Connection[T]) -> None:
        """Take a connection's packets from here on; one that is over has late ones."""
        self.directions[connection.key + connection.realm] = connection.first
        self.directions[reverse_key(connection.key) + connection.realm] = connection.second

    @property
    def open_count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def _begun_before(self, packet: int) -> int:
        """Return how many connections have begun before a packet, those of others too."""
        elsewhere = self._elsewhere
        return self._count + (0 if elsewhere is None else elsewhere.others_before(packet))

    def _close_oldest(self) -> list[T]:
        self._put_in_order()
        oldest = next(iter(self._open.values()))
        size = oldest.first.origins.size
        fault = diagnose("tcp-connection-limit", size, size, f"{len(self._open)} connections")
        return self.let_go(oldest, fault)

    @property
    def open_connections(self) -> list[Connection[T]]:
        """Those that are open, in the order of their numbers."""
        self._put_in_order()
        return list(self._open.values())

    def _put_in_order(self) -> None:
        if not self._is_in_order:
            self._open = dict(sorted(self._open.items()))
            self._is_in_order = True

    def let_go(self, connection: Connection[T], fault: Diagnostic) -> list[T]:
        """Close a connection that is open, and say why."""
        # What is put aside came before: it may say what exchange the fault is of.
        records = connection.first.flush() + connection.second.flush()
        records += connection.first.receiver.receive_fault(fault, connection.latest)
        return records + connection.end() + self._close_connection(connection)

    def _close_connection(self, connection: Connection[T]) -> list[T]:
        del self._open[connection.index]
        records = self._close(connection)
        connection.let_go()
        self.remember(partial(self.forget, connection))
        return records

    def forget(self, connection: Connection[T]) -> None:
        """Forget a connection: a packet that comes yet begins a new one."""
        for bare in (connection.key, reverse_key(connection.key)):
            key = bare + connection.realm
            direction = self.directions.get(key)
            if direction is not None and direction.connection is connection:
                del self.directions[key]


def reverse_key(key: bytes) -> bytes:
    """Return the key of the other direction."""
    size = len(key) // 2 - 2
    ports = 2 * size
    return key[size:ports] + key[:size] + key[ports + 2 :] + key[ports : ports + 2]
