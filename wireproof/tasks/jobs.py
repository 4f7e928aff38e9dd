"""``--jobs N``: one capture decoded by several processes, with the output of one, byte for byte.

Strategy: every worker reads all packets and follows the TCP of all connections, so that it knows
their numbers, but decodes only each Nth of them: following costs a quarter of decoding. All take
as many packets at once as one process would, so the messages of all workers go together, each
with what the same packets completed; records are in it encoded, each with its place in the order.
The parent takes one message from each worker, sorts their records together, and hands them on. It
keeps no more than that: a worker that is ahead waits at its pipe.

A packet belongs to one connection and a connection to one worker, so a place is one worker's. What
belongs to no connection is the first worker's, and stands before what its packet completes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import BinaryIO

import msgspec
from parsers import KeyLog, Readable, TimeOrder, decode_batches
from parsers.records import DiagnosticRecord
from parsers.wants import EVERYTHING, Wants

from ..analysis.selection import Clue, clue
from ..views.kinds import ExportName, export
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


Message = Part | Failure
ENCODER = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


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

    def run(self, share: int, capture: Readable, stream: BinaryIO) -> None:
        """Decode the connections of a share, and write messages with their records.

        Raises BrokenPipeError if nobody reads them any more.
        """
        try:
            for part in self._parts(share, capture):
                _send(stream, part)
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:
            _send(stream, Failure.of(error))

    def _parts(self, share: int, capture: Readable) -> Iterator[Part]:
        encode = export(self.form).encode
        order = TimeOrder()
        batches = decode_batches(
            capture,
            order=order,
            keep_data=self.keep_data,
            shows_records=self.shows_records,
            keylog=self.keylog,
            memory=self.memory,
            wants=self.wants.also(DiagnosticRecord),  # some are noted, whatever is shown
            # What belongs to no connection is the first worker's.
            wanted=lambda connection: (connection or 0) % self.workers == share,
        )
        undecoded: list[str] = []
        for records in noting_undecoded(batches, undecoded):
            said, undecoded[:] = list(undecoded), []
            asked = self.wants.of(records)
            clues = list(map(clue, asked)) if self.has_clues else []
            yield Part(order.places(asked), encode(asked), clues, said)


def _send(stream: BinaryIO, message: Message) -> None:
    send(stream, ENCODER.encode(message))


def _received(worker: Worker) -> Part | None:
    """Return what a worker's next message says, None if it is done.

    Raises WorkerDied, and what the worker raised when it read the capture.
    """
    data = worker.message()
    if data is None:
        return None
    message = DECODER.decode(data)
    if isinstance(message, Part):
        return message
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
        capture = SharedFile(descriptor)
        super().__init__([partial(task.run, share, capture) for share in range(task.workers)])
        self.undecoded: list[str] = []
        """What was not decoded, once all batches have come."""

    def batches(self) -> Iterator[tuple[list[bytes], list[Clue]]]:
        """Yield the encoded records of each batch in order, and their clues if there are any.

        Raises WorkerDied, and OSError and ValueError as
        :func:`~parsers.decode.capture.decode_batches` does.
        """
        while parts := [part for worker in self.workers if (part := _received(worker))]:
            for part in parts:
                self.undecoded += part.undecoded
            yield merged(parts)


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
