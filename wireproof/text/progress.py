"""A progress bar for whoever waits at a terminal: how much of a file has been read.

Strategy: the stream that is read counts what is taken from it. Without a terminal, and for files
that are read before one could look, it is the stream itself, and rich is not imported.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

WORTH_SHOWING = 4_000_000
"""Bytes of a file from which on reading it takes so long that one wants to know how long."""


@contextmanager
def shown(stream: BinaryIO, what: str) -> Iterator[BinaryIO]:
    """Give a stream that shows on standard error how far it has been read; ``what`` is being done.

    The bar is gone when it is done, also by Ctrl-C.
    """
    size = _size(stream)
    if size < WORTH_SHOWING or not sys.stderr.isatty():
        yield stream
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield progress.wrap_file(stream, total=size, description=what)


def _size(stream: BinaryIO) -> int:
    """Return the size of a regular file; 0 for a pipe, whose end nobody knows."""
    found = os.fstat(stream.fileno())
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
