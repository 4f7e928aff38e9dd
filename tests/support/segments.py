"""TCP segments by hand, for what loopback never shows: loss, overlaps, wraps, reordering."""

from __future__ import annotations

from struct import pack

from parsers.diagnostics import Diagnostic
from parsers.net.segment import ACK, FIN, RST, SYN, Checksum, read_segment
from parsers.net.table import ConnectionTable, Elsewhere, reverse_key
from parsers.net.tcp import Connection, Direction
from parsers.provenance import Completion, Ending

PSH_ACK = 0x18
MD5_SIGNATURE = bytes([19, 18]) + bytes(16) + b"\1\1"
"""The option of RFC 2385, and two that fill its last word."""
CLIENT = bytes([127, 0, 0, 1, 127, 0, 0, 1, 0x9C, 0x40, 0x1F, 0x40])
"""127.0.0.1:40000 to 127.0.0.1:8000."""
SERVER = reverse_key(CLIENT)


def internet_checksum(data: bytes) -> int:
    """RFC 1071, word by word, in the plainest way."""
    total = 0
    for index in range(0, len(data), 2):
        total += int.from_bytes(data[index : index + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


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

    def receive_gap(self, length: int) -> list:
        start = len(self.data) + sum(end - begin for begin, end in self.gaps)
        self.gaps.append((start, start + length))
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

    def __init__(self, elsewhere: Elsewhere | None = None) -> None:
        self.opened: list[Connection] = []
        self.closed: list[Connection] = []
        self._sinks: dict[Direction, Sink] = {}
        self.table = ConnectionTable(self._open, self._close, elsewhere=elsewhere)
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
        urgent_pointer: int = 0,
        options: bytes = b"",
        checksum: Checksum = "unfinished",
        window: int = 65_000,
    ) -> None:
        """Send one segment; ``options`` are whole words."""
        self.number += 1
        self.time_ns += int(after_ms * 1_000_000)
        ports = key[-4:]
        words = (seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (5 + len(options) // 4) << 12 | flags)
        header = pack("!4sIIHHHH", ports, *words, window, 0, urgent_pointer) + options
        whole = header + data
        if checksum != "unfinished":
            found = internet_checksum(key[:-4] + pack("!HH", 6, len(whole)) + whole)
            found ^= checksum == "wrong"
            whole = whole[:16] + found.to_bytes(2, "big") + whole[18:]
        read = read_segment(
            key[: len(key) // 2 - 2],
            key[len(key) // 2 - 2 : -4],
            whole,
            len(whole) + missing,
            self.number,
            self.time_ns,
        )
        assert not isinstance(read, Diagnostic)
        self.table.receive(key, read[1])

    def handshake(
        self,
        client_isn: int = 1000,
        server_isn: int = 5000,
        key: bytes = CLIENT,
        checksum: Checksum = "unfinished",
    ) -> None:
        back = reverse_key(key)
        acked, answered = client_isn + 1, server_isn + 1
        self.send(key, client_isn, flags=SYN, checksum=checksum)
        self.send(back, server_isn, flags=SYN | ACK, ack=acked, checksum=checksum)
        self.send(key, acked, flags=ACK, ack=answered, checksum=checksum)

    def direction(self, index: int = -1) -> Direction:
        """The direction of the one who opened the connection."""
        return self.opened[index].first

    def sink(self, index: int = -1) -> Sink:
        return self._sinks[self.direction(index)]

    def peer_sink(self, index: int = -1) -> Sink:
        return self._sinks[self.direction(index).peer]


__all__ = [
    "ACK",
    "CLIENT",
    "FIN",
    "MD5_SIGNATURE",
    "PSH_ACK",
    "RST",
    "SERVER",
    "SYN",
    "Sink",
    "Wire",
]


ISN = 1000
FIRST = ISN + 1


def established(isn: int = ISN) -> Wire:
    wire = Wire()
    wire.handshake(isn)
    return wire
