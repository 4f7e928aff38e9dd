"""Whole captures made by hand, in memory: what client and server said, packet by packet.

    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\\r\\nHost: example\\r\\n\\r\\n")
    talk.server(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n", b"hi")
    talk.close()
    records = talk.tape.records()

Each piece is a segment of its own, and acknowledges all that the other side has sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from parsers.decode.packets import PacketDecoder, completion
from parsers.files.packets import Packet
from parsers.records import (
    ConnectionRecord,
    DiagnosticRecord,
    Record,
    TlsConnectionRecord,
    field_names,
)

from .capture_files import Blocks, option
from .frames import ACK, FIN, PSH, RST, SYN, ipv4, ipv6, tcp

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
Side = Literal["client", "server"]

EPOCH_NS = 1_790_000_000_000_000_000
STEP_NS = 1_000_000


class Tape:
    """The packets of a capture, each a millisecond after the one before it."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []

    def add(
        self,
        frame: bytes,
        *,
        link_type: int = 1,
        captured: int | None = None,
        has_time: bool = True,
    ) -> int:
        """Add a packet, of which ``captured`` bytes are kept; return its number."""
        number = len(self.packets) + 1
        time_ns = EPOCH_NS + number * STEP_NS if has_time else None
        self.packets.append((number, time_ns, link_type, len(frame), frame[:captured]))
        return number

    def records(self, *, keep_data: bool = True) -> list[Record]:
        return decoded(self.packets, keep_data=keep_data)

    def file(self) -> bytes:
        """A pcapng file of these packets, all of which are Ethernet and have times."""
        blocks = Blocks()
        nanoseconds = option(9, b"\x09") + option(0, b"")
        found = [blocks.section(), blocks.interface(1, 262_144, nanoseconds)]
        for _, time_ns, link_type, original_length, data in self.packets:
            assert time_ns is not None and link_type == 1
            found.append(blocks.enhanced(time_ns, data, original=original_length))
        return b"".join(found)


class Talk:
    """One connection: ``tape`` holds its packets, and those of others if it is shared."""

    def __init__(
        self,
        tape: Tape | None = None,
        *,
        is_ipv6: bool = False,
        client_port: int = 40_000,
        server_port: int = 8_000,
        client_isn: int = 1_000,
        server_isn: int = 5_000,
    ) -> None:
        self.tape = Tape() if tape is None else tape
        self._ip = ipv6 if is_ipv6 else ipv4
        self._ports: dict[Side, int] = {"client": client_port, "server": server_port}
        self._seq: dict[Side, int] = {"client": client_isn, "server": server_isn}

    def open(self) -> Talk:
        """The three packets of the handshake (RFC 9293 section 3.5)."""
        self.segment("client", flags=SYN)
        self.segment("server", flags=SYN | ACK)
        self.segment("client")
        return self

    def midstream(self) -> Talk:
        """What comes is the middle of a connection whose beginning was not captured."""
        self._seq = {sender: seq + 1 for sender, seq in self._seq.items()}
        return self

    def client(self, *pieces: bytes) -> int:
        """The client sends pieces; returns the number of the last one's packet."""
        return [self.segment("client", piece, PSH | ACK) for piece in pieces][-1]

    def server(self, *pieces: bytes) -> int:
        """The server sends pieces; returns the number of the last one's packet."""
        return [self.segment("server", piece, PSH | ACK) for piece in pieces][-1]

    def ack(self, sender: Side, times: int = 1) -> None:
        for _ in range(times):
            self.segment(sender)

    def lose(self, sender: Side, size: int) -> None:
        """``size`` bytes are sent, and arrive, but the capture lacks them."""
        self._advance(sender, size)

    def fin(self, sender: Side) -> int:
        return self.segment(sender, flags=FIN | ACK)

    def reset(self, sender: Side) -> int:
        return self.segment(sender, flags=RST | ACK)

    def close(self) -> int:
        """The server closes first; returns the number of the last packet."""
        self.fin("server")
        self.fin("client")
        return self.segment("server")

    def segment(self, sender: Side, payload: bytes = b"", flags: int = ACK) -> int:
        return self.tape.add(self.frame(sender, payload, flags))

    def frame(self, sender: Side, payload: bytes = b"", flags: int = ACK) -> bytes:
        """The next segment of ``sender`` as an Ethernet frame, which is not on the tape yet."""
        receiver: Side = "server" if sender == "client" else "client"
        segment = tcp(
            self._ports[sender],
            self._ports[receiver],
            flags,
            seq=self._seq[sender],
            ack=self._seq[receiver] if flags & ACK else 0,
            payload=payload,
        )
        self._advance(sender, len(payload) + bool(flags & (SYN | FIN)))
        return self._ip(segment)

    def _advance(self, sender: Side, size: int) -> None:
        self._seq[sender] = (self._seq[sender] + size) & 0xFFFFFFFF


def decoded(
    packets: Sequence[Packet],
    *,
    keep_data: bool = True,
    batch: int = 1 << 30,
    general: bool = False,
    shows_records: bool = False,
) -> list[Record]:
    """Every record of a capture, decoded in batches of packets.

    ``general`` leaves out the path that usual packets take.
    """
    decoder = PacketDecoder(keep_data=keep_data, shows_records=shows_records)
    records: list[Record] = []
    if general:
        for packet in packets:
            records += decoder.receive_general(packet)
    else:
        for start in range(0, len(packets), batch):
            records += decoder.receive(packets[start : start + batch])
    return sorted(records + decoder.finish(), key=completion) + decoder.report([])


def kinds(records: Iterable[Record]) -> list[str]:
    """What the records are, for a glance: diagnostics by their code."""
    return [getattr(record, "code", record.record) for record in records]


def without_packets(record: Record, *also: str) -> dict[str, Any]:
    """What of a record does not depend on how its bytes were cut into packets.

    ``also`` names further fields to leave out.
    """
    left_out = ("first_packet", "last_packet", "first_time", "last_time", *also)
    if isinstance(record, ConnectionRecord):
        left_out += ("packets", "retransmissions", "out_of_order", "client_fin", "server_fin")
        left_out += ("ends", "rtt", "closed_windows", "holes", "duplicate_acks", "copies", "resent")
        left_out += ("server_rtt", "client_mss", "server_mss", "ack_waits")
        left_out += ("client_acknowledged", "server_acknowledged")
    if isinstance(record, TlsConnectionRecord):
        left_out += tuple(name for name in field_names(type(record)) if name.endswith("_time"))
        left_out += ("alert",)
    return {
        field: getattr(record, field)
        for field in field_names(type(record))
        if field not in left_out
    }


def exchange(**options: bool) -> Talk:
    """Return a request and its answer, over a connection that both close."""
    talk = Talk(**options).open()
    talk.client(GET)
    talk.server(OK, b"hi")
    talk.close()
    return talk


def summaries(tape: Tape) -> list[str]:
    """Return what the diagnostics of a capture say that no connection has."""
    faults = (record for record in tape.records() if isinstance(record, DiagnosticRecord))
    return [fault.summary for fault in faults if fault.connection is None]


def only_fault(records: list[Record]) -> DiagnosticRecord:
    """Return the one diagnostic that there is."""
    (fault,) = (record for record in records if isinstance(record, DiagnosticRecord))
    return fault
