"""Several capture files as one: the files of a recorder one after the other, recorders by time.

Strategy: a file is opened when its turn comes, and closed when it is over. Of each recorder one
packet waits, so that those of several come in order of time (``heapq.merge``) and memory does not
grow with what there is. Packets are numbered through, from 1. A file that the names say there was,
and that is not there, or that cannot be read, is a fault at the packet before it: what the gap
means for a stream its decoder finds by itself, from the bytes that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from heapq import merge

from msgspec import Struct

from .input import Readable
from .packets import CaptureFault, Interface, Origins, Packet, UnreadableCapture
from .reader import CaptureReader

Timed = tuple[int, CaptureReader, Packet]
"""A packet with the time that it is sorted by, in nanoseconds, and the reader that gave it."""


class Part(Struct, frozen=True, gc=False):
    """One file of a recorder."""

    name: str
    open: Callable[[], AbstractContextManager[Readable]]
    missing: str = ""
    """What is missing before it, in words: ``1 file, number 3``; empty if nothing is."""


class JoinedFiles:
    """The packets of several files, and what these say beside them: read as a CaptureReader is.

    ``recorders`` are the files of each recorder, in order. Iterate once. Raises UnreadableCapture
    while it is iterated if it is a single file that is no capture.
    """

    def __init__(self, recorders: Sequence[Sequence[Part]]) -> None:
        self.format = "pcapng"  # it may hold secrets: whether one does is known when it is read
        self.interfaces: list[Interface] = []
        self.secrets: list[tuple[int, bytes]] = []
        self.comments: list[tuple[int | None, str]] = []
        self.faults: list[CaptureFault] = []
        self._recorders = recorders
        self._is_single = sum(map(len, recorders)) == 1
        self._origins = Origins()
        self._last = 0  # number of the packet before

    def is_relay(self, packet: int) -> bool:
        """Return whether one of the last packets was recorded by a relay of ours."""
        return self._origins.is_relay(packet)

    def __iter__(self) -> Iterator[Packet]:
        found = [self._packets(parts) for parts in self._recorders]
        timed = found[0] if len(found) == 1 else merge(*found, key=lambda one: one[0])
        for _, reader, packet in timed:
            number = self._last = self._last + 1
            self._origins.add(number, reader.is_relay(packet[0]))
            yield (number, *packet[1:])

    def _packets(self, parts: Sequence[Part]) -> Iterator[Timed]:
        """Yield the packets of one recorder."""
        time = 0
        for part in parts:
            if part.missing:
                self._fault("capture-file-missing", f"{part.missing}, before {part.name}")
            with part.open() as stream:
                reader = self._reader(part, stream)
                for packet in reader or ():
                    time = packet[1] or time
                    assert reader is not None
                    self._look(reader)
                    yield time, reader, packet
                if reader is not None:
                    self._look(reader)
                    self.interfaces += reader.interfaces
                    for fault in reader.faults:
                        where = "" if fault.offset is None else f", at byte {fault.offset:,}"
                        self._fault(fault.code, f"{part.name}: {fault.detail}{where}")

    def _look(self, reader: CaptureReader) -> None:
        """Take what a file has told by now: secrets, which packets after them may need, and
        comments on the file itself; those on packets nobody asks several files for."""
        if reader.secrets:
            self.secrets += reader.secrets
            reader.secrets.clear()
        if reader.comments:
            self.comments += [one for one in reader.comments if one[0] is None]
            reader.comments.clear()

    def _reader(self, part: Part, stream: Readable) -> CaptureReader | None:
        try:
            return CaptureReader(stream)
        except UnreadableCapture as error:
            if self._is_single:
                raise
            self._fault("capture-damaged", f"{part.name}: {error}")
            return None

    def _fault(self, code: str, detail: str) -> None:
        self.faults.append(CaptureFault(code, detail, self._last, None))
