"""Record by dumpcap or tcpdump: for who may run one of them, and not open a packet socket.

Strategy: the tool writes to a pipe, of which a thread reads packets (see ``reader_recorder``). They
go to our file, which says of itself what all of ours do. The tool is given nothing of the user's
but a port: no name that could be taken for an option. It ends with us, also if we are killed.

dumpcap needs up to 250 ms for a marker; tcpdump has an immediate mode, without which it ends
before it has written.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple, Unpack

from parsers import CaptureReader

from ..drain import MarkerBarrier
from ..filters import capture_filter
from ..frames import BUFFER_SIZE, SNAPLEN, MiB
from ..output import Source
from ..recording import RecordingOptions
from .reader_recorder import START_TIMEOUT, ReaderRecording

INTERFACE = "lo"
GREETING = re.compile(r"Capturing on|File:|Running as user|tcpdump: listening on|\s*$")
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


class ToolRecorder(ReaderRecording):
    """Record the TCP packets of ``port`` on loopback by ``tool``; see :class:`ReaderRecording`.

    Entering raises CaptureNotPermitted if the tool does not record, with what it says.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        tool: Tool,
        port: int | Sequence[int] | None,
        buffer_size: int = BUFFER_SIZE,
        **options: Unpack[RecordingOptions],
    ) -> None:
        super().__init__(path, port=port, **options)
        self._tool = tool
        self.name = tool.name
        self.buffer_size = buffer_size

    def _open_reader(self, stack: ExitStack) -> Source:
        self._barrier = MarkerBarrier()
        stack.callback(self._barrier.close)
        self._told = tempfile.TemporaryFile()  # noqa: SIM115  # the stack closes it
        stack.callback(self._told.close)
        expression = capture_filter(self.ports, self._barrier.port)
        self._process = subprocess.Popen(
            [self._tool.name, *self._tool.options(expression, self.buffer_size)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._told,
            env=os.environ | {"LC_ALL": "C"},
            start_new_session=True,  # Ctrl-C is for us: it must not end before we have read all
        )
        self._end_with_us(stack)
        return Source(INTERFACE, capture_filter(self.ports))

    def _end_with_us(self, stack: ExitStack) -> None:
        """Have a process watch over the tool, which may have rights that outlive a parent's."""
        from ..linux.spawn import CHILD

        watcher = subprocess.Popen(
            [*CHILD, "watch", str(os.getpid()), str(self._process.pid)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(watcher.wait)

    def _read_packets(self) -> None:
        """Read packets until the tool closes the pipe; if it is no capture, the tool says why."""
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for _, time_ns, _, length, data in CaptureReader(_AsItComes(pipe.fileno())):
                self._put((time_ns or 0, data, length))

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
