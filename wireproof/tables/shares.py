"""A large capture by several workers: each decodes a share of its connections, others join them.

    shares/web1-3f2a....0-of-2     the records of every second connection, until they are joined

Strategy: a share is every Nth connection: its worker reads all packets, and looks into those of its
own connections alone. It writes their records, with their places in the
order of the whole, into a file of the data set, which every worker can reach. Who joins reads one
batch of each share at a time, puts it in order, and goes on as if it had decoded that: so the data
set is the same, byte for byte, and memory holds a batch of each. Tables of records are joined by
one worker, those of exchanges and verdicts by another: judges have to see all connections, for a
client that comes back does so on a new one, and a proxy asks on another.

Judges have to see what is masked in the tables, so a share holds all of it. Hence each is encrypted
with a key that lies nowhere and goes to the workers alone: what a run leaves behind that broke off
tells nobody anything.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from secrets import token_bytes
from struct import Struct
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import msgspec
import pyarrow as pa
from parsers.records import Record

from ..tasks.jobs import in_order
from .dataset import DataSet
from .files import Capture
from .kinds import KINDS, Kind, Origin
from .parts import (
    SHARES,
    Done,
    Files,
    Stamp,
    Unreadable,
    made_of,
    name_of,
    part_of,
    read_from,
    reason,
    stamp_of,
)
from .reading import OF_RECORDS, Facts, Opened, TableOptions, Tables
from .stores import place_of
from .writing import PartFiles

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

GROUPS: tuple[tuple[Kind, ...], ...] = (OF_RECORDS, ("exchanges", "verdicts"), ("packets",))
"""Tables that are made together: each group costs about what decoding does."""
HEAD = Struct("=QQ12s")
"""What stands before each batch: its length in bytes, encrypted and as it was, and its nonce."""
KEY = 32
"""Bytes of a key."""
CODEC = "lz4_raw"


class _Batch(msgspec.Struct, array_like=True):
    places: list[int]
    """The place of each record in the order of the whole."""
    records: list[Record]


ENCODER = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[_Batch] = msgspec.msgpack.Decoder(_Batch)


class Told(NamedTuple):
    """What a share says of its capture beside the records; a :class:`.reading.Source`."""

    capture: Capture
    origin: Origin
    interfaces: list[dict[str, Any]]
    stamp: Stamp


class Share(NamedTuple):
    """Every Nth connection of a capture; what belongs to none is the first one's."""

    place: str
    """The data set."""
    capture: Capture
    options: TableOptions
    number: int
    """From 0."""
    of: int
    key: bytes
    """What all shares of the capture are encrypted with (AES-GCM, NIST SP 800-38D)."""

    @property
    def name(self) -> str:
        """Of the part that it is of."""
        return name_of([self.capture.name], self.options.host)

    @property
    def path(self) -> str:
        return f"{SHARES}/{self.name}.{self.number}-of-{self.of}"

    def decode(self) -> Told | Done:
        """Write the records of the share: what a worker does. Raises OSError for a data set that
        cannot be written; a capture that cannot be read is told."""
        capture = self.capture
        try:
            stamp, opened = stamp_of(capture), Opened(capture, self.options)
        except (OSError, ValueError) as error:
            return Done(capture.name, None, error=reason(error))
        try:
            with opened, ExitStack() as stack:
                stream = place_of(self.place).create(self.path, stack)
                for records in read_from(capture, opened.batches(self._has)):
                    self._write(stream, _Batch(opened.order.places(records), records))
            # Only the first one asks whose the rows are: that takes reading all files once more.
            origin = Origin(capture.name, "", "") if self.number else opened.origin
        except Unreadable as found:
            return found.done
        return Told(capture, origin, opened.interfaces, stamp)

    def _has(self, connection: int | None) -> bool:
        return (connection or 0) % self.of == self.number

    def batches(self) -> Iterator[_Batch]:
        """Yield what :meth:`decode` wrote. Raises OSError."""
        with ExitStack() as stack:
            stream = place_of(self.place).open(self.path, stack)
            while head := stream.read(HEAD.size):
                length, size, nonce = HEAD.unpack(head)
                pressed = _cipher(self.key).decrypt(nonce, stream.read(length), None)
                yield DECODER.decode(pa.decompress(pressed, size, CODEC))

    def _write(self, stream: BinaryIO, batch: _Batch) -> None:
        data, nonce = ENCODER.encode(batch), token_bytes(12)
        sealed = _cipher(self.key).encrypt(nonce, pa.compress(data, CODEC, asbytes=True), None)
        stream.write(HEAD.pack(len(sealed), len(data), nonce))
        stream.write(sealed)


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # who spreads nothing has none

    return AESGCM(key)


def shares_of(place: str, capture: Capture, options: TableOptions, of: int) -> list[Share]:
    """Return so many shares of a capture, with a key of their own."""
    key = token_bytes(KEY)
    return [Share(place, capture, options, number, of, key) for number in range(of)]


def joined(shares: Sequence[Share]) -> Iterator[list[Record]]:
    """Yield the records of all shares, batch by batch as one process would decode them."""
    for parts in zip(*(share.batches() for share in shares), strict=True):
        places = list(chain.from_iterable(part.places for part in parts))
        records = list(chain.from_iterable(part.records for part in parts))
        yield [records[index] for index in in_order(places)]


def groups(kinds: Sequence[Kind]) -> list[tuple[Kind, ...]]:
    """Return which tables are made together, of those that are wanted."""
    wanted = ([kind for kind in kinds if kind in group] for group in GROUPS)
    return [tuple(group) for group in wanted if group]


class Joined(NamedTuple):
    """Tables of a capture that are written."""

    rows: Mapping[Kind, int]
    """How many each has."""
    files: Files
    faults: Mapping[str, int]


def join(shares: Sequence[Share], told: Told, kinds: tuple[Kind, ...]) -> Joined:
    """Write some tables of a capture whose shares are decoded: what a worker does. Raises
    OSError."""
    share = shares[0]
    tables = Tables(replace(share.options, kinds=kinds))
    with PartFiles(place_of(share.place), share.name) as files:
        for kind, batch in chain(tables.take(told, joined(shares)), tables.finish()):
            files.write(kind, batch)
        files.describe(told.interfaces)
    return Joined(tables.facts.rows, files.written, tables.facts.faults)


def finish(shares: Sequence[Share], told: Told, joined: Sequence[Joined]) -> Done:
    """Have a capture count whose tables are written, and remove its shares. Raises OSError."""
    first = shares[0]
    rows = dict(ChainMap(*(dict(one.rows) for one in joined)))
    files = dict(ChainMap(*(dict(one.files) for one in joined)))
    faults = dict(ChainMap(*(dict(one.faults) for one in joined)))
    counts = {kind: rows[kind] for kind in first.options.kinds if kind in rows}
    facts = Facts(told.origin, counts, told.interfaces, faults)
    written = {kind: files[kind] for kind in KINDS if kind in files}
    part = part_of([made_of(facts, told.stamp)], first.options, written)
    DataSet(first.place).put(first.name, part)
    remove(first.place, [first.name])
    return Done(first.capture.name, part.captures[0])


def remove(place: str, names: Collection[str]) -> None:
    """Remove the shares of some parts: of these, and of runs that broke off. Raises OSError."""
    files = place_of(place)
    for one in files.sizes(SHARES, ""):
        if one.rpartition(".")[0] in names:
            files.remove(f"{SHARES}/{one}")
