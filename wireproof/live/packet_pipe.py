"""Packets of a recording that goes on, as they come: a pipe in, pieces of packets out.

Strategy: a recorder writes its pcapng file into a named pipe, so that anything that records into a
file will do. One thread reads it: what comes is first put into the file that keeps it, if there is
one, and then taken apart; the packets of one read make a piece. Pieces wait for whoever decodes
them, up to a limit. Past it packets are skipped, and counted with the next piece: so the kept file
is whole however slow the decoding is, the recorder is not held up, and memory is bounded. Once
packets are skipped they are until half of the room is free again: one long hole tells more than
many short ones.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from contextlib import suppress
from fcntl import F_SETPIPE_SZ, fcntl
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from parsers.files.packets import CaptureFault, Packet
from parsers.files.reader import CaptureReader
from parsers.limits import KiB, MiB

PIPE_SIZE = 1 * MiB
"""What the recorder may be ahead of the thread: Linux gives anyone so much (pipe(7))."""
PIECE = 64 * KiB
"""Bytes that are read at once: so few that decoding them takes a hundredth of a second or two."""
MAX_WAITING = 64 * MiB
"""Bytes of packets that wait to be decoded, with what Python needs for each."""
PACKET_COST = 256
"""What a packet takes beside its bytes."""
DATA = itemgetter(4)


class Piece(NamedTuple):
    """Packets that came together."""

    packets: list[Packet]
    skipped: int
    """How many came before them and had no room."""
    arrived: float
    """When, by the monotonic clock."""


class Arrivals:
    """The packets that a recorder writes to :attr:`path`, a pipe that is made in ``folder``.

    ``keep`` is a file that gets all that was written, byte by byte; its owner alone can read it.
    """

    def __init__(self, folder: str, keep: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(folder, "packets.pcapng")
        self.skipped = 0
        """Packets that had no room, so far."""
        self._keep = keep
        self._kept: int | None = None  # its descriptor
        self._reader: CaptureReader | None = None
        self._pending: list[Packet] = []  # of the read that is being taken apart
        self._pieces: deque[tuple[int, Piece]] = deque()
        self._waiting = 0  # bytes in them
        self._lost = 0  # packets that were skipped and are counted in no piece yet
        self._is_full = False
        self._changed = threading.Condition()
        self._has_ended = False
        self._fault: OSError | ValueError | None = None
        self._thread: threading.Thread | None = None

    @property
    def faults(self) -> list[CaptureFault]:
        """What is wrong with the recording as a file; complete when it has ended."""
        return [] if self._reader is None else self._reader.faults

    @property
    def is_relay(self) -> bool:
        """Whether its packets are no network's, but made of what a relay of ours read."""
        reader = self._reader
        return reader is not None and any(found.is_relay for found in reader.interfaces)

    def __enter__(self) -> Self:
        os.mkfifo(self.path, 0o600)
        self._pipe = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)  # there is no writer yet
        os.set_blocking(self._pipe, True)
        with suppress(PermissionError):  # the administrator allows less: it does with less
            fcntl(self._pipe, F_SETPIPE_SZ, PIPE_SIZE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread is None:
            os.close(self._pipe)
        else:
            self._thread.join()

    def start(self) -> None:
        """Begin to read, once a recorder writes. Raises OSError if ``keep`` cannot be written."""
        if self._keep is not None:
            self._kept = os.open(self._keep, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._thread = threading.Thread(target=self._run, name="follow packets")
        self._thread.start()

    def finish(self) -> None:
        """Say that no recorder will write any more; what it has written still comes.

        Whoever waits for a first writer sees one come and go.
        """
        with self._changed:
            if not self._has_ended:
                # By its descriptor: its name may be gone.
                os.close(os.open(f"/proc/self/fd/{self._pipe}", os.O_WRONLY | os.O_NONBLOCK))

    def take(self) -> Piece | None:
        """Wait for the next piece and return it; None when the recording has ended.

        Raises OSError if it could not be kept, ValueError if it is no capture.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._has_ended)
            if self._pieces:
                cost, piece = self._pieces.popleft()
                self._waiting -= cost
                return piece
        if self._fault is not None:
            raise self._fault
        return None

    # --- the thread ---

    def read(self, size: int) -> bytes:
        """Return the next bytes of the recording; before it waits for them, hand over the rest."""
        self._hand_over()
        data = os.read(self._pipe, min(size, PIECE))
        if self._kept is not None:
            self._write(self._kept, data)
        return data

    def _write(self, descriptor: int, data: bytes) -> None:
        """Keep all of ``data``; the system may take a part at a time."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError as error:
            error.filename = self._keep
            raise

    def _run(self) -> None:
        try:
            self._await_writer()
            self._reader = CaptureReader(self)
            for packet in self._reader:
                self._pending.append(packet)
        except (OSError, ValueError) as fault:
            self._fault = fault
        finally:
            self._end()

    def _await_writer(self) -> None:
        """Wait until there is something to read, or a writer has come and gone."""
        poller = select.poll()
        poller.register(self._pipe, select.POLLIN)
        poller.poll()

    def _hand_over(self) -> None:
        """Make a piece of what has come, or count it if there is no room."""
        packets, self._pending = self._pending, []
        if not packets:
            return
        cost = sum(map(len, map(DATA, packets))) + PACKET_COST * len(packets)
        with self._changed:
            room = MAX_WAITING // 2 if self._is_full else MAX_WAITING
            self._is_full = self._waiting + cost > room
            if self._is_full:
                self.skipped += len(packets)
                self._lost += len(packets)
            else:
                self._put(cost, packets)

    def _put(self, cost: int, packets: list[Packet]) -> None:
        self._pieces.append((cost, Piece(packets, self._lost, time.monotonic())))
        self._waiting += cost
        self._lost = 0
        self._changed.notify_all()

    def _end(self) -> None:
        """Close what the thread uses: a recorder that still writes finds nobody who reads."""
        self._hand_over()
        if self._kept is not None:
            os.close(self._kept)
        with self._changed:
            os.close(self._pipe)
            if self._lost:
                self._put(0, [])
            self._has_ended = True
            self._changed.notify_all()
