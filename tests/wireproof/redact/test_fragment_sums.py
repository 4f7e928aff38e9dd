"""Checksums of what came in fragments fit what was masked: the copy decodes as the capture did."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest
from support.attack import request, response
from support.frames import ipv4, ipv6, udp
from support.summed import all_with_checksums, in_fragments, put_together, with_checksums
from support.talk import Talk, Tape, decoded, without_packets
from support.tunnels import GRE, UDP, VXLAN, around, outer, outer6

from parsers.files.packets import Packet
from wireproof.cli import run
from wireproof.redact import Redactor, fragment_sums
from wireproof.redact.frames import FrameMasks

SECRET = "mWCtwmmPfxW6alrw5Ww8xy46"
BODY = b'{"id": "x1", "access_token": "%s", "n": 1}' % SECRET.encode()
ANSWER = response("200 OK", "Content-Type: application/json", f"Content-Length: {len(BODY)}") + BODY
Order = Callable[[list[bytes]], list[bytes]]
ORDERS: dict[str, Order] = {
    "in order": lambda parts: parts,
    "reversed": lambda parts: parts[::-1],
    "the first last": lambda parts: parts[1:] + parts[:1],
    "mixed": lambda parts: Random(3).sample(parts, len(parts)),
    "each twice": lambda parts: [part for part in parts for _ in range(2)],
    "twice": lambda parts: parts * 2,
    "the first once more": lambda parts: parts + parts[:1],
}


def masked(packets: Sequence[Packet]) -> list[Packet]:
    masks = FrameMasks("all")
    masks.add(packets)
    masks.end()
    assert masks.needs_sums
    masks.sum_up(packets)
    assert masks.sums.given_up == 0
    return [(*packet[:4], masks.masked(packet)) for packet in packets]


def in_vxlan(frame: bytes) -> bytes:
    return around(outer() / UDP(dport=4789) / VXLAN(vni=4), frame)


def in_vxlan6(frame: bytes) -> bytes:
    return around(outer6() / UDP(dport=4789) / VXLAN(vni=4), frame)


def in_gre(frame: bytes) -> bytes:
    return around(
        outer() / GRE(proto=int.from_bytes(frame[12:14], "big"), chksum_present=1), frame[14:]
    )


def in_ip(frame: bytes) -> bytes:
    header = outer()
    header.payload.proto = 4
    return around(header, frame[14:])


AROUND: dict[str, Callable[[bytes], bytes]] = {
    "no tunnel": lambda frame: frame,
    "VXLAN": in_vxlan,
    "VXLAN over IPv6": in_vxlan6,
    "GRE": in_gre,
    "IP in IP": in_ip,
}


def talk_in_fragments(
    size: int, order: Order, *, is_ipv6: bool = False, tunnel: str = "no tunnel", where: str = "in"
) -> list[Packet]:
    """A request, and its answer in fragments: inside of a tunnel (``in``), or with it (``of``)."""
    talk = Talk(is_ipv6=is_ipv6).open()
    talk.client(request("/"))
    answer = with_checksums(talk.frame("server", ANSWER))
    wrap, tape = AROUND[tunnel], Tape()
    for packet in all_with_checksums(talk.tape.packets):
        tape.add(wrap(packet[4]))
    if where == "in":
        parts = [wrap(part) for part in in_fragments(answer, size)]
    else:
        parts = in_fragments(wrap(answer), size)
    for part in order(parts):
        tape.add(part)
    return tape.packets


def assert_the_same_but_for_masks(packets: Sequence[Packet]) -> None:
    before, after = decoded(packets), decoded(masked(packets))
    assert BODY.decode() in [getattr(record, "data", None) for record in before]
    wanted = [without_packets(record, "sha256") for record in map(Redactor("all").redact, before)]
    assert [without_packets(record, "sha256") for record in after] == wanted


@pytest.mark.parametrize("is_ipv6", [False, True])
@pytest.mark.parametrize("size", [8, 16, 24, 64, 104])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_segments_in_fragments(order: Order, size: int, is_ipv6: bool) -> None:
    assert_the_same_but_for_masks(talk_in_fragments(size, order, is_ipv6=is_ipv6))


@pytest.mark.parametrize("where", ["in", "of"])
@pytest.mark.parametrize("size", [16, 64])
@pytest.mark.parametrize("order", ["in order", "reversed", "each twice"])
@pytest.mark.parametrize("tunnel", list(AROUND)[1:])
def test_segments_in_fragments_in_tunnels(tunnel: str, order: str, size: int, where: str) -> None:
    packets = talk_in_fragments(size, ORDERS[order], tunnel=tunnel, where=where)
    assert_the_same_but_for_masks(packets)


def test_nothing_else_is_masked_when_fragments_come_reversed() -> None:
    packets = talk_in_fragments(16, ORDERS["reversed"])
    changed = put_together(packet[4] for packet in masked(packets)[4:])
    assert changed[20:] == ANSWER.replace(SECRET.encode(), b"*" * len(SECRET))


@pytest.mark.parametrize("ip", [ipv4, ipv6])
@pytest.mark.parametrize("size", [8, 24, 96])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("wrong", [0, 1, 0x8001])
def test_datagrams_in_fragments(
    order: Order, size: int, ip: Callable[..., bytes], wrong: int
) -> None:
    """What was wrong by so much stays so."""
    said = b"password=%s %s" % (SECRET.encode(), b"y" * 61)
    frame = bytearray(with_checksums(ip(udp(5000, 514, said), 17)))
    at = len(frame) - len(said) - 2
    right = int.from_bytes(frame[at : at + 2], "big")
    frame[at : at + 2] = ((right + wrong) % 0xFFFF).to_bytes(2, "big")
    parts, tape = in_fragments(bytes(frame), size), Tape()
    for part in order(parts):
        tape.add(part)
    found = masked(tape.packets)
    by_part = {before[4]: after[4] for before, after in zip(tape.packets, found, strict=True)}
    changed = put_together(by_part[part] for part in parts)
    assert changed[8:] == said.replace(SECRET.encode(), b"*" * len(SECRET))
    wanted = with_checksums(bytes(frame[: at - 6]) + changed)
    assert (
        int.from_bytes(changed[6:8], "big") - int.from_bytes(wanted[at : at + 2], "big") - wrong
    ) % 0xFFFF == 0
    assert changed[6:8] != b"\0\0"


def test_a_datagram_without_a_checksum_has_none_in_the_copy() -> None:
    frame = ipv4(udp(5000, 514, b"password=%s" % SECRET.encode()), 17)
    tape = Tape()
    for part in in_fragments(frame, 24):
        tape.add(part)
    changed = put_together(packet[4] for packet in masked(tape.packets))
    assert changed == frame[34:].replace(SECRET.encode(), b"*" * len(SECRET))


def test_extension_headers_that_are_fragmented_too() -> None:
    frame = with_checksums(ipv6(udp(5000, 514, b"password=%s" % SECRET.encode()), 17))
    tape = Tape()
    options = bytes((17, 0, 1, 4)) + bytes(4)
    length = (len(frame) - 54 + len(options)).to_bytes(2, "big")
    whole = frame[:18] + length + bytes((60,)) + frame[21:54] + options + frame[54:]
    for part in in_fragments(whole, 16):
        tape.add(part)
    changed = put_together(packet[4] for packet in masked(tape.packets))[8:]
    assert SECRET.encode() not in changed
    assert with_checksums(frame[:54] + changed)[54:] == changed


@pytest.mark.parametrize(
    ("limit", "told"), [("MAX_WAITING", "3 packets"), ("MAX_PARTS", "1 packet")]
)
def test_what_waits_is_bounded_and_told(
    limit: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(fragment_sums, limit, 1)
    tape = Tape()
    for packet in talk_in_fragments(64, ORDERS["in order"]):
        tape.add(packet[4])
    source, output = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    source.write_bytes(tape.file())
    assert run(["redact", str(source), "-o", str(output)]) == 0
    assert f"checksums not corrected: {told} in too many fragments" in capsys.readouterr().err
    assert SECRET.encode()[:8] not in output.read_bytes()


def test_nothing_is_kept_of_what_is_whole_or_given_up() -> None:
    packets = talk_in_fragments(8, ORDERS["each twice"])
    lost = [(*packet[:4], packet[4]) for packet in packets[:-3]]
    masks = FrameMasks("all")
    masks.add(lost)
    masks.end()
    masks.sum_up(lost)
    assert len(masks.sums._parts) == 1
    sums = fragment_sums.FragmentSums()
    masks.sums = sums
    masks.sum_up(packets)
    assert sums._parts == {} or sums._count == sum(map(len, sums._parts.values()))


def test_fragments_of_fragments_are_told() -> None:
    """Nobody sends them."""
    tape = Tape()
    for part in talk_in_fragments(64, ORDERS["in order"])[4:]:
        for one in in_fragments(in_ip(part[4]), 40, identification=part[0]):
            tape.add(one)
    masks = FrameMasks("all")
    masks.add(tape.packets)
    masks.end()
    masks.sum_up(tape.packets)
    assert masks.sums.given_up == 1


@pytest.mark.tshark
@pytest.mark.parametrize("tunnel", AROUND)
def test_tshark_agrees(tunnel: str, tmp_path: Path) -> None:
    wrap, tape = AROUND[tunnel], Tape()
    for number, order in enumerate(ORDERS.values()):
        talk = Talk(client_port=40_000 + number).open()
        talk.client(request("/"))
        answer = with_checksums(talk.frame("server", ANSWER))
        for packet in all_with_checksums(talk.tape.packets):
            tape.add(wrap(packet[4]))
        for part in order(in_fragments(answer, 24, identification=number + 1)):
            tape.add(wrap(part))
    source, output = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    source.write_bytes(tape.file())
    assert run(["redact", str(source), "-o", str(output)]) == 0
    fields = ["-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-T", "fields"]
    fields += [
        "-e",
        "udp.checksum.status",
        "-e",
        "tcp.checksum.status",
        "-e",
        "gre.checksum.status",
    ]
    before, after = (
        subprocess.run(
            ["tshark", "-r", str(path), *fields], capture_output=True, text=True, check=True
        ).stdout.split()
        for path in (source, output)
    )
    assert before == after and set(after) == {"1"} and len(after) > 4 * len(ORDERS)
