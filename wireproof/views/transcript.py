"""Records as lines that a person can read and a test can compare.

One line a record: the packets that carried it, when it was complete (seconds after the capture's
first record), who sent it, where it lies in the sender's stream (offset+length), its kind, and
every further field as ``name=value`` with the value in JSON. Header fields follow, one a line, and
what ended a connection.
Nothing of a record is left out, but of a long text only its length and its digest stay: two
transcripts are equal only if the records are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256

from parsers.records import ConnectionRecord, Record, field_names

from ..text.wording import end_said

PLACE = {
    "record",
    "connection",
    "sender",
    "first_packet",
    "last_packet",
    "first_time",
    "last_time",
    "offset",
    "length",
}
USUAL_PLACE = {"layer": "tcp", "stream_id": None, "extents": None}
FIELD_LISTS = {"headers", "trailers"}
LISTS = FIELD_LISTS | {"ends"}
"""What has lines of its own."""
LONGEST_SHOWN = 500
"""Characters of a value that are shown as they are."""
HEADING = "# packets       time  who       offset+length  record"


def transcript(records: Iterable[Record]) -> Iterator[str]:
    """Yield the lines of a transcript, without line ends."""
    yield HEADING
    start: float | None = None
    for record in records:
        if start is None:
            start = record.first_time
        yield _line(record, start)
        for name in sorted(FIELD_LISTS):
            for field, value in getattr(record, name, None) or []:
                yield f"{'':18}{name[:-1]}  {json.dumps(f'{field}: {value}', ensure_ascii=True)}"
        if isinstance(record, ConnectionRecord):
            for end in record.ends:
                said = end_said(end, f"{end['time'] - start:.6f}")
                yield f"{'':18}end  {said}"


def _line(record: Record, start: float) -> str:
    first, last = record.first_packet, record.last_packet
    packets = str(last) if first == last else f"{first}-{last}"
    times = f"{record.last_time - start:10.6f}"
    if record.first_time != record.last_time:
        times = f"{times} ({record.first_time - start:.6f})"
    sender = getattr(record, "sender", None) or "-"
    offset = getattr(record, "offset", None)
    place = "-" if offset is None else f"{offset}+{getattr(record, 'length', 0)}"
    connection = "" if record.connection is None else f"c{record.connection}"
    rest = " ".join(
        f"{name}={_value(getattr(record, name))}"
        for name in field_names(type(record))
        if name not in PLACE | LISTS and not _goes_without_saying(record, name)
    )
    return f"{packets:>9} {times}  {connection} {sender:7} {place:>12}  {record.record}  {rest}"


def _goes_without_saying(record: Record, name: str) -> bool:
    """Return whether a field says only that the capture is an ordinary one."""
    if name in ("recorded_by", "tunnel", "client", "server"):
        return getattr(record, name) is None
    return name in USUAL_PLACE and getattr(record, name) == USUAL_PLACE[name]


def _value(value: object) -> str:
    """Return a value in JSON, or what is known of it if that is long."""
    shown = json.dumps(value, ensure_ascii=True)
    if len(shown) <= LONGEST_SHOWN:
        return shown
    digest = sha256(shown.encode()).hexdigest()
    return f"<{len(shown):,} characters of JSON, sha256 {digest}>"
