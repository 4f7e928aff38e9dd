"""``--jobs N``: one capture decoded by several processes, with the output of one, byte for byte.

Strategy: the parent reads the headers of all packets, and tells each worker where those of its own
connections lie (:mod:`parsers.decode.dividing`); it is a few batches ahead of them. Where that does
not tell all that one process would know, the workers begin again: each reads all packets, follows
the TCP of all connections, which costs a quarter of a decode, and decodes every Nth; or, where
memory is short, this process decodes by itself. What has been put out by then stays as it is. All
take as many packets at once as one process would, so the messages of all workers go together, each
with what the same packets completed; records are in it encoded, each with its place in the order.
The parent takes one message from each worker, sorts their records together, and hands them on. It
keeps no more than that: a worker that is ahead waits at its pipe.

A packet belongs to one connection and a connection to one worker, so a place is one worker's. What
belongs to no connection is the first worker's, and stands before what its packet completes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from functools import partial
from itertools import accumulate, chain, islice
from typing import BinaryIO, TypedDict

import msgspec
from msgspec.structs import replace
from parsers import (
    Indivisible,
    KeyLog,
    Portion,
    Seekable,
    TimeOrder,
    decode_batches,
    decode_share,
    divided,
)
from parsers.records import DiagnosticRecord, Record
from parsers.wants import EVERYTHING, Wants

from ..analysis.selection import Clue, clue
from ..views.kinds import ExportName, export
from .feeds import Feed
from .undecoded import noting_undecoded
from .workers import Team, Worker, send


class Part(msgspec.Struct, array_like=True, tag="part"):
    """What one worker has of a batch of records."""

    places: list[int]
    """The place of each record in the order of the whole."""
    records: list[bytes]
    clues: list[Clue]
    """None at all unless exchanges are to be chosen."""
    undecoded: list[str] = []
    """What :func:`noting_undecoded` found by now, for the first time in this message."""


class Failure(msgspec.Struct, array_like=True, tag="failure"):
    """What kept a worker from reading the capture: an OSError if it has a number, or ValueError."""

    message: str
    number: int | None = None
    name: str | None = None
    """Of the file that it is about, if the error named one."""

    @classmethod
    def of(cls, error: OSError | ValueError) -> Failure:
        if not isinstance(error, OSError):
            return cls(str(error))
        name = error.filename if isinstance(error.filename, str) else None
        return cls(error.strerror or str(error), error.errno, name)

    def error(self) -> OSError | ValueError:
        """Return the error that it stands for."""
        if self.number is None:
            return ValueError(self.message)
        return OSError(self.number, self.message, self.name)


class Undivided(msgspec.Struct, array_like=True, tag="undivided"):
    """What came before is the share of a whole; what comes next is not."""

    is_for_one: bool
    """Whether one process must decode it."""


class Options(TypedDict):
    """What a capture is decoded with, however it is divided."""

    keep_data: bool
    shows_records: bool
    keylog: KeyLog | None
    memory: int | None
    wants: Wants


Message = Part | Failure | Undivided
ENCODER = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
PORTIONS: msgspec.msgpack.Decoder[Portion] = msgspec.msgpack.Decoder(Portion)


class Task(msgspec.Struct, frozen=True):
    """What all workers do, each with its share of the connections."""

    form: ExportName
    keep_data: bool
    has_clues: bool
    """Whether records come with what a choice among them must know."""
    workers: int
    shows_records: bool = False
    """Whether TLS records are shown."""
    keylog: KeyLog | None = None
    """Secrets of TLS, beside those in the capture."""
    memory: int | None = None
    """What each worker may hold for all its connections together, in bytes."""
    wants: Wants = EVERYTHING
    """Which records are shown."""
    is_divided: bool = True
    """Whether a worker follows its own connections alone; else all, and decodes each Nth."""

    def run(
        self, share: int, capture: Seekable, stream: BinaryIO, portions: Iterable[Portion] = ()
    ) -> None:
        """Decode the connections of a share, and write messages with their records.

        Raises BrokenPipeError if nobody reads them any more, or nobody tells any more of the
        capture.
        """
        try:
            for part in self.parts(share, capture, portions):
                _send(stream, part)
        except BrokenPipeError:
            raise
        except Indivisible as found:
            _send(stream, Undivided(found.is_for_one))
        except (OSError, ValueError) as error:
            _send(stream, Failure.of(error))

    def parts(
        self, share: int, capture: Seekable, portions: Iterable[Portion] = ()
    ) -> Iterator[Part]:
        """Yield the messages of a share; ``portions`` are what it is told of a capture that is
        divided. Raises Indivisible, OSError and ValueError."""
        encode = export(self.form).encode
        order = TimeOrder()
        batches = self._batches(share, capture, portions, order)
        undecoded: list[str] = []
        for records in noting_undecoded(batches, undecoded):
            said, undecoded[:] = list(undecoded), []
            asked = self.wants.of(records)
            clues = list(map(clue, asked)) if self.has_clues else []
            # The record of an open connection follows what came after its last packet.
            places = list(accumulate(order.places(asked), max))
            yield Part(places, encode(asked), clues, said)

    def _batches(
        self, share: int, capture: Seekable, portions: Iterable[Portion], order: TimeOrder
    ) -> Iterator[list[Record]]:
        options: Options = {
            "keep_data": self.keep_data,
            "shows_records": self.shows_records,
            "keylog": self.keylog,
            "memory": self.memory,
            "wants": self.wants.also(DiagnosticRecord),  # some are noted, whatever is shown
        }
        if self.is_divided:
            return decode_share(capture, portions, share, self.workers, **options)
        if self.workers == 1:
            return decode_batches(capture, order=order, **options)
        # What belongs to no connection is the first worker's.
        return decode_batches(
            capture,
            order=order,
            wanted=lambda connection: (connection or 0) % self.workers == share,
            of=self.workers,
            **options,
        )


def _send(stream: BinaryIO, message: Message) -> None:
    send(stream, ENCODER.encode(message))


def _received(worker: Worker) -> Part | None:
    """Return what a worker's next message says, None if it is done.

    Raises WorkerDied, what the worker raised when it read the capture, and Indivisible.
    """
    data = worker.message()
    if data is None:
        return None
    message = DECODER.decode(data)
    if isinstance(message, Part):
        return message
    if isinstance(message, Undivided):
        raise Indivisible("by a worker", is_for_one=message.is_for_one)
    raise message.error()


class SharedFile:
    """A regular file that several processes read, each from a place of its own.

    It begins where the descriptor stands, and ends where the file ends now, so that all of them
    read the same even if it grows.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._position = os.lseek(descriptor, 0, os.SEEK_CUR)
        self._end = os.fstat(descriptor).st_size

    def read(self, size: int, /) -> bytes:
        left = max(self._end - self._position, 0)
        data = os.pread(self._descriptor, min(size, left), self._position)
        self._position += len(data)
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, position: int, /) -> None:
        self._position = position


class DecodingTeam(Team):
    """Workers that decode one capture together.

    ``descriptor`` is of a regular file, and stays where it stands.
    """

    def __init__(self, task: Task, descriptor: int) -> None:
        self._task = task
        self._capture = SharedFile(descriptor)
        self._feeds = [Feed() for _ in range(task.workers)]
        super().__init__([partial(self._run, share) for share in range(task.workers)])
        self.undecoded: list[str] = []
        """What was not decoded, once all batches have come."""

    def batches(self) -> Iterator[tuple[list[bytes], list[Clue]]]:
        """Yield the encoded records of each batch in order, and their clues if there are any.

        Raises WorkerDied, and OSError and ValueError as
        :func:`~parsers.decode.capture.decode_batches` does.
        """
        count = 0
        try:
            for parts in self._divided():
                yield self._joined(parts)
                count += 1
        except Indivisible as found:
            yield from self._anew(found, count)

    def _anew(self, found: Indivisible, done: int) -> Iterator[tuple[list[bytes], list[Clue]]]:
        """Go on where the capture cannot be divided: decode it from its beginning, otherwise.

        What other shares would have told of the batches that are ``done`` is in them.
        """
        self._end()
        if found.is_for_one:
            alone = replace(self._task, workers=1, is_divided=False)
            for part in islice(alone.parts(0, copy(self._capture)), done, None):
                yield self._joined([part])
            return
        whole = replace(self._task, is_divided=False)
        self._restart([partial(whole.run, share, self._capture) for share in range(whole.workers)])
        count = done
        try:
            for parts in islice(self._received(), done, None):
                yield self._joined(parts)
                count += 1
        except Indivisible as again:
            yield from self._anew(again, count)

    def _run(self, share: int, stream: BinaryIO) -> None:
        """Be a worker with a share of its own."""
        for number, feed in enumerate(self._feeds):
            feed.keep(reading=number == share)
        portions = map(PORTIONS.decode, self._feeds[share].messages())
        self._task.run(share, self._capture, stream, portions)

    def _divided(self) -> Iterator[list[Part]]:
        """Tell the workers of each batch, and yield what they have of it."""
        for told in self._told():
            if not isinstance(told, list):
                while self._feeds[0].waiting:
                    yield self._answers()
                raise told
            while not all(map(Feed.has_room, self._feeds, told)):
                yield self._answers()
            for feed, data in zip(self._feeds, told, strict=True):
                feed.put(data)
        yield from self._received()

    def _told(self) -> Iterator[list[bytes] | Indivisible | OSError | ValueError]:
        """Yield what each worker is told of each batch, and what keeps it from being told more."""
        try:
            for portions in divided(copy(self._capture), self._task.workers):
                yield list(map(ENCODER.encode, portions))
        except (Indivisible, OSError, ValueError) as found:
            yield found

    def _answers(self) -> list[Part]:
        """Return what all workers have of the next batch that they were told of."""
        parts = [part for worker in self.workers if (part := _received(worker))]
        for feed in self._feeds:
            feed.note_answer()
        return parts

    def _start(self) -> None:
        super()._start()
        for feed in self._feeds:
            feed.keep(writing=True)

    def _end(self) -> None:
        super()._end()
        for feed in self._feeds:
            feed.keep()

    def _received(self) -> Iterator[list[Part]]:
        """Yield what all workers have of each batch."""
        while parts := [part for worker in self.workers if (part := _received(worker))]:
            yield parts

    def _joined(self, parts: Sequence[Part]) -> tuple[list[bytes], list[Clue]]:
        for part in parts:
            self.undecoded += part.undecoded
        return merged(parts)


def merged(parts: Sequence[Part]) -> tuple[list[bytes], list[Clue]]:
    """Return what workers have of the same batch in the order of the whole."""
    filled = [part for part in parts if part.places]
    if len(filled) == 1:
        return filled[0].records, filled[0].clues
    places = list(chain.from_iterable(part.places for part in filled))
    records = list(chain.from_iterable(part.records for part in filled))
    clues = list(chain.from_iterable(part.clues for part in filled))
    order = in_order(places)
    return [records[index] for index in order], [clues[index] for index in order] if clues else []


def in_order(places: Sequence[int]) -> list[int]:
    """Return where the records of the whole stand among those of one worker after the other."""
    # Sorting finds the runs of the workers and merges them.
    return sorted(range(len(places)), key=places.__getitem__)
