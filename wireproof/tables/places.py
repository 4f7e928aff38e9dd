"""Captures and data sets as data sets alone: what queries and comparisons are asked of.

Strategy: captures become a data set of their own, in a temporary folder, by the same export as
ever: so whatever is asked reads them as often as it likes, memory does not grow with them, and one
that cannot be read is left out whole.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from tempfile import TemporaryDirectory

from ..output import of_temporary_files
from .exporting import ExportJob, run
from .parts import is_data_set
from .reading import TableOptions

Say = Callable[[str], object]


class NothingToRead(ValueError):
    """None of the captures can be read; the message says of one which and why."""


def once(say: Say) -> Say:
    """Return what tells each message once: what is read again is not told again."""
    told: set[str] = set()

    def tell(message: str) -> None:
        if message not in told:
            told.add(message)
            say(message)

    return tell


def _temporary_folder() -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(prefix="wireproof-")
    except OSError as error:
        raise of_temporary_files(error) from error


def places(
    sources: Sequence[str],
    options: TableOptions,
    say: Say,
    stack: ExitStack,
    *,
    separate: bool = False,
) -> list[str]:
    """Return where the data sets are, one of them for all that are captures yet; that one goes with
    ``stack``.

    ``say`` is told of captures that cannot be read. Raises OSError, and NothingToRead.
    """
    captures = [source for source in sources if not is_data_set(source)]
    found = [source for source in sources if is_data_set(source)]
    if captures:
        place = stack.enter_context(_temporary_folder())
        unread: list[str] = []
        tally = run(ExportJob(captures, place, options, together=not separate), unread.append)
        gc.collect()  # what was decoded refers to itself, and stays in the way of what is asked
        if len(unread) == tally.captures == 1 and not found:
            raise NothingToRead(unread[0])
        for message in unread:
            say(message)
        if tally.unreadable == tally.captures and not found:
            raise NothingToRead(f"{', '.join(captures)}: no capture that can be read")
        if tally.captures > tally.unreadable:
            found.append(place)
    return found
