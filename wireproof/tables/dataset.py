"""A data set: the tables of many captures as Parquet files, in a folder or in an object store.

    DIR/exchanges/web1-3f2a....parquet     a file for each table of each capture that has rows
    DIR/manifest/web1-3f2a....json         what was made of that capture, written last

Strategy: a capture is whole in a data set when its manifest is there, and only files that a
manifest names count. So many may write at once, nobody waits, and whatever breaks off is done
again: a file is written beside its place and renamed (a store shows an object when it is whole).
A capture is done again too when it is another one by size and time, or is to hold something else.
What is written depends on the capture and on what it is to hold, and on nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
from parsers.limits import MAX_MEMORY

from .. import __version__
from ..output import buffered_scratch, open_stream
from .files import Capture, filesystem_of, is_url
from .kinds import Kind, schema
from .reading import CaptureTables, TableOptions

FORMAT = 1
"""Of the data set: another one is not read, and what it holds is done again."""
UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")
MANIFESTS = "manifest"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest: what was made of one capture."""

    format: int
    version: str
    """Wireproof's."""
    capture: str
    capture_sha256: str
    host: str
    stamp: list[tuple[int, str]]
    """Size and time of change of each of its files, by which it is known again."""
    holds: str
    """What it was to hold: tables, payloads, masks."""
    rows: Mapping[str, int]
    """How many each table has; those with none have no file."""
    interfaces: list[dict[str, Any]]
    """What its packets were recorded on."""


class Done(NamedTuple):
    """What became of one capture."""

    capture: str
    made: Made | None
    """None if it cannot be read."""
    is_new: bool = True
    """Whether it was made now, and not before."""
    error: str = ""
    """Why it cannot be read."""


class DataSet:
    """A data set in a folder, or at a URL that fsspec opens."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/") or place
        self._store = _Store(self.place) if is_url(place) else _Folder(Path(self.place))

    def make(self, capture: Capture, options: TableOptions) -> Done:
        """Write the tables of a capture, unless they are there. Raises OSError for what cannot be
        written; a capture that cannot be read is told in what is returned."""
        key = key_of(capture.name)
        holds = what_is_held(options)
        try:
            with _unreadable():
                stamp = [stamp_of(path) for path in capture.files]
            before = self._manifest(key)
            if before is not None and _is_same(before, stamp, holds):
                return Done(capture.name, before, is_new=False)
            with _unreadable():
                tables = CaptureTables(capture, options)
            with tables:
                return Done(capture.name, self._write(key, tables, stamp, holds))
        except _Unreadable as unreadable:
            return Done(capture.name, None, error=_reason(unreadable.error))
        except _GivenUp as interrupted:
            raise KeyboardInterrupt from interrupted

    def _write(
        self, key: str, tables: CaptureTables, stamp: list[tuple[int, str]], holds: str
    ) -> Made:
        origin = tables.facts.origin
        with ExitStack() as stack:
            try:
                rows = self._write_rows(key, tables, stack)
            except KeyboardInterrupt as interrupted:
                raise _GivenUp from interrupted
        made = Made(
            format=FORMAT,
            version=__version__,
            capture=origin.capture,
            capture_sha256=origin.capture_sha256,
            host=origin.host,
            stamp=stamp,
            holds=holds,
            rows=rows,
            interfaces=list(tables.facts.interfaces),
        )
        with ExitStack() as stack:
            stream = self._store.create(f"{MANIFESTS}/{key}.json", stack)
            stream.write(msgspec.json.encode(made) + b"\n")
        return made

    def _write_rows(self, key: str, tables: CaptureTables, stack: ExitStack) -> dict[str, int]:
        rows: dict[str, int] = {}
        writers: dict[Kind, _Writer] = {}
        for kind, batch in _read(tables):
            if kind not in writers:
                stream = self._store.create(f"{kind}/{key}.parquet", stack)
                writers[kind] = stack.enter_context(_Writer(kind, stream))
            writers[kind].write(batch)
            rows[kind] = rows.get(kind, 0) + batch.num_rows
        facts = tables.facts
        for writer in writers.values():
            writer.describe({"capture": facts.origin.capture, "interfaces": facts.interfaces})
        return rows

    def _manifest(self, key: str) -> Made | None:
        data = self._store.read(f"{MANIFESTS}/{key}.json")
        try:
            return None if data is None else msgspec.json.decode(data, type=Made)
        except msgspec.MsgspecError:  # of another format
            return None

    def manifests(self) -> Iterator[tuple[str, Made]]:
        """Yield what was made of each capture, with the name that its files have.

        Raises OSError, and ValueError for what is no data set of this format.
        """
        names = self._store.names(MANIFESTS)
        if not names:
            raise ValueError("no data set of wireproof export: it has no manifest/*.json")
        for name in names:
            made = self._manifest(name)
            if made is None or made.format != FORMAT:
                raise ValueError(f"{MANIFESTS}/{name}.json is none of this version of wireproof")
            yield name, made

    def files(self) -> dict[str, list[str]]:
        """Return the files of each table, those that count: paths, or URLs. Raises as before."""
        found: dict[str, list[str]] = {}
        for name, made in self.manifests():
            for kind in made.rows:
                found.setdefault(kind, []).append(f"{self.place}/{kind}/{name}.parquet")
        return found


class _Unreadable(Exception):
    """A capture that cannot be read, and not the data set that cannot be written."""

    def __init__(self, error: OSError | ValueError) -> None:
        super().__init__(error)
        self.error = error


class _GivenUp(BaseException):
    """Ctrl-C, for outputs that otherwise keep what was done by then."""


@contextmanager
def _unreadable() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise _Unreadable(error) from error


def _read(tables: CaptureTables) -> Iterator[tuple[Kind, Any]]:
    with _unreadable():
        yield from tables


class _Writer:
    """One Parquet file; what breaks off is never ended as one."""

    def __init__(self, kind: Kind, stream: BinaryIO) -> None:
        import pyarrow.parquet as pq

        self._kind = kind
        # zstd sets up a context for each column: of small captures that is half of all time.
        self._writer = pq.ParquetWriter(stream, schema(kind), compression="snappy")

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._writer.close()
        else:
            self._writer.is_open = False  # what failed is given up: no one closes it later

    def write(self, batch: Any) -> None:
        self._writer.write_batch(batch, row_group_size=batch.num_rows)

    def describe(self, facts: Mapping[str, Any]) -> None:
        """Put what is known of the capture beside the rows."""
        told = {"version": __version__, "kind": self._kind, **facts}
        encoded = {
            f"wireproof.{name}": value if isinstance(value, str) else msgspec.json.encode(value)
            for name, value in told.items()
        }
        self._writer.add_key_value_metadata(encoded)


class _Folder:
    """A data set on a disk."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def create(self, name: str, stack: ExitStack) -> BinaryIO:
        path = self._place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return open_stream(str(path), stack)

    def read(self, name: str) -> bytes | None:
        path = self._place / name
        return path.read_bytes() if path.exists() else None

    def names(self, folder: str) -> list[str]:
        return sorted(path.stem for path in (self._place / folder).glob("[!.]*.json"))


class _Store:
    """A data set in an object store: what is written is a scratch file until it is whole."""

    def __init__(self, url: str) -> None:
        self._filesystem, self._root = filesystem_of(url)

    def create(self, name: str, stack: ExitStack) -> BinaryIO:
        stream = stack.enter_context(buffered_scratch())

        def put(kind: type[BaseException] | None, *_: object) -> None:
            if kind is None:
                stream.seek(0)
                self._put(name, stream)

        stack.push(put)
        return stream

    def _put(self, name: str, stream: BinaryIO) -> None:
        place = f"{self._root}/{name}"
        self._filesystem.makedirs(place.rpartition("/")[0], exist_ok=True)
        with self._filesystem.open(place, "wb") as target:
            while piece := stream.read(1 << 20):
                target.write(piece)

    def read(self, name: str) -> bytes | None:
        place = f"{self._root}/{name}"
        found: bytes | None = None
        if self._filesystem.exists(place):
            found = self._filesystem.cat_file(place)
        return found

    def names(self, folder: str) -> list[str]:
        places = self._filesystem.glob(f"{self._root}/{folder}/*.json")
        return sorted(place.rpartition("/")[2].removesuffix(".json") for place in places)


def key_of(name: str) -> str:
    """Return what the files of a capture are called: its own name, and a digest of all of it."""
    short = UNUSUAL.sub("_", name.rpartition("/")[2])[:80]
    return f"{short}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def what_is_held(options: TableOptions) -> str:
    """Return in words what tables are to hold, for a manifest."""
    payloads = "payloads" if options.keep_data else "no payloads"
    keys = "" if options.keylog is None else "; with a key log"
    host = "" if options.host is None else f"; host {options.host}"
    room = "" if options.memory in (None, MAX_MEMORY) else f"; {options.memory:,} bytes of memory"
    return f"{', '.join(options.kinds)}; {payloads}; masked: {options.policy}{host}{keys}{room}"


def stamp_of(path: str) -> tuple[int, str]:
    """Return size and time of change of a file. Raises OSError."""
    if not is_url(path):
        found = Path(path).stat()
        return found.st_size, str(found.st_mtime_ns)
    filesystem, place = filesystem_of(path)
    info = filesystem.info(place)
    changed = info.get("ETag") or info.get("LastModified") or info.get("created") or ""
    return int(info["size"] or 0), str(changed)


def _is_same(made: Made, stamp: Sequence[tuple[int, str]], holds: str) -> bool:
    is_current = made.format == FORMAT and made.version == __version__
    return is_current and list(made.stamp) == list(stamp) and made.holds == holds


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
