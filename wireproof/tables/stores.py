"""Where a data set lies: a folder, or whatever fsspec opens. Both give the same few verbs.

Strategy: a file is there when it is whole. In a folder it is written beside its place and renamed;
a store shows an object when it is whole, so what goes there is a scratch file until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from errno import ENOENT
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol

from ..output import buffered_scratch, open_stream
from .files import filesystem_of, is_url

PIECE = 1 << 20
"""Bytes that are handed to a store at once."""
AT_ONCE = 1_000
"""Small objects that are asked for together."""
BUCKETS = frozenset(("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"))
"""Stores whose folders are buckets or containers: there is none that is made by accident."""


Refused = Callable[[str, Exception], object]
"""Who is told of a file that cannot be read, and why."""


def refuse(_: str, error: Exception) -> NoReturn:
    """Raise it: nobody else knows what to do."""
    raise error


class Place(Protocol):
    """A folder or a store; names in it are relative. Its methods raise OSError."""

    def create(self, name: str, stack: ExitStack) -> BinaryIO:
        """Return what a file is written to: it is there when ``stack`` is closed without error."""

    def open(self, name: str, stack: ExitStack) -> BinaryIO:
        """Return what a file is read from."""

    def contents(
        self, names: Iterable[str], refused: Refused = refuse
    ) -> Iterator[tuple[str, bytes]]:
        """Yield what small files hold, in order; those that are gone are left out, and so are those
        that ``refused`` is told of, which cannot be read."""

    def sizes(self, folder: str, end: str) -> dict[str, int]:
        """Return the sizes in bytes of a folder's files whose names end so, by their names without
        that end, in order."""

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes, None if it is not there."""

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""


def place_of(place: str) -> Place:
    """Return the place of a path or URL. Raises OSError for a URL that fsspec does not know."""
    return Store(place) if is_url(place) else Folder(Path(place))


class Folder:
    """On a disk."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def create(self, name: str, stack: ExitStack) -> BinaryIO:
        path = self._place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return open_stream(str(path), stack)

    def open(self, name: str, stack: ExitStack) -> BinaryIO:
        return stack.enter_context((self._place / name).open("rb"))

    def contents(
        self, names: Iterable[str], refused: Refused = refuse
    ) -> Iterator[tuple[str, bytes]]:
        for name in names:
            try:
                data = (self._place / name).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                refused(name, error)
                continue
            yield name, data

    def sizes(self, folder: str, end: str) -> dict[str, int]:
        found = sorted((self._place / folder).glob(f"[!.]*{end}"))
        sized = ((path.name.removesuffix(end), _size(path)) for path in found)
        return {name: size for name, size in sized if size is not None}

    def size(self, name: str) -> int | None:
        return _size(self._place / name)

    def remove(self, name: str) -> None:
        (self._place / name).unlink(missing_ok=True)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another process has just removed it
        return None


class Store:
    """In an object store, or anything else that has a URL."""

    def __init__(self, url: str) -> None:
        self._filesystem, self._root = filesystem_of(url)
        self._has_bucket = url.partition("://")[0] not in BUCKETS

    def create(self, name: str, stack: ExitStack) -> BinaryIO:
        self._check_bucket()
        stream = stack.enter_context(buffered_scratch())

        def put(kind: type[BaseException] | None, *_: object) -> None:
            if kind is None:
                stream.seek(0)
                self._put(name, stream)

        stack.push(put)
        return stream

    def _check_bucket(self) -> None:
        """Raise FileNotFoundError for a bucket that is not there, which its library would make."""
        if self._has_bucket:
            return
        bucket = self._root.partition("/")[0]
        if not self._filesystem.exists(bucket):
            url = self._filesystem.unstrip_protocol(bucket)
            raise FileNotFoundError(ENOENT, "there is no such bucket: create it first", url)
        self._has_bucket = True

    def _put(self, name: str, stream: BinaryIO) -> None:
        place = self._at(name)
        self._filesystem.makedirs(place.rpartition("/")[0], exist_ok=True)
        with self._filesystem.open(place, "wb") as target:
            while piece := stream.read(PIECE):
                target.write(piece)

    def open(self, name: str, stack: ExitStack) -> BinaryIO:
        found: BinaryIO = stack.enter_context(self._filesystem.open(self._at(name), "rb"))
        return found

    def contents(
        self, names: Iterable[str], refused: Refused = refuse
    ) -> Iterator[tuple[str, bytes]]:
        waiting = list(names)
        for start in range(0, len(waiting), AT_ONCE):
            some = waiting[start : start + AT_ONCE]
            places = [self._at(name) for name in some]
            # All of them together: a store takes tens of milliseconds to answer.
            found = self._filesystem.cat(places, on_error="return")
            for name, place in zip(some, places, strict=True):
                if isinstance(found[place], FileNotFoundError):
                    continue
                if isinstance(found[place], Exception):
                    refused(name, found[place])
                    continue
                yield name, found[place]

    def sizes(self, folder: str, end: str) -> dict[str, int]:
        self._filesystem.invalidate_cache(self._at(folder))
        found = self._filesystem.glob(f"{self._at(folder)}/*{end}", detail=True)
        return {
            place.rpartition("/")[2].removesuffix(end): int(found[place]["size"] or 0)
            for place in sorted(found)
        }

    def size(self, name: str) -> int | None:
        place = self._at(name)
        self._filesystem.invalidate_cache(place.rpartition("/")[0])
        return int(self._filesystem.size(place)) if self._filesystem.exists(place) else None

    def remove(self, name: str) -> None:
        place = self._at(name)
        if self._filesystem.exists(place):
            self._filesystem.rm_file(place)

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"
