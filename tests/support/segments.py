"""TCP segments by hand, for what loopback never shows: loss, overlaps, wraps, reordering."""

from __future__ import annotations

from parsers.connections import ConnectionTable, reverse_key
from parsers.diagnostics import Diagnostic
from parsers.provenance import Completion, Ending
from parsers.tcp import ACK, FIN, RST, SYN, Connection, Direction

PSH_ACK = 0x18
CLIENT = bytes([127, 0, 0, 1, 127, 0, 0, 1, 0x9C, 0x40, 0x1F, 0x40])
"""127.0.0.1:40000 to 127.0.0.1:8000."""
SERVER = reverse_key(CLIENT)


class Sink:
    """A receiver that keeps what it was given."""

    def __init__(self) -> None:
        self.data = b""
        self.pieces: list[bytes] = []
        self.gaps: list[tuple[int, int]] = []
        self.faults: list[Diagnostic] = []
        self.shown: list[int] = []
        """The packet of each fault."""
        self.ending: Ending | None = None

    def receive_data(self, data: bytes) -> list:
        self.data += data
        self.pieces.append(data)
        return []

    def receive_gap(self, start: int, end: int) -> list:
        self.gaps.append((start, end))
        return []

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list:
        self.faults.append(fault)
        self.shown.append(shown[0])
        return []

    def receive_eof(self, ending: Ending) -> list:
        assert self.ending is None, "a direction ends once"
        self.ending = ending
        return []

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return ()

    @property
    def codes(self) -> list[str]:
        return [fault.code for fault in self.faults]


class Wire:
    """A table of connections fed with segments, each one packet, a millisecond apart."""

    def __init__(self) -> None:
        self.opened: list[Connection] = []
        self.closed: list[Connection] = []
        self._sinks: dict[Direction, Sink] = {}
        self.table = ConnectionTable(self._open, self._close)
        self.number = 0
        self.time_ns = 1_790_000_000_000_000_000

    def _open(self, connection: Connection) -> None:
        for direction in (connection.first, connection.second):
            direction.receiver = self._sinks[direction] = Sink()
        self.opened.append(connection)

    def _close(self, connection: Connection) -> list:
        self.closed.append(connection)
        return []

    def send(
        self,
        key: bytes,
        seq: int,
        data: bytes = b"",
        flags: int = PSH_ACK,
        ack: int = 0,
        missing: int = 0,
        after_ms: float = 1,
    ) -> None:
        self.number += 1
        self.time_ns += int(after_ms * 1_000_000)
        seq &= 0xFFFFFFFF
        ack &= 0xFFFFFFFF
        self.table.receive(key, seq, ack, flags, data, missing, self.number, self.time_ns)

    def handshake(
        self, client_isn: int = 1000, server_isn: int = 5000, key: bytes = CLIENT
    ) -> None:
        self.send(key, client_isn, flags=SYN)
        self.send(reverse_key(key), server_isn, flags=SYN | ACK, ack=client_isn + 1)
        self.send(key, client_isn + 1, flags=ACK, ack=server_isn + 1)

    def direction(self, index: int = -1) -> Direction:
        """The direction of the one who opened the connection."""
        return self.opened[index].first

    def sink(self, index: int = -1) -> Sink:
        return self._sinks[self.direction(index)]

    def peer_sink(self, index: int = -1) -> Sink:
        return self._sinks[self.direction(index).peer]


__all__ = ["ACK", "CLIENT", "FIN", "PSH_ACK", "RST", "SERVER", "SYN", "Sink", "Wire"]
