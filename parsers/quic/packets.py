"""QUIC packets as they lie in a datagram, still protected (RFC 9000 section 17, RFC 9369).

Strategy: a long header says its version, both connection ids and its length, so several packets may
share a datagram. A short header says none of these: its receiver knows how long its own connection
ids are, and the packet takes the rest of the datagram. What is protected stays so here: the packet
number, and the last bits of the first byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from ..diagnostics import Diagnostic, diagnose
from .reader import Malformed, Reader

Kind = Literal["initial", "0-rtt", "handshake", "retry", "version-negotiation", "1-rtt"]
LONG: Final = 0x80
FIXED: Final = 0x40
MAX_CONNECTION_ID: Final = 20
"""Bytes of a connection id (RFC 9000 section 17.2)."""
RETRY_TAG: Final = 16
"""Bytes of a Retry packet's integrity tag (section 17.2.5)."""


class Version(NamedTuple):
    """What differs from one version to the other."""

    name: str
    salt: bytes
    """Of the secrets of Initial packets."""
    label: str
    """What its labels begin with: ``quic key`` or ``quicv2 key``."""
    kinds: tuple[Kind, Kind, Kind, Kind]
    """The packets by the two bits of their type."""


VERSIONS: dict[int, Version] = {
    0x00000001: Version(
        "QUIC v1", bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), "quic",
        ("initial", "0-rtt", "handshake", "retry"),
    ),
    0x6B3343CF: Version(
        "QUIC v2", bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), "quicv2",
        ("retry", "initial", "0-rtt", "handshake"),
    ),
}  # fmt: skip
"""RFC 9001 section 5.2, RFC 9369 section 3."""


class PacketHeader(NamedTuple):
    """Where a packet lies in its datagram, and what its header says in the clear."""

    kind: Kind
    version: int
    """0 of a short header, which says none."""
    destination: bytes
    """The connection id that its receiver chose."""
    source: bytes
    """The connection id that its sender wants to be addressed by; empty in a short header."""
    start: int
    number_at: int
    """Where the packet number begins; of Retry and Version Negotiation, what follows the ids."""
    end: int


def is_long_header(data: bytes) -> bool:
    """Whether a datagram begins with a long header of a version that is read, or offers versions.

    That is the test of every UDP datagram of which nothing is known.
    """
    if len(data) < 7 or not data[0] & LONG:
        return False
    version = int.from_bytes(data[1:5], "big")
    if version in VERSIONS:
        return bool(data[0] & FIXED) and data[5] <= MAX_CONNECTION_ID
    return not version and _is_version_negotiation(data)


def _is_version_negotiation(data: bytes) -> bool:
    """Whether it is one that offers a version we know: zeros alone are in too many datagrams."""
    try:
        found = _read_long(data, 0)
    except Malformed:
        return False
    offered = versions_offered(data, found)
    return len(data) > found.number_at and any(version in VERSIONS for version in offered)


def versions_offered(data: bytes, header: PacketHeader) -> list[int]:
    """Return the versions that a Version Negotiation packet offers (RFC 9000 section 17.2.1)."""
    places = range(header.number_at, header.end - 3, 4)
    return [int.from_bytes(data[place : place + 4], "big") for place in places]


def unknown_version(data: bytes) -> int | None:
    """Return the version of what may be a first QUIC packet of a version that is not read.

    Such a datagram fills 1,200 bytes (RFC 9000 section 14.1), and has two connection ids of
    legal length (RFC 8999 section 5.1); a version of the form 0x?a?a?a?a is asked for in order
    to be refused (RFC 9000 section 15).
    """
    if len(data) < 1200 or data[0] & (LONG | FIXED) != LONG | FIXED:
        return None
    version = int.from_bytes(data[1:5], "big")
    is_draft = version >> 8 == 0xFF0000
    is_reserved = version & 0x0F0F0F0F == 0x0A0A0A0A
    size = data[5]
    if not (is_draft or is_reserved) or not 8 <= size <= MAX_CONNECTION_ID:
        return None
    return version if data[6 + size] <= MAX_CONNECTION_ID else None


def read_packets(data: bytes, id_size: int) -> Iterator[PacketHeader | Diagnostic]:
    """Yield the packets of a datagram; ``id_size`` is how long its receiver's connection ids are.

    A diagnostic is the last thing: what follows what is malformed cannot be found.
    """
    pos = 0
    while pos < len(data):
        if not any(data[pos : pos + 5]):  # padding: no header begins with five zeros
            return
        try:
            found = _read_long(data, pos) if data[pos] & LONG else _read_short(data, pos, id_size)
        except Malformed as error:
            yield diagnose("quic-packet-malformed", pos, len(data), str(error))
            return
        yield found
        pos = found.end


def _read_long(data: bytes, start: int) -> PacketHeader:
    """RFC 9000 section 17.2."""
    reader = Reader(data, start)
    first, version = reader.number(1), reader.number(4)
    destination, source = (reader.take(_id_size(reader)) for _ in range(2))
    if not version:
        return PacketHeader(
            "version-negotiation", 0, destination, source, start, reader.pos, len(data)
        )
    known = VERSIONS.get(version)
    if known is None:
        raise Malformed(f"version 0x{version:08x} is not read")
    kind = known.kinds[first >> 4 & 3]
    if kind == "retry":
        return PacketHeader(kind, version, destination, source, start, reader.pos, len(data))
    if kind == "initial":
        reader.take(reader.varint())  # the token
    length = reader.varint()
    number_at = reader.pos
    reader.take(length)
    return PacketHeader(kind, version, destination, source, start, number_at, reader.pos)


def _id_size(reader: Reader) -> int:
    size = reader.number(1)
    if size > MAX_CONNECTION_ID:
        raise Malformed(f"a connection id of {size} bytes, {MAX_CONNECTION_ID} at most")
    return size


def _read_short(data: bytes, start: int, id_size: int) -> PacketHeader:
    """RFC 9000 section 17.3.1."""
    reader = Reader(data, start + 1)
    destination = reader.take(id_size)
    return PacketHeader("1-rtt", 0, destination, b"", start, reader.pos, len(data))
