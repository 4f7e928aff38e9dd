"""Capture files by hand, and streams that give them in every way that a stream may."""

from __future__ import annotations

from struct import pack

from parsers.files.blocks import Block
from parsers.files.packets import Packet
from parsers.files.pcapng import UsualBlocks
from parsers.files.reader import CaptureReader


class Dribble:
    """A stream that never returns more than ``at_most`` bytes at once, as a pipe may."""

    def __init__(self, data: bytes, at_most: int) -> None:
        self._data = data
        self._at_most = at_most
        self._position = 0

    def read(self, size: int) -> bytes:
        start = self._position
        self._position += min(size, self._at_most)
        return self._data[start : self._position]


def read_all(data: bytes, at_most: int = 1 << 30) -> tuple[list[Packet], CaptureReader]:
    """Return the packets of a capture file, and what its reader has noted."""
    reader = CaptureReader(Dribble(data, at_most))
    return list(reader), reader


def every_block(reader: CaptureReader) -> list[tuple[Block, int | None]]:
    """Every block of a pcapng file, with the number of the packet that it holds."""
    found = []
    for part in reader.copied(range(1 << 32)):
        assert not isinstance(part, UsualBlocks)
        block, packet = part
        found.append((block, None if packet is None else packet[0]))
    return found


def codes(reader: CaptureReader) -> list[str]:
    return [fault.code for fault in reader.faults]


def pcap_header(
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    version: tuple[int, int] = (2, 4),
    link_type: int = 1,
    snaplen: int = 262144,
) -> bytes:
    return pack(f"{order}IHHiIII", magic, *version, 0, 0, snaplen, link_type)


def record(
    seconds: int,
    fraction: int,
    data: bytes,
    original: int | None = None,
    order: str = "<",
    more: bytes = b"",
) -> bytes:
    """A pcap record; ``more`` are the further bytes of a variant's header."""
    length = len(data) if original is None else original
    return pack(f"{order}4I", seconds, fraction, len(data), length) + more + data


def pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return pack(f"{order}HH", code, len(value)) + pad(value)


class Blocks:
    """pcapng blocks in one byte order."""

    def __init__(self, order: str = "<") -> None:
        self.order = order

    def block(self, kind: int, body: bytes) -> bytes:
        length = len(body) + 12
        return pack(f"{self.order}2I", kind, length) + body + pack(f"{self.order}I", length)

    def section(
        self, options: bytes = b"", version: tuple[int, int] = (1, 0), length: int = -1
    ) -> bytes:
        body = pack(f"{self.order}IHHq", 0x1A2B3C4D, *version, length)
        return self.block(0x0A0D0D0A, body + options)

    def interface(self, link_type: int = 1, snaplen: int = 0, options: bytes = b"") -> bytes:
        return self.block(1, pack(f"{self.order}HHI", link_type, 0, snaplen) + options)

    def enhanced(
        self,
        ticks: int,
        data: bytes,
        interface: int = 0,
        original: int | None = None,
        options: bytes = b"",
    ) -> bytes:
        length = len(data) if original is None else original
        high, low = divmod(ticks, 1 << 32)
        head = pack(f"{self.order}5I", interface, high, low, len(data), length)
        return self.block(6, head + pad(data) + options)

    def simple(self, data: bytes, original: int | None = None) -> bytes:
        length = len(data) if original is None else original
        return self.block(3, pack(f"{self.order}I", length) + pad(data))

    def obsolete(self, ticks: int, data: bytes, interface: int = 0, options: bytes = b"") -> bytes:
        high, low = divmod(ticks, 1 << 32)
        head = pack(f"{self.order}HH4I", interface, 7, high, low, len(data), len(data))
        return self.block(2, head + pad(data) + options)

    def secrets(self, kind: int, data: bytes, options: bytes = b"") -> bytes:
        return self.block(10, pack(f"{self.order}2I", kind, len(data)) + pad(data) + options)

    def statistics(self, interface: int, options: bytes) -> bytes:
        return self.block(5, pack(f"{self.order}3I", interface, 0, 0) + options)

    def option(self, code: int, value: bytes) -> bytes:
        return option(code, value, self.order)
