"""Which exchanges of a capture a command takes: decided before it is read, or while it is.

Strategy: what the heads of exchanges tell is decided while their records come. What only their ends
tell takes a reading of its own, of which a number is kept for each exchange that is wanted; a pipe
is copied to the disk for it.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

from parsers import decode_batches

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..output import buffered_scratch

if TYPE_CHECKING:
    from parsers import KeyLog

    from ..analysis.selection import Chosen, Wanted


def choosing(
    stream: BinaryIO, wanted: ExchangeFilter, stack: ExitStack, keylog: KeyLog | None = None
) -> tuple[BinaryIO, Wanted | None]:
    """Return what says which exchanges are wanted, None for all, and the stream to read then.

    A choice of one connection alone is left to the decoder, which need not look at the others.
    """
    if not wanted.needs_end:
        return stream, wanted if wanted.needs_heads else None
    stream = seekable(stream, stack)
    return stream, chosen(stream, wanted, keylog)


def choosing_first(
    stream: BinaryIO, wanted: ExchangeFilter, stack: ExitStack, keylog: KeyLog | None = None
) -> tuple[BinaryIO, Wanted | None]:
    """Return the same, decided before a file is read: for who can wait for no response.

    Of a pipe, which may go on, that is left to who reads it as long as the heads tell.
    """
    if wanted.is_empty:
        return stream, None
    if not (wanted.needs_end or is_file(stream)):
        return stream, wanted
    stream = seekable(stream, stack)
    return stream, chosen(stream, wanted, keylog)


def chosen(
    stream: BinaryIO, wanted: ExchangeFilter = EVERYTHING, keylog: KeyLog | None = None
) -> Chosen:
    """Read a capture for the exchanges that are wanted, and go back to its beginning."""
    from ..analysis.outcomes import outcomes
    from ..analysis.selection import Chosen
    from ..open_exchanges import Key

    batches = decode_batches(stream, keylog=keylog)
    found = (outcome.listed for outcome in outcomes(batches, wanted))
    keys = Chosen({Key(one.connection, one.exchange) for one in found})
    stream.seek(0)
    return keys


def is_file(stream: BinaryIO) -> bool:
    """Whether a stream is a regular file, which can be read twice."""
    return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)


def seekable(stream: BinaryIO, stack: ExitStack) -> BinaryIO:
    """Return a stream that can be read twice: a file as it is, of a pipe a copy, on the disk."""
    if is_file(stream):
        return stream
    copy = stack.enter_context(buffered_scratch())
    from shutil import copyfileobj  # slow to load: it knows archives too

    copyfileobj(stream, copy)
    copy.seek(0)
    return copy
