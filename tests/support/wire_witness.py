"""A small reader of TLS, HTTP/2 and chunks: a witness of the packet with which things were whole.

It shares no code with what it is compared with. It keeps everything in memory, reads TLS 1.3 and
TLS 1.2 with AES-GCM by trying secrets until one opens a record, and knows no more of HTTP than
where content lies.
"""

from __future__ import annotations

import hmac
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from scapy.layers.inet import IP, TCP
from scapy.utils import rdpcap

MAX_LOST = 40
"""So many records may be missing before one that opens, or come before the first one."""


class Piece(NamedTuple):
    """Bytes, the packet with which they were there, and whether others are missing before them."""

    data: bytes
    packet: int
    is_after_hole: bool = False


class Element(NamedTuple):
    """What was whole with a packet: an event, a message, a frame."""

    ends: tuple[str, str]
    stream_id: int | None
    content: bytes
    packet: int


@dataclass
class Direction:
    """One side's segments by their place, and the packet that brought each first."""

    segments: dict[int, tuple[bytes, int]] = field(default_factory=dict)

    def pieces(self) -> Iterator[Piece]:
        """Its bytes in order: each segment's new ones."""
        end, packet, is_first = 0, 0, True
        for start, (data, number) in sorted(self.segments.items()):
            has_hole = start > end and not is_first
            packet = number if has_hole or is_first else max(packet, number)
            if start + len(data) > end:
                yield Piece(data[0 if is_first else max(0, end - start) :], packet, has_hole)
            end, is_first = max(end, start + len(data)), False


def directions(path: Path) -> dict[tuple[str, str], Direction]:
    """Every direction of a capture file, by its two ends."""
    found: dict[tuple[str, str], Direction] = {}
    for number, packet in enumerate(rdpcap(str(path)), 1):
        if TCP not in packet:
            continue
        ip, tcp = packet[IP], packet[TCP]
        size = ip.len - ip.ihl * 4 - tcp.dataofs * 4
        ends = f"{ip.src}:{tcp.sport}", f"{ip.dst}:{tcp.dport}"
        if size:
            direction = found.setdefault(ends, Direction())
            direction.segments.setdefault(tcp.seq, (bytes(tcp.payload)[:size], number))
    return found


# --- TLS ---

SUITES = [(SHA256(), 16, AESGCM), (SHA384(), 32, AESGCM), (SHA256(), 32, ChaCha20Poly1305)]


class Sealed13:
    """One direction's key of TLS 1.3 (RFC 8446 section 5.2)."""

    def __init__(self, secret: bytes, suite: int) -> None:
        self._secret, self._suite = secret, suite
        self._hash, size, aead = SUITES[suite]
        self._aead, self._iv = aead(self._expand("key", size)), self._expand("iv", 12)

    def _expand(self, label: str, size: int) -> bytes:
        name = b"tls13 " + label.encode()
        info = size.to_bytes(2) + bytes([len(name)]) + name + b"\0"
        return HKDFExpand(self._hash, size, info).derive(self._secret)

    def updated(self) -> Sealed13:
        return Sealed13(self._expand("traffic upd", len(self._secret)), self._suite)

    def open(self, number: int, record: bytes) -> tuple[int, bytes]:
        nonce = (int.from_bytes(self._iv) ^ number).to_bytes(12)
        inner = self._aead.decrypt(nonce, record[5:], record[:5]).rstrip(b"\0")
        return inner[-1], inner[:-1]


class Sealed12:
    """One direction's key of TLS 1.2 with AES-GCM (RFC 5288)."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._aead, self._salt = AESGCM(key), salt

    def updated(self) -> Sealed12:
        return self

    def open(self, number: int, record: bytes) -> tuple[int, bytes]:
        above = number.to_bytes(8) + record[:3] + (len(record) - 29).to_bytes(2)
        return record[0], self._aead.decrypt(self._salt + record[5:13], record[13:], above)


def prf(digest: str, secret: bytes, seed: bytes, size: int) -> bytes:
    """RFC 5246 section 5."""
    found, step = b"", seed
    while len(found) < size:
        step = hmac.digest(secret, step, digest)
        found += hmac.digest(secret, step + seed, digest)
    return found[:size]


def keys_of(
    lines: list[list[str]], hellos: tuple[bytes, bytes], is_server: bool
) -> list[Sealed13 | Sealed12]:
    """Every key that may open records of one direction; ``hellos`` are randoms, or empty."""
    label = "SERVER_TRAFFIC_SECRET_0" if is_server else "CLIENT_TRAFFIC_SECRET_0"
    found: list[Sealed13 | Sealed12] = []
    for name, random, secret in lines:
        if name == label:
            size = len(secret) // 2
            found += [
                Sealed13(bytes.fromhex(secret), suite)
                for suite, (algorithm, _, _) in enumerate(SUITES)
                if algorithm.digest_size == size
            ]
        if name == "CLIENT_RANDOM" and bytes.fromhex(random) == hellos[0]:
            for digest, size in (("sha256", 16), ("sha384", 32)):
                seed = b"key expansion" + hellos[1] + hellos[0]
                block = prf(digest, bytes.fromhex(secret), seed, 2 * size + 8)
                key = block[size * is_server :][:size]
                found.append(Sealed12(key, block[2 * size + 4 * is_server :][:4]))
    return found


def tls_records(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Whole records, and the packet that brought the last byte of each."""
    waiting, is_after_hole = b"", False
    for data, packet, has_hole in pieces:
        waiting = data if has_hole else waiting + data
        is_after_hole |= has_hole
        while len(waiting) >= 5 and len(waiting) >= (size := 5 + int.from_bytes(waiting[3:5])):
            yield Piece(waiting[:size], packet, is_after_hole)
            waiting, is_after_hole = waiting[size:], False


def random_of(records: list[Piece], kind: int) -> bytes:
    """The random of a hello (RFC 8446 section 4.1.2), empty if there is none."""
    hellos = [one.data[11:43] for one in records if one.data[0] == 22 and one.data[5] == kind]
    return hellos[0] if hellos else b""


def opened(records: list[Piece], keys: list[Sealed13 | Sealed12]) -> Iterator[Piece]:
    """The application data of one direction; a record that no key opens is left out."""
    key, number, is_after_hole = None, 0, False
    for record, packet, has_hole in records:
        is_after_hole |= has_hole
        for candidate in keys if key is None else [key, key.updated()]:
            start = number if candidate is key else 0
            for step in range(MAX_LOST if key else 2 * MAX_LOST + 40):
                try:
                    kind, content = candidate.open(start + step, record)
                except (InvalidTag, ValueError, OverflowError):
                    continue
                key, number = candidate, start + step + 1
                break
            else:
                continue
            if kind == 23 and content:
                yield Piece(content, packet, is_after_hole)
                is_after_hole = False
            break


# --- HTTP ---


BEFORE_FRAMES = re.compile(rb"\A(HTTP/1.1 101 .*?\r\n\r\n|PRI .*?SM\r\n\r\n)", re.DOTALL)


def frames(pieces: Iterator[Piece]) -> Iterator[tuple[int, Piece]]:
    """DATA frames that are whole, without padding (RFC 9113 section 6.1), by stream."""
    waiting = b""
    for data, packet, has_hole in pieces:
        waiting = data if has_hole else waiting + data
        waiting = BEFORE_FRAMES.sub(b"", waiting)
        while len(waiting) >= 9 and len(waiting) >= (size := 9 + int.from_bytes(waiting[:3])):
            if waiting[3] == 0:
                yield int.from_bytes(waiting[5:9]), Piece(waiting[9:size], packet)
            waiting = waiting[size:]


def chunks(pieces: Iterator[Piece]) -> Iterator[tuple[None, Piece]]:
    """The content of HTTP/1.1's chunks (RFC 9112 section 7.1), byte by byte."""
    waiting = b""
    for data, packet, _ in pieces:
        for byte in data:
            waiting += bytes((byte,))
            if waiting.endswith(b"\r\n\r\n") and waiting.startswith(b"HTTP/1.1 "):
                waiting = b""
            found = re.fullmatch(rb"([0-9a-fA-F]+)\r\n(.*)\r\n", waiting, re.DOTALL)
            if found and len(found[2]) == int(found[1], 16):
                yield None, Piece(found[2], packet)
                waiting = b""


# --- what content is made of: a decoder takes what waits, returns one element's size or 0 ---


SSE_LINE = re.compile(rb"(data|event|id|retry)?:")


def sse_size(waiting: bytes) -> int:
    return waiting.find(b"\n\n") + 2 if b"\n\n" in waiting else 0


def grpc_size(waiting: bytes) -> int:
    size = 5 + int.from_bytes(waiting[1:5])
    return size if 5 <= size <= len(waiting) else 0


def websocket_size(waiting: bytes) -> int:
    if len(waiting) < 4:
        return 2 if len(waiting) >= 2 and waiting[1] == 0 else 0
    length, at = waiting[1] & 127, 2
    if length == 126:
        length, at = int.from_bytes(waiting[2:4]), 4
    size = at + (4 if waiting[1] & 128 else 0) + length
    return size if size <= len(waiting) else 0


def elements(
    path: Path, keylog: Path | None, size_of: Callable[[bytes], int] = sse_size
) -> list[Element]:
    """Every element of a capture's streams, and the packet that completed it."""
    text = keylog.read_text() if keylog is not None else ""
    lines = [row for row in map(str.split, text.splitlines()) if len(row) == 3 and row[0] != "#"]
    found: list[Element] = []
    by_ends = directions(path)
    for ends, direction in by_ends.items():
        pieces = list(direction.pieces())
        if pieces[0].data[0] in (20, 21, 22, 23) and pieces[0].data[1] == 3:
            records = list(tls_records(iter(pieces)))
            other = by_ends.get(ends[::-1], Direction())
            both = records + list(tls_records(other.pieces()))
            hellos = random_of(both, 1), random_of(both, 2)
            is_server = bool(random_of(records, 2)) or (
                not hellos[0] and int(ends[0].rpartition(":")[2]) < int(ends[1].rpartition(":")[2])
            )
            pieces = list(opened(records, keys_of(lines, hellos, is_server)))
        is_http1 = bool(pieces) and re.match(rb"HTTP/1.1 200|GET ", pieces[0].data) is not None
        content = chunks(iter(pieces)) if is_http1 else frames(iter(pieces))
        found += _cut(ends, content, size_of)
    return found


def _cut(
    ends: tuple[str, str],
    content: Iterator[tuple[int | None, Piece]],
    size_of: Callable[[bytes], int],
) -> Iterator[Element]:
    waiting: dict[int | None, bytes] = {}
    coded: dict[int | None, Any] = {}
    last: dict[int | None, int] = {}
    for stream_id, piece in content:
        data = piece.data
        if stream_id not in waiting and data.startswith(b"\x1f\x8b"):
            coded[stream_id] = zlib.decompressobj(31)
        if stream_id in coded:
            data = coded[stream_id].decompress(data)
        waiting[stream_id] = waiting.get(stream_id, b"") + data
        while size := size_of(waiting[stream_id]):
            yield Element(ends, stream_id, waiting[stream_id][:size], piece.packet)
            waiting[stream_id] = waiting[stream_id][size:]
        last[stream_id] = piece.packet
    for stream_id, rest in waiting.items():
        if SSE_LINE.match(rest):  # the end came amid an event
            yield Element(ends, stream_id, rest, last[stream_id])
