"""Which files are asked for, which of them are one capture, and how they are opened.

Strategy: a name may be a file, a folder, a pattern, or a URL of anything that fsspec opens. Files
that one recorder wrote one after the other are known by their names, as dumpcap, tcpdump and
wireproof give them, and are one capture: a connection that spans them is whole. Nothing is opened
to find that out but files that tcpdump numbered round in a ring, whose order their first packets
tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from errno import EIO, ENOENT
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from parsers import CaptureReader, JoinedFiles, Part, Readable, UnreadableCapture

SUFFIX = r"\.(?:pcapng|pcap|cap|dmp|ntar)"
CODED = r"(?:\.gz|\.zst)?"
CAPTURE_NAME = re.compile(rf"[^.].*{SUFFIX}[0-9]*{CODED}", re.IGNORECASE)
"""What a capture is called, of which a folder may hold other files."""
RINGS = (
    # dumpcap -b, and wireproof capture --files: NAME_00001_20260131120000.pcapng
    re.compile(r"(?P<stem>.+)_(?P<number>[0-9]{5,9})_(?P<time>[0-9]{14})(?P<end>[^_/]*)"),
    # dumpcap -b nametimenum:2: NAME_20260131120000_00001.pcapng
    re.compile(r"(?P<stem>.+)_(?P<time>[0-9]{14})_(?P<number>[0-9]{5,9})(?P<end>[^_/]*)"),
)
# tcpdump -C: NAME.pcap, NAME.pcap1, NAME.pcap2; with -W from 0 on, round, with leading zeros
COUNTED = re.compile(
    rf"(?P<stem>.+{SUFFIX})(?P<number>[0-9]{{0,9}})(?P<end>{CODED})", re.IGNORECASE
)
DATE = re.compile(r"[-_.]?[0-9]{8}(?:[-_T]?[0-9]{4,6})?Z?\Z")
ENDINGS = re.compile(rf"{SUFFIX}[0-9]*{CODED}\Z|{CODED}\Z", re.IGNORECASE)


class File(NamedTuple):
    """One file of a recorder."""

    path: str
    missing: str = ""
    """What is missing before it: ``2 files, numbers 3 to 4``."""


class Capture(NamedTuple):
    """What is one stream of packets: a file, the files of a ring, or several of these by time."""

    name: str
    """Its path or URL; of a ring with ``*`` for what its files differ by."""
    recorders: tuple[tuple[File, ...], ...]

    @property
    def files(self) -> list[str]:
        return [file.path for recorder in self.recorders for file in recorder]

    def open(self, stack: ExitStack) -> BinaryIO | JoinedFiles:
        """Return what its packets are read from; a single file is open then. Raises OSError."""
        if len(self.files) == 1:
            return opened(self.files[0], stack)
        return JoinedFiles([[_part(file) for file in recorder] for recorder in self.recorders])


def _part(file: File) -> Part:
    return Part(file.path, partial(_open, file.path), file.missing)


def capture_of(paths: Sequence[str]) -> Capture:
    """Return files that one recorder wrote, in order, as one capture."""
    name = paths[0] if len(paths) == 1 else f"{paths[0]} ... {paths[-1]}"
    return Capture(readable(name), (tuple(map(File, paths)),))


def readable(name: str) -> str:
    """Return a name as text for tables: its bytes that are no UTF-8 are written ``\\xff``.

    >>> readable("caf\\udce9.pcap")
    'caf\\\\xe9.pcap'
    """
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def is_url(path: str) -> bool:
    return "://" in path


def opened(path: str, stack: ExitStack) -> BinaryIO:
    """Open a file or a URL for reading. Raises OSError."""
    return cast(BinaryIO, stack.enter_context(_open(path)))


def _open(path: str) -> AbstractContextManager[Readable]:
    if not is_url(path):
        return open(path, "rb")  # noqa: PTH123  # a Path takes as long to make as the rest
    filesystem, place = filesystem_of(path)
    return cast("AbstractContextManager[Readable]", closing(filesystem.open(place, "rb")))


def filesystem_of(url: str) -> tuple[Any, str]:
    """Return fsspec's file system of a URL, and the place in it. Raises OSError."""
    from fsspec.core import url_to_fs

    try:
        return cast("tuple[Any, str]", url_to_fs(url))
    except (ImportError, ValueError) as error:  # its own library is missing, or it knows none
        raise OSError(None, str(error), url) from error


def found(names: Iterable[str], *, together: bool = True, merged: bool = False) -> list[Capture]:
    """Return the captures that names stand for: files, folders, patterns, URLs.

    Files of one ring are one capture if ``together``; all are one, by time, if ``merged``. Raises
    OSError for a name that is nothing.
    """
    paths = list(dict.fromkeys(path for name in names for path in _expanded(name)))
    captures = _rings(paths) if together else [capture_of([path]) for path in paths]
    if not merged or len(captures) < 2:
        return captures
    name = " + ".join(one.name for one in captures)
    return [Capture(name, tuple(recorder for one in captures for recorder in one.recorders))]


def _expanded(name: str) -> list[str]:
    if is_url(name):
        paths = _expanded_url(name)
    elif Path(name).is_dir():
        paths = _within(name)
    elif has_magic(name) and not Path(name).exists():
        matches = sorted(glob(name, recursive=True))  # noqa: PTH207 # it may be absolute
        paths = [path for one in matches for path in _at(one)]
    elif name == "-":
        raise OSError(None, "standard input is not read here: write it to a file first", name)
    else:
        Path(name).stat()  # what is not there is said at once
        return [name]
    if not paths:
        raise FileNotFoundError(2, "no capture there", name)
    return paths


def _at(path: str) -> list[str]:
    return _within(path) if Path(path).is_dir() else [path]


def _within(folder: str) -> list[str]:
    """Return the captures in a folder, and in those in it."""
    return sorted(str(path) for path in Path(folder).rglob("*") if _is_capture(path.name))


@contextmanager
def naming(url: str) -> Iterator[None]:
    """Have errors of a store name what was asked for: some name nothing, others it alone."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        is_none = isinstance(error, FileNotFoundError)
        number = error.errno or (ENOENT if is_none else EIO)
        none = "no such file or folder" if is_none else str(error)
        raise OSError(number, error.strerror or none, url) from error


def _expanded_url(url: str) -> list[str]:
    filesystem, place = filesystem_of(url)

    def found_in(folder: str) -> list[str]:
        return [one for one in sorted(filesystem.find(folder)) if _is_capture(one)]

    with naming(url):
        if has_magic(place):
            matches = filesystem.glob(place, detail=True)
            places = [
                path
                for one in sorted(matches)
                for path in (found_in(one) if matches[one]["type"] == "directory" else [one])
            ]
        elif filesystem.isdir(place):
            places = found_in(place)
        else:
            filesystem.info(place)
            return [url]
    return [str(filesystem.unstrip_protocol(one)) for one in places]


def _is_capture(path: str) -> bool:
    return CAPTURE_NAME.fullmatch(path.rpartition("/")[2]) is not None


class _Numbered(NamedTuple):
    path: str
    number: int
    time: str
    ring: tuple[str, str]


def _rings(paths: list[str]) -> list[Capture]:
    """Return captures in the order of their first files."""
    groups: dict[tuple[str, str], list[_Numbered]] = {}
    for path in paths:
        one = _numbered(path)
        groups.setdefault(one.ring, []).append(one)
    return [capture for group in groups.values() for capture in _captures(group)]


def _numbered(path: str) -> _Numbered:
    folder, slash, name = path.rpartition("/")
    for ring in RINGS:
        if match := ring.fullmatch(name):
            key = f"{folder}{slash}{match['stem']}_*", match["end"]
            return _Numbered(path, int(match["number"]), match["time"], key)
    if match := COUNTED.fullmatch(name):
        key = f"{folder}{slash}{match['stem']}", match["end"]
        return _Numbered(path, int(match["number"] or 0), "", key)
    return _Numbered(path, 0, "", (path, ""))


def turn_of(path: str) -> tuple[str, int] | None:
    """Return whose file a path is of several that its recorder numbered, and its number; None if
    it is a file by itself.

    >>> turn_of("ring/web1_00003_20260131120000.pcapng")
    ('ring/web1_*.pcapng', 3)
    """
    one = _numbered(path)
    return None if one.ring == (path, "") else ("".join(one.ring), one.number)


def _captures(group: list[_Numbered]) -> Iterator[Capture]:
    """Yield the captures among files of the same name but for their numbers.

    A recorder that was started anew counts from 1 again: that is another ring.
    """
    if len(group) == 1:
        yield capture_of([group[0].path])
        return
    is_counted = not group[0].time
    group.sort(key=lambda one: (one.time, one.number))
    rings: list[list[_Numbered]] = [[]]
    for one in group:
        if rings[-1] and one.number <= rings[-1][-1].number:
            rings.append([])
        rings[-1].append(one)
    for ring in rings:
        files = _in_order(ring) if is_counted else ring
        yield _ring(files, is_only=len(rings) == 1)


def _ring(files: list[_Numbered], *, is_only: bool) -> Capture:
    if len(files) == 1:
        return capture_of([files[0].path])
    stem, end = files[0].ring
    name = f"{stem}*{end}" if not files[0].time else f"{stem}{end}"
    if not is_only:  # several of that name
        name = f"{name} from {files[0].time}"
    return Capture(readable(name), (tuple(_with_gaps(files)),))


def _with_gaps(files: list[_Numbered]) -> Iterator[File]:
    before = files[0].number - 1
    for file in files:
        missing = file.number - before - 1
        yield File(file.path, _missing(missing, file.number) if missing > 0 else "")
        before = file.number


def in_between(path: str, other: str) -> str | None:
    """Return what a recorder wrote after a file and before another one, in words, empty if nothing;
    None if it did not write the other one after it.

    >>> in_between("web1_00002_20260131120000.pcapng", "web1_00004_20260131120100.pcapng")
    '1 file is missing, number 3'
    """
    first, second = (RINGS[0].fullmatch(one.rpartition("/")[2]) for one in (path, other))
    if first is None or second is None or first["stem"] != second["stem"]:
        return None
    number = int(second["number"])
    count = number - int(first["number"]) - 1
    return None if count < 0 else _missing(count, number) if count else ""


def _missing(count: int, number: int) -> str:
    if count == 1:
        return f"1 file is missing, number {number - 1:,}"
    return f"{count:,} files are missing, numbers {number - count:,} to {number - 1:,}"


def _in_order(ring: list[_Numbered]) -> list[_Numbered]:
    """Return tcpdump's files as they were written: with -W it goes round, and the oldest may have
    any number. Where the times of first packets fall once, there it begins."""
    times = [_first_time(one.path) for one in ring]
    falls = [n for n in range(1, len(ring)) if (times[n] or 0) < (times[n - 1] or 0)]
    return ring[falls[0] :] + ring[: falls[0]] if len(falls) == 1 else ring


def _first_time(path: str) -> int | None:
    with ExitStack() as stack:
        try:
            first = next(iter(CaptureReader(opened(path, stack))), None)
        except UnreadableCapture:
            return None
        return None if first is None else first[1]


def host_of(capture: Capture) -> str:
    """Return what a capture's name says of where it is from: what is left of it without what
    recorders add.

    >>> host_of(capture_of(["/rings/web1_00003_20260131120000.pcapng.gz"]))
    'web1'
    """
    names = dict.fromkeys(_host(readable(recorder[0].path)) for recorder in capture.recorders)
    return "+".join(names)


def _host(path: str) -> str:
    name = path.rpartition("/")[2]
    for ring in RINGS:
        if match := ring.fullmatch(name):
            return match["stem"]
    return DATE.sub("", ENDINGS.sub("", name, count=1)) or name
