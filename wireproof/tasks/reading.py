"""The records of a capture for a command that reads it to its end and then says something.

Strategy: one place knows that ``-`` is standard input, shows how far a file has been read, and
collects what the capture holds beside its records.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

from parsers import decode_batches
from parsers.records import Record

from ..text.progress import shown
from .undecoded import noting_undecoded


@contextmanager
def reading(
    source: str, doing: str, undecoded: list[str], *, keep_data: bool = True
) -> Iterator[Iterator[Record]]:
    """Give the records of a capture, a path or ``-``.

    ``doing`` names it beside the progress bar; ``undecoded`` is told what was not decoded. Raises
    OSError for what cannot be read, and ValueError, when records are taken, for what is no capture.
    """
    with ExitStack() as stack:
        stream = sys.stdin.buffer
        if source != "-":
            file = stack.enter_context(Path(source).open("rb"))
            stream = stack.enter_context(shown(file, doing))
        batches = decode_batches(stream, keep_data=keep_data)
        yield chain.from_iterable(noting_undecoded(batches, undecoded))
