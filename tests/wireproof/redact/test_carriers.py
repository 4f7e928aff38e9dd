"""Secrets in whatever carries them: what no stream takes, and what stands beside a payload."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from scapy.layers.inet import GRE, ICMP, IP, TCP, UDP, IPOption
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw
from support.attack import request
from support.command_lines import ATTACKS
from support.frames import PSH, fragments, ipv4, udp
from support.talk import Talk, Tape

from parsers import CaptureReader
from wireproof.redact.frames import INSIDE, FrameMasks, holds_packet

Frames = list[bytes]


def _frames(*packets: Raw) -> Frames:
    return [bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / one) for one in packets]


def _ip(**fields: object) -> IP:
    return IP(src="10.0.0.1", dst="10.0.0.2", **fields)


def _two(line: bytes) -> tuple[bytes, bytes]:
    middle = len(line) - 14
    return line[:middle], line[middle:]


def _talk(*said: bytes, after: str) -> Frames:
    talk = Talk().open()
    talk.client(request("/"))
    if after == "fin":
        talk.fin("client")
    elif after == "rst":
        talk.segment("server", b"", flags=0x14)
    for data in said:
        if after == "no ack":
            talk.segment("client", data, flags=PSH)
        else:
            talk.client(data)
    return [packet[4] for packet in talk.tape.packets]


def _retransmitted(line: bytes) -> Frames:
    talk = Talk().open()
    number = talk.client(request("/", f"X-Note: {line.decode()}"))
    frames = [packet[4] for packet in talk.tape.packets]
    return [*frames, frames[number - 1]]


CARRIERS: dict[str, Callable[[bytes], Frames]] = {
    "a datagram": lambda line: [ipv4(udp(5000, 5001, line), 17)],
    "two datagrams": lambda line: [ipv4(udp(5000, 5001, part), 17) for part in _two(line)],
    "fragments of a datagram": lambda line: fragments(ipv4(udp(5000, 5001, line), 17), 24),
    "data after FIN": lambda line: _talk(line, after="fin"),
    "two segments after FIN": lambda line: _talk(*_two(line), after="fin"),
    "data after RST": lambda line: _talk(line, after="rst"),
    "two segments after RST": lambda line: _talk(*_two(line), after="rst"),
    "data without ACK": lambda line: _talk(line, after="no ack"),
    "a retransmission": _retransmitted,
    "a trailer of a usual frame": lambda line: [_talk(after="")[3] + line],
    "a trailer of a datagram": lambda line: [ipv4(udp(5000, 5001, b"x"), 17) + line],
    "a frame that is no IP": lambda line: [bytes(12) + b"\x88\xb5" + line],
    "two frames that are no IP": lambda line: [bytes(12) + b"\x88\xb5" + one for one in _two(line)],
    "IP options": lambda line: _frames(
        _ip(options=[IPOption(b"\x9e" + bytes((2 + len(line[:36]),)) + line[:36])])
        / UDP(sport=5, dport=6)
    ),
    "an ICMP quote": lambda line: _frames(
        _ip() / ICMP(type=3, code=1) / _ip() / UDP(sport=5, dport=6) / Raw(line)
    ),
    "an unknown protocol of IP": lambda line: _frames(_ip(proto=253) / Raw(line)),
    "GRE": lambda line: _frames(_ip() / GRE() / _ip() / UDP(sport=5, dport=6) / Raw(line)),
    "VXLAN": lambda line: _frames(
        _ip() / UDP(dport=4789) / VXLAN(vni=1) / Ether() / _ip() / TCP(dport=80) / Raw(line)
    ),
    "a VLAN": lambda line: _frames(Dot1Q(vlan=5) / _ip() / UDP(sport=5, dport=6) / Raw(line)),
    "IPv6 in IPv4": lambda line: _frames(
        _ip() / IPv6(src="::1", dst="::2") / UDP(sport=5, dport=6) / Raw(line)
    ),
    "a segment without a handshake": lambda line: _frames(_ip() / TCP(dport=80) / Raw(line)),
    "an urgent segment": lambda line: _frames(
        _ip() / TCP(dport=80, flags="PAU", urgptr=4) / Raw(line)
    ),
}
LEAKS = [path for path in ATTACKS if path.name.startswith("l-")]
LINES = {
    "bearer": b"Authorization: Bearer %s",
    "api key": b"x=1&api_key=%s",
    "vendor": b"use sk-proj-%s",
    "password": b'{"password": "%s"}',
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_carries_a_secret(carrier: str, line: str) -> None:
    secret = sha256(f"{carrier}{line}".encode()).hexdigest()[:24].encode()
    tape = Tape()
    for frame in CARRIERS[carrier](LINES[line] % secret):
        tape.add(frame)
    masks = FrameMasks("all")
    masks.add(tape.packets)
    masks.end()
    found = [masks.masked(packet) for packet in tape.packets]
    assert [len(frame) for frame in found] == [len(packet[4]) for packet in tape.packets]
    raw = b"".join(found)
    assert b"*" in raw
    assert [at for at in range(15) if secret[at : at + 10] in raw] == []


@pytest.mark.parametrize("path", LEAKS, ids=lambda path: path.stem)
def test_captures_that_once_kept_their_secret(path: Path) -> None:
    with path.open("rb") as stream:
        packets = list(CaptureReader(stream))
    masks = FrameMasks("all")
    masks.add(packets)
    masks.end()
    raw = b"".join(masks.masked(packet) for packet in packets)
    secret = b"1234567890abcdefSECRETfedcba0987654321"
    assert any(secret[:12] in packet[4] for packet in packets)
    assert [at for at in range(len(secret) - 9) if secret[at : at + 10] in raw] == []


def test_the_checksum_of_a_header_with_options_is_set() -> None:
    tape = Tape()
    tape.add(CARRIERS["IP options"](b"api_key=abcdefghijklmnop")[0])
    masks = FrameMasks("all")
    masks.add(tape.packets)
    masks.end()
    frame = Ether(masks.masked(tape.packets[0]))
    found = frame[IP].chksum
    del frame[IP].chksum
    assert found == Ether(bytes(frame))[IP].chksum


HIDDEN: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda text: text,
    "UTF-16": lambda text: text.decode().encode("utf-16-le"),
    "base64": b64encode,
    "gzip": gzip.compress,
}


@pytest.mark.parametrize("hidden", HIDDEN)
def test_other_bytes_that_are_sent_again(hidden: str) -> None:
    """In the place of some that came, at once, and behind a hole that is never filled."""
    secret = sha256(hidden.encode()).hexdigest()[:24].encode()
    said = HIDDEN[hidden](b'{"password": "%s"}' % secret)
    for is_behind_hole in (False, True):
        talk = Talk().open()
        if is_behind_hole:
            talk.client(request("/", "Content-Length: 9999"))
            talk.lose("client", 100)
        usual = talk.frame("client", request("/", f"X-Note: {'a' * 300}")[: len(said)])
        talk.tape.add(usual)
        talk.tape.add(usual[: -len(said)] + said)
        masks = FrameMasks("all")
        masks.add(talk.tape.packets)
        masks.end()
        assert masks.masked(talk.tape.packets[-2])[-len(said) :] == usual[-len(said) :]
        assert said[10:40] not in masks.masked(talk.tape.packets[-1])


@pytest.mark.parametrize("line", LINES)
def test_fragments_in_any_order(line: str) -> None:
    secret = sha256(line.encode()).hexdigest()[:24].encode()
    whole = fragments(ipv4(udp(5000, 5001, LINES[line] % secret), 17), 8)
    for found in (whole[::-1], whole[1:] + whole[:1], whole[::2] + whole[1::2]):
        tape = Tape()
        for frame in found:
            tape.add(frame)
        masks = FrameMasks("all")
        masks.add(tape.packets)
        masks.end()
        joined = {packet[4]: masks.masked(packet)[34:] for packet in tape.packets}
        text = b"".join(joined[frame] for frame in whole)
        assert [at for at in range(15) if secret[at : at + 10] in text] == []


def test_a_datagram_in_gzip() -> None:
    tape = Tape()
    secret, other = (
        gzip.compress(b'{"%s": "abcdefgh1234"}' % name) for name in (b"password", b"n")
    )
    for data in (secret, other):
        tape.add(ipv4(udp(5000, 12201, data), 17))
    masks = FrameMasks("all")
    masks.add(tape.packets)
    masks.end()
    assert masks.masked(tape.packets[0])[42:] == b"*" * len(secret)
    assert masks.masked(tape.packets[1])[42:] == other


SNAP = b"\xaa\xaa\x03\x00\x00\x00\x08\x00"
UNDECODED: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "802.11": (105, lambda packet: b"\x08\x02" + bytes(22) + SNAP + packet),
    "802.11 behind radiotap": (127, lambda packet: b"\0\0\x08" + bytes(29) + SNAP + packet),
    "Frame Relay": (107, lambda packet: b"\x18\x41\x03\xcc" + packet),
    "a user's link type": (147, lambda packet: packet),
    "NSH": (1, lambda packet: bytes(12) + b"\x89\x4f" + bytes(24) + packet),
    "CAPWAP": (1, lambda packet: ipv4(udp(5247, 5247, bytes(8) + packet), 17)),
}


@pytest.mark.parametrize("name", UNDECODED)
@pytest.mark.parametrize("version", [4, 6])
def test_packets_behind_headers_that_are_not_decoded_are_told(name: str, version: int) -> None:
    """A value may go on in the next one of them."""
    link_type, wrap = UNDECODED[name]
    source = _ip() if version == 4 else IPv6(src="::1", dst="::2")
    tape = Tape()
    for part in _two(b'{"password": "Zq7vLw9xKt3nPb5s"}'):
        frame = wrap(bytes(source / TCP(dport=80) / Raw(part)))
        tape.packets.append((len(tape.packets) + 1, 0, link_type, len(frame), frame))
    masks = FrameMasks("all")
    masks.add(tape.packets)
    masks.end()
    assert masks.not_looked_into[INSIDE] == 2


def test_what_holds_no_packet() -> None:
    packet = bytes(_ip() / UDP(sport=5, dport=6) / Raw(bytes(20)))
    assert holds_packet(packet) and holds_packet(bytes(40) + packet + bytes(4))
    for other in (b"", packet[:30], packet[1:], packet + bytes(40), bytes(200) + packet):
        assert not holds_packet(other)


@pytest.mark.parametrize(
    "text",
    [
        "Token: a unit of text. A token is about four characters of English.",
        "Cookie policy: strictly necessary cookies cannot be turned off.",
        "Signature required on delivery: yes",
        "[notice] session 81231 closed: idle timeout",
        "public function login(string $email, string $password): bool",
    ],
)
def test_prose_in_a_datagram_stays(text: str) -> None:
    tape = Tape()
    tape.add(ipv4(udp(5000, 5001, text.encode()), 17))
    masks = FrameMasks("all")
    masks.add(tape.packets)
    masks.end()
    assert masks.changed == set()
