"""The answers of a report, in bundles: as columns, compressed, made by all processors together.

Strategy: neighbouring paths share a bundle, so that the page unpacks what it shows and little more.
Each is compressed beside the making of the next: zlib leaves the interpreter to others meanwhile.
Of a large capture each process makes every Nth bundle, and the parent puts them in order: they know
the capture by having been forked, and what is in files they read by place.
"""

from __future__ import annotations

import gc
import gzip
import os
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import cycle, groupby, islice
from typing import BinaryIO

from ..tasks.decode import MOST_WORKERS, usable_cores
from ..tasks.workers import Team, send
from .api import Answers
from .columns import packed
from .index import Index

BUNDLE = 64
"""Neighbouring paths in a bundle; ``page/source.js`` says the same."""
PACKETS = 512
"""Packets in a bundle: an answer about one is short, and much like its neighbour's."""
LARGE = 20_000
"""Packets of a capture whose answers several processes make."""
LEVEL = 6
"""Of zlib: the others take longer, or a tenth more room."""
AHEAD = 2
"""Bundles that are compressed while others are made."""
Bundle = tuple[str, bytes]
"""Its name and what it holds, in base64."""


def bundle_of(path: str) -> str:
    """Return the name of the bundle that holds a path: one of its own, unless a number ends it.

    The end of an exchange's key is none: between its paths others stand.
    """
    head, slash, last = path.rpartition("/")
    if not slash or not last.isdecimal():
        return path
    size = PACKETS if head == "packet" else BUNDLE
    return f"{head}/{int(last) // size}*"


def workers_for(index: Index) -> int:
    """Return how many processes make bundles: one, where forking is not safe or not worth it."""
    is_alone = hasattr(os, "fork") and threading.active_count() == 1
    is_large = len(index.tracer.table) >= LARGE
    return min(usable_cores(), MOST_WORKERS) if is_alone and is_large else 1


def bundles(index: Index, workers: int = 1) -> Iterator[Bundle]:
    """Yield all bundles, made by so many processes; they are the same for any number of these."""
    if workers == 1:
        yield from _made(index, 0, 1)
        return
    index.spool.flush()
    runs = [partial(_send_all, index, share, workers) for share in range(workers)]
    with Team(runs) as team:
        for worker in cycle(team.workers):
            name, data = worker.message(), worker.message()
            if name is None or data is None:
                return  # they take turns: no later one has any either
            yield name.decode(), data


def _send_all(index: Index, share: int, workers: int, stream: BinaryIO) -> None:
    gc.freeze()  # what the parent has is not looked through, and so not copied
    for name, data in _made(index, share, workers):
        send(stream, name.encode())
        send(stream, data)


def _made(index: Index, share: int, workers: int) -> Iterator[Bundle]:
    """Yield every Nth bundle, from that of number ``share`` on."""
    answers = Answers(index)
    named = ((name, list(paths)) for name, paths in groupby(answers.paths(), bundle_of))
    waiting = deque[tuple[str, Future[bytes]]]()
    with ThreadPoolExecutor(max_workers=1) as beside:
        for name, paths in islice(named, share, None, workers):
            columns = packed(paths, [answers.found(path) for path in paths])
            waiting.append((name, beside.submit(_compressed, columns)))
            if len(waiting) > AHEAD:
                name, work = waiting.popleft()
                yield name, work.result()
        for name, work in waiting:
            yield name, work.result()


def _compressed(columns: bytes) -> bytes:
    """Return a bundle as it stands in the file; the same for the same answers."""
    return b64encode(gzip.compress(columns, LEVEL, mtime=0))
