"""Several captures at the same time: each is read by one process, and told of in the order given.

Strategy: captures are shared out before any is read, the largest first, each to the worker that has
least to read. A worker puts what it finds into a scratch file, and tells through its pipe how long
it is, so that it never waits for the captures before its own; the parent takes one capture after
the other, as a single process would read them. So memory holds one message, however much is found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import msgspec
from parsers import Memory
from parsers.limits import MAX_MEMORY

from ..output import scratch
from .decode import LARGE_CAPTURE, MOST_WORKERS, Say, usable_cores
from .jobs import Failure
from .worker_died import WorkerDied
from .workers import LENGTH, Team, send

C = TypeVar("C")
F = TypeVar("F")
Find = Callable[[C, Say], Iterable[F]]
"""Reads a capture, tells what a user should know beside it, and yields what is found in it."""
EARLY = 1 << 8
"""The status of a worker that ends as if it were done, and is not: exit code 1."""


class Found(msgspec.Struct, array_like=True, tag="found"):
    """Something of a capture."""

    value: msgspec.Raw


class Said(msgspec.Struct, array_like=True, tag="said"):
    """What a user should know beside it."""

    text: str


class End(msgspec.Struct, array_like=True, tag="end"):
    """There is no more of a capture."""


Message = Found | Said | Failure | End
ENCODER = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def jobs_for(sources: Sequence[str], jobs: int | None, say: Say, *, divides: bool = False) -> int:
    """Return how many processes read ``sources``, paths of captures or ``-``.

    ``jobs`` is what was asked for, None for as many as help. ``say`` is told why it is but one.
    ``divides`` is whether several can read one capture, if there is but one: that pays for streams,
    and costs twice as much for short exchanges, so they do where they are asked to.
    """
    if jobs == 1 or (len(sources) < 2 and (jobs is None or not divides)):
        return 1
    most = usable_cores() if len(sources) == 1 else min(usable_cores(), len(sources))
    what = "captures" if len(sources) > 1 else "capture"
    irregular = next(filter(_is_irregular, sources), None)
    if jobs is None:
        is_possible = hasattr(os, "fork") and irregular is None
        is_possible &= Memory.usual == MAX_MEMORY  # another one is of all of them together
        is_worth = is_possible and sum(map(size_of, sources)) >= LARGE_CAPTURE
        return min(MOST_WORKERS, most) if is_worth else 1
    if not hasattr(os, "fork"):
        say(f"this system cannot fork: reading the {what} in one process")
        return 1
    if irregular is not None:
        why = f"{irregular} is not a regular file"
        if irregular == "-":
            why = "standard input is read where it stands"
        say(f"{why}: reading the {what} in one process")
        return 1
    return min(jobs, most)


def _is_irregular(source: str) -> bool:
    """Whether a source must be read where it stands; of none that is missing."""
    return source == "-" or (Path(source).exists() and not Path(source).is_file())


def size_of(source: str) -> int:
    """Return the size of a file, in bytes; 0 if there is none."""
    path = Path(source)
    return path.stat().st_size if path.is_file() else 0


def shared_out(sizes: Sequence[int], workers: int) -> list[int]:
    """Return for each capture which worker reads it; ``sizes`` are in bytes."""
    loads = [0] * workers
    shares = [0] * len(sizes)
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        shares[index] = loads.index(min(loads))
        loads[shares[index]] += max(sizes[index], 1)
    return shares


class SeveralTeam(Team, Generic[C, F]):
    """Workers that read captures with ``find``, each its share of them.

    ``sizes`` are those of the captures, in bytes; ``kind`` is the type of what is found.
    """

    def __init__(
        self,
        captures: Sequence[C],
        sizes: Sequence[int],
        workers: int,
        find: Find[C, F],
        kind: type[F],
    ) -> None:
        super().__init__([partial(self._run, share) for share in range(workers)])
        self._captures = captures
        self._shares = shared_out(sizes, workers)
        self._find = find
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._scratch = [scratch() for _ in range(workers)]
        self._read = [0] * workers

    def _end(self) -> None:
        super()._end()
        for file in self._scratch:
            file.close()

    def _run(self, share: int, stream: BinaryIO) -> None:
        """Be a worker: read the captures of a share, up to one that cannot be read."""
        put = partial(self._put, share, stream)
        for capture, worker in zip(self._captures, self._shares, strict=True):
            if worker == share and not self._is_read(capture, put):
                return

    def _is_read(self, capture: C, put: Callable[[Message], None]) -> bool:
        """Read a capture; return whether that could be done."""
        try:
            for found in self._find(capture, lambda text: put(Said(text))):
                put(Found(msgspec.Raw(ENCODER.encode(found))))
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:
            put(Failure.of(error))
            return False
        put(End())
        return True

    def _put(self, share: int, stream: BinaryIO, message: Message) -> None:
        data = ENCODER.encode(message)
        view = memoryview(data)
        while view:
            view = view[self._scratch[share].write(view) :]
        send(stream, LENGTH.pack(len(data)))

    def found(self, index: int, say: Say) -> Iterator[F]:
        """Yield what is found in the capture at ``index``; in the order of the captures.

        Raises WorkerDied, and what ``find`` raised, as OSError or ValueError.
        """
        while not isinstance(message := self._taken(self._shares[index]), End):
            if isinstance(message, Failure):
                raise message.error()
            if isinstance(message, Said):
                say(message.text)
            else:
                yield self._decoder.decode(message.value)

    def _taken(self, number: int) -> Message:
        """Return a worker's next message."""
        head = self.workers[number].message()
        if head is None:
            raise WorkerDied(number, EARLY)
        (size,) = LENGTH.unpack(head)
        data = os.pread(self._scratch[number].fileno(), size, self._read[number])
        self._read[number] += size
        return DECODER.decode(data)
