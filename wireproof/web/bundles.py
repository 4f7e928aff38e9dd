"""The answers of a report, in bundles: as columns, compressed, made by all processors together.

Strategy: neighbouring paths share a bundle, so that the page unpacks what it shows and little more.
Each is compressed beside the making of the next: zlib leaves the interpreter to others meanwhile.
Of a large capture each process makes every Nth bundle, and the parent puts them in order: they know
the capture by having been forked, and what is in files they read by place.

Neighbours that hold more than PART bytes come in parts: ``packet/0*``, then ``packet/0*64``, which
begins with packet 64. So nobody has more of them in memory, here or in a page, however large
packets are.
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
from typing import Any, BinaryIO

import msgspec
from parsers.limits import MiB

from ..tasks.decode import MOST_WORKERS, usable_cores
from ..tasks.workers import Team, send
from .api import Answers
from .columns import packed
from .index import Index

BUNDLE = 64
"""Neighbouring paths in a bundle; ``page/source.js`` says the same."""
PACKETS = 512
"""Packets in a bundle: an answer about one is short, and much like its neighbour's."""
PART = 4 * MiB
"""Bytes that answers of a bundle hold, after which the next one begins a part of its own."""
LARGE = 20_000
"""Packets of a capture whose answers several processes make."""
LEVEL = 6
"""Of zlib: the others take longer, or a tenth more room."""
AHEAD = 2
"""Bundles that are compressed while others are made."""
Bundle = tuple[str, bytes]
"""Its name and what it holds, in base64."""
END_OF_BUNDLE = b""
"""What a process sends where the name of a further part would stand."""
HELD = (bytes, msgspec.Raw)
"""What bytes from the wire, and encoded records, are in an answer."""


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
    """Yield the parts of all bundles, made by so many processes; they are the same for any number
    of these."""
    answers = Answers(index)
    if workers == 1:
        yield from (part for part in _made(answers, 0, 1) if part is not None)
        return
    answers.found("hops")  # which take long to be found: once, and not in each process
    index.rest()
    runs = [partial(_send_all, answers, share, workers) for share in range(workers)]
    with Team(runs) as team:
        for worker in cycle(team.workers):
            while name := worker.message():
                data = worker.message()
                if data is not None:
                    yield name.decode(), data
            if name is None:
                return  # they take turns: no later one has any either


def _send_all(answers: Answers, share: int, workers: int, stream: BinaryIO) -> None:
    gc.freeze()  # what the parent has is not looked through, and so not copied
    gc.disable()  # answers are trees, many and short-lived: there is no cycle to look for
    for part in _made(answers, share, workers):
        if part is None:
            send(stream, END_OF_BUNDLE)
            continue
        name, data = part
        send(stream, name.encode())
        send(stream, data)


def _made(answers: Answers, share: int, workers: int) -> Iterator[Bundle | None]:
    """Yield the parts of every Nth bundle, from that of number ``share`` on, and None after each
    bundle."""
    waiting = deque[tuple[str, Future[bytes]] | None]()
    with ThreadPoolExecutor(max_workers=1) as beside:
        for part in _parts(answers, share, workers):
            if part is None:
                waiting.append(None)
                continue
            name, columns = part
            waiting.append((name, beside.submit(_compressed, columns)))
            while len(waiting) > AHEAD:
                yield _result(waiting.popleft())
        yield from map(_result, waiting)


def _result(made: tuple[str, Future[bytes]] | None) -> Bundle | None:
    return None if made is None else (made[0], made[1].result())


def _parts(answers: Answers, share: int, workers: int) -> Iterator[Bundle | None]:
    """Yield the same as columns, which are not compressed yet."""
    named = ((name, list(paths)) for name, paths in groupby(answers.paths(), bundle_of))
    for bundle, paths in islice(named, share, None, workers):
        name, first, held = bundle, 0, 0
        found: list[Any] = []
        for at, path in enumerate(paths):
            if held > PART:
                yield name, packed(paths[first:at], found)
                name, first, held, found = bundle + path.rpartition("/")[2], at, 0, []
            found.append(answers.found(path))
            held += _weight(found[-1])
        yield name, packed(paths[first:], found)
        yield None


def _weight(answer: Any) -> int:
    """Return how many bytes an answer holds that come from the wire: of a packet, or of records."""
    if not isinstance(answer, dict):
        return 0
    held = (answer, *answer.get("rows", ()))
    return sum(memoryview(one).nbytes for row in held for one in row.values() if type(one) in HELD)


def _compressed(columns: bytes) -> bytes:
    """Return a bundle as it stands in the file; the same for the same answers."""
    return b64encode(gzip.compress(columns, LEVEL, mtime=0))
