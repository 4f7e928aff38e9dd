"""The process that exports, as the one that records sees it, and the thread that keeps it busy.

Strategy: one file at a time, from the oldest on. A file that the data set does not take is tried
again, after longer and longer pauses, by a process of its own: what the one before held on to (a
connection, a folder that is another by now) is gone with it. What changes is said once.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from signal import strsignal
from threading import Event, Thread

from msgspec.structs import replace

from ..metrics.observing import Sink
from ..text.wording import count
from .messages import ANSWERS, Exported, Failed, File, Order, line
from .ring import Ring, Say

CHILD = [sys.executable, "-P", "-m", "wireproof.collect.child"]
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds after which a data set that failed is tried again: each time twice as many."""
PATIENCE = 60.0
"""Seconds that what is left has to be exported in the end."""


class StoreFailed(Exception):
    """The data set could not be written; the message says why."""


class ProcessEnded(StoreFailed):
    """The process that exports is gone, whatever the data set is like; the message says how."""

    def __init__(self, code: int) -> None:
        how = f"with code {code}" if code >= 0 else f"by signal {-code} ({strsignal(-code)})"
        super().__init__(f"the export process ended {how}")


class Exporter:
    """The process, which is there when it is needed."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._process: subprocess.Popen[bytes] | None = None

    def export(self, file: File) -> Exported:
        """Have a file put into the data set. Raises StoreFailed."""
        try:
            data = self._asked(file)
        except BrokenPipeError as error:  # it reads nothing any more
            raise ProcessEnded(self.close()) from error
        except OSError as error:
            self.close()
            raise StoreFailed(error.strerror or str(error)) from error
        if not data:
            raise ProcessEnded(self.close())
        answer = ANSWERS.decode(data)
        if isinstance(answer, Failed):
            self.close()
            raise StoreFailed(answer.reason)
        if answer.models:
            self._order = replace(self._order, models=answer.models)
        return answer

    def _asked(self, file: File) -> bytes:
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(line(file))
        process.stdin.flush()
        return process.stdout.readline()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the process, away from the terminal: its Ctrl-C is for whoever records."""
        process = subprocess.Popen(
            CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._process = process
        assert process.stdin is not None
        process.stdin.write(line(self._order))
        return process

    def kill(self) -> None:
        """End the process, whatever it does; from any thread."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> int:
        """Let the process end, and return its exit code; it has nothing to do any more."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with suppress(OSError):  # it may be gone, and then nobody reads what was still to be said
            process.communicate()
        return process.wait()


class Exports:
    """Exports the files of a ring in a thread, until its ``with`` block is left."""

    def __init__(self, order: Order, ring: Ring, say: Say, sink: Sink | None = None) -> None:
        self.fault: str | None = None
        """Why the data set cannot be written."""
        self._place = order.place
        self._exporter = Exporter(order)
        self._ring = ring
        self._say = say
        self._sink = sink
        self._ends = Event()
        self._thread = Thread(target=self._run, name="export files")

    def __enter__(self) -> Exports:
        return self

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        """Export what is left, once: what fails now is done when collecting begins again."""
        self._ring.end()
        self._ends.set()
        if self._thread.ident is None:
            return
        try:
            self._thread.join(PATIENCE)
        finally:
            while self._thread.is_alive():
                self._exporter.kill()
                self._thread.join(1)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while (file := self._ring.next()) is not None:
            try:
                answer = self._exporter.export(file)
            except StoreFailed as failed:
                self._fail(failed)
                if self._ends.is_set():
                    break
                self._ends.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            self._take(file, answer)
        self._exporter.close()

    def _fail(self, failed: StoreFailed) -> None:
        if self.fault is None:
            what = f"{self._place} cannot be written: {failed}"
            if isinstance(failed, ProcessEnded):
                what = f"{failed} while it wrote {self._place}: another one goes on"
            self._say(f"{what}; files wait in {self._ring.folder}")
        self.fault = str(failed)

    def _take(self, file: File, answer: Exported) -> None:
        if answer.error:
            self._say(f"{file.path}: {answer.error}")
        self._ring.done(is_readable=not answer.error, is_new=answer.is_new)
        if self.fault is not None:
            self.fault = None
            left = count(self._ring.waiting, "file")
            self._say(f"{self._place} is written again; {left} still waiting")
        if self._sink is not None:
            _add(answer, self._sink)


def _add(answer: Exported, sink: Sink) -> None:
    for (name, *labels), number in answer.counts:
        sink.count(name, number, labels)
    for (name, *labels), values in answer.values:
        sink.observe(name, values, labels)
