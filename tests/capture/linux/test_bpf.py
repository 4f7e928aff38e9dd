"""The filter, run by the kernel, beside libpcap's own for the same words."""

from __future__ import annotations

import ctypes.util
import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import pytest
from scapy.arch.common import compile_filter, free_filter
from scapy.libs.structures import sock_fprog
from support.frames import SYN, UDP, ipv4, ipv6, tcp, udp

from capture.filters import MAX_PORTS, capture_filter, check_ports
from capture.linux import bpf

SNAPLEN = 262_144


class Filtered:
    """A pair of sockets with a filter between them: it sees a datagram as it would a frame."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.far.setblocking(False)

    def passes(self, frame: bytes) -> int:
        """How many bytes of the frame come through."""
        self.near.send(frame)
        try:
            return len(self.far.recv(1 << 20))
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self.near.close()
        self.far.close()


@contextmanager
def filtered(program: Sequence[bpf.Instruction]) -> Iterator[Filtered]:
    with closing(Filtered()) as pair:
        bpf.attach(pair.far, program)
        yield pair


@contextmanager
def filtered_by_libpcap(text: str) -> Iterator[Filtered]:
    if ctypes.util.find_library("pcap") is None:
        pytest.skip("libpcap is not installed")
    with closing(Filtered()) as pair:
        program = compile_filter(text, linktype=1)
        pair.far.setsockopt(
            socket.SOL_SOCKET, bpf.SO_ATTACH_FILTER, sock_fprog(program.bf_len, program.bf_insns)
        )
        free_filter(program)
        yield pair


FRAMES = {
    "to": ipv4(tcp(40_000, 8000, SYN)),
    "from": ipv4(tcp(8000, 40_000, SYN)),
    "IPv6 to": ipv6(tcp(40_000, 8000, SYN)),
    "IPv6 from": ipv6(tcp(8000, 40_000, SYN)),
    "IPv4 options": ipv4(tcp(40_000, 8000), options=b"\x01" * 8),
    "first fragment": ipv4(tcp(40_000, 8000), fragment=0x2000),
    "another port": ipv4(tcp(40_000, 8001)),
    "IPv6 another port": ipv6(tcp(40_000, 8001)),
    "later fragment": ipv4(tcp(40_000, 8000), fragment=0x2001),
    "UDP": ipv4(udp(40_000, 8000), UDP),
    "IPv6 UDP": ipv6(udp(40_000, 8000), UDP),
    "ARP": bytes(12) + b"\x08\x06" + bytes(28),
    "cut in Ethernet": bytes(13),
    "cut in IPv4": ipv4(tcp(40_000, 8000))[:20],
    "cut before the ports": ipv4(tcp(40_000, 8000))[:34],
    "cut in IPv6": ipv6(tcp(40_000, 8000))[:40],
}
PASSING = {"to", "from", "IPv6 to", "IPv6 from", "IPv4 options", "first fragment"}


@pytest.mark.parametrize("name", FRAMES)
def test_one_port(name: str) -> None:
    with filtered(bpf.tcp_filter([8000], SNAPLEN)) as pair:
        frame = FRAMES[name]
        assert pair.passes(frame) == (len(frame) if name in PASSING else 0)


@pytest.mark.parametrize("ports", [[8000], [80, 8000, 40_000], [8001]])
def test_as_libpcap(ports: list[int]) -> None:
    ours = filtered(bpf.tcp_filter(ports, SNAPLEN))
    with ours as own, filtered_by_libpcap(capture_filter(ports)) as reference:
        for name, frame in FRAMES.items():
            assert own.passes(frame) == reference.passes(frame), name


def test_as_libpcap_when_damaged() -> None:
    source = random.Random(8000)
    ours = filtered(bpf.tcp_filter([8000], SNAPLEN))
    frames = list(FRAMES.values())
    with ours as own, filtered_by_libpcap("tcp port 8000") as reference:
        for _ in range(5_000):
            frame = bytearray(source.choice(frames))
            for _ in range(source.randrange(3)):
                frame[source.randrange(len(frame))] = source.choice((0, 1, 6, 17, 0x45, 0x60, 0xFF))
            cut = bytes(frame[: source.randrange(1, len(frame) + 1)])
            assert own.passes(cut) == reference.passes(cut), cut.hex()


def test_all_tcp() -> None:
    with filtered(bpf.tcp_filter([], SNAPLEN)) as pair:
        assert pair.passes(FRAMES["another port"])
        assert pair.passes(FRAMES["IPv6 another port"])
        assert not pair.passes(FRAMES["UDP"])
        assert not pair.passes(FRAMES["IPv6 UDP"])
        assert not pair.passes(FRAMES["ARP"])


def test_many_ports() -> None:
    ports = list(range(1000, 1000 + MAX_PORTS))
    with filtered(bpf.tcp_filter(ports, SNAPLEN, marker_port=9)) as pair:
        for make in (ipv4, ipv6):
            assert pair.passes(make(tcp(1, ports[0])))
            assert pair.passes(make(tcp(ports[-1], 1)))
            assert not pair.passes(make(tcp(1, ports[-1] + 1)))
        assert pair.passes(ipv4(udp(7, 9), UDP))


def test_the_marker() -> None:
    with filtered(bpf.tcp_filter([8000], SNAPLEN, marker_port=9000)) as pair:
        assert pair.passes(ipv4(udp(1, 9000), UDP))
        assert not pair.passes(ipv4(udp(9000, 1), UDP))
        assert not pair.passes(ipv4(udp(1, 9000), UDP, destination="127.0.0.2"))
        assert not pair.passes(ipv4(tcp(1, 9000)))
        assert not pair.passes(ipv6(udp(1, 9000), UDP))
        assert pair.passes(FRAMES["to"])


def test_the_filter_cuts_at_snaplen_only() -> None:
    frame = ipv4(tcp(1, 8000, payload=bytes(65_000)))
    with filtered(bpf.tcp_filter([8000], SNAPLEN)) as pair:
        assert pair.passes(frame) == len(frame)
    with filtered(bpf.tcp_filter([8000], 100)) as pair:
        assert pair.passes(frame) == 100


def test_reject_all_and_replace() -> None:
    with filtered(bpf.REJECT_ALL) as pair:
        assert not pair.passes(FRAMES["to"])
        bpf.attach(pair.far, bpf.tcp_filter([8000], SNAPLEN))
        assert pair.passes(FRAMES["to"])


def test_the_words() -> None:
    assert capture_filter([]) == "tcp"
    assert capture_filter([80, 81]) == "tcp port 80 or tcp port 81"


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ([], "no port to record was given"),
        ([0], "0 is not a TCP port: expected 1 to 65,535"),
        ([80, 65_536], "65536 is not a TCP port"),
        (range(1, 258), "257 ports to record: at most 256"),
    ],
)
def test_ports_that_there_cannot_be(ports: Sequence[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_ports(ports)


def test_ports_that_there_can_be() -> None:
    check_ports([1, 65_535])
