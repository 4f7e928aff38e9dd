"""The packet filter: which packets the kernel hands to a recording.

Strategy: the filter is classic BPF, assembled here, in the shape that ``tcpdump -d`` shows for
``tcp port N``. Every test either returns or goes on to the next, so jumps are short whatever
the number of ports. The kernel starts a program at once on every packet, and replaces one
program by another in one step: no packet is ever seen by none or by half of one.

Not libpcap's compiler, which scapy would call, for three reasons: a machine need not have
libpcap; scapy compiles for a snapshot length of 65,535, and the packets that segmentation
offload makes on loopback are up to 65,549 bytes long; and neither can say "not the outgoing
copy" and "this marker too" in one program.
"""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Iterable, Sequence
from struct import Struct

from ..frames import (
    ETHERTYPE,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    IP_HEADER,
    IPV4_PROTOCOL,
    IPV6_PAYLOAD,
    PROTOCOL_TCP,
    PROTOCOL_UDP,
)

Instruction = tuple[int, int, int, int]
"""``struct sock_filter``: code, jump if true, jump if false, k (linux/filter.h)."""

# linux/bpf_common.h: BPF_LD | BPF_H | BPF_ABS and so on.
LOAD_BYTE = 0x30
LOAD_HALF = 0x28
LOAD_WORD = 0x20
LOAD_HALF_AT_X = 0x48
LOAD_X_HEADER_LENGTH = 0xB1  # X = 4 * (P[k] & 0xf): the length of an IPv4 header
LOADS = frozenset({LOAD_BYTE, LOAD_HALF, LOAD_WORD, LOAD_HALF_AT_X, LOAD_X_HEADER_LENGTH})
JUMP = 0x05
JUMP_IF_EQUAL = 0x15
JUMP_IF_SET = 0x45
RETURN = 0x06

# linux/filter.h: SKF_AD_OFF + SKF_AD_PKTTYPE, what the kernel knows beside the packet's bytes.
PACKET_TYPE = 0x1_0000_0000 - 0x1000 + 4
PACKET_OUTGOING = 4
BESIDE_THE_PACKET = 0x1_0000_0000 - 0x1000
PROTOCOL = BESIDE_THE_PACKET + 0
INTERFACE = BESIDE_THE_PACKET + 8

SO_ATTACH_FILTER = 26
SOCK_FILTER = Struct("HBBI")
SOCK_FPROG = Struct("HP")
IPV4_FRAGMENT = IP_HEADER + 6
IPV4_DESTINATION = IP_HEADER + 16
IPV6_NEXT_HEADER = IP_HEADER + 6
FRAGMENT_OFFSET = 0x1FFF
LOOPBACK_ADDRESS = 0x7F000001

REJECT: Instruction = (RETURN, 0, 0, 0)
REJECT_ALL: list[Instruction] = [REJECT]


def tcp_filter(
    ports: Sequence[int], snaplen: int, *, marker_port: int | None = None
) -> list[Instruction]:
    """Return the program that lets in TCP from or to ``ports``, or all TCP if there are none.

    As ``tcp port N`` in libpcap's words: IPv4 but not its later fragments, and IPv6 without
    extension headers. With ``marker_port`` the interface is loopback: the copy of a packet that
    goes out is left, so that each appears once, when it comes in; and UDP to that port of
    127.0.0.1 is let in too.
    """
    accept: Instruction = (RETURN, 0, 0, snaplen)
    program: list[Instruction] = []
    if marker_port is not None:
        program += _when(LOAD_BYTE, PACKET_TYPE, PACKET_OUTGOING, [REJECT])
    program += _when(LOAD_HALF, ETHERTYPE, ETHERTYPE_IPV6, _ipv6(ports, accept))
    program += _unless(LOAD_HALF, ETHERTYPE, ETHERTYPE_IPV4)
    if marker_port is not None:
        program += _when(LOAD_BYTE, IPV4_PROTOCOL, PROTOCOL_UDP, _marker(marker_port, accept))
    return program + _ipv4(ports, accept)


def cooked(program: Sequence[Instruction], loopback: int) -> list[Instruction]:
    """Return a program for Ethernet as one for a socket that is given packets from IP on.

    Such a socket is of type SOCK_DGRAM and may listen on all interfaces: what came before IP was
    taken off, and the kernel tells the EtherType beside it. ``loopback`` is the number of that
    interface: each of its packets is seen when it goes out and when it comes in, and let in once.
    """
    is_copy = _when(LOAD_BYTE, PACKET_TYPE, PACKET_OUTGOING, [REJECT])
    skip: Instruction = (JUMP, 0, 0, len(is_copy))
    if list(program[: len(is_copy)]) == is_copy:  # which would hold for all interfaces
        program = program[len(is_copy) :]
    once = [(LOAD_WORD, 0, 0, INTERFACE), (JUMP_IF_EQUAL, 1, 0, loopback), skip, *is_copy]
    return once + [_from_ip_on(line) for line in program]


def _from_ip_on(line: Instruction) -> Instruction:
    """Return an instruction whose offset, if it has one, counts from the IP header."""
    code, if_true, if_false, value = line
    if code not in LOADS or value >= BESIDE_THE_PACKET:
        return line
    return code, if_true, if_false, PROTOCOL if value == ETHERTYPE else value - IP_HEADER


def attach(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """Let ``sock`` receive only what ``program`` accepts, from now on (socket(7))."""
    code = ctypes.create_string_buffer(b"".join(SOCK_FILTER.pack(*line) for line in program))
    header = SOCK_FPROG.pack(len(program), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, header)


def _when(load: int, offset: int, value: int, block: list[Instruction]) -> list[Instruction]:
    """Run ``block``, which ends in a return, if the field has ``value``; else go on after it."""
    jump: Instruction = (JUMP, 0, 0, len(block))  # 32 bits wide: a test's own jumps have only 8
    return [(load, 0, 0, offset), (JUMP_IF_EQUAL, 1, 0, value), jump, *block]


def _unless(load: int, offset: int, value: int) -> list[Instruction]:
    """Reject the packet if the field has another value."""
    return [(load, 0, 0, offset), (JUMP_IF_EQUAL, 1, 0, value), REJECT]


def _accept_ports(
    load: int, offset: int, ports: Iterable[int], accept: Instruction
) -> list[Instruction]:
    """Accept the packet if source or destination port, at ``offset``, is one of ``ports``."""
    program: list[Instruction] = []
    for field in (offset, offset + 2):
        program.append((load, 0, 0, field))
        for port in ports:
            program += [(JUMP_IF_EQUAL, 0, 1, port), accept]
    return program


def _ipv6(ports: Sequence[int], accept: Instruction) -> list[Instruction]:
    program = _unless(LOAD_BYTE, IPV6_NEXT_HEADER, PROTOCOL_TCP)
    if not ports:
        return [*program, accept]
    return [*program, *_accept_ports(LOAD_HALF, IPV6_PAYLOAD, ports, accept), REJECT]


def _ipv4(ports: Sequence[int], accept: Instruction) -> list[Instruction]:
    program = _unless(LOAD_BYTE, IPV4_PROTOCOL, PROTOCOL_TCP)
    if not ports:
        return [*program, accept]
    program += [
        (LOAD_HALF, 0, 0, IPV4_FRAGMENT),
        (JUMP_IF_SET, 0, 1, FRAGMENT_OFFSET),
        REJECT,
        (LOAD_X_HEADER_LENGTH, 0, 0, IP_HEADER),
    ]
    return [*program, *_accept_ports(LOAD_HALF_AT_X, IP_HEADER, ports, accept), REJECT]


def _marker(port: int, accept: Instruction) -> list[Instruction]:
    return [
        *_unless(LOAD_WORD, IPV4_DESTINATION, LOOPBACK_ADDRESS),
        (LOAD_X_HEADER_LENGTH, 0, 0, IP_HEADER),
        *_unless(LOAD_HALF_AT_X, IP_HEADER + 2, port),
        accept,
    ]
