"""The file, or the ring of files, that a recording goes to.

Strategy: a file is opened before its first packet, for whoever started the recording to read
alone, and each flush leaves it readable up to there. What it says of itself at its end, how many
packets it has and how many are missing, needs the counts, which are therefore kept here.

With a largest size a file that would grow beyond it is ended, and another begun; with a longest
time one that is as old is ended, and another begun by the next packet. Each is whole and is read
without the others. They are named as dumpcap names its own, by number and time, and with a number
of files the oldest of ours goes when there would be one more.

With a keeper nothing is lost where a disk is full or fails: a write changes a file wholly or not at
all, what could not be written waits, and whatever raised OSError may be called again.

Secrets are written as they come, before the packets that wait; another file begins with those that
came before it, for a connection may go on in it.
"""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, cast

from .errors import Statistics
from .frames import LINKTYPE_ETHERNET, SNAPLEN, RawPacket
from .pcapng_writer import STATISTICS_SIZE, PcapngWriter, block_size

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

MAX_SECRETS = 1024 * 1024
"""Bytes of secrets that the next file of a ring begins with: those of 1,000 TLS connections."""

TakeSecrets = Callable[[], bytes]
"""Returns the lines of a key log that are new."""


NAME_PATIENCE, NAME_TRIES = 0.05, 30
"""Seconds after which it is tried whether another second has begun, which gives a file its name,
and how often: longer than a second takes."""


class Source(NamedTuple):
    """What a file says of where its packets come from."""

    interface: str
    capture_filter: str
    """In libpcap's words."""
    description: str = ""
    hardware: str = ""
    link_type: int = LINKTYPE_ETHERNET
    tells_drops: bool = True
    """Whether it is known how many packets are missing."""


class Limits(NamedTuple):
    """How large files may be, and how many there may be."""

    max_size: int | None = None
    """Bytes of one file, more only if it has a single packet, or for its secrets; None for one file
    only."""
    files: int | None = None
    """How many are kept; None for all."""
    max_time: float | None = None
    """Seconds after which a file that has packets is ended; None for no such bound."""

    @property
    def is_ring(self) -> bool:
        return self.max_size is not None or self.max_time is not None


class Keeper(Protocol):
    """Who looks after the files of a ring; asked in the recorder's thread, which must not wait."""

    def make_room(self) -> str | None:
        """Return why another file may not begin yet, None if it may."""

    def ended(self, path: Path, found: Statistics) -> None:
        """Take a file that is whole, and what it has and lacks."""

    def held(self, reason: str) -> None:
        """Take note that nothing can be written: packets wait, and are dropped once there are too
        many."""

    def goes_on(self) -> None:
        """Take note that what waited has been written."""


class Output:
    """Write packets to pcapng files, at ``path`` or named after it, or to ``stream`` instead.

    Raises OSError as ``open`` does.
    """

    def __init__(
        self,
        path: Path,
        source: Source,
        *,
        version: str = "",
        comment: str = "",
        limits: Limits = Limits(),  # noqa: B008  # it cannot change
        stream: BinaryIO | None = None,
        secrets: TakeSecrets = bytes,
        keeper: Keeper | None = None,
    ) -> None:
        self._keeper = keeper
        self._path = path
        self._given = stream
        self._take_secrets = secrets
        self._secrets = b""  # that the next file begins with
        self._source = source
        self._version = version
        self._comment = comment
        self._limits = limits
        self._is_open = False
        self._begun = 0.0
        self._ended = Statistics(0, 0)  # what the files before the open one have
        self._made: deque[Path] = deque(maxlen=limits.files or 1)  # those that may be removed
        self._number = 0
        self._captured = 0
        self._dropped = 0
        self._safe = 0  # how many of those captured the system has taken
        self._waiting: deque[RawPacket] = deque()  # of a ring: for the next file, if there is none
        self._begin()

    @property
    def statistics(self) -> Statistics:
        """How many packets have been written, and how many are missing, in all files."""
        ended = self._ended
        return Statistics(ended.captured + self._captured, ended.dropped + self._dropped)

    def add_dropped(self, count: int) -> None:
        """Take note of packets that are missing."""
        self._dropped += count

    def write(self, packets: Sequence[RawPacket]) -> None:
        """Keep packets for the next flush."""
        if not self._limits.is_ring:
            self._add(packets)
            return
        self._waiting.extend(packets)
        self._move()

    def flush(self) -> None:
        """Hand what is kept to the operating system, and what is new of secrets before it.

        A file whose time is up is ended.
        """
        self._move()
        self._add_secrets(self._take_secrets())
        if self._is_open:
            self._writer.flush()
            self._safe = self._captured
        if self.due is not None and time.monotonic() >= self.due:
            self._end()

    @property
    def due(self) -> float | None:
        """When the open file's time is up, by the monotonic clock; None if it never is."""
        if self._limits.max_time is None or not self._captured:
            return None
        return self._begun + self._limits.max_time

    def finish(self) -> None:
        """Write the last secrets and the counts, and close the file."""
        self._move()
        if self._is_open:
            self._end()

    def close(self) -> None:
        """Close the file as it is; what it could not take counts as dropped."""
        lost = self._captured - self._safe
        self._captured -= lost
        self._dropped += lost + len(self._waiting)
        self._safe = self._captured
        self._waiting.clear()
        self._stream.close()

    def _move(self) -> None:
        """Move the packets that wait to the writers of their files."""
        while self._waiting:
            if self._is_open and self._is_too_large(self._waiting[0]):
                self._end()
            if not self._is_open:
                self._begin()
            self._add((self._waiting.popleft(),))

    def _is_too_large(self, packet: RawPacket) -> bool:
        if self._limits.max_size is None or not self._captured:
            return False
        size = self._writer.size + block_size(len(packet[1])) + STATISTICS_SIZE
        return size > self._limits.max_size

    def _end(self) -> None:
        """End the open file: what it says of itself stands at its end."""
        self._add_secrets(self._take_secrets())
        self._writer.add_statistics(
            self._interface,
            start_ns=self._start_ns,
            end_ns=time.time_ns(),
            captured=self._captured,
            dropped=self._dropped if self._source.tells_drops else None,
        )
        self._stream.close()
        self._is_open = False
        found = Statistics(self._captured, self._dropped)
        self._ended = self.statistics
        self._captured = self._dropped = self._safe = 0
        if self._keeper is not None:
            self._keeper.ended(self._made[-1], found)

    def _add(self, packets: Iterable[RawPacket]) -> None:
        self._captured += self._writer.add_packets(self._interface, packets)

    def _add_secrets(self, lines: bytes) -> None:
        if not lines:
            return
        if self._is_open:
            self._writer.add_secrets(lines)
        if self._limits.is_ring:
            self._secrets = (self._secrets + lines)[-MAX_SECRETS:]

    def _begin(self) -> None:
        """Begin a file; where that fails, none is there."""
        if self._keeper is not None and (reason := self._keeper.make_room()):
            raise OSError(errno.ENOSPC, reason)
        self._stream = self._create()
        try:
            self._describe()
        except OSError:
            self._stream.close()
            if self._made:
                self._made.pop().unlink(missing_ok=True)
            raise
        self._number += 1
        self._is_open = True
        self._begun = time.monotonic()
        self._start_ns = time.time_ns()

    def _describe(self) -> None:
        """Write what a file begins with."""
        self._writer = PcapngWriter(self._stream, version=self._version, comment=self._comment)
        if self._secrets:
            self._writer.add_secrets(self._secrets)
        self._interface = self._writer.add_interface(
            self._source.interface,
            link_type=self._source.link_type,
            snaplen=SNAPLEN,
            capture_filter=self._source.capture_filter,
            description=self._source.description,
            hardware=self._source.hardware,
        )

    def _create(self) -> BinaryIO:
        if self._given is not None:
            return self._given
        path = self._path
        if self._limits.is_ring:
            path = numbered(self._path, self._number + 1)
            if self._keeper is not None:
                path = self._free(path)
            self._make_room()
        stream = create_private(path) if self._keeper is None else _create_whole(path)
        self._made.append(path)
        return stream

    def _free(self, path: Path) -> Path:
        """Return another name for a file that is there, if another second gives one.

        A recorder that was killed within this second has begun with it.
        """
        for _ in range(NAME_TRIES):
            if not path.exists():
                break
            time.sleep(NAME_PATIENCE)
            path = numbered(self._path, self._number + 1)
        return path

    def _make_room(self) -> None:
        """Remove the oldest of our files if there would be one too many."""
        while self._limits.files is not None and len(self._made) >= self._limits.files:
            self._made.popleft().unlink(missing_ok=True)  # whoever took it away may have it


def create_private(path: str | os.PathLike[str], buffering: int = -1) -> BinaryIO:
    """Return a new file that its owner alone can read; raises OSError as ``open`` does."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)  # Windows: as it is
    return os.fdopen(os.open(path, flags, 0o600), "wb", buffering)


class _WholeWrites(FileIO):
    """A file that a write changes wholly or not at all."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w")
        self._size = 0

    def write(self, data: ReadableBuffer, /) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left:
                left = left[super().write(left) :]
        except OSError:
            self.seek(self._size)
            with suppress(OSError):  # what cannot be cut off is written over
                self.truncate()
            raise
        self._size += size
        return size


def _create_whole(path: Path) -> BinaryIO:
    """Return a new file that is no other's, for its owner alone; raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return cast(BinaryIO, _WholeWrites(descriptor))


def numbered(path: Path, number: int) -> Path:
    """Return the name of a file of a ring: dumpcap's, with number and local time."""
    now = time.strftime("%Y%m%d%H%M%S")
    return path.with_name(f"{path.stem}_{number:05}_{now}{path.suffix}")
