"""The Parquet files of a part of a data set, and how their columns are written.

Strategy: packets, offsets and times grow from row to row, so they are written as differences
(DELTA_BINARY_PACKED) or byte by byte (BYTE_STREAM_SPLIT), which takes a third of the room and no
more time; words of a short list are a dictionary. A dictionary of what hardly repeats is tried in
vain for each column. Snappy presses the rest: zstd saves a third more, for a third of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from functools import cache
from hashlib import sha256
from typing import Any, BinaryIO, cast

import msgspec

from .. import __version__
from .kinds import KINDS, Kind, schema
from .parts import Files, Written
from .stores import Place

COMPRESSION = "snappy"
UNLIKE = frozenset(("data", "masking_key", "sha256", "id", "summary", "numbers", "grpc_message"))
"""Columns of text that hardly repeat from row to row."""


class PartFiles:
    """Files that are there when all of them are whole: one for each table that has rows."""

    def __init__(self, place: Place, name: str) -> None:
        self._place = place
        self._name = name
        self._stack = ExitStack()
        self._writers: dict[Kind, _Writer] = {}

    def __enter__(self) -> PartFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        """Leave nothing of what broke off, not even after Ctrl-C, when other outputs are kept."""
        self._stack.__exit__(kind and _BrokenOff, *rest)

    @property
    def written(self) -> Files:
        """Each file as it was written, once all are there; in order, whichever was begun first."""
        return {kind: self._writers[kind].written for kind in KINDS if kind in self._writers}

    def write(self, kind: Kind, batch: Any) -> None:
        """Write a record batch of a table, as a row group. Raises OSError."""
        if kind not in self._writers:
            stream = self._place.create(f"{kind}/{self._name}.parquet", self._stack)
            self._writers[kind] = self._stack.enter_context(_Writer(kind, stream))
        self._writers[kind].write(batch)

    def describe(self, interfaces: Iterable[Mapping[str, Any]]) -> None:
        """Put beside the rows what their packets were recorded on, and end the files."""
        different = {msgspec.json.encode(one): one for one in interfaces}
        for writer in self._writers.values():
            writer.describe({"part": self._name, "interfaces": list(different.values())})


class _BrokenOff(BaseException):
    """What outputs are told of every end but the right one."""


class _Summed:
    """Counts and digests what is written to a stream: as much of one as pyarrow asks for."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = 0
        self._digest = sha256()

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self._size += len(data)
        return self._stream.write(data)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        self._stream.flush()

    def written(self) -> Written:
        return Written(self._size, self._digest.hexdigest())


class _Writer:
    """Writes a file; what breaks off is never ended as one."""

    written: Written
    """What was written, once it is whole."""

    def __init__(self, kind: Kind, stream: BinaryIO) -> None:
        import pyarrow.parquet as pq

        self._kind = kind
        self._stream = _Summed(stream)
        target = cast(BinaryIO, self._stream)
        self._writer = pq.ParquetWriter(target, schema(kind), **settings(kind))

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._writer.close()
            self.written = self._stream.written()
        else:
            self._writer.is_open = False  # what failed is given up: no one closes it later

    def write(self, batch: Any) -> None:
        self._writer.write_batch(batch, row_group_size=batch.num_rows)

    def describe(self, facts: Mapping[str, Any]) -> None:
        told = {"version": __version__, "kind": self._kind, **facts}
        encoded = {
            f"wireproof.{name}": value if isinstance(value, str) else msgspec.json.encode(value)
            for name, value in told.items()
        }
        self._writer.add_key_value_metadata(encoded)


@cache
def settings(kind: Kind) -> dict[str, Any]:
    """Return how the columns of a table are written."""
    import pyarrow as pa

    found = schema(kind)
    encodings = {
        pa.int64(): "DELTA_BINARY_PACKED",
        pa.timestamp("us", tz="UTC"): "DELTA_BINARY_PACKED",
        pa.float64(): "BYTE_STREAM_SPLIT",
    }
    return {
        "compression": COMPRESSION,
        "column_encoding": {
            one.name: encodings[one.type] for one in found if one.type in encodings
        },
        "use_dictionary": [
            one.name for one in found if one.type == pa.string() and one.name not in UNLIKE
        ],
    }
