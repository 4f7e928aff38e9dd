"""Long captures, made while they are read, and what decoding them costs.

    def download(pieces: int) -> Iterator[bytes]:
        flood = Flood()
        yield from flood.open()
        yield from flood.server(b"x" * 1_448 for _ in range(pieces))

    cost = decoding(download(1_000))

Nothing of such a capture stands in memory but the piece that is read.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from struct import Struct
from time import process_time
from typing import NamedTuple

from parsers.decode.capture import decode_batches
from parsers.decode.packets import BATCH
from parsers.records import DiagnosticRecord, Record

from .capture_files import Blocks
from .frames import ACK, FIN, PSH, SYN
from .talk import EPOCH_NS, Side

SEGMENT = 1_448
"""What a segment carries over Ethernet with TCP's timestamps."""

# Ethernet's addresses and type; IPv4 without options; ports, sequence numbers, offset and flags,
# window, checksum and urgent pointer of TCP.
HEADERS = Struct("!12sH BBHHHBBH4s4s HHIIHHHH")
BLOCK = Struct("<IIIIIII")


class Flood:
    """One connection. Segments of one side go out in rows; the other side acknowledges each row."""

    def __init__(self, client_port: int = 40_000, *, address: int = 1) -> None:
        self._addresses: dict[Side, bytes] = {
            "client": (0x7F00_0001 + address).to_bytes(4),
            "server": bytes([127, 0, 0, 1]),
        }
        self._ports: dict[Side, int] = {"client": client_port, "server": 8_000}
        self._seq: dict[Side, int] = {"client": 1_000, "server": 5_000}

    def open(self) -> Iterator[bytes]:
        yield self.segment("client", flags=SYN)
        yield self.segment("server", flags=SYN | ACK)
        yield self.segment("client")

    def client(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        return self.send("client", pieces)

    def server(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        return self.send("server", pieces)

    def send(self, sender: Side, pieces: Iterable[bytes]) -> Iterator[bytes]:
        receiver: Side = "server" if sender == "client" else "client"
        for index, piece in enumerate(pieces):
            yield self.segment(sender, piece, PSH | ACK)
            if index % 16 == 15:
                yield self.segment(receiver)

    def close(self) -> Iterator[bytes]:
        yield self.segment("server", flags=FIN | ACK)
        yield self.segment("client", flags=FIN | ACK)
        yield self.segment("server")

    def lose(self, sender: Side, size: int) -> None:
        """``size`` bytes are sent that the capture lacks."""
        self._seq[sender] = (self._seq[sender] + size) & 0xFFFFFFFF

    def segment(self, sender: Side, payload: bytes = b"", flags: int = ACK) -> bytes:
        """The next segment as an Ethernet frame."""
        receiver: Side = "server" if sender == "client" else "client"
        seq = self._seq[sender]
        self._seq[sender] = (seq + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF
        return (
            HEADERS.pack(
                bytes(12), 0x0800,
                0x45, 0, 40 + len(payload), 0, 0x4000, 64, 6, 0,
                self._addresses[sender], self._addresses[receiver],
                self._ports[sender], self._ports[receiver],
                seq, self._seq[receiver] if flags & ACK else 0,
                0x5000 | flags, 65_000, 0, 0,
            )
            + payload
        )  # fmt: skip


def cut(data: Iterable[bytes], size: int = SEGMENT) -> Iterator[bytes]:
    """Cut a stream that comes in pieces into pieces of ``size``."""
    rest = b""
    for piece in data:
        rest += piece
        whole = len(rest) - len(rest) % size
        for start in range(0, whole, size):
            yield rest[start : start + size]
        rest = rest[whole:]
    if rest:
        yield rest


class CaptureStream:
    """A pcapng file of Ethernet frames a millisecond apart, which are made as it is read."""

    def __init__(self, frames: Iterable[bytes]) -> None:
        self._pieces = self._file(frames)
        self._rest = b""

    def read(self, size: int) -> bytes:
        found = [self._rest]
        missing = size - len(self._rest)
        while missing > 0 and (piece := next(self._pieces, b"")):
            found.append(piece)
            missing -= len(piece)
        data = b"".join(found)
        self._rest = data[size:]
        return data[:size]

    @staticmethod
    def _file(frames: Iterable[bytes]) -> Iterator[bytes]:
        blocks = Blocks()
        yield blocks.section() + blocks.interface()
        for index, frame in enumerate(frames):
            high, low = divmod((EPOCH_NS // 1_000) + index * 1_000, 1 << 32)
            padded = -len(frame) % 4
            length = 32 + len(frame) + padded
            head = BLOCK.pack(6, length, 0, high, low, len(frame), len(frame))
            yield head + frame + bytes(padded) + length.to_bytes(4, "little")


class Outcome(NamedTuple):
    """What came of a capture, without its records, which may be many."""

    kinds: Counter[str]
    """How many records of each kind there were."""
    codes: Counter[str]
    """How many diagnostics of each code."""
    last: dict[str, Record]
    """The last record of each kind."""
    peak: int
    """The most bytes that were allocated at one time."""


def records(
    frames: Iterable[bytes], *, keep_data: bool = True, batch: int = BATCH
) -> Iterator[Record]:
    """Decode a capture of these frames."""
    stream = CaptureStream(frames)
    return chain.from_iterable(decode_batches(stream, keep_data=keep_data, batch=batch))


def decoding(frames: Iterable[bytes], *, keep_data: bool = True, batch: int = BATCH) -> Outcome:
    """Decode a capture, look at each record and let it go; measure the memory meanwhile."""
    kinds: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    last: dict[str, Record] = {}
    gc.freeze()  # how often a full look for cycles comes depends on all that other tests left
    gc.collect()
    tracemalloc.start()
    try:
        for record in records(frames, keep_data=keep_data, batch=batch):
            kinds[record.record] += 1
            last[record.record] = record
            if isinstance(record, DiagnosticRecord):
                codes[record.code] += 1
        return Outcome(kinds, codes, last, tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
        gc.unfreeze()


LINEAR = 10
"""Four times as much takes four times as long if it is linear, sixteen times if it is square. This
lies between, with room for a machine that does something else meanwhile."""
TRIALS = 5


def growth_of_time(capture: Callable[[int], Iterable[bytes]], size: int) -> float:
    """Return how many times longer four times as much takes; of the trials the first linear one.

    Process time, so that another process on this machine counts little.
    """
    trials: list[float] = []
    while len(trials) < TRIALS and min(trials, default=LINEAR + 1) > LINEAR:
        trials.append(_time(capture(4 * size)) / _time(capture(size)))
    return min(trials)


def _time(frames: Iterable[bytes]) -> float:
    started = process_time()
    for _ in records(frames):
        pass
    return process_time() - started
