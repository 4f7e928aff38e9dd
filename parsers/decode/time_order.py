"""Packets of a file in order of time, where the file has them in another.

Strategy: a file is read ahead, within MAX_LATE_PACKETS and MAX_LATE_BYTES. Packets whose times
never go back, which are nearly all, are handed on as they come. Else what is at hand is divided
into clusters, stretches that hold the same packets in both orders, and each is judged by itself. A
recorder of several interfaces or queues stores packets late; but a clock that is set back, and
clocks that differ between two interfaces, make a right order look wrong. TCP tells
(:mod:`~parsers.net.causality`): a connection's packets in it are put in order of time unless they
contradict one another more then. What belongs to no connection stays where it is. Where time goes
back by more than MAX_LATE_TIME, or further than is at hand, nothing is moved across that place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, islice, pairwise, takewhile
from operator import attrgetter, itemgetter

from ..files.packets import CaptureFault, Packet
from ..limits import MAX_LATE_BYTES, MAX_LATE_PACKETS, MAX_LATE_TIME
from ..net.causality import Ends, contradictions, ends_of
from ..records import Record

STEP = 64
"""Packets that are taken from the file at once: what is asked of each would cost more."""
TIME = itemgetter(1)
DATA = itemgetter(4)
LAST_PACKET = attrgetter("last_packet")

MAX_PLACES = 8 * MAX_LATE_PACKETS
"""Packets whose places are remembered: more than are decoded at once, and read ahead."""

Step = tuple[list[Packet], int]
"""Packets, and how many bytes they hold."""


def steps(packets: Iterable[Packet], most: int = STEP) -> Iterator[Step]:
    """Yield packets as they come, STEP at a time or ``most``."""
    source = iter(packets)
    while rows := list(islice(source, min(STEP, most))):
        yield rows, _size(rows)


class _Backwards:
    """Where the times of a file go back."""

    def __init__(self) -> None:
        self.count = 0
        self.first = 0
        """The number of the first packet that is earlier than the one before."""
        self._greatest = 0

    def count_in(self, before: int | None, rows: list[Packet], times: list[int]) -> None:
        """Count in packets and their times, which follow one at the time ``before``."""
        for row, (earlier, later) in zip(
            rows, pairwise([times[0] if before is None else before, *times]), strict=True
        ):
            if later < earlier:
                self.count += 1
                self.first = self.first or row[0]
                self._greatest = max(self._greatest, earlier - later)

    @property
    def text(self) -> str:
        """How often, and how far at most."""
        often = "once" if self.count == 1 else f"{self.count:,} times, the first time"
        most = self._greatest / 1_000
        far = f"{most:,.9g} us" if most < 1_000 else f"{most / 1_000_000:,.9g} s"
        return f"{often} in packet {self.first}, by {far}" + " at most" * (self.count > 1)


class TimeOrder:
    """Puts the packets of a capture file in order of time, as far as that can be told.

    They keep their numbers, and those without a time their places.
    """

    def __init__(self) -> None:
        self._source: Iterator[Step] = iter(())
        self._held: deque[Step] = deque()
        """What has been read ahead."""
        self._packets = self._bytes = 0
        self._is_ordered = True
        """Whether the times of what is held do not go back."""
        self._latest: int | None = None
        """The last time of what is held, if that is ordered."""
        self._before: int | None = None
        """The time of the last packet that was read."""
        self._handed_on: list[Packet] = []
        """The last packets that were handed on: nothing can be moved across them any more."""
        self._places: dict[int, int] = {}
        """Of the last packets that were moved."""
        self._backwards = _Backwards()
        self._is_trusted = False
        """Whether the order of the file was right where TCP told last."""
        self._has_moved = self._has_kept = False

    def packets(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        """Return the packets of a file in order."""
        return chain.from_iterable(rows for rows, _ in self.steps(packets))

    def steps(self, packets: Iterable[Packet]) -> Iterator[Step]:
        """Yield the packets of a file in order, some at a time."""
        self._source = steps(packets)
        held = self._held
        for step in self._source:
            latest = _latest_if_ordered(step[0], self._latest) if self._is_ordered else None
            if latest is None:
                yield from self._restore(step[0])
                continue
            self._latest = self._before = latest
            held.append(step)
            self._packets += len(step[0])
            self._bytes += step[1]
            while self._is_enough(held[0]):
                yield self._hand_on()
        while held:
            yield self._hand_on()

    def places(self, records: Iterable[Record]) -> list[int]:
        """Return, of each record, the place of the last packet: its number if it was not moved."""
        numbers = list(map(LAST_PACKET, records))
        return list(map(self._place, numbers)) if self._places else numbers

    def sort(self, records: list[Record]) -> None:
        """Put records that are sorted by their packets' numbers in the order of these packets."""
        if self._places:
            records.sort(key=lambda record: self._place(record.last_packet))

    def _place(self, number: int) -> int:
        return self._places.get(number, number)

    @property
    def faults(self) -> list[CaptureFault]:
        """What is to be said of the order, once all packets have been read."""
        if not self._backwards.count:
            return []
        what = {
            (True, False): "decoded in order of time",
            (True, True): "decoded in order of time, but where a clock was set back, or two differ",
            (False, True): "decoded as stored, for a clock was set back, or two differ",
            (False, False): "the packets of each connection are in order",
        }
        found = f"{self._backwards.text}; {what[self._has_moved, self._has_kept]}"
        return [CaptureFault("capture-order", found, self._backwards.first, None)]

    def _is_enough(self, first: Step) -> bool:
        """Whether what is held after the first step is all that is kept."""
        return (
            self._packets - len(first[0]) >= MAX_LATE_PACKETS
            or self._bytes - first[1] >= MAX_LATE_BYTES
        )

    def _hand_on(self) -> Step:
        step = self._held.popleft()
        self._packets -= len(step[0])
        self._bytes -= step[1]
        self._handed_on = step[0]
        return step

    def _restore(self, rows: list[Packet]) -> Iterator[Step]:
        """Go on where the time goes back: read further ahead, and yield what can be told by now.

        As much is read as is looked at once more: time is linear.
        """
        more, is_over = self._read_ahead(rows)
        times = _times(more, self._before)
        self._backwards.count_in(self._before, more, times)
        self._before = times[-1]
        rows = [*chain.from_iterable(held for held, _ in self._held), *more]
        times = _times(rows)
        ready = len(rows) if is_over else self._ready(times, len(rows) - len(more))
        arranged = self._arranged(rows, times, ready)
        self._hold(arranged[ready:])
        if done := arranged[:ready]:
            self._handed_on = done
            yield done, _size(done)

    def _read_ahead(self, rows: list[Packet]) -> tuple[list[Packet], bool]:
        """Return as many packets as are looked at together, and whether these are all."""
        size = _size(rows)
        for more, added in self._source:
            rows = rows + more
            size += added
            if len(rows) >= MAX_LATE_PACKETS or size >= MAX_LATE_BYTES:
                return rows, False
        return rows, True

    def _ready(self, times: list[int], most: int) -> int:
        """Return how many packets are handed on: up to a place that none crosses, or ``most``."""
        starts = (start for start, _ in self._clusters(times))
        whole = max(takewhile(most.__ge__, starts), default=0)
        return most if most - whole > len(times) - most else whole

    def _hold(self, rows: list[Packet]) -> None:
        """Keep packets for later."""
        self._held.clear()
        self._held.extend(steps(rows))
        self._packets, self._bytes = len(rows), _size(rows)
        self._latest = None
        self._is_ordered = True
        for step, _ in self._held:
            self._latest = _latest_if_ordered(step, self._latest)
            if self._latest is None:
                self._is_ordered = False
                break

    def _arranged(self, rows: list[Packet], times: list[int], size: int) -> list[Packet]:
        """Return the rows, of which the first ``size`` at least are in the right order."""
        arranged: list[Packet] = []
        for start, end in self._clusters(times):
            if start >= size:
                arranged += rows[start:]
                break
            arranged += self._arrange(rows[start:end], times[start:end])
        return arranged

    def _arrange(self, rows: list[Packet], times: list[int]) -> list[Packet]:
        """Return a cluster with the packets of each connection in order, in the same places.

        So connections begin in the order of the file, by which Wireshark numbers them.
        """
        if len(rows) == 1:
            return rows
        arranged = list(rows)
        for places in _connections(rows):
            order = sorted(places, key=times.__getitem__)
            if order == places:
                continue
            found = [rows[place] for place in order]
            if self._is_right([rows[place] for place in places], found):
                self._has_kept = True
                continue
            self._has_moved = True
            for place, row in zip(places, found, strict=True):
                arranged[place] = row
        self._note_places([self._place(row[0]) for row in rows], arranged)
        return arranged

    def _note_places(self, numbers: list[int], rows: list[Packet]) -> None:
        """Take note of the packets that have another place now than their number says."""
        for number, row in zip(numbers, rows, strict=True):
            if number != row[0]:
                self._places[row[0]] = number
            else:
                self._places.pop(number, None)
        for number in list(islice(self._places, max(0, len(self._places) - MAX_PLACES))):
            del self._places[number]

    def _is_right(self, rows: list[Packet], in_time: list[Packet]) -> bool:
        """Whether TCP contradicts the order of the file less than that of time.

        Where it does not tell, what it told last holds; at first the time does.
        """
        more = contradictions(in_time) - contradictions(rows)
        self._is_trusted = more > 0 if more else self._is_trusted
        return self._is_trusted

    def _clusters(self, times: list[int]) -> Iterator[tuple[int, int]]:
        """Yield where each cluster begins and ends."""
        start = 0
        for end in [*self._epochs(times), len(times)]:
            yield from _clusters(times, start, end)
            start = end

    def _epochs(self, times: list[int]) -> Iterator[int]:
        """Yield the places where the time goes back too far for anything to be moved across."""
        floor = max(_times(self._handed_on)) if self._handed_on else None
        latest = times[0] if floor is None else floor
        for index, time in enumerate(times):
            if time < latest - MAX_LATE_TIME or (floor is not None and time < floor):
                self._has_kept = True
                yield index
                latest, floor = time, None
            latest = max(latest, time)


def _clusters(times: list[int], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the shortest stretches of [start, end) that sorting leaves in their places."""
    latest = list(accumulate(times[start:end], max))
    earliest = list(accumulate(reversed(times[start:end]), min))[::-1]
    first = 0
    for place in range(1, end - start):
        if latest[place - 1] <= earliest[place]:
            yield start + first, start + place
            first = place
    if start < end:
        yield start + first, end


def _connections(rows: list[Packet]) -> Iterable[list[int]]:
    """Return the places of each TCP connection's packets; other packets stay where they are."""
    places: dict[Ends, list[int]] = {}
    for place, row in enumerate(rows):
        if (ends := ends_of(row)) is not None:
            places.setdefault(ends, []).append(place)
    return places.values()


def _latest_if_ordered(rows: list[Packet], before: int | None) -> int | None:
    """Return the last time of packets, or None if times go back, from ``before`` on."""
    first, last = rows[0][1], rows[-1][1]
    try:
        is_ordered = rows == sorted(rows, key=TIME)
    except TypeError:
        last = None
    if first is None or last is None:  # some have no time
        times = _times(rows, before)
        is_ordered, first, last = times == sorted(times), times[0], times[-1]
    return last if is_ordered and (before is None or first >= before) else None


def _times(rows: list[Packet], before: int | None = None) -> list[int]:
    """Return the times of packets; those that have none have that of the packet before."""
    latest = before
    if latest is None:
        latest = next((time for _, time, *_ in rows if time is not None), 0)
    times: list[int] = []
    for _, time, *_ in rows:
        latest = latest if time is None else time
        times.append(latest)
    return times


def _size(rows: list[Packet]) -> int:
    return sum(map(len, map(DATA, rows)))
