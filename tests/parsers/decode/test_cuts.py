"""Records do not depend on how TCP cut, reordered and repeated the bytes, but for their packets.

Every stored dialogue is put on the wire anew, in other segments, in another order, some of them
twice: a thousand times, or until so many segments have been sent that another capture gets its
turn. ``WIREPROOF_EXAMPLES`` says how often, whatever that takes. Where each record's packets must
lie is told by a table of every byte: who carried it first, and what completed it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest
from support.frames import ACK, PSH
from support.stored import SMALL, Dialogue, completion, dialogue, name, packets
from support.talk import Side, Talk, decoded, without_packets

from parsers.records import ConnectionRecord, Record, SseEventRecord

EXAMPLES = int(os.environ.get("WIREPROOF_EXAMPLES", "0"))
MOST_EXAMPLES = 1_000
ENOUGH_SEGMENTS = 6_000
"""For each capture, unless ``WIREPROOF_EXAMPLES`` is set."""
OTHER_WAYS_EVERY = 8
"""Examples after which one is also decoded packet by packet, and by the general path."""

Arrivals = dict[Side, list[int]]
"""The packet in which each byte of a direction arrived first."""


def in_stream_order(records: list[Record], *, is_coded: bool) -> list[str]:
    """What must not depend on the segments, in an order that does not either.

    A piece of coded content maps to the whole piece of input that it came out of, and that is cut
    by segments: only there an event's place depends on them.
    """
    return sorted(
        repr(
            without_packets(record, "offset", "length")
            if is_coded and isinstance(record, SseEventRecord)
            else without_packets(record)
        )
        for record in records
    )


def is_coded(records: list[Record]) -> bool:
    return any(getattr(record, "content_encoding", None) for record in records)


class Replay:
    """A stored dialogue in new segments."""

    def __init__(self, stored: Dialogue, seed: int) -> None:
        self.seeded = random.Random(seed)
        self.talk = Talk(client_port=stored.client_port, server_port=stored.server_port).open()
        self.arrivals: Arrivals = {"client": [], "server": []}
        self._old: list[bytes] = []
        for sender, data, flags in stored.turns:
            if data:
                self._send(sender, data)
            else:
                self.talk.segment(sender, flags=flags | ACK)

    def _send(self, sender: Side, data: bytes) -> None:
        arrivals = self.arrivals[sender]
        base = len(arrivals)
        arrivals += [0] * len(data)
        sent = []
        for start, end in self._cut(len(data)):
            sent.append((start, end, self.talk.frame(sender, data[start:end], PSH | ACK)))
        for start, end, frame in self._reordered(sent):
            number = self.talk.tape.add(frame)
            for offset in range(base + start, base + end):
                arrivals[offset] = arrivals[offset] or number
            self._old.append(frame)
            if self.seeded.random() < 0.1:
                self.talk.tape.add(self.seeded.choice(self._old))

    def _cut(self, size: int) -> Iterator[tuple[int, int]]:
        most = self.seeded.choice([1, 3, 20, 200, 1_448])
        start = 0
        while start < size:
            end = min(start + self.seeded.randint(1, most), size)
            yield start, end
            start = end

    def _reordered(self, sent: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
        """Each segment comes up to some places too late."""
        reach = self.seeded.choice([0, 1, 4, 40])
        late = {
            start: index + self.seeded.uniform(0, reach) for index, (start, _, _) in enumerate(sent)
        }
        return sorted(sent, key=lambda item: late[item[0]])


def check_packets(records: list[Record], arrivals: Arrivals) -> None:
    completed = {sender: list(accumulate(table, max)) for sender, table in arrivals.items()}
    checked = 0
    for record in records:
        if isinstance(record, ConnectionRecord) or not record.length:
            continue
        assert record.offset is not None and record.sender is not None
        last = record.offset + record.length - 1
        expected = (arrivals[record.sender][record.offset], completed[record.sender][last])
        assert (record.first_packet, record.last_packet) == expected, record
        checked += 1
    assert checked > 2


def check_times(records: list[Record], talk: Talk) -> None:
    times = {number: time_ns / 10**9 for number, time_ns, *_ in talk.tape.packets if time_ns}
    for record in records:
        found = (record.first_time, record.last_time)
        assert found == (times[record.first_packet], times[record.last_packet]), record


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_new_segments(path: Path) -> None:
    stored = dialogue(path)
    original = decoded(packets(path))
    coded = is_coded(original)
    expected = in_stream_order(original, is_coded=coded)
    segments = 0
    for seed in range(EXAMPLES or MOST_EXAMPLES):
        replay = Replay(stored, seed)
        records = replay.talk.tape.records()
        # A segment that is sent twice is the same packet here, as a copy is.
        said = [one for one in records if getattr(one, "code", "") != "packets-captured-twice"]
        assert in_stream_order(said, is_coded=coded) == expected, seed
        check_packets(records, replay.arrivals)
        check_times(records, replay.talk)
        assert records == sorted(records, key=completion), seed
        rows = replay.talk.tape.packets
        if seed % OTHER_WAYS_EVERY == 0:
            assert sorted(decoded(rows, batch=1), key=completion) == records
            assert decoded(rows, general=True) == records
        segments += len(rows)
        if not EXAMPLES and segments > ENOUGH_SEGMENTS:
            break
