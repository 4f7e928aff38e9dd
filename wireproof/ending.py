"""Signals that end a command: it leaves nothing half-written, and then ends by that signal.

Strategy: SIGTERM and SIGHUP become an exception, so that every ``with`` block is left as after a
fault: a file that is being written is gone, and a recording is closed. What waits for signals
itself, while a command is recorded, replaces these handlers meanwhile.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class _Ended(BaseException):
    """A signal has come that ends this process."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Leave the block, and then end by the signal, when one comes that ends this process.

    One that is ignored stays so. For the main thread of a process of one's own.
    """
    before = {
        number: signal.signal(number, _end)
        for number in NUMBERS
        if signal.getsignal(number) is signal.SIG_DFL
    }
    try:
        yield
    except _Ended as ended:
        signal.signal(ended.number, signal.SIG_DFL)
        signal.raise_signal(ended.number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    for one in NUMBERS:
        signal.signal(one, signal.SIG_IGN)  # what is tidied up now is tidied up to its end
    raise _Ended(number)
