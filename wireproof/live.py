"""Records of packets as they arrive: a recorder and a decoder, tied together.

    with LiveDecoding(port=8000, keep="api.pcapng") as live:
        for records in live.batches():
            show(records)

Strategy: the recorder writes into a pipe, and a thread takes its packets out of it (see
:mod:`.arrivals`); whoever iterates :meth:`LiveDecoding.batches` decodes them, in his own thread. A
batch is what came together, one packet if no more did, so nothing waits for anything. What could
not be shown is said in the stream of records itself: packets that the kernel dropped, and packets
that came faster than they were decoded.

Nothing grows with time. Connections that are over leave a bounded trace; one that is silent for
longer than a NAT would remember it (MAX_SILENCE) is ended, for its end may never have come.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from capture import CaptureError, Recorder, Statistics
from parsers.decode import PacketDecoder
from parsers.diagnostics import diagnose
from parsers.provenance import seconds
from parsers.records import ConnectionRecord, DiagnosticRecord, Record

from . import __version__
from .arrivals import Arrivals, Piece

EXPIRE_EVERY = 60 * 10**9
"""Nanoseconds, by the packets' times, between two looks for connections that are silent."""


class Recording(Protocol):
    """What is asked of a recorder: it records inside its ``with`` block, and counts."""

    @property
    def statistics(self) -> Statistics: ...

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None: ...


class OpenRecording(Protocol):
    """Makes a recorder that writes the packets of a port into a pcapng file."""

    def __call__(
        self,
        path: str | os.PathLike[str],
        /,
        *,
        port: int,
        interface: str,
        comment: str,
        version: str,
    ) -> Recording: ...


class LiveStatistics(NamedTuple):
    """How many packets there were, up to now."""

    captured: int
    """Recorded."""
    dropped: int
    """Lost by the kernel, which had no room for them: neither shown nor kept."""
    skipped: int
    """Kept, but not decoded: they came faster than that."""


class LiveDecoding:
    """Record the TCP packets of ``port`` and decode them as they arrive.

    ``keep`` is a pcapng file that gets the packets; it is whole when the block is left.
    ``keep_data=False`` leaves payloads out of the records. Entering raises what
    :class:`capture.Recorder` does, and OSError if ``keep`` cannot be written. Leaving raises
    CaptureError: PacketsDropped when everything is done and the kernel had dropped packets, others
    if the recording broke off. If the block itself raised, its exception goes on with a note.
    """

    def __init__(
        self,
        *,
        port: int,
        interface: str = "lo",
        keep: str | os.PathLike[str] | None = None,
        keep_data: bool = True,
        comment: str = "",
        record: OpenRecording = Recorder,
    ) -> None:
        self.port = port
        self.interface = interface
        self._keep = keep
        self._comment = comment
        self._record = record
        self._decoder = PacketDecoder(keep_data=keep_data)
        self._stopping = threading.Lock()
        self._has_stopped = False
        self._broken: CaptureError | None = None
        self._dropped = 0  # as far as it has been said
        self._last = 0, 0  # number and time of the last packet
        self._expired = 0  # when silent connections were last looked for

    @property
    def statistics(self) -> LiveStatistics:
        """How many packets there were; final when the block is left."""
        captured, dropped = self._recorder.statistics
        return LiveStatistics(captured, dropped, self._arrivals.skipped)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory(prefix="wireproof-"))
            self._arrivals = stack.enter_context(Arrivals(folder, self._keep))
            self._recorder = self._record(
                self._arrivals.path,
                port=self.port,
                interface=self.interface,
                comment=self._comment,
                version=__version__,
            )
            with ExitStack() as recording:
                recording.enter_context(self._recorder)
                self._arrivals.start()
                self._recording = recording.pop_all()
            self._resources = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            self._resources.close()
        if self._broken is None or self._broken is error:
            return
        if error is None:
            raise self._broken
        error.add_note(str(self._broken))

    def stop(self) -> None:
        """End the recording; :meth:`batches` still yields all that was recorded, and ends.

        For any thread, any number of times. It takes milliseconds: what was sent before is waited
        for.
        """
        with self._stopping:
            try:
                self._recording.close()
            except CaptureError as error:
                self._broken = error
            finally:
                self._arrivals.finish()

    def connection(self, number: int) -> ConnectionRecord | None:
        """Return the record of an open connection as it is by now, None if that is not open.

        For the thread that iterates :meth:`batches`.
        """
        return self._decoder.connection(number)

    def batches(self) -> Iterator[list[Record]]:
        """Yield records as their packets arrive, and when the recording has ended what that ends.

        For one thread, once. Within a batch, and from one to the next, records stand in the
        contract's order, but for the end of connections that have been silent for too long. Raises
        OSError if the packets could not be kept, CaptureError if the recording never began.
        """
        while (piece := self._take()) is not None:
            yield self._decode(piece)
        self.stop()  # it may have ended by itself; now its counts are final
        yield self._drops() + self._decoder.finish()
        yield self._decoder.report(self._arrivals.faults)

    def _take(self) -> Piece | None:
        try:
            return self._arrivals.take()
        except ValueError:  # a recording that has not even a header
            self.stop()
            if self._broken is None:
                raise
            raise self._broken from None

    def _decode(self, piece: Piece) -> list[Record]:
        records = self._notice("packets-skipped", piece.skipped)
        if piece.packets:
            number, time_ns, *_ = piece.packets[-1]
            self._last = number, time_ns or 0
            records += self._decoder.receive(piece.packets) + self._expire(time_ns or 0)
        return records + self._drops()

    def _expire(self, now_ns: int) -> list[Record]:
        if now_ns - self._expired < EXPIRE_EVERY:
            return []
        self._expired = now_ns
        return self._decoder.expire(now_ns)

    def _drops(self) -> list[Record]:
        """Say how many packets the kernel has dropped since it was said last."""
        dropped = self._recorder.statistics.dropped
        new, self._dropped = dropped - self._dropped, dropped
        return self._notice("packets-dropped", new)

    def _notice(self, code: str, count: int) -> list[Record]:
        """Return a diagnostic of packets that are not shown, by the one that came last."""
        if not count:
            return []
        number, time_ns = self._last
        time = seconds(time_ns)
        fault = diagnose(code, 0, 0, f"{count:,}")
        return [
            DiagnosticRecord(
                connection=None,
                exchange=None,
                sender=None,
                first_packet=number,
                last_packet=number,
                first_time=time,
                last_time=time,
                offset=None,
                length=None,
                severity=fault.severity,
                code=code,
                summary=fault.summary,
                reference=fault.reference,
            )
        ]
