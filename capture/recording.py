"""What every recording is: a thread that moves packets to a file, and the wishes of others.

Strategy: the thread owns the source of the packets, the file and the drain barrier (see ``drain``).
Others ask it for two things only, by numbers under one condition: to drain, and to stop. It waits
for the source or for a wish, takes what there is, and looks whether the barrier has come.
It neither dissects nor decides anything, but for looking at TCP's flags.

A subclass says where packets come from: ``_open`` opens that and has ``_poller`` watch it,
``_begin`` lets packets in when the file is there, and ``_take`` writes what has come.
"""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypedDict

from .connections import OpenConnections
from .drain import DrainBarrier
from .errors import CaptureError, PacketsDropped, Statistics
from .filters import check_ports
from .frames import LINKTYPE_ETHERNET, RawPacket, as_ethernet
from .output import Keeper, Limits, Output, Source, TakeSecrets
from .polling import READABLE, Poller, Wakeup

DRAIN_TIMEOUT = 10.0
"""Seconds after which a drain barrier that does not come is an error: it takes milliseconds."""
TRY_AGAIN = 1.0
"""Seconds between two tries to write, where a disk is full or fails."""


class RecordingOptions(TypedDict, total=False):
    """What a :class:`Recording` of any kind takes beside its file and its ports."""

    comment: str
    version: str
    limits: Limits
    stream: BinaryIO | None
    secrets: TakeSecrets


class Recording(ABC):
    """Record the TCP packets of ``port`` into a new pcapng file at ``path``.

    ``port`` is one, several, or None for all TCP. The recording is on from the first line of
    its ``with`` block to the last. ``version`` is put after wireproof's name, and ``comment``
    beside it, in the file's header. The file can be read by its owner alone, as dumpcap's, for
    a recording holds whatever was sent. With ``limits`` it is a ring of files, named after
    ``path``. ``stream`` gets the bytes instead of a file, and is closed at the end. ``secrets``
    returns what is new of a key log, which is written among the packets.

    A ``keeper`` looks after the ring. With one a disk that is full or fails is waited for: no
    packet is taken from the source meanwhile, which drops what it has no room for, and counts it.

    Entering raises CaptureNotPermitted, InterfaceUnusable, OSError as ``open`` does for the
    file, or ValueError for a port that there cannot be. Leaving raises PacketsDropped when the
    file is complete and packets had been dropped, and CaptureError if the recording broke off.
    If the block itself raised, its exception goes on with a note.
    """

    _drain_poll = 0.25
    """Seconds between two looks whether markers are overdue, while some are under way."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        port: int | Sequence[int] | None,
        comment: str = "",
        version: str = "",
        limits: Limits = Limits(),  # noqa: B008  # it cannot change
        stream: BinaryIO | None = None,
        secrets: TakeSecrets = bytes,
        keeper: Keeper | None = None,
    ) -> None:
        self.path = Path(path)
        self._keeper = keeper
        self._held: OSError | None = None  # why nothing can be written
        self._limits = limits
        self._stream = stream
        self._secrets = secrets
        self.ports = _ports(port)
        self._comment = comment
        self._version = version
        self._connections = OpenConnections()
        self._output: Output | None = None
        self._barrier: DrainBarrier
        self._poller: Poller
        self._wakeup: Wakeup
        self._link_type = LINKTYPE_ETHERNET
        self._changed = threading.Condition()
        self._asked = 0  # times that someone wants to drain
        self._begun = 0  # up to which of these the barrier is being waited for
        self._reached = 0  # and up to which it has come
        self._drain_due = 0.0
        self._stopping = False
        self._ended = False
        self._fault: Exception | None = None
        self._tell: Callable[[str], object] = lambda _: None

    @property
    def statistics(self) -> Statistics:
        """How many packets have been recorded and dropped; final when the block is left."""
        return self._output.statistics if self._output else Statistics(0, 0)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._poller = Poller()
            stack.callback(self._poller.close)
            source = self._open(stack)
            self._link_type = source.link_type
            self._wakeup = Wakeup()
            stack.callback(self._wakeup.close)
            self._poller.watch(self._wakeup.fileno(), READABLE)
            self._output = Output(
                self.path,
                source,
                version=self._version,
                comment=self._comment,
                limits=self._limits,
                stream=self._stream,
                secrets=self._secrets,
                keeper=self._keeper,
            )
            stack.callback(self._output.close)
            self._begin()
            # The thread closes what it uses, even if whoever waits for it is interrupted.
            resources = stack.pop_all()
        self._thread = threading.Thread(
            target=self._run, args=(resources, self._output), name=f"record {self.path.name}"
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ask(stop=True)
        self._thread.join()
        broken = self._broken()
        if broken is None:
            return
        if error is None:
            raise broken from self._fault
        error.add_note(f"{self.path}: {broken}")

    def drain(self) -> None:
        """Wait until everything sent before this call is in the file.

        Raises CaptureError if the recording broke off.
        """
        wanted = self._ask()
        with self._changed:
            self._changed.wait_for(lambda: self._reached >= wanted or self._ended)
        self._check()

    def wait_closed(self, timeout: float) -> bool:
        """Wait until every connection seen so far has closed, at most ``timeout`` seconds.

        A connection is closed when each side has acknowledged the other's FIN, or after a RST.
        Returns whether all are; also when there was none at all, so call it when the exchange is
        known to have begun. Raises CaptureError if the recording broke off.
        """
        deadline = time.monotonic() + timeout
        self.drain()
        with self._changed:
            self._changed.wait_for(
                lambda: not self._connections.count or self._ended,
                max(deadline - time.monotonic(), 0),
            )
        self._check()
        return not self._connections.count

    def tell_end(self, tell: Callable[[str], object]) -> None:
        """Have ``tell`` called, once and in any thread, with why the recording breaks off, at once
        when it does; it may have already."""
        with self._changed:
            self._tell = tell
            has_ended = self._ended
        if has_ended and self._fault is not None:
            tell(str(self._break_off(self._fault)))

    # --- where packets come from ---

    @abstractmethod
    def _open(self, stack: ExitStack) -> Source:
        """Open the source, which lets nothing in yet, and have ``_poller`` watch it.

        Sets ``_barrier``; ``stack`` closes all of it.
        """

    @abstractmethod
    def _begin(self) -> None:
        """Let packets in: when this returns, none is missed any more."""

    @abstractmethod
    def _take(self, descriptor: int, happened: int) -> None:
        """Take what is ready at a socket that is watched, and give packets to ``_write``.

        ``happened`` is what the poller tells of it.
        """

    # --- wishes ---

    def _ask(self, *, stop: bool = False) -> int:
        """Ask the thread to drain, and then to stop; return the number of this wish."""
        with self._changed:
            self._asked += 1
            self._stopping = stop  # after the wish: the thread must not stop before it has drained
            if not self._ended:
                self._wakeup.notify()
            return self._asked

    def _check(self) -> None:
        if self._fault is not None:
            raise self._break_off(self._fault) from self._fault

    def _broken(self) -> CaptureError | None:
        """Return why the file is not whole, or None if it is."""
        if self._fault is not None:
            return self._break_off(self._fault)
        return PacketsDropped(self.statistics) if self.statistics.dropped else None

    def _break_off(self, fault: Exception) -> CaptureError:
        captured = self.statistics.captured
        return CaptureError(f"the recording broke off after {captured:,} packets: {fault}")

    # --- the thread ---

    def _run(self, resources: ExitStack, output: Output) -> None:
        with resources:
            try:
                self._settle()
                self._record_to_the_end(output)
            except Exception as fault:
                self._fault = fault
            finally:
                with self._changed:
                    self._ended = True
                    tell = self._tell
                    self._changed.notify_all()
                if self._fault is not None:
                    tell(str(self._break_off(self._fault)))

    def _record_to_the_end(self, output: Output) -> None:
        try:
            self._record(output)
        finally:
            self._end()
            output.add_dropped(self._take_dropped())
            output.finish()

    def _record(self, output: Output) -> None:
        """Move packets from the source to the file until the barrier that leaving asks for."""
        while not (self._stopping and self._reached == self._asked):
            if self._held is None:
                self._take_all(self._patience(output))
            elif self._stopping:
                raise self._held
            else:
                self._wakeup.wait(TRY_AGAIN)
                self._wakeup.clear()
            output.add_dropped(self._take_dropped())
            self._attempt(output.flush)
            if self._held is not None:
                continue
            with self._changed:
                self._changed.notify_all()
            self._seek_barrier()

    def _patience(self, output: Output) -> float | None:
        """Return how long to wait for packets, in seconds; None for as long as it takes."""
        if self._reached < self._begun:
            return self._drain_poll
        return None if output.due is None else max(output.due - time.monotonic(), 0)

    def _take_all(self, patience: float | None) -> None:
        """Take what is ready, and what wakes this thread."""
        for descriptor, happened in self._poller.poll(patience):
            if descriptor == self._wakeup.fileno():
                self._wakeup.clear()
            else:
                self._take(descriptor, happened)

    def _attempt(self, write: Callable[[], object]) -> None:
        """Write; with a keeper what cannot be written now is held, and tried again later."""
        try:
            write()
        except OSError as fault:
            if self._keeper is None:
                raise
            if self._held is None:
                self._keeper.held(fault.strerror or str(fault))
            self._held = fault
            return
        if self._held is not None and self._keeper is not None:
            self._held = None
            self._keeper.goes_on()

    def _settle(self) -> None:  # noqa: B027  # most sources hold no right of ours
        """Give up, in the thread, the rights that opening the source took."""

    def _end(self) -> None:  # noqa: B027  # most sources need not be told
        """Stop the source."""

    def _take_dropped(self) -> int:
        """Return how many packets the source dropped since last asked."""
        return 0

    def _write(self, packets: list[RawPacket]) -> None:
        """Write packets, and keep watch over what is open."""
        assert self._output is not None
        self._connections.receive_packets(as_ethernet(packets, self._link_type))
        self._attempt(partial(self._output.write, packets))

    def _seek_barrier(self) -> None:
        """Begin to wait for the barrier when asked, and say so when it has come."""
        if self._begun < (asked := self._asked):
            self._barrier.begin()
            self._begun = asked
            self._drain_due = time.monotonic() + DRAIN_TIMEOUT
        if self._reached == self._begun:
            return
        if self._barrier.arrived():
            with self._changed:
                self._reached = self._begun
                self._changed.notify_all()
        elif time.monotonic() > self._drain_due:
            raise CaptureError(f"the last packets did not arrive within {DRAIN_TIMEOUT} s")


def _ports(port: int | Sequence[int] | None) -> tuple[int, ...]:
    if port is None:
        return ()
    ports = (port,) if isinstance(port, int) else tuple(port)
    check_ports(ports)
    return ports
