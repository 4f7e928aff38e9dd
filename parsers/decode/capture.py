"""A capture decoded as a whole: its packets in batches, their records in the contract's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from ..files.input import Readable, Seekable
from ..files.reader import CaptureReader
from ..limits import MAX_BATCH
from ..records import Record
from ..wants import EVERYTHING, Wants
from .capture_faults import Choice
from .ordered_capture import OrderedCapture, growing_batches
from .packets import BATCH, PacketDecoder
from .side import with_ends_last
from .time_order import Step, TimeOrder

if TYPE_CHECKING:
    from ..tls.key_log import KeyLog
    from .dividing import Portion


def decode(
    stream: Readable,
    *,
    keep_data: bool = True,
    shows_records: bool = False,
    keylog: KeyLog | None = None,
    memory: int | None = None,
) -> Iterator[Record]:
    """Yield the records of a capture file in the order in which its packets complete them.

    Of ``stream`` only ``read`` is used, and ``seek`` to look for secrets in a pcapng file; with
    them, and those of ``keylog``, TLS is decrypted. ``keep_data=False`` leaves payloads out of the
    records; sizes and digests stay. ``shows_records`` adds TLS records. ``memory`` is what may be
    held for all connections together, in bytes, MAX_MEMORY if it is None: beyond it some are let
    go, with a diagnostic.

    Raises UnreadableCapture (a ValueError) if ``stream`` is no capture; a capture that is cut or
    damaged gives what is whole, and a diagnostic.
    """
    return chain.from_iterable(
        decode_batches(
            stream,
            keep_data=keep_data,
            shows_records=shows_records,
            keylog=keylog,
            memory=memory,
        )
    )


def decode_batches(
    stream: Readable,
    *,
    keep_data: bool = True,
    shows_records: bool = False,
    keylog: KeyLog | None = None,
    batch: int | None = None,
    wanted: Choice | None = None,
    is_live: bool = False,
    order: TimeOrder | None = None,
    memory: int | None = None,
    wants: Wants = EVERYTHING,
    of: int = 1,
) -> Iterator[list[Record]]:
    """Yield the records that each ``batch`` packets complete; the records are :func:`decode`'s.

    Of connections that are not ``wanted`` only TCP is followed, which costs a quarter, and there
    are no records. There is a batch for every ``batch`` packets, None: as many as pay; or fewer
    that hold MAX_BATCH bytes, and two for the rest and the end, whatever is wanted.

    Packets are read ahead, so that they are decoded in order of time, unless the stream
    ``is_live``: then none waits for another. ``order`` knows the places of a batch's packets.
    ``wants`` says which records there are at all. Where ``of`` decoders have a part of the same
    capture each, Indivisible is raised where one would do otherwise for want of memory.
    """
    capture = OrderedCapture(stream, is_live=is_live, order=order, keylog=keylog)
    yield from decode_capture(
        capture,
        keep_data=keep_data,
        shows_records=shows_records,
        batch=batch,
        wanted=wanted,
        memory=memory,
        wants=wants,
        of=of,
    )


def decode_capture(
    capture: OrderedCapture,
    *,
    keep_data: bool = True,
    shows_records: bool = False,
    batch: int | None = None,
    wanted: Choice | None = None,
    memory: int | None = None,
    wants: Wants = EVERYTHING,
    of: int = 1,
) -> Iterator[list[Record]]:
    """Yield the same of a capture that is open, for whoever wants to know what the file says too:
    of its interfaces, or of several files that belong together."""
    decoder = PacketDecoder(
        keep_data=keep_data,
        shows_records=shows_records,
        keys=capture.keys,
        wanted=wanted,
        is_relay=capture.is_relay,
        memory=memory,
        wants=wants,
    )
    steps = capture.steps(BATCH if batch is None else batch)
    for records in _decode_whole_batches(decoder, steps, batch):
        if of > 1:
            _check_memory(decoder, of)
        capture.sort(records)
        yield records
    yield decoder.report(capture.faults)


def _decode_whole_batches(
    decoder: PacketDecoder, found: Iterator[Step], batch: int | None
) -> Iterator[list[Record]]:
    """Yield the records of every whole batch, then of the packets that are left."""

    def most() -> int:
        return decoder.batch if batch is None else batch

    for rows, is_last in growing_batches(found, most, lambda: decoder.room):
        records = decoder.receive(rows)
        # The last packets and the end of the capture together: what the end completes belongs among
        # what they do.
        yield with_ends_last(records + decoder.finish()) if is_last else records


def decode_share(
    stream: Seekable,
    portions: Iterable[Portion],
    number: int,
    of: int,
    *,
    keep_data: bool = True,
    shows_records: bool = False,
    keylog: KeyLog | None = None,
    memory: int | None = None,
    wants: Wants = EVERYTHING,
) -> Iterator[list[Record]]:
    """Yield one of so many shares of the records that :func:`decode_batches` yields, in as many
    batches. ``portions`` are its own of what :func:`~.dividing.divided` yields of ``stream``, which
    begins where the file does. Raises Indivisible if they depend on the connections of other
    shares."""
    from .dividing import Indivisible
    from .keys import CaptureKeys
    from .shares import Share

    start = stream.tell()
    reader = CaptureReader(stream)  # what it says beside the packets
    keys = None
    if keylog is not None or reader.format == "pcapng":
        keys = CaptureKeys(keylog, reader, stream, waits=False)
    share = Share(number, of)

    def read_at(offset: int, size: int) -> bytes:
        stream.seek(start + offset)
        return stream.read(size)

    decoder = PacketDecoder(
        keep_data=keep_data,
        shows_records=shows_records,
        keys=keys,
        is_relay=share.is_relay,
        memory=memory,
        wants=wants,
        share=share,
    )
    for portion in portions:
        records = decoder.receive(share.take(portion, read_at))
        if portion.is_last:
            decoder.pass_over(*portion.last)
            records = with_ends_last(records + decoder.finish())
        share.check(decoder.open_connections)
        if not decoder.stands_alone:
            raise Indivisible("packets were captured twice")
        _check_memory(decoder, of)
        yield records
        if portion.is_last:
            yield decoder.report(portion.faults)
            return  # whoever waits for another portion waits for ever


def _check_memory(decoder: PacketDecoder, of: int) -> None:
    """Raise Indivisible if one decoder might let some connections go, or take less at once."""
    if decoder.room != MAX_BATCH or decoder.held > decoder.memory_limit // of:
        from .dividing import Indivisible

        raise Indivisible("much is held, or unfolds", is_for_one=True)
