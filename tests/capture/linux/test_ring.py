"""The ring, filled by the kernel with datagrams that loopback carries."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator

import pytest
from support.frames import UDP, ipv4, udp

from capture.frames import RawPacket
from capture.linux import bpf
from capture.linux.ring import BLOCK_SIZE, MIN_BLOCKS, Ring

pytestmark = pytest.mark.packets

SNAPLEN = 262_144
ETH_P_ALL = 3


class Lane:
    """Datagrams to a port of our own, and the ring that receives them."""

    def __init__(self, snaplen: int = SNAPLEN, size: int = 0) -> None:
        self.near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.near.bind(("127.0.0.1", 0))
        self.address = self.near.getsockname()
        self.packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        # Port 9 (discard) stands for a port that nobody uses: only the markers are of interest.
        program = bpf.tcp_filter([9], snaplen, marker_port=self.address[1])
        bpf.attach(self.packets, program)
        self.ring = Ring(self.packets, size)
        self.packets.bind(("lo", ETH_P_ALL))

    def send(self, payload: bytes) -> None:
        self.near.sendto(payload, self.address)

    def read(self) -> list[RawPacket]:
        """The packets of the next block, which must come."""
        poller = select.poll()
        poller.register(self.packets, select.POLLIN)
        assert poller.poll(5_000)
        packets = self.ring.read_block()
        assert packets is not None
        return packets

    def close(self) -> None:
        self.ring.close()
        self.packets.close()
        self.near.close()


@pytest.fixture
def lane() -> Iterator[Lane]:
    one = Lane()
    yield one
    one.close()


def payloads(packets: list[RawPacket]) -> list[bytes]:
    return [data[42:] for _, data, _ in packets]


def test_nothing_yet(lane: Lane) -> None:
    assert lane.ring.read_block() is None
    assert lane.ring.blocks_begun() == 0
    assert lane.ring.take_statistics() == (0, 0)


def test_a_block_of_packets(lane: Lane) -> None:
    before = time.time_ns()
    for payload in (b"", b"a", b"b" * 1000):
        lane.send(payload)
    after = time.time_ns()
    found = lane.read()
    while len(found) < 3:  # a block may have been handed over in between
        found += lane.read()
    assert payloads(found) == [b"", b"a", b"b" * 1000]
    times = [time_ns for time_ns, _, _ in found]
    assert before <= times[0] < times[1] < times[2] <= after
    assert all(length == len(data) for _, data, length in found)
    assert lane.ring.take_statistics() == (3, 0)
    assert lane.ring.take_statistics() == (0, 0), "since last asked"


def test_the_whole_frame(lane: Lane) -> None:
    lane.send(b"abc")
    (_, data, _) = lane.read()[0]
    port = lane.address[1]
    expected = ipv4(udp(port, port, b"abc"), UDP)
    same = slice(26, 38)  # the rest has checksums and an identification
    assert (len(data), data[:16], data[same], data[42:]) == (
        len(expected),
        expected[:16],
        expected[same],
        b"abc",
    )


def test_around_and_around(lane: Lane) -> None:
    for number in range(5 * MIN_BLOCKS):
        lane.send(b"%d" % number)
        assert payloads(lane.read()) == [b"%d" % number]
        assert lane.ring.blocks_read == lane.ring.blocks_begun() == number + 1
        assert lane.ring.read_block() is None


def test_a_block_begun_and_not_read(lane: Lane) -> None:
    for number in range(2 * MIN_BLOCKS + 1):
        lane.send(b"x")
        assert lane.ring.blocks_begun() == number + 1, "although it is not handed over yet"
        lane.read()


def test_a_full_ring_drops_and_counts(lane: Lane) -> None:
    payload = bytes(60_000)
    sent = 2 * MIN_BLOCKS * BLOCK_SIZE // len(payload)
    for _ in range(sent):
        lane.send(payload)
    assert lane.ring.blocks_begun() == MIN_BLOCKS
    passed, dropped = lane.ring.take_statistics()
    found = [packet for _ in range(MIN_BLOCKS) for packet in lane.read()]
    assert lane.ring.read_block() is None
    assert passed == sent
    assert dropped == sent - len(found) > 0
    assert lane.ring.blocks_begun() == lane.ring.blocks_read, "what was read is not begun again"
    lane.send(b"there is room again")
    assert payloads(lane.read()) == [b"there is room again"]


def test_the_length_before_it_was_cut() -> None:
    lane = Lane(snaplen=50)
    try:
        lane.send(bytes(100))
        ((_, data, length),) = lane.read()
        assert (len(data), length) == (50, 142)
    finally:
        lane.close()


@pytest.mark.parametrize(
    ("size", "blocks"),
    [(0, MIN_BLOCKS), (3 * BLOCK_SIZE - 1, MIN_BLOCKS), (3 * BLOCK_SIZE, 3)],
)
def test_whole_blocks(size: int, blocks: int) -> None:
    lane = Lane(size=size)
    try:
        assert (lane.ring.blocks, lane.ring.size) == (blocks, blocks * BLOCK_SIZE)
    finally:
        lane.close()


def test_what_was_queued_before_is_thrown_away() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as packets,
    ):
        near.bind(("127.0.0.1", 0))
        bpf.attach(packets, bpf.tcp_filter([9], SNAPLEN, marker_port=near.getsockname()[1]))
        packets.bind(("lo", ETH_P_ALL))
        near.sendto(b"before", near.getsockname())
        assert select.select([packets], [], [], 5)[0]
        ring = Ring(packets, 0)
        try:
            assert not select.select([packets], [], [], 0.02)[0]
            assert ring.blocks_begun() == 0
        finally:
            ring.close()
