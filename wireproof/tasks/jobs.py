"""``--jobs N``: one capture decoded by several processes, with the output of one, byte for byte.

Strategy: the parent reads the headers of all packets, and tells each worker where those of its own
connections lie (:mod:`parsers.decode.dividing`); it is a few batches ahead of them. Where that does
not tell all that one process would know, the workers begin again: each reads all packets, follows
the TCP of all connections, which costs a quarter of a decode, and decodes every Nth; or, where
memory is short, this process decodes by itself. What has been put out by then stays as it is. All
take as many packets at once as one process would, so the messages of all workers go together, each
with what the same packets completed: records one after the other, encoded, and the place of each in
the order. The parent takes one message from each worker, and hands the records on as that order has
them, from where the worker has put them (:mod:`.slots`). It keeps no more than that: a worker that
is ahead waits at its pipe.

A packet belongs to one connection and a connection to one worker, so a place is one worker's. What
belongs to no connection is the first worker's, and stands before what its packet completes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from copy import copy
from functools import partial
from itertools import accumulate, chain, islice
from typing import BinaryIO, TypedDict, cast

import msgspec
from msgspec.structs import replace
from parsers import (
    Indivisible,
    KeyLog,
    Portion,
    Readable,
    Seekable,
    TimeOrder,
    decode_batches,
    decode_share,
    divided,
)
from parsers.records import DiagnosticRecord, Record
from parsers.wants import EVERYTHING, Wants

from ..analysis.selection import Clue, clue
from ..text.progress import shown
from ..views import Buffer
from ..views.kinds import ExportName, export
from .feeds import Feed
from .slots import Slots
from .undecoded import noting_undecoded
from .workers import Team, Worker, send


class Part(msgspec.Struct, array_like=True, tag="part"):
    """What one worker has of a batch of records."""

    places: list[int]
    """The place of each record in the order of the whole; of those that have the same one, once.
    """
    ends: list[int]
    """Where each ends, or the last of those."""
    data: bytes
    """The records, one after the other; empty if they lie in the worker's slot."""
    clues: list[Clue] = []
    """None at all unless exchanges are to be chosen: then there is one for each record, each of
    which is by itself."""
    undecoded: list[str] = []
    """What :func:`noting_undecoded` found by now, for the first time in this message."""
    count: int = 0
    """How many records there are."""

    @classmethod
    def of(cls, places: Sequence[int], ends: Sequence[int], data: bytes) -> Part:
        """Return a part of which nobody asks for each record: those of one place go together."""
        last = dict(zip(places, ends, strict=True))
        return cls(list(last), list(last.values()), data)

    @property
    def size(self) -> int:
        """Bytes of all its records."""
        return self.ends[-1] if self.ends else 0

    def pieces(self, data: Buffer) -> list[Buffer]:
        """Return the records of each place; ``data`` has them all."""
        return [data[start:end] for start, end in zip((0, *self.ends), self.ends, strict=False)]


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
Make = Callable[[list[Record], list[int]], Part]
Found = list[tuple[Part, Buffer]]
"""What workers have of one batch, each with its data."""
ENCODER = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
PORTIONS: msgspec.msgpack.Decoder[Portion] = msgspec.msgpack.Decoder(Portion)


class Work(msgspec.Struct, frozen=True):
    """What all workers do with the records of a capture, each with its share of the connections."""

    workers: int
    keep_data: bool = True
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
        self,
        share: int,
        capture: Seekable,
        stream: BinaryIO,
        portions: Iterable[Portion] = (),
        slots: Slots | None = None,
    ) -> None:
        """Decode the connections of a share, and write messages with their records, which go into
        ``slots`` where nobody asks for more than these hold.

        Raises BrokenPipeError if nobody reads them any more, or nobody tells any more of the
        capture.
        """
        try:
            for batch, part in enumerate(self.parts(share, capture, portions)):
                is_put = slots is not None and slots.put(batch, part.data)
                _send(stream, replace(part, data=b"") if is_put else part)
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
        made = self._making()
        order = TimeOrder()
        batches = self._batches(share, capture, portions, order)
        undecoded: list[str] = []
        for records in noting_undecoded(batches, undecoded):
            said, undecoded[:] = list(undecoded), []
            asked = self.wants.of(records)
            # The record of an open connection follows what came after its last packet.
            places = list(accumulate(order.places(asked), max))
            yield replace(made(asked, places), undecoded=said, count=len(asked))

    def _making(self) -> Make:
        """Return what makes a part of the records of a batch and their places."""
        raise NotImplementedError

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


class Task(Work, frozen=True):
    """What workers do that decode: their records, encoded."""

    form: ExportName = "ndjson"
    has_clues: bool = False
    """Whether records come with what a choice among them must know."""

    def _making(self) -> Make:
        encode = export(self.form).encode

        def made(records: list[Record], places: list[int]) -> Part:
            clues = list(map(clue, records)) if self.has_clues else []
            data, ends = encode(records)
            return Part(places, ends, data, clues) if clues else Part.of(places, ends, data)

        return made


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

    It begins where the descriptor stands, and stops at ``end``, None: where the file ends now. So
    all of them read the same even if it grows.
    """

    def __init__(self, descriptor: int, end: int | None = None) -> None:
        self._descriptor = descriptor
        self._position = os.lseek(descriptor, 0, os.SEEK_CUR)
        self._end = os.fstat(descriptor).st_size if end is None else end

    def read(self, size: int, /) -> bytes:
        left = max(self._end - self._position, 0)
        data = os.pread(self._descriptor, min(size, left), self._position)
        self._position += len(data)
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, position: int, /) -> None:
        self._position = position

    def fileno(self) -> int:
        return self._descriptor


class DecodingTeam(Team):
    """Workers that decode one capture together.

    ``descriptor`` is of a regular file, and stays where it stands; ``end`` is where reading stops,
    None: where the file ends now. ``doing`` is what a progress bar says, None for no bar.
    """

    def __init__(
        self, task: Work, descriptor: int, doing: str | None = None, end: int | None = None
    ) -> None:
        self._task = task
        self._doing = doing
        self._capture = SharedFile(descriptor, end)
        self._feeds = [Feed() for _ in range(task.workers)]
        self._slots = [Slots() for _ in range(task.workers)]
        self._batch = 0
        """What comes next of a capture that is divided."""
        super().__init__([partial(self._run, share) for share in range(task.workers)])
        self.undecoded: list[str] = []
        """What was not decoded, once all batches have come."""
        self.count = 0
        """How many records have come."""

    def batches(self) -> Iterator[tuple[list[Buffer], list[Clue]]]:
        """Yield the encoded records of each batch in order, and their clues if there are any: then
        each record is by itself. Without clues they are gone when the next batch is asked for.

        Raises WorkerDied, and OSError and ValueError as
        :func:`~parsers.decode.capture.decode_batches` does.
        """
        count = 0
        try:
            for found in self._divided():
                yield self._joined(found)
                count += 1
        except Indivisible as why:
            yield from self._anew(why, count)

    def _anew(self, why: Indivisible, done: int) -> Iterator[tuple[list[Buffer], list[Clue]]]:
        """Go on where the capture cannot be divided: decode it from its beginning, otherwise.

        What other shares would have told of the batches that are ``done`` is in them.
        """
        self._end()
        if why.is_for_one:
            alone = replace(self._task, workers=1, is_divided=False)
            for part in islice(alone.parts(0, copy(self._capture)), done, None):
                yield self._joined([(part, part.data)])
            return
        whole = replace(self._task, is_divided=False)
        self._restart([partial(whole.run, share, self._capture) for share in range(whole.workers)])
        count = done
        try:
            for found in islice(self._received(), done, None):
                yield self._joined(found)
                count += 1
        except Indivisible as again:
            yield from self._anew(again, count)

    def _run(self, share: int, stream: BinaryIO) -> None:
        """Be a worker with a share of its own."""
        for number, feed in enumerate(self._feeds):
            feed.keep(reading=number == share)
        portions = map(PORTIONS.decode, self._feeds[share].messages())
        self._task.run(share, self._capture, stream, portions, self._slots[share])

    def _divided(self) -> Iterator[Found]:
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
        capture: Readable = copy(self._capture)
        try:
            with ExitStack() as stack:  # before workers begin again no bar is left, nor its thread
                if self._doing is not None:
                    capture = stack.enter_context(shown(cast(BinaryIO, capture), self._doing))
                for portions in divided(capture, self._task.workers):
                    yield list(map(ENCODER.encode, portions))
        except (Indivisible, OSError, ValueError) as found:
            yield found

    def _answers(self) -> Found:
        """Return what all workers have of the next batch that they were told of."""
        found = self._next()
        for feed in self._feeds:
            feed.note_answer()
        return found

    def _next(self) -> Found:
        """Return what all workers have of the next batch; of those that are done nothing comes."""
        found: Found = []
        for worker, slots in zip(self.workers, self._slots, strict=True):
            if (part := _received(worker)) is not None:
                is_put = part.size > len(part.data)
                data = slots.look(self._batch, part.size) if is_put else part.data
                found.append((part, data))
        self._batch += 1
        return found

    def _start(self) -> None:
        super()._start()
        for feed in self._feeds:
            feed.keep(writing=True)

    def _end(self) -> None:
        super()._end()
        for feed in self._feeds:
            feed.keep()

    def _received(self) -> Iterator[Found]:
        """Yield what all workers have of each batch."""
        while found := self._next():
            yield found

    def _joined(self, found: Found) -> tuple[list[Buffer], list[Clue]]:
        for part, _ in found:
            self.undecoded += part.undecoded
            self.count += part.count
        return merged(found)


def merged(found: Found) -> tuple[list[Buffer], list[Clue]]:
    """Return what workers have of the same batch in the order of the whole."""
    filled = [(part, data) for part, data in found if part.places]
    clues = list(chain.from_iterable(part.clues for part, _ in filled))
    if not clues and len(filled) == 1:
        return [filled[0][1]], []
    places = list(chain.from_iterable(part.places for part, _ in filled))
    records: list[Buffer] = []
    for part, data in filled:
        records += part.pieces(bytes(data) if clues else data)  # what is chosen later is kept
    order = in_order(places)
    return [records[index] for index in order], [clues[index] for index in order] if clues else []


def in_order(places: Sequence[int]) -> list[int]:
    """Return where the records of the whole stand among those of one worker after the other."""
    # Sorting finds the runs of the workers and merges them.
    return sorted(range(len(places)), key=places.__getitem__)
