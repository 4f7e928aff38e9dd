"""The kernel's packets, through memory that it shares with us (packet_mmap, TPACKET_V3).

Strategy: the ring is a row of blocks. The kernel fills the open one with packets of any size,
and hands it over when it is full or, if it holds any, after ``RETIRE_MS``; we read a whole
block at once and give it back. So there is no system call for a packet, nothing is copied but
the packet's bytes, and the room is ours to choose: a socket's receive buffer holds 212,992
bytes unless the administrator allows more, which is three of the packets that segmentation
offload makes on loopback.

Each packet has the time at which the kernel received it, in nanoseconds.
"""

from __future__ import annotations

import mmap
import socket
from struct import Struct

from ..frames import RawPacket

# linux/if_packet.h
SOL_PACKET = 263
PACKET_RX_RING = 5
PACKET_STATISTICS = 6
PACKET_VERSION = 10
TPACKET_V3 = 2

KiB = 1024
BLOCK_SIZE = 512 * KiB
"""What the kernel fills at once; a packet that is longer would be cut, and 256 KiB are the most."""
FRAME_SIZE = 2 * KiB
"""Only checked by the kernel, for frames in a block take the room they need."""
RETIRE_MS = 10
"""After so long the kernel hands over a block that is not full. So blocks are used up by time too,
however few packets come: 32 MiB of them last 640 ms, in which the thread that reads them must get a
processor, and Python."""
MIN_BLOCKS = 2
"""One to be filled while the other is read."""

# struct tpacket_req3: block size, blocks, frame size, frames, retire time in ms, private bytes,
# features.
REQUEST = Struct("@IIIIIII")
# struct tpacket_stats_v3: packets (with those dropped), drops, times that the ring was full.
STATISTICS = Struct("@III")
# struct tpacket_hdr_v1, which follows version and private offset in a block: block status, number
# of packets, offset of the first, length, sequence number.
BLOCK = Struct("@IIIIQ")
BLOCK_AT = 8
BLOCK_STATUS = Struct("@I")
# struct tpacket3_hdr: offset of the next, seconds, nanoseconds, captured length, length, status,
# offset of the link-layer header.
FRAME = Struct("@IIIII4xH")
# The same with the offset of the network header, and struct sockaddr_ll, which follows it:
# protocol, interface, hardware type, packet type, length of the address, address (packet(7)).
COOKED_FRAME = Struct("@IIIII4xHH")
ADDRESS_AT = 48  # TPACKET_ALIGN(sizeof(struct tpacket3_hdr))
ADDRESS = Struct("=2x2siHBB8s")
# LINKTYPE_LINUX_SLL2: protocol, reserved, interface, hardware type, packet type, length of the
# address, address.
SLL2 = Struct("!2s2xIHBB8s")
STATUS_KERNEL = 0
STATUS_USER = 1


class Ring:
    """Receive ``sock``'s packets through a ring of ``size`` bytes, rounded down to whole blocks.

    What the socket had queued before is thrown away. Raises OSError if the kernel has no memory
    for the ring.
    """

    def __init__(self, sock: socket.socket, size: int) -> None:
        self._socket = sock
        self.blocks = max(size // BLOCK_SIZE, MIN_BLOCKS)
        self.size = self.blocks * BLOCK_SIZE
        self.blocks_read = 0
        self.is_cooked = sock.type == socket.SOCK_DGRAM
        sock.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
        request = REQUEST.pack(
            BLOCK_SIZE, self.blocks, FRAME_SIZE, self.size // FRAME_SIZE, RETIRE_MS, 0, 0
        )
        sock.setsockopt(SOL_PACKET, PACKET_RX_RING, request)
        self._memory = mmap.mmap(sock.fileno(), self.size)

    def read_block(self) -> list[RawPacket] | None:
        """Return the packets of the next block, or None if the kernel has not handed it over."""
        start = self._place(self.blocks_read)
        status, count, offset, _, _ = BLOCK.unpack_from(self._memory, start + BLOCK_AT)
        if not status & STATUS_USER:
            return None
        read = self._cooked_packets if self.is_cooked else self._packets
        packets = read(start + offset, count)
        BLOCK_STATUS.pack_into(self._memory, start + BLOCK_AT, STATUS_KERNEL)
        self.blocks_read += 1
        return packets

    def blocks_begun(self) -> int:
        """Return how many blocks hold or held packets, handed over or not, since the beginning."""
        number = self.blocks_read
        while number < self.blocks_read + self.blocks and self._begun(number):
            number += 1
        return number

    def take_statistics(self) -> tuple[int, int]:
        """Return how many packets passed the filter and how many were dropped, since last asked.

        Packets that were dropped count as passed too.
        """
        answer = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, STATISTICS.size)
        packets, dropped, _ = STATISTICS.unpack(answer)
        return packets, dropped

    def close(self) -> None:
        """Give the shared memory back; the socket stays open."""
        self._memory.close()

    def _place(self, number: int) -> int:
        return number % self.blocks * BLOCK_SIZE

    def _begun(self, number: int) -> bool:
        count: int
        sequence: int
        _, count, _, _, sequence = BLOCK.unpack_from(self._memory, self._place(number) + BLOCK_AT)
        # The kernel numbers blocks from 1 as it opens them: with an old number, the count is what
        # the block held a round before.
        return count > 0 and sequence == number + 1

    def _cooked_packets(self, start: int, count: int) -> list[RawPacket]:
        """Return packets with the header of LINKTYPE_LINUX_SLL2, made of what the kernel tells."""
        memory, packets = self._memory, []
        for _ in range(count):
            following, seconds, nanoseconds, captured, length, _, net = COOKED_FRAME.unpack_from(
                memory, start
            )
            family = ADDRESS.unpack_from(memory, start + ADDRESS_AT)
            protocol, interface, hardware, kind, size, address = family
            header = SLL2.pack(protocol, interface, hardware, kind, min(size, 8), address)
            data = start + net
            time_ns = seconds * 1_000_000_000 + nanoseconds
            whole = header + memory[data : data + captured]
            packets.append((time_ns, whole, length + SLL2.size))
            start += following
        return packets

    def _packets(self, start: int, count: int) -> list[RawPacket]:
        memory = self._memory
        unpack = FRAME.unpack_from
        packets = []
        for _ in range(count):
            following, seconds, nanoseconds, captured, length, mac = unpack(memory, start)
            data = start + mac
            time_ns = seconds * 1_000_000_000 + nanoseconds
            packets.append((time_ns, memory[data : data + captured], length))
            start += following
        return packets
