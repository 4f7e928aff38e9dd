"""Rows of numbers."""

from __future__ import annotations

import pytest
from support.answers import asked, streamed
from support.talk import Talk

from parsers.records import ChunkRecord
from wireproof.spool import Spool
from wireproof.web import elements as module
from wireproof.web.elements import Elements, Place, content_span


def chunk(start: int, size: int, sender: str = "server") -> ChunkRecord:
    length = size + 5
    return ChunkRecord(  # type: ignore[call-arg]
        0, 0, sender, 1, 2, 1.0, 2.0, start, length, 0, size, "", "", "utf-8", None,  # type: ignore[arg-type]
        start + 3,
    )  # fmt: skip


def test_a_row_says_where_its_element_is(spool: Spool) -> None:
    elements = Elements(spool)
    elements.append(chunk(10, 3), at=100, encoded=50)
    assert elements.stored(0) == (100, 50, 0)
    assert elements.place(0) == Place(1, 2, 1.0, 2.0, "server", 10, 8, 3, 0, 13)
    assert elements.place(0).end == 18
    assert len(elements) == 1


@pytest.mark.parametrize(
    ("start", "end", "rows"),
    [(0, 8, [0]), (0, 9, [0, 2]), (7, 9, [0, 2]), (8, 16, [2]), (16, 99, [3]), (99, 120, [])],
)
def test_what_overlaps_a_range_of_a_senders_stream(
    start: int, end: int, rows: list[int], spool: Spool
) -> None:
    elements = Elements(spool)
    for begin, sender in ((0, "server"), (0, "client"), (8, "server"), (16, "server")):
        elements.append(chunk(begin, 3, sender), 0, 0)
    found = elements.overlapping("server", start, end, 10)
    assert found == [(row, elements.place(row)) for row in rows]


@pytest.mark.parametrize("together", [1, 2, 3, 7])
def test_it_is_the_same_however_many_are_added_at_once(together: int, spool: Spool) -> None:
    senders = ["server", "server", "client", "server", "client", "client", "server"]
    records = [chunk(8 * number, 3, sender) for number, sender in enumerate(senders)]
    elements, alone = Elements(spool), Elements(spool)
    for number, record in enumerate(records):
        alone.append(record, 100 + 60 * number, 50, 10)
    for first in range(0, len(records), together):
        some = records[first : first + together]
        elements.extend([(record, 50, 10) for record in some], 100 + 60 * first)
    rows = range(len(records))
    assert list(elements.kept(rows)) == list(alone.kept(rows))
    for sender in ("client", "server"):
        assert list(elements.sent(sender)) == list(alone.sent(sender))
        found = elements.overlapping(sender, 0, 99, 9)
        assert found == alone.overlapping(sender, 0, 99, 9)


def test_runs_of_rows_are_read_together(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", 100)
    elements = Elements(spool)
    for number in range(7):
        elements.append(chunk(8 * number, 3), 60 * number, 50, 10)
    runs = list(elements.together(range(7)))
    assert [len(run) for run in runs] == [2, 2, 2, 1]
    assert [one for run in runs for one in run] == list(elements.kept(range(7)))
    assert list(elements.together([])) == []


def test_at_most_so_many_overlap(spool: Spool) -> None:
    elements = Elements(spool)
    for number in range(9):
        elements.append(chunk(8 * number, 3), 0, 0)
    assert [row for row, _ in elements.overlapping("server", 0, 1_000, 4)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "size", "content_offset", "span"),
    [
        ("k", 3, 13, (13, 16)),
        ("k", 0, 13, None),
        ("f", 3, 15, (15, 18)),
        ("f", 0, 12, None),
        ("q", 8, 10, None),
    ],
)
def test_content_is_what_framing_frames(
    kind: str, size: int, content_offset: int, span: tuple[int, int] | None
) -> None:
    place = Place(1, 2, 1.0, 2.0, "server", 10, 8, size, 0, content_offset)
    assert content_span(kind, place) == span


def test_marks_tell_what_is_not_as_the_others() -> None:
    with asked(streamed(b"data: x\n\n", b": ping\n\n")) as ask:
        assert ask("lane/0.0/e/0")["mark"] == [0, 1]
        assert ask("lane/0.0/k/0")["mark"] == [0, 0, 1]


def test_records_of_nobody_have_no_sender() -> None:
    talk = Talk().open()
    talk.client(b"\x00\x01")
    with asked(talk) as ask:
        assert ask("exchanges/0")[0]["key"] == "0.n"


@pytest.mark.parametrize("senders", [["server"], ["client", "server"]])
def test_who_sent_which_element_is_known_when_it_comes_back(
    senders: list[str], spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wireproof.columns.MAX_AT_ONCE", 2)
    before = Elements(spool)
    # The second sender comes late: until then it is written nowhere whose rows these are.
    for number, sender in enumerate([senders[0]] * 5 + senders * 3):
        before.append(chunk(8 * number, 3, sender), 0, 0)
    aside = before.aside()
    after, unasked = Elements(spool, aside), Elements(spool, aside)
    assert len(unasked) == len(before) and unasked.aside() is aside  # nothing was made of it
    for elements in (before, after):
        for sender in ("client", "server"):
            expected = [row for row in range(len(elements)) if elements.place(row).sender == sender]
            assert list(elements.sent(sender)) == expected  # type: ignore[arg-type]
            found = elements.overlapping(sender, 0, 1_000, 99)  # type: ignore[arg-type]
            assert [row for row, _ in found] == expected
        assert elements.aside() == aside
