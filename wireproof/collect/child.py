"""The process that exports: it reads what strangers wrote, and holds neither socket nor rights.

Strategy: it is started by the process that records, and ends with it: when no line comes any more.
What it does not need it gives up before it reads the first byte of a file. Whatever the library of
a store raises, it says so in an answer and lives on; it is up to the other to try again.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack
from importlib import import_module
from typing import BinaryIO

from parsers import CaptureReader, KeyLog

from ..metrics.observing import Observer
from ..rights import Needs, give_up, give_up_in_thread
from ..tables.dataset import DataSet
from ..tables.files import Capture, capture_of, is_url, opened, readable
from ..tables.reading import TableOptions
from .carrying import Going, resumed
from .following import Followed
from .messages import FILES, ORDERS, Answer, Exported, Failed, File, Numbers, Order, line

FIRST = ("pyarrow", "pyarrow.parquet", "pyarrow.compute")
"""What reads more of the machine while it is imported than is allowed later."""


def main() -> None:
    """Export what standard input names; answer on standard output."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # whoever records says when it is over
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    lines = sys.stdin.buffer
    if first := lines.readline():
        serve(ORDERS.decode(first), lines, answers)


def serve(order: Order, lines: BinaryIO, answers: BinaryIO) -> None:
    """Export file by file, until nobody asks any more."""
    for name in FIRST:
        import_module(name)
    keylog = None if order.keylog is None else KeyLog.open(order.keylog)
    _give_up(order)
    exporting = Exporting(order, keylog)
    for asked in lines:
        answers.write(line(exporting.export(FILES.decode(asked))))
        try:
            answers.flush()
        except BrokenPipeError:  # whoever records is gone: its next run asks for the file again
            os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())
            return


def _give_up(order: Order) -> None:
    if is_url(order.place):  # its library connects, and reads settings and secrets of its own
        give_up_in_thread()
        return
    inputs = [order.folder, *([order.keylog] if order.keylog else [])]
    found = give_up(Needs(tuple(inputs), (order.place,)))
    if found.kept:
        print(f"wireproof: {found.kept}", file=sys.stderr)


class Exporting:
    """Puts files into the data set, one after the other."""

    def __init__(self, order: Order, keylog: KeyLog | None = None) -> None:
        self._order = order
        self._keylog = keylog
        self._data_set: DataSet | None = None  # it knows what it has read of it
        self._going: tuple[str, list[Going]] | None = None
        """What goes on after the file of this path, which was exported last."""
        self._models = set(order.models)

    def export(self, file: File) -> Answer:
        """Put a file into the data set, unless it is there; say what came of it."""
        order, numbers = self._order, Numbers()
        options = TableOptions(
            policy=order.rules,
            keep_data=order.keep_data,
            host=order.host,
            keylog=self._keylog,
            memory=order.memory,
            observer=Observer(numbers, self._models),
        )
        followed: list[Followed] = []

        def follow(capture: Capture, options: TableOptions) -> Followed:
            found = self._followed(file, capture, options)
            followed.append(found)
            return found

        try:
            self._data_set = self._data_set or DataSet(order.place)
            done = self._data_set.make(capture_of([file.path]), options, follow)
        except Exception as error:
            # Each store has a library of its own, and each library errors of its own.
            return Failed(_reason(error))
        if done.error:
            return Exported(error=done.error)
        if not done.is_new:
            return Exported(is_new=False)
        self._going = file.path, followed[-1].going
        return Exported(
            counts=[(list(key), number) for key, number in numbers.counts.items()],
            values=[(list(key), values) for key, values in numbers.values.items()],
            models=sorted(self._models),
        )

    def _followed(self, file: File, capture: Capture, options: TableOptions) -> Followed:
        """Open a file, with what goes on after the one before it. Raises OSError, ValueError."""
        (before, going), self._going = self._going or (None, []), None
        missing = [file.missing] if file.missing else []
        if before != file.before:
            assert self._data_set is not None
            begun = self._data_set.begun(readable(file.before), options) if file.before else []
            going, lost = resumed(begun, options)
            missing += lost
        most = self._order.most_files if _is_capture(file.following) else 1
        return Followed(capture, options, going, most=most, missing=missing, is_next=file.is_next)


def _is_capture(path: str | None) -> bool:
    """Whether a file is there and begins as a capture: without it the one before is the last."""
    if path is None:
        return False
    try:
        with ExitStack() as stack:
            CaptureReader(opened(path, stack))
    except (OSError, ValueError):
        return False
    return True


def _reason(error: Exception) -> str:
    said = (isinstance(error, OSError) and error.strerror) or str(error)
    return " ".join(said.split()) or type(error).__name__


if __name__ == "__main__":
    main()
