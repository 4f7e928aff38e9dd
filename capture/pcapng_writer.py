"""Write a recording as a pcapng file (draft-ietf-opsawg-pcapng).

Strategy: a block is a header, a body padded to 32 bits, and the header's length again. What
comes once (section, interface, statistics) is packed as it is said; a packet costs two
precompiled packs and no object. Packets are kept as they are given and go to the stream in one
write when :meth:`PcapngWriter.flush` is called, so that an interrupted recording ends at a
block's end and stays readable.

Written here and not by scapy on purpose: scapy's writer takes a dissected packet, keeps time
as a float, which has no nanoseconds, and writes no statistics.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import BinaryIO

from parsers import (
    BYTE_ORDER_MAGIC,
    DECRYPTION_SECRETS,
    ENHANCED_PACKET,
    IF_DESCRIPTION,
    IF_FILTER,
    IF_HARDWARE,
    IF_NAME,
    IF_TSRESOL,
    INTERFACE_DESCRIPTION,
    INTERFACE_STATISTICS,
    ISB_ENDTIME,
    ISB_FILTERACCEPT,
    ISB_IFDROP,
    ISB_IFRECV,
    ISB_OSDROP,
    ISB_STARTTIME,
    ISB_USRDELIV,
    OPT_COMMENT,
    OPT_ENDOFOPT,
    SECTION_HEADER,
    SECTION_LENGTH_UNKNOWN,
    SHB_USERAPPL,
    TLS_KEY_LOG,
)

NANOSECONDS = b"\x09"
"""if_tsresol (section 4.2): timestamps count units of 10**-9 seconds."""
LIBPCAP_FILTER = b"\x00"
"""if_filter (section 4.2): what follows is a filter in libpcap's words."""

# Block Type, Block Total Length; the length stands at the end once more (section 3.1).
BLOCK_HEADER = Struct("<II")
BLOCK_TRAILER = Struct("<I")
# Byte-Order Magic, Major Version, Minor Version, Section Length (section 4.1).
SECTION_BODY = Struct("<IHHq")
# LinkType, Reserved, SnapLen (section 4.2).
INTERFACE_BODY = Struct("<HHI")
# Interface ID, Timestamp (Upper 4 bytes), Timestamp (Lower 4 bytes) (section 4.6).
STATISTICS_BODY = Struct("<III")
# Secrets Type, Secrets Length (section 4.7).
SECRETS_BODY = Struct("<II")
# Block Type, Block Total Length, then Interface ID, Timestamp (Upper 4 bytes), Timestamp (Lower
# 4 bytes), Captured Packet Length, Original Packet Length (section 4.3).
PACKET_HEADER = Struct("<IIIIIII")
OPTION_HEADER = Struct("<HH")
COUNTER = Struct("<Q")

STATISTICS_SIZE = 112
"""Bytes of the block that :meth:`PcapngWriter.add_statistics` writes."""
PACKET_OVERHEAD = PACKET_HEADER.size + BLOCK_TRAILER.size
PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
MAX_ENDS = 4_096
"""Sizes of packets whose ends are kept: more than an Ethernet network has."""
MAX_OPTION = 65_535
"""An option's length is 16 bits (section 3.5)."""

Option = tuple[int, bytes]


class PcapngWriter:
    """Write one section of packets to a binary stream, in little-endian byte order.

    ``version`` is put after wireproof's name as the application that wrote the file.
    Raises OSError as the stream does.
    """

    def __init__(self, stream: BinaryIO, *, version: str = "", comment: str = "") -> None:
        self._stream = stream
        self._pending: list[bytes] = []
        self._interfaces = 0
        self._ends: dict[int, tuple[int, bytes]] = {}
        """For each size of a packet, the length of its block, and what follows the packet."""
        self.size = 0
        """Bytes of the file, with what is kept for the next flush."""
        self._write(
            SECTION_HEADER,
            SECTION_BODY.pack(BYTE_ORDER_MAGIC, 1, 0, SECTION_LENGTH_UNKNOWN),
            [*_comment(comment), (SHB_USERAPPL, f"wireproof {version}".strip().encode())],
        )

    def add_interface(
        self,
        name: str,
        *,
        link_type: int,
        snaplen: int,
        capture_filter: str = "",
        description: str = "",
        hardware: str = "",
    ) -> int:
        """Describe an interface (section 4.2), and return the number that its packets name.

        ``capture_filter`` is what its packets passed, in libpcap's words.
        """
        options = [(IF_NAME, name.encode()), (IF_TSRESOL, NANOSECONDS)]
        if description:
            options.append((IF_DESCRIPTION, description.encode()))
        if hardware:
            options.append((IF_HARDWARE, hardware.encode()))
        if capture_filter:
            options.append((IF_FILTER, LIBPCAP_FILTER + capture_filter.encode()))
        self._write(INTERFACE_DESCRIPTION, INTERFACE_BODY.pack(link_type, 0, snaplen), options)
        self._interfaces += 1
        return self._interfaces - 1

    def add_packets(self, interface: int, packets: Iterable[tuple[int, bytes, int]]) -> int:
        """Keep packets (section 4.3) for the next flush; return how many there were.

        Each is its time in nanoseconds since the epoch, its bytes, and the length that it had
        before it was cut to these.
        """
        # One loop for many packets, with everything at hand: a call for each costs half as much
        # again, and a busy interface has 50,000 in a second.
        pack, ends = PACKET_HEADER.pack, self._ends
        made: list[bytes] = []
        added = 0
        for time_ns, data, original_length in packets:
            size = len(data)
            end = ends.get(size)
            if end is None:
                if len(ends) == MAX_ENDS:
                    ends.clear()
                end = ends[size] = _packet_end(size)
            total, padded_trailer = end
            made += (
                pack(
                    ENHANCED_PACKET,
                    total,
                    interface,
                    time_ns >> 32,
                    time_ns & 0xFFFFFFFF,
                    size,
                    original_length,
                ),
                data,
                padded_trailer,
            )
            added += total
        self._pending += made
        self.size += added
        return len(made) // 3

    def add_secrets(self, key_log: bytes) -> None:
        """Write lines of a TLS key log (section 4.7), before the packets that are kept."""
        body = SECRETS_BODY.pack(TLS_KEY_LOG, len(key_log)) + key_log + PADDING[len(key_log) & 3]
        self._write(DECRYPTION_SECRETS, body, [])

    def add_statistics(
        self, interface: int, *, start_ns: int, end_ns: int, captured: int, dropped: int | None
    ) -> None:
        """Say how many packets there were (section 4.6), and write what is kept before it.

        ``isb_ifdrop`` means the interface and ``isb_osdrop`` the operating system. It is the
        latter that drops, but readers show the former, which is where dumpcap puts it: both say
        the same number. If drops are unknown (``None``), only what is written is said.
        """
        self.flush()
        counters = {ISB_USRDELIV: captured} if dropped is None else _counters(captured, dropped)
        self._write(
            INTERFACE_STATISTICS,
            STATISTICS_BODY.pack(interface, *_timestamp(end_ns)),
            [
                (ISB_STARTTIME, BLOCK_HEADER.pack(*_timestamp(start_ns))),
                (ISB_ENDTIME, BLOCK_HEADER.pack(*_timestamp(end_ns))),
                *((code, COUNTER.pack(count)) for code, count in counters.items()),
            ],
        )

    def flush(self) -> None:
        """Hand every packet kept so far to the operating system; what it refuses stays kept."""
        if self._pending:
            self._stream.write(b"".join(self._pending))
            self._pending = []
        self._stream.flush()

    def _write(self, block_type: int, body: bytes, options: Iterable[Option]) -> None:
        content = body + _options(options)
        total = BLOCK_HEADER.size + len(content) + BLOCK_TRAILER.size
        header, trailer = BLOCK_HEADER.pack(block_type, total), BLOCK_TRAILER.pack(total)
        self._stream.write(header + content + trailer)
        self.size += total
        self._stream.flush()


def block_size(size: int) -> int:
    """Return how many bytes a packet of ``size`` bytes takes in a file."""
    return PACKET_OVERHEAD + (size + 3 & -4)


def _counters(captured: int, dropped: int) -> dict[int, int]:
    received = captured + dropped
    return {
        ISB_IFRECV: received,
        ISB_IFDROP: dropped,
        ISB_FILTERACCEPT: received,
        ISB_OSDROP: dropped,
        ISB_USRDELIV: captured,
    }


def _packet_end(size: int) -> tuple[int, bytes]:
    total = block_size(size)
    return total, PADDING[size & 3] + BLOCK_TRAILER.pack(total)


def _comment(text: str) -> list[Option]:
    return [(OPT_COMMENT, text.encode())] if text else []


def _timestamp(time_ns: int) -> tuple[int, int]:
    """Return the upper and the lower 32 bits, in which order they stand in the file."""
    return time_ns >> 32, time_ns & 0xFFFFFFFF


def _options(options: Iterable[Option]) -> bytes:
    """Return the option list of a block (section 3.5)."""
    parts = []
    for code, value in options:
        if len(value) > MAX_OPTION:
            raise ValueError(f"option {code} has {len(value):,} bytes, {MAX_OPTION:,} may be")
        parts += [OPTION_HEADER.pack(code, len(value)), value, PADDING[len(value) & 3]]
    return b"".join(parts) + OPTION_HEADER.pack(OPT_ENDOFOPT, 0)
