"""Headers of tunnels and links: nothing of a text is left, and the packets in them are the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from struct import pack
from typing import Any

import pytest
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Ether
from scapy.packet import Raw
from support.attack import chunk, request, response
from support.summed import in_fragments
from support.talk import Talk, Tape
from support.tunnels import (
    AROUND_FRAMES,
    AROUND_PACKETS,
    conversation,
    outer,
    over_udp,
    tunnelled,
)

from parsers.files.packets import Packet
from parsers.records import ConnectionRecord, Record
from wireproof.redact.rules import Rules
from wireproof.redact.structure.frames import StructureMasks
from wireproof.redact.structure.tunnels import TUNNELS

TEXT = b"secret of a customer"
LEAST = 3
"""Bytes of the text of which none may be left in a row."""


def masked(packets: list[Packet]) -> Tape:
    with closing(StructureMasks(Rules("structure"))) as masks:
        masks.add(packets)
        masks.end()
        if masks.needs_sums:
            masks.begin_sums()
            masks.sum_up(packets)
        tape = Tape()
        tape.packets = [(*packet[:4], masks.masked(packet)) for packet in packets]
        assert not masks.not_looked_into
    return tape


def told(tape: Tape) -> list[tuple[object, ...]]:
    """What a copy has in common with its original."""
    return [_told(record) for record in tape.records()]


def _told(record: Record) -> tuple[object, ...]:
    names = ("record", "first_packet", "last_packet", "offset", "length", "status", "code")
    found = tuple(getattr(record, name, None) for name in names)
    is_whole = isinstance(record, ConnectionRecord)
    return (*found, record.tunnel, record.client, record.server) if is_whole else found


def parts(text: bytes) -> set[bytes]:
    return {text[at : at + LEAST] for at in range(len(text) - LEAST + 1)}


def left(tape: Tape) -> set[bytes]:
    raw = b"".join(packet[4] for packet in tape.packets)
    return {part for part in parts(TEXT) if part in raw}


@pytest.mark.parametrize("name", [*AROUND_FRAMES, *AROUND_PACKETS])
def test_the_same_in_every_tunnel(name: str) -> None:
    header, _ = (AROUND_FRAMES if name in AROUND_FRAMES else AROUND_PACKETS)[name]
    tape = tunnelled(header, is_frame=name in AROUND_FRAMES)
    assert told(masked(tape.packets)) == told(tape)


def _tags(*tags: int) -> bytes:
    return b"".join(bytes((tag, len(TEXT))) + TEXT for tag in tags)


FULL: dict[str, tuple[Callable[[], Any], bool]] = {
    "geneve": (lambda: over_udp(6081) / Raw(b"\6\0\x65\x58\0\1\2\0" + b"\1\2\3\5" + TEXT), True),
    "gtp-u": (
        lambda: (
            over_udp(2152, 2152)
            / Raw(b"\x34\xff\0\x30\0\0\0\7sec\xc0\6\0" + TEXT + b"\0\x85\2sec\0\0\0\0")
        ),
        False,
    ),
    "l2tp": (
        lambda: over_udp(1701) / Raw(b"\2\2\0\1\0\7\0\x14" + TEXT + b"\xff\x03\0\x21"),
        False,
    ),
    "teredo": (
        lambda: over_udp(3544, 3544) / Raw(b"\0\1\x0a\x0a" + TEXT + b"customer\0" + bytes(8)),
        False,
    ),
    "tzsp": (lambda: over_udp(37008) / Raw(b"\1\0\0\1\0" + _tags(10, 200) + b"\1"), True),
    "wccp": (lambda: outer() / GRE(proto=0x883E) / Raw(TEXT[:4]), False),
    "vxlan": (lambda: over_udp(4789) / Raw(b"\x88cus\0\0\7\0"), True),
    "vxlan-gpe": (lambda: over_udp(4790) / Raw(b"\x0cse\3\0\0\7\0"), True),
    "erspan II": (
        lambda: outer() / GRE(proto=0x88BE, seqnum_present=1) / Raw(b"\x10\0\0\7cust"),
        True,
    ),
    "erspan III": (
        lambda: outer() / GRE(proto=0x22EB) / Raw(b"\x20\0\0\7custom\0\1" + TEXT[:8]),
        True,
    ),
}


@pytest.mark.parametrize("name", FULL)
def test_texts_of_a_tunnel_are_cleared(name: str) -> None:
    header, is_frame = FULL[name]
    talk = conversation(is_ipv6=name == "teredo")
    tape = tunnelled(header, is_frame=is_frame, talk=talk)
    (connection,) = (one for one in tape.records() if isinstance(one, ConnectionRecord))
    assert connection.tunnel and connection.tunnel.startswith(name.split()[0])
    assert left(tape) or name == "vxlan-gpe"
    copy = masked(tape.packets)
    assert left(copy) == set()
    assert told(copy) == told(tape)


def _pktap(link_type: int) -> bytes:
    return pack("<III", 156, 1, link_type) + (TEXT * 8)[:144]


def _nflog(order: str) -> bytes:
    prefix = TEXT + bytes(1)
    return b"\2\0\0\1" + pack(f"{order}HH", 4 + len(prefix), 10) + prefix + bytes(3)


LINKS = {
    "PKTAP": (258, _pktap(1), 0),
    "PKTAP of raw IP": (258, _pktap(12), 14),
    "PKTAP of NFLOG": (258, _pktap(239) + _nflog("<") + b"\0\0\x09\0", 14),
    "NFLOG": (239, _nflog("<") + b"\0\0\x09\0", 14),
    "NFLOG of a big host": (239, _nflog(">") + b"\0\0\0\x09", 14),
    "SLL": (113, b"\0\0\0\1\0\2\0\0secret\x08\0", 14),
    "SLL2": (276, b"\x08\0se\0\0\0\1\0\1\0\2\0\0secret", 14),
}


@pytest.mark.parametrize("name", LINKS)
def test_texts_of_a_link_are_cleared(name: str) -> None:
    link_type, header, begin = LINKS[name]
    tape = Tape()
    for packet in conversation().tape.packets:
        tape.add(header + packet[4][begin:], link_type=link_type)
    copy = masked(tape.packets)
    assert left(tape) and left(copy) == set()
    assert told(copy) == told(tape)


def test_every_tunnel_has_its_row() -> None:
    shown = [shown for _, shown in (*AROUND_FRAMES.values(), *AROUND_PACKETS.values()) if shown]
    assert {one.split()[0] for one in shown} - {"pppoe", "vlan"} <= TUNNELS.keys()


@pytest.mark.parametrize("size", [24, 64, 200])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("name", ["geneve", "vxlan", "teredo", "gtp-u"])
def test_a_tunnel_in_fragments(name: str, order: int, size: int) -> None:
    """Its copy holds the same, its checksums are right, and what comes again is the same."""
    header, is_frame = FULL[name]
    talk = Talk(is_ipv6=name == "teredo").open()
    talk.client(request("/it", f"X-Note: {TEXT.decode()}"))
    talk.server(response("200 OK", "Transfer-Encoding: chunked"), chunk(TEXT), chunk(b""))
    talk.close()
    whole = tunnelled(header, is_frame=is_frame, talk=talk).packets
    tape = Tape()
    for number, packet in enumerate(whole):
        found = in_fragments(packet[4], size, number)
        for frame in (*found, found[0])[::order]:
            tape.add(frame)
    copy = masked(tape.packets)
    assert left(tape) and left(copy) == set()
    assert told(copy) == told(tape)
    assert {one.record for one in tape.records()} >= {"request", "response", "chunk"}


@pytest.mark.parametrize("name", [*AROUND_FRAMES, *AROUND_PACKETS])
def test_headers_that_a_snaplen_cuts(name: str) -> None:
    """At each of their bytes."""
    header, _ = (AROUND_FRAMES if name in AROUND_FRAMES else AROUND_PACKETS)[name]
    whole = tunnelled(header, is_frame=name in AROUND_FRAMES).packets
    shortest = min(len(packet[4]) for packet in whole)
    for size in range(14, shortest):
        tape = Tape()
        tape.packets = [(*packet[:4], packet[4][:size]) for packet in whole[:4]]
        assert told(masked(tape.packets)) == told(tape), size


@pytest.mark.parametrize("name", FULL)
def test_texts_that_a_snaplen_cuts_are_cleared(name: str) -> None:
    header, is_frame = FULL[name]
    whole = tunnelled(header, is_frame=is_frame, talk=conversation(is_ipv6=name == "teredo"))
    first = whole.packets[0]
    for size in range(14, len(first[4])):
        tape = Tape()
        tape.packets = [(*first[:4], first[4][:size])]
        copy = masked(tape.packets)
        assert left(copy) == set()
        assert told(copy) == told(tape), size


@pytest.mark.parametrize("size", [62, 75, 79, 83])
def test_extensions_of_ipv6_that_a_snaplen_cuts(size: int) -> None:
    frame = bytes(Ether() / IPv6(nh=60) / Raw(b"\x3c\x01\1\x0c" + TEXT[:12] + b"\6\1" + TEXT[:14]))
    tape = Tape()
    tape.add(frame)
    tape.packets = [(*packet[:4], packet[4][:size]) for packet in tape.packets]
    copy = masked(tape.packets)
    assert left(copy) == set()
    assert told(copy) == told(tape)
