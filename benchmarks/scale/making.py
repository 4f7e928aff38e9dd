"""Captures of a fleet, made of the stored ones or made up; seeded, the same on every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from parsers import CaptureReader
from wireproof.arrow.rows import GROUP_ROWS
from wireproof.tables.dataset import DataSet
from wireproof.tables.parts import MANIFESTS, Made
from wireproof.tables.stores import Folder
from wireproof.tables.writing import PartFiles

from ..packets import EPOCH_NS, Packet, write
from ..workloads import (
    STEP_NS,
    bulk_connection,
    chat_connection,
    json_connection,
    overlapping,
    sse_connection,
    websocket_connection,
)

FIXTURES = Path(__file__).parents[2] / "fixtures"
MOST = 64 << 10
"""Bytes of a stored capture that counts as small, at most."""
ETHERNET = 1
HOSTS = 12
A_FOLDER = 1_000
"""Captures in one folder."""
HOUR_NS = 3_600 * 10**9
RING_FILES = 20
COPIES = 20
"""Data sets of the same captures, under other names, that a large one is made of."""
CONNECTIONS = 25
"""Connections of a ring that are open at a time."""


@cache
def small_captures() -> list[list[Packet]]:
    """Return the packets of the stored captures that are small, each from the time 0 on."""
    paths = sorted(
        path for path in FIXTURES.rglob("*.pcap*") if path.suffix in (".pcap", ".pcapng")
    )
    return [found for path in paths if path.stat().st_size <= MOST and (found := _packets(path))]


def _packets(path: Path) -> list[Packet]:
    with path.open("rb") as stream:
        try:
            found = [(time or 0, link, data) for _, time, link, _, data in CaptureReader(stream)]
        except ValueError:  # some are damaged on purpose
            return []
    if any(link != ETHERNET for _, link, _ in found):
        return []
    start = min((time for time, _, _ in found), default=0)
    return [Packet(time - start, bytes(data)) for time, _, data in found]


def make_small(folder: Path, captures: int, seed: int = 1) -> Path:
    """Write so many captures, over hosts and hours; return their folder."""
    random, known = Random(seed), small_captures()
    for number in range(captures):
        place = folder / f"{number // A_FOLDER:03}"
        place.mkdir(parents=True, exist_ok=True)
        shift = EPOCH_NS + random.randrange(24 * HOUR_NS)
        host, packets = random.randrange(HOSTS), random.choice(known)
        path = place / f"web{host}-{number:06}.pcapng"
        write(path, (Packet(time + shift, data) for time, data in packets))
    return folder


def mixture() -> Iterator[bytes]:
    """Frames without an end: event streams, chats, WebSockets, JSON and bulk."""
    kinds = (
        lambda number: sse_connection(number, 400),
        lambda number: json_connection(number, 8),
        lambda number: chat_connection(number, 300),
        lambda number: websocket_connection(number, 300),
        lambda number: bulk_connection(number, 30),
    )
    return overlapping((kinds[number % 5](number) for number in count()), CONNECTIONS)


def make_ring(folder: Path, size: int, files: int = RING_FILES) -> Path:
    """Write the files of one recorder, so many bytes in all, named as dumpcap names them."""
    folder.mkdir(parents=True, exist_ok=True)
    frames, start = mixture(), count()
    for number in range(1, files + 1):
        path = folder / f"gateway_{number:05}_202609221200{number:02}.pcapng"
        write(path, _so_much(frames, start, size // files))
    return folder


def _so_much(frames: Iterator[bytes], numbers: Iterator[int], size: int) -> Iterator[Packet]:
    left = size
    while left > 0:
        data = next(frames)
        left -= len(data) + 32
        yield Packet(EPOCH_NS + next(numbers) * STEP_NS, data)


def make_streams(folder: Path, elements: int, captures: int = 20) -> Path:
    """Write captures of event streams with so many elements in all, a chunk and an event each."""
    folder.mkdir(parents=True, exist_ok=True)
    events = 250
    connections = elements // captures // (events * 2)
    for number in range(captures):
        parts = (sse_connection(one, events) for one in range(connections))
        start = EPOCH_NS + number * HOUR_NS
        frames = overlapping(parts, CONNECTIONS)
        timed = (Packet(start + at * STEP_NS, data) for at, data in enumerate(frames))
        write(folder / f"web{number % HOSTS}-{number:03}.pcapng", timed)
    return folder


STREAMS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "events": lambda number: sse_connection(number, 400),
    "chats": lambda number: chat_connection(number, 400),
    "frames": lambda number: websocket_connection(number, 400),
}
"""Kinds of streams, of each what a connection with 400 elements of the server's is."""


def make_stream(path: Path, kind: str, connections: int) -> None:
    """Write a capture of so many connections of one kind."""
    frames = overlapping((STREAMS[kind](one) for one in range(connections)), CONNECTIONS)
    timed = (Packet(EPOCH_NS + at * STEP_NS, data) for at, data in enumerate(frames))
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, timed)


def digest(place: Path) -> str:
    """Return what a data set holds, names and bytes, in a word."""
    summed = sha256()
    for path in sorted(place.rglob("[!.]*.*")):
        summed.update(f"{path.relative_to(place)}\n".encode() + path.read_bytes())
    return summed.hexdigest()[:16]


def multiply(place: Path) -> None:
    """Put copies of a data set's parts beside them, COPIES of each in all."""
    for name, part in list(DataSet(str(place)).parts()):
        for number in range(1, COPIES):
            copy = f"{name}-{number}"
            with PartFiles(Folder(place), copy) as files:
                for kind in part.kinds:
                    file = pq.ParquetFile(place / kind / f"{name}.parquet")
                    for batch in file.iter_batches(GROUP_ROWS):
                        files.write(kind, _renamed(batch, number))
                files.describe(())
            made = [_copied(one, number) for one in part.captures]
            found = msgspec.structs.replace(part, captures=made, files=files.written)
            (place / MANIFESTS / f"{copy}.json").write_bytes(msgspec.json.encode(found))


def _renamed(batch: pa.RecordBatch, number: int) -> pa.RecordBatch:
    named = pc.binary_join_element_wise(batch["capture"], str(number), "-")
    columns = [named if name == "capture" else batch[name] for name in batch.schema.names]
    return pa.record_batch(columns, schema=batch.schema)


def _copied(made: Made, number: int) -> Made:
    return msgspec.structs.replace(made, capture=f"{made.capture}-{number}")
