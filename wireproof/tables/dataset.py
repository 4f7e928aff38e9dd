"""A data set: the tables of many captures as Parquet files, in a folder or in an object store.

    DIR/exchanges/web1-3f2a....parquet     a file for each table of each part that has rows
    DIR/manifest/web1-3f2a....json         what the part has of which captures, written last

Strategy: a part is whole in a data set when its manifest is there, and only files that a manifest
names count. So many may write at once, nobody waits, and whatever breaks off is done again. A
capture is done again too when it is another one by size and time, or is to hold something else:
then the part that has it is written again without it first, and that part's manifest says which one
it replaces. So is a part of which a file was lost or damaged since (:mod:`.checking`); who asks
leaves it out, and says so. What is written depends on the captures and on what they are to hold,
and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import msgspec

from ..arrow.rows import GROUP_ROWS
from ..text.wording import count
from .checking import Checking, is_whole
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
from .reading import Begun, Opened, TableOptions, Tables
from .stores import Refused, place_of, refuse
from .writing import PartFiles

Say = Callable[[str], object]
Open = Callable[[Capture, TableOptions], Opened]
"""What opens a capture. Raises OSError, and ValueError for what is no capture."""
AGAIN = "export its captures again"


class NothingYet(ValueError):
    """A folder of a data set without a part that is whole."""

    def __init__(self) -> None:
        super().__init__(
            f"no data set, or nothing is in it yet: no {MANIFESTS}/*.json; export captures into it,"
            " or wait until collect has exported its first file"
        )


class Plan(NamedTuple):
    """What is to be done."""

    done: list[Done]
    """Captures that are there already, and those that are nowhere to be found."""
    parts: list[list[Capture]]
    """The captures of each part that is to be made."""
    sizes: list[int]
    """Bytes of their files, of each part."""
    notes: Sequence[str] = ()
    """What was there and does not count, for it was damaged."""


class DataSet:
    """A data set in a folder, or at a URL that fsspec opens."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/") or place
        self._files = place_of(self.place)
        self._known: dict[str, Part] = {}
        self._damaged: dict[str, str] = {}
        """Manifests that cannot be read, with the reason."""

    def make(self, capture: Capture, options: TableOptions, opened: Open = Opened) -> Done:
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
            if isinstance(part, str):
                continue  # it is made again, and written over
            is_current = part.is_current(options) and part.captures[0].stamp == stamp
            if is_current and is_whole(self._files, name, part):
                return Done(capture.name, part.captures[0], is_new=False)
            self._remove(name, part)
        [done] = self.make_part([capture], options, opened)
        return done

    def begun(self, capture: str, options: TableOptions) -> Sequence[Begun]:
        """Return the exchanges that go on after a capture, which is a part of its own. Raises
        OSError, and ValueError for a part of another version."""
        path = f"{MANIFESTS}/{name_of([capture], options.host)}.json"
        parts = (_decoded(path, data) for _, data in self._files.contents([path]))
        return [
            one
            for part in parts
            if not isinstance(part, str)
            for made in part.captures
            for one in made.begun
        ]

    def plan(
        self, captures: Sequence[Capture], options: TableOptions, *, thoroughly: bool = False
    ) -> Plan:
        """Return what of captures is there and what is to be made, and in which parts.

        What is there and out of date or damaged is removed; all files are read to see that, if
        ``thoroughly``. Raises OSError, and ValueError for a data set of another version.
        """
        wanted = {capture.name: _found(capture) for capture in captures}
        notes = self._remove_damaged(wanted, options, Checking(self._files, thoroughly=thoroughly))
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
        sizes = [sum(size_of[one.name] for one in part) for part in parts]
        return Plan(done, parts, sizes, notes)

    def _remove_damaged(
        self, wanted: dict[str, Stamp | str], options: TableOptions, checking: Checking
    ) -> list[str]:
        """Remove manifests that cannot be read, and parts whose files are not what was written, if
        all of their captures are at hand to be made again; else those that are wanted get the
        reason. Return what was removed, in words."""
        notes = []
        parts = dict(self._manifests())
        for name, why in self._damaged.items():
            notes.append(
                f"{self._at(name)} is damaged ({why}) and was removed: what it stood for does not"
                " count until it is exported again"
            )
            self._files.remove(f"{MANIFESTS}/{name}.json")
        for name in _replaced(parts):
            del parts[name]
        for name, part in parts.items():
            if part.host != options.host or not (fault := checking.fault(name, part)):
                continue
            asked = [one.capture for one in part.captures if one.capture in wanted]
            left = [one for one in part.captures if not isinstance(wanted.get(one.capture), list)]
            if not left:
                notes.append(f"{self.place}/{fault}: its captures are made again")
                self._remove(name, part)
            elif asked:
                also = f"{left[0].capture}{' and others' * (len(left) > 1)}"
                why = f"{fault}, and so is what it says of {also}, not asked for or gone: export"
                why += f" them together, or remove {self._at(name)} and give those up"
                wanted.update((one, why) for one in asked if isinstance(wanted[one], list))
        return notes

    def _at(self, name: str) -> str:
        """Return where a manifest is."""
        return f"{self.place}/{MANIFESTS}/{name}.json"

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

    def make_part(
        self,
        captures: Sequence[Capture],
        options: TableOptions,
        opened: Open = Opened,
        left_out: Iterable[Done] = (),
    ) -> list[Done]:
        """Write the tables of captures as a part, and return what became of each.

        Raises OSError for what cannot be written; a capture that cannot be read is told in what is
        returned, and left out, and so is what is known to be none (``left_out``).
        """
        name = name_of([capture.name for capture in captures], options.host)
        failed = {one.capture: one for one in left_out}
        while True:
            left = [capture for capture in captures if capture.name not in failed]
            try:
                return [*failed.values(), *self._write(name, left, options, opened)]
            except Unreadable as found:  # it has rows already: the others are written once more
                failed[found.done.capture] = found.done

    def _write(
        self, name: str, captures: Iterable[Capture], options: TableOptions, opened: Open
    ) -> list[Done]:
        tables = Tables(options)
        with PartFiles(self._files, name) as files:
            done = [self._add(capture, tables, files, opened) for capture in captures]
            for kind, batch in tables.finish():
                files.write(kind, batch)
            made = [one.made for one in done if one.made is not None]
            files.describe(interface for one in made for interface in one.interfaces)
        if made:
            self.put(name, part_of(made, options, files.written))
        return done

    def _add(self, capture: Capture, tables: Tables, files: PartFiles, opened: Open) -> Done:
        try:
            stamp, found = stamp_of(capture), opened(capture, tables.options)
        except (OSError, ValueError) as error:
            return Done(capture.name, None, error=reason(error))
        with found:
            for kind, batch in read_from(capture, tables.add(found)):
                files.write(kind, batch)
        return Done(capture.name, made_of(tables.facts, stamp, found.begun))

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
            part_of_rest = msgspec.structs.replace(
                part, captures=rest, replaces=name, files=files.written
            )
            self.put(new, part_of_rest)
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

    def _manifests(self, refused: Refused = refuse) -> dict[str, Part]:
        """Return what every manifest says that can be read, by its name. Only new ones are. Raises
        OSError for one that may not be read, unless somebody is told of it (``refused``)."""
        names = self._files.sizes(MANIFESTS, ".json")
        new = [f"{MANIFESTS}/{name}.json" for name in names if name not in self._known]
        self._damaged.clear()
        for path, data in self._files.contents(new, refused):
            name = path.removeprefix(f"{MANIFESTS}/").removesuffix(".json")
            part = _decoded(name, data)
            if isinstance(part, str):
                self._damaged[name] = part
            else:
                self._known[name] = part
        self._known = {name: self._known[name] for name in names if name in self._known}
        return self._known

    def parts(self, refused: Refused = refuse) -> Iterator[tuple[str, Part]]:
        """Yield the parts, with the name that their files have.

        ``refused`` is told of manifests that may not be read. Raises OSError, and ValueError for
        what is no data set of this format.
        """
        found = self._manifests(refused)
        if not found and not self._damaged and not self._files.sizes(MANIFESTS, ".json"):
            raise NothingYet
        replaced = _replaced(found)
        return ((name, part) for name, part in found.items() if name not in replaced)

    def files(self, say: Say | None = None, *, thoroughly: bool = False) -> dict[Kind, list[str]]:
        """Return the files of each table, those that count: paths, or URLs.

        ``say`` is told of parts that are damaged, which are left out; all files are read to see
        that, if ``thoroughly``. Raises as before, and ValueError if all are; without ``say`` if one
        is.
        """
        found: dict[Kind, list[str]] = {}
        faults: list[str] = []
        checking = Checking(self._files, thoroughly=thoroughly)

        def refused(name: str, error: Exception) -> None:
            faults.append(
                f"{self.place}/{name} cannot be read ({_why(error)}): its captures count when you"
                " may read it"
            )

        for name, part in self.parts(refused):
            if fault := checking.fault(name, part):
                faults.append(f"{self.place}/{fault}: {AGAIN}{' with --check' * thoroughly}")
                continue
            for kind in part.kinds:
                found.setdefault(kind, []).append(f"{self.place}/{kind}/{name}.parquet")
        for name, why in self._damaged.items():
            faults.append(f"{self._at(name)} is damaged ({why}): {AGAIN}")
        if faults and (say is None or not found):
            others = f" (and {count(len(faults) - 1, 'other part')})" if len(faults) > 1 else ""
            raise ValueError(f"{faults[0]}{others}")
        for fault in faults:
            assert say is not None
            say(f"left out: {fault}")
        return found

    def captures(self) -> Iterator[Made]:
        """Yield what there is of each capture, of which the manifest can be read. Raises as
        before."""
        for _, part in self.parts(lambda *_: None):
            yield from part.captures


def _why(error: Exception) -> str:
    return reason(error) if isinstance(error, (OSError, ValueError)) else str(error)


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


class _Format(msgspec.Struct):
    """What manifests of all versions say."""

    format: int


def _decoded(name: str, data: bytes) -> Part | str:
    """Return a manifest, or why it is none. Raises ValueError for one of another format."""
    try:
        said = msgspec.json.decode(data, type=_Format).format
        if said != FORMAT:
            wanted = f"this version of wireproof has {FORMAT}: export into another folder"
            raise ValueError(f"{MANIFESTS}/{name}.json is of format {said}; {wanted}")
        return msgspec.json.decode(data, type=Part)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return str(error)
