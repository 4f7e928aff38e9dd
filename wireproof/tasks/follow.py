"""What ``wireproof follow`` does: a capture in, the bytes of one of its streams out.

Strategy: the bytes of TCP come from the decoder's own streams, as they are put in order. Where they
belong to one exchange, a reading before says between which offsets they lie; the content of bodies
comes from records. Neither keeps more than what one batch of packets brings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from parsers import BATCH, KeyLog, OrderedCapture, decode_batches
from parsers.records import Record, Sender, Sent

from ..bytes.followed import FollowedConnection, FollowedContent, FollowedQuic, Piece, Take
from ..opening import open_input
from ..output import open_stream, open_text
from ..text.progress import shown
from ..views.followed import FollowedText
from ..views.painter import Painter
from .chosen import seekable
from .decode import check_output
from .unread import CaptureFaults

Layer = Literal["tcp", "tls", "quic", "body"]


@dataclass(frozen=True)
class FollowOptions:
    """The options of ``wireproof follow``."""

    source: str
    """A path, or ``-`` for standard input."""
    connection: int
    exchange: int | None = None
    sender: Sender | None = None
    """Whose bytes; None for both, in the order in which they came."""
    layer: Layer = "tcp"
    keylog: KeyLog | None = None
    """Keys beside those in the capture."""
    is_raw: bool = False
    output: str | None = None


class NothingToFollow(ValueError):
    """What is asked for is not in the capture, or not one run of bytes; the message says why."""


@dataclass
class Followed:
    """What was written."""

    size: int = 0
    """Bytes."""
    missing: int = 0
    """Bytes that should have been there."""
    faults: CaptureFaults = field(default_factory=CaptureFaults)
    """What is wrong with the capture itself."""


def follow(wanted: FollowOptions) -> Followed:
    """Write the bytes that are wanted.

    Raises OSError for what cannot be read or written, NothingToFollow, and ValueError for what is
    no capture, for an output that is the input, and for raw bytes on a terminal.
    """
    check_output(wanted.source, wanted.output)
    if wanted.is_raw and wanted.output in (None, "-") and sys.stdout.isatty():
        raise ValueError("raw bytes are not for a terminal: name a file with -o, or use a pipe")
    with ExitStack() as stack:
        source = open_input(wanted.source, stack)
        spans = None
        if wanted.exchange is not None and wanted.layer in ("tcp", "tls"):
            source = seekable(source, stack)
            spans = _spans(source, wanted, wanted.exchange)
            source.seek(0)
        source = stack.enter_context(shown(source, "following"))
        done = Followed()
        take = _counting(wanted, done, _writer(wanted, stack))
        if wanted.layer == "body":
            _follow_content(source, wanted, take, done.faults)
        elif wanted.layer == "quic":
            _follow_quic(source, wanted, take, done.faults)
        else:
            _follow_stream(source, wanted, spans, take, done.faults)
    return done


def _follow_stream(
    source: BinaryIO,
    wanted: FollowOptions,
    spans: dict[Sender, tuple[int, int]] | None,
    take: Take,
    faults: CaptureFaults,
) -> None:
    capture = OrderedCapture(source, keylog=wanted.keylog)
    is_tls = wanted.layer == "tls"
    keys = capture.keys if is_tls else None
    followed = FollowedConnection(wanted.connection, take, spans, keys=keys)
    for batch in capture.batches(BATCH, lambda: followed.room):
        followed.receive(batch)
    followed.finish()
    faults.of_file(capture.faults)
    if followed.connection is None:
        raise NothingToFollow(f"there is no connection {wanted.connection}")
    if is_tls and not followed.has_content:
        raise NothingToFollow(
            f"connection {wanted.connection} has no TLS that can be decrypted: --keylog gives keys"
        )


def _follow_quic(
    source: BinaryIO, wanted: FollowOptions, take: Take, faults: CaptureFaults
) -> None:
    number, exchange = wanted.connection, wanted.exchange
    if exchange is None:
        raise NothingToFollow(
            "QUIC streams are followed one at a time: choose one with --exchange C/E"
        )
    capture = OrderedCapture(source, keylog=wanted.keylog)
    followed = FollowedQuic(number, exchange, take, keys=capture.keys)
    for batch in capture.batches(BATCH):
        followed.receive(batch)
    followed.finish()
    faults.of_file(capture.faults)
    if followed.has_content:
        return
    if followed.has_connection:
        raise NothingToFollow(f"connection {number} has no exchange {exchange}")
    raise NothingToFollow(
        f"connection {number} is not QUIC that can be decrypted: give keys with --keylog"
    )


def _follow_content(
    source: BinaryIO, wanted: FollowOptions, take: Take, faults: CaptureFaults
) -> None:
    content = FollowedContent(take)
    is_there = False
    for record in _records(source, wanted, keep_data=True, faults=faults):
        is_there = True
        if wanted.exchange is None or getattr(record, "exchange", None) == wanted.exchange:
            content.receive(record)
    if not is_there:
        raise NothingToFollow(f"there is no connection {wanted.connection}")


def _spans(source: BinaryIO, wanted: FollowOptions, exchange: int) -> dict[Sender, tuple[int, int]]:
    """Return between which bytes of its layer an exchange lies, of each side that has some."""
    found: dict[Sender, tuple[int, int]] = {}
    unsaid = CaptureFaults()  # they are told when the bytes are read
    for record in _records(source, wanted, keep_data=False, faults=unsaid):
        if not isinstance(record, Sent) or record.exchange != exchange:
            continue
        if record.stream_id is not None:
            raise NothingToFollow(
                f"exchange {exchange} is interleaved with frames of other streams:"
                " --layer body follows its content"
            )
        if record.layer != wanted.layer:
            raise NothingToFollow(
                f"exchange {exchange} lies in {record.layer}: --layer {record.layer}"
            )
        end = record.offset + record.length
        first, last = found.get(record.sender, (record.offset, end))
        found[record.sender] = min(first, record.offset), max(last, end)
    if not found:
        raise NothingToFollow(f"connection {wanted.connection} has no exchange {exchange}")
    return found


def _records(
    source: BinaryIO, wanted: FollowOptions, *, keep_data: bool, faults: CaptureFaults
) -> Iterator[Record]:
    connection = wanted.connection
    batches = decode_batches(
        source,
        keep_data=keep_data,
        wanted=lambda index: index in (None, connection),
        keylog=wanted.keylog,
    )
    for batch in faults.noting(batches):
        for record in batch:
            if record.connection == connection:
                yield record


def _counting(wanted: FollowOptions, done: Followed, write: Take) -> Take:
    """Return a taker that counts the pieces of the wanted sender, and passes them on."""

    def take(piece: Piece) -> None:
        if wanted.sender in (None, piece.sender):
            done.size += len(piece.data)
            done.missing += piece.missing
            write(piece)

    return take


def _writer(wanted: FollowOptions, stack: ExitStack) -> Take:
    """Return what writes pieces; the output is opened with the first."""
    if wanted.is_raw:
        return _raw(lambda: open_stream(wanted.output, stack, source=wanted.source))
    from rich.console import Console

    text = FollowedText(
        Painter(Console(file=open_text(wanted.output, stack, source=wanted.source)))
    )
    stack.callback(text.close)
    return text.add


def _raw(open_output: Callable[[], BinaryIO]) -> Take:
    stream = open_output()

    def write(piece: Piece) -> None:
        stream.write(piece.data)

    return write
