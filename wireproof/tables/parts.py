"""The parts of a data set: which captures are in one, and what its manifest says of them.

Strategy: a part is made by one process at a time, of as many captures as make files that are worth
a scan, and no more than are soon done again if that process dies. Which captures go together
follows from their order and sizes alone, so it is the same however many processes there are, and
after a run that broke off.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from parsers.limits import MAX_MEMORY

from .. import __version__
from .files import Capture, filesystem_of, is_url, naming
from .kinds import Kind
from .reading import Begun, Facts, TableOptions

T = TypeVar("T")
FORMAT = 2
"""Of the data set: another one is not read, nor added to."""
MANIFESTS = "manifest"
SHARES = "shares"
PART_CAPTURES = 250
"""Captures in one part, at most."""
PART_SIZE = 64 << 20
"""Bytes of their files, at most; a larger capture is a part of its own."""
UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")
Stamp = list[tuple[int, str]]
"""Size and time of change of each file of a capture, by which it is known again."""


class Made(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a part has of one capture."""

    capture: str
    capture_sha256: str
    host: str
    stamp: Stamp
    rows: Mapping[Kind, int]
    """How many each table has; those with none are left out."""
    interfaces: list[dict[str, Any]]
    """What its packets were recorded on."""
    faults: Mapping[str, int] = {}
    """What is wrong with its files, by codes of diagnostics: it is cut, or lacks packets."""
    begun: Sequence[Begun] = ()
    """Exchanges that go on after it: the next files leave them out, and tell what comes of them."""


class Written(msgspec.Struct, frozen=True):
    """A file as it was written."""

    size: int
    """Bytes."""
    sha256: str


Files = Mapping[Kind, Written]
"""The file of each table of a part that has rows."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest. Rows stand in the order of captures, those of each together."""

    format: int
    version: str
    """Wireproof's."""
    holds: str
    """What it was to hold: tables, payloads, masks."""
    host: str | None
    """The host that its captures were said to be from; null if that was left to them."""
    replaces: str = ""
    """The part that it has the rest of; that one counts no more."""
    captures: list[Made]
    files: Files = {}

    @property
    def kinds(self) -> list[Kind]:
        """Tables that it has rows in, and so a file of."""
        found = {kind: None for made in self.captures for kind in made.rows}
        return list(found)

    def is_current(self, options: TableOptions) -> bool:
        """Whether it is what would be made now."""
        return self.version == __version__ and self.holds == what_is_held(options)


class Done(NamedTuple):
    """What became of one capture."""

    capture: str
    made: Made | None
    """None if it cannot be read."""
    is_new: bool = True
    """Whether it was made now, and not before."""
    error: str = ""
    """Why it cannot be read."""


class Unreadable(Exception):
    """A capture that cannot be read, and not the data set that cannot be written."""

    def __init__(self, capture: str, error: OSError | ValueError) -> None:
        super().__init__(error)
        self.done = Done(capture, None, error=reason(error))


def read_from(capture: Capture, found: Iterable[T]) -> Iterator[T]:
    """Yield what is read of a capture. Raises Unreadable where that fails."""
    try:
        yield from found
    except (OSError, ValueError) as error:
        raise Unreadable(capture.name, error) from error


def reason(error: OSError | ValueError) -> str:
    """Return why something cannot be read, in words."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def made_of(facts: Facts, stamp: Stamp, begun: Sequence[Begun] = ()) -> Made:
    origin, rows, interfaces, faults = facts
    return Made(
        **origin._asdict(),
        stamp=stamp,
        rows=rows,
        interfaces=interfaces,
        faults=faults,
        begun=tuple(begun),
    )


def part_of(captures: list[Made], options: TableOptions, files: Files) -> Part:
    return Part(
        format=FORMAT,
        version=__version__,
        holds=what_is_held(options),
        host=options.host,
        captures=captures,
        files=files,
    )


def name_of(captures: Sequence[str], host: str | None) -> str:
    """Return what the files of a part are called: by its first capture, and a digest of all."""
    short = UNUSUAL.sub("_", captures[0].rpartition("/")[2])[:80]
    whole = "\n".join(captures if host is None else [*captures, f"host {host}"])
    return f"{short}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def what_is_held(options: TableOptions) -> str:
    """Return in words what tables are to hold, for a manifest."""
    payloads = "payloads" if options.keep_data else "no payloads"
    keys = "" if options.keylog is None else "; with a key log"
    room = "" if options.memory in (None, MAX_MEMORY) else f"; {options.memory:,} bytes of memory"
    return f"{', '.join(options.kinds)}; {payloads}; masked: {options.policy}{keys}{room}"


def is_data_set(source: str) -> bool:
    """Whether a source is a data set, and no capture nor folder of captures. Raises OSError."""
    if not is_url(source):
        return (Path(source) / MANIFESTS).is_dir()
    filesystem, place = filesystem_of(source)
    with naming(source):
        return bool(filesystem.isdir(f"{place.rstrip('/')}/{MANIFESTS}"))


def stamp_of(capture: Capture) -> Stamp:
    """Return size and time of change of a capture's files. Raises OSError."""
    return [_stamp(path) for path in capture.files]


def _stamp(path: str) -> tuple[int, str]:
    if not is_url(path):
        found = os.stat(path)  # noqa: PTH116  # a Path takes longer to make than to ask
        return found.st_size, str(found.st_mtime_ns)
    filesystem, place = filesystem_of(path)
    info = filesystem.info(place)
    changed = info.get("ETag") or info.get("LastModified") or info.get("created") or ""
    return int(info["size"] or 0), str(changed)


def grouped(captures: Iterable[tuple[Capture, int]]) -> Iterator[list[Capture]]:
    """Yield the captures of each part, of captures with their sizes in bytes."""
    group: list[Capture] = []
    total = 0
    for capture, size in captures:
        if group and (len(group) >= PART_CAPTURES or total + size > PART_SIZE):
            yield group
            group, total = [], 0
        group.append(capture)
        total += size
    if group:
        yield group
