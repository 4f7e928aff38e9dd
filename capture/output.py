"""The file, or the ring of files, that a recording goes to.

Strategy: a file is opened before its first packet, for whoever started the recording to read
alone, and each flush leaves it readable up to there. What it says of itself at its end, how many
packets it has and how many are missing, needs the counts, which are therefore kept here.

With a largest size a file that would grow beyond it is ended, and another begun: each is whole
and is read without the others. They are named as dumpcap names its own, by number and time, and
with a number of files the oldest of ours goes when there would be one more.

Secrets are written as they come, before the packets that wait; another file begins with those that
came before it, for a connection may go on in it.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from .errors import Statistics
from .frames import LINKTYPE_ETHERNET, SNAPLEN, RawPacket
from .pcapng_writer import STATISTICS_SIZE, PcapngWriter, block_size

MAX_SECRETS = 1024 * 1024
"""Bytes of secrets that the next file of a ring begins with: those of 1,000 TLS connections."""

TakeSecrets = Callable[[], bytes]
"""Returns the lines of a key log that are new."""


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
    ) -> None:
        self._path = path
        self._given = stream
        self._take_secrets = secrets
        self._secrets = b""  # that the next file begins with
        self._source = source
        self._version = version
        self._comment = comment
        self._limits = limits
        self._ended = Statistics(0, 0)  # what the files before the open one have
        self._made: deque[Path] = deque()
        self._number = 0
        self._captured = 0
        self._dropped = 0
        self._open()

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
        if self._limits.max_size is None:
            self._add(packets)
            return
        for packet in packets:
            size = self._writer.size + block_size(len(packet[1])) + STATISTICS_SIZE
            if size > self._limits.max_size and self._captured:
                self.finish()
                self._open()
            self._add((packet,))

    def flush(self) -> None:
        """Hand what is kept to the operating system, and what is new of secrets before it."""
        self._add_secrets(self._take_secrets())
        self._writer.flush()

    def finish(self) -> None:
        """Write the last secrets and the counts, and close the file."""
        self._add_secrets(self._take_secrets())
        with self._stream:
            self._writer.add_statistics(
                self._interface,
                start_ns=self._start_ns,
                end_ns=time.time_ns(),
                captured=self._captured,
                dropped=self._dropped if self._source.tells_drops else None,
            )

    def close(self) -> None:
        """Close the file as it is."""
        self._stream.close()

    def _add(self, packets: Iterable[RawPacket]) -> None:
        self._captured += self._writer.add_packets(self._interface, packets)

    def _add_secrets(self, lines: bytes) -> None:
        if not lines:
            return
        self._writer.add_secrets(lines)
        if self._limits.max_size is not None:
            self._secrets = (self._secrets + lines)[-MAX_SECRETS:]

    def _open(self) -> None:
        self._ended = self.statistics
        self._captured = self._dropped = 0
        self._number += 1
        self._stream = self._create()
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
        self._start_ns = time.time_ns()

    def _create(self) -> BinaryIO:
        if self._given is not None:
            return self._given
        path = self._path
        if self._limits.max_size is not None:
            path = numbered(path, self._number)
            self._make_room()
        stream = create_private(path)
        self._made.append(path)
        return stream

    def _make_room(self) -> None:
        """Remove the oldest of our files if there would be one too many."""
        while self._limits.files is not None and len(self._made) >= self._limits.files:
            self._made.popleft().unlink(missing_ok=True)  # whoever took it away may have it


def create_private(path: str | os.PathLike[str], buffering: int = -1) -> BinaryIO:
    """Return a new file that its owner alone can read; raises OSError as ``open`` does."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)  # Windows: as it is
    return os.fdopen(os.open(path, flags, 0o600), "wb", buffering)


def numbered(path: Path, number: int) -> Path:
    """Return the name of a file of a ring: dumpcap's, with number and local time."""
    now = time.strftime("%Y%m%d%H%M%S")
    return path.with_name(f"{path.stem}_{number:05}_{now}{path.suffix}")
