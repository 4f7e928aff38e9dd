"""IP packets by hand."""

from __future__ import annotations

from struct import pack

SOURCE, DESTINATION = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
SOURCE6, DESTINATION6 = bytes([0x20, 1, 0xD, 0xB8]) + bytes(12), bytes(15) + b"\1"
TCP, UDP = 6, 17


def ipv4(
    payload: bytes,
    *,
    protocol: int = TCP,
    options: bytes = b"",
    total: int | None = None,
    identification: int = 0,
    offset: int = 0,
    more: bool = False,
    header: int | None = None,
) -> bytes:
    """An IPv4 packet; ``offset`` in bytes, ``header`` and ``total`` where they are to be wrong."""
    size = 20 + len(options)
    first = 0x40 | (size if header is None else header) // 4
    length = size + len(payload) if total is None else total
    flags = (0x2000 if more else 0) | offset // 8
    fields = pack("!BBHHHBBH", first, 0, length, identification, flags, 64, protocol, 0)
    return fields + SOURCE + DESTINATION + options + payload


def ipv6(payload: bytes, *, next_header: int = TCP, length: int | None = None) -> bytes:
    """An IPv6 packet; extension headers are part of ``payload``."""
    size = len(payload) if length is None else length
    return pack("!IHBB", 6 << 28, size, next_header, 64) + SOURCE6 + DESTINATION6 + payload


def extension(next_header: int, length: int = 8) -> bytes:
    """A hop-by-hop, routing or destination options header, filled with Pad1."""
    return bytes([next_header, length // 8 - 1]) + bytes(length - 2)


def fragment_header(next_header: int, identification: int, offset: int, more: bool) -> bytes:
    return pack("!BBHI", next_header, 0, offset | more, identification)
