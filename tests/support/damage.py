"""Damage: in capture files, in what TCP carried, in headers, in the order of packets.

Everything is drawn from the ``random.Random`` that is given: the same seed does the same damage.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from parsers.files.packets import Packet
from parsers.net.ip import IpPacket
from parsers.net.tunnels import read_packet

from .frames import ACK, PSH, TCP
from .stored import Dialogue
from .talk import Talk, Tape

# What grammars, lengths and flags turn on: line ends, digits, separators, extremes, magic bytes.
TELLING = (
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b"\xff", b"\x7f", b"\x80", b"0\r\n\r\n", b"0", b"f",
    b":", b";", b" ", b"\t", b'"', b"data:", b"id:", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\x1f\x8b",
    b"HTTP/1.1 200 OK\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"\x81\x7f", b"\x89\x00", b"\x88\x02\x03\xe8", b"\xc1\x05",
    b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x0a\x0d\x0d\x0a", b"\x06\x00\x00\x00",
)  # fmt: skip


def damaged(data: bytes, seeded: Random, edits: int = 4, *, same_size: bool = False) -> bytes:
    """Return ``data`` with one to ``edits`` edits; ``same_size`` only overwrites."""
    found = bytearray(data)
    for _ in range(seeded.randint(1, edits)):
        place = seeded.randrange(len(found) + 1)
        kind = seeded.randrange(3 if same_size else 7)
        if kind == 0 and place < len(found):
            found[place] ^= 1 << seeded.randrange(8)
        elif kind == 1 and place < len(found):
            found[place] = seeded.randrange(256)
        elif kind == 2:
            telling = seeded.choice(TELLING)[: len(found) - place]
            found[place : place + len(telling)] = telling
        elif kind == 3:
            found[place:place] = seeded.choice(TELLING)
        elif kind == 4:
            found[place:place] = seeded.randbytes(seeded.randint(1, 40))
        elif kind == 5:
            del found[place : place + seeded.randint(1, 40)]
        elif kind == 6:  # some of it comes twice
            found[place:place] = found[place - seeded.randint(1, 200) : place]
    return bytes(found)


def payload_start(packet: Packet) -> int | None:
    """Return where a packet's TCP payload begins; None if it has none, or is a fragment."""
    _, _, link_type, original_length, data = packet
    found = read_packet(link_type, data, original_length)
    if not isinstance(found, IpPacket) or found.protocol != TCP or found.fragment is not None:
        return None
    if found.start + 20 > found.end:
        return None
    start = found.start + (data[found.start + 12] >> 4 << 2)
    return start if start < found.end else None


def with_damaged_payloads(packets: Sequence[Packet], seeded: Random) -> list[Packet]:
    """Return the packets with bytes overwritten in the payloads of some of them."""
    found = list(packets)
    carrying = [index for index, packet in enumerate(packets) if payload_start(packet)]
    for index in seeded.sample(carrying, min(len(carrying), seeded.randint(1, 3))):
        number, time_ns, link_type, length, data = packets[index]
        start = payload_start(packets[index])
        changed = data[:start] + damaged(data[start:], seeded, same_size=True)
        found[index] = (number, time_ns, link_type, length, changed)
    return found


def with_damaged_turns(stored: Dialogue, seeded: Random, most: int = 1_448) -> Tape:
    """Return a dialogue on the wire anew, in whole segments, with damage in what was said."""
    talk = Talk(client_port=stored.client_port, server_port=stored.server_port).open()
    spoken = [index for index, turn in enumerate(stored.turns) if turn.data]
    chosen = set(seeded.sample(spoken, min(len(spoken), seeded.randint(1, 2))))
    for index, turn in enumerate(stored.turns):
        if not turn.data:
            talk.segment(turn.sender, flags=turn.flags | ACK)
            continue
        data = damaged(turn.data, seeded) if index in chosen else turn.data
        for start in range(0, len(data), most):
            talk.segment(turn.sender, data[start : start + most], PSH | ACK)
    return talk.tape


def with_damaged_packets(packets: Sequence[Packet], seeded: Random) -> list[Packet]:
    """Return the packets with some lost, cut, repeated, reordered, or changed in their headers."""
    found: list[Packet] = []
    for number, time_ns, link_type, length, data in packets:
        kind = seeded.random()
        if kind < 0.03:
            continue
        if kind < 0.10 and data:
            data = damaged(data[:80], seeded, 3, same_size=True) + data[80:]
        elif kind < 0.13:
            data = data[: seeded.randrange(len(data) + 1)]
        found.append((number, time_ns, link_type, length, data))
        if kind > 0.95:
            found.append(seeded.choice(packets))
    if seeded.random() < 0.3:
        reach = seeded.randint(1, 30)
        places = {index: index + seeded.uniform(0, reach) for index in range(len(found))}
        found = [found[index] for index in sorted(places, key=lambda index: places[index])]
    return renumbered(found)


def renumbered(packets: Sequence[Packet]) -> list[Packet]:
    """Return packets numbered from 1, as a reader would number them."""
    return [(number, *packet[1:]) for number, packet in enumerate(packets, 1)]
