"""The answers of a report, in bundles: as columns, compressed, made by all processors together.

Strategy: neighbouring paths share a bundle (:mod:`.paths`), so that the page unpacks what it shows
and little more. Each is compressed beside the making of the next: zlib leaves the interpreter to
others meanwhile. Of a large capture processes take turns, RUN bundles each, and the parent puts
them in order: they know the capture by having been forked, and what is in files they read by place.
Neighbours are made of the same exchanges, elements and packets: so these are looked up by one.

Neighbours that take more than PART bytes come in parts: ``packet/0*``, then ``packet/0*64``, which
begins with packet 64. Of exchanges a part has whole ones: ``of/0.0*``, then ``of/0.0*3.2``. So
nobody has more of them in memory, here or in a page, however large packets are.
"""

from __future__ import annotations

import gc
import gzip
import os
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain, cycle, repeat
from typing import Any, BinaryIO

import msgspec
from parsers.limits import KiB, MiB

from ..tasks.decode import MOST_WORKERS, usable_cores
from ..tasks.workers import Team, send
from .api import Answers
from .columns import Table, packed
from .frame import FIELDS, Tell, frames
from .index import Index
from .paths import bundled, own_bundle, packet_path, place_in
from .spans import Together

PART = 4 * MiB
"""Bytes that answers of a bundle take, after which the next one begins a part of its own."""
SHARED = 512 * KiB
"""The same of a bundle that exchanges share: a page opens all of it to show one of them."""
LIGHT = 64 * KiB
"""Bytes of the largest answer in a bundle that exchanges share."""
DETAILED = 5_000
"""Exchanges whose details a report holds: more than anybody looks through. Those that failed come
first, then what was held or slow; the others have their rows in the list."""
LARGE = 20_000
"""Packets of a capture whose answers several processes make."""
LEVEL = 6
"""Of zlib: the others take longer, or a tenth more room."""
RUN = 16
"""Neighbouring bundles that one process makes: a pipe holds about as many."""
AHEAD = 2
"""Bundles that are compressed while others are made."""
Bundle = tuple[str, bytes]
"""Its name and what it holds, in base64."""
END_OF_BUNDLE = b""
"""What a process sends where the name of a further part would stand."""
OF_A_ROW, OF_AN_ITEM = 4 * KiB, 32
"""Bytes that a row of the connections table takes, about, and any other thing."""


def workers_for(index: Index) -> int:
    """Return how many processes make bundles: one, where forking is not safe or not worth it."""
    is_alone = hasattr(os, "fork") and threading.active_count() == 1
    is_large = len(index.tracer.table) >= LARGE
    return min(usable_cores(), MOST_WORKERS) if is_alone and is_large else 1


def bundles(index: Index, workers: int = 1) -> Iterator[Bundle]:
    """Yield the parts of all bundles, made by so many processes; they are the same for any number
    of these."""
    answers = Answers(index)
    index.rest()
    index.choose_held(DETAILED)
    if workers == 1:
        yield from (part for part in _made(answers, index, 0, 1) if part is not None)
        return
    answers.found("hops")  # once, and not in each process
    runs = [partial(_send_all, answers, index, share, workers) for share in range(workers)]
    with Team(runs) as team:
        for worker in chain.from_iterable(repeat(one, RUN) for one in cycle(team.workers)):
            while name := worker.message():
                data = worker.message()
                if data is not None:
                    yield name.decode(), data
            if name is None:
                return  # they take turns: no later one has any either


def _send_all(answers: Answers, index: Index, share: int, workers: int, stream: BinaryIO) -> None:
    gc.freeze()  # what the parent has is not looked through, and so not copied
    gc.disable()  # answers are trees, many and short-lived: there is no cycle to look for
    for part in _made(answers, index, share, workers):
        if part is None:
            send(stream, END_OF_BUNDLE)
            continue
        name, data = part
        send(stream, name.encode())
        send(stream, data)


def _made(answers: Answers, index: Index, share: int, workers: int) -> Iterator[Bundle | None]:
    """Yield the parts of the bundles of one process, of which ``share`` says which one it is, and
    None after each bundle."""
    waiting = deque[tuple[str, Future[bytes]] | None]()
    with ThreadPoolExecutor(max_workers=1) as beside:
        for part in _parts(answers, index, share, workers):
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


def _parts(answers: Answers, index: Index, share: int, workers: int) -> Iterator[Bundle | None]:
    """Yield the same as columns, which are not compressed yet."""
    together = Together()
    for number, (bundle, paths) in enumerate(bundled(index, answers.hops)):
        if number // RUN % workers != share:
            continue
        if paths[0].startswith("packet/"):
            yield from _packets(index, bundle, paths, together.parts)
        elif bundle == own_bundle(paths[0]):
            yield from _neighbours(answers, bundle, paths)
        else:
            yield from _shared(answers, bundle, paths)
        yield None


def _neighbours(answers: Answers, bundle: str, paths: Sequence[str]) -> Iterator[Bundle]:
    """Yield the parts of a bundle whose paths end in numbers; a part begins anywhere."""
    part = Part(bundle)
    for path in paths:
        if part.held > PART:
            yield part.columns()
            part = Part(bundle + path.rpartition("/")[2])
        part.add(path, answers.found(path))
    yield part.columns()


def _packets(index: Index, bundle: str, paths: Sequence[str], tell: Tell) -> Iterator[Bundle]:
    """Do the same with those about packets, which are made many at a time, as columns."""
    begin = len(packet_path(index, ""))
    name, held = bundle, 0
    some: list[Sequence[Sequence[Any]]] = []
    for columns in frames(index, [int(path[begin:]) for path in paths], tell):
        if held > PART:
            yield _frames(index, name, some)
            name, held, some = f"{bundle}{columns[0][0]}", 0, []
        some.append(columns)
        held += weight_of_frames(*columns[-4:])
    yield _frames(index, name, some)


def _frames(index: Index, name: str, blocks: Sequence[Sequence[Sequence[Any]]]) -> Bundle:
    columns = [list(chain.from_iterable(column)) for column in zip(*blocks, strict=True)]
    paths = [packet_path(index, str(packet)) for packet in columns[0]]
    return name, packed(paths, Table(FIELDS, columns))


def _shared(answers: Answers, bundle: str, paths: Sequence[str]) -> Iterator[Bundle]:
    """Yield the parts of a bundle that exchanges share; each begins with one of them. An answer
    that is large has a bundle of its own."""
    part, place = Part(bundle), place_in(paths[0])
    for path in paths:
        if (upcoming := place_in(path)) != place:
            place = upcoming
            if part.held > SHARED:
                yield part.columns()
                part = Part(bundle + place)
        found = answers.found(path)
        if weight_of(found) > LIGHT:
            alone = Part(own_bundle(path))
            alone.add(path, found)
            yield alone.columns()
        else:
            part.add(path, found)
    if part.held:
        yield part.columns()


class Part:
    """Answers that lie together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.held = 0
        """Bytes that they take, about; 0 if there are none."""
        self._paths: list[str] = []
        self._found: list[Any] = []

    def add(self, path: str, found: Any) -> None:
        """Add the answer to a path."""
        self._paths.append(path)
        self._found.append(found)
        self.held += OF_AN_ITEM + weight_of(found)

    def columns(self) -> Bundle:
        """Return its name and its answers, as they are compressed."""
        return self.name, packed(self._paths, self._found)


def weight_of(answer: Any) -> int:
    """Return how many bytes an answer takes, about: bytes of packets, encoded records and text of
    bodies as they are, what else there is many of by its number."""
    if isinstance(answer, list):
        return len(answer) * OF_A_ROW
    if not isinstance(answer, dict):
        return 0
    held = 0
    for value in answer.values():
        kind = type(value)
        if kind is list:
            held += len(value) * OF_AN_ITEM
        elif kind is bytes:
            held += len(value)
        elif kind is msgspec.Raw:
            held += memoryview(value).nbytes
        elif kind is Table:
            held += sum(map(_weight_of_row, zip(*value.columns, strict=True)))
    if "pieces" in answer:
        held += sum(len(piece.text) for piece in answer["pieces"])
    return held


def _weight_of_row(row: Sequence[Any]) -> int:
    """Return the same of an element: its record is encoded, unless it is cut."""
    _, _, _, record, _, _, carried, _, opened, _ = row
    held = OF_AN_ITEM * (len(carried) + len(opened))
    return held + memoryview(record).nbytes if type(record) is msgspec.Raw else held


def weight_of_frames(
    brought: Sequence[Any], parts: Sequence[Any], _: object, data: Sequence[bytes]
) -> int:
    """Return the same of what is told of packets."""
    items = len(data) + sum(map(len, brought)) + sum(map(len, parts))
    return OF_AN_ITEM * items + sum(map(len, data))


def _compressed(columns: bytes) -> bytes:
    """Return a bundle as it stands in the file; the same for the same answers."""
    return b64encode(gzip.compress(columns, LEVEL, mtime=0))
