"""What judges look at is bounded, and the longest waits are known whatever came."""

from __future__ import annotations

import pytest
from support.handmade import Wire
from support.timed import Stream

from wireproof.analysis import marks as module
from wireproof.analysis.judges import explain
from wireproof.analysis.marks import KINDS


def test_columns_have_a_number_for_each_element() -> None:
    [explained] = explain(Stream().events(4, every=0.5).end().tape.records())
    marks = explained.trace.elements
    assert len(marks.times) == len(marks.packets) == len(marks.kinds) == marks.count == 4
    assert [KINDS[kind] for kind in marks.kinds] == ["other"] * 4
    assert all(0.4 < wait.seconds < 0.6 for wait in marks.waits)


def test_of_more_elements_than_are_kept_the_longest_waits_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_MARKS", 2)
    monkeypatch.setattr(module, "MAX_WAITS", 1)
    stream = Stream().events(5, every=0.1).events(1, every=3.0)
    [explained] = explain(stream.end().tape.records())
    marks = explained.trace.elements
    assert (marks.count, len(marks.times)) == (6, 2)
    [longest] = marks.waits
    assert longest.seconds == pytest.approx(3.0, abs=0.2)
    assert longest.after_packet > longest.before_packet


@pytest.mark.parametrize(("pieces", "contents"), [(['0:"Hel"\n', '0:"lo"\n'], 2), (["0: no"], 0)])
def test_plain_text_is_read_from_its_chunks(pieces: list[str], contents: int) -> None:
    wire = Wire()
    head = [wire.request(), wire.response(("Content-Type", "text/plain; charset=utf-8"))]
    chunks = [wire.chunk(piece) for piece in pieces]
    [explained] = explain([*head, *chunks, wire.chunk(), wire.body(), wire.end()])
    assert explained.trace.contents == contents
    said = [KINDS[kind] for kind in explained.trace.pieces.kinds]
    assert said.count("text") == contents
    assert explained.trace.elements.count == 0
