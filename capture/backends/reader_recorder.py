"""Record packets that another reads: a tool of the machine, or a library.

Strategy: a thread of its own reads packets and puts them where the recording takes them; the rest
is as with any recording. Nothing is guessed: markers (see ``drain``) are sent until they come
back; from then on packets are read, and what came before is not ours. At the end everything has
been read when the last markers have come.
"""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections import deque
from contextlib import ExitStack

from ..drain import without_markers
from ..errors import CaptureError, CaptureNotPermitted
from ..frames import RawPacket
from ..output import Source
from ..polling import READABLE, Wakeup
from ..recording import Recording

START_TIMEOUT = 10.0
"""Seconds in which a reader has begun to record: it takes a fraction of one."""
POLL = 0.05


class ReaderRecording(Recording):
    """A recording whose packets a thread reads; see :class:`Recording`.

    A subclass opens its source in ``_open_reader`` and says in ``_read_packets`` how it is read.
    Entering raises CaptureNotPermitted if nothing is recorded, with ``_complaint``.
    """

    name: str
    """What reads, for whoever is told that it does not."""

    def _open(self, stack: ExitStack) -> Source:
        self._read: deque[RawPacket] = deque()
        self._is_over = False
        self._fault_of_reader = ""
        self._ready = Wakeup()
        stack.callback(self._ready.close)
        self._poller.watch(self._ready.fileno(), READABLE)
        source = self._open_reader(stack)
        stack.callback(self._end)
        self._reader = threading.Thread(target=self._run_reader, name=f"read by {self.name}")
        self._reader.start()
        return source

    @abstractmethod
    def _open_reader(self, stack: ExitStack) -> Source:
        """Open the source and set ``_barrier``."""

    @abstractmethod
    def _read_packets(self) -> None:
        """Give packets to ``_put`` until the source ends; may raise OSError and ValueError."""

    @abstractmethod
    def _complaint(self) -> str:
        """Return why nothing is read any more."""

    def _begin(self) -> None:
        """Send markers until all have come back; what came before them is not ours."""
        until = time.monotonic() + START_TIMEOUT
        self._barrier.begin()
        while not self._barrier.arrived():
            self._ready.wait(POLL)
            self._take_read()
            if self._is_over or time.monotonic() > until:
                self._end()
                raise CaptureNotPermitted(f"{self.name} cannot record: {self._complaint()}")

    def _take(self, descriptor: int, happened: int) -> None:
        is_over = self._is_over
        self._write(self._take_read())
        if is_over:
            raise CaptureError(f"{self.name} has ended: {self._complaint()}")

    def _take_read(self) -> list[RawPacket]:
        """Return what has been read since last asked, without the markers."""
        self._ready.clear()
        packets = [self._read.popleft() for _ in range(len(self._read))]
        return without_markers(packets, self._barrier, self._link_type)

    # --- the thread ---

    def _run_reader(self) -> None:
        try:
            self._read_packets()
        except (OSError, ValueError) as fault:
            self._fault_of_reader = str(fault)
        finally:
            self._is_over = True
            self._ready.notify()

    def _put(self, packet: RawPacket) -> None:
        self._read.append(packet)
        self._ready.notify()
