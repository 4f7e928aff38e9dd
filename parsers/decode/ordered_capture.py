"""A capture file whose packets come in order of time: what every reading of a file begins with.

Strategy: the reader gives packets as they are stored, :class:`.time_order.TimeOrder` puts them in
order, and both have faults to tell. Packets keep their numbers, so that whatever is said of one can
be found in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from ..files.input import Readable
from ..files.joined import JoinedFiles
from ..files.packets import CaptureFault, Interface, Packet
from ..files.reader import CaptureReader
from ..limits import BATCH, LEAST_HEADERS, MAX_BATCH
from ..records import Record
from .keys import CaptureKeys
from .time_order import Step, TimeOrder, steps

if TYPE_CHECKING:
    from ..tls.key_log import KeyLog


def uncounted(most: int) -> int:
    """Return how many bytes of each packet are not counted where ``most`` are decoded at once."""
    return LEAST_HEADERS if most > BATCH else 0


def batched(
    found: Iterable[Step], most: int, room: Callable[[], int]
) -> Iterator[tuple[list[Packet], bool]]:
    """Yield whole batches of packets, then, as the last one, those that are left, if any are."""
    return growing_batches(found, lambda: most, room)


def growing_batches(
    found: Iterable[Step], most: Callable[[], int], room: Callable[[], int]
) -> Iterator[tuple[list[Packet], bool]]:
    """Yield the same, where ``most`` is asked anew for each batch.

    What comes of a batch stands in memory together: so its bytes are counted, not only its packets,
    and where those before have unfolded to much, fewer are taken at once.
    """
    rows: list[Packet] = []
    size, limit = 0, most()
    for more, held in found:
        if size + held <= room() + uncounted(limit) * len(rows) and len(rows) + len(more) < limit:
            rows += more
            size += held
            continue
        for row in more:
            size += len(row[4])
            if rows and size > room() + uncounted(limit) * len(rows):
                yield rows, False
                rows, size, limit = [], len(row[4]), most()
            rows.append(row)
            if len(rows) == limit:
                yield rows, False
                rows, size, limit = [], 0, most()
    yield rows, True


class OrderedCapture:
    """The packets of a capture, in order of time unless it ``is_live``: then none waits.

    ``stream`` may be several files that belong together. ``keylog`` has keys of TLS, beside those
    in the file. Raises UnreadableCapture (a ValueError) if
    ``stream`` is no capture.
    """

    def __init__(
        self,
        stream: Readable | JoinedFiles,
        *,
        is_live: bool = False,
        order: TimeOrder | None = None,
        keylog: KeyLog | None = None,
    ) -> None:
        self._reader = stream if isinstance(stream, JoinedFiles) else CaptureReader(stream)
        self._keylog = keylog
        self._stream = stream
        self._order = TimeOrder() if order is None else order
        self._is_live = is_live

    def __iter__(self) -> Iterator[Packet]:
        return chain.from_iterable(rows for rows, _ in self.steps(1))

    def steps(self, most: int) -> Iterator[Step]:
        """Yield packets, some at a time; of a live capture ``most``."""
        return steps(self._reader, most) if self._is_live else self._order.steps(self._reader)

    def batches(
        self, most: int, room: Callable[[], int] = lambda: MAX_BATCH
    ) -> Iterator[list[Packet]]:
        """Yield packets, ``most`` at a time, or fewer that hold as many bytes as there is ``room``
        for (:attr:`~.packets.PacketDecoder.room`)."""
        for rows, _ in batched(self.steps(most), most, room):
            if rows:
                yield rows

    def sort(self, records: list[Record]) -> None:
        """Put the records of a batch in the order of its packets."""
        self._order.sort(records)

    @cached_property
    def keys(self) -> CaptureKeys | None:
        """The keys of its TLS connections; None if there can be none."""
        if self._keylog is None and self._reader.format != "pcapng":
            return None
        return CaptureKeys(self._keylog, self._reader, self._stream, waits=self._is_live)

    @property
    def interfaces(self) -> list[Interface]:
        """What the packets that have been read were recorded on."""
        return self._reader.interfaces

    @property
    def comments(self) -> list[tuple[int | None, str]]:
        """What has been read of comments, each with its packet; None if it is on the file."""
        return self._reader.comments

    @property
    def is_relay(self) -> Callable[[int], bool]:
        """Tells of a packet's number whether a relay has recorded it."""
        return self._reader.is_relay

    @property
    def faults(self) -> list[CaptureFault]:
        """What is to be said of the file, once all packets have been read."""
        return self._reader.faults + self._order.faults
