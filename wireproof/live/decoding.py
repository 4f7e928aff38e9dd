"""Packets and records as they arrive: a recorder, and what is made of it meanwhile.

    with LiveDecoding(port=8000, keep="api.pcapng") as live:
        for records in live.batches():
            show(records)

Strategy: the recorder writes into a pipe, and a thread takes its packets out of it (see
:mod:`.packet_pipe`); whoever iterates decodes them, in his own thread. A batch is what came
together, one packet if no more did, so nothing waits for anything. What is not shown is said in the
stream of records itself: packets that the kernel dropped, packets that came faster than they were
decoded, and how late the others are.

Nothing grows with time. Connections that are over leave a bounded trace; one that has been silent
for longer than a NAT would remember it is ended, for its end may never come.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from capture import CaptureError, CaptureNotPermitted, PacketsDropped
from capture.backends import Backend, Session, Wanted, choose
from capture.backends.base import LOOPBACK
from capture.frames import BUFFER_SIZE
from capture.output import TakeSecrets
from parsers import CaptureFault, CaptureKeys, Connection, KeyLog, Packet, PacketDecoder, completion
from parsers.diagnostics import diagnose
from parsers.provenance import seconds
from parsers.records import ConnectionRecord, DiagnosticRecord, Record

from .. import __version__
from ..text.wording import duration
from .packet_pipe import PacketPipe

PROMPT = ("packet-socket", "tcpdump")
"""Backends that are preferred, for they hand packets on at once; dumpcap keeps them for 0.3 s."""
EXPIRE_EVERY = 60 * 10**9
"""Nanoseconds, by the packets' times, between two looks for connections that are silent."""
LATE = 1.0
"""Seconds that packets may wait to be decoded before it is said; and again at twice as many."""


class LiveStatistics(NamedTuple):
    """How many packets there were, up to now."""

    captured: int
    """Recorded."""
    dropped: int
    """Lost by the kernel, which had no room for them: neither shown nor kept."""
    skipped: int
    """Kept, if packets are kept, but not decoded: they came faster than that."""


class LivePiece(NamedTuple):
    """Packets that came together, and what is to be said of those that are missing."""

    packets: list[Packet]
    skipped: int
    """How many came before them and had no room."""
    dropped: int
    """How many the kernel has dropped since the piece before."""
    waited: float
    """Seconds that they waited for whoever takes them."""


class LivePackets:
    """Record the TCP packets of ``port`` and hand them on as they arrive.

    ``backend`` records them, or the one of that name; by default it is the first that works here,
    dumpcap after tcpdump. ``keep`` is a pcapng file that gets the packets; it is whole when the
    block is left. ``command`` is what will be run meanwhile with :attr:`session`, if anything is.
    ``buffer_size`` is the room for packets that wait to be recorded, in bytes. ``secrets`` returns
    what is new of a key log, which the recording holds too; ``keylog`` is another one.

    Entering raises CaptureNotPermitted if no backend works, what the backend's recording raises,
    and OSError if ``keep`` cannot be written. Leaving raises CaptureError: PacketsDropped when
    everything is done and packets had been dropped, others if the recording broke off. If the block
    itself raised, its exception goes on with a note.
    """

    backend: Backend
    """What records; from entering on."""
    session: Session
    """The recording that is on, and how to start a command so that it is recorded."""

    def __init__(
        self,
        *,
        port: int,
        interface: str = LOOPBACK,
        keep: str | os.PathLike[str] | None = None,
        command: Sequence[str] = (),
        backend: Backend | str | None = None,
        buffer_size: int = BUFFER_SIZE,
        secrets: TakeSecrets = bytes,
        keylog: KeyLog | None = None,
    ) -> None:
        self._keylog = keylog
        self._wanted = Wanted(
            Path("packets"),
            port,
            interface,
            has_command=bool(command),
            comment=f"while running: {' '.join(command)}" if command else "",
            version=__version__,
            buffer_size=buffer_size,
            secrets=secrets,
        )
        self._chosen = backend
        self._keep = keep
        self._stopping = threading.Lock()
        self._broken: CaptureError | None = None
        self._dropped = 0  # as far as it has been said

    @property
    def statistics(self) -> LiveStatistics:
        """How many packets there were; final when the block is left."""
        captured, dropped = self.session.recording.statistics
        return LiveStatistics(captured, dropped, self._packet_pipe.skipped)

    def keys(self) -> CaptureKeys | None:
        """Return the keys of TLS that the recording holds and will hold, once it has packets; None
        if it gets none."""
        if self._keylog is None and self._wanted.secrets is bytes:
            return None
        return self._packet_pipe.keys(self._keylog)

    @property
    def broken(self) -> CaptureError | None:
        """Why the recording broke off, once it has and there are no more pieces; None if it did
        not. Packets that were dropped break nothing off."""
        return None if isinstance(self._broken, PacketsDropped) else self._broken

    @property
    def faults(self) -> list[CaptureFault]:
        """What is wrong with the recording as a file; complete when there are no more pieces."""
        return self._packet_pipe.faults

    def __enter__(self) -> Self:
        self.backend = self._choose()
        with ExitStack() as stack:
            self._packet_pipe = stack.enter_context(PacketPipe(self._keep))
            wanted = replace(self._wanted, stream=self._packet_pipe.stream)
            with ExitStack() as recording:
                self.session = recording.enter_context(self.backend.open(wanted))
                self._packet_pipe.start()
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
        """End the recording; all that was recorded still comes, and then no more.

        For any thread, any number of times. It takes milliseconds: what was sent before is waited
        for.
        """
        with self._stopping:
            try:
                self._recording.close()
            except CaptureError as error:
                self._broken = error
            finally:
                self._packet_pipe.finish()

    def pieces(self) -> Iterator[LivePiece]:
        """Yield packets as they arrive, until the recording has ended; the last piece has none.

        For one thread, once. Raises OSError if the packets could not be kept, CaptureError if the
        recording never began.
        """
        while (piece := self._take()) is not None:
            yield piece
        self.stop()  # it may have ended by itself; now its counts are final
        yield LivePiece([], 0, self._newly_dropped(), 0.0)

    def _choose(self) -> Backend:
        chosen = self._chosen
        if isinstance(chosen, Backend):
            return chosen
        if chosen is None:
            with suppress(CaptureNotPermitted):
                return choose(self._wanted, among=PROMPT)
        return choose(self._wanted, chosen)

    def _take(self) -> LivePiece | None:
        try:
            piece = self._packet_pipe.take()
        except ValueError:  # a recording that has not even a header
            self.stop()
            if self._broken is None:
                raise
            raise self._broken from None
        if piece is None:
            return None
        waited = time.monotonic() - piece.arrived
        return LivePiece(piece.packets, piece.skipped, self._newly_dropped(), waited)

    def _newly_dropped(self) -> int:
        """Return how many packets the kernel has dropped since this was asked last."""
        dropped = self.session.recording.statistics.dropped
        new, self._dropped = dropped - self._dropped, dropped
        return new


class LiveDecoding(LivePackets):
    """Record the TCP packets of ``port`` and decode them as they arrive; see :class:`LivePackets`.

    ``keep_data=False`` leaves payloads out of the records; ``shows_records`` adds TLS records.
    """

    def __init__(
        self,
        *,
        port: int,
        interface: str = LOOPBACK,
        keep: str | os.PathLike[str] | None = None,
        keep_data: bool = True,
        shows_records: bool = False,
        command: Sequence[str] = (),
        backend: Backend | str | None = None,
        buffer_size: int = BUFFER_SIZE,
        secrets: TakeSecrets = bytes,
        keylog: KeyLog | None = None,
    ) -> None:
        super().__init__(
            port=port,
            interface=interface,
            keep=keep,
            command=command,
            backend=backend,
            buffer_size=buffer_size,
            secrets=secrets,
            keylog=keylog,
        )
        self._decoder = PacketDecoder(
            keep_data=keep_data,
            shows_records=shows_records,
            opened=self._opened,
            is_relay=lambda _: self._packet_pipe.is_relay,
        )
        self._begun: list[Record] = []  # notes of connections whose start was missed
        self._last = 0, 0  # number and time of the last packet
        self._expired = 0  # when silent connections were last looked for
        self._late = LATE  # what will be said next

    def connection(self, number: int) -> ConnectionRecord | None:
        """Return the record of an open connection as it is by now, None if that is not open.

        For the thread that iterates :meth:`batches`.
        """
        return self._decoder.connection(number)

    def batches(self) -> Iterator[list[Record]]:
        """Yield records as their packets arrive, and when the recording has ended what that ends.

        For one thread, once. Within a batch, and from one to the next, records stand in the
        contract's order, but for the end of connections that have been silent for too long. Raises
        what :meth:`pieces` does.
        """
        for piece in self.pieces():
            yield self._decode(piece)
        yield self._decoder.finish()
        yield self._decoder.report(self.faults)

    def _decode(self, piece: LivePiece) -> list[Record]:
        records: list[Record] = []
        if piece.skipped:
            records.append(self._notice("packets-skipped", f"{piece.skipped:,}"))
        if piece.packets:
            number, time_ns, *_ = piece.packets[-1]
            self._last = number, time_ns or 0
            records += self._receive(piece.packets)
            records += self._expire(time_ns or 0)
        if piece.dropped:
            records.append(self._notice("packets-dropped", f"{piece.dropped:,}"))
        return records + self._lateness(piece.waited)

    def _receive(self, packets: list[Packet]) -> list[Record]:
        if self._decoder.keys is None:
            self._decoder.keys = self.keys()
        records = self._decoder.receive(packets)
        begun, self._begun = self._begun, []
        return sorted(begun + records, key=completion) if begun else records

    def _opened(self, connection: Connection[Record]) -> None:
        """Say why a connection shows nothing yet: whoever watches would look for it."""
        if connection.is_midstream:
            where = connection.first_packet, connection.first_time
            self._begun.append(_notice("tcp-midstream", "", where, connection.index))

    def _expire(self, now_ns: int) -> list[Record]:
        if now_ns - self._expired < EXPIRE_EVERY:
            return []
        self._expired = now_ns
        return self._decoder.expire(now_ns)

    def _lateness(self, waited: float) -> list[Record]:
        """Say that packets wait, each time that it is twice as long, until none does any more."""
        if waited < self._late:
            if waited < LATE / 2:
                self._late = LATE
            return []
        while self._late <= waited:
            self._late *= 2
        return [self._notice("packets-late", duration(waited))]

    def _notice(self, code: str, found: str) -> Record:
        """Return a diagnostic of packets that are not shown, by the one that came last."""
        return _notice(code, found, self._last)


def _notice(
    code: str, found: str, shown: tuple[int, int], connection: int | None = None
) -> DiagnosticRecord:
    """Return a diagnostic of the recording; ``shown`` is the packet and its time in nanoseconds."""
    number, time_ns = shown
    when = seconds(time_ns)
    fault = diagnose(code, 0, 0, found)
    return DiagnosticRecord(
        connection=connection,
        exchange=None,
        sender=None,
        first_packet=number,
        last_packet=number,
        first_time=when,
        last_time=when,
        offset=None,
        length=None,
        severity=fault.severity,
        code=code,
        summary=fault.summary,
        reference=fault.reference,
    )
