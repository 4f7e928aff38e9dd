"""Damaged captures: never an exception, never a hang, nothing lost in silence, nothing invented.

What is damaged are the stored captures, and the public captures and vectors that are at hand. The
damage is seeded; ``WIREPROOF_EXAMPLES`` sets how often for each capture (8 unless set).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from time import process_time

import msgspec
import pytest
from support.corpus import captures_at_hand, captures_folder, vectors_at_hand
from support.damage import (
    damaged,
    payload_start,
    renumbered,
    with_damaged_packets,
    with_damaged_payloads,
    with_damaged_turns,
)
from support.stored import SMALL, completion, dialogue, name, packets
from support.talk import decoded

from parsers.decode.capture import decode
from parsers.files.packets import Packet, UnreadableCapture
from parsers.files.reader import CaptureReader
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    PartRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
    field_names,
)

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("WIREPROOF_EXAMPLES", "8"))
PATIENCE = 2.0
"""Seconds of one processor that no damage may make of a capture of a few KiB."""
LARGEST = 40_000
"""Bytes of a public capture that is damaged: larger ones take too long for what they add."""

STORED = pytest.mark.parametrize("path", SMALL, ids=name)
Damage = Callable[[Sequence[Packet], Random], list[Packet]]


def check(records: Sequence[Record]) -> None:
    """Every record can be written, and says where it is."""
    for record in records:
        msgspec.json.encode(record)
        assert record.first_packet <= record.last_packet, record
        assert record.first_packet or record.connection is None, record
        if not isinstance(record, ConnectionRecord):
            assert record.length is None or record.length >= 0, record


def check_file(data: bytes, seeded: Random) -> None:
    started = process_time()
    try:
        check(list(decode(BytesIO(data), keep_data=seeded.random() < 0.8)))
    except UnreadableCapture as error:
        assert str(error)
    assert process_time() - started < PATIENCE


def check_packets(rows: Sequence[Packet], seeded: Random) -> None:
    started = process_time()
    check(decoded(rows, keep_data=seeded.random() < 0.8, batch=seeded.choice([1, 7, 256])))
    assert process_time() - started < PATIENCE


def seeds(identity: str) -> Iterator[Random]:
    """The same on every run, and others for every capture."""
    base = zlib.crc32(identity.encode())
    return (Random(base + number) for number in range(EXAMPLES))


@cache
def public_captures() -> dict[str, bytes]:
    """Capture files of others that are at hand, which are small."""
    found = {vector["id"]: bytes.fromhex(vector["input_hex"]) for vector in vectors_at_hand("pcap")}
    if captures_at_hand():
        found |= {file: (captures_folder() / file).read_bytes() for file in captures_at_hand()}
    return {file: data for file, data in found.items() if len(data) < LARGEST}


# --- damage ---


@STORED
def test_damage_in_the_file(path: Path) -> None:
    data = path.read_bytes()
    for seeded in seeds(name(path)):
        check_file(damaged(data, seeded, 8), seeded)


@STORED
@pytest.mark.parametrize("damage", [with_damaged_payloads, with_damaged_packets])
def test_damage_in_packets(path: Path, damage: Damage) -> None:
    rows = packets(path)
    for seeded in seeds(name(path)):
        check_packets(damage(rows, seeded), seeded)


@STORED
def test_damage_in_what_was_said(path: Path) -> None:
    stored = dialogue(path)
    for seeded in seeds(name(path)):
        rows = with_damaged_turns(stored, seeded, seeded.choice([1, 7, 100, 1_448])).packets
        check_packets(rows, seeded)


def test_damage_in_public_captures() -> None:
    if not public_captures():
        pytest.skip("no public captures at hand: WIREPROOF_CORPUS names their folder")
    for file, data in public_captures().items():
        for seeded in seeds(file):
            check_file(damaged(data, seeded, 8), seeded)
        try:
            rows = list(CaptureReader(BytesIO(data)))
        except UnreadableCapture:
            continue
        for seeded in seeds(file):
            damage: Damage = seeded.choice([with_damaged_payloads, with_damaged_packets])
            check_packets(damage(rows, seeded), seeded)


@STORED
def test_batches_make_no_difference_to_damage(path: Path) -> None:
    """But in how much of two versions of a byte is compared: as much as came at once."""
    rows = packets(path)
    for seeded in seeds(name(path)):
        found = with_damaged_packets(rows, seeded)
        at_once, one_by_one = (
            sorted(
                repr(record) for record in decoded(found, batch=batch) if not _is_conflict(record)
            )
            for batch in (1 << 30, 1)
        )
        assert at_once == one_by_one


def _is_conflict(record: Record) -> bool:
    return isinstance(record, DiagnosticRecord) and record.code == "tcp-overlap-conflict"


# --- cuts ---


@STORED
def test_cut_at_every_byte(path: Path) -> None:
    """A file that is cut holds the packets before the cut, and their records stay as they were."""
    data = path.read_bytes()
    rows = packets(path)
    whole = decoded(rows)
    seen = {0}
    for size in range(len(data)):
        try:
            reader = CaptureReader(BytesIO(data[:size]))
            found = list(reader)
        except UnreadableCapture:
            assert size < 28  # a section header
            continue
        assert found == rows[: len(found)]
        assert len(reader.faults) <= 1
        if len(found) not in seen:
            seen.add(len(found))
            check_prefix(list(decode(BytesIO(data[:size]))), whole, len(found))
    assert seen == set(range(len(rows) + 1))


def check_prefix(cut: list[Record], whole: list[Record], count: int) -> None:
    """All but what the end of the capture gives is what the whole gives, in its order."""
    assert all(record.last_packet <= count for record in cut)
    ended = (ConnectionRecord, BodyRecord, DiagnosticRecord)
    expected = [record for record in whole if not isinstance(record, ended)]
    kept = [record for record in cut if not isinstance(record, ended)]
    unfinished = [one for one in open_ended(cut) if one not in expected]
    assert len(unfinished) <= 1
    for one in unfinished:
        begun = [other for other in open_ended(whole) if other.offset == one.offset]
        if isinstance(one, PartRecord):
            # The line end before a delimiter is content until the delimiter has come.
            assert one.data is not None
            assert any(other.data.startswith(one.data.removesuffix("\r\n")) for other in begun)
        else:
            # Dispatched only where the capture ends between the CR and the LF of its empty line.
            assert not one.dispatched or one.fields in [other.fields for other in begun]
    kept = [record for record in kept if record not in unfinished]
    assert kept == expected[: len(kept)]


def open_ended(records: list[Record]) -> list[SseEventRecord | PartRecord]:
    """Elements that only what follows them ends: shown as far as they came."""
    return [record for record in records if isinstance(record, SseEventRecord | PartRecord)]


# --- loss ---

Element = RequestRecord | ResponseRecord | ChunkRecord | SseEventRecord
Element |= WebSocketFrameRecord | WebSocketMessageRecord


def content(record: Element) -> str:
    """What an element says, and where it stands in its sender's stream; not how it came."""
    left_out = {"first_packet", "last_packet", "first_time", "last_time", "connection", "exchange"}
    left_out |= {"index", "first_chunk", "last_chunk", "id"}  # counted anew after a gap
    fields = [field for field in field_names(type(record)) if field not in left_out]
    return repr([getattr(record, field) for field in fields])


def is_flagged(records: list[Record]) -> bool:
    """Whether anything says that not all is there."""
    for record in records:
        if isinstance(record, GapRecord | DiagnosticRecord):
            return True
        if isinstance(record, ConnectionRecord) and (record.midstream or record.close == "open"):
            return True
    return False


def lossy(rows: list[Packet], seeded: Random) -> tuple[list[Packet], bool]:
    """Take packets away, some in a row; say whether any of them carried data."""
    start = seeded.randrange(len(rows))
    lost = set(range(start, start + seeded.choice([1, 1, 2, 5])))
    lost |= {index for index in range(len(rows)) if seeded.random() < seeded.choice([0, 0.1])}
    kept = [row for index, row in enumerate(rows) if index not in lost]
    return renumbered(kept), any(payload_start(rows[index]) for index in lost if index < len(rows))


@STORED
def test_no_loss_in_silence(path: Path) -> None:
    """And what comes out of a capture with losses came out of the whole one, or is flagged."""
    rows = packets(path)
    truth = {content(record) for record in decoded(rows) if isinstance(record, Element)}
    for seeded in seeds(name(path)):
        for _ in range(5):
            kept, has_lost_data = lossy(rows, seeded)
            records = decoded(kept)
            flagged = is_flagged(records)
            assert flagged or not has_lost_data
            invented = {content(one) for one in records if isinstance(one, Element)} - truth
            assert flagged or not invented
            assert records == sorted(records, key=completion)
