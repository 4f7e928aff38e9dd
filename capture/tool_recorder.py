"""Record by dumpcap or tcpdump: for who may run one of them, and not open a packet socket.

Strategy: the tool writes to a pipe, a thread of its own reads packets from that, and the rest is
as with any recording: they go to our file, which says of itself what all of ours do. The tool
is given nothing of the user's but a port: no name that could be taken for an option. It ends
with us, also if we are killed.

Nothing is guessed here either. Markers (``tail``) are sent until they come back: from then on
the tool records, and at the end everything has been read when the last ones have come. dumpcap
needs up to 250 ms for each; tcpdump has an immediate mode, without which it ends before it has
written.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import BinaryIO, NamedTuple

from parsers.files.packets import UnreadableCapture
from parsers.files.reader import CaptureReader

from .drain import LOOPBACK, Markers, without_markers
from .errors import CaptureError, CaptureNotPermitted
from .linux import bpf
from .linux.recorder import BUFFER_SIZE, MiB
from .linux.ring import RingPacket
from .linux.spawn import CHILD
from .output import SNAPLEN, Limits, Source
from .recording import Recording

INTERFACE = "lo"
GREETING = re.compile(r"Capturing on|File:|Running as user|tcpdump: listening on|\s*$")
START_TIMEOUT = 10.0
"""Seconds in which a tool has begun to record: it takes a fraction of one."""
POLL_MS = 50
READ_SIZE = 1 * MiB
MAX_TOLD = 4_096
"""Bytes of what a tool says at its end that are looked at."""


class Tool(NamedTuple):
    """How a tool is made to write packets of loopback to its standard output."""

    name: str
    options: Callable[[str, int], list[str]]
    """Its options for a filter, and for a buffer of so many bytes."""
    dropped: re.Pattern[str]
    """What it says at its end of packets that it lacks."""


DUMPCAP = Tool(
    "dumpcap",
    lambda expression, size: [
        *("-q", "-i", INTERFACE, "-s", str(SNAPLEN), "-B", str(max(size // MiB, 1))),
        *("-f", expression, "-w", "-"),
    ],
    re.compile(r"received/dropped on interface .*: \d+/(\d+)"),
)
TCPDUMP = Tool(
    "tcpdump",
    lambda expression, size: [
        *("-i", INTERFACE, "-s", str(SNAPLEN), "-B", str(max(size // 1024, 1))),
        *("--immediate-mode", "--time-stamp-precision=nano", "-U", "-w", "-", expression),
    ],
    re.compile(r"(\d+) packets? dropped by kernel"),
)


class ToolRecorder(Recording):
    """Record the TCP packets of ``port`` on loopback by ``tool``; see :class:`Recording`.

    Entering raises CaptureNotPermitted if the tool does not record, with what it says.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        tool: Tool,
        port: int | Sequence[int] | None,
        comment: str = "",
        version: str = "",
        limits: Limits = Limits(),  # noqa: B008  # it cannot change
        buffer_size: int = BUFFER_SIZE,
    ) -> None:
        super().__init__(path, port=port, comment=comment, version=version, limits=limits)
        self._tool = tool
        self.buffer_size = buffer_size
        self._read: deque[RingPacket] = deque()
        self._is_over = False

    def _open(self, stack: ExitStack) -> Source:
        tail = self._tail = Markers()
        stack.callback(tail.close)
        self._ready = os.eventfd(0, os.EFD_NONBLOCK)
        stack.callback(os.close, self._ready)
        self._told = tempfile.TemporaryFile()  # noqa: SIM115  # the stack closes it
        stack.callback(self._told.close)
        expression = bpf.capture_filter(self.ports)
        marker = f"udp and dst host {LOOPBACK} and dst port {tail.port}"
        options = self._tool.options(f"({expression}) or ({marker})", self.buffer_size)
        self._process = subprocess.Popen(
            [self._tool.name, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._told,
            env=os.environ | {"LC_ALL": "C"},
            start_new_session=True,  # Ctrl-C is for us: it must not end before we have read all
        )
        watcher = subprocess.Popen(
            [*CHILD, "watch", str(os.getpid()), str(self._process.pid)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(watcher.wait)
        stack.callback(self._end)
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read_pipe, args=(self._process.stdout,))
        self._reader.start()
        return Source(INTERFACE, expression)

    def _begin(self) -> None:
        """Send markers until all have come back; what came before them is not ours."""
        until = time.monotonic() + START_TIMEOUT
        self._tail.begin()
        while not self._tail.arrived():
            select.select([self._ready], [], [], POLL_MS / 1000)
            without_markers(self._packets(), self._tail)
            if self._is_over or time.monotonic() > until:
                self._end()
                raise CaptureNotPermitted(f"{self._tool.name} does not record: {self._complaint()}")

    def _waits_for(self) -> Sequence[int]:
        return [self._ready]

    def _take(self, descriptor: int, happened: int) -> None:
        is_over = self._is_over
        self._write(without_markers(self._packets(), self._tail))
        if is_over:
            raise CaptureError(f"{self._tool.name} has ended: {self._complaint()}")

    def _end(self) -> None:
        """Have the tool end, and read what it still says."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._reader.join(START_TIMEOUT)
        if self._reader.is_alive():
            self._process.kill()
            self._reader.join()
        self._process.wait()

    def _take_dropped(self) -> int:
        """Return what the tool says at its end: it says nothing before."""
        if self._process.returncode is None:
            return 0
        found = self._tool.dropped.search(self._says())
        return int(found[1]) if found else 0

    def _complaint(self) -> str:
        """Return the first line of what the tool says beside that it records."""
        lines = [line for line in self._says().splitlines() if not GREETING.match(line)]
        return lines[0] if lines else "it says nothing"

    def _says(self) -> str:
        """Return the tool's last words."""
        self._told.seek(max(self._told.seek(0, os.SEEK_END) - MAX_TOLD, 0))
        return self._told.read(MAX_TOLD).decode(errors="replace").strip()

    # --- the pipe ---

    def _packets(self) -> list[RingPacket]:
        """Return what has been read since last asked."""
        try:
            os.eventfd_read(self._ready)
        except BlockingIOError:
            return []
        return [self._read.popleft() for _ in range(len(self._read))]

    def _read_pipe(self, pipe: BinaryIO) -> None:
        """Put packets where the recording takes them, until the tool closes the pipe."""
        # If it has written no capture, it says why on its standard error.
        with suppress(UnreadableCapture, OSError), pipe:
            for _, time_ns, _, length, data in CaptureReader(_AsItComes(pipe.fileno())):
                self._read.append((time_ns or 0, data, length))
                os.eventfd_write(self._ready, 1)
        self._is_over = True
        os.eventfd_write(self._ready, 1)


class _AsItComes:
    """A pipe of which a read returns what is there."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, size: int) -> bytes:
        return os.read(self._descriptor, min(size, READ_SIZE))


def try_tool(tool: Tool) -> None:
    """Record nothing for a moment; raises CaptureNotPermitted if that does not work."""
    with ToolRecorder(os.devnull, tool=tool, port=1):
        return
