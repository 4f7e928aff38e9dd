"""Marks and traces that are given many records at once are those that are given each."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import pytest
from support.corpus import ROOT
from support.timed import Stream, event

from parsers.records import Record
from wireproof import decode
from wireproof.analysis import folding, marks
from wireproof.analysis.judges import Explained, explain
from wireproof.analysis.marks import Marks, columns

CAPTURES = sorted(
    path
    for folder in ("verdicts", "sse", "websocket", "dialects")
    for path in (ROOT / "fixtures" / folder).glob("*.pcap*")
)


def state(of: object) -> Any:
    """All that an object of ours holds, however deep."""
    if isinstance(of, list | tuple | array | bytes | bytearray):  # a column is what it holds
        return [state(one) for one in of]
    if isinstance(of, dict):
        return {key: state(one) for key, one in of.items()}
    names = getattr(of, "__slots__", None) or getattr(of, "__dict__", {})
    if not type(of).__module__.startswith("wireproof.analysis") or not names:
        return repr(of)
    return {name: state(getattr(of, name)) for name in names}


def seen(found: list[Explained]) -> list[Any]:
    """What is known of exchanges, and what is said of them."""
    kept = (
        "conversation",
        "elements",
        "contents",
        "pieces",
        "requested",
        "hazards",
        "ids",
        "words",
        "is_chunk",
    )
    more = ("piece_sizes", "trailers", "last_payload", "tokens", "first_tokens")
    return [
        (
            repr(one.exchange),
            {name: state(getattr(one.trace, name)) for name in (*kept, *more)},
            repr(one.verdicts),
        )
        for one in found
    ]


def one_by_one(monkeypatch: pytest.MonkeyPatch, records: list[Record]) -> list[Any]:
    with monkeypatch.context() as patch:
        patch.setattr(folding, "STREAMING", frozenset())
        return seen(list(explain(records)))


@pytest.mark.parametrize("room", [4_000, folding.MAX_ASIDE])
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_records_that_are_put_aside_make_the_same_traces(
    capture: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = list(decode(capture))
    expected = one_by_one(monkeypatch, records)
    monkeypatch.setattr(folding, "MAX_ASIDE", room)
    assert seen(list(explain(records))) == expected


@pytest.mark.parametrize(
    "pieces",
    [
        [event(1, end=b"\r\n"), b"data: cut\r", b"\n\r\n", *map(event, range(9))],
        [*map(event, range(70)), b"data: a\r", b"\n\n", b": hi\n\n", b"event: ping\ndata: {}\n\n"],
        [b"data: \xe2\x80", b"\xa8\n\n", *map(event, range(9)), b"data:\n\n", b"data: [DONE]\n\n"],
        [b"data: a\ndata: b\n\n", b"retry: 7\n\n", b"id: 4\n\n", *map(event, range(9))],
        [b"id: 1\ndata: a\n\n", b"data: b\n\n", b"id: 1\ndata: c\n\n", b"id: 2\ndata: d\n\n"],
    ],
    ids=["crlf cut", "keep-alives", "characters", "fields", "ids"],
)
def test_what_is_seldom_in_streams_is_seen_among_many(
    pieces: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Stream().chunks(pieces, every=0.05).end().tape.records()
    assert seen(list(explain(records))) == one_by_one(monkeypatch, records)


@pytest.mark.parametrize("cut", [1, 3, 7, 40])
def test_columns_are_filled_to_their_limit(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "MAX_MARKS", 10)
    monkeypatch.setattr(marks, "MAX_WAITS", 4)
    records: list[Any] = [
        record
        for record in Stream().events(40, every=0.01).end().tape.records()
        if record.record == "sse_event"
    ]
    each, many = Marks(), Marks()
    for record in records:
        each.add(record)
    for start in range(0, len(records), cut):
        some = records[start : start + cut]
        many.add_all(columns(some), bytes((11,)) * len(some))
    assert state(many) == state(each)
    assert (many.count, len(many.times)) == (40, 10)
