"""Packets of a recording that goes on, as they come: a pipe in, pieces of packets out.

Strategy: a recorder writes its pcapng file into a pipe of this process, so that anything that
records into a file will do; the pipe holds it up when it is full, as one of the system would. One
thread reads it: what comes is first put into the file that keeps it, if there is one, and then
taken apart; the packets of one read make a piece. Pieces wait for whoever decodes them, up to a
limit. Past it packets are skipped, and counted with the next piece: so the kept file is whole
however slow the decoding is, the recorder is not held up, and memory is bounded. Once packets are
skipped they are until half of the room is free again: one long hole tells more than many short
ones.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import deque
from io import RawIOBase
from operator import itemgetter
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self, cast

from capture.output import create_private
from parsers import CaptureFault, CaptureKeys, CaptureReader, KeyLog, Packet
from parsers.limits import KiB, MiB

PIPE_SIZE = 1 * MiB
"""Bytes that the recorder may be ahead of the thread, beside one write of its."""
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


class Pipe(RawIOBase):
    """A pipe between two threads: a write waits for room, a read for bytes.

    Closing it ends it for the reader once all has been read. A write raises BrokenPipeError when
    nobody reads any more.
    """

    def __init__(self) -> None:
        self._pieces: deque[memoryview] = deque()
        self._size = 0
        self._changed = threading.Condition()
        self._is_broken = False

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        with self._changed:
            self._changed.wait_for(lambda: self._size < PIPE_SIZE or self._is_broken)
            if self._is_broken:
                raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
            if data:
                self._pieces.append(memoryview(bytes(data)))
                self._size += len(data)
                self._changed.notify_all()
        return len(data)

    def take(self, size: int) -> bytes:
        """Return what comes next, at most ``size`` bytes; none when the pipe has been closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self.closed)
            taken = []
            while self._pieces and size:
                piece = self._pieces.popleft()
                if len(piece) > size:
                    self._pieces.appendleft(piece[size:])
                    piece = piece[:size]
                taken.append(piece)
                size -= len(piece)
            data = b"".join(taken)
            self._size -= len(data)
            self._changed.notify_all()
        return data

    def close(self) -> None:
        with self._changed:
            super().close()
            self._changed.notify_all()

    def break_off(self) -> None:
        """Say that nobody reads any more."""
        with self._changed:
            self._is_broken = True
            self._pieces.clear()
            self._changed.notify_all()


class PacketPipe:
    """The packets that a recorder writes to :attr:`stream`.

    ``keep`` is a file that gets all that was written, byte by byte; its owner alone can read it.
    """

    def __init__(self, keep: str | os.PathLike[str] | None = None) -> None:
        self._pipe = Pipe()
        self.stream = cast(BinaryIO, self._pipe)
        """What a recorder writes to, and closes."""
        self.skipped = 0
        """Packets that had no room, so far."""
        self._keep = keep
        self._kept: BinaryIO | None = None
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

    def keys(self, log: KeyLog | None = None) -> CaptureKeys | None:
        """Return the keys that the recording and ``log`` hold and will hold; None before its first
        packet."""
        reader = self._reader
        return None if reader is None else CaptureKeys(log, reader, self, waits=True)

    @property
    def is_relay(self) -> bool:
        """Whether its packets are no network's, but made of what a relay of ours read."""
        reader = self._reader
        return reader is not None and any(found.is_relay for found in reader.interfaces)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.close()
        if self._thread is not None:
            self._thread.join()

    def start(self) -> None:
        """Begin to read, once a recorder writes. Raises OSError if ``keep`` cannot be written."""
        if self._keep is not None:
            self._kept = create_private(self._keep, buffering=0)
        self._thread = threading.Thread(target=self._run, name="follow packets")
        self._thread.start()

    def finish(self) -> None:
        """Say that no recorder will write any more; what it has written still comes."""
        self._pipe.close()

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
        data = self._pipe.take(min(size, PIECE))
        if self._kept is not None:
            self._write(self._kept, data)
        return data

    def _write(self, kept: BinaryIO, data: bytes) -> None:
        """Keep all of ``data``; the system may take a part at a time."""
        view = memoryview(data)
        try:
            while view:
                view = view[kept.write(view) :]
        except OSError as error:
            error.filename = self._keep
            raise

    def _run(self) -> None:
        try:
            self._reader = CaptureReader(self)
            for packet in self._reader:
                self._pending.append(packet)
        except (OSError, ValueError) as fault:
            self._fault = fault
        finally:
            self._end()

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
            self._kept.close()
        self._pipe.break_off()
        with self._changed:
            if self._lost:
                self._put(0, [])
            self._has_ended = True
            self._changed.notify_all()
