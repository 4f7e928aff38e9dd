"""A terminal that a command writes to, and what it shows."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "120"}
"""What the environment says of it."""


class Terminal:
    """A pseudo-terminal: the command's end, and ours."""

    def __enter__(self) -> Self:
        self._ours, self._theirs = pty.openpty()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._ours)

    @contextmanager
    def theirs(self) -> Iterator[int]:
        """Give the descriptor for the command, which alone has it then."""
        try:
            yield self._theirs
        finally:
            os.close(self._theirs)

    def shown(self) -> bytes:
        """Return what the command wrote, which has ended by then."""
        found = b""
        with suppress(OSError):  # the other end is closed
            while data := os.read(self._ours, 65_536):
                found += data
        return found
