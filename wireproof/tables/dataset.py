"""A data set: the tables of many captures as Parquet files, in a folder or in an object store.

    DIR/exchanges/web1-3f2a....parquet     a file for each table of each part that has rows
    DIR/manifest/web1-3f2a....json         what the part has of which captures, written last

Strategy: a part is whole in a data set when its manifest is there, and only files that a manifest
names count. So many may write at once, nobody waits, and whatever breaks off is done again. A
capture is done again too when it is another one by size and time, or is to hold something else:
then the part that has it is written again without it first, and that part's manifest says which one
it replaces. What is written depends on the captures and on what they are to hold, and on nothing
else.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import msgspec

from .files import Capture
from .kinds import Kind
from .parts import (
    FORMAT,
    MANIFESTS,
    Done,
    Made,
    Part,
    Stamp,
    Unreadable,
    grouped,
    made_of,
    name_of,
    part_of,
    read_from,
    reason,
    stamp_of,
)
from .reading import Opened, TableOptions, Tables
from .rows import GROUP_ROWS
from .stores import place_of
from .writing import PartFiles


class Plan(NamedTuple):
    """What is to be done."""

    done: list[Done]
    """Captures that are there already, and those that are nowhere to be found."""
    parts: list[list[Capture]]
    """The captures of each part that is to be made."""
    sizes: list[int]
    """Bytes of their files, of each part."""


class DataSet:
    """A data set in a folder, or at a URL that fsspec opens."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/") or place
        self._files = place_of(self.place)
        self._known: dict[str, Part] = {}

    def make(self, capture: Capture, options: TableOptions) -> Done:
        """Write the tables of a capture as a part of its own, unless that is there. Raises as
        :meth:`make_part` does, and ValueError for a part of another version.

        Other parts are not looked at, so that it costs the same however many there are: whoever
        makes a data set file by file does so for years.
        """
        stamp = _found(capture)
        if isinstance(stamp, str):
            return Done(capture.name, None, error=stamp)
        name = name_of([capture.name], options.host)
        path = f"{MANIFESTS}/{name}.json"
        for _, data in self._files.contents([path]):
            part = _decoded(name, data)
            if part.is_current(options) and part.captures[0].stamp == stamp:
                return Done(capture.name, part.captures[0], is_new=False)
            self._remove(name, part)
        [done] = self.make_part([capture], options)
        return done

    def plan(self, captures: Sequence[Capture], options: TableOptions) -> Plan:
        """Return what of captures is there and what is to be made, and in which parts.

        What is there and out of date is removed. Raises OSError, and ValueError for a data set of
        another version.
        """
        wanted = {capture.name: _found(capture) for capture in captures}
        current = self._current(wanted, options)
        done = [Done(name, made, is_new=False) for name, made in current.items()]
        sized = []
        for capture in captures:
            found = wanted[capture.name]
            if isinstance(found, str):
                done.append(Done(capture.name, None, error=found))
            else:
                sized.append((capture, sum(size for size, _ in found)))
        parts, size_of = list(_parts(sized, current)), {one.name: size for one, size in sized}
        return Plan(done, parts, [sum(size_of[one.name] for one in part) for part in parts])

    def _current(self, wanted: Mapping[str, Stamp | str], options: TableOptions) -> dict[str, Made]:
        """Return which captures are there as they are wanted; remove those that are otherwise."""
        current: dict[str, Made] = {}
        found = dict(self._manifests())
        for name in _replaced(found):
            self._remove(name, found.pop(name))
        for name, part in found.items():
            if part.host != options.host:
                continue  # captures of another host, whatever they are called
            is_current = part.is_current(options)
            old = set()
            for made in part.captures:
                stamp = wanted.get(made.capture, "not asked for")
                if is_current and stamp == made.stamp and made.capture not in current:
                    current[made.capture] = made
                elif not isinstance(stamp, str):
                    old.add(made.capture)
            if old:
                self._drop(name, part, old)
        return current

    def make_part(self, captures: Sequence[Capture], options: TableOptions) -> list[Done]:
        """Write the tables of captures as a part, and return what became of each.

        Raises OSError for what cannot be written; a capture that cannot be read is told in what is
        returned, and left out.
        """
        name = name_of([capture.name for capture in captures], options.host)
        failed: dict[str, Done] = {}
        while True:
            left = [capture for capture in captures if capture.name not in failed]
            try:
                return [*failed.values(), *self._write(name, left, options)]
            except Unreadable as found:  # it has rows already: the others are written once more
                failed[found.done.capture] = found.done

    def _write(self, name: str, captures: Iterable[Capture], options: TableOptions) -> list[Done]:
        tables = Tables(options)
        with PartFiles(self._files, name) as files:
            done = [self._add(capture, tables, files) for capture in captures]
            for kind, batch in tables.finish():
                files.write(kind, batch)
            made = [one.made for one in done if one.made is not None]
            files.describe(interface for one in made for interface in one.interfaces)
        if made:
            self.put(name, part_of(made, options))
        return done

    def _add(self, capture: Capture, tables: Tables, files: PartFiles) -> Done:
        try:
            stamp, opened = stamp_of(capture), Opened(capture, tables.options)
        except (OSError, ValueError) as error:
            return Done(capture.name, None, error=reason(error))
        with opened:
            for kind, batch in read_from(capture, tables.add(opened)):
                files.write(kind, batch)
        return Done(capture.name, made_of(tables.facts, stamp))

    def put(self, name: str, part: Part) -> None:
        """Write a manifest: from then on the part counts."""
        with ExitStack() as stack:
            stream = self._files.create(f"{MANIFESTS}/{name}.json", stack)
            stream.write(msgspec.json.encode(part) + b"\n")
        self._known.pop(name, None)

    def _drop(self, name: str, part: Part, captures: Collection[str]) -> None:
        """Remove captures from a part: by a part with the rest, if there is any."""
        rest = [made for made in part.captures if made.capture not in captures]
        if rest:
            new = name_of([made.capture for made in rest], part.host)
            with PartFiles(self._files, new) as files:
                for kind in part.kinds:
                    for batch in self._without(kind, name, captures):
                        files.write(kind, batch)
                files.describe(interface for one in rest for interface in one.interfaces)
            self.put(new, msgspec.structs.replace(part, captures=rest, replaces=name))
        self._remove(name, part)

    def _without(self, kind: Kind, name: str, captures: Collection[str]) -> Iterator[Any]:
        """Yield the rows of a part but for those of some captures, as record batches."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        left_out = pa.array(sorted(captures), pa.string())
        with ExitStack() as stack:
            file = pq.ParquetFile(self._files.open(f"{kind}/{name}.parquet", stack))
            for batch in file.iter_batches(GROUP_ROWS):
                kept = batch.filter(pc.invert(pc.is_in(batch["capture"], left_out)))
                if kept.num_rows:
                    yield kept

    def _remove(self, name: str, part: Part) -> None:
        self._files.remove(f"{MANIFESTS}/{name}.json")
        self._known.pop(name, None)
        for kind in part.kinds:
            self._files.remove(f"{kind}/{name}.parquet")

    def _manifests(self) -> dict[str, Part]:
        """Return what every manifest says, by its name. Only new ones are read."""
        names = self._files.names(MANIFESTS, ".json")
        new = [f"{MANIFESTS}/{name}.json" for name in names if name not in self._known]
        for path, data in self._files.contents(new):
            name = path.removeprefix(f"{MANIFESTS}/").removesuffix(".json")
            self._known[name] = _decoded(name, data)
        self._known = {name: self._known[name] for name in names if name in self._known}
        return self._known

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Yield the parts, with the name that their files have.

        Raises OSError, and ValueError for what is no data set of this format.
        """
        found = self._manifests()
        if not found:
            raise ValueError("no data set of wireproof export: it has no manifest/*.json")
        replaced = _replaced(found)
        return ((name, part) for name, part in found.items() if name not in replaced)

    def files(self) -> dict[Kind, list[str]]:
        """Return the files of each table, those that count: paths, or URLs. Raises as before."""
        found: dict[Kind, list[str]] = {}
        for name, part in self.parts():
            for kind in part.kinds:
                found.setdefault(kind, []).append(f"{self.place}/{kind}/{name}.parquet")
        return found

    def captures(self) -> Iterator[Made]:
        """Yield what there is of each capture. Raises as before."""
        for _, part in self.parts():
            yield from part.captures


def _found(capture: Capture) -> Stamp | str:
    """Return what a capture is known again by, or why it cannot be read."""
    try:
        return stamp_of(capture)
    except OSError as error:
        return reason(error)


def _parts(
    captures: Sequence[tuple[Capture, int]], current: Container[str]
) -> Iterator[list[Capture]]:
    """Yield the captures of each part, of captures with their sizes.

    A part of which nothing is there is what it would be if there were none. What is left of others
    is put together anew.
    """
    sizes = {capture.name: size for capture, size in captures}
    left = []
    for group in grouped(captures):
        rest = [(one, sizes[one.name]) for one in group if one.name not in current]
        if len(rest) == len(group):
            yield group
        else:
            left += rest
    yield from grouped(left)


def _replaced(parts: Mapping[str, Part]) -> set[str]:
    """Return the parts of which others have the rest: a process ended before it removed them."""
    return {part.replaces for part in parts.values() if part.replaces in parts}


def _decoded(name: str, data: bytes) -> Part:
    try:
        found = msgspec.json.decode(data, type=Part)
    except msgspec.MsgspecError:
        found = None
    if found is None or found.format != FORMAT:
        raise ValueError(f"{MANIFESTS}/{name}.json is none of this version of wireproof")
    return found
