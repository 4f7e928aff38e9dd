"""Write captures of made-up connections, fast: Ethernet, IPv4 and TCP headers and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import NamedTuple

FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10
ETHERNET = bytes(12) + b"\x08\x00"
IPV4 = Struct("!BBHHHBBH4s4s")
TCP = Struct("!HHIIHHHH")
BLOCK = Struct("<IIIIIII")
SECRETS = Struct("<IIII")
SECTION = bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000")
# Ethernet, snapshot length 262,144, if_tsresol 9.
INTERFACE = bytes.fromhex("010000002000000001000000000004000900010009000000000000002000000000"[:64])
EPOCH_NS = 1_790_000_000_000_000_000


class Packet(NamedTuple):
    """One frame and when it was seen."""

    time_ns: int
    data: bytes


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071): base 2^16 digits add up as the number modulo."""
    if len(data) % 2:
        data += b"\0"
    return 0xFFFF - (int.from_bytes(data, "big") % 0xFFFF or 0xFFFF)


class Endpoint:
    """One end of a made-up connection."""

    def __init__(self, address: bytes, port: int, isn: int) -> None:
        self.address = address
        self.port = port
        self.seq = isn


class Conversation:
    """A made-up connection between two endpoints: segments in order, and their acknowledgements."""

    def __init__(self, index: int, port: int = 8_000) -> None:
        self.client = Endpoint(
            bytes([10, 0, index >> 8, index & 0xFF]), 40_000 + index % 25_000, 1_000
        )
        self.server = Endpoint(bytes([10, 1, 0, 1]), port, 900_000)

    def segment(self, sender: Endpoint, payload: bytes = b"", flags: int = ACK) -> bytes:
        receiver = self.server if sender is self.client else self.client
        acknowledged = receiver.seq if flags & ACK else 0
        header = TCP.pack(
            sender.port, receiver.port, sender.seq, acknowledged, 0x5000 | flags, 65_000, 0, 0
        )
        pseudo = sender.address + receiver.address + bytes([0, 6])
        pseudo += (len(header) + len(payload)).to_bytes(2, "big")
        summed = checksum(pseudo + header + payload)
        header = header[:16] + summed.to_bytes(2, "big") + header[18:]
        total = 20 + len(header) + len(payload)
        ip = IPV4.pack(0x45, 0, total, 0, 0x4000, 64, 6, 0, sender.address, receiver.address)
        ip = ip[:10] + checksum(ip).to_bytes(2, "big") + ip[12:]
        sender.seq = (sender.seq + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF
        return ETHERNET + ip + header + payload

    def open(self) -> Iterator[bytes]:
        yield self.segment(self.client, flags=SYN)
        yield self.segment(self.server, flags=SYN | ACK)
        yield self.segment(self.client)

    def send(self, sender: Endpoint, payload: bytes) -> Iterator[bytes]:
        """A segment and its acknowledgement."""
        yield self.segment(sender, payload, PSH | ACK)
        yield self.segment(self.server if sender is self.client else self.client)

    def close(self) -> Iterator[bytes]:
        yield self.segment(self.server, flags=FIN | ACK)
        yield self.segment(self.client, flags=FIN | ACK)
        yield self.segment(self.server)


def secrets_block(key_log: bytes) -> bytes:
    """Return a Decryption Secrets Block with a TLS key log (pcapng section 4.7)."""
    padded = key_log + bytes(-len(key_log) % 4)
    size = 20 + len(padded)
    head = SECRETS.pack(0x0A, size, 0x544C534B, len(key_log))
    return head + padded + size.to_bytes(4, "little")


def write(path: Path, packets: Iterator[Packet], key_log: bytes = b"") -> int:
    """Write a pcapng file, with the secrets of TLS; return how many packets it holds."""
    count = 0
    with path.open("wb") as file:
        file.write(SECTION + INTERFACE + (secrets_block(key_log) if key_log else b""))
        for time_ns, data in packets:
            padded = data + bytes(-len(data) % 4)
            length = 32 + len(padded)
            file.write(
                BLOCK.pack(6, length, 0, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data), len(data))
            )
            file.write(padded)
            file.write(length.to_bytes(4, "little"))
            count += 1
    return count
