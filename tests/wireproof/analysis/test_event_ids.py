"""IDs of a stream: its first and its last, however many there are."""

from __future__ import annotations

import pytest
from support.timed import Stream, event

from parsers.records import SseEventRecord
from wireproof.analysis.event_ids import MAX_IDS, EventIds


def blocks(*pieces: bytes) -> list[SseEventRecord]:
    records = Stream().chunks(pieces, every=0.01).end().tape.records()
    return [record for record in records if isinstance(record, SseEventRecord)]


def taken(*pieces: bytes) -> EventIds:
    ids = EventIds()
    for block in blocks(*pieces):
        ids.add(block)
    return ids


def test_an_event_without_an_id_has_none_of_its_own() -> None:
    ids = taken(event(1), b"data: a\n\n", event(2), b"data: [DONE]\n\n")
    assert ids.kept == ["1", "2"]
    assert ids.count == 2


def test_a_block_that_is_not_dispatched_brings_no_id() -> None:
    assert taken(b"id: 7\n\n").kept == []


def test_the_last_retry_counts() -> None:
    assert taken(b"retry: 100\n\n", event(1), b"retry: 250\n\n").retry == 250
    assert taken(event(1)).retry is None


@pytest.mark.parametrize("number", [1, MAX_IDS - 1, MAX_IDS, MAX_IDS + 1, 2 * MAX_IDS])
def test_all_ids_are_kept_of_a_stream_that_is_short(number: int) -> None:
    ids = taken(*map(event, range(number)))
    assert ids.kept == [str(one) for one in range(number)]
    assert ids.is_complete


def test_of_a_long_stream_both_ends_are_kept() -> None:
    number = 2 * MAX_IDS + 50
    ids = taken(*map(event, range(number)))
    assert (ids.count, ids.is_complete) == (number, False)
    kept = ids.kept
    assert len(kept) == 2 * MAX_IDS
    assert (kept[0], kept[MAX_IDS - 1]) == ("0", str(MAX_IDS - 1))
    assert (kept[MAX_IDS], kept[-1]) == (str(number - MAX_IDS), str(number - 1))
